//! What users come to, counted as it happens.

use std::time::Instant;

use edgeproof_load::{Broken, LoadError, Recorder};

/// Of all users.
#[derive(Debug)]
pub(crate) struct Tally {
    total: Recorder,
    steps: Vec<Recorder>,
    /// Requests sent and not answered yet, of each step: when that was.
    in_flight: Vec<Vec<Instant>>,
    /// Times that a user did all steps.
    pub(crate) rounds: u64,
    /// Users who have done all that they should.
    pub(crate) done: usize,
}

/// Requests that are in flight at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    /// They have waited out of all proportion.
    pub(crate) forsaken: u64,
    pub(crate) unfinished: u64,
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
            in_flight: vec![Vec::new(); steps],
            rounds: 0,
            done: 0,
        })
    }

    /// A request is sent; by the moment it is known again.
    pub(crate) fn sent(&mut self, step: usize) -> Instant {
        let now = Instant::now();
        self.in_flight[step].push(now);
        now
    }

    fn came_back(&mut self, step: usize, sent: Instant) {
        let in_flight = &mut self.in_flight[step];
        if let Some(place) = in_flight.iter().position(|it| *it == sent) {
            in_flight.swap_remove(place);
        }
    }

    pub(crate) fn answered(&mut self, step: usize, sent: Instant, it: Answered) {
        self.came_back(step, sent);
        for recorder in [&mut self.total, &mut self.steps[step]] {
            recorder.answered(it.status, it.octets, it.began, it.first_byte, it.ended);
        }
    }

    /// A request that was sent came to nothing that counts.
    pub(crate) fn failed(&mut self, step: usize, sent: Instant, why: Broken, what: &str) {
        self.came_back(step, sent);
        self.total.failed(why, what);
        self.steps[step].failed(why, what);
    }

    /// The recorders, each with the requests that are still in flight: of all steps, and of each.
    pub(crate) fn end(self) -> ((Recorder, InFlight), Vec<(Recorder, InFlight)>) {
        let patience = self.total.patience();
        let still = |sent: &Vec<Instant>| {
            let forsaken = sent.iter().filter(|it| it.elapsed() >= patience).count() as u64;
            InFlight { forsaken, unfinished: sent.len() as u64 - forsaken }
        };
        let of_steps: Vec<InFlight> = self.in_flight.iter().map(still).collect();
        let sum = |of: fn(&InFlight) -> u64| of_steps.iter().map(of).sum();
        let all = InFlight { forsaken: sum(|it| it.forsaken), unfinished: sum(|it| it.unfinished) };
        ((self.total, all), self.steps.into_iter().zip(of_steps).collect())
    }
}
