//! Log lines.

use std::collections::HashSet;

use edgeproof_scenario::model::{LogCheck, Value};
use edgeproof_target::LineReader;

use super::Mismatch;
use super::value::{Found, Scope, compare, words};
use crate::visible::quoted;

/// What does not hold of the lines that a case caused.
pub(crate) fn log_mismatches(
    log: &str,
    check: &LogCheck,
    lines: Option<&Result<Vec<Vec<u8>>, String>>,
    reader: Option<&LineReader>,
    scope: &Scope<'_>,
) -> Vec<Mismatch> {
    let lines = match lines {
        Some(Ok(lines)) => lines,
        Some(Err(why)) => return vec![Mismatch::new(log, "a log", why.clone())],
        None => return vec![Mismatch::new(log, "a log", "none that was looked at")],
    };
    let differs = |value: &Value, line: &[u8]| compare(value, Found::field(&[line]), scope);
    let mut mismatches = Vec::new();
    if let Some(count) = check.count
        && !count.holds(lines.len() as u64)
    {
        let found = format!("{}{}", lines.len(), list(lines));
        mismatches.push(Mismatch::new(format!("lines in {log}"), words(count), found));
    }
    if let Some(value) = &check.line {
        match lines.last() {
            Some(line) => mismatches.extend(differs(value, line).map(|(expected, found)| {
                Mismatch::new(format!("the last line of {log}"), expected, found)
            })),
            None => mismatches.push(no_line(log, "a line")),
        }
    }
    if let Some(value) = &check.any {
        let differences: Vec<_> = lines.iter().map(|line| differs(value, line)).collect();
        if let Some(Some((expected, _))) = differences.last()
            && differences.iter().all(Option::is_some)
        {
            let found = format!("none such{}", list(lines));
            mismatches.push(Mismatch::new(format!("a line of {log}"), expected, found));
        }
        if lines.is_empty() {
            mismatches.push(no_line(log, "a line"));
        }
    }
    if let Some(value) = &check.none
        && let Some(line) = lines.iter().find(|line| differs(value, line).is_none())
    {
        let what = format!("lines of {log} that must not be there");
        mismatches.push(Mismatch::new(what, "none", quoted(line)));
    }
    if let Some(value) = &check.every {
        if lines.is_empty() {
            mismatches.push(no_line(log, "at least one line"));
        }
        let difference = lines.iter().find_map(|line| differs(value, line));
        mismatches.extend(difference.map(|(expected, found)| {
            Mismatch::new(format!("every line of {log}"), expected, found)
        }));
    }
    if check.distinct {
        // One line is like no other, whatever stands in it.
        if lines.len() < 2 {
            let found = format!("{}{}", lines.len(), list(lines));
            let what = format!("lines in {log} to compare");
            mismatches.push(Mismatch::new(what, "two at least", found));
        }
        if let Some(line) = first_twice(lines) {
            let what = format!("lines of {log} that are there twice");
            mismatches.push(Mismatch::new(what, "none", quoted(line)));
        }
    }
    if !check.fields.is_empty() {
        match lines.last() {
            Some(line) => mismatches.extend(field_mismatches(log, check, line, reader, scope)),
            None => mismatches.push(no_line(log, "a line")),
        }
    }
    mismatches
}

/// What does not hold of the values that a line shows, as the target's notation is read.
fn field_mismatches(
    log: &str,
    check: &LogCheck,
    line: &[u8],
    reader: Option<&LineReader>,
    scope: &Scope<'_>,
) -> Vec<Mismatch> {
    let unread = |why: &str| {
        let found = format!("{why}: {}", quoted(line));
        vec![Mismatch::new(format!("the last line of {log}"), "a line that can be read", found)]
    };
    let Some(reader) = reader else {
        return unread("the target does not say how such lines are read (`logs.read`)");
    };
    let said = match reader.read(line) {
        Ok(said) => said,
        Err(why) => return unread(&why),
    };
    let differs = |(name, value): &(String, Value)| {
        let Some(said) = said.get(name) else {
            let found = "nothing: the target's lines do not show it";
            return Some(Mismatch::new(format!("{name} in {log}"), "a value", found));
        };
        let lines: Vec<&[u8]> = said.as_deref().into_iter().collect();
        let (expected, found) = compare(value, Found::field(&lines), scope)?;
        let found = format!("{found} in {}", quoted(line));
        Some(Mismatch::new(format!("{name} in the last line of {log}"), expected, found))
    };
    check.fields.iter().filter_map(differs).collect()
}

/// The first line that is there once more.
fn first_twice(lines: &[Vec<u8>]) -> Option<&[u8]> {
    let mut seen = HashSet::with_capacity(lines.len());
    lines.iter().map(Vec::as_slice).find(|line| !seen.insert(*line))
}

fn no_line(log: &str, expected: &str) -> Mismatch {
    Mismatch::new(log, expected, "no line")
}

fn list(lines: &[Vec<u8>]) -> String {
    let shown: Vec<_> = lines.iter().take(5).map(|line| format!("\n  {}", quoted(line))).collect();
    if shown.is_empty() { String::new() } else { format!(":{}", shown.concat()) }
}
