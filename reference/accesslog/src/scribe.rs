//! The writer's thread: takes what waits, writes it, tries again what failed.

use std::{
    io, mem,
    sync::{Arc, PoisonError},
    time::Duration,
};

use edgeproof_mutant::{self as mutant, Mutant};

use crate::{
    file::LogFile,
    writer::{ENOUGH, Listener, Options, Shared, State, Trouble},
};

/// Octets of room that an idle log keeps, in each of its two buffers.
const KEPT: usize = 16 << 10;

/// Without a line for so long a log is idle. Between two batches of a busy one there is no line for a moment either:
/// to give the room back then would be to ask for it again, page by page, with each batch.
const QUIET: Duration = Duration::from_secs(1);

/// The thread's side.
pub(crate) struct Scribe {
    shared: Arc<Shared>,
    file: LogFile,
    /// Lines taken from the queue and not yet in the file.
    batch: Vec<u8>,
    lines: u64,
    gather: Duration,
    trouble: Option<Listener>,
    failing: bool,
    /// The path could not be opened again, and that was told.
    astray: bool,
    told_lost: u64,
    seen_lost: u64,
}

/// What the thread woke up for, besides lines.
struct Orders {
    /// The count of reopenings asked for, where the last is not done yet.
    reopen: Option<u64>,
    close: bool,
}

impl Scribe {
    pub(crate) fn new(shared: Arc<Shared>, file: LogFile, options: Options) -> Self {
        Self {
            shared,
            file,
            batch: Vec::new(),
            lines: 0,
            gather: options.gather,
            trouble: options.trouble,
            failing: false,
            astray: false,
            told_lost: 0,
            seen_lost: 0,
        }
    }

    /// Works until the writer is closed.
    pub(crate) fn run(mut self) {
        loop {
            let orders = self.next();
            let outcome = self.attempt(orders.reopen.is_some());
            self.settle(outcome, &orders);
            if orders.close {
                return;
            }
        }
    }

    /// Sleeps until there is something to do, gathers for a while, and takes all there is.
    fn next(&mut self) -> Orders {
        let failing = self.failing;
        let mut state = self.shared.lock();
        let mut is_quiet = false;
        while state.incoming.is_empty() && self.batch.is_empty() && !state.asked() {
            state.idle = true;
            if is_quiet {
                for buffer in [&mut self.batch, &mut state.incoming] {
                    buffer.shrink_to(KEPT);
                }
                state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let woken = self.shared.wake.wait_timeout(state, QUIET);
            let (guard, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            (state, is_quiet) = (guard, waited.timed_out());
        }
        state.idle = false;
        // A failing disk is not asked more often because more lines come.
        let gather_more =
            |state: &mut State| !state.asked() && (failing || state.incoming.len() < ENOUGH);
        let (mut state, _) = self
            .shared
            .wake
            .wait_timeout_while(state, self.gather, gather_more)
            .unwrap_or_else(PoisonError::into_inner);
        if self.batch.is_empty() {
            mem::swap(&mut self.batch, &mut state.incoming);
        } else {
            self.batch.append(&mut state.incoming);
        }
        self.lines += mem::take(&mut state.lines);
        (state.held, state.held_lines) = (self.batch.len(), self.lines);
        state.flush = false;
        let reopen = (state.reopened < state.reopen).then_some(state.reopen);
        Orders { reopen, close: state.close }
    }

    /// Tries to write the batch to the file that the path leads to.
    fn attempt(&mut self, reopen: bool) -> io::Result<()> {
        if reopen && mutant::is(Mutant::LosesLinesAtReopening) {
            self.batch.clear();
            self.lines = 0;
        }
        let moved = || !mutant::is(Mutant::IgnoresMovedLogs) && self.file.displaced();
        let never = mutant::is(Mutant::NeverReopensLogs);
        if !never && (reopen || (!self.batch.is_empty() && moved())) {
            match self.file.reopen() {
                Ok(()) => self.astray = false,
                // In a file without a name the lines would be lost without a trace.
                Err(error) if self.file.unreachable() => return Err(io::Error::other(error)),
                Err(error) => {
                    if !mem::replace(&mut self.astray, true) {
                        self.tell(&Trouble::Reopen(error));
                    }
                    if mutant::is(Mutant::LosesLinesWithoutItsPlace) {
                        self.batch.clear();
                        self.lines = 0;
                    }
                }
            }
        }
        let (whole, outcome) = self.file.append(&self.batch);
        self.lines -= memchr::memchr_iter(b'\n', &self.batch[..whole]).count() as u64;
        self.batch.drain(..whole);
        if mutant::is(Mutant::ForgetsUnwrittenLines) {
            self.batch.clear();
            self.lines = 0;
        }
        outcome
    }

    /// Books an attempt and says what there is to say.
    fn settle(&mut self, outcome: io::Result<()>, orders: &Orders) {
        let mut state = self.shared.lock();
        state.written += state.held_lines - self.lines;
        if orders.close {
            state.lost += mem::take(&mut self.lines);
            self.batch.clear();
        }
        (state.held, state.held_lines) = (self.batch.len(), self.lines);
        state.reopened = orders.reopen.unwrap_or(state.reopened);
        if let Err(error) = &outcome {
            state.failures += 1;
            state.cause = error.to_string();
        }
        let total = state.lost;
        drop(state);
        let lost = self.lost_to_tell(total, outcome.is_ok(), orders.close);
        self.shared.attempted.notify_all();
        let path = &self.shared.path;
        let was_failing = mem::replace(&mut self.failing, outcome.is_err());
        match outcome {
            Err(cause) if !was_failing => {
                self.tell(&Trouble::Failing { path: path.clone(), cause });
            }
            Ok(()) if was_failing => self.tell(&Trouble::Recovered { path: path.clone() }),
            _ => {}
        }
        if lost > 0 {
            self.tell(&Trouble::Lost { path: path.clone(), lines: lost, total });
        }
    }

    /// How many lines more are lost than was told, where it is time to tell: at the first, whenever they
    /// have doubled, and when it is over. A disk that stays full does not fill another log too.
    fn lost_to_tell(&mut self, lost: u64, writes: bool, closes: bool) -> u64 {
        let grows = mem::replace(&mut self.seen_lost, lost) < lost;
        let is_time = lost >= 2 * self.told_lost || closes || (writes && !grows);
        if !is_time {
            return 0;
        }
        lost - mem::replace(&mut self.told_lost, lost)
    }

    fn tell(&self, trouble: &Trouble) {
        if let Some(listener) = &self.trouble {
            listener(trouble);
        }
    }
}

impl Drop for Scribe {
    /// The end of the thread, a panic of the listener included: nobody waits for it any more.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.lost += state.held_lines + mem::take(&mut state.lines);
        (state.held, state.held_lines) = (0, 0);
        state.gone = true;
        if state.cause.is_empty() {
            "the writer's thread has ended".clone_into(&mut state.cause);
        }
        drop(state);
        self.shared.attempted.notify_all();
    }
}
