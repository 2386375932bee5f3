//! Log lines.

use edgeproof_scenario::model::{LogCheck, Value};

use super::Mismatch;
use super::value::{Found, Scope, compare, words};
use crate::visible::quoted;

/// What does not hold of the lines that a case caused.
pub(crate) fn log_mismatches(
    log: &str,
    check: &LogCheck,
    lines: Option<&Result<Vec<Vec<u8>>, String>>,
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
    mismatches
}

fn no_line(log: &str, expected: &str) -> Mismatch {
    Mismatch::new(log, expected, "no line")
}

fn list(lines: &[Vec<u8>]) -> String {
    let shown: Vec<_> = lines.iter().take(5).map(|line| format!("\n  {}", quoted(line))).collect();
    if shown.is_empty() { String::new() } else { format!(":{}", shown.concat()) }
}
