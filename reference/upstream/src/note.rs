//! What the log says about a process. The first three are those of docs/upstreams.md, byte for byte; the others are in
//! their manner.

use std::fmt;
use std::time::Duration;

use crate::CommandLine;

/// One event in the life of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    Starting,
    Started { pid: i32 },
    StartFailed(End),
    Crashed { pid: i32, end: End },
    Stopping { pid: i32, why: Why },
    Killed { pid: i32, after: Duration },
    Stopped { pid: i32 },
}

/// Why a process is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Idle(Duration),
    /// The proxy stops, or its configuration no longer has it.
    Closing,
}

/// How a process ended, or why it never was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// Its return code; none where a signal ended it, or where it did not end by itself.
    pub(crate) code: Option<i32>,
    /// What more there is to say.
    pub(crate) reason: Option<String>,
}

impl End {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self { code: None, reason: Some(reason.into()) }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "(return code: {code} | ")?,
            None => f.write_str("(return code: - | ")?,
        }
        write!(f, "reason: {})", self.reason.as_deref().unwrap_or("-"))
    }
}

/// A note about a command's process.
pub(crate) struct Said<'a>(pub(crate) &'a Note, pub(crate) &'a CommandLine);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(note, command) = self;
        match note {
            Note::Starting => write!(f, "Upstream starting: {command} ..."),
            Note::Started { pid } => write!(f, "Upstream started PID: {pid}"),
            Note::StartFailed(end) => write!(f, "Upstream starting failed: {command} {end}"),
            Note::Crashed { pid, end } => write!(f, "Upstream crashed PID: {pid} {end}"),
            Note::Stopping { pid, why: Why::Idle(idle) } => {
                write!(f, "Upstream stopping PID: {pid} (idle for {} s)", idle.as_secs_f64())
            }
            Note::Stopping { pid, why: Why::Closing } => write!(f, "Upstream stopping PID: {pid}"),
            Note::Killed { pid, after } => {
                let seconds = after.as_secs_f64();
                write!(f, "Upstream killed PID: {pid} (no end {seconds} s after SIGTERM)")
            }
            Note::Stopped { pid } => write!(f, "Upstream stopped PID: {pid}"),
        }
    }
}
