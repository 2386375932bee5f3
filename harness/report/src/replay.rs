//! Reads a recorded stream of events again.

use std::io::{self, BufRead};

use edgeproof_runner::event::{EVENT_VERSION, Event};

/// A stream that cannot be replayed. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The reader failed.
    #[error("line {line}: cannot be read: {source}")]
    Read {
        /// The line.
        line: usize,
        /// Why.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("the stream is empty: expected one event (a JSON object) a line")]
    Empty,
    /// The stream does not begin with `run-started`.
    #[error(
        "line {line}: this is no recording of a run: expected the event `run-started`, found {found}; \
         record one with `--format events=FILE`"
    )]
    NoStart {
        /// The line.
        line: usize,
        /// What stood there.
        found: String,
    },
    /// Written by another version.
    #[error(
        "line {line}: events of version {found}, this edgeproof reads version {EVENT_VERSION}: \
         make the report with the edgeproof that recorded the run"
    )]
    Version {
        /// The line.
        line: usize,
        /// The stream's version.
        found: u64,
    },
    /// A line is no event.
    #[error("line {line}, column {column}: not an event: {message}")]
    Broken {
        /// The line.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
        /// What the parser expected.
        message: String,
    },
    /// The stream stops in the middle of its last line.
    #[error("line {line}: the line is cut off: the recording was not written to its end")]
    Cut {
        /// The line.
        line: usize,
    },
    /// The stream stops before `run-finished`.
    #[error(
        "the stream ends after line {line} without `run-finished`: \
         the recording was not written to its end"
    )]
    Unfinished {
        /// The last line.
        line: usize,
    },
    /// Events after the end of the run.
    #[error("line {line}: an event after `run-finished`: two recordings in one file?")]
    AfterEnd {
        /// The line.
        line: usize,
    },
}

/// Reads all events of a recorded run.
///
/// # Errors
/// For a stream of another version, one that is broken or cut off; see [`ReplayError`].
pub fn replay(mut reader: impl BufRead) -> Result<Vec<Event>, ReplayError> {
    let mut events = Vec::new();
    let mut bytes = Vec::new();
    let mut line = 0;
    loop {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| ReplayError::Read { line: line + 1, source })?;
        if read == 0 {
            break;
        }
        line += 1;
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        if events.is_empty() {
            check_start(&bytes, line)?;
        } else if matches!(events.last(), Some(Event::RunFinished { .. })) {
            return Err(ReplayError::AfterEnd { line });
        }
        events.push(serde_json::from_slice(&bytes).map_err(|error| broken(&error, &bytes, line))?);
    }
    match events.last() {
        None => Err(ReplayError::Empty),
        Some(Event::RunFinished { .. }) => Ok(events),
        Some(_) => Err(ReplayError::Unfinished { line }),
    }
}

/// Looks at the version before anything is bound to this version's types.
fn check_start(bytes: &[u8], line: usize) -> Result<(), ReplayError> {
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| broken(&error, bytes, line))?;
    match value.get("event").and_then(|event| event.as_str()) {
        Some("run-started") => {}
        Some(other) => {
            return Err(ReplayError::NoStart {
                line,
                found: format!("`{}`", other.escape_debug()),
            });
        }
        None => return Err(ReplayError::NoStart { line, found: "no event at all".to_owned() }),
    }
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(EVENT_VERSION) => Ok(()),
        Some(found) => Err(ReplayError::Version { line, found }),
        None => Err(ReplayError::NoStart { line, found: "one without a version".to_owned() }),
    }
}

fn broken(error: &serde_json::Error, bytes: &[u8], line: usize) -> ReplayError {
    if error.is_eof() && !bytes.ends_with(b"\n") {
        return ReplayError::Cut { line };
    }
    // serde_json counts the lines of what it was given: always the first here, so only its column
    // is worth telling.
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(&*message, |(text, _)| text).to_owned();
    ReplayError::Broken { line, column: error.column().max(1), message }
}
