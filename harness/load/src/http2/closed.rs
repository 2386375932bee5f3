//! The closed loop: each stream is a client that sends its next request when it has its answer, and has thought if clients
//! do.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{Line, Worker};
use tokio::sync::Notify;

use crate::closed::PAUSE;
use crate::connection::Broken;
use crate::think::Think;

/// When the request that a client waits for began; nothing where it waits for none.
type Since = Cell<Option<Instant>>;

/// How clients think.
struct Thinking {
    think: RefCell<Think>,
    /// No request is left: told to who thinks.
    over: Notify,
}

/// Runs one thread's clients until the requests or the time are used up; when that was.
pub(super) async fn run(worker: &Worker<'_>, connections: usize, think: Option<Think>) -> Instant {
    let think = think.map(|think| Thinking { think: think.into(), over: Notify::new() });
    let lines: Vec<Line<'_>> = (0..connections).map(|_| worker.line()).collect();
    let streams = worker.streams.get();
    let waiting: Vec<Since> = (0..connections * streams).map(|_| Cell::new(None)).collect();
    let mut clients: FuturesUnordered<_> = waiting
        .iter()
        .enumerate()
        .map(|(number, since)| client(worker, &lines[number / streams], since, think.as_ref()))
        .collect();
    tokio::select! {
        biased;
        () = time_is_up(worker) => {}
        () = async { while clients.next().await.is_some() {} } => {}
    }
    let mut meter = worker.meter.borrow_mut();
    let now = match think.is_some() && worker.shared.is_spent() {
        true => meter.last_answer,
        false => Instant::now(),
    };
    let beyond = meter.tally.beyond_proportion();
    for began in waiting.iter().filter_map(Cell::get) {
        // As in the closed loop over HTTP/1: that is no accident of where the end fell.
        match now - began >= beyond {
            true => meter.failed(Broken::Timeout, None),
            false => meter.tally.unfinished += 1,
        }
    }
    now
}

async fn client(worker: &Worker<'_>, line: &Line<'_>, since: &Since, think: Option<&Thinking>) {
    let mut lane = None;
    loop {
        if let Some(Thinking { think, over }) = think {
            // Who thinks about a request that he may not make is not waited for.
            if worker.shared.is_spent() {
                return over.notify_waiters();
            }
            let time = think.borrow_mut().next();
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = over.notified() => return,
            }
        }
        let now = Instant::now();
        if worker.is_over(now) || !worker.shared.next() {
            return think.map_or((), |thinking| thinking.over.notify_waiters());
        }
        since.set(Some(now));
        let played = worker.play(line, &mut lane, None, now, now).await;
        since.set(None);
        if played == Err(Broken::Connect) && think.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn time_is_up(worker: &Worker<'_>) {
    while !worker.is_over(Instant::now()) {
        worker.tick().await;
    }
}
