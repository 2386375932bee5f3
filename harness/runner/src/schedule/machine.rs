//! Whether the machine itself served target and harness while a case was played.
//!
//! A virtual machine that its host freezes lets every time limit pass at once, and one with far too much to do lets
//! them pass one after another. What fails then says nothing about the target. Two things are looked at:
//!
//! - A thread that does nothing but look at the clock is due every [`BEAT`]; how late it comes is how long nobody was
//!   served.
//! - Linux says how long tasks had to wait for a processor (`/proc/pressure/cpu`, its "Pressure Stall Information"). A
//!   case that took long, more than half of it while somebody waited, may have failed because of that; not where the
//!   target itself took most of what the processors had to give: that is no fault of the machine's.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(50);
/// A thread that is due comes within some milliseconds on a busy machine. So late it is on none that serves
/// everybody.
const LATE: Duration = Duration::from_millis(250);
/// What takes less cannot have failed for want of a processor: no time limit is as short.
const LONG: Duration = Duration::from_secs(1);
/// The share of a case's time from which on it was starved.
const STARVED: f64 = 0.5;
/// The share of the processors' time from which on it is the target that lets others wait.
const ITS_OWN: f64 = 0.5;

/// The machine, as long as it is watched.
#[derive(Debug)]
pub(super) struct Machine {
    processors: f64,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    /// When the thread last looked at the clock, in milliseconds since it began.
    last_ms: AtomicU64,
    /// How long the machine has stood still, in milliseconds.
    still_ms: AtomicU64,
    over: AtomicBool,
}

/// What was known of the machine at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    at: Instant,
    still_ms: u64,
    /// How long somebody has waited for a processor; `None` where the system does not say.
    waited: Option<Duration>,
    /// The time that the target has taken of all processors; `None` where nobody knows.
    target: Option<Duration>,
}

/// How the machine failed to serve what was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lapse {
    /// Nobody was served for so long.
    StoodStill(Duration),
    /// Somebody waited for a processor for this share of the time.
    NoProcessor(f64),
}

impl fmt::Display for Lapse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StoodStill(time) => {
                write!(f, "the machine stood still for {:.1} s meanwhile", time.as_secs_f64())
            }
            Self::NoProcessor(share) => {
                write!(
                    f,
                    "the machine had no processor left for {:.0} % of the time",
                    share * 100.0
                )
            }
        }
    }
}

impl Machine {
    /// Begins to watch it.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn watch() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .stack_size(64 << 10)
            .spawn(move || beat(&its))?;
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get) as f64;
        Ok(Self { processors, shared, thread: Some(thread) })
    }

    /// What is known of it now, where the target has taken so much of its processors.
    pub(super) fn mark(&self, target: Option<Duration>) -> Mark {
        let shared = &*self.shared;
        // Who asks may have been woken before the thread.
        let since = ms(shared.began).saturating_sub(shared.last_ms.load(Ordering::Acquire));
        let pending = lateness(Duration::from_millis(since)).unwrap_or_default();
        let still_ms = shared.still_ms.load(Ordering::Relaxed) + pending.as_millis() as u64;
        let pressure = std::fs::read_to_string("/proc/pressure/cpu");
        let waited = pressure.ok().and_then(|text| waited(&text));
        let target = target.map(|spent| spent.div_f64(self.processors));
        Mark { at: Instant::now(), still_ms, waited, target }
    }

    /// How it failed to serve what was played since then, if it did; the target has taken so much of its processors
    /// by now.
    pub(super) fn lapse_since(&self, then: Mark, target: Option<Duration>) -> Option<Lapse> {
        self.mark(target).lapse_since(then)
    }
}

impl Mark {
    fn lapse_since(self, then: Self) -> Option<Lapse> {
        if self.still_ms > then.still_ms {
            return Some(Lapse::StoodStill(Duration::from_millis(self.still_ms - then.still_ms)));
        }
        let took = self.at - then.at;
        let share = |now: Option<Duration>, then: Option<Duration>| {
            Some(now?.saturating_sub(then?).div_duration_f64(took))
        };
        let waited = share(self.waited, then.waited).filter(|it| took >= LONG && *it > STARVED)?;
        let is_its_own = share(self.target, then.target).is_some_and(|it| it > ITS_OWN);
        (!is_its_own).then_some(Lapse::NoProcessor(waited))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It panics nowhere.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            last_ms: AtomicU64::new(0),
            still_ms: AtomicU64::new(0),
            over: AtomicBool::new(false),
        }
    }
}

