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

use edgeproof_mutant::{self as mutant, Mutant};

use crate::{
    file::{LogFile, OpenError},
    scribe::Scribe,
};

/// Is told of trouble, on the writer's thread.
pub type Listener = Box<dyn Fn(&Trouble) + Send>;

/// How a writer behaves.
#[non_exhaustive]
pub struct Options {
    /// Octets of lines that may wait for the disk; what comes beyond is lost. 4 MiB.
    pub queue: usize,
    /// How long lines are gathered before they are written. 20 ms.
    pub gather: Duration,
    /// How long a close waits for a write that does not return. 5 s.
    pub patience: Duration,
    /// Told when lines are lost and when the disk fails or recovers.
    pub trouble: Option<Listener>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4 << 20,
            gather: Duration::from_millis(20),
            patience: Duration::from_secs(5),
            trouble: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, gather, patience, trouble: _ } = self;
        f.debug_struct("Options")
            .field("queue", queue)
            .field("gather", gather)
            .field("patience", patience)
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
    #[error("the log {} lost lines: {lines} more, {total} in all", .path.display())]
    Lost {
        /// The log.
        path: PathBuf,
        /// How many more.
        lines: u64,
        /// How many since the log was opened.
        total: u64,
    },
    /// The log could not be opened again; where it still has a name, the old file is used.
    #[error("{0}; lines go on into the file that was opened before")]
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
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    queue: usize,
    patience: Duration,
    state: Mutex<State>,
    /// There is something to do.
    pub(crate) wake: Condvar,
    /// An attempt to write is over.
    pub(crate) attempted: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) incoming: Vec<u8>,
    /// Lines in `incoming`.
    pub(crate) lines: u64,
    /// Octets and lines that the thread has taken and not yet written.
    pub(crate) held: usize,
    pub(crate) held_lines: u64,
    pub(crate) written: u64,
    pub(crate) lost: u64,
    /// Attempts that failed, and why the last one did.
    pub(crate) failures: u64,
    pub(crate) cause: String,
    /// The thread sleeps until it is woken.
    pub(crate) idle: bool,
    pub(crate) flush: bool,
    /// Reopenings asked for, and done.
    pub(crate) reopen: u64,
    pub(crate) reopened: u64,
    pub(crate) close: bool,
    /// The thread has ended.
    pub(crate) gone: bool,
}

impl State {
    /// The bugs of a queue, for the scenarios to find. `length` octets were queued last.
    fn spoil(&mut self, length: usize) {
        let one_in_a_thousand = (self.written + self.held_lines + self.lines) % 1000 == 500;
        let start = self.incoming.len() - length;
        if one_in_a_thousand && mutant::is(Mutant::LosesALineInAThousand) {
            self.incoming.truncate(start);
        }
        if one_in_a_thousand && mutant::is(Mutant::DoublesALineInAThousand) {
            self.incoming.extend_from_within(start..);
            self.lines += 1;
        }
        if one_in_a_thousand && mutant::is(Mutant::JoinsALineInAThousand) {
            self.incoming.pop();
        }
    }

    /// Whether somebody waits for more than lines to be written in their time.
    pub(crate) fn asked(&self) -> bool {
        self.flush || self.close || self.reopened < self.reopen
    }
}

/// Waiting octets from which on gathering more gains nothing.
pub(crate) const ENOUGH: usize = 256 << 10;

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
            patience: options.patience,
            state: Mutex::default(),
            wake: Condvar::new(),
            attempted: Condvar::new(),
        });
        let scribe = Scribe::new(Arc::clone(&shared), file, options);
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
        let lines = memchr::memchr_iter(b'\n', line).count() as u64;
        self.write_lines(line, lines + u64::from(line.last() != Some(&b'\n')))
    }

    /// The same for what is known to be exactly one line, its `\n` included, as
    /// [`Format::write`](crate::Format::write) makes it.
    pub fn write_line(&self, line: &[u8]) -> bool {
        debug_assert_eq!(memchr::memchr(b'\n', line), Some(line.len() - 1));
        self.write_lines(line, 1)
    }

    fn write_lines(&self, line: &[u8], lines: u64) -> bool {
        let ended = line.last() == Some(&b'\n');
        let mut state = self.shared.lock();
        if mutant::is(Mutant::WaitsForTheDisk) && state.failures > 0 && !state.gone {
            drop(state);
            std::thread::sleep(Duration::from_secs(4));
            state = self.shared.lock();
        }
        let before = state.incoming.len();
        let after = before + line.len() + usize::from(!ended);
        if state.gone || state.held + after > self.shared.queue {
            state.lost += lines;
            return false;
        }
        state.incoming.extend_from_slice(line);
        state.spoil(line.len());
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

    /// Writes what is left and ends the thread. What can't be written now, or not in
    /// [`Options::patience`], is lost.
    pub fn close(mut self) -> Stats {
        self.finish();
        self.stats()
    }

    fn finish(&mut self) {
        self.shared.lock().close = true;
        self.shared.wake.notify_one();
        let Some(thread) = self.thread.take() else { return };
        let waiting = self.shared.attempted.wait_timeout_while(
            self.shared.lock(),
            self.shared.patience,
            |state| !state.gone,
        );
        let (mut state, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        if !state.gone {
            // The disk neither takes nor refuses what is being written. The thread is left behind; it
            // ends with the process, or when the disk comes to.
            state.lost += mem::take(&mut state.lines);
            return state.incoming.clear();
        }
        drop(state);
        // It panics only where the trouble callback does; there is nobody left to tell.
        let _ = thread.join();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the counts whole: every change is one statement long.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
