//! The same figures of exchanges that something else makes, on one thread: users who think between their requests.

use std::time::{Duration, Instant};

use crate::connection::{Answered, Broken, Times};
use crate::figures::{self, Fired, LoadReport, Manner};
use crate::plan::LoadError;
use crate::shot::cpu_time;
use crate::tally::Tally;

/// Counts exchanges from its making to its end, both on the thread that makes them.
#[derive(Debug)]
pub struct Recorder {
    tally: Tally,
    began: Instant,
    last_answer: Instant,
    cpu_before: Duration,
}

impl Recorder {
    /// Begins now.
    ///
    /// # Errors
    /// When the system tells no processor time.
    pub fn begin() -> Result<Self, LoadError> {
        let now = Instant::now();
        Ok(Self { tally: Tally::new()?, began: now, last_answer: now, cpu_before: cpu_time()? })
    }

    /// Counts a whole answer to a request that was sent at `began`; `octets` were received.
    pub fn answered(
        &mut self,
        status: u16,
        octets: u64,
        began: Instant,
        first_byte: Instant,
        ended: Instant,
    ) {
        let times = Times { intended: began, began, connected: None, first_byte: Some(first_byte) };
        self.tally.answer(Answered { status, bytes: octets }, &times, ended);
        self.last_answer = ended;
    }

    /// Counts a request without an answer that counts, and keeps what went wrong with the first.
    pub fn failed(&mut self, why: Broken, what: &str) {
        self.tally.errors.count(why);
        self.tally.first_error.get_or_insert_with(|| what.to_owned());
    }

    /// Ends: what so many clients, each on one connection, came to from the beginning to the last answer, while so
    /// many requests were still in flight.
    ///
    /// # Errors
    /// When the system tells no processor time, or a histogram cannot be written.
    pub fn end(self, clients: usize, unfinished: u64) -> Result<LoadReport, LoadError> {
        let Self { mut tally, began, last_answer, cpu_before } = self;
        tally.cpu = cpu_time()?.saturating_sub(cpu_before);
        tally.elapsed = last_answer - began;
        tally.connections = clients as u64;
        // Where nobody had an answer, to be in flight is no accident of where the end fell.
        match tally.latency.is_empty() {
            true => (0..unfinished).for_each(|_| tally.errors.count(Broken::Timeout)),
            false => tally.unfinished = unfinished,
        }
        let manner = Manner { streams: 1, clients: Some(clients as u64), offered_rps: None };
        let fired = Fired { tally, series: Vec::new(), server_cpu_s: None };
        figures::report(manner, vec![fired])
    }
}
