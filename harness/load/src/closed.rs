//! The closed loop: each client sends its next request when it has its answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mio::Events;

use crate::connection::{Broken, Progress};
use crate::plan::LoadError;
use crate::tally::Tally;
use crate::worker::Worker;

/// A client that got no connection waits so long before its next request: it would do nothing else but fail.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

/// Runs one thread's clients until the requests or the time are used up.
pub(crate) fn run(worker: Worker<'_>, clients: usize) -> Result<Tally, LoadError> {
    Loop { worker, pausing: VecDeque::new() }.run(clients)
}

struct Loop<'a> {
    worker: Worker<'a>,
    /// Clients that got no connection, and when each goes on: the soonest first.
    pausing: VecDeque<(Instant, usize)>,
}

impl Loop<'_> {
    fn run(mut self, clients: usize) -> Result<Tally, LoadError> {
        let mut events = Events::with_capacity(clients.clamp(16, 1024));
        for _ in 0..clients {
            let slot = self.worker.add();
            self.next(slot, Instant::now());
        }
        while self.worker.busy > 0 || !self.pausing.is_empty() {
            let deadline = self.worker.deadline;
            let until = self.pausing.front().map_or(deadline, |(at, _)| deadline.min(*at));
            self.worker.wait(&mut events, Some(until))?;
            for event in &events {
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
                self.next(slot, now);
            }
            while self.pausing.front().is_some_and(|(at, _)| *at <= now)
                && let Some((_, slot)) = self.pausing.pop_front()
            {
                self.next(slot, now);
            }
        }
        Ok(self.worker.end(Instant::now()))
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.worker.deadline || self.worker.shared.is_stopped()
    }

    /// The client's next request.
    fn next(&mut self, slot: usize, now: Instant) {
        if self.is_over(now) || !self.worker.shared.next() {
            return;
        }
        let progress = self.worker.begin(slot, None, now, now);
        if progress != Progress::Pending {
            let now = Instant::now();
            self.worker.finish(slot, progress, now);
            // Not at once, or it would keep all others from their turn.
            self.pausing.push_back((now + PAUSE, slot));
        }
    }

    fn ended(&mut self, slot: usize, progress: Progress) {
        let now = Instant::now();
        self.worker.finish(slot, progress, now);
        match progress {
            Progress::Failed(Broken::Connect) => self.pausing.push_back((now + PAUSE, slot)),
            _ => self.next(slot, now),
        }
    }
}
