//! Counts since the start, for the control socket.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// One number that all threads add to.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the proxy has done.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// Requests answered or refused.
    pub(crate) requests: Count,
    /// Responses by the status's first digit; at 0 those that none could be sent for.
    pub(crate) by_class: [Count; 6],
    /// Connections accepted.
    pub(crate) connections: Count,
    /// Connections made to origins.
    pub(crate) upstream_made: Count,
    /// Requests sent on a kept connection to an origin.
    pub(crate) upstream_reused: Count,
    /// Bytes that wait for clients slower than the store that their response goes to.
    pub(crate) ahead: Ahead,
}

/// A number of bytes that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Ahead(AtomicUsize);

impl Ahead {
    pub(crate) fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn take(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Stats {
    /// Counts an answered request.
    pub(crate) fn answered(&self, status: u16) {
        self.requests.one();
        let class = usize::from(status / 100);
        self.by_class[if class < self.by_class.len() { class } else { 0 }].one();
    }
}
