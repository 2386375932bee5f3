//! What outlives a transaction: IP, GLOBAL, SESSION, USER and RESOURCE, each a set of variables
//! under a key that a rule chooses (initcol, setsid, setuid, setrsc).
//!
//! A transaction gets a copy and gives its changes back at its end. Relative changes are added to
//! what is there by then, so that transactions side by side lose no count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::held::Held;
use crate::variable::Variable;

/// The store. It is in memory and bounded; nothing in it is older than its time limit
/// (SecCollectionTimeout).
#[derive(Debug)]
pub struct Collections {
    most: usize,
    stored: Mutex<HashMap<Key, Stored>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    variable: Variable,
    key: Box<[u8]>,
}

/// A collection at rest. All times are in seconds since 1970-01-01.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) variables: Vec<StoredVariable>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) updates: u64,
    pub(super) expires: i64,
}

#[derive(Clone, Debug)]
pub(super) struct StoredVariable {
    pub(super) name: Box<[u8]>,
    pub(super) value: Vec<u8>,
    pub(super) expires: Option<i64>,
}

/// How many variables a collection may have.
const VARIABLES: usize = 1000;

impl Default for Collections {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl Collections {
    /// A store of `most` collections at most; beyond that those updated longest ago go first.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), stored: Mutex::default() }
    }

    /// The number of collections in the store, those out of time included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of a collection for a transaction, or a new one.
    pub(super) fn hold(&self, variable: Variable, key: &[u8], now: i64, timeout: u64) -> Held {
        let stored = self.lock().get(&Key { variable, key: key.into() }).cloned();
        match stored.filter(|stored| stored.expires > now) {
            Some(stored) => Held::stored(variable, key, stored, now, timeout),
            None => Held::fresh(variable, key, now, timeout),
        }
    }

    /// Takes back what a transaction held, if it changed anything.
    pub(super) fn give_back(&self, held: &Held, now: i64) {
        if !held.is_changed() {
            return;
        }
        let key = Key { variable: held.variable(), key: held.key().into() };
        let mut all = self.lock();
        if !all.contains_key(&key) && all.len() >= self.most {
            make_room(&mut all, self.most, now);
        }
        let live = all.get(&key).filter(|stored| stored.expires > now).cloned();
        let mut stored = live.unwrap_or_else(|| Stored::new(now));
        held.merge_into(&mut stored, now);
        stored.variables.truncate(VARIABLES);
        all.insert(key, stored);
    }

    /// A panic while it was locked leaves a map that is whole: each change to it is one insertion.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Stored>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn new(now: i64) -> Self {
        Self { variables: Vec::new(), created: now, updated: now, updates: 0, expires: i64::MAX }
    }
}

/// Drops what is out of time; where that is nothing, the sixteenth part that was updated longest
/// ago, so that the search is made once in many times.
fn make_room(all: &mut HashMap<Key, Stored>, most: usize, now: i64) {
    all.retain(|_, stored| stored.expires > now);
    if all.len() < most {
        return;
    }
    let mut updated: Vec<_> = all.values().map(|stored| stored.updated).collect();
    let (_, &mut limit, _) = updated.select_nth_unstable(most / 16);
    let mut excess = all.len() - most + 1 + most / 16;
    all.retain(|_, stored| {
        let goes = excess > 0 && stored.updated <= limit;
        excess -= usize::from(goes);
        !goes
    });
}
