//! `edgeproof agent ACTION.json`

use std::io::{self, BufWriter, Write as _};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::run::{self, Failure, Settings};
use crate::file::{Search, investigate};
use crate::flags::{self, Known};
use crate::report::{self, Format};
use crate::task::{Outcome, Task};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let known =
        Known { values: &["t", "e", "format", "nice", "memory", "i"], switches: &run::SWITCHES };
    let (given, mut files) = flags::read(words, known)?;
    let mut settings = Settings::default();
    for flag in &given {
        if !settings.take(flag)? {
            files.push(flag.value.clone());
        }
    }
    let [file] = &*files else {
        let text = format!(
            "expected one module or action, found {}: `edgeproof agent help` tells",
            files.len()
        );
        return Err(Failure::Usage(text));
    };
    let deadline = settings.start()?;
    let text = std::fs::read(file).map_err(|error| {
        Failure::Usage(format!("`{file}` is no module, and no action to be read: {error}"))
    })?;
    let task =
        Task::from_json(&text).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    drop(text);
    match task.searches() {
        // The process ends with its answer: nobody needs this memory back.
        Ok(searches) => answer(&ManuallyDrop::new(searches), &settings, deadline),
        Err(task) => say(&task.run(Path::new("/"), deadline), settings.format),
    }
}

/// Writes what several modules found; answers the exit code.
fn say(outcomes: &[Outcome], format: Format) -> Result<u8, Failure> {
    run::print(&match format {
        Format::Json => format!("{:#}\n", json!({ "operations": outcomes })),
        Format::Mig => lines(outcomes.iter().flat_map(|outcome| &outcome.lines)),
        Format::Human => outcomes.iter().map(human).collect(),
    })?;
    let found: u64 = outcomes.iter().map(|outcome| outcome.found).sum();
    Ok(match (found, outcomes.iter().all(|outcome| outcome.is_whole)) {
        (1.., _) => 1,
        (0, false) => 6,
        (0, true) => 0,
    })
}

fn lines<'l>(lines: impl IntoIterator<Item = &'l String>) -> String {
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

fn human(outcome: &Outcome) -> String {
    let Outcome { module, found, .. } = outcome;
    format!("{}{}{module}: {found} found\n", lines(&outcome.lines), lines(&outcome.errors))
}

/// Makes the searches and writes what they found.
pub(crate) fn answer(
    searches: &[Search],
    settings: &Settings,
    deadline: Option<Instant>,
) -> Result<u8, Failure> {
    let findings = investigate(searches, deadline);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = report::write(&mut out, &findings, settings.format).and_then(|()| out.flush());
    run::ended(written)?;
    Ok(findings.exit_code())
}
