//! The closed loop: each stream is a client that sends its next request when it has its answer.

use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{Line, Worker};
use crate::connection::Broken;

/// Runs one thread's clients until the requests or the time are used up; when that was.
pub(super) async fn run(worker: &Worker<'_>, connections: usize) -> Instant {
    let lines: Vec<Line<'_>> = (0..connections).map(|_| worker.line()).collect();
    let mut clients: FuturesUnordered<_> = lines
        .iter()
        .flat_map(|line| (0..worker.streams.get()).map(move |_| client(worker, line)))
        .collect();
    tokio::select! {
        biased;
        () = time_is_up(worker) => {
            let mut meter = worker.meter.borrow_mut();
            let busy = worker.busy.get();
            // Nobody had an answer: that is no accident of where the end fell.
            match meter.tally.latency.is_empty() {
                true => (0..busy).for_each(|_| meter.failed(Broken::Timeout, None)),
                false => meter.tally.unfinished += busy as u64,
            }
        }
        () = async { while clients.next().await.is_some() {} } => {}
    }
    Instant::now()
}

async fn client(worker: &Worker<'_>, line: &Line<'_>) {
    let mut lane = None;
    loop {
        let now = Instant::now();
        if worker.is_over(now) || !worker.shared.next() {
            return;
        }
        worker.play(line, &mut lane, None, now, now).await;
    }
}

async fn time_is_up(worker: &Worker<'_>) {
    while !worker.is_over(Instant::now()) {
        worker.tick().await;
    }
}
