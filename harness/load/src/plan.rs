//! What is fired, and how much of it.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::replay::Replay;
use crate::schedule::{Arrivals, Schedule};

/// A bounded load on one endpoint.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// Where the target listens.
    pub endpoint: Endpoint,
    /// What is sent: one request, or several drawn by their weights.
    pub mix: Vec<Request>,
    /// What is spoken.
    pub protocol: Protocol,
    /// When a request is sent.
    pub pace: Pace,
    /// The most requests in each shot; this or `time_limit` ends it, whichever comes first.
    pub requests: u64,
    /// The most real time of a shot. In a closed loop, requests in flight then are counted as unfinished;
    /// in an open one no more are sent, and those in flight may still end.
    pub time_limit: Duration,
    /// The most that one request may take; then it is an error.
    pub request_limit: Duration,
    /// How many shots, one after another.
    pub shots: usize,
    /// One connection for many requests, or a new one for each.
    pub keep_alive: bool,
    /// Threads that share the work; more than one only pays where the target is on other cores.
    pub threads: usize,
    /// Where chance begins: arrivals and the draw from the mix.
    pub seed: u64,
    /// The target's process, where its processor time is to be measured with the rest.
    pub server_pid: Option<u32>,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 or 1.0, as the requests say.
    Http1,
    /// HTTP/2 (RFC 9113): by prior knowledge where there is no TLS, by ALPN where there is.
    Http2 {
        /// Requests at a time on one connection. In a closed loop each is a client.
        streams: NonZeroUsize,
    },
}

/// One whole request, exactly as it goes on the wire of HTTP/1. By HTTP/2 go the same fields and content, those
/// about an HTTP/1 connection left out (RFC 9113 §8.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its bytes. With `keep_alive` it must not ask to close.
    pub bytes: Vec<u8>,
    /// How often it is drawn, beside the others' weights.
    pub weight: u32,
}

impl Request {
    /// A request of weight 1.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, weight: 1 }
    }

    /// Is it one whose answer has no content (RFC 9112 §6.3)?
    pub(crate) fn is_head(&self) -> bool {
        self.method() == b"HEAD"
    }

    /// Does it come to the same if the server has it twice (RFC 9110 §9.2.2)?
    pub(crate) fn is_idempotent(&self) -> bool {
        matches!(self.method(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE")
    }

    fn method(&self) -> &[u8] {
        self.bytes.split(|octet| *octet == b' ').next().unwrap_or_default()
    }
}

/// What decides when a request is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Pace {
    /// So many clients, each sending its next request when it has its answer.
    Closed {
        /// Clients at a time, each with one connection.
        connections: usize,
        /// How long a client thinks before each request, on average: exponential times. Zero: not at all.
        think: Duration,
    },
    /// A schedule that was made before: the target's slowness changes nothing about it.
    Open {
        /// The rates.
        schedule: Schedule,
        /// How moments are spread at a rate.
        arrivals: Arrivals,
        /// Connections are added as needed up to this many; beyond them requests wait, and the wait counts.
        most_connections: usize,
    },
    /// The same with requests and moments of a log.
    Replay {
        /// Which request when.
        replay: Replay,
        /// As in an open loop.
        most_connections: usize,
    },
}

impl Pace {
    /// The most connections at a time.
    pub fn connections(&self) -> usize {
        match self {
            Pace::Closed { connections, .. } => *connections,
            Pace::Open { most_connections, .. } | Pace::Replay { most_connections, .. } => {
                *most_connections
            }
        }
    }

    /// Requests that are asked for within so much time of the beginning; none in a closed loop, which asks for nothing.
    pub(crate) fn due_within(&self, time: Duration) -> f64 {
        match self {
            Pace::Closed { .. } => 0.0,
            Pace::Open { schedule, .. } => schedule.due_within(time),
            Pace::Replay { replay, .. } => replay.due_within(time) as f64,
        }
    }
}

