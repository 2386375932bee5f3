//! One shot: the threads of a plan, let go together, until the requests or the time are used up.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, OnceLock};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::course::Course;
use crate::plan::{LoadError, LoadPlan, Pace, Protocol};
use crate::schedule::Moments;
use crate::series::{Second, Watch};
use crate::tally::Tally;
use crate::think::Think;
use crate::worker::Worker;
use crate::{closed, http2, lack, open};

/// What the threads of a shot share.
pub(crate) struct Shared<'a> {
    pub(crate) plan: &'a LoadPlan,
    pub(crate) watch: &'a Watch,
    /// Requests begun so far.
    begun: AtomicU64,
    start: Barrier,
    /// What the generator ran out of, if it did: the end for all threads.
    lack: OnceLock<LoadError>,
    threads: usize,
}

impl<'a> Shared<'a> {
    /// May one more request be made?
    pub(crate) fn next(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed) < self.plan.requests
    }

    /// Has the last request been begun?
    pub(crate) fn is_spent(&self) -> bool {
        self.begun.load(Ordering::Relaxed) >= self.plan.requests
    }

    /// Is there nothing more to be sent, whatever the time?
    pub(crate) fn is_stopped(&self) -> bool {
        self.watch.is_stopped() || self.lack.get().is_some()
    }

    /// A connection could not be opened; if that is for want of something here, it is no answer of the server's.
    pub(crate) fn unconnected(&self, error: Option<&io::Error>) {
        if let Some(lack) = error.and_then(lack::of) {
            self.lack.get_or_init(|| lack);
        }
    }

    /// A thread's part of the connections.
    fn share(&self, thread: usize) -> usize {
        (self.plan.connections() + self.threads - 1 - thread) / self.threads
    }

    /// A thread's part of what is sent by plan; a closed loop has none.
    fn course(&self, thread: usize) -> Option<Course<'a>> {
        match &self.plan.pace {
            Pace::Closed { .. } => None,
            Pace::Open { schedule, arrivals, .. } => {
                let seed = self.plan.seed;
                let moments = Moments::new(schedule, *arrivals, seed, thread, self.threads);
                Some(Course::Planned(moments))
            }
            Pace::Replay { replay, .. } => Some(Course::Told(replay.share(thread, self.threads))),
        }
    }
}

/// Fires one shot and waits for its end.
pub(crate) fn fire(plan: &LoadPlan, watch: &Watch) -> Result<(Tally, Vec<Second>), LoadError> {
    let threads = plan.threads.min(plan.connections());
    let start = Barrier::new(threads);
    let shared =
        Shared { plan, watch, begun: AtomicU64::new(0), start, lack: OnceLock::new(), threads };
    watch.begin_shot(threads);
    let total = std::thread::scope(|scope| {
        let mut running = Vec::with_capacity(threads);
        for thread in 0..threads {
            let shared = &shared;
            running.push(
                std::thread::Builder::new()
                    .name(format!("load-{thread}"))
                    .spawn_scoped(scope, move || one_thread(shared, thread))?,
            );
        }
        let mut total = Tally::new()?;
        for thread in running {
            let part = thread
                .join()
                .map_err(|_| LoadError::System(io::Error::other("a thread panicked")))??;
            total.add(&part)?;
            total.elapsed = total.elapsed.max(part.elapsed);
            total.played = total.played.max(part.played);
        }
        total.offered = plan.pace.due_within(total.played);
        Ok::<_, LoadError>(total)
    })?;
    match shared.lack.into_inner() {
        Some(lack) => Err(lack),
        None => Ok((total, watch.end_shot())),
    }
}

fn one_thread(shared: &Shared<'_>, thread: usize) -> Result<Tally, LoadError> {
    match shared.plan.protocol {
        Protocol::Http1 => by_http1(shared, thread),
        Protocol::Http2 { streams } => by_http2(shared, thread, streams),
    }
}

fn by_http1(shared: &Shared<'_>, thread: usize) -> Result<Tally, LoadError> {
    let worker = Worker::new(shared, thread);
    // Reached also when there is no poll, or the other threads would wait for ever.
    shared.start.wait();
    let mut worker = worker?;
    let cpu_before = cpu_time()?;
    worker.start();
    let share = shared.share(thread);
    let mut tally = match shared.course(thread) {
        None => closed::run(worker, share, Think::of(shared.plan, thread)),
        Some(course) => open::run(worker, course, share),
    }?;
    tally.cpu = cpu_time()?.saturating_sub(cpu_before);
    Ok(tally)
}

fn by_http2(shared: &Shared<'_>, thread: usize, streams: NonZeroUsize) -> Result<Tally, LoadError> {
    let worker = http2::Worker::new(shared, thread, streams);
    shared.start.wait();
    let worker = worker?;
    let cpu_before = cpu_time()?;
    let mut tally = worker.run(shared.share(thread), shared.course(thread))?;
    tally.cpu = cpu_time()?.saturating_sub(cpu_before);
    Ok(tally)
}

/// Processor time that this thread has used, user and system.
pub(crate) fn cpu_time() -> Result<Duration, LoadError> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).map_err(io::Error::from)?;
    let microseconds =
        usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)))
}
