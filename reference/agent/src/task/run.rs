//! Runs a task on this host, or below a folder that stands for it.

use std::io;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Module, Operation, Outcome, Task};
use crate::cli::{
    integrity as say_integrity, keys as say_keys, netstat as say_netstat, sshd as say_sshd,
};
use crate::file::{Search, investigate_below};
use crate::integrity::{Packages, check_packages};
use crate::keys::{Allowed, Scope, assert_keys};
use crate::netstat::{Network, Questions};
use crate::report;
use crate::sshd::{Inquiry, assert_sshd};

/// What is said where the time ended before the work.
const NO_TIME: &str = "the time was over before everything was looked at";

impl Task {
    /// Runs it below a folder that stands for `/`, until the deadline. What cannot be looked at is said in the
    /// outcomes.
    pub fn run(self, root: &Path, deadline: Option<Instant>) -> Vec<Outcome> {
        self.operations.into_iter().map(|operation| operation.run(root, deadline)).collect()
    }
}

impl Operation {
    fn run(self, root: &Path, deadline: Option<Instant>) -> Outcome {
        match self {
            Operation::File(searches) => file(searches, root, deadline),
            Operation::Keys(asked) => keys(&asked.0, asked.1, root, deadline),
            Operation::Netstat(questions) => netstat(&questions),
            Operation::Integrity(packages) => integrity(packages, root, deadline),
            Operation::Sshd(inquiry) => sshd(&inquiry, root, deadline),
            Operation::Ping => Outcome {
                module: Module::Ping.name().to_owned(),
                is_whole: true,
                result: json!({}),
                ..Outcome::default()
            },
        }
    }
}

fn file(searches: Vec<Search>, root: &Path, deadline: Option<Instant>) -> Outcome {
    let findings = investigate_below(root, searches, deadline);
    let mut lines = Vec::new();
    let mut errors = Vec::new();
    // Writing to memory does not fail.
    let _ = report::mig(&mut lines, &findings);
    let _ = report::unseen(&mut errors, &findings);
    let unnamed = findings.counts.found - findings.counts.named;
    let mut errors = split(&errors);
    if unnamed > 0 {
        errors.push(format!("{unnamed} more found beyond the match limit"));
    }
    Outcome {
        module: Module::File.name().to_owned(),
        found: findings.counts.found,
        is_whole: findings.counts.errors == 0
            && !findings.expired
            && !findings.links.iter().any(|link| link.hides),
        lines: split(&lines),
        errors,
        result: report::json_of(&findings),
    }
}

fn split(text: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(text).lines().map(ToOwned::to_owned).collect()
}

fn keys(allowed: &Allowed, scope: Scope, root: &Path, deadline: Option<Instant>) -> Outcome {
    let scope = Scope { root: root.to_owned(), ..scope };
    let found = match assert_keys(&scope, allowed, deadline) {
        Ok(found) => found,
        Err(error) => {
            return unread(Module::Keys, &format!("the accounts cannot be read: {error}"));
        }
    };
    let mut errors: Vec<String> = found
        .troubles
        .iter()
        .map(|(path, reason)| trouble(&report::path_text(path), reason))
        .collect();
    if found.expired {
        errors.push(format!("error: {NO_TIME}"));
    }
    Outcome {
        module: Module::Keys.name().to_owned(),
        found: found.strange.len() as u64,
        is_whole: errors.is_empty(),
        lines: split(say_keys::lines(&found).as_bytes()),
        errors,
        result: say_keys::json_of(&found),
    }
}

fn netstat(questions: &Questions) -> Outcome {
    let heard = Network::read(questions).answer(questions);
    let errors = heard.troubles.iter();
    let errors: Vec<String> = errors.map(|(what, reason)| trouble(what, reason)).collect();
    Outcome {
        module: Module::Netstat.name().to_owned(),
        found: heard.hits.len() as u64,
        is_whole: errors.is_empty(),
        lines: split(say_netstat::lines(&heard).as_bytes()),
        errors,
        result: say_netstat::json_of(&heard),
    }
}

fn integrity(packages: Packages, root: &Path, deadline: Option<Instant>) -> Outcome {
    let packages = Packages { root: root.to_owned(), ..packages };
    let found = match check_packages(&packages, deadline) {
        Ok(found) => found,
        Err(error) => return unread(Module::Integrity, &error.to_string()),
    };
    let mut errors: Vec<String> = found
        .troubles
        .iter()
        .map(|(path, reason)| trouble(&report::path_text(path), reason))
        .collect();
    if found.expired {
        errors.push(format!("error: {NO_TIME}"));
    }
    let damaged = found.damaged.iter().filter(|damaged| !damaged.is_conffile).count();
    Outcome {
        module: Module::Integrity.name().to_owned(),
        found: (damaged + found.new.len()) as u64,
        is_whole: errors.is_empty(),
        lines: split(say_integrity::lines(&found).as_bytes()),
        errors,
        result: say_integrity::json_of(&found),
    }
}

fn sshd(inquiry: &Inquiry, root: &Path, deadline: Option<Instant>) -> Outcome {
    if root != Path::new("/") {
        let reason = "an sshd can be asked on the host itself only, not below a folder";
        return unread(Module::Sshd, reason);
    }
    let found = match assert_sshd(inquiry, deadline) {
        Ok(found) => found,
        Err(none) => return unread(Module::Sshd, &none.to_string()),
    };
    let errors = split(say_sshd::errors(&found).as_bytes());
    Outcome {
        module: Module::Sshd.name().to_owned(),
        found: found.count() as u64,
        is_whole: errors.is_empty(),
        lines: split(say_sshd::lines(&found).as_bytes()),
        errors,
        result: say_sshd::json_of(&found),
    }
}

/// What could not be looked at, on one line.
fn trouble(what: &str, reason: &str) -> String {
    format!("error: {what}: {}", report::escaped(reason.as_bytes()))
}

/// Nothing could be looked at.
fn unread(module: Module, reason: &str) -> Outcome {
    Outcome {
        module: module.name().to_owned(),
        errors: vec![format!("error: {reason}")],
        result: Value::Null,
        ..Outcome::default()
    }
}

/// A root that can be looked at: its real path.
///
/// # Errors
/// It is no folder, or cannot be reached.
pub fn real_root(root: &Path) -> io::Result<std::path::PathBuf> {
    let real = root.canonicalize()?;
    match real.is_dir() {
        true => Ok(real),
        false => Err(io::Error::from(io::ErrorKind::NotADirectory)),
    }
}
