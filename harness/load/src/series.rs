//! What happened in each second, and what is to be seen while it does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::plan::LoadError;

/// One second of a shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Which: 0 is the first.
    pub second: u64,
    /// Whole answers that ended in it.
    pub requests: u64,
    /// Requests that ended in it without one.
    pub errors: u64,
    /// Latencies of those answers in microseconds, to two digits: half took at most this.
    pub p50_us: u64,
    /// 99 %.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
}

/// Looks at a load while it runs, and stops it.
#[derive(Debug, Default)]
pub struct Watch {
    stop: AtomicBool,
    live: Mutex<Live>,
}

/// The shot that is running.
#[derive(Debug, Default)]
struct Live {
    threads: usize,
    /// Seconds that not all threads have told of.
    open: BTreeMap<u64, Part>,
    whole: Vec<Second>,
}

impl Watch {
    /// Ends the load; what was measured is reported.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Was it stopped?
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// The seconds of the present shot that are over.
    pub fn seconds(&self) -> Vec<Second> {
        self.live().whole.clone()
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin_shot(&self, threads: usize) {
        *self.live() = Live { threads, ..Live::default() };
    }

    /// The shot's seconds, the last unfinished one too.
    pub(crate) fn end_shot(&self) -> Vec<Second> {
        let mut live = self.live();
        let open = std::mem::take(&mut live.open);
        live.whole.extend(open.into_iter().map(|(second, part)| part.told(second)));
        live.whole.clone()
    }

    /// One thread's part of a second. Each tells of every second, in order.
    pub(crate) fn tell(&self, second: u64, part: &Part) {
        let mut live = self.live();
        let threads = live.threads;
        let sum = live.open.entry(second).or_default();
        sum.add(part);
        if sum.threads == threads
            && let Some(whole) = live.open.remove(&second)
        {
            live.whole.push(whole.told(second));
        }
    }
}

/// A second, as far as one thread or more have told of it.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// Of two digits: small enough for one a second.
    latency: Option<Histogram<u32>>,
    errors: u64,
    threads: usize,
}

impl Part {
    /// One thread's own.
    pub(crate) fn new() -> Result<Self, LoadError> {
        let latency =
            Histogram::new_with_bounds(1, 3_600_000_000, 2).map_err(LoadError::histogram)?;
        Ok(Self { latency: Some(latency), errors: 0, threads: 1 })
    }

    pub(crate) fn answer(&mut self, latency_us: u64) {
        if let Some(latency) = &mut self.latency {
            latency.saturating_record(latency_us);
        }
    }

    pub(crate) fn error(&mut self) {
        self.errors += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.errors = 0;
        if let Some(latency) = self.latency.as_mut().filter(|latency| !latency.is_empty()) {
            latency.reset();
        }
    }

    fn add(&mut self, other: &Part) {
        self.errors += other.errors;
        self.threads += other.threads;
        let Some(theirs) = other.latency.as_ref().filter(|theirs| !theirs.is_empty()) else {
            return;
        };
        match &mut self.latency {
            None => self.latency = Some(theirs.clone()),
            // Bounds are the same: this cannot fail.
            Some(ours) => ours.add(theirs).unwrap_or_default(),
        }
    }

    fn told(&self, second: u64) -> Second {
        let of = |value: fn(&Histogram<u32>) -> u64| self.latency.as_ref().map_or(0, value);
        Second {
            second,
            requests: of(Histogram::len),
            errors: self.errors,
            p50_us: of(|latency| latency.value_at_quantile(0.5)),
            p99_us: of(|latency| latency.value_at_quantile(0.99)),
            max_us: of(Histogram::max),
        }
    }
}
