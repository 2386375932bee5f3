//! The closed loop: each client sends its next request when it has its answer.

use std::time::Instant;

use mio::Events;

use crate::connection::Progress;
use crate::plan::LoadError;
use crate::tally::Tally;
use crate::worker::Worker;

/// Runs one thread's clients until the requests or the time are used up.
pub(crate) fn run(mut worker: Worker<'_>, clients: usize) -> Result<Tally, LoadError> {
    let mut events = Events::with_capacity(clients.clamp(16, 1024));
    for _ in 0..clients {
        let slot = worker.add();
        next(&mut worker, slot, Instant::now());
    }
    while worker.busy > 0 {
        let deadline = worker.deadline;
        worker.wait(&mut events, Some(deadline))?;
        for event in &events {
            let slot = event.token().0;
            let progress = worker.ready(slot, event);
            if progress != Progress::Pending {
                let now = Instant::now();
                worker.finish(slot, progress, now);
                next(&mut worker, slot, now);
            }
        }
        let now = Instant::now();
        if is_over(&worker, now) {
            worker.forsaken(now);
            worker.meter.tally.unfinished += worker.busy as u64;
            return Ok(worker.end(now));
        }
        for slot in worker.tick(now) {
            next(&mut worker, slot, now);
        }
    }
    Ok(worker.end(Instant::now()))
}

fn is_over(worker: &Worker<'_>, now: Instant) -> bool {
    now >= worker.deadline || worker.watch().is_stopped()
}

/// The client's next request, and the next again where it fails at once.
fn next(worker: &mut Worker<'_>, slot: usize, mut now: Instant) {
    while !is_over(worker, now) && worker.shared.next() {
        let progress = worker.begin(slot, None, now, now);
        if progress == Progress::Pending {
            return;
        }
        now = Instant::now();
        worker.finish(slot, progress, now);
    }
}
