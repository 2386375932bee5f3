//! What a run may take of the host: time, processor, disk, memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit};

/// The limits of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Time from the start, after which what was not looked at is said to be so.
    pub expiry: Option<Duration>,
    /// Niceness that is added, 0 to 19.
    pub nice: u8,
    /// Read from the disk only when nobody else does.
    pub idle: bool,
    /// Octets of memory.
    pub memory: Option<u64>,
}

/// A limit that could not be set.
#[derive(Debug, thiserror::Error)]
#[error("cannot limit {what}: {reason}")]
pub struct LimitError {
    what: &'static str,
    reason: String,
}

impl Limits {
    /// Sets them for this process, before it starts threads. Answers the deadline.
    ///
    /// # Errors
    /// The system refuses one.
    pub fn set(self) -> Result<Option<Instant>, LimitError> {
        let deadline = self.expiry.map(|expiry| Instant::now() + expiry);
        if self.nice > 0 {
            rustix::process::nice(self.nice.into())
                .map_err(|error| failed("the processor", &error))?;
        }
        if self.idle {
            idle_disk()?;
        }
        if let Some(memory) = self.memory {
            let limit = Rlimit { current: Some(memory), maximum: Some(memory) };
            rustix::process::setrlimit(Resource::Data, limit)
                .map_err(|error| failed("memory", &error))?;
        }
        Ok(deadline)
    }
}

fn failed(what: &'static str, reason: &dyn std::fmt::Display) -> LimitError {
    LimitError { what, reason: reason.to_string() }
}

/// util-linux's program does it: the system call has no safe wrapper.
fn idle_disk() -> Result<(), LimitError> {
    let outcome = Command::new("ionice")
        .args(["-c", "3", "-p", &std::process::id().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match outcome {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed("the disk", &format_args!("ionice ended with {status}"))),
        Err(error) => Err(failed("the disk", &format_args!("ionice: {error}"))),
    }
}
