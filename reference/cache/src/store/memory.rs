//! The store in memory: bounded by bytes, in shards, so that a hit takes no global lock.
//!
//! A hit holds its shard's lock for reading, clones one `Arc` and raises one small counter; no
//! queue moves. What has to go when the bytes are used up is decided by S3-FIFO: a small queue
//! sieves out what is asked for once only, so that a crawler's walk over a whole site does not
//! push out its front page. (SIEVE is simpler and as good on skewed loads, but lets one scan
//! empty the cache.) Shards share one budget of bytes, so that an object may be larger than a
//! shard's part of it; a small store has one shard and evicts in S3-FIFO's exact order.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use smallvec::SmallVec;

use super::MOST_VARIANTS;
use super::pattern::Pattern;
use super::removals::{Removals, Since};
use super::shard::{Shard, Variants, entry_bytes};
use super::{Held, Limits, Stats};
use crate::Stored;
use edgeproof_mutant::{self as mutant, Mutant};

/// Responses by key.
pub(super) struct Memory {
    limits: Limits,
    hasher: RandomState,
    shards: Box<[Locked]>,
    used: AtomicUsize,
    hand: AtomicUsize,
}

#[derive(Default)]
struct Locked {
    shard: RwLock<Guarded>,
    hits: AtomicU64,
    forwards: AtomicU64,
    stored: AtomicU64,
    evicted: AtomicU64,
    invalidated: AtomicU64,
    purged: AtomicU64,
    responses: AtomicUsize,
}

#[derive(Default)]
struct Guarded {
    shard: Shard,
    removals: Removals,
}

impl Locked {
    fn read(&self) -> RwLockReadGuard<'_, Guarded> {
        self.shard.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Guarded> {
        self.shard.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// An empty store.
    pub(super) fn new(limits: Limits) -> Self {
        const SHARD: usize = 8 << 20;
        let shards = (limits.capacity / SHARD).clamp(1, 32).next_power_of_two();
        Self {
            limits,
            hasher: RandomState::new(),
            shards: (0..shards).map(|_| Locked::default()).collect(),
            used: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
        }
    }

    /// The bounds it was made with.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    fn locate(&self, key: &[u8]) -> (u64, &Locked) {
        let hash = self.hasher.hash_one(key);
        (hash, self.shard(hash))
    }

    fn shard(&self, hash: u64) -> &Locked {
        // The table uses the hash's lowest and highest bits; the shard is chosen by middle ones.
        &self.shards[(hash >> 24) as usize & (self.shards.len() - 1)]
    }

    /// What is held under a key now.
    pub(super) fn load(&self, key: &[u8]) -> Held {
        let (hash, locked) = self.locate(key);
        let guard = locked.read();
        let variants = guard.shard.read(hash, key).map_or_else(SmallVec::new, SmallVec::from);
        let since = super::Since::Memory(guard.removals.now());
        Held { hash, since, variants }
    }

    /// Now, in the history of the key's shard.
    pub(super) fn since(&self, key: &[u8]) -> Since {
        self.locate(key).1.read().removals.now()
    }

