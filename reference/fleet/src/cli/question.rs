//! What `investigate` is asked for, from words.

use std::path::Path;

use edgeproof_agent::flags::{self, Given};
use edgeproof_agent::{KnownHosts, Module, Task, operation};
use edgeproof_diagnostics::{Colour, Diagnostic};
use serde_json::json;

use super::Failure;
use super::words::{LASTS, Words, with_names};
use crate::asker::Question;
use crate::target::Target;

/// What to do with the answers.
#[derive(Debug)]
pub(super) enum Job {
    /// Tell them.
    Tell,
    /// Tell the neighbours that neither the fleet nor a list accounts for.
    UnknownHosts(Option<KnownHosts>),
}

/// What is asked, before it has a target.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    text: Vec<u8>,
    modules: Vec<Module>,
    /// Of the action's file.
    target: String,
    pub(super) job: Job,
}

/// `MODULE FLAGS…`, `unknown-hosts FLAGS…` or `ACTION.json FLAGS…`
pub(super) fn read(words: &[String]) -> Result<(Draft, Words), Failure> {
    let Some((first, rest)) = words.split_first() else {
        return Err(Failure::Usage(
            "what to look for? `edgeproof investigate help` tells".to_owned(),
        ));
    };
    let mut mine = Words::default();
    let draft = if first == "unknown-hosts" {
        let given = only_flags(rest, &["known"])?;
        mine.take(&given)?;
        unknown_hosts(&given)?
    } else if let Ok(module) = first.parse::<Module>() {
        let (operation, given) = with_names(&[], |known| operation(module, rest, known))?;
        mine.take(&given)?;
        of(&json!({ "name": first, "version": 2, "operations": [operation] }))?
    } else {
        let (given, mut files) = with_names(&[], |known| flags::read(words, known))?;
        mine.take(&given)?;
        match (files.pop(), files.is_empty()) {
            (Some(file), true) => action(Path::new(&file))?,
            _ => {
                let text = "expected one module or action: `edgeproof investigate help` tells";
                return Err(Failure::Usage(text.to_owned()));
            }
        }
    };
    Ok((draft, mine))
}

/// Flags without anything else.
pub(super) fn only_flags(words: &[String], more: &[&str]) -> Result<Vec<Given>, Failure> {
    let (given, others) = with_names(more, |known| flags::read(words, known))?;
    match others.first() {
        Some(word) => Err(Failure::Usage(format!("`{word}` belongs to no flag"))),
        None => Ok(given),
    }
}

fn action(file: &Path) -> Result<Draft, Failure> {
    let text = std::fs::read(file).map_err(|error| {
        let text = format!("`{}` is no module, and no action to be read: {error}", file.display());
        Failure::Usage(text)
    })?;
    draft(text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

fn of(action: &serde_json::Value) -> Result<Draft, Failure> {
    draft(action.to_string().into_bytes())
}

/// Read here as the agents will read it, so that mistakes are told before anybody is asked.
fn draft(text: Vec<u8>) -> Result<Draft, Failure> {
    let task = Task::from_json(&text)?;
    let modules = task.modules().into_iter().collect();
    Ok(Draft { name: task.name, text, modules, target: task.target, job: Job::Tell })
}

fn unknown_hosts(given: &[Given]) -> Result<Draft, Failure> {
    let mut known = None;
    for flag in given.iter().filter(|flag| flag.name == "known") {
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::Usage(format!("-known {}: {error}", flag.value))
        };
        let text = std::fs::read_to_string(&flag.value).map_err(|error| wrong(&error))?;
        known = Some(KnownHosts::read(&text).map_err(|error| wrong(&error))?);
    }
    let all = json!({ "module": "netstat", "parameters": { "lm": ["."], "nm": ["."] } });
    let draft = of(&json!({ "name": "unknown hosts", "version": 2, "operations": [all] }))?;
    Ok(Draft { job: Job::UnknownHosts(known), ..draft })
}

impl Draft {
    /// Whether its answers are about the fleet as a whole.
    pub(super) fn is_of_unknown_hosts(&self) -> bool {
        matches!(self.job, Job::UnknownHosts(_))
    }

    /// With the target of the flags, or of the action's file.
    pub(super) fn question(&self, words: &Words) -> Result<Question, Failure> {
        let given = words.target.as_deref();
        let of_file = Some(self.target.as_str()).filter(|target| !target.is_empty());
        let Some(target) = given.or(of_file) else {
            let text = "whom to ask? Expected -t TARGET, such as -t \"status='online'\", -t 'web*' or -t all";
            return Err(Failure::Usage(text.to_owned()));
        };
        Ok(Question {
            name: self.name.clone(),
            target: Target::parse(target).map_err(|error| mistake(&error))?,
            text: self.text.clone(),
            modules: self.modules.clone(),
            lasts: words.lasts.unwrap_or(LASTS),
        })
    }
}

/// A target's mistake with its place.
pub(super) fn mistake(error: &Diagnostic) -> Failure {
    Failure::Usage(format!(
        "the target cannot be read\n{}",
        error.render(Colour::of(&std::io::stderr()))
    ))
}
