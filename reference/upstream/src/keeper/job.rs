//! What proxy, keeper and stage say to each other: JSON, a line each.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a keeper looks after: its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The program and its arguments.
    pub(crate) words: Vec<String>,
    /// All of its environment.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) user: Option<User>,
    /// Bytes of address space.
    pub(crate) memory: Option<u64>,
    pub(crate) files: Option<u64>,
    pub(crate) processes: Option<u64>,
    /// Milliseconds between SIGTERM and SIGKILL.
    pub(crate) grace_ms: u64,
    /// A socket that is removed with its directory when all is over.
    pub(crate) sweep: Option<PathBuf>,
}

/// Whom the command runs as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The order that may follow the job.
pub(crate) const STOP: &str = "stop";

/// What a keeper tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The command has this number now.
    Started(i32),
    /// The command could not be started.
    Failed(String),
    /// It ended, by itself or by a signal's name; `left`: and left processes behind.
    Exited { code: Option<i32>, signal: Option<String>, left: bool },
    /// What was left after the grace got SIGKILL.
    Killed,
    /// Nothing is left.
    Gone,
}

/// As a line.
pub(crate) fn line(value: &impl Serialize) -> String {
    // Nothing in these types can fail: no map with keys that are no text, no number that is none.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}
