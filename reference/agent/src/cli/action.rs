//! `edgeproof agent ACTION.json`

use std::io::{self, BufWriter, Write as _};
use std::mem::ManuallyDrop;
use std::time::Instant;

use super::run::{self, Failure, Settings};
use crate::action::Action;
use crate::file::{Search, investigate};
use crate::flags::{self, Known};
use crate::report;

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
    let action =
        Action::from_json(&text).map_err(|error| Failure::Usage(format!("{file}: {error}")))?;
    drop(text);
    // The process ends with its answer: nobody needs this memory back.
    answer(&ManuallyDrop::new(action).searches, &settings, deadline)
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
