//! Whether the machine itself stood still while cases were played.
//!
//! A virtual machine that its host freezes, or one with far too much to do, lets every time limit of target and
//! harness pass at once. What fails then says nothing about the target. A thread that does nothing but look at the clock
//! notices: it is due every [`BEAT`], and how late it comes is how long nobody was served.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(50);
/// A thread that is due comes within some milliseconds on a busy machine. So late it is on none that serves
/// everybody.
const LATE: Duration = Duration::from_millis(250);

/// A thread that is due again and again.
#[derive(Debug)]
pub(super) struct Heartbeat {
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

/// How long the machine had stood still at some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(u64);

impl Heartbeat {
    /// Begins to look at the clock.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::new());
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("heartbeat".to_owned())
            .stack_size(64 << 10)
            .spawn(move || beat(&its))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How long the machine has stood still so far.
    pub(super) fn mark(&self) -> Mark {
        let shared = &*self.shared;
        // Who asks may have been woken before the thread.
        let since = ms(shared.began).saturating_sub(shared.last_ms.load(Ordering::Acquire));
        let pending = lateness(Duration::from_millis(since)).unwrap_or_default();
        Mark(shared.still_ms.load(Ordering::Relaxed) + pending.as_millis() as u64)
    }

    /// How long it has stood still since then; `None` if it has not.
    pub(super) fn still_since(&self, then: Mark) -> Option<Duration> {
        let still = self.mark().0.saturating_sub(then.0);
        (still > 0).then(|| Duration::from_millis(still))
    }
}

impl Drop for Heartbeat {
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
    fn what_was_before_a_mark_does_not_count_after_it() {
        let heart = Heartbeat::start().unwrap();
        heart.shared.still_ms.fetch_add(300, Ordering::Relaxed);
        let mark = heart.mark();
        let before = heart.still_since(mark);
        heart.shared.still_ms.fetch_add(700, Ordering::Relaxed);
        let after = heart.still_since(mark);
        assert!(after.unwrap() >= before.unwrap_or_default() + Duration::from_millis(700));
    }
}
