//! Whether the machine itself served target and harness while a case was played.
//!
//! A virtual machine that its host freezes lets every time limit pass at once, and one with far too much to do lets
//! them pass one after another. What fails then says nothing about the target. Two things are looked at:
//!
//! - A thread that does nothing but look at the clock is due every [`BEAT`]; how late it comes is how long nobody was
//!   served.
//! - Linux says how long tasks had to wait for a processor (`/proc/pressure/cpu`, its "Pressure Stall Information"). A
//!   case that took long, more than half of it while somebody waited, may have failed because of that.

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

/// The machine, as long as it is watched.
#[derive(Debug)]
pub(super) struct Machine {
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
        Ok(Self { shared, thread: Some(thread) })
    }

    /// What is known of it now.
    pub(super) fn mark(&self) -> Mark {
        let shared = &*self.shared;
        // Who asks may have been woken before the thread.
        let since = ms(shared.began).saturating_sub(shared.last_ms.load(Ordering::Acquire));
        let pending = lateness(Duration::from_millis(since)).unwrap_or_default();
        let still_ms = shared.still_ms.load(Ordering::Relaxed) + pending.as_millis() as u64;
        let pressure = std::fs::read_to_string("/proc/pressure/cpu");
        let waited = pressure.ok().and_then(|text| waited(&text));
        Mark { at: Instant::now(), still_ms, waited }
    }

    /// Whether it failed to serve what was played since then.
    pub(super) fn failed_since(&self, then: Mark) -> bool {
        self.mark().failed_since(then)
    }
}

impl Mark {
    fn failed_since(self, then: Self) -> bool {
        let took = self.at - then.at;
        let waited = self.waited.zip(then.waited).map(|(now, then)| now.saturating_sub(then));
        self.still_ms > then.still_ms
            || took >= LONG && waited.is_some_and(|it| it.div_duration_f64(took) > STARVED)
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

    #[test]
    fn a_machine_that_stood_still_or_had_no_processor_left_failed() {
        let seconds = Duration::from_secs_f64;
        let then = Mark { at: Instant::now(), still_ms: 300, waited: Some(seconds(7.0)) };
        let after = |took: f64, still_ms, waited: f64| {
            let waited = Some(seconds(7.0 + waited));
            Mark { at: then.at + seconds(took), still_ms, waited }.failed_since(then)
        };
        assert!(!after(20.0, 300, 0.0));
        assert!(after(0.1, 301, 0.0));
        assert!(!after(20.0, 300, 10.0) && after(20.0, 300, 10.1));
        assert!(!after(0.9, 300, 0.9) && after(1.0, 300, 0.9));
        let unsaid = Mark { at: then.at + seconds(20.0), still_ms: 300, waited: None };
        assert!(!unsaid.failed_since(then));
    }

    #[test]
    fn pressure_is_read_as_the_kernel_writes_it() {
        let text = "some avg10=0.06 avg60=8.59 avg300=49.23 total=39841459673\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(waited(text), Some(Duration::from_micros(39_841_459_673)));
        assert_eq!(waited(""), None);
    }
}
