//! What one thread counts while it runs, and the seconds that it tells of: the same for every protocol.

use std::time::Instant;

use crate::connection::{Answered, Broken, Times};
use crate::plan::LoadError;
use crate::series::{Part, Watch};
use crate::tally::Tally;

/// A thread's counts.
pub(crate) struct Meter<'a> {
    pub(crate) watch: &'a Watch,
    pub(crate) tally: Tally,
    pub(crate) started: Instant,
    pub(crate) last_answer: Instant,
    part: Part,
    second: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(watch: &'a Watch) -> Result<Self, LoadError> {
        let now = Instant::now();
        let (tally, part) = (Tally::new()?, Part::new()?);
        Ok(Self { watch, tally, started: now, last_answer: now, part, second: 0 })
    }

    /// The shot begins now.
    pub(crate) fn start(&mut self, now: Instant) {
        (self.started, self.last_answer) = (now, now);
    }

    /// Counts a whole answer.
    pub(crate) fn answered(&mut self, answer: Answered, times: &Times, end: Instant) {
        self.part.answer(self.tally.answer(answer, times, end));
        self.last_answer = end;
    }

    /// Counts a request without one, and keeps what the system said of the first.
    pub(crate) fn failed(&mut self, why: Broken, error: Option<&std::io::Error>) {
        self.tally.errors.count(why);
        if let (None, Some(error)) = (&self.tally.first_error, error) {
            self.tally.first_error = Some(error.to_string());
        }
        self.part.error();
    }

    /// Tells of the seconds that are over.
    pub(crate) fn tell(&mut self, now: Instant) {
        while self.second < (now - self.started).as_secs() {
            self.watch.tell(self.second, &self.part);
            self.part.clear();
            self.second += 1;
        }
    }

    /// The end: the last second, unfinished as it is.
    pub(crate) fn end(mut self, over: Instant, connections: usize) -> Tally {
        self.watch.tell(self.second, &self.part);
        self.tally.connections = connections as u64;
        self.tally.elapsed = over - self.started;
        self.tally
    }
}
