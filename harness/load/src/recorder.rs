//! The same figures of exchanges that something else makes, on one thread: users who think between their requests.

use std::time::{Duration, Instant};

use crate::connection::{Answered, Broken, Times};
use crate::figures::{self, Fired, LoadReport, Manner};
use crate::plan::LoadError;
use crate::server::ServerCpu;
use crate::shot::cpu_time;
use crate::tally::Tally;

/// Counts exchanges from its making to its end, both on the thread that makes them.
#[derive(Debug)]
pub struct Recorder {
    tally: Tally,
    began: Instant,
    /// When the last exchange ended, whatever came of it.
    last: Instant,
    cpu_before: Duration,
}

impl Recorder {
    /// Begins now.
    ///
    /// # Errors
    /// When the system tells no processor time.
    pub fn begin() -> Result<Self, LoadError> {
        let now = Instant::now();
        Ok(Self { tally: Tally::new()?, began: now, last: now, cpu_before: cpu_time()? })
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
        self.last = ended;
    }

    /// Counts a request without an answer that counts, and keeps what went wrong with the first.
    pub fn failed(&mut self, why: Broken, what: &str) {
        self.tally.errors.count(why);
        self.last = Instant::now();
        self.tally.first_error.get_or_insert_with(|| what.to_owned());
    }

    /// How long a request may have been in flight at the end and be no sign of anything: as at the end of a closed loop.
    pub fn patience(&self) -> Duration {
        self.tally.beyond_proportion()
    }

    /// Ends: what so many clients, each on one connection, came to from the beginning to the last answer, or to now where
    /// requests are still in flight: so many that waited too long, and so many others.
    ///
    /// # Errors
    /// When the system tells no processor time, or a histogram cannot be written.
    pub fn end(
        self,
        clients: usize,
        forsaken: u64,
        unfinished: u64,
    ) -> Result<LoadReport, LoadError> {
        let Self { mut tally, began, last, cpu_before } = self;
        tally.cpu = cpu_time()?.saturating_sub(cpu_before);
        // While somebody waits, time goes on.
        let over = if forsaken + unfinished > 0 { Instant::now() } else { last };
        tally.elapsed = over - began;
        tally.connections = clients as u64;
        (0..forsaken).for_each(|_| tally.errors.count(Broken::Timeout));
        tally.unfinished = unfinished;
        let manner = Manner { streams: 1, clients: Some(clients as u64), think: Duration::ZERO };
        let fired = Fired { tally, series: Vec::new(), server_cpu: ServerCpu::NotAsked };
        figures::report(manner, vec![fired])
    }
}
