//! A request on its way to the origin: what has to be remembered until the response is there.

use std::sync::Arc;

use edgeproof_http1::Fields;

use crate::store::Since;
use crate::{CacheStatus, Fwd, Stored, validation};

/// A request that has to be forwarded. Give it back to [`crate::Cache::received`] with the
/// response, or to [`crate::Cache::failed`] if there is none.
#[derive(Debug)]
pub struct Forward {
    pub(crate) key: Box<[u8]>,
    pub(crate) since: Since,
    pub(crate) fwd: Fwd,
    /// The selected stored response, if there is one.
    pub(crate) selected: Option<Arc<Stored>>,
    /// Whether the request is changed to ask about it.
    pub(crate) conditional: bool,
    /// Whether the response may be stored at all.
    pub(crate) storable: bool,
    /// Held until the outcome is stored, if this is a validation in the background.
    pub(crate) claim: Option<Claim>,
}

impl Forward {
    pub(crate) fn new(key: &[u8], since: Since, fwd: Fwd) -> Self {
        let storable = !matches!(fwd, Fwd::Bypass | Fwd::Method);
        let key = key.into();
        Self { key, since, fwd, selected: None, conditional: false, storable, claim: None }
    }

    /// Asks whether `stored` is still current, if it has anything to ask by.
    pub(crate) fn validating(self, stored: Arc<Stored>) -> Self {
        let conditional = stored.has_validator();
        Self { selected: Some(stored), conditional, ..self }
    }

    pub(crate) fn claiming(self, claim: Claim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    /// The same request, to be forwarded once more without the cache's preconditions.
    pub(crate) fn without_conditions(self) -> Self {
        Self { conditional: false, selected: None, ..self }
    }

    /// Changes the fields of the request that is about to be forwarded: the cache's validators
    /// in place of the client's, where it validates (RFC 9111 §4.3.1).
    ///
    /// A validation in the background is about the whole response, not about what the client
    /// that happened to set it off wanted of it.
    pub fn prepare(&self, fields: &mut Fields) {
        if self.claim.is_some() {
            for name in ["if-none-match", "if-modified-since", "if-range", "range"] {
                fields.remove(name);
            }
        }
        if let Some(stored) = self.selected.as_ref().filter(|_| self.conditional) {
            validation::set_preconditions(fields, stored);
        }
    }

    /// Why it is forwarded.
    #[must_use]
    pub fn fwd(&self) -> Fwd {
        self.fwd
    }

    pub(crate) fn cache_status(&self) -> CacheStatus {
        CacheStatus::forwarded(self.fwd)
    }
}

/// The right to validate a stored response in the background, which one at a time has.
#[derive(Debug)]
pub(crate) struct Claim(Arc<Stored>);

impl Claim {
    pub(crate) fn of(stored: &Arc<Stored>) -> Option<Self> {
        stored.claim().then(|| Self(Arc::clone(stored)))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.release();
    }
}