fn beat(shared: &Shared) {
    while !shared.over.load(Ordering::Relaxed) {
        std::thread::park_timeout(BEAT);
        let now = ms(shared.began);
        let took = now - shared.last_ms.load(Ordering::Relaxed);
        // In this order: for a moment it may look twice as long, and never as if nothing had been.
        if let Some(late) = lateness(Duration::from_millis(took)) {
            shared.still_ms.fetch_add(late.as_millis() as u64, Ordering::Release);
        }
        shared.last_ms.store(now, Ordering::Release);
    }
}

/// Milliseconds since then.
fn ms(then: Instant) -> u64 {
    u64::try_from(then.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// How late a beat came that took so long, where that is too late.
fn lateness(took: Duration) -> Option<Duration> {
    took.checked_sub(BEAT).filter(|late| *late >= LATE)
}

/// How long some task has waited for a processor since the system started: the total of the line `some`, in
/// microseconds (Documentation/accounting/psi.rst of Linux).
fn waited(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find_map(|line| line.strip_prefix("some "))?;
    let total = some.split_whitespace().find_map(|word| word.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_beat_that_is_far_too_late_counts() {
        assert_eq!(lateness(BEAT), None);
        assert_eq!(lateness(Duration::ZERO), None);
        assert_eq!(lateness(BEAT + LATE - Duration::from_millis(1)), None);
        assert_eq!(lateness(BEAT + LATE), Some(LATE));
    }

    /// So many seconds after a mark with 300 ms, during which somebody waited, and the target worked, so many.
    fn after(took: f64, still_ms: u64, waited: f64, target: Option<f64>) -> Option<Lapse> {
        let seconds = Duration::from_secs_f64;
        let then = Mark {
            at: Instant::now(),
            still_ms: 300,
            waited: Some(seconds(7.0)),
            target: target.map(|_| seconds(3.0)),
        };
        let now = Mark {
            at: then.at + seconds(took),
            still_ms,
            waited: Some(seconds(7.0 + waited)),
            target: target.map(|it| seconds(3.0 + it)),
        };
        now.lapse_since(then)
    }

    #[test]
    fn a_machine_that_stood_still_or_had_no_processor_left_failed() {
        assert_eq!(after(20.0, 300, 0.0, None), None);
        let stood_still = Lapse::StoodStill(Duration::from_millis(1500));
        assert_eq!(after(0.1, 1800, 0.0, None), Some(stood_still));
        assert_eq!(stood_still.to_string(), "the machine stood still for 1.5 s meanwhile");
        assert_eq!(after(20.0, 300, 10.0, None), None);
        let told = after(20.0, 300, 10.1, None).map(|it| it.to_string());
        let words = "the machine had no processor left for 50 % of the time";
        assert_eq!(told.as_deref(), Some(words));
        assert_eq!(after(0.9, 300, 0.9, None), None);
        assert!(after(1.0, 300, 0.9, None).is_some());
        let then = Mark { at: Instant::now(), still_ms: 300, waited: None, target: None };
        let unsaid = Mark { at: then.at + Duration::from_secs(20), ..then };
        assert_eq!(unsaid.lapse_since(then), None);
    }

    #[test]
    fn what_the_target_lets_others_wait_for_is_not_the_machines_fault() {
        assert!(after(20.0, 300, 19.0, Some(10.0)).is_some());
        assert_eq!(after(20.0, 300, 19.0, Some(10.1)), None);
        assert!(after(20.0, 301, 19.0, Some(20.0)).is_some(), "nobody makes a machine stand still");
    }

    #[test]
    fn pressure_is_read_as_the_kernel_writes_it() {
        let text = "some avg10=0.06 avg60=8.59 avg300=49.23 total=39841459673\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(waited(text), Some(Duration::from_micros(39_841_459_673)));
        assert_eq!(waited(""), None);
    }
}
