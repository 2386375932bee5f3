//! `known_failures:` of a target.yaml: entries, and lists that several targets share.

use std::fs;
use std::path::Path;

use edgeproof_diagnostics::{Diagnostics, Source, Value, parse};

use crate::known::{KnownFailure, KnownFailures};

/// A list whose entries are a known failure, or `include: FILE`, relative to `folder`.
pub(super) fn read(value: Value<'_>, folder: &Path, diagnostics: &Diagnostics) -> KnownFailures {
    let read = |value: Value<'_>| match is_include(value) {
        true => included(value, folder, diagnostics),
        false => entry(value).map(|entry| vec![entry]),
    };
    let entries = value.list(read).unwrap_or_default();
    KnownFailures::new(entries.into_iter().flatten().collect())
}

fn is_include(value: Value<'_>) -> bool {
    value.node().is_some_and(|node| node.get("include").is_some())
}

/// The entries of a shared list, which includes no other. Its mistakes are shown in its own file.
fn included(
    value: Value<'_>,
    folder: &Path,
    diagnostics: &Diagnostics,
) -> Option<Vec<KnownFailure>> {
    let mut map = value.map("a list of known failures")?;
    let include = map.required("include");
    let name = include.str();
    map.finish();
    let file = folder.join(name?);
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return include.reject(format!("cannot read {}: {error}", file.display())),
    };
    let node = parse(&Source::new(file.display().to_string(), text), diagnostics)?;
    Value::new(&node, diagnostics).list(entry)
}

fn entry(value: Value<'_>) -> Option<KnownFailure> {
    let mut map = value.map("a known failure")?;
    let case = map.required("case");
    let id = case.str();
    let expectation = map.optional("expectation").str().map(str::to_owned);
    let unanswered = map.optional("unanswered").bool().unwrap_or_default();
    let reason = map.required("reason");
    let text = reason.str();
    map.finish();
    let (id, text) = (id?, text?);
    if id.is_empty() || id.contains('*') || id.starts_with('/') || id.ends_with('/') {
        return case.reject(format!(
            "`{id}` is no case's id; a known failure is listed case by case, never for a whole family"
        ));
    }
    if text.trim().is_empty() {
        return reason.reject("the reason is empty: say why this target fails here");
    }
    Some(KnownFailure { case: id.to_owned(), expectation, unanswered, reason: text.to_owned() })
}
