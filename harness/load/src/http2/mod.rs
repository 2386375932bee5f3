//! The same load by HTTP/2: one runtime a thread, many requests at a time on each connection.
//!
//! What the crate `h2` needs (waking, flow control, a header table) is not what the loops over HTTP/1 are built
//! of, so that these are loops of their own. They count into the same [`Meter`].

mod closed;
mod exchange;
mod line;
mod message;
mod open;
mod timer;

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::connection::{Answered, Broken, Times};
use crate::course::Course;
use crate::draw::Draw;
use crate::meter::Meter;
use crate::plan::LoadError;
use crate::shot::Shared;
use crate::tally::Tally;
use crate::think::Think;
use crate::worker::TICK;

use exchange::exchange;
use line::{Lane, Line};
use message::Message;

pub(crate) use line::Wire;

/// A thread of a shot.
pub(crate) struct Worker<'a> {
    shared: &'a Shared<'a>,
    thread: usize,
    runtime: tokio::runtime::Runtime,
    streams: NonZeroUsize,
    mix: Vec<Message>,
    draw: RefCell<Draw>,
    meter: RefCell<Meter<'a>>,
    /// Octets that came on all connections.
    received: Arc<AtomicU64>,
    deadline: Instant,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(
        shared: &'a Shared<'a>,
        thread: usize,
        streams: NonZeroUsize,
    ) -> Result<Self, LoadError> {
        let https = shared.plan.endpoint.tls.is_some();
        let mix = shared.plan.mix.iter().map(|request| Message::of(&request.bytes, https));
        Ok(Self {
            shared,
            thread,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            streams,
            mix: mix.collect::<Result<_, _>>()?,
            draw: RefCell::new(Draw::new(shared.plan, thread)),
            meter: RefCell::new(Meter::new(shared.watch)?),
            received: Arc::default(),
            deadline: Instant::now(),
        })
    }

    /// The shot begins now; with a course it is an open loop.
    pub(crate) fn run(
        mut self,
        connections: usize,
        course: Option<Course<'a>>,
    ) -> Result<Tally, LoadError> {
        let think = Think::of(self.shared.plan, self.thread);
        let now = Instant::now();
        self.meter.get_mut().start(now);
        self.deadline = now + self.shared.plan.time_limit;
        let (over, used) = self.runtime.block_on(async {
            match course {
                None => Ok((closed::run(&self, connections, think).await, connections)),
                Some(course) => open::run(&self, course, connections).await,
            }
        })?;
        let mut tally = self.meter.into_inner().end(over, used);
        tally.bytes = self.received.load(Ordering::Relaxed);
        Ok(tally)
    }

    fn line(&self) -> Line<'a> {
        Line::new(&self.shared.plan.endpoint, Arc::clone(&self.received))
    }

    /// Plays one request to its end, and counts it; what went wrong with it.
    async fn play(
        &self,
        line: &Line<'_>,
        lane: &mut Option<Lane>,
        request: Option<usize>,
        intended: Instant,
        began: Instant,
    ) -> Result<(), Broken> {
        let request = request.unwrap_or_else(|| self.draw.borrow_mut().next());
        let mut times = Times { intended, began, connected: None, first_byte: None };
        let limit = self.shared.plan.request_limit;
        let mut retried = 0;
        let played = exchange(line, lane, &self.mix[request], &mut times, &mut retried);
        let outcome = tokio::time::timeout(limit, played).await;
        let end = Instant::now();
        let mut meter = self.meter.borrow_mut();
        meter.tally.retried += retried;
        let why = match outcome {
            Ok(Ok(status)) => {
                // Octets are counted where they are read.
                meter.answered(Answered { status, bytes: 0 }, &times, end);
                return Ok(());
            }
            Ok(Err(why)) => why,
            Err(_) => Broken::Timeout,
        };
        let error = line.error();
        let error = error.as_ref().filter(|_| why == Broken::Connect);
        self.shared.unconnected(error);
        meter.failed(why, error);
        Err(why)
    }

    fn is_stopped(&self) -> bool {
        self.shared.is_stopped()
    }

    fn is_over(&self, now: Instant) -> bool {
        now >= self.deadline || self.is_stopped()
    }

    /// Waits a tick, or until the end if that is earlier, and tells of the seconds that are over.
    async fn tick(&self) {
        let next = Instant::now() + TICK;
        tokio::time::sleep_until(self.deadline.min(next).into()).await;
        self.meter.borrow_mut().tell(Instant::now());
    }
}
