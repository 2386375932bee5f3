//! Where responses are held, by key. What may be done with them is decided elsewhere, on what
//! [`Store::load`] found at one moment; the changes that follow are applied here.

mod flights;
mod memory;
mod pattern;
mod queue;
mod redis;
mod removals;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::Stored;
pub(crate) use flights::{Failure, Flights, Joined, Landing, Takeoff};
pub use flights::{Turn, Wait};
use memory::Memory;
pub(crate) use pattern::Pattern;
pub use pattern::Purge;
use redis::Redis;
pub use redis::{PurgeOwed, RedisAddressError, RedisSettings, RedisStats, Warn};

/// The responses of one URL at most; the oldest leave first.
const MOST_VARIANTS: usize = 128;

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

/// What a store holds and has done. What a Redis holds, it says itself: 0 here.
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
    /// How the Redis does, if it is one.
    pub redis: Option<RedisStats>,
}

/// A moment in a store's history of removals.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since {
    Memory(removals::Since),
    Redis(redis::Since),
}

impl Default for Since {
    fn default() -> Self {
        Self::Memory(removals::Since::default())
    }
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

impl Held {
    /// The latest of those that say by what they vary.
    pub(crate) fn varying(&self) -> Option<&Arc<Stored>> {
        let varying = self.variants.iter().filter(|stored| !stored.selecting().is_empty());
        varying.max_by_key(|stored| stored.recency())
    }
}

/// Responses by key, shared by all sites of a proxy, and the requests for more of them that are on
/// their way.
pub struct Store {
    kind: Kind,
    hasher: RandomState,
    flights: Arc<Flights>,
}

enum Kind {
    Memory(Memory),
    Redis(Redis),
}

impl Store {
    /// An empty store in memory.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::of(Kind::Memory(Memory::new(limits)))
    }

    /// The store in a Redis. One that does not answer is no error: it is waited for while the
    /// proxy does without it. `warn` is told, once each, when it goes and when it is back.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn redis(settings: &RedisSettings, warn: Warn) -> std::io::Result<Self> {
        Ok(Self::of(Kind::Redis(Redis::start(settings, warn)?)))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, hasher: RandomState::new(), flights: Arc::default() }
    }

    /// The bounds it was made with; of a Redis only that for one object.
    #[must_use]
    pub fn limits(&self) -> Limits {
        match &self.kind {
            Kind::Memory(memory) => memory.limits(),
            Kind::Redis(redis) => Limits { capacity: usize::MAX, object: redis.most_content() },
        }
    }

    /// What is held under a key now.
    pub(crate) async fn load(&self, key: &[u8]) -> Held {
        match &self.kind {
            Kind::Memory(memory) => memory.load(key),
            Kind::Redis(redis) => {
                let loaded = redis.load(key).await;
                let since = Since::Redis(loaded.since);
                Held { hash: self.hasher.hash_one(key), since, variants: loaded.variants }
            }
        }
    }

    pub(crate) fn count_hit(&self, held: &Held) {
        match &self.kind {
            Kind::Memory(memory) => memory.count_hit(held.hash),
            Kind::Redis(redis) => redis.count_hit(),
        }
    }

    pub(crate) fn count_forward(&self, held: &Held) {
        match &self.kind {
            Kind::Memory(memory) => memory.count_forward(held.hash),
            Kind::Redis(redis) => redis.count_forward(),
        }
    }

    /// Puts a response under a key, in place of those for which `supersedes` holds. Says whether
    /// it was taken: not if it is too large, if the key was removed after it was `held`, or if a more recent
    /// one has come since. A Redis decides the latter two by itself, later.
    pub(crate) fn put(
        &self,
        key: &[u8],
        new: &Arc<Stored>,
        held: &Held,
        supersedes: impl Fn(&Stored) -> bool,
    ) -> bool {
        match (&self.kind, held.since) {
            (Kind::Memory(memory), Since::Memory(since)) => {
                memory.put(key, new, &held.variants, since, supersedes)
            }
            (Kind::Redis(redis), Since::Redis(since)) => {
                redis.put(key, new, &held.variants, since, supersedes)
            }
            // Held by another store.
            _ => false,
        }
    }

    /// Puts a response in the place of another of its key, if that is still there.
    pub(crate) fn replace(&self, key: &[u8], old: &Arc<Stored>, new: &Arc<Stored>) {
        match &self.kind {
            Kind::Memory(memory) => memory.replace(key, old, new),
            Kind::Redis(redis) => redis.replace(key, old, new),
        }
    }

    /// Removes one response of a key.
    pub(crate) fn discard(&self, key: &[u8], old: &Arc<Stored>) {
        match &self.kind {
            Kind::Memory(memory) => memory.discard(key, old),
            Kind::Redis(redis) => redis.discard(key, old),
        }
    }

    /// Removes every response of a key after an unsafe request.
    pub(crate) fn invalidate(&self, key: &[u8]) {
        match &self.kind {
            Kind::Memory(memory) => memory.invalidate(key),
            Kind::Redis(redis) => redis.invalidate(key),
        }
    }

    /// Now, in the history of removals; `None` where that takes asking.
    pub(crate) fn since(&self, key: &[u8]) -> Option<Since> {
        match &self.kind {
            Kind::Memory(memory) => Some(Since::Memory(memory.since(key))),
            Kind::Redis(_) => None,
        }
    }

    /// Removes what matches a purge; says how many responses that were.
    pub(crate) async fn purge(&self, pattern: &Pattern) -> Result<usize, PurgeOwed> {
        match &self.kind {
            Kind::Memory(memory) => Ok(memory.purge(pattern)),
            Kind::Redis(redis) => redis.purge(pattern).await,
        }
    }

    /// The requests that are on their way.
    pub(crate) fn flights(&self) -> &Arc<Flights> {
        &self.flights
    }

    /// What the store holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        match &self.kind {
            Kind::Memory(memory) => memory.stats(),
            Kind::Redis(redis) => redis.stats(),
        }
    }
}
