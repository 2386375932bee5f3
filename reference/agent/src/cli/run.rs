//! What all modules' commands have in common: their flags, and how they end.

use std::io::{self, Write};
use std::time::Instant;

use crate::flags::{FlagError, Given};
use crate::limits::{LimitError, Limits};
use crate::report::Format;

/// Switches that every command takes.
pub(crate) const SWITCHES: [&str; 1] = ["idle"];

/// Why a command gives up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Flag(#[from] FlagError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error("-memory leaves too little to begin with: {0}")]
    Memory(String),
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// DESIGN's exit codes.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) | Failure::Flag(_) => 2,
            Failure::Limit(_) | Failure::Memory(_) | Failure::Output(_) => 7,
        }
    }
}

/// What every command's flags say.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    limits: Limits,
    pub(crate) format: Format,
}

impl Settings {
    /// Takes a flag that every command knows; `false` for one that only the command does.
    pub(crate) fn take(&mut self, given: &Given) -> Result<bool, Failure> {
        match given.name.as_str() {
            "t" if given.value == "local" => {}
            "t" => {
                let text = format!(
                    "-t {}: this agent looks at its own host; expected `local`",
                    given.value
                );
                return Err(Failure::Usage(text));
            }
            "e" => self.limits.expiry = Some(given.duration()?),
            "format" => self.format = given.value.parse().map_err(Failure::Usage)?,
            "nice" => {
                self.limits.nice = given.number()?;
                if self.limits.nice > 19 {
                    let text = format!("-nice {}: expected 0 to 19", given.value);
                    return Err(Failure::Usage(text));
                }
            }
            "memory" => self.limits.memory = Some(given.octets()?),
            "idle" => self.limits.idle = given.is_on()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Sets the limits; answers the deadline. Before any thread is started.
    pub(crate) fn start(&self) -> Result<Option<Instant>, Failure> {
        let deadline = self.limits.set()?;
        if self.limits.memory.is_some() {
            // Now, where it can be said: later there may be too little left for the threads.
            let made = rayon::ThreadPoolBuilder::new().build_global();
            made.map_err(|error| Failure::Memory(error.to_string()))?;
        }
        Ok(deadline)
    }
}

/// Prints a result. A reader that has gone is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    ended(io::stdout().lock().write_all(text.as_bytes()))
}

/// A reader that has gone is no failure.
pub(crate) fn ended(outcome: io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
