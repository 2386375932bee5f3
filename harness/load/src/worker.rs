//! One thread's connections, their events, and what they came to: all that both loops share.

use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::connection::{Broken, Connection, Lent, Progress};
use crate::plan::{LoadError, LoadPlan};
use crate::random::Random;
use crate::series::{Part, Watch};
use crate::shot::Shared;
use crate::tally::Tally;

/// How often time limits, the stop and the second are looked at when nothing else happens.
const TICK: Duration = Duration::from_millis(100);
/// One read takes what a socket holds of small answers in one call.
const BUFFER_OCTETS: usize = 64 * 1024;

/// A thread of a shot.
pub(crate) struct Worker<'a> {
    pub(crate) shared: &'a Shared<'a>,
    pub(crate) poll: Poll,
    pub(crate) connections: Vec<Connection>,
    pub(crate) busy: usize,
    pub(crate) tally: Tally,
    pub(crate) started: Instant,
    pub(crate) deadline: Instant,
    pub(crate) last_answer: Instant,
    buffer: Vec<u8>,
    draw: Draw,
    part: Part,
    second: u64,
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
            tally: Tally::new()?,
            started: now,
            deadline: now,
            last_answer: now,
            buffer: vec![0; BUFFER_OCTETS],
            draw: Draw::new(shared.plan, thread),
            part: Part::new()?,
            second: 0,
            ticked: now,
        })
    }

    /// The shot begins now, for all threads.
    pub(crate) fn start(&mut self) {
        let now = Instant::now();
        (self.started, self.ticked, self.last_answer) = (now, now, now);
        self.deadline = now + self.shared.plan.time_limit;
    }

    pub(crate) fn watch(&self) -> &'a Watch {
        self.shared.watch
    }

    /// Adds a place for a connection.
    pub(crate) fn add(&mut self) -> usize {
        let slot = self.connections.len();
        self.connections.push(Connection::new(Token(slot), self.started));
        slot
    }

    /// Begins an exchange. Only what did not end at once is left pending.
    pub(crate) fn begin(&mut self, slot: usize, intended: Instant, began: Instant) -> Progress {
        let request = self.draw.next();
        self.busy += 1;
        let (connection, mut lent) = self.lend(slot);
        connection.begin(&mut lent, request, intended, began)
    }

    pub(crate) fn ready(&mut self, slot: usize, event: &mio::event::Event) -> Progress {
        let (connection, mut lent) = self.lend(slot);
        connection.ready(&mut lent, event)
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
                let times = &self.connections[slot].times;
                self.part.answer(self.tally.answer(answer, times, end));
                self.last_answer = end;
            }
            Progress::Failed(why) => self.fails(why),
        }
        self.busy -= 1;
    }

    fn fails(&mut self, why: Broken) {
        self.tally.errors.count(why);
        self.part.error();
    }

    /// Waits for events, at most until `until` and never longer than a tick.
    pub(crate) fn wait(
        &mut self,
        events: &mut Events,
        until: Option<Instant>,
    ) -> Result<(), LoadError> {
        let wait = until.map_or(TICK, |until| until.saturating_duration_since(Instant::now()));
        match self.poll.poll(events, Some(wait.min(TICK))) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => Ok(other?),
        }
    }

    /// Tells of the seconds that are over, and gives up what has taken too long: those places are free.
    pub(crate) fn tick(&mut self, now: Instant) -> Vec<usize> {
        while self.second < (now - self.started).as_secs() {
            self.watch().tell(self.second, &self.part);
            self.part.clear();
            self.second += 1;
        }
        if now - self.ticked < TICK {
            return Vec::new();
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
        expired
    }

    /// The end: the last second, unfinished as it is.
    pub(crate) fn end(mut self, over: Instant) -> Tally {
        self.watch().tell(self.second, &self.part);
        self.tally.connections = self.connections.len() as u64;
        self.tally.elapsed = over - self.started;
        self.tally
    }
}

/// Draws from the plan's mix by weight.
struct Draw {
    /// Sums of the weights up to each request; empty where there is only one.
    sums: Vec<u64>,
    random: Random,
}

impl Draw {
    fn new(plan: &LoadPlan, thread: usize) -> Self {
        let mut sum = 0;
        let sums = plan.mix.iter().map(|request| {
            sum += u64::from(request.weight);
            sum
        });
        let sums = if plan.mix.len() > 1 { sums.collect() } else { Vec::new() };
        Self { sums, random: Random::new(plan.seed.wrapping_add(thread as u64 * 1_000_003)) }
    }

    fn next(&mut self) -> usize {
        let Some(total) = self.sums.last() else { return 0 };
        let drawn = self.random.below(*total as usize) as u64;
        self.sums.partition_point(|sum| *sum <= drawn)
    }
}