    pub(super) fn count_hit(&self, hash: u64) {
        self.shard(hash).hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_forward(&self, hash: u64) {
        self.shard(hash).forwards.fetch_add(1, Ordering::Relaxed);
    }

    /// Puts a response under a key, in place of those for which `supersedes` holds. Says whether
    /// it was taken: not if it is too large, nor if the key was removed after `since`, nor in place of a more
    /// recent one that was not `held` then (RFC 9111 §4).
    pub(super) fn put(
        &self,
        key: &[u8],
        new: &Arc<Stored>,
        held: &[Arc<Stored>],
        since: Since,
        supersedes: impl Fn(&Stored) -> bool,
    ) -> bool {
        if new.content().stored_length() > self.limits.object {
            return false;
        }
        let is_later = |stored: &Arc<Stored>| {
            supersedes(stored)
                && stored.recency() > new.recency()
                && !held.iter().any(|known| Arc::ptr_eq(known, stored))
        };
        let mut is_late = false;
        let put =
            self.change(key, entry_bytes(key, std::slice::from_ref(new)), Some(since), |all| {
                is_late = all.iter().any(is_later) && !mutant::is(Mutant::TakesLateResponses);
                if is_late {
                    return;
                }
                all.retain(|stored| !supersedes(stored));
                if all.len() == MOST_VARIANTS
                    && let Some(oldest) = (0..all.len()).min_by_key(|&at| all[at].recency())
                {
                    all.remove(oldest);
                }
                all.push(Arc::clone(new));
            });
        let put = put && !is_late;
        if put {
            self.locate(key).1.stored.fetch_add(1, Ordering::Relaxed);
        }
        put
    }

    /// Puts a response in the place of another of its key, if that is still there.
    pub(super) fn replace(&self, key: &[u8], old: &Arc<Stored>, new: &Arc<Stored>) {
        let grown = new.size().saturating_sub(old.size());
        self.change(key, grown, None, |all| {
            for stored in all.iter_mut().filter(|stored| Arc::ptr_eq(stored, old)) {
                *stored = Arc::clone(new);
            }
        });
    }

    /// Removes one response of a key.
    pub(super) fn discard(&self, key: &[u8], old: &Arc<Stored>) {
        self.change(key, 0, None, |all| all.retain(|stored| !Arc::ptr_eq(stored, old)));
    }

    /// Changes a key's responses, which grow by `more` bytes at most: these are reserved beforehand, and what is not
    /// needed of them or becomes free is given back. The bound holds at every moment.
    fn change(
        &self,
        key: &[u8],
        more: usize,
        since: Option<Since>,
        change: impl FnOnce(&mut Variants),
    ) -> bool {
        if !self.reserve(more) {
            return false;
        }
        let (hash, locked) = self.locate(key);
        let mut guard = locked.write();
        if since.is_some_and(|since| guard.removals.has(since, hash)) {
            drop(guard);
            self.used.fetch_sub(more, Ordering::AcqRel);
            return false;
        }
        let mut counts = (0, 0);
        let done = guard.shard.change(hash, key, |all| {
            counts.0 = all.len();
            change(all);
            counts.1 = all.len();
        });
        drop(guard);
        // `used` had `before` and `more` in it.
        self.used.fetch_sub(done.before + more - done.after, Ordering::AcqRel);
        // The counter wraps where there are fewer than before.
        locked.responses.fetch_add(counts.1.wrapping_sub(counts.0), Ordering::Relaxed);
        true
    }

    /// Takes `more` bytes out of the budget, evicting until they are there.
    fn reserve(&self, more: usize) -> bool {
        if more > self.limits.capacity {
            return false;
        }
        loop {
            let used = self.used.load(Ordering::Acquire);
            if used + more <= self.limits.capacity {
                let taken = self.used.compare_exchange_weak(
                    used,
                    used + more,
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                );
                if taken.is_ok() {
                    return true;
                }
            } else if !self.evict() {
                return false;
            }
        }
    }

    /// Evicts one key, from the next shard in turn that has any.
    fn evict(&self) -> bool {
        for _ in 0..self.shards.len() {
            let turn = self.hand.fetch_add(1, Ordering::Relaxed);
            let locked = &self.shards[turn & (self.shards.len() - 1)];
            let evicted = locked.write().shard.evict();
            if let Some((responses, bytes)) = evicted {
                self.used.fetch_sub(bytes, Ordering::AcqRel);
                locked.responses.fetch_sub(responses, Ordering::Relaxed);
                locked.evicted.fetch_add(responses as u64, Ordering::Relaxed);
                return true;
            }
        }
        false
    }

    /// Removes every response of a key after an unsafe request.
    pub(super) fn invalidate(&self, key: &[u8]) {
        let count = self.remove_key(key);
        self.locate(key).1.invalidated.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn remove_key(&self, key: &[u8]) -> usize {
        let (hash, locked) = self.locate(key);
        let mut count = 0;
        let mut guard = locked.write();
        guard.removals.add(Some(hash));
        let done = guard.shard.change(hash, key, |all| {
            count = all.len();
            all.clear();
        });
        drop(guard);
        self.used.fetch_sub(done.before, Ordering::AcqRel);
        locked.responses.fetch_sub(count, Ordering::Relaxed);
        count
    }

    /// Removes what matches a purge; says how many responses that were.
    pub(super) fn purge(&self, pattern: &Pattern) -> usize {
        if mutant::is(Mutant::PurgesNothing) {
            return 1;
        }
        if let Some(key) = pattern.exact() {
            let count = self.remove_key(key);
            self.locate(key).1.purged.fetch_add(count as u64, Ordering::Relaxed);
            return count;
        }
        let removed = self.shards.iter().map(|locked| {
            let mut guard = locked.write();
            guard.removals.add(None);
            let (count, bytes) = guard.shard.remove_matching(|key| pattern.matches(key));
            drop(guard);
            self.used.fetch_sub(bytes, Ordering::AcqRel);
            locked.responses.fetch_sub(count, Ordering::Relaxed);
            locked.purged.fetch_add(count as u64, Ordering::Relaxed);
            count
        });
        removed.sum()
    }

    /// What the store holds and has done so far.
    pub(super) fn stats(&self) -> Stats {
        let sum = |counter: fn(&Locked) -> &AtomicU64| -> u64 {
            self.shards.iter().map(|locked| counter(locked).load(Ordering::Relaxed)).sum()
        };
        Stats {
            bytes: self.used.load(Ordering::Acquire),
            capacity: self.limits.capacity,
            responses: self.shards.iter().map(|l| l.responses.load(Ordering::Relaxed)).sum(),
            hits: sum(|locked| &locked.hits),
            forwards: sum(|locked| &locked.forwards),
            stored: sum(|locked| &locked.stored),
            evicted: sum(|locked| &locked.evicted),
            invalidated: sum(|locked| &locked.invalidated),
            purged: sum(|locked| &locked.purged),
            redis: None,
        }
    }
}
