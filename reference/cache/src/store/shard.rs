//! One shard of the store: a table of keys, and S3-FIFO queues that say what goes first.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hashbrown::HashTable;
use slab::Slab;
use smallvec::SmallVec;

use super::queue::{Neighbours, Queue, Queued, Slot};
use crate::Stored;

/// How often an entry counts as used at most.
const MOST_USES: u8 = 3;

/// The part of the bytes that is for entries not yet used again, in percent.
const SMALL_SHARE: usize = 10;

/// Most keys have one response, which then needs no memory of its own to be listed in.
pub(super) type Variants = SmallVec<[Arc<Stored>; 1]>;

/// All stored responses of one key.
struct Entry {
    key: Box<[u8]>,
    hash: u64,
    variants: Variants,
    bytes: usize,
    uses: AtomicU8,
    in_main: bool,
    neighbours: Neighbours,
}

impl Queued for Entry {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn neighbours(&mut self) -> &mut Neighbours {
        &mut self.neighbours
    }
}

#[derive(Default)]
pub(super) struct Shard {
    table: HashTable<Slot>,
    entries: Slab<Entry>,
    queues: Queues,
    ghosts: Ghosts,
}

#[derive(Default)]
struct Queues {
    small: Queue,
    main: Queue,
}

impl Queues {
    fn of(&mut self, entry: &Entry) -> &mut Queue {
        if entry.in_main { &mut self.main } else { &mut self.small }
    }

    /// The entry whose turn it is.
    fn first(&self) -> Option<Slot> {
        let total = self.small.bytes() + self.main.bytes();
        let from_small = self.small.bytes() * 100 > total * SMALL_SHARE;
        let (one, other) =
            if from_small { (&self.small, &self.main) } else { (&self.main, &self.small) };
        one.first().or(other.first())
    }
}

/// The variants that one key has after a change, and what the change did to the bytes.
pub(super) struct Change {
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Shard {
    fn slot(&self, hash: u64, key: &[u8]) -> Option<Slot> {
        self.table.find(hash, |slot| *self.entries[slot.index()].key == *key).copied()
    }

    /// The key's responses; the entry counts as used.
    pub(super) fn read(&self, hash: u64, key: &[u8]) -> Option<&[Arc<Stored>]> {
        let entry = &self.entries[self.slot(hash, key)?.index()];
        let uses = entry.uses.load(Ordering::Relaxed);
        if uses < MOST_USES {
            // Two at once may count as one: the figure is a hint.
            entry.uses.store(uses + 1, Ordering::Relaxed);
        }
        Some(&entry.variants)
    }

    /// Changes the responses of a key, which may be none before and after.
    pub(super) fn change(
        &mut self,
        hash: u64,
        key: &[u8],
        change: impl FnOnce(&mut Variants),
    ) -> Change {
        let Some(slot) = self.slot(hash, key) else {
            let mut variants = Variants::new();
            change(&mut variants);
            let after = if variants.is_empty() { 0 } else { self.add(hash, key, variants) };
            return Change { before: 0, after };
        };
        let entry = &mut self.entries[slot.index()];
        let before = entry.bytes;
        change(&mut entry.variants);
        if entry.variants.is_empty() {
            self.take(slot);
            return Change { before, after: 0 };
        }
        entry.bytes = entry_bytes(key, &entry.variants);
        let after = entry.bytes;
        self.queues.of(entry).resized(before, after);
        Change { before, after }
    }

    fn add(&mut self, hash: u64, key: &[u8], variants: Variants) -> usize {
        let bytes = entry_bytes(key, &variants);
        let slot = Slot::at(self.entries.insert(Entry {
            key: key.into(),
            hash,
            variants,
            bytes,
            uses: AtomicU8::new(0),
            in_main: self.ghosts.remove(hash),
            neighbours: Neighbours::default(),
        }));
        let entries = &self.entries;
        self.table.insert_unique(hash, slot, |slot| entries[slot.index()].hash);
        self.enqueue(slot);
        bytes
    }

    fn enqueue(&mut self, slot: Slot) {
        self.queues.of(&self.entries[slot.index()]).push(&mut self.entries, slot);
    }

    fn dequeue(&mut self, slot: Slot) {
        self.queues.of(&self.entries[slot.index()]).remove(&mut self.entries, slot);
    }

    /// Takes an entry out of everything.
    fn take(&mut self, slot: Slot) -> Entry {
        self.dequeue(slot);
        let entry = self.entries.remove(slot.index());
        if let Ok(found) = self.table.find_entry(entry.hash, |&other| other == slot) {
            found.remove();
        }
        entry
    }

    /// Evicts one entry by S3-FIFO; says how many responses and bytes went.
    ///
    /// New entries stand in the small queue. One that reaches its end without having been used
    /// leaves, and only its hash is remembered; one that was used moves to the main queue, where
    /// each use is worth another round.
    pub(super) fn evict(&mut self) -> Option<(usize, usize)> {
        loop {
            let slot = self.queues.first()?;
            let entry = &mut self.entries[slot.index()];
            let uses = *entry.uses.get_mut();
            if uses == 0 {
                let entry = self.take(slot);
                if !entry.in_main {
                    self.ghosts.add(entry.hash, self.table.len());
                }
                return Some((entry.variants.len(), entry.bytes));
            }
            let left = if entry.in_main { uses - 1 } else { 0 };
            *entry.uses.get_mut() = left;
            self.dequeue(slot);
            self.entries[slot.index()].in_main = true;
            self.enqueue(slot);
        }
    }

    /// Removes all entries whose key matches; says how many responses and bytes went.
    pub(super) fn remove_matching(&mut self, matches: impl Fn(&[u8]) -> bool) -> (usize, usize) {
        let all = self.entries.iter();
        let matching = all.filter(|(_, entry)| matches(&entry.key));
        let slots: Vec<_> = matching.map(|(index, _)| Slot::at(index)).collect();
        slots.into_iter().map(|slot| self.take(slot)).fold((0, 0), |(count, bytes), entry| {
            (count + entry.variants.len(), bytes + entry.bytes)
        })
    }
}

/// The bytes that a key with these responses takes.
pub(super) fn entry_bytes(key: &[u8], variants: &[Arc<Stored>]) -> usize {
    // The entry, its place in the table, the reference counts.
    const OVERHEAD: usize = size_of::<Entry>() + 56;
    OVERHEAD + key.len() + variants.iter().map(|stored| stored.size()).sum::<usize>()
}

/// The hashes of keys that left the small queue unused: one that comes again goes to the main
/// queue at once.
#[derive(Default)]
struct Ghosts {
    order: VecDeque<u64>,
    known: HashSet<u64>,
}

impl Ghosts {
    /// Remembers a hash, and as many as there are entries (but some in any case). One that came
    /// back and left again is forgotten when its first time would have been.
    fn add(&mut self, hash: u64, entries: usize) {
        self.known.insert(hash);
        self.order.push_back(hash);
        while self.order.len() > entries.max(64)
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn remove(&mut self, hash: u64) -> bool {
        self.known.remove(&hash)
    }
}