/// The most time of a request, where nothing else is said.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(30);

impl LoadPlan {
    /// A closed loop of one request on one thread: one shot, connections kept. The caller says how much.
    pub fn closed(
        endpoint: impl Into<Endpoint>,
        request: Vec<u8>,
        connections: usize,
        requests: u64,
        time_limit: Duration,
    ) -> Self {
        Self {
            endpoint: endpoint.into(),
            mix: vec![Request::new(request)],
            protocol: Protocol::Http1,
            pace: Pace::Closed { connections, think: Duration::ZERO },
            requests,
            time_limit,
            request_limit: REQUEST_LIMIT,
            shots: 1,
            keep_alive: true,
            threads: 1,
            seed: 1,
            server_pid: None,
        }
    }

    /// Requests at a time on one connection.
    pub(crate) fn streams(&self) -> usize {
        match self.protocol {
            Protocol::Http1 => 1,
            Protocol::Http2 { streams } => streams.get(),
        }
    }

    /// The most connections at a time. In a closed loop none is opened for a client that would never have a request.
    pub fn connections(&self) -> usize {
        let asked = self.pace.connections();
        match self.pace {
            Pace::Closed { .. } => at_most(asked, self.requests.div_ceil(self.streams() as u64)),
            Pace::Open { .. } | Pace::Replay { .. } => asked,
        }
    }

    /// Requests at a time in a closed loop.
    pub(crate) fn clients(&self) -> usize {
        at_most(self.connections() * self.streams(), self.requests)
    }

    /// Refuses a plan that would do nothing or never end.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let numbers = [
            ("connections", self.pace.connections() as u64),
            ("requests", self.requests),
            ("shots", self.shots as u64),
            ("threads", self.threads as u64),
            ("request", self.mix.iter().map(|request| u64::from(request.weight)).sum()),
        ];
        if let Some((name, _)) = numbers.into_iter().find(|(_, n)| *n == 0) {
            return Err(LoadError::Empty(name));
        }
        if self.time_limit.is_zero() {
            return Err(LoadError::Empty("time_limit"));
        }
        if self.request_limit.is_zero() {
            return Err(LoadError::Empty("request_limit"));
        }
        if self.mix.iter().any(|request| request.bytes.is_empty()) {
            return Err(LoadError::Empty("request"));
        }
        if let Pace::Replay { replay, .. } = &self.pace
            && replay.largest() >= self.mix.len()
        {
            return Err(LoadError::Empty("request"));
        }
        if matches!(self.protocol, Protocol::Http2 { .. }) && !self.keep_alive {
            return Err(LoadError::Request("HTTP/2 keeps its connections".to_owned()));
        }
        Ok(())
    }
}

fn at_most(number: usize, most: u64) -> usize {
    usize::try_from(most).map_or(number, |most| number.min(most))
}

/// Why a plan could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A number of the plan is zero.
    #[error("a load needs at least one of `{0}`, found none")]
    Empty(&'static str),
    /// A request cannot be sent as the plan asks.
    #[error("the request cannot be sent: {0}")]
    Request(String),
    /// The system did not give what the generator needs.
    #[error("the load generator could not run: {0}")]
    System(#[from] std::io::Error),
    /// Each connection takes one, and the process or the system gives no more.
    #[error(
        "the load generator has too few file descriptors for its connections: ask for fewer (-c), or raise the hard limit (`ulimit -Hn`)"
    )]
    Descriptors,
    /// Each new connection takes one, and gives it back a minute after its end.
    #[error(
        "the load generator has no local port left for a new connection: keep connections, or open fewer in a minute"
    )]
    Ports,
    /// The histogram could not be made or written.
    #[error("the latency histogram could not be kept: {0}")]
    Histogram(String),
}

impl LoadError {
    pub(crate) fn histogram(error: impl std::fmt::Display) -> Self {
        Self::Histogram(error.to_string())
    }
}
