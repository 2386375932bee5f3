//! The open loop: requests are sent at moments that were decided before, whatever the target does.

use std::collections::VecDeque;
use std::time::Instant;

use mio::Events;

use crate::awake::Awake;
use crate::connection::Progress;
use crate::course::{Course, Due};
use crate::plan::LoadError;
use crate::tally::Tally;
use crate::timer::{TIMER, Timer};
use crate::worker::Worker;

/// After so many requests in a row answers are looked at, so that a generator that is behind still reads.
pub(crate) const MOST_IN_A_ROW: usize = 64;

/// Runs one thread's part of the schedule.
pub(crate) fn run(
    worker: Worker<'_>,
    course: Course<'_>,
    most_connections: usize,
) -> Result<Tally, LoadError> {
    let timer = Timer::new(&worker.poll)?;
    let ends = course.ends(worker.meter.started, worker.deadline);
    let give_up = worker.deadline + worker.shared.plan.request_limit;
    let awake = Awake::new(worker.meter.started);
    Loop {
        worker,
        course,
        most_connections,
        resting: Vec::new(),
        waiting: VecDeque::new(),
        due: None,
        timer,
        awake,
        ends,
        give_up,
    }
    .run()
}

struct Loop<'a> {
    worker: Worker<'a>,
    course: Course<'a>,
    most_connections: usize,
    /// Connections without a request, the last used on top: few stay warm.
    resting: Vec<usize>,
    /// Requests that wait for a connection, the oldest first.
    waiting: VecDeque<Due>,
    /// What is to be sent next; `None` when nothing is left.
    due: Option<Due>,
    timer: Timer,
    awake: Awake,
    /// The schedule is played until then.
    ends: Instant,
    /// A generator that is behind catches up after the deadline, but not for ever.
    give_up: Instant,
}

impl Loop<'_> {
    fn run(mut self) -> Result<Tally, LoadError> {
        let mut events = Events::with_capacity(1024);
        self.due = self.next_due();
        let mut sent_all = self.worker.meter.started;
        loop {
            let now = self.send_what_is_due();
            let stopped = self.worker.shared.is_stopped();
            if stopped || now >= self.give_up {
                self.forget_the_rest();
            }
            if self.due.is_some() {
                sent_all = now;
            } else {
                // What waits still was never sent.
                self.worker.meter.tally.unfinished += self.waiting.len() as u64;
                self.waiting.clear();
                if stopped || self.worker.busy == 0 {
                    self.worker.meter.tally.unfinished += self.worker.busy as u64;
                    self.worker.meter.tally.played = self.ends - self.worker.meter.started;
                    let over = sent_all.max(self.worker.meter.last_answer).max(self.ends);
                    return Ok(self.worker.end(over));
                }
            }
            self.wait(&mut events, now)?;
            self.answers(&events);
        }
    }

    fn wait(&mut self, events: &mut Events, now: Instant) -> Result<(), LoadError> {
        let at = self.due.map(|due| due.at);
        let until = match self.due {
            Some(due) if due.at <= now => Some(now),
            _ if self.awake.stays(now, at, self.worker.busy > 0) => Some(now),
            Some(due) => {
                self.timer.set(due.at - now)?;
                None
            }
            None => None,
        };
        self.worker.wait(events, until)
    }

    fn answers(&mut self, events: &Events) {
        for event in events.iter().filter(|event| event.token() != TIMER) {
            let slot = event.token().0;
            let progress = self.worker.ready(slot, event);
            if progress != Progress::Pending {
                let now = Instant::now();
                self.awake.acts(now);
                self.worker.finish(slot, progress, now);
                self.is_free(slot, now);
            }
        }
        let now = Instant::now();
        for slot in self.worker.tick(now) {
            self.is_free(slot, now);
        }
    }

    /// Sends what is due; the time when that was done.
    fn send_what_is_due(&mut self) -> Instant {
        let mut now = Instant::now();
        for _ in 0..MOST_IN_A_ROW {
            let Some(due) = self.due.filter(|due| due.at <= now) else { break };
            if !self.worker.shared.next() {
                self.ends = due.at;
                self.due = None;
                break;
            }
            self.worker.meter.tally.taken_up(now - due.at);
            self.awake.acts(now);
            self.send(due, now);
            self.due = self.next_due();
            now = Instant::now();
        }
        now
    }

    /// The next before the deadline.
    fn next_due(&mut self) -> Option<Due> {
        self.course.next_due(self.worker.meter.started, self.worker.deadline)
    }

    /// What was due by now and never sent is not forgotten: it counts as unfinished.
    fn forget_the_rest(&mut self) {
        let now = Instant::now();
        while self.due.is_some_and(|due| due.at <= now) && self.worker.shared.next() {
            self.worker.meter.tally.unfinished += 1;
            self.due = self.next_due();
        }
        self.due = None;
        self.ends = self.ends.min(now);
    }

    fn send(&mut self, due: Due, now: Instant) {
        let slot = match self.resting.pop() {
            Some(slot) => slot,
            None if self.worker.connections.len() < self.most_connections => self.worker.add(),
            None => {
                self.worker.meter.tally.waited += 1;
                self.waiting.push_back(due);
                return;
            }
        };
        let progress = self.worker.begin(slot, due.request, due.at, now);
        if progress != Progress::Pending {
            self.worker.finish(slot, progress, Instant::now());
            self.resting.push(slot);
        }
    }

    /// A connection has no request now: the oldest that waits gets it.
    fn is_free(&mut self, slot: usize, mut now: Instant) {
        while let Some(due) = self.waiting.pop_front() {
            let progress = self.worker.begin(slot, due.request, due.at, now);
            if progress == Progress::Pending {
                return;
            }
            now = Instant::now();
            self.worker.finish(slot, progress, now);
        }
        self.resting.push(slot);
    }
}
