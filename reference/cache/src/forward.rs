//! A request on its way to the origin: what has to be remembered until the response is there.

use std::sync::Arc;

use edgeproof_http1::Fields;

use crate::store::{Held, Landing, Takeoff, Turn};
use crate::{CacheStatus, Fwd, Stored, key, partial, sabotage, validation};
use edgeproof_mutant::{self as mutant, Mutant};

/// A request that has to be forwarded. Give it back to [`crate::Cache::received`] with the
/// response, or to [`crate::Cache::failed`] if there is none.
#[derive(Debug)]
pub struct Forward {
    pub(crate) key: Box<[u8]>,
    /// What was stored when it was decided to forward.
    pub(crate) held: Held,
    pub(crate) fwd: Fwd,
    /// The selected stored response, if there is one.
    pub(crate) selected: Option<Arc<Stored>>,
    /// Whether the request is changed to ask about it.
    pub(crate) conditional: bool,
    /// A stored response of which a part is missing, that the request is changed to ask for.
    pub(crate) completing: Option<Arc<Stored>>,
    /// Whether the response may be stored at all.
    pub(crate) storable: bool,
    /// Held until the outcome is stored, if this is a validation in the background.
    pub(crate) claim: Option<Claim>,
    /// Held until the outcome is known, if others wait for it.
    takeoff: Option<Takeoff>,
    /// Whether it has waited for another one, in vain.
    collapsed: Option<bool>,
}

impl Forward {
    pub(crate) fn new(key: &[u8], held: Held, fwd: Fwd) -> Self {
        Self {
            key: key.into(),
            held,
            fwd,
            selected: None,
            conditional: false,
            completing: None,
            storable: true,
            claim: None,
            takeoff: None,
            collapsed: None,
        }
    }

    /// Past the cache: nothing was looked for. Its method alone does not forbid to store.
    pub(crate) fn past(key: &[u8], fwd: Fwd) -> Self {
        Self { storable: fwd == Fwd::Method, ..Self::new(key, Held::default(), fwd) }
    }

    /// After such a turn.
    pub(crate) fn after(self, turn: Turn) -> Self {
        Self { collapsed: turn.waited().map(|_| false), ..self }
    }

    /// As a request for this target: what it brings is stored only if the target is spelled as its key is.
    pub(crate) fn of_target(self, target: &[u8]) -> Self {
        let is_as_keyed = !key::is_respelled(target) || mutant::is(Mutant::StoresRespelled);
        Self { storable: self.storable && is_as_keyed, ..self }
    }

    /// For all who wait.
    pub(crate) fn leading(self, takeoff: Takeoff) -> Self {
        Self { takeoff: Some(takeoff), ..self }
    }

    /// Lets go those who wait for it.
    pub(crate) fn land(mut self, landing: Landing) {
        if let Some(takeoff) = self.takeoff.take() {
            takeoff.land(landing);
        }
    }

    /// The right that it has, for the one who stores what it brings.
    pub(crate) fn take_takeoff(&mut self) -> Option<Takeoff> {
        self.takeoff.take()
    }

    /// Asks whether `stored` is still current, if it has anything to ask by.
    pub(crate) fn validating(self, stored: Arc<Stored>) -> Self {
        let conditional = stored.has_validator();
        Self { selected: Some(stored), conditional, ..self }
    }

    pub(crate) fn claiming(self, claim: Claim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    /// Asks for what is missing of `stored`.
    pub(crate) fn completing(self, stored: Arc<Stored>) -> Self {
        Self { completing: Some(stored), ..self }
    }

    /// The same request, to be forwarded once more as the client made it.
    pub(crate) fn without_conditions(self) -> Self {
        Self { conditional: false, completing: None, ..self }
    }

    /// Changes the fields of the request that is about to be forwarded: the cache's validators
    /// in place of the client's, where it validates (RFC 9111 §4.3.1).
    ///
    /// A validation in the background is about the whole response, not about what the client
    /// that happened to set it off wanted of it.
    pub fn prepare(&self, fields: &mut Fields) {
        if self.claim.is_some() && !mutant::is(Mutant::RefreshesWithClientFields) {
            for name in ["if-none-match", "if-modified-since", "if-range", "range"] {
                fields.remove(name);
            }
        }
        if let Some(stored) = self.selected.as_ref().filter(|_| self.conditional) {
            validation::set_preconditions(fields, stored);
        }
        if let Some(stored) = &self.completing
            && let Some(missing) = partial::missing(stored)
            && let Some(validator) = partial::strong_validator(stored)
        {
            fields.push("Range", format!("bytes={}-{}", missing.start, missing.end - 1));
            fields.push("If-Range", validator);
        }
        sabotage::fields::prepared(fields, self.claim.is_some());
        sabotage::storing::prepared(self.selected.is_some(), fields);
    }

    /// Why it is forwarded.
    #[must_use]
    pub fn fwd(&self) -> Fwd {
        self.fwd
    }

    pub(crate) fn cache_status(&self) -> CacheStatus {
        CacheStatus { collapsed: self.collapsed, ..CacheStatus::forwarded(self.fwd) }
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
