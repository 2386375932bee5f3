//! What a case's panel shows, as JSON.

use edgeproof_runner::event::{CaseResult, EarlierPlay, Exchange, Failure, Payload, Verdict};
use serde::Serialize;

use crate::{
    Outcome, Run,
    number::{duration, measured, percent, short_duration},
    visible::{Marks, payload_lines, visible, visible_line},
};

/// Round each escape, so that the page can tell `\x1b` that stands for a byte from one that was
/// sent as four characters. Both are control characters, which visible text has none of.
const MARKS: Marks = Marks { open: "\u{1}", close: "\u{2}" };

/// Octets of a message that are kept, for a case that failed and for one that did not.
const FAILED_OCTETS: usize = 16 * 1024;
const PASSED_OCTETS: usize = 4 * 1024;

/// What all panels need.
#[derive(Serialize)]
pub(super) struct Facts {
    targets: Vec<String>,
}

impl Facts {
    pub(super) fn of(run: &Run) -> Self {
        Facts { targets: run.played_targets().into_iter().map(visible_line).collect() }
    }
}

/// A case on all targets.
#[derive(Serialize)]
pub(super) struct Case {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) family: String,
    pub(super) level: String,
    pub(super) spec: String,
    explain: Option<String>,
    pub(super) tags: Vec<String>,
    file: String,
    pub(super) results: Vec<CaseOnTarget>,
}

#[derive(Serialize)]
pub(super) struct CaseOnTarget {
    pub(super) target: String,
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    duration: String,
    clock: Option<String>,
    pub(super) flake: Option<Flake>,
    failures: Vec<Failed>,
    exchanges: Vec<Wire>,
    logs: Vec<Log>,
    figures: Vec<Measured>,
    /// What was found before the case was played again, and not believed.
    pub(super) earlier: Vec<Earlier>,
    reproduce: String,
}

#[derive(Serialize)]
pub(super) struct Earlier {
    verdict: Verdict,
    why: String,
    duration: String,
    reason: Option<String>,
    failures: Vec<Failed>,
    exchanges: Vec<Wire>,
}

#[derive(Serialize)]
pub(super) struct Flake {
    pub(super) runs: usize,
    pub(super) rate: String,
    verdicts: Vec<Verdict>,
    pub(super) flaky: bool,
}

#[derive(Serialize)]
struct Failed {
    path: String,
    message: String,
    text: String,
    exchange: Option<usize>,
}

#[derive(Serialize)]
struct Wire {
    step: String,
    client: String,
    note: Option<String>,
    duration: String,
    request: Vec<String>,
    response: Option<Vec<String>>,
    origin: Vec<Seen>,
}

#[derive(Serialize)]
struct Seen {
    request: Vec<String>,
    response: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Log {
    log: String,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Measured {
    name: String,
    value: String,
    unit: String,
    samples: Vec<String>,
}

/// All cases, in file order of their first result.
pub(super) fn cases(run: &Run) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for outcome in run.outcomes() {
        let case = outcome.case();
        let place = *places.entry(case.id.as_str()).or_insert_with(|| {
            cases.push(Case::of(case));
            cases.len() - 1
        });
        cases[place].results.push(CaseOnTarget::of(&outcome));
    }
    cases
}

impl Case {
    fn of(case: &CaseResult) -> Self {
        Case {
            id: visible_line(&case.id),
            name: visible_line(&case.name),
            family: visible_line(&case.family),
            level: case.level.as_str().to_owned(),
            spec: visible_line(&case.spec),
            explain: case.explain.as_deref().map(visible),
            tags: case.tags.iter().map(|tag| visible_line(tag)).collect(),
            file: visible_line(&format!("{}:{}", case.file, case.line)),
            results: Vec::new(),
        }
    }
}

impl CaseOnTarget {
    fn of(outcome: &Outcome<'_>) -> Self {
        let case = outcome.case();
        let octets = match case.verdict {
            Verdict::Pass | Verdict::Fixed | Verdict::Skip => PASSED_OCTETS,
            Verdict::Fail | Verdict::KnownFail | Verdict::Error => FAILED_OCTETS,
        };
        CaseOnTarget {
            target: visible_line(&case.target),
            verdict: case.verdict,
            reason: case.reason.as_deref().map(visible_line),
            duration: duration(outcome.duration_ms()),
            clock: case.clock.as_deref().map(visible_line),
            flake: Flake::of(outcome),
            failures: failures(&case.failures, &case.exchanges),
            exchanges: case.exchanges.iter().map(|exchange| Wire::of(exchange, octets)).collect(),
            logs: logs(case),
            figures: figures(case),
            earlier: outcome.played_again().flat_map(|it| &it.earlier).map(Earlier::of).collect(),
            reproduce: visible_line(&case.reproduce),
        }
    }
}

impl Earlier {
    fn of(play: &EarlierPlay) -> Self {
        let wire = |exchange| Wire::of(exchange, FAILED_OCTETS);
        Earlier {
            verdict: play.verdict,
            why: visible_line(&play.why),
            duration: duration(play.duration_ms),
            reason: play.reason.as_deref().map(visible_line),
            failures: failures(&play.failures, &play.exchanges),
            exchanges: play.exchanges.iter().map(wire).collect(),
        }
    }
}

impl Flake {
    fn of(outcome: &Outcome<'_>) -> Option<Self> {
        let rate = outcome.flake_rate()?;
        Some(Flake {
            runs: outcome.runs(),
            rate: percent(rate),
            verdicts: outcome.tries().iter().map(|result| result.verdict).collect(),
            flaky: rate > 0.0,
        })
    }
}

fn failures(failures: &[Failure], exchanges: &[Exchange]) -> Vec<Failed> {
    let failures = failures.iter().map(|failure| Failed {
        path: visible_line(&failure.path),
        message: visible_line(&failure.message),
        text: visible(failure.rendered.trim_end()),
        exchange: failure.exchange.filter(|place| *place < exchanges.len()),
    });
    failures.collect()
}

impl Wire {
    fn of(exchange: &Exchange, octets: usize) -> Self {
        let lines = |payload: &Payload| payload_lines(payload, MARKS, octets);
        let origin = exchange.origin.iter().map(|seen| Seen {
            request: lines(&seen.request),
            response: seen.response.as_ref().map(lines),
        });
        Wire {
            step: visible_line(&exchange.step),
            client: visible_line(&exchange.client),
            note: exchange.note.as_deref().map(visible_line),
            duration: short_duration(exchange.duration_us),
            request: lines(&exchange.request),
            response: exchange.response.as_ref().map(lines),
            origin: origin.collect(),
        }
    }
}

fn logs(case: &CaseResult) -> Vec<Log> {
    let logs = case.logs.iter().filter(|log| !log.lines.is_empty()).map(|log| Log {
        log: visible_line(&log.log),
        lines: log.lines.iter().map(|line| visible_line(line)).collect(),
    });
    logs.collect()
}

fn figures(case: &CaseResult) -> Vec<Measured> {
    let figures = case.figures.iter().map(|figure| {
        let (value, unit) = measured(figure.value, &figure.unit);
        let sample = |sample: &f64| measured(*sample, &figure.unit).0;
        Measured {
            name: visible_line(&figure.name),
            value,
            unit: visible_line(&unit),
            samples: figure.samples.iter().map(sample).collect(),
        }
    });
    figures.collect()
}
