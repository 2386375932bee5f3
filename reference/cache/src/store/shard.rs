//! One shard of the store: a table of keys, and S3-FIFO queues that say what goes first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use hashbrown::HashTable;
use smallvec::SmallVec;

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
    /// Tells this entry's place in a queue from one that an earlier entry left behind, which is
    /// cleared away long before the numbers begin anew.
    serial: u32,
}

/// An entry's place in a queue.
type Place = (u32, u32);

#[derive(Default)]
pub(super) struct Shard {
    table: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    serial: u32,
    small: VecDeque<Place>,
    main: VecDeque<Place>,
    small_bytes: usize,
    main_bytes: usize,
    ghosts: Ghosts,
}

/// The variants that one key has after a change, and what the change did to the bytes.
pub(super) struct Change {
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Shard {
    fn slot(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.table
            .find(hash, |&slot| {
                self.slots[slot as usize].as_ref().is_some_and(|entry| *entry.key == *key)
            })
            .copied()
    }

    /// The key's responses; the entry counts as used.
    pub(super) fn read(&self, hash: u64, key: &[u8]) -> Option<&[Arc<Stored>]> {
        let entry = self.slots[self.slot(hash, key)? as usize].as_ref()?;
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
        let Some(entry) = &mut self.slots[slot as usize] else {
            return Change { before: 0, after: 0 };
        };
        let before = entry.bytes;
        change(&mut entry.variants);
        if entry.variants.is_empty() {
            self.take(slot);
            return Change { before, after: 0 };
        }
        entry.bytes = entry_bytes(key, &entry.variants);
        let after = entry.bytes;
        let queue = if entry.in_main { &mut self.main_bytes } else { &mut self.small_bytes };
        *queue = *queue - before + after;
        Change { before, after }
    }

    fn add(&mut self, hash: u64, key: &[u8], variants: Variants) -> usize {
        let bytes = entry_bytes(key, &variants);
        let in_main = self.ghosts.remove(hash);
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let uses = AtomicU8::new(0);
        let entry = Entry { key: key.into(), hash, variants, bytes, uses, in_main, serial };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 keys in a shard")
            }
        };
        self.slots[slot as usize] = Some(entry);
        let slots = &self.slots;
        self.table.insert_unique(hash, slot, |&slot| {
            slots[slot as usize].as_ref().map_or(0, |entry| entry.hash)
        });
        self.enqueue(in_main, (slot, serial), bytes);
        bytes
    }

    fn enqueue(&mut self, in_main: bool, place: Place, bytes: usize) {
        let (queue, total) = if in_main {
            (&mut self.main, &mut self.main_bytes)
        } else {
            (&mut self.small, &mut self.small_bytes)
        };
        *total += bytes;
        queue.push_back(place);
        // Entries that were purged left their places; they are cleared away in time.
        if queue.len() > 64 && queue.len() > 2 * self.table.len() {
            let slots = &self.slots;
            queue.retain(|&(slot, serial)| {
                slots[slot as usize]
                    .as_ref()
                    .is_some_and(|entry| entry.serial == serial && entry.in_main == in_main)
            });
        }
    }

    /// Takes an entry out of everything but the queue, where its place has lost its meaning.
    fn take(&mut self, slot: u32) -> Option<Entry> {
        let entry = self.slots[slot as usize].take()?;
        if let Ok(found) = self.table.find_entry(entry.hash, |&other| other == slot) {
            found.remove();
        }
        self.free.push(slot);
        let queue = if entry.in_main { &mut self.main_bytes } else { &mut self.small_bytes };
        *queue -= entry.bytes;
        Some(entry)
    }

    /// Evicts one entry by S3-FIFO; says how many responses and bytes went.
    ///
    /// New entries stand in the small queue. One that reaches its end without having been used
    /// leaves, and only its hash is remembered; one that was used moves to the main queue, where
    /// each use is worth another round.
    pub(super) fn evict(&mut self) -> Option<(usize, usize)> {
        loop {
            let total = self.small_bytes + self.main_bytes;
            let from_small = !self.small.is_empty()
                && (self.main.is_empty() || self.small_bytes * 100 > total * SMALL_SHARE);
            let queue = if from_small { &mut self.small } else { &mut self.main };
            let place = queue.pop_front()?;
            let (slot, serial) = place;
            let Some(entry) = &mut self.slots[slot as usize] else { continue };
            if entry.serial != serial || entry.in_main == from_small {
                continue;
            }
            let (uses, bytes) = (*entry.uses.get_mut(), entry.bytes);
            if uses > 0 {
                *entry.uses.get_mut() = if from_small { 0 } else { uses - 1 };
                entry.in_main = true;
                let left = if from_small { &mut self.small_bytes } else { &mut self.main_bytes };
                *left -= bytes;
                self.enqueue(true, place, bytes);
                continue;
            }
            let entry = self.take(slot)?;
            if from_small {
                self.ghosts.add(entry.hash, self.table.len());
            }
            return Some((entry.variants.len(), bytes));
        }
    }

    /// Removes all entries whose key matches; says how many responses and bytes went.
    pub(super) fn remove_matching(&mut self, matches: impl Fn(&[u8]) -> bool) -> (usize, usize) {
        let slots: Vec<u32> = self
            .table
            .iter()
            .copied()
            .filter(|&slot| {
                self.slots[slot as usize].as_ref().is_some_and(|entry| matches(&entry.key))
            })
            .collect();
        slots
            .into_iter()
            .filter_map(|slot| self.take(slot))
            .fold((0, 0), |(count, bytes), entry| {
                (count + entry.variants.len(), bytes + entry.bytes)
            })
    }

    /// The number of responses whose key matches.
    pub(super) fn count(&self, matches: impl Fn(&[u8]) -> bool) -> usize {
        let entries = self.slots.iter().flatten();
        entries.filter(|entry| matches(&entry.key)).map(|entry| entry.variants.len()).sum()
    }
}

/// The bytes that a key with these responses takes.
pub(super) fn entry_bytes(key: &[u8], variants: &[Arc<Stored>]) -> usize {
    // The entry, its place in the table and in a queue, the reference counts.
    const OVERHEAD: usize = size_of::<Entry>() + 64;
    OVERHEAD + key.len() + variants.iter().map(|stored| stored.size()).sum::<usize>()
}

/// The hashes of keys that left the small queue unused: one that comes again goes to the main
/// queue at once.
#[derive(Default)]
struct Ghosts {
    order: VecDeque<(u64, u64)>,
    serials: HashMap<u64, u64>,
    serial: u64,
}

impl Ghosts {
    /// Remembers a hash, and as many as there are entries (but some in any case).
    fn add(&mut self, hash: u64, entries: usize) {
        self.serial += 1;
        self.serials.insert(hash, self.serial);
        self.order.push_back((hash, self.serial));
        while self.order.len() > entries.max(64) {
            let Some((oldest, serial)) = self.order.pop_front() else { break };
            if self.serials.get(&oldest) == Some(&serial) {
                self.serials.remove(&oldest);
            }
        }
    }

    fn remove(&mut self, hash: u64) -> bool {
        self.serials.remove(&hash).is_some()
    }
}
