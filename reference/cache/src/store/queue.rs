//! A queue whose members know their neighbours, so that one can leave from anywhere at once.

use std::num::NonZeroU32;

use slab::Slab;

/// A member's number. None of them takes no more memory than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(NonZeroU32);

impl Slot {
    /// Of a member by its index in the slab.
    pub(super) fn at(index: usize) -> Self {
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        Self(number.expect("fewer than 2^32 members"))
    }

    /// The index in the slab.
    pub(super) fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Who stands before and after a member.
#[derive(Default)]
pub(super) struct Neighbours {
    before: Option<Slot>,
    after: Option<Slot>,
}

/// What stands in a queue, in one at a time.
pub(super) trait Queued {
    /// How large it is, in bytes.
    fn bytes(&self) -> usize;

    /// For the queue alone.
    fn neighbours(&mut self) -> &mut Neighbours;
}

/// The queue.
#[derive(Default)]
pub(super) struct Queue {
    first: Option<Slot>,
    last: Option<Slot>,
    bytes: usize,
}

impl Queue {
    /// The member that has stood longest.
    pub(super) fn first(&self) -> Option<Slot> {
        self.first
    }

    /// What its members take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A member has grown or shrunk.
    pub(super) fn resized(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes - before + after;
    }

    /// Puts a member, which stands in no queue, at the end.
    pub(super) fn push(&mut self, all: &mut Slab<impl Queued>, slot: Slot) {
        let member = &mut all[slot.index()];
        self.bytes += member.bytes();
        *member.neighbours() = Neighbours { before: self.last, after: None };
        match self.last.replace(slot) {
            Some(last) => all[last.index()].neighbours().after = Some(slot),
            None => self.first = Some(slot),
        }
    }

    /// Lets a member of this queue go.
    pub(super) fn remove(&mut self, all: &mut Slab<impl Queued>, slot: Slot) {
        let member = &mut all[slot.index()];
        self.bytes -= member.bytes();
        let Neighbours { before, after } = std::mem::take(member.neighbours());
        match before {
            Some(before) => all[before.index()].neighbours().after = after,
            None => self.first = after,
        }
        match after {
            Some(after) => all[after.index()].neighbours().before = before,
            None => self.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Member {
        bytes: usize,
        neighbours: Neighbours,
    }

    impl Queued for Member {
        fn bytes(&self) -> usize {
            self.bytes
        }

        fn neighbours(&mut self) -> &mut Neighbours {
            &mut self.neighbours
        }
    }

    proptest! {
        /// Beside a list: members come, and leave from anywhere.
        #[test]
        fn members_leave_in_the_order_in_which_they_came(
            steps in proptest::collection::vec((any::<bool>(), 0..20_usize, 1..9_usize), 0..60),
        ) {
            let (mut all, mut queue, mut list) = (Slab::new(), Queue::default(), Vec::new());
            for (comes, which, bytes) in steps {
                if comes || list.is_empty() {
                    let slot = Slot::at(all.insert(Member { bytes, ..Member::default() }));
                    queue.push(&mut all, slot);
                    list.push((slot, bytes));
                } else {
                    let (slot, _) = list.remove(which % list.len());
                    queue.remove(&mut all, slot);
                    all.remove(slot.index());
                }
                prop_assert_eq!(queue.bytes(), list.iter().map(|(_, bytes)| bytes).sum::<usize>());
                prop_assert_eq!(queue.first(), list.first().map(|&(slot, _)| slot));
            }
            for (slot, _) in list {
                prop_assert_eq!(queue.first(), Some(slot));
                queue.remove(&mut all, slot);
            }
            prop_assert_eq!((queue.first(), queue.bytes()), (None, 0));
        }
    }
}
