//! What becomes of a process, decided: events in, actions out. No I/O, and the time is an argument.
//!
//! ```text
//!             wanted             ready              idle, closing
//!  Stopped ───────────▶ Starting ─────▶ Running ────────────────▶ Stopping ──gone──▶ Stopped
//!     ▲                    │ failed        │ crashed                 │  └─ wanted: Starting
//!     │                    ▼               ▼                         │
//!     └──── wanted ◀── BackingOff ◀─gone─ Stopping ◀─────────────────┘
//!         after `until`
//! ```

use std::time::Duration;

use edgeproof_mutant::{self as mutant, Mutant};
use jiff::{SignedDuration, Timestamp};

use crate::note::{End, Note, Why};

/// The first wait after a failure; each failure in a row doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Who has run for so long has recovered: its next failure is a first one.
const RECOVERED: Duration = Duration::from_secs(60);

/// Why a request gets no process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It could not be started, or ended while it did: 502.
    #[error("the upstream could not be started")]
    Failed,
    /// It did not listen within the time limit: 504.
    #[error("the upstream did not start in time")]
    Silent,
    /// It failed a moment ago and is left alone for so many seconds: 503 with Retry-After.
    #[error("the upstream failed and is tried again later")]
    BackingOff {
        /// Seconds, at least one.
        retry_after: u64,
    },
    /// It is no longer looked after: 503.
    #[error("the upstream is being stopped")]
    Closing,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// The process was started.
    Spawned { pid: i32 },
    /// There is no process, and none comes.
    CannotSpawn { reason: String },
    /// It accepts connections.
    Ready,
    /// It did not for too long.
    StartLimit { reason: String },
    /// It ended by itself.
    Exited(End),
    /// It was killed, so long after it was asked to end.
    Killed { after: Duration },
    /// Neither it nor any child of it is left.
    Gone,
    /// A request is over.
    Done,
    /// Time has passed: is it idle?
    Look,
    /// It is to be stopped once no request needs it, and never started again.
    Retire,
    /// The same without waiting for requests.
    Close,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Spawn,
    /// SIGTERM, and SIGKILL after the grace.
    Stop,
    /// A line in the log.
    Note(Note),
    /// Those who wait may go on.
    Serve,
    /// Those who wait get no answer.
    Refuse(Refusal),
    /// It never runs again.
    Ended,
}

/// What a request is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Serve,
    Wait,
    Refuse(Refusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Stopped,
    Starting { pid: Option<i32> },
    Running { pid: i32, since: Timestamp },
    Stopping { pid: Option<i32>, then: Then },
    BackingOff { until: Timestamp },
    Closed,
}

/// What comes after a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Rest,
    Restart,
    BackOff { until: Timestamp },
    Close,
}

/// The life of one upstream's processes.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) state: State,
    /// None: it is never idle.
    idle: Option<Duration>,
    /// Requests that use it or wait for it.
    pub(crate) in_flight: usize,
    /// When the last request was over, or the process ready.
    last_used: Timestamp,
    /// Failures in a row.
    failures: u32,
    retiring: bool,
    pub(crate) starts: u64,
    pub(crate) crashes: u64,
}

impl Machine {
    pub(crate) fn new(idle: Duration, now: Timestamp) -> Self {
        Self {
            state: State::Stopped,
            idle: (!idle.is_zero()).then_some(idle),
            in_flight: 0,
            last_used: now,
            failures: 0,
            retiring: false,
            starts: 0,
            crashes: 0,
        }
    }

    /// A request wants the process. Unless it is refused, [`Event::Done`] follows some time.
    pub(crate) fn wanted(&mut self, now: Timestamp) -> (Verdict, Vec<Action>) {
        let mut actions = Vec::new();
        // Nobody looked at the clock since: it has been idle all the same.
        self.stop_if_idle(now, &mut actions);
        let verdict = match self.state {
            State::Running { .. } => Verdict::Serve,
            State::Starting { .. } if mutant::is(Mutant::UpstreamRefusesWhileStarting) => {
                Verdict::Refuse(Refusal::Closing)
            }
            State::Starting { .. } | State::Stopping { then: Then::Restart, .. } => Verdict::Wait,
            State::Stopped => self.start(&mut actions),
            State::Stopping { pid, then: Then::Rest } => {
                self.state = State::Stopping { pid, then: Then::Restart };
                Verdict::Wait
            }
            State::BackingOff { until } if now >= until => self.start(&mut actions),
            State::BackingOff { until } | State::Stopping { then: Then::BackOff { until }, .. } => {
                Verdict::Refuse(Refusal::BackingOff { retry_after: seconds(now, until) })
            }
            State::Stopping { then: Then::Close, .. } | State::Closed => {
                Verdict::Refuse(Refusal::Closing)
            }
        };
        self.in_flight += usize::from(!matches!(verdict, Verdict::Refuse(_)));
        (verdict, actions)
    }

