//! The file writer: requests hand over lines, a thread writes them.
//!
//! ```text
//!  request ─ write() ─▶ incoming (bounded) ──swap──▶ batch ──append──▶ file
//!              │ full: counted as lost                  │ disk full: kept, tried again
//! ```
//!
//! A request waits for a mutex that is only ever held for a copy, never for the disk.

use std::{
    fmt, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use crate::file::{LogFile, OpenError};

/// Is told of trouble, on the writer's thread.
pub type Listener = Box<dyn Fn(&Trouble) + Send>;

/// How a writer behaves.
#[non_exhaustive]
pub struct Options {
    /// Octets of lines that may wait for the disk; what comes beyond is lost. 4 MiB.
    pub queue: usize,
    /// How long lines are gathered before they are written. 20 ms.
    pub gather: Duration,
    /// Told when lines are lost and when the disk fails or recovers.
    pub trouble: Option<Listener>,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 4 << 20, gather: Duration::from_millis(20), trouble: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, gather, trouble: _ } = self;
        f.debug_struct("Options")
            .field("queue", queue)
            .field("gather", gather)
            .finish_non_exhaustive()
    }
}

/// What a server's own log should say about an access log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// Writing fails; lines wait in the queue.
    #[error("writing the log {} fails, lines wait in memory: {cause}", .path.display())]
    Failing {
        /// The log.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Writing works again.
    #[error("writing the log {} works again", .path.display())]
    Recovered {
        /// The log.
        path: PathBuf,
    },
    /// Lines were lost since this was said last.
    #[error("the log {} lost lines: {lines}", .path.display())]
    Lost {
        /// The log.
        path: PathBuf,
        /// How many more.
        lines: u64,
    },
    /// The log could not be opened again; where it still has a name, the old file is used.
    #[error(transparent)]
    Reopen(OpenError),
}

/// Counts since the writer was opened: `written + lost + queued` is what was handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines that the system has taken.
    pub written: u64,
    /// Lines that there was no room for.
    pub lost: u64,
    /// Lines that wait.
    pub queued: u64,
}

/// Lines are still waiting because the log can't be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{queued} lines wait since the log can't be written: {cause}")]
pub struct FlushError {
    /// Lines waiting.
    pub queued: u64,
    /// What the system says.
    pub cause: String,
}

/// A log file with a thread that writes it. Shared between threads by reference or `Arc`.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    queue: usize,
    state: Mutex<State>,
    /// There is something to do.
    wake: Condvar,
    /// An attempt to write is over.
    attempted: Condvar,
}

#[derive(Debug, Default)]
struct State {
    incoming: Vec<u8>,
    /// Lines in `incoming`.
    lines: u64,
    /// Octets and lines that the thread has taken and not yet written.
    held: usize,
    held_lines: u64,
    written: u64,
    lost: u64,
    /// Attempts that failed, and why the last one did.
    failures: u64,
    cause: String,
    /// The thread sleeps until it is woken.
    idle: bool,
    flush: bool,
    /// Reopenings asked for, and done.
    reopen: u64,
    reopened: u64,
    close: bool,
    /// The thread has ended.
    gone: bool,
}

impl State {
    /// Whether somebody waits for more than lines to be written in their time.
    fn asked(&self) -> bool {
        self.flush || self.close || self.reopened < self.reopen
    }
}

/// Waiting octets from which on gathering more gains nothing.
const ENOUGH: usize = 256 << 10;

