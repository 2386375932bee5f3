//! What is fired, and how much of it.

use std::net::SocketAddr;
use std::time::Duration;

/// A bounded load on one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadPlan {
    /// Where the target listens.
    pub address: SocketAddr,
    /// One whole request, exactly as it goes on the wire. With `keep_alive` it must not ask to close.
    pub request: Vec<u8>,
    /// Clients at a time, each with one connection.
    pub connections: usize,
    /// Requests in each shot; this or `time_limit` ends it, whichever comes first.
    pub requests: u64,
    /// The most real time of a shot. Requests in flight then are counted as unfinished.
    pub time_limit: Duration,
    /// How many shots, one after another.
    pub shots: usize,
    /// One connection for many requests, or a new one for each.
    pub keep_alive: bool,
    /// Threads that share the clients; more than one only pays where the target is on other cores.
    pub threads: usize,
}

impl LoadPlan {
    /// Is the request one whose answer has no content (RFC 9112 §6.3)?
    pub(crate) fn is_head(&self) -> bool {
        self.request.starts_with(b"HEAD ")
    }

    /// Refuses a plan that would do nothing or never end.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let numbers = [
            ("connections", self.connections as u64),
            ("requests", self.requests),
            ("shots", self.shots as u64),
            ("threads", self.threads as u64),
        ];
        if let Some((name, _)) = numbers.into_iter().find(|(_, n)| *n == 0) {
            return Err(LoadError::Empty(name));
        }
        if self.time_limit.is_zero() {
            return Err(LoadError::Empty("time_limit"));
        }
        if self.request.is_empty() {
            return Err(LoadError::Empty("request"));
        }
        Ok(())
    }
}

/// Why a plan could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A number of the plan is zero.
    #[error("a load needs at least one of `{0}`, found none")]
    Empty(&'static str),
    /// The system did not give what the generator needs.
    #[error("the load generator could not run: {0}")]
    System(#[from] std::io::Error),
    /// The histogram could not be made or written.
    #[error("the latency histogram could not be kept: {0}")]
    Histogram(String),
}
