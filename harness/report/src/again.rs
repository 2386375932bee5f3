//! Cases that were played again: what the plays before found, which were not believed. A flake must be seen, also
//! where the last play holds.

use edgeproof_runner::event::{CaseResult, EarlierPlay};

/// The verdicts of all plays of a try, in their order: `fail, then pass`.
pub(crate) fn course(case: &CaseResult) -> String {
    let earlier: Vec<&str> = case.earlier.iter().map(|play| play.verdict.as_str()).collect();
    format!("{}, then {}", earlier.join(", "), case.verdict.as_str())
}

/// What an earlier play found, a line each: its failures with their places, or what broke.
pub(crate) fn found(play: &EarlierPlay) -> Vec<String> {
    if play.failures.is_empty() {
        return vec![play.reason.clone().unwrap_or_else(|| "no reason was given".to_owned())];
    }
    let failures = play.failures.iter().map(|failure| {
        format!("{}:{}:{}: {}", failure.file, failure.line, failure.column, failure.message)
    });
    failures.collect()
}

/// All of it in lines: the course, and of each earlier play what it found and why it was not believed.
pub(crate) fn told(case: &CaseResult) -> String {
    let plays = case.earlier.iter().map(|play| {
        let found = found(play).join("\n");
        format!("{found}\n(not believed: {})", play.why)
    });
    format!("{}\n{}", course(case), plays.collect::<Vec<_>>().join("\n"))
}