impl Writer {
    /// Opens the log and starts its thread.
    ///
    /// # Errors
    /// A missing directory, a file that can't be opened, a thread that can't be started.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let file = LogFile::open(path)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            queue: options.queue,
            state: Mutex::default(),
            wake: Condvar::new(),
            attempted: Condvar::new(),
        });
        let scribe = Scribe {
            shared: Arc::clone(&shared),
            file,
            batch: Vec::new(),
            lines: 0,
            gather: options.gather,
            trouble: options.trouble,
            failing: false,
            astray: false,
            told_lost: 0,
        };
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .stack_size(128 << 10)
            .spawn(move || scribe.run())
            .map_err(|source| OpenError::System { path: path.to_owned(), source })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands over a line, or several, each with its `\n` (a last one is added where missing).
    /// Never waits for the disk. False where the queue is full: the lines are lost and counted.
    pub fn write(&self, line: &[u8]) -> bool {
        let ended = line.last() == Some(&b'\n');
        let lines = memchr::memchr_iter(b'\n', line).count() as u64 + u64::from(!ended);
        let mut state = self.shared.lock();
        let before = state.incoming.len();
        let after = before + line.len() + usize::from(!ended);
        if state.gone || state.held + after > self.shared.queue {
            state.lost += lines;
            return false;
        }
        state.incoming.extend_from_slice(line);
        if !ended {
            state.incoming.push(b'\n');
        }
        state.lines += lines;
        // A thread that gathers or writes needs no waking: that would cost each request a system
        // call.
        let wake = mem::take(&mut state.idle) || (before < ENOUGH && after >= ENOUGH);
        drop(state);
        if wake {
            self.shared.wake.notify_one();
        }
        true
    }

    /// Waits until everything handed over so far is written, and the log opened again where that
    /// was asked for.
    ///
    /// # Errors
    /// An attempt to write failed; the lines stay in the queue and are tried again.
    pub fn flush(&self) -> Result<(), FlushError> {
        let mut state = self.shared.lock();
        let goal = state.written + state.held_lines + state.lines;
        let (failures, reopen) = (state.failures, state.reopen);
        while state.written < goal || state.reopened < reopen {
            if state.failures != failures || state.gone {
                let queued = state.held_lines + state.lines;
                return Err(FlushError { queued, cause: state.cause.clone() });
            }
            state.flush = true;
            self.shared.wake.notify_one();
            state = self.shared.attempted.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Asks for the path to be opened again, before the next line is written. Does not wait;
    /// [`Writer::flush`] does. A log that was moved or removed is opened again without being asked.
    pub fn reopen(&self) {
        self.shared.lock().reopen += 1;
        self.shared.wake.notify_one();
    }

    /// The counts so far.
    pub fn stats(&self) -> Stats {
        let state = self.shared.lock();
        Stats { written: state.written, lost: state.lost, queued: state.held_lines + state.lines }
    }

    /// The log's path.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Writes what is left and ends the thread. What can't be written now is lost.
    pub fn close(mut self) -> Stats {
        self.finish();
        self.stats()
    }

    fn finish(&mut self) {
        self.shared.lock().close = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It panics only where the trouble callback does; there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the counts whole: every change is one statement long.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's side.
struct Scribe {
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
}

/// What the thread woke up for, besides lines.
struct Orders {
    /// The count of reopenings asked for, where the last is not done yet.
    reopen: Option<u64>,
    close: bool,
}

impl Scribe {
    fn run(mut self) {
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
        while state.incoming.is_empty() && self.batch.is_empty() && !state.asked() {
            state.idle = true;
            state = self.shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
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
        if reopen || (!self.batch.is_empty() && self.file.displaced()) {
            match self.file.reopen() {
                Ok(()) => self.astray = false,
                // In a file without a name the lines would be lost without a trace.
                Err(error) if self.file.unreachable() => return Err(io::Error::other(error)),
                Err(error) => {
                    if !mem::replace(&mut self.astray, true) {
                        self.tell(&Trouble::Reopen(error));
                    }
                }
            }
        }
        let (whole, outcome) = self.file.append(&self.batch);
        self.lines -= memchr::memchr_iter(b'\n', &self.batch[..whole]).count() as u64;
        self.batch.drain(..whole);
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
        let lost = state.lost - self.told_lost;
        self.told_lost = state.lost;
        drop(state);
        self.shared.attempted.notify_all();

        // A burst is over: give its memory back.
        if self.batch.is_empty() && self.batch.capacity() > ENOUGH {
            self.batch = Vec::new();
        }
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
            self.tell(&Trouble::Lost { path: path.clone(), lines: lost });
        }
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
