//! Where responses are held, by key. What may be done with them is decided elsewhere, on what
//! [`Store::load`] found at one moment; the changes that follow are applied here.

mod flights;
mod memory;
mod pattern;
mod removals;
mod shard;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::Stored;
pub(crate) use flights::{Flights, Joined, Landing, Takeoff};
pub use flights::{Turn, Wait};
use memory::Memory;
pub(crate) use pattern::Pattern;
pub use pattern::Purge;
pub(crate) use removals::Since;

/// The bounds of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all stored responses together may take.
    pub capacity: usize,
    /// Bytes of content up to which a response is stored; a larger one streams past.
    pub object: usize,
}

impl Limits {
    /// `capacity` bytes in all, an eighth of it for one object.
    #[must_use]
    pub const fn of_capacity(capacity: usize) -> Self {
        Self { capacity, object: capacity / 8 }
    }
}

impl Default for Limits {
    /// 256 MiB.
    fn default() -> Self {
        Self::of_capacity(256 << 20)
    }
}

/// What a store holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes taken now.
    pub bytes: usize,
    /// Bytes that may be taken.
    pub capacity: usize,
    /// Responses held now, each variant counted.
    pub responses: usize,
    /// Requests answered from the store.
    pub hits: u64,
    /// Requests forwarded.
    pub forwards: u64,
    /// Responses stored.
    pub stored: u64,
    /// Responses that had to make room.
    pub evicted: u64,
    /// Responses removed by unsafe requests.
    pub invalidated: u64,
    /// Responses removed by purges.
    pub purged: u64,
}

/// What a store holds under a key at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// The key's hash, as this store computes it.
    pub(crate) hash: u64,
    /// When that was, in the history of removals.
    pub(crate) since: Since,
    /// Every stored response of the key.
    pub(crate) variants: SmallVec<[Arc<Stored>; 1]>,
}

/// Responses by key, shared by all sites of a proxy, and the requests for more of them that are on
/// their way.
pub struct Store {
    memory: Memory,
    flights: Arc<Flights>,
}

impl Store {
    /// An empty store in memory.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { memory: Memory::new(limits), flights: Arc::default() }
    }

    /// The bounds it was made with.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.memory.limits()
    }

    /// What is held under a key now.
    #[allow(clippy::unused_async, reason = "other stores are asked over a connection")]
    pub(crate) async fn load(&self, key: &[u8]) -> Held {
        self.memory.load(key)
    }

    pub(crate) fn count_hit(&self, held: &Held) {
        self.memory.count_hit(held.hash);
    }

    pub(crate) fn count_forward(&self, held: &Held) {
        self.memory.count_forward(held.hash);
    }

    /// Puts a response under a key, in place of those for which `supersedes` holds. Says whether
    /// it was taken: not if it is too large, nor if the key was removed after `since`.
    pub(crate) fn put(
        &self,
        key: &[u8],
        new: &Arc<Stored>,
        since: Since,
        supersedes: impl Fn(&Stored) -> bool,
    ) -> bool {
        self.memory.put(key, new, since, supersedes)
    }

    /// Puts a response in the place of another of its key, if that is still there.
    pub(crate) fn replace(&self, key: &[u8], old: &Arc<Stored>, new: &Arc<Stored>) {
        self.memory.replace(key, old, new);
    }

    /// Removes one response of a key.
    pub(crate) fn discard(&self, key: &[u8], old: &Arc<Stored>) {
        self.memory.discard(key, old);
    }

    /// Removes every response of a key after an unsafe request; says how many.
    pub(crate) fn invalidate(&self, key: &[u8]) -> usize {
        self.memory.invalidate(key)
    }

    /// Removes what matches a purge; says how many responses that were.
    #[allow(clippy::unused_async, reason = "other stores are asked over a connection")]
    pub(crate) async fn purge(&self, pattern: &Pattern) -> usize {
        self.memory.purge(pattern)
    }

    /// The requests that are on their way.
    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.flights
    }

    /// What the store holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.memory.stats()
    }
}
