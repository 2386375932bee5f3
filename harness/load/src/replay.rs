//! Requests at moments of their own, as an access log tells them.

use std::sync::Arc;
use std::time::Duration;

/// Which request is sent when. Moments count from the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    sends: Arc<[(Duration, usize)]>,
}

impl Replay {
    /// Orders what was told by its moments (in microseconds since whenever), counts them from the first, and
    /// makes all of it `speed` times as fast. Requests of one moment are spread evenly up to the next that is
    /// `grain` away or more: a log that knows seconds only would have them all at once.
    ///
    /// `None` where nothing was told, or the speed is no positive number.
    pub fn new(mut told: Vec<(i64, usize)>, grain: Duration, speed: f64) -> Option<Self> {
        if !(speed.is_finite() && speed > 0.0) {
            return None;
        }
        // Stable: of one moment, what was logged first is sent first.
        told.sort_by_key(|(at, _)| *at);
        let first = told.first()?.0;
        let grain = grain.as_secs_f64();
        let mut sends = Vec::with_capacity(told.len());
        for same in told.chunk_by(|a, b| a.0 == b.0) {
            let base = (same[0].0 - first) as f64 / 1e6;
            for (place, (_, request)) in same.iter().enumerate() {
                let after = base + grain * place as f64 / same.len() as f64;
                sends.push((Duration::try_from_secs_f64(after / speed).ok()?, *request));
            }
        }
        sends.sort_by_key(|(at, _)| *at);
        Some(Self { sends: sends.into() })
    }

    /// When the last request is sent.
    pub fn lasts(&self) -> Duration {
        self.share(0, 1).lasts()
    }

    /// How many there are.
    pub fn requests(&self) -> usize {
        self.sends.len()
    }

    /// Requests that are sent within so much time of the first; in no time at all, those that come with it.
    pub fn due_within(&self, time: Duration) -> usize {
        self.sends.partition_point(|(at, _)| *at < time.max(Duration::from_nanos(1)))
    }

    /// The largest number of a request, that the plan must have.
    pub(crate) fn largest(&self) -> usize {
        self.sends.iter().map(|(_, request)| *request).max().unwrap_or(0)
    }

    /// One thread's part of several.
    pub(crate) fn share(&self, thread: usize, threads: usize) -> Share<'_> {
        Share { sends: &self.sends, next: thread, threads }
    }
}

/// One thread's part.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    sends: &'a [(Duration, usize)],
    next: usize,
    threads: usize,
}

impl Share<'_> {
    /// When the last request of all is sent.
    pub(crate) fn lasts(&self) -> Duration {
        self.sends.last().map_or(Duration::ZERO, |(at, _)| *at)
    }
}

impl Iterator for Share<'_> {
    type Item = (Duration, usize);

    fn next(&mut self) -> Option<(Duration, usize)> {
        let found = self.sends.get(self.next).copied();
        self.next += self.threads;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn millis(replay: &Replay) -> Vec<(u128, usize)> {
        replay.sends.iter().map(|(at, request)| (at.as_millis(), *request)).collect()
    }

    #[test]
    fn a_log_keeps_its_own_timing_or_goes_faster() {
        // Lines stand in the order in which answers ended, and know seconds only.
        let told = vec![(7 * SECOND, 0), (9 * SECOND, 2), (7 * SECOND, 1)];
        let replay = Replay::new(told.clone(), Duration::from_secs(1), 1.0).unwrap();
        assert_eq!(millis(&replay), [(0, 0), (500, 1), (2000, 2)]);
        assert_eq!(
            (replay.lasts(), replay.due_within(replay.lasts())),
            (Duration::from_secs(2), 2)
        );
        assert_eq!(replay.due_within(Duration::ZERO), 1);
        let faster = Replay::new(told.clone(), Duration::from_secs(1), 4.0).unwrap();
        assert_eq!(millis(&faster), [(0, 0), (125, 1), (500, 2)]);
        let exact = Replay::new(told, Duration::ZERO, 1.0).unwrap();
        assert_eq!(millis(&exact), [(0, 0), (0, 1), (2000, 2)]);
    }

    #[test]
    fn threads_share_all_of_it() {
        let told = (0..7).map(|at| (at * SECOND, at as usize)).collect();
        let replay = Replay::new(told, Duration::ZERO, 1.0).unwrap();
        let mut all: Vec<usize> =
            (0..3).flat_map(|thread| replay.share(thread, 3)).map(|(_, request)| request).collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn nothing_told_or_no_speed_is_no_replay() {
        assert!(Replay::new(Vec::new(), Duration::ZERO, 1.0).is_none());
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Replay::new(vec![(0, 0)], Duration::ZERO, speed).is_none(), "{speed}");
        }
    }
}
