//! The harness's end of a supervisor: starts it, follows its reports, gives it orders.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::supervisor::{ExitStatus, Job, Order, ProcessJob, Report, descendants};

/// Between the supervisor's KILL and our patience's end.
const SLACK: Duration = Duration::from_secs(5);

/// What is known of a supervised process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// Its process id, once it is started.
    pub(crate) pid: Option<i32>,
    /// The command could not be started.
    pub(crate) failed: Option<String>,
    /// It ended so.
    pub(crate) exited: Option<ExitStatus>,
    /// Neither it nor any descendant is left.
    pub(crate) gone: bool,
}

impl State {
    /// Is there nothing left that could serve? A process that ended with 0 and left descendants made
    /// itself a daemon.
    pub(crate) fn is_dead(&self) -> bool {
        self.gone || self.failed.is_some() || self.exited.is_some_and(|status| !status.success())
    }
}

/// A process under a supervisor. Dropping it ends the process, also when the harness panics.
#[derive(Debug)]
pub(crate) struct Supervised {
    state: watch::Receiver<State>,
    /// Closing it is the order to end everything.
    orders: Mutex<Option<ChildStdin>>,
    output: PathBuf,
    follower: Option<JoinHandle<()>>,
    supervisor: Pid,
}

impl Supervised {
    /// Starts the job under `supervisor` (the program and the arguments before the job's own).
    pub(crate) fn start(supervisor: &[OsString], job: ProcessJob) -> io::Result<Self> {
        let output = job.output.clone();
        let mut child = spawn(supervisor, &Job::Process(job), &output)?;
        let orders = child.stdin.take();
        let reports = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let supervisor = Pid::from_raw(child.id().cast_signed());
        let (sender, state) = watch::channel(State::default());
        let follower = std::thread::Builder::new()
            .name("supervised".into())
            .spawn(move || follow(child, reports, &sender))?;
        Ok(Self { state, orders: Mutex::new(orders), output, follower: Some(follower), supervisor })
    }

    /// What is known now.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The process and all its living descendants.
    pub(crate) fn pids(&self) -> Vec<Pid> {
        descendants(self.supervisor)
    }

    /// The process that all of them descend from.
    pub(crate) fn supervisor(&self) -> Pid {
        self.supervisor
    }

    /// The last lines of what it printed.
    pub(crate) fn last_lines(&self) -> String {
        last_lines(&self.output)
    }

    /// Where its output goes.
    pub(crate) fn output(&self) -> &Path {
        &self.output
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.order(Order::Signal(signal));
    }

    /// The work folder stays, whatever happens to the harness.
    pub(crate) fn keep_folder(&self) {
        self.order(Order::Keep);
    }

    /// Asks it to end, and waits until nothing of it is left.
    pub(crate) async fn stop(&self, signal: Signal, within: Duration) -> State {
        self.order(Order::Stop { signal, within });
        let mut state = self.state.clone();
        let gone = tokio::time::timeout(within + SLACK, state.wait_for(|state| state.gone));
        if gone.await.is_err() {
            self.close();
        }
        self.state()
    }

    fn order(&self, order: Order) {
        if let Some(pipe) = self.pipe().as_mut() {
            // A supervisor that is gone has nothing left to be ordered.
            let _ = writeln!(pipe, "{order}").and_then(|()| pipe.flush());
        }
    }

    fn close(&self) {
        self.pipe().take();
    }

    fn pipe(&self) -> std::sync::MutexGuard<'_, Option<ChildStdin>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.close();
        if let Some(follower) = self.follower.take() {
            let _ = follower.join();
        }
    }
}

/// A supervisor with pipes for orders and reports. Its own complaints go to `output`.
pub(crate) fn spawn(supervisor: &[OsString], job: &Job, output: &Path) -> io::Result<Child> {
    let (program, before) =
        supervisor.split_first().ok_or_else(|| io::Error::other("no supervisor's program"))?;
    let output = OpenOptions::new().create(true).append(true).open(output)?;
    let mut command = Command::new(program);
    command.args(before).args(job.to_args());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(output);
    command.spawn()
}

/// Reads reports to their end, then collects the supervisor.
fn follow(mut supervisor: Child, reports: impl Read, state: &watch::Sender<State>) {
    for line in BufReader::new(reports).lines().map_while(Result::ok) {
        let Ok(report) = line.parse() else { continue };
        state.send_modify(|state| match report {
            Report::Started(pid) => state.pid = Some(pid),
            Report::Failed(message) => state.failed = Some(message),
            Report::Exited(status) => state.exited = Some(status),
            Report::Gone => state.gone = true,
        });
    }
    let ended = supervisor.wait();
    state.send_modify(|state| {
        if !state.gone && state.failed.is_none() {
            // Somebody killed the supervisor. What it started is not this process's child; its group
            // is all that can still be reached.
            if let (Some(pid), None) = (state.pid, state.exited) {
                let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
            }
            let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
            state.failed = Some(format!("its supervisor was ended ({status})"));
        }
        state.gone = true;
    });
}

/// The end of a log: at most 40 lines and 16 KiB, bytes that are no text as U+FFFD.
pub(crate) fn last_lines(path: &Path) -> String {
    const OCTETS: u64 = 16 * 1024;
    const LINES: usize = 40;
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let size = file.metadata().map_or(0, |meta| meta.len());
        let _ = file.seek(SeekFrom::Start(size.saturating_sub(OCTETS)));
        let _ = file.take(OCTETS).read_to_end(&mut bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