    /// Takes an event. One that does not fit the state came too late to matter.
    pub(crate) fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Spawned { pid } => self.spawned(pid),
            Event::CannotSpawn { reason } => self.cannot_spawn(reason, now, &mut actions),
            Event::Ready => self.ready(now, &mut actions),
            Event::StartLimit { reason } => {
                if matches!(self.state, State::Starting { .. }) {
                    self.fail(End::because(reason), Refusal::Silent, now, &mut actions);
                    actions.push(Action::Stop);
                }
            }
            Event::Exited(end) => self.exited(end, now, &mut actions),
            Event::Killed { after } => {
                if let Some(pid) = self.pid() {
                    actions.push(Action::Note(Note::Killed { pid, after }));
                }
            }
            Event::Gone => self.gone(now, &mut actions),
            Event::Done => {
                self.in_flight = self.in_flight.saturating_sub(1);
                if !mutant::is(Mutant::UpstreamIdleWhileUsed) {
                    self.last_used = now;
                }
                if self.retiring && self.in_flight == 0 {
                    self.close(&mut actions);
                }
            }
            Event::Look => self.stop_if_idle(now, &mut actions),
            Event::Retire => {
                self.retiring = true;
                if self.in_flight == 0 {
                    self.close(&mut actions);
                }
            }
            Event::Close => self.close(&mut actions),
        }
        actions
    }

    /// When it would be idle, if no request came before; `None` while it cannot be.
    pub(crate) fn idle_at(&self) -> Option<Timestamp> {
        match self.state {
            _ if mutant::is(Mutant::UpstreamNeverIdle) => None,
            State::Running { .. } if self.in_flight == 0 => Some(later(self.last_used, self.idle?)),
            _ => None,
        }
    }

    /// The process that there is.
    pub(crate) fn pid(&self) -> Option<i32> {
        match self.state {
            State::Running { pid, .. } => Some(pid),
            State::Starting { pid } | State::Stopping { pid, .. } => pid,
            State::Stopped | State::BackingOff { .. } | State::Closed => None,
        }
    }

    fn start(&mut self, actions: &mut Vec<Action>) -> Verdict {
        self.state = State::Starting { pid: None };
        self.starts += 1;
        actions.extend([Action::Note(Note::Starting), Action::Spawn]);
        Verdict::Wait
    }

    fn spawned(&mut self, started: i32) {
        match &mut self.state {
            State::Starting { pid } | State::Stopping { pid, .. } => *pid = Some(started),
            _ => {}
        }
    }

    fn ready(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if let State::Starting { pid: Some(pid) } = self.state {
            self.state = State::Running { pid, since: now };
            self.last_used = now;
            actions.extend([Action::Note(Note::Started { pid }), Action::Serve]);
        }
    }

    fn cannot_spawn(&mut self, reason: String, now: Timestamp, actions: &mut Vec<Action>) {
        match self.state {
            State::Starting { .. } => {
                self.fail(End::because(reason), Refusal::Failed, now, actions);
                self.gone(now, actions);
            }
            // It was given up before that was known.
            State::Stopping { .. } => self.gone(now, actions),
            _ => {}
        }
    }

    fn exited(&mut self, end: End, now: Timestamp, actions: &mut Vec<Action>) {
        match self.state {
            State::Starting { .. } => self.fail(end, Refusal::Failed, now, actions),
            State::Running { pid, since } => {
                if now.duration_since(since)
                    >= SignedDuration::try_from(RECOVERED).unwrap_or_default()
                {
                    self.failures = 0;
                }
                self.crashes += 1;
                if !mutant::is(Mutant::UpstreamCrashUntold) {
                    actions.push(Action::Note(Note::Crashed { pid, end }));
                }
                self.back_off(Some(pid), now);
            }
            _ => {}
        }
    }

    /// A start that came to nothing.
    fn fail(&mut self, end: End, refusal: Refusal, now: Timestamp, actions: &mut Vec<Action>) {
        let pid = self.pid();
        self.crashes += 1;
        actions.extend([Action::Note(Note::StartFailed(end)), Action::Refuse(refusal)]);
        self.back_off(pid, now);
    }

    fn back_off(&mut self, pid: Option<i32>, now: Timestamp) {
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        let wait = if mutant::is(Mutant::UpstreamNoBackOff) { Duration::ZERO } else { wait };
        self.failures += u32::from(!mutant::is(Mutant::UpstreamBackOffStays));
        self.state = State::Stopping { pid, then: Then::BackOff { until: later(now, wait) } };
    }

    fn gone(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if !matches!(self.state, State::Stopping { .. }) {
            // Nobody asked for that, and nobody saw it end.
            self.exited(End::because("it is gone"), now, actions);
        }
        let State::Stopping { pid, then } = self.state else { return };
        if let (Some(pid), Then::Rest | Then::Restart | Then::Close) = (pid, then) {
            actions.push(Action::Note(Note::Stopped { pid }));
        }
        match then {
            Then::Rest => self.state = State::Stopped,
            Then::Restart => {
                self.start(actions);
            }
            Then::BackOff { until } => self.state = State::BackingOff { until },
            Then::Close => {
                self.state = State::Closed;
                actions.push(Action::Ended);
            }
        }
    }

    fn stop_if_idle(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if let (Some(at), Some(idle), State::Running { pid, .. }) =
            (self.idle_at(), self.idle, self.state)
            && now >= at
        {
            // It came this far without a failure.
            self.failures = 0;
            self.state = State::Stopping { pid: Some(pid), then: Then::Rest };
            let note = Note::Stopping { pid, why: Why::Idle(idle) };
            actions.extend([Action::Note(note), Action::Stop]);
        }
    }

    fn close(&mut self, actions: &mut Vec<Action>) {
        match self.state {
            State::Closed | State::Stopping { then: Then::Close, .. } => return,
            State::Stopped | State::BackingOff { .. } => {
                self.state = State::Closed;
                actions.push(Action::Ended);
            }
            State::Stopping { pid, .. } => {
                self.state = State::Stopping { pid, then: Then::Close };
            }
            State::Starting { .. } | State::Running { .. } => {
                let pid = self.pid();
                self.state = State::Stopping { pid, then: Then::Close };
                if let Some(pid) = pid {
                    actions.push(Action::Note(Note::Stopping { pid, why: Why::Closing }));
                }
                actions.push(Action::Stop);
            }
        }
        actions.push(Action::Refuse(Refusal::Closing));
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Whole seconds from `now` to `until`, at least one.
fn seconds(now: Timestamp, until: Timestamp) -> u64 {
    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests;
