//! One validation in the background at a time, although each request reads a copy of its own.
//!
//! The right to validate lies in the stored response ([`Stored::claim`]). So all who read the same
//! record while anybody still holds what an earlier reader made of it are given that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::record::Digest;
use crate::Stored;

/// Above so many entries those that nobody holds are cleared away before one is added.
const CLEARED_ABOVE: usize = 1024;

/// A URL and one of its responses.
type Name = (Box<[u8]>, Digest);

#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Mutex<HashMap<Name, Weak<Stored>>>,
}

impl Claims {
    /// `stored` itself, or the same response as somebody holds it already.
    pub(super) fn shared(&self, key: &[u8], digest: Digest, stored: Stored) -> Arc<Stored> {
        let stored = Arc::new(stored);
        if stored.stale_while_revalidate().is_none() {
            return stored;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() > CLEARED_ABOVE {
            held.retain(|_, stored| stored.strong_count() > 0);
        }
        let place = held.entry((key.into(), digest)).or_default();
        place.upgrade().unwrap_or_else(|| {
            *place = Arc::downgrade(&stored);
            stored
        })
    }
}
