//! A former run, and what changed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use edgeproof_runner::event::Verdict;
use serde::Deserialize;

use crate::{Level, ReplayError, Run, replay};

/// The verdicts of a former run, by case and target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    cases: BTreeMap<(String, String), (Verdict, Level)>,
}

/// A file that is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The reader failed.
    #[error("the baseline cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It looks like recorded events and is not.
    #[error("the baseline is no recording of a run: {0}")]
    Events(#[from] ReplayError),
    /// It is JSON, of another shape.
    #[error(
        "the baseline is no report: expected what `--format json` or `--format events` writes: {0}"
    )]
    Json(#[from] serde_json::Error),
}

/// What the JSON report says of a case, as far as a comparison needs it.
#[derive(Deserialize)]
struct JsonReport {
    cases: Vec<JsonCase>,
}

#[derive(Deserialize)]
struct JsonCase {
    id: String,
    target: String,
    verdict: Verdict,
    level: Level,
}

/// A case that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The case.
    pub id: String,
    /// On which target.
    pub target: String,
    /// Its level.
    pub level: Level,
    /// The verdict in the baseline; `None` where it was not played.
    pub was: Option<Verdict>,
    /// The verdict now; `None` where it was not played.
    pub now: Option<Verdict>,
}

/// What changed, each list in file order (what is gone: by name).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Fails, and did not: a regression where its level counts.
    pub newly_failing: Vec<Change>,
    /// Failed (known or not), and does not.
    pub newly_passing: Vec<Change>,
    /// Played now and not then.
    pub new: Vec<Change>,
    /// Played then and not now.
    pub gone: Vec<Change>,
    /// How many were played both times: without one, nothing was compared.
    pub shared: usize,
}

impl Difference {
    /// Is nothing otherwise than it was?
    pub fn is_empty(&self) -> bool {
        let lists = [&self.newly_failing, &self.newly_passing, &self.new, &self.gone];
        lists.iter().all(|list| list.is_empty())
    }

    /// The four lists with their names.
    pub fn lists(&self) -> [(&'static str, &[Change]); 4] {
        [
            ("newly failing", &self.newly_failing),
            ("newly passing", &self.newly_passing),
            ("new", &self.new),
            ("gone", &self.gone),
        ]
    }
}

impl Baseline {
    /// Reads what `--format json` or `--format events` wrote.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(mut reader: impl Read) -> Result<Baseline, BaselineError> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        let first = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        let is_event = |line| {
            let value = serde_json::from_slice::<serde_json::Value>(line);
            value.is_ok_and(|value| value.get("event").is_some())
        };
        if first.is_some_and(is_event) {
            return Ok(Baseline::of(&Run::of(&replay(&*bytes)?)));
        }
        let report: JsonReport = serde_json::from_slice(&bytes)?;
        let cases = report.cases.into_iter().map(|case| {
            let level = case.level;
            ((case.id, case.target), (case.verdict, level))
        });
        Ok(Baseline { cases: cases.collect() })
    }

    /// A run as the baseline of later ones.
    pub fn of(run: &Run) -> Baseline {
        let cases = run.outcomes().into_iter().map(|outcome| {
            let case = outcome.case();
            ((case.id.clone(), case.target.clone()), (outcome.verdict(), case.level))
        });
        Baseline { cases: cases.collect() }
    }

    /// The verdict on a case.
    pub fn verdict(&self, id: &str, target: &str) -> Option<Verdict> {
        self.cases.get(&(id.to_owned(), target.to_owned())).map(|(verdict, _)| *verdict)
    }

    /// What changed. Only targets of this run are compared, so that a baseline of many targets
    /// serves a run on one.
    pub fn difference(&self, run: &Run) -> Difference {
        let mut difference = Difference::default();
        let mut seen = BTreeSet::new();
        for outcome in run.outcomes() {
            let case = outcome.case();
            let key = (case.id.clone(), case.target.clone());
            let was = self.verdict(&key.0, &key.1).filter(|v| played(*v));
            let now = Some(outcome.verdict()).filter(|v| played(*v));
            let change =
                Change { id: key.0.clone(), target: key.1.clone(), level: case.level, was, now };
            seen.insert(key);
            difference.sort_in(change, outcome.verdict());
        }
        let targets = run.played_targets();
        for (key, (verdict, level)) in &self.cases {
            if !seen.contains(key) && targets.contains(&&*key.1) && played(*verdict) {
                let (id, target) = key.clone();
                let change = Change { id, target, level: *level, was: Some(*verdict), now: None };
                difference.gone.push(change);
            }
        }
        difference
    }
}

impl Difference {
    fn sort_in(&mut self, change: Change, verdict: Verdict) {
        match (change.was, change.now) {
            (Some(was), Some(now)) => {
                self.shared += 1;
                if now == Verdict::Fail && was != Verdict::Fail {
                    self.newly_failing.push(change);
                } else if holds(now) && !holds(was) {
                    self.newly_passing.push(change);
                }
            }
            (None, Some(_)) => self.new.push(change),
            // A broken harness says nothing about the case: it is not gone.
            (Some(_), None) if verdict != Verdict::Error => self.gone.push(change),
            (_, None) => {}
        }
    }
}

/// A skipped or broken case says nothing about the requirement.
fn played(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Skip | Verdict::Error)
}

fn holds(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Fixed)
}
