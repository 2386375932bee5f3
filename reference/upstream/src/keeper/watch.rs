//! Looks after one command and all its descendants.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use edgeproof_mutant::{self as mutant, Mutant};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stderr, dup2_stdout, getpid, read, setsid, write};

use super::STAGE;
use super::job::{Job, Report, STOP, line};
use super::tree::descendants;

/// Between two rounds of SIGKILL, for processes that were being born during the last.
const KILL_AGAIN: Duration = Duration::from_millis(20);

/// Reads a job, starts it, and returns when nothing of it is left.
pub(super) fn keep() -> ExitCode {
    let mut orders = Orders { open: true, rest: Vec::new() };
    let Some(job) = orders.job() else { return ExitCode::from(2) };
    let (mask, signals) = match prepare() {
        Ok(prepared) => prepared,
        Err(errno) => return failed(&format!("its keeper cannot be set up: {}", errno.desc())),
    };
    let child = match start(&job) {
        Ok(child) => child,
        Err(error) => return failed(&format!("its keeper cannot start it: {error}")),
    };
    // Only now: a child inherits the mask, and must not find SIGTERM blocked. What came between is seen
    // by the first look for ended children.
    let _ = mask.thread_block();
    say(&Report::Started(child.as_raw()));
    let grace = Duration::from_millis(job.grace_ms);
    let mut watch = Watch { child: Some(child), grace, kill_at: None, killed: false };
    while watch.reap() {
        let (signalled, ordered) = wait(&signals, orders.open, watch.kill_at);
        if signalled {
            while let Ok(Some(info)) = signals.read_signal() {
                if info.ssi_signo != Signal::SIGCHLD as u32 {
                    watch.end_all();
                }
            }
        }
        if ordered && orders.read().iter().any(|order| order == STOP) || !orders.open {
            watch.end_all();
        }
        watch.kill_if_due();
    }
    sweep(&job);
    say(&Report::Gone);
    ExitCode::SUCCESS
}

/// A session of its own (a Ctrl-C of the terminal does not reach it), orphans come to it, and its signals
/// will come as data once the mask is blocked.
fn prepare() -> nix::Result<(SigSet, SignalFd)> {
    match setsid() {
        Ok(_) | Err(Errno::EPERM) => {}
        Err(errno) => return Err(errno),
    }
    set_child_subreaper(true)?;
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        mask.add(signal);
    }
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    Ok((mask, signals))
}

/// Starts the stage, which becomes the command and has the keeper's standard output and error; the keeper
/// lets go of them, so that they end with the last process that writes.
fn start(job: &Job) -> io::Result<Pid> {
    let mut stage = Command::new("/proc/self/exe");
    stage.args(std::env::args_os().skip(1)).arg(STAGE).stdin(Stdio::piped());
    let mut child = stage.spawn()?;
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A stage that has ended already is seen as such.
        let _ = stdin.write_all(line(job).as_bytes());
    }
    // Dropping the handle neither waits for nor kills the child: that is this module's business.
    Ok(Pid::from_raw(child.id().cast_signed()))
}

fn failed(message: &str) -> ExitCode {
    say(&Report::Failed(message.to_owned()));
    say(&Report::Gone);
    ExitCode::FAILURE
}

/// The socket goes both ways. A proxy that is gone reads nothing: no reason to stop cleaning up.
fn say(report: &Report) {
    let _ = write(io::stdin().as_fd(), line(report).as_bytes());
}

/// Removes a socket and its directory, which a proxy that was killed left behind.
fn sweep(job: &Job) {
    if let Some(socket) = &job.sweep {
        let _ = std::fs::remove_file(socket);
        if let Some(directory) = socket.parent() {
            let _ = std::fs::remove_dir(directory);
        }
    }
}

/// Waits until a signal or an order came, or it is time to kill.
fn wait(signals: &SignalFd, orders_open: bool, kill_at: Option<Instant>) -> (bool, bool) {
    let stdin = io::stdin();
    let mut fds = vec![PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    if orders_open {
        fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
    }
    let timeout = kill_at.map_or(PollTimeout::NONE, |at| {
        // One millisecond more: poll(2) counts whole ones, and a round for nothing is a busy one.
        let left = at.saturating_duration_since(Instant::now()) + Duration::from_millis(1);
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    });
    if poll(&mut fds, timeout).is_err() {
        return (false, false);
    }
    let happened = |at: usize| fds.get(at).and_then(PollFd::any).unwrap_or(false);
    (happened(0), happened(1))
}

/// The socket's reading half. Its end is the proxy's end.
struct Orders {
    open: bool,
    rest: Vec<u8>,
}

impl Orders {
    /// The first line.
    fn job(&mut self) -> Option<Job> {
        while self.open {
            let lines = self.read();
            if let Some(first) = lines.first() {
                return serde_json::from_str(first).ok();
            }
        }
        None
    }

    /// Reads what is there, at least a byte; the lines that are whole now.
    fn read(&mut self) -> Vec<String> {
        let mut buffer = [0; 4096];
        match read(io::stdin().as_fd(), &mut buffer) {
            Ok(count @ 1..) => self.rest.extend_from_slice(&buffer[..count]),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Ok(0) | Err(_) => self.open = false,
        }
        let whole = memchr::memrchr(b'\n', &self.rest).map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect()
    }
}

struct Watch {
    /// The command, while it lives.
    child: Option<Pid>,
    grace: Duration,
    /// When whatever is left is killed.
    kill_at: Option<Instant>,
    killed: bool,
}

impl Watch {
    /// SIGTERM to everything, SIGKILL after the grace. Asked again, it goes on as it is.
    fn end_all(&mut self) {
        if self.kill_at.is_none() {
            self.kill_at = Some(Instant::now() + self.grace);
            match self.child.filter(|_| mutant::is(Mutant::UpstreamForgetsDescendants)) {
                Some(child) => drop(kill(child, Signal::SIGTERM)),
                None => signal_all(Signal::SIGTERM),
            }
        }
    }

    fn kill_if_due(&mut self) {
        if mutant::is(Mutant::UpstreamNeverKills) {
            self.kill_at = None;
        }
        if self.kill_at.is_some_and(|at| Instant::now() >= at) {
            if !self.killed {
                say(&Report::Killed);
                self.killed = true;
            }
            signal_all(Signal::SIGKILL);
            self.kill_at = Some(Instant::now() + KILL_AGAIN);
        }
    }

    /// Collects whoever ended; whether anything is left. As all orphans come here, "no child" means "no
    /// descendant".
    fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => self.ended(pid, Some(code), None),
                Ok(WaitStatus::Signaled(pid, signal, _)) => self.ended(pid, None, Some(signal)),
                Ok(WaitStatus::StillAlive) => {
                    let forgets = mutant::is(Mutant::UpstreamForgetsDescendants);
                    return self.child.is_some() || !forgets;
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn ended(&mut self, pid: Pid, code: Option<i32>, signal: Option<Signal>) {
        if self.child != Some(pid) {
            return;
        }
        self.child = None;
        let left = !descendants(getpid().as_raw()).is_empty();
        let signal = signal.map(|signal| signal.to_string());
        say(&Report::Exited { code, signal, left });
        // What it left behind is half a service, or one that nobody could stop by the command's number.
        self.end_all();
    }
}

fn signal_all(signal: Signal) {
    for pid in descendants(getpid().as_raw()) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
