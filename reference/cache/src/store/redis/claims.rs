//! One validation in the background at a time, although each request reads a copy of its own.
//!
//! The right to validate lies in the stored response ([`Stored::claim`]). So all who read the same
//! record while anybody still holds what an earlier reader made of it are given that. And who reads
//! what has been superseded since the question was sent is given it without that right: the
//! validation is over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::record::Digest;
use crate::Stored;

/// Above so many URLs those of which nothing is to be known are cleared away before one is added.
const CLEARED_ABOVE: usize = 1024;

/// No answer is on its way for so long.
const OVERTAKEN: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Claims {
    known: Mutex<HashMap<Box<[u8]>, Vec<Known>>>,
}

/// A response that may be validated in the background.
#[derive(Debug)]
struct Known {
    digest: Digest,
    stored: Weak<Stored>,
    superseded: Option<Instant>,
}

impl Known {
    fn matters(&self) -> bool {
        match self.superseded {
            Some(since) => since.elapsed() < OVERTAKEN,
            None => self.stored.strong_count() > 0,
        }
    }
}

impl Claims {
    /// `stored` itself, or the same response as somebody holds it already.
    pub(super) fn shared(&self, key: &[u8], digest: Digest, stored: Stored) -> Arc<Stored> {
        let stored = Arc::new(stored);
        if stored.stale_while_revalidate().is_none() {
            return stored;
        }
        let mut known = self.known();
        if known.len() > CLEARED_ABOVE {
            known.retain(|_, responses| responses.iter().any(Known::matters));
        }
        let responses = known.entry(key.into()).or_default();
        responses.retain(Known::matters);
        match responses.iter().find(|known| known.digest == digest) {
            Some(Known { superseded: Some(_), .. }) => {
                // Never released: it goes with the reader.
                stored.claim();
                stored
            }
            Some(Known { stored: held, .. }) => held.upgrade().unwrap_or(stored),
            None => {
                let held = Arc::downgrade(&stored);
                responses.push(Known { digest, stored: held, superseded: None });
                stored
            }
        }
    }

    /// Another response is about to take its place.
    pub(super) fn superseded(&self, key: &[u8], stored: &Arc<Stored>) {
        if stored.stale_while_revalidate().is_none() {
            return;
        }
        for known in self.known().get_mut(key).into_iter().flatten() {
            if known.stored.as_ptr() == Arc::as_ptr(stored) {
                known.superseded = Some(Instant::now());
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Box<[u8]>, Vec<Known>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
