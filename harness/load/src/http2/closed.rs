//! The closed loop: each stream is a client that sends its next request when it has its answer, and has thought if clients
//! do.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{Line, Worker};
use crate::closed::PAUSE;
use crate::connection::Broken;
use crate::think::Think;

/// When the request that a client waits for began; nothing where it waits for none.
type Since = Cell<Option<Instant>>;

/// Runs one thread's clients until the requests or the time are used up; when that was.
pub(super) async fn run(
    worker: &Worker<'_>,
    connections: usize,
    think: Option<RefCell<Think>>,
) -> Instant {
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
    let now = Instant::now();
    let mut meter = worker.meter.borrow_mut();
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

async fn client(
    worker: &Worker<'_>,
    line: &Line<'_>,
    since: &Since,
    think: Option<&RefCell<Think>>,
) {
    let mut lane = None;
    loop {
        if let Some(think) = think {
            let time = think.borrow_mut().next();
            tokio::time::sleep(time).await;
        }
        let now = Instant::now();
        if worker.is_over(now) || !worker.shared.next() {
            return;
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
