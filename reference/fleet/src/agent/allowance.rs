//! How often something is said that anybody may cause, so that nobody fills a log or a server's disk through agents.

use std::time::{Duration, Instant};

/// So often it is said within [`WHILE`].
pub(super) const MOST: u32 = 20;
pub(super) const WHILE: Duration = Duration::from_secs(60);

/// What was said, and what was not.
#[derive(Debug)]
pub(super) struct Allowance {
    since: Instant,
    said: u32,
    kept_back: u64,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, said: 0, kept_back: 0 }
    }

    /// Whether it may be said now, and how often it was not since it was said last.
    pub(super) fn take(&mut self, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.since) >= WHILE {
            (self.since, self.said) = (now, 0);
        }
        if self.said == MOST {
            self.kept_back += 1;
            return None;
        }
        self.said += 1;
        Some(std::mem::take(&mut self.kept_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_often_and_no_more() {
        let now = Instant::now();
        let mut allowance = Allowance::new(now);
        let said = |allowance: &mut Allowance, now| {
            (0..100).filter(|_| allowance.take(now).is_some()).count()
        };
        assert_eq!(said(&mut allowance, now), MOST as usize);
        assert_eq!(allowance.take(now + WHILE / 2), None);
        assert_eq!(allowance.take(now + WHILE), Some(101 - u64::from(MOST)));
        assert_eq!(said(&mut allowance, now + WHILE), MOST as usize - 1);
    }
}
