//! What an agent is asked from afar: operations, each a module with its parameters as JSON; and what it answers.
//!
//! ```text
//!  words ──▶ words ──▶ JSON ──(whoever carries it)──▶ Task ──▶ run ──▶ Outcome of each operation
//! ```
//!
//! A task can look, and nothing else: no module here writes a file, answers a file's content or starts a program, but
//! for the host's own sshd, which is asked to print its configuration.

mod read;
mod run;
mod searches;
mod words;

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use read::TaskError;
pub use run::real_root;
pub use words::{WordError, operation};

use crate::file::Search;
use crate::integrity::Packages;
use crate::keys::{Allowed, Scope};
use crate::netstat::Questions;
use crate::sshd::Inquiry;

/// A module that can be asked from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Module {
    /// Files.
    File,
    /// Keys that sshd would accept.
    Keys,
    /// Neighbours, addresses, sockets.
    Netstat,
    /// Files of Debian's packages.
    Integrity,
    /// How sshd is set up.
    Sshd,
    /// Nothing: the agent answers that it is there.
    Ping,
}

impl Module {
    /// All of them.
    pub const ALL: [Module; 6] = [
        Module::File,
        Module::Keys,
        Module::Netstat,
        Module::Integrity,
        Module::Sshd,
        Module::Ping,
    ];

    /// As actions name it.
    pub fn name(self) -> &'static str {
        match self {
            Module::File => "file",
            Module::Keys => "keys",
            Module::Netstat => "netstat",
            Module::Integrity => "integrity",
            Module::Sshd => "sshd",
            Module::Ping => "ping",
        }
    }
}

impl std::fmt::Display for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Module {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|module| module.name() == text).ok_or(())
    }
}

/// A task, ready to be run.
#[derive(Debug)]
pub struct Task {
    /// Its name, for people.
    pub name: String,
    /// Whom its author meant it for; whoever carries it may say otherwise.
    pub target: String,
    operations: Vec<Operation>,
}

#[derive(Debug)]
enum Operation {
    File(Vec<Search>),
    Keys(Box<(Allowed, Scope)>),
    Netstat(Box<Questions>),
    Integrity(Packages),
    Sshd(Inquiry),
    Ping,
}

impl Operation {
    fn module(&self) -> Module {
        match self {
            Operation::File(_) => Module::File,
            Operation::Keys(_) => Module::Keys,
            Operation::Netstat(_) => Module::Netstat,
            Operation::Integrity(_) => Module::Integrity,
            Operation::Sshd(_) => Module::Sshd,
            Operation::Ping => Module::Ping,
        }
    }
}

impl Task {
    /// Its searches, in order, where it asks for nothing else: one pass over the disk can make them all. Else the task
    /// again.
    ///
    /// # Errors
    /// It asks for something else, too.
    pub fn searches(self) -> Result<Vec<Search>, Self> {
        let is_file = |operation: &Operation| matches!(operation, Operation::File(_));
        if !self.operations.iter().all(is_file) {
            return Err(self);
        }
        let searches = |operation| match operation {
            Operation::File(searches) => searches,
            _ => Vec::new(),
        };
        Ok(self.operations.into_iter().flat_map(searches).collect())
    }

    /// The modules that it uses.
    pub fn modules(&self) -> BTreeSet<Module> {
        self.operations.iter().map(Operation::module).collect()
    }
}

/// What an operation has found: names, counts and fingerprints.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The module's name.
    pub module: String,
    /// How many things were found.
    pub found: u64,
    /// Everything could be looked at.
    pub is_whole: bool,
    /// A line for each thing found, as the command on the host prints it.
    pub lines: Vec<String>,
    /// What could not be looked at, and why.
    pub errors: Vec<String>,
    /// The result as the command prints it with `-format json`.
    pub result: Value,
}
