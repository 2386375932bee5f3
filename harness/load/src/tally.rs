//! What one shot, or one thread of it, measured.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::connection::{Answered, Broken, Times};
use crate::plan::LoadError;

/// Latencies from 1 µs to 1 h with 3 significant digits.
const HIGHEST_US: u64 = 3_600_000_000;
/// A request that is sent later than this after its moment was sent late.
pub(crate) const LATE: Duration = Duration::from_millis(1);

/// Counts and histograms (all in microseconds).
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// From the intended beginning to the answer's end, one for each whole answer.
    pub(crate) latency: Histogram<u64>,
    /// From the real beginning.
    pub(crate) uncorrected: Histogram<u64>,
    /// Until a new connection stood.
    pub(crate) connect: Histogram<u64>,
    /// From the real beginning to the answer's first octet.
    pub(crate) first_byte: Histogram<u64>,
    /// How much later than planned the generator itself took a request up.
    pub(crate) lag: Histogram<u64>,
    pub(crate) late: u64,
    /// How much of an open loop's schedule was played: until the first request that was not to be sent any more.
    pub(crate) played: Duration,
    /// Requests that the schedule has in that time.
    pub(crate) offered: f64,
    /// Requests that waited because all connections were busy.
    pub(crate) waited: u64,
    pub(crate) errors: Errors,
    /// What the system said of the first failure, of those that it said something of.
    pub(crate) first_error: Option<String>,
    pub(crate) non_2xx: u64,
    /// Requests that were sent and not taken up, and went on to a new connection.
    pub(crate) retried: u64,
    /// In flight, or due and not sent, when the shot ended.
    pub(crate) unfinished: u64,
    pub(crate) bytes: u64,
    /// Connections that were open at a time, of all threads.
    pub(crate) connections: u64,
    pub(crate) cpu: Duration,
    /// From the first request's beginning to the last answer's end.
    pub(crate) elapsed: Duration,
}

/// A request that has waited less at the end of a shot is no sign of anything.
const LEAST_PATIENCE: Duration = Duration::from_millis(100);

/// Requests without a whole answer, by what went wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Errors {
    /// No connection.
    pub connect: u64,
    /// Reset or closed before the answer was whole.
    pub receive: u64,
    /// What came is no HTTP answer.
    pub malformed: u64,
    /// The answer says two Content-Lengths that differ (RFC 9112 §6.3).
    #[serde(default)]
    pub lengths: u64,
    /// More came than was asked for: octets after an answer, or another one.
    #[serde(default)]
    pub surplus: u64,
    /// It took longer than a request may.
    pub timeout: u64,
    /// A whole answer came, and not the one that a user of a journey must have.
    #[serde(default)]
    pub unexpected: u64,
}

impl Errors {
    /// All of them.
    pub fn total(&self) -> u64 {
        let Self { connect, receive, malformed, lengths, surplus, timeout, unexpected } = self;
        connect + receive + malformed + lengths + surplus + timeout + unexpected
    }

    pub(crate) fn count(&mut self, why: Broken) {
        *match why {
            Broken::Connect => &mut self.connect,
            Broken::Receive => &mut self.receive,
            Broken::Malformed => &mut self.malformed,
            Broken::Lengths => &mut self.lengths,
            Broken::Surplus => &mut self.surplus,
            Broken::Timeout => &mut self.timeout,
            Broken::Unexpected => &mut self.unexpected,
        } += 1;
    }
}

pub(crate) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(HIGHEST_US).max(1)
}

impl Tally {
    pub(crate) fn new() -> Result<Self, LoadError> {
        let histogram =
            || Histogram::new_with_bounds(1, HIGHEST_US, 3).map_err(LoadError::histogram);
        Ok(Self {
            latency: histogram()?,
            uncorrected: histogram()?,
            connect: histogram()?,
            first_byte: histogram()?,
            lag: histogram()?,
            late: 0,
            played: Duration::ZERO,
            offered: 0.0,
            waited: 0,
            errors: Errors::default(),
            first_error: None,
            non_2xx: 0,
            retried: 0,
            unfinished: 0,
            bytes: 0,
            connections: 0,
            cpu: Duration::ZERO,
            elapsed: Duration::ZERO,
        })
    }

    /// How long a request may have waited at the end of a shot and be taken for one that would have had its answer: no
    /// time at all where nobody had one, else ten times the longest, and a tenth of a second at least.
    pub(crate) fn beyond_proportion(&self) -> Duration {
        match self.latency.is_empty() {
            true => Duration::ZERO,
            false => {
                Duration::from_micros(self.latency.max().saturating_mul(10)).max(LEAST_PATIENCE)
            }
        }
    }

    /// Counts a whole answer; its latency in microseconds.
    pub(crate) fn answer(&mut self, answer: Answered, times: &Times, end: Instant) -> u64 {
        let latency = microseconds(end - times.intended);
        self.latency.saturating_record(latency);
        // In a closed loop they are the same, and need not be counted twice.
        if times.intended != times.began {
            self.uncorrected.saturating_record(microseconds(end - times.began));
        }
        if let Some(first) = times.first_byte {
            self.first_byte.saturating_record(microseconds(first - times.began));
        }
        if let Some(connected) = times.connected {
            self.connect.saturating_record(microseconds(connected - times.began));
        }
        self.non_2xx += u64::from(!(200..300).contains(&answer.status));
        self.bytes += answer.bytes;
        latency
    }

    /// Counts a request that was taken up so long after its moment.
    pub(crate) fn taken_up(&mut self, lag: Duration) {
        self.lag.saturating_record(microseconds(lag));
        self.late += u64::from(lag > LATE);
    }

    /// Adds what another thread, or another shot, measured; `elapsed`, `played` and `offered` are the caller's to say.
    pub(crate) fn add(&mut self, other: &Tally) -> Result<(), LoadError> {
        let pairs = [
            (&mut self.latency, &other.latency),
            (&mut self.uncorrected, &other.uncorrected),
            (&mut self.connect, &other.connect),
            (&mut self.first_byte, &other.first_byte),
            (&mut self.lag, &other.lag),
        ];
        for (sum, part) in pairs {
            sum.add(part).map_err(LoadError::histogram)?;
        }
        self.errors.connect += other.errors.connect;
        self.errors.receive += other.errors.receive;
        self.errors.malformed += other.errors.malformed;
        self.errors.lengths += other.errors.lengths;
        self.errors.surplus += other.errors.surplus;
        self.errors.timeout += other.errors.timeout;
        self.errors.unexpected += other.errors.unexpected;
        if self.first_error.is_none() {
            self.first_error.clone_from(&other.first_error);
        }
        self.late += other.late;
        self.waited += other.waited;
        self.non_2xx += other.non_2xx;
        self.retried += other.retried;
        self.unfinished += other.unfinished;
        self.bytes += other.bytes;
        self.connections += other.connections;
        self.cpu += other.cpu;
        Ok(())
    }
}
