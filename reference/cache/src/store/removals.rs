//! What was removed lately: a response that was asked for before an invalidation or a purge, and
//! arrives after it, shows the state from before and is not stored.

use std::collections::VecDeque;

/// Removals remembered for the responses that are on their way meanwhile.
const REMOVALS_KEPT: usize = 1024;

/// A place in a shard's history.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Since(u64);

/// The latest removals of a shard, by hash; `None` is a purge of many.
#[derive(Default)]
pub(super) struct Removals {
    count: u64,
    latest: VecDeque<Option<u64>>,
}

impl Removals {
    /// Now, in this history.
    pub(super) fn now(&self) -> Since {
        Since(self.count)
    }

    /// Notes a removal.
    pub(super) fn add(&mut self, hash: Option<u64>) {
        self.count += 1;
        self.latest.push_back(hash);
        if self.latest.len() > REMOVALS_KEPT {
            self.latest.pop_front();
        }
    }

    /// Whether a key of this hash may have been removed after `since`. What is no longer
    /// remembered counts as removed.
    pub(super) fn has(&self, since: Since, hash: u64) -> bool {
        let new = usize::try_from(self.count - since.0).unwrap_or(usize::MAX);
        new > self.latest.len()
            || self.latest.iter().rev().take(new).any(|removed| removed.is_none_or(|r| r == hash))
    }
}
