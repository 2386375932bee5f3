//! When the requests of an open loop are due: decided before the first is sent.

use std::str::FromStr;
use std::time::Duration;

use crate::random::Random;

/// A rate over time: stretches of constant or evenly rising (or falling) rates, one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    stretches: Vec<Stretch>,
}

/// One stretch of a schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    /// Seconds.
    lasts: f64,
    /// Requests a second at its beginning and at its end.
    from: f64,
    to: f64,
}

impl Stretch {
    /// Requests that are due in all of it.
    fn amount(&self) -> f64 {
        self.lasts * f64::midpoint(self.from, self.to)
    }

    /// Its first so many seconds, or all of it.
    fn first(self, seconds: f64) -> Self {
        if seconds >= self.lasts {
            return self;
        }
        let to = self.from + (self.to - self.from) * seconds / self.lasts;
        Self { lasts: seconds, to, ..self }
    }

    /// After how many seconds `amount` of them are due.
    fn when(&self, amount: f64) -> f64 {
        let slope = (self.to - self.from) / self.lasts;
        // from·t + slope·t²/2 = amount, in the form that stays exact for a slope of nearly zero.
        let root = (self.from * self.from + 2.0 * slope * amount).max(0.0).sqrt();
        if self.from + root > 0.0 { 2.0 * amount / (self.from + root) } else { 0.0 }
    }
}

/// How the moments are spread at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// Equal gaps.
    Even,
    /// Each moment independent of the others, as users who do not know of each other come.
    Poisson,
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate: expected `1000`, a ramp `100..1000`, or steps `100@10s,500..1000@30s`")]
pub struct ScheduleError(String);

impl Schedule {
    /// One rate, in requests a second, for a time. `None` where either is nothing, or beyond 10 million a second.
    pub fn constant(rate: f64, lasts: Duration) -> Option<Self> {
        Self::ramp(rate, rate, lasts)
    }

    fn ramp(from: f64, to: f64, lasts: Duration) -> Option<Self> {
        let good = |rate: f64| rate.is_finite() && (0.0..=1e7).contains(&rate);
        let stretch = Stretch { lasts: lasts.as_secs_f64(), from, to };
        (good(from) && good(to) && stretch.amount() > 0.0)
            .then(|| Self { stretches: vec![stretch] })
    }

    /// Reads `1000` or `100..1000` (for all of `lasts`), or steps with a time each: `100@10s,500..1000@30s`.
    ///
    /// # Errors
    /// When the text is something else, or a stretch has no request in it.
    pub fn parse(text: &str, lasts: Option<Duration>) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError(text.to_owned());
        let mut stretches = Vec::new();
        for part in text.split(',') {
            let (rates, time) = part.split_once('@').map_or((part, None), |(r, t)| (r, Some(t)));
            let time = match time {
                Some(time) => seconds(time).ok_or_else(wrong)?,
                None if !text.contains(',') => lasts.ok_or_else(wrong)?,
                None => return Err(wrong()),
            };
            let (from, to) = rates.split_once("..").unwrap_or((rates, rates));
            let rate = |text: &str| f64::from_str(text.trim()).map_err(|_| wrong());
            let one = Self::ramp(rate(from)?, rate(to)?, time).ok_or_else(wrong)?;
            stretches.extend(one.stretches);
        }
        Ok(Self { stretches })
    }

    /// How long it takes.
    pub fn lasts(&self) -> Duration {
        Duration::from_secs_f64(self.stretches.iter().map(|stretch| stretch.lasts).sum())
    }

    /// Requests that are due within so much time of its beginning; by chance there may be more or fewer.
    pub fn due_within(&self, time: Duration) -> f64 {
        let mut left = time.as_secs_f64();
        let mut due = 0.0;
        for stretch in &self.stretches {
            due += stretch.first(left).amount();
            left = (left - stretch.lasts).max(0.0);
        }
        due
    }
}

/// `10s`, `500ms`, `1.5s`, `2m`, `1h`.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match &text[digits..] {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(f64::from_str(&text[..digits]).ok()? * unit).ok()
}

/// The moments of one thread of several that share a schedule, as time since its beginning.
#[derive(Debug)]
pub(crate) struct Moments<'a> {
    schedule: &'a Schedule,
    arrivals: Arrivals,
    random: Random,
    threads: f64,
    /// Requests of all threads that are due before the next of this one, and at the stretch's beginning.
    due: f64,
    before_stretch: f64,
    stretch: usize,
    stretch_began: f64,
}

impl<'a> Moments<'a> {
    /// How long the schedule takes.
    pub(crate) fn lasts(&self) -> Duration {
        self.schedule.lasts()
    }

