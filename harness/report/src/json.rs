//! One object for programs: a summary and the cases, in file order.

use std::io::{self, Write};

use edgeproof_runner::event::{CaseResult, Figure, Verdict};
use serde::Serialize;

use crate::{
    Change, Difference, Options, Outcome, Run, Summary, again::found, exit_code, trouble::troubles,
};

#[derive(Serialize)]
struct Report<'a> {
    summary: Totals,
    /// Stopped by Ctrl-C, or results are missing: what is here is not all.
    interrupted: bool,
    missing: usize,
    exit: Exit,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Changes>,
    cases: Vec<Case<'a>>,
}

/// What the run is worth.
#[derive(Serialize)]
struct Exit {
    code: u8,
    meaning: &'static str,
    /// What led to it and is no case's verdict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
}

#[derive(Serialize)]
struct Totals {
    cases: usize,
    passed: usize,
    failed: usize,
    known_failed: usize,
    fixed: usize,
    skipped: usize,
    errors: usize,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    family: &'a str,
    level: &'a str,
    spec: &'a str,
    target: &'a str,
    verdict: Verdict,
    reason: Option<&'a str>,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flake_rate: Option<f64>,
    /// What was found before, and not believed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    played_again: Vec<Earlier<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    figures: &'a [Figure],
}

#[derive(Serialize)]
struct Earlier<'a> {
    attempt: usize,
    verdict: Verdict,
    found: Vec<String>,
    why: &'a str,
    duration_ms: u64,
}

#[derive(Serialize)]
struct Changes {
    compared: usize,
    newly_failing: Vec<Changed>,
    no_longer_played: Vec<Changed>,
    newly_passing: Vec<Changed>,
    newly_known: Vec<Changed>,
    new: Vec<Changed>,
    gone: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    id: String,
    target: String,
    level: &'static str,
    was: Option<Verdict>,
    now: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let summary = Summary::of(run, options.baseline.as_deref());
    let code = exit_code(&summary, options.gate);
    let counts = summary.counts;
    let outcomes = run.outcomes();
    let report = Report {
        summary: Totals {
            cases: counts.total(),
            passed: counts.of(Verdict::Pass),
            failed: counts.of(Verdict::Fail),
            known_failed: counts.of(Verdict::KnownFail),
            fixed: counts.of(Verdict::Fixed),
            skipped: counts.of(Verdict::Skip),
            errors: counts.of(Verdict::Error),
        },
        interrupted: run.cut_short().is_some(),
        missing: run.missing(),
        exit: Exit {
            code: code.code(),
            meaning: code.meaning(),
            why: troubles(run, options).into_iter().map(|it| it.why).collect(),
        },
        baseline: options.baseline.as_deref().map(|old| Changes::of(old.difference(run))),
        cases: outcomes.iter().map(Case::of).collect(),
    };
    serde_json::to_writer_pretty(&mut *writer, &report)?;
    writer.write_all(b"\n")
}

impl<'a> Case<'a> {
    fn of(outcome: &Outcome<'a>) -> Self {
        let case = outcome.case();
        let flake_rate = outcome.flake_rate();
        Case {
            id: &case.id,
            family: &case.family,
            level: case.level.as_str(),
            spec: &case.spec,
            target: &case.target,
            verdict: case.verdict,
            reason: case.reason.as_deref(),
            duration_ms: outcome.duration_ms(),
            runs: flake_rate.map(|_| outcome.runs()),
            flake_rate,
            played_again: outcome.played_again().flat_map(Earlier::all).collect(),
            figures: &case.figures,
        }
    }
}

impl<'a> Earlier<'a> {
    fn all(case: &'a CaseResult) -> impl Iterator<Item = Self> {
        case.earlier.iter().map(|play| Earlier {
            attempt: case.attempt,
            verdict: play.verdict,
            found: found(play),
            why: &play.why,
            duration_ms: play.duration_ms,
        })
    }
}

impl Changes {
    fn of(difference: Difference) -> Self {
        let list = |changes: Vec<Change>| changes.into_iter().map(Changed::of).collect();
        Changes {
            compared: difference.shared,
            newly_failing: list(difference.newly_failing),
            no_longer_played: list(difference.no_longer_played),
            newly_passing: list(difference.newly_passing),
            newly_known: list(difference.newly_known),
            new: list(difference.new),
            gone: list(difference.gone),
        }
    }
}

impl Changed {
    fn of(change: Change) -> Self {
        let Change { id, target, level, was, now, reason } = change;
        Changed { id, target, level: level.as_str(), was, now, reason }
    }
}
