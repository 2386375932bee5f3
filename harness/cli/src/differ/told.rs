//! What came of a search, for people and for programs.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

use edgeproof_workbench::differ::{Cause, Difference, Ledger, Request};
use serde_json::{Value, json};

use crate::args::Differ;
use crate::failure::Failure;

/// Columns of a page.
const WIDTH: usize = 80;
/// More lines of a request are not shown; its file has them all.
const MOST_LINES: usize = 12;

/// What came of a search, the causes apart.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    /// Requests sent to make others smaller.
    pub(super) tried: u64,
    /// Requests that differed once and not again.
    pub(super) unsteady: u64,
    /// Requests of which a log does not tell for sure which rules matched.
    pub(super) unreadable: u64,
    /// Requests and payloads of the corpus.
    pub(super) seeds: usize,
    pub(super) versions: [Option<String>; 2],
    pub(super) duration: Duration,
    /// In the order of their examples' discovery.
    pub(super) files: Vec<PathBuf>,
    pub(super) interrupted: bool,
    pub(super) broken: Option<String>,
}

/// A page of 80 columns.
pub(super) fn human(outcome: &Outcome, ledger: &Ledger, arguments: &Differ) -> String {
    let mut text = String::new();
    let sides = ledger.sides();
    let named = |name: &str, version: &Option<String>| match version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    };
    let [first, second] = &outcome.versions;
    wrap(
        &mut text,
        "",
        &format!("{} against {}", named(&sides.first, first), named(&sides.second, second)),
    );
    for (number, cause) in ledger.causes().iter().enumerate() {
        text.push('\n');
        cause_told(&mut text, number + 1, cause, ledger);
    }
    let mut known = ledger.explained().filter(|(_, requests)| *requests > 0).peekable();
    if known.peek().is_some() {
        text.push_str("\nKnown, and listed:\n");
        for (reason, requests) in known {
            wrap(&mut text, "  ", &format!("{requests} × {reason}"));
        }
    }
    text.push('\n');
    if let Some(folder) = arguments.out.as_ref().filter(|_| !outcome.files.is_empty()) {
        wrap(&mut text, "", &format!("{} tests in {}", outcome.files.len(), folder.display()));
    }
    wrap(&mut text, "", &closing(outcome, ledger, arguments));
    text
}

fn closing(outcome: &Outcome, ledger: &Ledger, arguments: &Differ) -> String {
    let mut closing = format!(
        "{} requests (seed {}) in {:.0} s, and {} to make others smaller: {} differ, {} causes",
        outcome.requests,
        arguments.seed,
        outcome.duration.as_secs_f64(),
        outcome.tried,
        ledger.differing(),
        ledger.causes().len()
    );
    if outcome.unsteady > 0 {
        closing += &format!("; {} differed once and not again", outcome.unsteady);
    }
    if outcome.unreadable > 0 {
        closing += &format!("; of {} a log does not tell for sure", outcome.unreadable);
    }
    if outcome.interrupted {
        closing += "; interrupted";
    }
    closing
}

fn cause_told(text: &mut String, number: usize, cause: &Cause, ledger: &Ledger) {
    let told = cause.difference.told(ledger.sides());
    wrap(text, "", &format!("{number}. {told} ({} requests)", cause.requests));
    let Some(smallest) = smallest(cause) else { return };
    let wire = smallest.wire();
    let lines: Vec<&[u8]> = wire.trim_ascii_end().split(|octet| *octet == b'\n').collect();
    for line in lines.iter().take(MOST_LINES) {
        let line = line.strip_suffix(b"\r").unwrap_or(line).escape_ascii().to_string();
        let cut: String = line.chars().take(WIDTH - 5).collect();
        let more = if cut.len() < line.len() { "…" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "    {cut}{more}");
    }
    if lines.len() > MOST_LINES {
        let _ = writeln!(text, "    … {} lines more", lines.len() - MOST_LINES);
    }
}

fn smallest(cause: &Cause) -> Option<&Request> {
    cause.examples.iter().min_by_key(|example| example.wire().len())
}

/// Words in lines of at most 80 columns, the later ones indented.
fn wrap(text: &mut String, indent: &str, words: &str) {
    let mut line = indent.to_owned();
    for word in words.split_whitespace() {
        let width = line.chars().count() + 1 + word.chars().count();
        if width > WIDTH && !line.trim().is_empty() {
            let _ = writeln!(text, "{}", line.trim_end());
            line = format!("{indent}  ");
        }
        line += word;
        line.push(' ');
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

/// One object.
pub(super) fn json(
    outcome: &Outcome,
    ledger: &Ledger,
    arguments: &Differ,
) -> Result<String, Failure> {
    let sides = ledger.sides();
    let [first, second] = &outcome.versions;
    let rules = |difference: &Difference| json!({ &sides.first: difference.first, &sides.second: difference.second });
    let cause = |cause: &Cause| {
        json!({
            "only": rules(&cause.difference),
            "answers": cause.difference.answers,
            "requests": cause.requests,
            "examples": cause.examples.iter().map(example).collect::<Vec<_>>(),
        })
    };
    let known = ledger.explained().filter(|(_, requests)| *requests > 0);
    let known: Vec<Value> =
        known.map(|(reason, requests)| json!({ "reason": reason, "requests": requests })).collect();
    let object = json!({
        "targets": [
            { "name": sides.first, "version": first },
            { "name": sides.second, "version": second },
        ],
        "seed": arguments.seed,
        "corpus": outcome.seeds,
        "requests": outcome.requests,
        "requests_to_shrink": outcome.tried,
        "duration_s": outcome.duration.as_secs_f64(),
        "differing": ledger.differing(),
        "unsteady": outcome.unsteady,
        "unreadable": outcome.unreadable,
        "interrupted": outcome.interrupted,
        "error": outcome.broken,
        "causes": ledger.causes().iter().map(cause).collect::<Vec<_>>(),
        "known": known,
        "files": outcome.files,
    });
    let text = serde_json::to_string_pretty(&object);
    text.map(|text| text + "\n").map_err(|error| Failure::Broken(error.to_string()))
}

fn example(request: &Request) -> Value {
    let wire = request.wire();
    json!({ "request": wire.escape_ascii().to_string(), "octets": wire.len() })
}
