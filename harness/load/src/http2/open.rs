//! The open loop: requests are sent at moments that were decided before, each on a stream that is free.

use std::collections::VecDeque;
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::timer::Timer;
use super::{Lane, Line, Worker};
use crate::awake::Awake;
use crate::course::{Course, Due};
use crate::open::MOST_IN_A_ROW;
use crate::plan::LoadError;
use crate::worker::TICK;

/// Where one request at a time is under way.
struct Seat {
    line: usize,
    lane: Option<Lane>,
}

/// Runs one thread's part of the schedule; when it was over, and the connections used.
pub(super) async fn run(
    worker: &Worker<'_>,
    mut course: Course<'_>,
    most_connections: usize,
) -> Result<(Instant, usize), LoadError> {
    let lines: Vec<Line<'_>> = (0..most_connections).map(|_| worker.line()).collect();
    let timer = Timer::new()?;
    let started = worker.meter.borrow().started;
    let mut ends = course.ends(started, worker.deadline);
    let give_up = worker.deadline + worker.shared.plan.request_limit;
    let mut seats = Seats {
        streams: worker.streams.get(),
        lines: most_connections,
        used: 0,
        resting: Vec::new(),
    };
    let mut waiting: VecDeque<Due> = VecDeque::new();
    let mut flying = FuturesUnordered::new();
    let mut next = || course.next_due(started, worker.deadline);
    let mut due = next();
    let mut sent_all = started;
    let mut awake = Awake::new(started);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let mut now = Instant::now();
        for _ in 0..MOST_IN_A_ROW {
            let Some(first) = due.filter(|due| due.at <= now) else { break };
            if !worker.shared.next() {
                ends = first.at;
                due = None;
                break;
            }
            awake.acts(now);
            worker.meter.borrow_mut().tally.taken_up(now - first.at);
            match seats.take() {
                Some(seat) => flying.push(send(worker, &lines, seat, first, now)),
                None => {
                    worker.meter.borrow_mut().tally.waited += 1;
                    waiting.push_back(first);
                }
            }
            due = next();
            now = Instant::now();
        }
        let stopped = worker.is_stopped();
        if stopped || now >= give_up {
            // What was due by now and never sent is not forgotten.
            while due.is_some_and(|due| due.at <= now) && worker.shared.next() {
                worker.meter.borrow_mut().tally.unfinished += 1;
                due = next();
            }
            due = None;
            ends = ends.min(now);
        }
        if due.is_some() {
            sent_all = now;
        } else {
            worker.meter.borrow_mut().tally.unfinished += waiting.len() as u64;
            waiting.clear();
            if stopped || flying.is_empty() {
                let mut meter = worker.meter.borrow_mut();
                meter.tally.unfinished += flying.len() as u64;
                meter.tally.played = ends - started;
                return Ok((sent_all.max(meter.last_answer).max(ends), seats.used));
            }
        }
        now = Instant::now();
        let at = due.map(|due| due.at);
        let behind = at.is_some_and(|at| at <= now);
        let stays = behind || awake.stays(now, at, !flying.is_empty());
        tokio::select! {
            biased;
            Some(seat) = flying.next(), if !flying.is_empty() => {
                now = Instant::now();
                awake.acts(now);
                match waiting.pop_front() {
                    Some(first) => flying.push(send(worker, &lines, seat, first, now)),
                    None => seats.resting.push(seat),
                }
            }
            // A generator that is behind still reads.
            () = tokio::task::yield_now(), if stays => {}
            waited = until(&timer, due), if due.is_some() && !stays => waited?,
            _ = ticks.tick() => {}
        }
        worker.meter.borrow_mut().tell(Instant::now());
    }
}

async fn until(timer: &Timer, due: Option<Due>) -> Result<(), LoadError> {
    let Some(due) = due else { return Ok(()) };
    timer.after(due.at.saturating_duration_since(Instant::now())).await
}

/// Sends what was due; gives its seat back.
async fn send(
    worker: &Worker<'_>,
    lines: &[Line<'_>],
    mut seat: Seat,
    due: Due,
    began: Instant,
) -> Seat {
    // What came of it is counted.
    let _ = worker.play(&lines[seat.line], &mut seat.lane, due.request, due.at, began).await;
    seat
}

/// Seats that are free, and lines that were not needed yet.
struct Seats {
    streams: usize,
    lines: usize,
    used: usize,
    /// The last used on top: few connections stay warm.
    resting: Vec<Seat>,
}

impl Seats {
    fn take(&mut self) -> Option<Seat> {
        if self.resting.is_empty() && self.used < self.lines {
            let line = self.used;
            self.used += 1;
            self.resting.extend((0..self.streams).map(|_| Seat { line, lane: None }));
        }
        self.resting.pop()
    }
}
