//! The closed loop: each client sends its next request when it has its answer, and has thought if clients do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use mio::Events;

use crate::connection::{Broken, Progress};
use crate::plan::LoadError;
use crate::tally::Tally;
use crate::think::Think;
use crate::timer::{TIMER, Timer};
use crate::worker::Worker;

/// A client that got no connection waits so long before its next request: it would do nothing else but fail.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Runs one thread's clients until the requests or the time are used up.
pub(crate) fn run(
    worker: Worker<'_>,
    clients: usize,
    think: Option<Think>,
) -> Result<Tally, LoadError> {
    // Who pauses because nobody answers needs no timer of his own.
    let timer = think.is_some().then(|| Timer::new(&worker.poll)).transpose()?;
    Loop { worker, think, timer, pausing: BinaryHeap::new() }.run(clients)
}

struct Loop<'a> {
    worker: Worker<'a>,
    think: Option<Think>,
    timer: Option<Timer>,
    /// Clients that think, or got no connection, and when each goes on: the soonest on top.
    pausing: BinaryHeap<Reverse<(Instant, usize)>>,
}

impl Loop<'_> {
    fn run(mut self, clients: usize) -> Result<Tally, LoadError> {
        let mut events = Events::with_capacity(clients.clamp(16, 1024));
        for _ in 0..clients {
            let slot = self.worker.add();
            self.goes_on(slot, Instant::now());
        }
        // Who thinks about a request that he may not make is not waited for.
        while self.worker.busy > 0 || !(self.pausing.is_empty() || self.worker.shared.is_spent()) {
            self.wait(&mut events)?;
            for event in events.iter().filter(|event| event.token() != TIMER) {
                let slot = event.token().0;
                let progress = self.worker.ready(slot, event);
                if progress != Progress::Pending {
                    self.ended(slot, progress);
                }
            }
            let now = Instant::now();
            if self.is_over(now) {
                self.worker.forsaken(now);
                self.worker.meter.tally.unfinished += self.worker.busy as u64;
                return Ok(self.worker.end(now));
            }
            for slot in self.worker.tick(now) {
                self.goes_on(slot, now);
            }
            while self.pausing.peek().is_some_and(|Reverse((at, _))| *at <= now)
                && let Some(Reverse((_, slot))) = self.pausing.pop()
            {
                self.next(slot, now);
            }
        }
        let last = self.worker.meter.last_answer;
        Ok(self.worker.end(if self.think.is_some() { last } else { Instant::now() }))
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), LoadError> {
        let deadline = self.worker.deadline;
        let until = match (self.pausing.peek(), &self.timer) {
            (Some(Reverse((at, _))), Some(timer)) => {
                timer.set(at.saturating_duration_since(Instant::now()))?;
                deadline
            }
            (Some(Reverse((at, _))), None) => deadline.min(*at),
            (None, _) => deadline,
        };
        self.worker.wait(events, Some(until))
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.worker.deadline || self.worker.shared.is_stopped()
    }

    /// The client's next request, when it has thought.
    fn goes_on(&mut self, slot: usize, now: Instant) {
        match &mut self.think {
            Some(think) => self.pausing.push(Reverse((now + think.next(), slot))),
            None => self.next(slot, now),
        }
    }

    /// The client's next request, now.
    fn next(&mut self, slot: usize, now: Instant) {
        if self.is_over(now) || !self.worker.shared.next() {
            return;
        }
        let progress = self.worker.begin(slot, None, now, now);
        if progress != Progress::Pending {
            let now = Instant::now();
            self.worker.finish(slot, progress, now);
            // Not at once, or it would keep all others from their turn.
            self.pausing.push(Reverse((now + PAUSE, slot)));
        }
    }

    fn ended(&mut self, slot: usize, progress: Progress) {
        let now = Instant::now();
        self.worker.finish(slot, progress, now);
        match progress {
            Progress::Failed(Broken::Connect) if self.think.is_none() => {
                self.pausing.push(Reverse((now + PAUSE, slot)));
            }
            _ => self.goes_on(slot, now),
        }
    }
}
