//! What the log says of a Redis that is in trouble: one line when it goes, one when it is back.

use std::time::{Duration, Instant};

/// A trouble that begins as soon after the last one's line is not told, unless it lasts.
pub(super) const QUIET: Duration = Duration::from_secs(10);

/// A trouble that comes and goes.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<Instant>,
    told: bool,
    quiet_until: Option<Instant>,
}

impl Trouble {
    /// It is there, now. Says whether that is to be told.
    pub(super) fn is_there(&mut self, now: Instant) -> bool {
        self.since.get_or_insert(now);
        if self.told || self.quiet_until.is_some_and(|until| now < until) {
            return false;
        }
        self.told = true;
        self.quiet_until = Some(now + QUIET);
        true
    }

    /// It is over. Says for how long it was there, if that is to be told.
    pub(super) fn is_over(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        std::mem::take(&mut self.told).then(|| now.duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_and_its_end_too() {
        let (mut trouble, start) = (Trouble::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(trouble.is_there(start));
        assert!(!trouble.is_there(at(1)));
        assert_eq!(trouble.is_over(at(2)), Some(Duration::from_secs(2)));
        assert_eq!(trouble.is_over(at(3)), None);
    }

    #[test]
    fn a_flapping_one_is_told_only_if_it_lasts() {
        let (mut trouble, start) = (Trouble::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(trouble.is_there(start));
        assert!(trouble.is_over(at(1)).is_some());
        assert!(!trouble.is_there(at(2)));
        assert_eq!(trouble.is_over(at(3)), None, "its end was told without its begin");
        assert!(!trouble.is_there(at(4)));
        assert!(trouble.is_there(at(10)));
        assert_eq!(trouble.is_over(at(12)), Some(Duration::from_secs(8)));
    }
}
