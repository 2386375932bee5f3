//! One thread's connections, their events, and what they came to: all that both loops share.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Broken, Connection, Lent, Progress};
use crate::draw::Draw;
use crate::meter::Meter;
use crate::plan::{LoadError, LoadPlan};
use crate::shot::Shared;
use crate::tally::Tally;

/// How often time limits, the stop and the second are looked at when nothing else happens.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// Where the server's queue for new connections is full, it is tried again after this: nothing tells of room in it.
pub(crate) const AGAIN: Duration = Duration::from_millis(1);
/// One read takes what a socket holds of small answers in one call.
const BUFFER_OCTETS: usize = 64 * 1024;

/// A thread of a shot.
pub(crate) struct Worker<'a> {
    pub(crate) shared: &'a Shared<'a>,
    pub(crate) poll: Poll,
    pub(crate) connections: Vec<Connection>,
    pub(crate) busy: usize,
    pub(crate) meter: Meter<'a>,
    pub(crate) deadline: Instant,
    /// Connections that wait for room in the server's queue, and when each is tried again: the soonest first.
    again: VecDeque<(Instant, usize)>,
    buffer: Vec<u8>,
    draw: Draw,
    ticked: Instant,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(shared: &'a Shared<'a>, thread: usize) -> Result<Self, LoadError> {
        let now = Instant::now();
        Ok(Self {
            shared,
            poll: Poll::new()?,
            connections: Vec::new(),
            busy: 0,
            meter: Meter::new(shared.watch)?,
            deadline: now,
            again: VecDeque::new(),
            buffer: vec![0; BUFFER_OCTETS],
            draw: Draw::new(shared.plan, thread),
            ticked: now,
        })
    }

    /// The shot begins now, for all threads.
    pub(crate) fn start(&mut self) {
        let now = Instant::now();
        self.meter.start(now);
        self.ticked = now;
        self.deadline = now + self.shared.plan.time_limit;
    }

    /// Adds a place for a connection.
    pub(crate) fn add(&mut self) -> usize {
        let slot = self.connections.len();
        self.connections.push(Connection::new(Token(slot), self.meter.started));
        slot
    }

    /// Begins an exchange, with this of the plan's requests or one that is drawn. Only what did not end at once
    /// is left pending.
    pub(crate) fn begin(
        &mut self,
        slot: usize,
        request: Option<usize>,
        intended: Instant,
        began: Instant,
    ) -> Progress {
        let request = request.unwrap_or_else(|| self.draw.next());
        self.busy += 1;
        let (connection, mut lent) = self.lend(slot);
        let progress = connection.begin(&mut lent, request, intended, began);
        self.watched(slot, progress)
    }

    pub(crate) fn ready(&mut self, slot: usize, event: &mio::event::Event) -> Progress {
        let (connection, mut lent) = self.lend(slot);
        let rests = !connection.is_busy();
        let progress = connection.ready(&mut lent, event);
        match progress {
            Progress::Failed(why) if rests => self.unasked(why),
            progress => return self.watched(slot, progress),
        }
        Progress::Pending
    }

    /// Remembers a connection that is to be tried again.
    fn watched(&mut self, slot: usize, progress: Progress) -> Progress {
        if self.connections[slot].is_queuing() {
            self.again.push_back((Instant::now() + AGAIN, slot));
        }
        progress
    }

    /// Counts what a connection got that had nothing under way.
    fn unasked(&mut self, why: Broken) {
        self.meter.failed(why, None);
    }

    fn lend(&mut self, slot: usize) -> (&mut Connection, Lent<'_>) {
        let plan: &LoadPlan = self.shared.plan;
        let lent = Lent { plan, registry: self.poll.registry(), buffer: &mut self.buffer };
        (&mut self.connections[slot], lent)
    }

    /// Counts the end of an exchange.
    pub(crate) fn finish(&mut self, slot: usize, progress: Progress, end: Instant) {
        match progress {
            Progress::Pending => return,
            Progress::Done(answer) => {
                self.meter.answered(answer, &self.connections[slot].times, end);
            }
            Progress::Failed(why) => {
                let error = self.connections[slot].error.as_ref();
                if why == Broken::Connect {
                    self.shared.unconnected(error);
                }
                self.meter.failed(why, error);
            }
        }
        self.meter.tally.retried += u64::from(self.connections[slot].retried);
        self.busy -= 1;
    }

    /// Waits for events, at most until `until` and never longer than a tick.
    pub(crate) fn wait(
        &mut self,
        events: &mut Events,
        until: Option<Instant>,
    ) -> Result<(), LoadError> {
        let until = until.into_iter().chain(self.again.front().map(|(at, _)| *at)).min();
        let wait = until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()));
        match self.poll.poll(events, Some(wait.min(TICK))) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// Tells of the seconds that are over, tries again what is to be, and gives up what has taken too long: the places
    /// whose exchange came to nothing, which are free.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<usize> {
        self.meter.tell(now);
        let mut free = self.try_again(now);
        if now - self.ticked < TICK {
            return free;
        }
        self.ticked = now;
        let limit = self.shared.plan.request_limit;
        let late =
            |connection: &Connection| connection.is_busy() && now - connection.times.began >= limit;
        let expired: Vec<usize> =
            (0..self.connections.len()).filter(|slot| late(&self.connections[*slot])).collect();
        for slot in &expired {
            let why = self.connections[*slot].give_up();
            self.finish(*slot, Progress::Failed(why), now);
        }
        free.extend(expired);
        free
    }

    fn try_again(&mut self, now: Instant) -> Vec<usize> {
        let mut free = Vec::new();
        while self.again.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, slot)) = self.again.pop_front()
        {
            let (connection, mut lent) = self.lend(slot);
            let progress = connection.again(&mut lent);
            if self.watched(slot, progress) != Progress::Pending {
                self.finish(slot, progress, now);
                free.push(slot);
            }
        }
        free
    }

    /// At the end: requests that were waited for out of all proportion had no answer, and are no accident of where the
    /// end fell.
    pub(crate) fn forsaken(&mut self, now: Instant) {
        let beyond = self.meter.tally.beyond_proportion();
        let is_forsaken = |connection: &Connection| {
            connection.is_busy() && now - connection.times.began >= beyond
        };
        let slots: Vec<usize> = (0..self.connections.len())
            .filter(|slot| is_forsaken(&self.connections[*slot]))
            .collect();
        for slot in slots {
            let why = self.connections[slot].give_up();
            self.finish(slot, Progress::Failed(why), now);
        }
    }

    /// The end. What the server has said beyond the last answers is looked for.
    pub(crate) fn end(mut self, over: Instant) -> Tally {
        for slot in 0..self.connections.len() {
            let (connection, mut lent) = self.lend(slot);
            if !connection.is_busy()
                && let Progress::Failed(why) = connection.disturbed(&mut lent)
            {
                self.unasked(why);
            }
        }
        self.meter.end(over, self.connections.len())
    }
}
