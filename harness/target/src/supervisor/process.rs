//! Supervises one process and all its descendants.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, read, setsid};

use super::protocol::{ExitStatus, Order, Report};
use super::{ProcessJob, descendants};
use crate::leftovers::{self, Claim};

/// Between two rounds of KILL, for processes that were being born during the last.
const KILL_AGAIN: Duration = Duration::from_millis(50);

/// Starts the job, and returns when nothing of it is left.
pub(super) fn supervise(job: &ProcessJob) -> ExitCode {
    // While anything of the job lives, no other run takes its folder for a leftover.
    let claim = job.sweep.as_deref().map(Claim::take);
    let (mask, signals) = match prepare() {
        Ok(prepared) => prepared,
        Err(errno) => return failed(&format!("the supervisor cannot be set up: {errno}")),
    };
    let child = match start(job) {
        Ok(child) => child,
        Err(error) => {
            let program = job.command[0].to_string_lossy();
            return failed(&format!("cannot start `{program}`: {error}"));
        }
    };
    // Only now: the child inherits the signal mask, and must not find TERM blocked. What came between
    // is seen by the first look for ended children.
    let _ = mask.thread_block();
    say(&Report::Started(child.as_raw()));
    let mut watch = Watch {
        child: Some(child),
        grace: job.grace,
        phase: Phase::Running,
        sweep: job.sweep.as_deref(),
    };
    let mut orders = Orders::default();
    while watch.reap() == Left::Something {
        let (signalled, ordered) = wait(&signals, orders.open, watch.phase.timeout());
        if signalled {
            while let Ok(Some(info)) = signals.read_signal() {
                if info.ssi_signo != Signal::SIGCHLD as u32 {
                    watch.end_all();
                }
            }
        }
        if ordered {
            for order in orders.read() {
                watch.obey(order);
            }
            if !orders.open {
                watch.end_all();
            }
        }
        watch.kill_if_due();
    }
    if let Some(folder) = watch.sweep.filter(|_| !orders.open) {
        drop(claim);
        leftovers::remove_unclaimed(folder);
    }
    say(&Report::Gone);
    ExitCode::SUCCESS
}

/// A session of its own (a Ctrl-C of the terminal does not reach it), orphans come to it, and its
/// signals will come as data once the mask is blocked.
fn prepare() -> nix::Result<(SigSet, SignalFd)> {
    match setsid() {
        // Already a group's leader: it stands in nobody's foreground group then.
        Ok(_) | Err(Errno::EPERM) => {}
        Err(errno) => return Err(errno),
    }
    set_child_subreaper(true)?;
    // A target keeps a log file a site open; the usual soft limit of 1024 is for select(2).
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    let mut mask = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        mask.add(signal);
    }
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    Ok((mask, signals))
}

fn start(job: &ProcessJob) -> std::io::Result<Pid> {
    let output = OpenOptions::new().create(true).append(true).open(&job.output)?;
    let mut command = Command::new(&job.command[0]);
    command.args(&job.command[1..]).envs(job.env.iter().cloned());
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0);
    if let Some(directory) = &job.directory {
        command.current_dir(directory);
    }
    // Dropping the handle neither waits for nor kills the child: that is this module's business.
    Ok(Pid::from_raw(command.spawn()?.id().cast_signed()))
}

fn failed(message: &str) -> ExitCode {
    say(&Report::Failed(message.to_owned()));
    ExitCode::from(127)
}

/// A harness that is gone reads nothing: that is no reason to stop cleaning up.
fn say(report: &Report) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{report}").and_then(|()| out.flush());
}

/// Waits until a signal or an order came, or the time is over.
fn wait(signals: &SignalFd, orders_open: bool, timeout: Option<Duration>) -> (bool, bool) {
    let stdin = std::io::stdin();
    let signal_events = PollFd::new(signals.as_fd(), PollFlags::POLLIN);
    let order_events = PollFd::new(stdin.as_fd(), PollFlags::POLLIN);
    let mut fds = vec![signal_events];
    if orders_open {
        fds.push(order_events);
    }
    let timeout =
        timeout.map_or(PollTimeout::NONE, |t| PollTimeout::try_from(t).unwrap_or(PollTimeout::MAX));
    if poll(&mut fds, timeout).is_err() {
        return (false, false);
    }
    let happened = |i: usize| fds.get(i).and_then(PollFd::any).unwrap_or(false);
    (happened(0), happened(1))
}