    pub(crate) fn new(
        schedule: &'a Schedule,
        arrivals: Arrivals,
        seed: u64,
        thread: usize,
        threads: usize,
    ) -> Self {
        let mut random = Random::new(seed ^ (thread as u64).wrapping_mul(0xA076_1D64_78BD_642F));
        let threads = threads as f64;
        let due = match arrivals {
            Arrivals::Even => thread as f64,
            Arrivals::Poisson => random.exponential() * threads,
        };
        let (before_stretch, stretch, stretch_began) = (0.0, 0, 0.0);
        Self { schedule, arrivals, random, threads, due, before_stretch, stretch, stretch_began }
    }
}

impl Iterator for Moments<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        loop {
            let stretch = self.schedule.stretches.get(self.stretch)?;
            let amount = self.due - self.before_stretch;
            if amount >= stretch.amount() - 1e-9 {
                self.before_stretch += stretch.amount();
                self.stretch_began += stretch.lasts;
                self.stretch += 1;
                continue;
            }
            let when = self.stretch_began + stretch.when(amount.max(0.0));
            self.due += match self.arrivals {
                Arrivals::Even => self.threads,
                Arrivals::Poisson => self.random.exponential() * self.threads,
            };
            return Some(Duration::from_secs_f64(when));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn moments(text: &str, lasts: u64, arrivals: Arrivals, threads: usize) -> Vec<f64> {
        let schedule = Schedule::parse(text, Some(Duration::from_secs(lasts))).unwrap();
        let mut all: Vec<f64> = (0..threads)
            .flat_map(|thread| Moments::new(&schedule, arrivals, 1, thread, threads))
            .map(|moment| moment.as_secs_f64())
            .collect();
        all.sort_by(f64::total_cmp);
        all
    }

    #[test]
    fn an_even_rate_has_equal_gaps_whatever_the_threads() {
        for threads in [1, 3] {
            let all = moments("100", 2, Arrivals::Even, threads);
            assert_eq!(all.len(), 200);
            assert!(all.iter().enumerate().all(|(n, at)| (at - n as f64 / 100.0).abs() < 1e-6));
        }
    }

    #[test]
    fn a_ramp_rises_evenly_and_steps_follow_each_other() {
        let all = moments("0..100", 10, Arrivals::Even, 1);
        assert_eq!((all.len(), all[0]), (500, 0.0));
        let by = |second: f64| all.iter().filter(|at| **at < second).count();
        assert!(by(5.0).abs_diff(125) <= 1 && by(1.0).abs_diff(5) <= 1);
        let all = moments("10@2s,100@1s,20..0@1s", 0, Arrivals::Even, 1);
        let between = |from: f64, to: f64| all.iter().filter(|at| (from..to).contains(*at)).count();
        assert_eq!((between(0.0, 2.0), between(2.0, 3.0)), (20, 100));
        assert_eq!(between(3.0, 4.0), 10);
    }

    #[test]
    fn a_poisson_rate_has_its_mean_on_all_threads_together() {
        for threads in [1, 4] {
            let count = moments("1000", 20, Arrivals::Poisson, threads).len() as f64;
            // Four standard deviations of a Poisson count of 20,000.
            assert!((count - 20_000.0).abs() < 4.0 * 20_000_f64.sqrt(), "{count}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["", "-1", "0", "10,20", "10@", "10@5", "1..", "nan", "inf", "1e9", "10@1s,x"] {
            assert!(Schedule::parse(text, Some(Duration::from_secs(1))).is_err(), "{text}");
        }
        assert!(Schedule::parse("10", None).is_err());
        let both = Schedule::parse("10@500ms,30@1.5s", None).unwrap();
        assert_eq!(both.lasts(), Duration::from_secs(2));
    }

    #[test]
    fn what_is_due_is_that_of_the_time_asked_for() {
        let schedule = Schedule::parse("10@500ms,0..60@1s,30@1.5s", None).unwrap();
        for (millis, due) in [(0, 0.0), (250, 2.5), (500, 5.0), (1000, 12.5), (1500, 35.0)] {
            assert_eq!(schedule.due_within(Duration::from_millis(millis)), due, "{millis}");
        }
        assert_eq!(schedule.due_within(Duration::from_secs(3600)), 80.0);
    }

    proptest! {
        #[test]
        fn moments_never_go_back_and_stay_within(from in 0.0..500.0, to in 1.0..500.0, poisson: bool) {
            let schedule = Schedule::ramp(from, to, Duration::from_secs(2)).unwrap();
            let arrivals = if poisson { Arrivals::Poisson } else { Arrivals::Even };
            let all: Vec<_> = Moments::new(&schedule, arrivals, 3, 0, 1).collect();
            prop_assert!(all.is_sorted());
            prop_assert!(all.iter().all(|at| *at <= schedule.lasts()));
        }
    }
}
