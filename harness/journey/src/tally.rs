//! What users come to, counted as it happens.

use std::time::Instant;

use edgeproof_load::{Broken, LoadError, Recorder};

/// Of all users.
#[derive(Debug)]
pub(crate) struct Tally {
    total: Recorder,
    steps: Vec<Recorder>,
    /// Requests sent and not answered yet, of each step.
    in_flight: Vec<u64>,
    /// Times that a user did all steps.
    pub(crate) rounds: u64,
    /// Users who have done all that they should.
    pub(crate) done: usize,
}

/// A whole answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Of its content.
    pub(crate) octets: u64,
    pub(crate) began: Instant,
    pub(crate) first_byte: Instant,
    pub(crate) ended: Instant,
}

impl Tally {
    pub(crate) fn begin(steps: usize) -> Result<Self, LoadError> {
        Ok(Self {
            total: Recorder::begin()?,
            steps: (0..steps).map(|_| Recorder::begin()).collect::<Result<_, _>>()?,
            in_flight: vec![0; steps],
            rounds: 0,
            done: 0,
        })
    }

    pub(crate) fn sent(&mut self, step: usize) {
        self.in_flight[step] += 1;
    }

    pub(crate) fn answered(&mut self, step: usize, it: Answered) {
        self.in_flight[step] -= 1;
        for recorder in [&mut self.total, &mut self.steps[step]] {
            recorder.answered(it.status, it.octets, it.began, it.first_byte, it.ended);
        }
    }

    /// A request that was sent came to nothing that counts.
    pub(crate) fn failed(&mut self, step: usize, why: Broken, what: &str) {
        self.in_flight[step] -= 1;
        self.total.failed(why, what);
        self.steps[step].failed(why, what);
    }

    /// The recorders, each with the requests that are still in flight: of all steps, and of each.
    pub(crate) fn end(self) -> ((Recorder, u64), Vec<(Recorder, u64)>) {
        let in_flight = self.in_flight.iter().sum();
        ((self.total, in_flight), self.steps.into_iter().zip(self.in_flight).collect())
    }
}