/// The orders' pipe. Its end is the harness's end.
struct Orders {
    open: bool,
    rest: Vec<u8>,
}

impl Default for Orders {
    fn default() -> Self {
        Self { open: true, rest: Vec::new() }
    }
}

impl Orders {
    fn read(&mut self) -> Vec<Order> {
        let mut buffer = [0; 512];
        match read(std::io::stdin().as_fd(), &mut buffer) {
            Ok(0) => self.open = false,
            Ok(count) => self.rest.extend_from_slice(&buffer[..count]),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(_) => self.open = false,
        }
        let whole = self.rest.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        String::from_utf8_lossy(&lines).lines().filter_map(|line| line.parse().ok()).collect()
    }
}

/// How far the end has come.
#[derive(Clone, Copy)]
enum Phase {
    /// Nobody asked for the end.
    Running,
    /// Asked to end; whatever is left then is killed.
    Ending { kill_at: Instant },
}

impl Phase {
    fn timeout(self) -> Option<Duration> {
        match self {
            Phase::Running => None,
            // One millisecond more: poll(2) rounds down, and a round for nothing is a busy one.
            Phase::Ending { kill_at } => {
                Some(kill_at.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
            }
        }
    }
}

#[derive(PartialEq)]
enum Left {
    Something,
    Nothing,
}

struct Watch<'a> {
    /// The process that was started, while it lives.
    child: Option<Pid>,
    grace: Duration,
    phase: Phase,
    /// Removed at the end, if the harness is gone before it could do so.
    sweep: Option<&'a Path>,
}

impl Watch<'_> {
    fn obey(&mut self, order: Order) {
        match order {
            Order::Signal(signal) => self.signal_child(signal),
            Order::Keep => self.sweep = None,
            Order::Stop { signal, within } => {
                self.phase = Phase::Ending { kill_at: Instant::now() + within };
                match self.child {
                    Some(_) => self.signal_child(signal),
                    None => signal_all(Signal::SIGTERM),
                }
            }
        }
    }

    fn signal_child(&self, signal: Signal) {
        if let Some(child) = self.child {
            // It may have ended meanwhile; it is not reaped yet, so the number is still its own.
            let _ = kill(child, signal);
        }
    }

    /// TERM to everything, KILL after the grace time. A deadline that is already set stays.
    fn end_all(&mut self) {
        signal_all(Signal::SIGTERM);
        let kill_at = Instant::now() + self.grace;
        self.phase = match self.phase {
            Phase::Ending { kill_at: set } => Phase::Ending { kill_at: set.min(kill_at) },
            Phase::Running => Phase::Ending { kill_at },
        };
    }

    fn kill_if_due(&mut self) {
        if let Phase::Ending { kill_at } = self.phase
            && Instant::now() >= kill_at
        {
            signal_all(Signal::SIGKILL);
            self.phase = Phase::Ending { kill_at: Instant::now() + KILL_AGAIN };
        }
    }

    /// Collects whoever ended. As all orphans come here, "no child" means "no descendant".
    fn reap(&mut self) -> Left {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => self.ended(pid, ExitStatus::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    self.ended(pid, ExitStatus::Signal(signal));
                }
                Ok(WaitStatus::StillAlive) => return Left::Something,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(_) => return Left::Nothing,
            }
        }
    }

    fn ended(&mut self, pid: Pid, status: ExitStatus) {
        if self.child != Some(pid) {
            return;
        }
        self.child = None;
        say(&Report::Exited(status));
        match self.phase {
            // Code 0 is a program that made itself a daemon: what it left behind is the service.
            Phase::Running if status.success() => {}
            // Otherwise what is left behind is half a service.
            Phase::Running => self.end_all(),
            Phase::Ending { .. } => signal_all(Signal::SIGTERM),
        }
    }
}

fn signal_all(signal: Signal) {
    for pid in descendants(getpid()) {
        let _ = kill(pid, signal);
    }
}
