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
    scope: Scope,
}

/// Which cases a run would have played had they been there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Not told, as in a recording, which may be of a part of the cases: those of a folder of which another
    /// case was played (a folder is an id up to its last `/`).
    #[default]
    Untold,
    /// Those of these files and folders, as ids: `cache/vary`; the empty one is the whole suite. None where a
    /// filter leaves out an unknown part.
    Below(Vec<String>),
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
    /// The verdict now; `None` where it is not in the run.
    pub now: Option<Verdict>,
    /// Why it is no longer played.
    pub reason: Option<String>,
}

impl Change {
    /// Did the target keep to this before (or was listed as known not to), and does it not show so
    /// now? A failure that is skipped now is no worse than it was.
    pub fn is_regression(&self) -> bool {
        is_worse(self.was, self.now)
    }
}

/// Did it hold or was it known not to, and does it fail or is it skipped now?
pub(crate) fn is_worse(was: Option<Verdict>, now: Option<Verdict>) -> bool {
    let kept = matches!(was, Some(Verdict::Pass | Verdict::Fixed | Verdict::KnownFail));
    matches!(now, Some(Verdict::Fail | Verdict::Skip)) && kept
}

/// What changed, each list in file order (what is gone: by name).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Fails, and did not: a regression where its level counts.
    pub newly_failing: Vec<Change>,
    /// Played then and skipped now: a regression too, lest coverage vanish unseen
    /// ([`Change::is_regression`]).
    pub no_longer_played: Vec<Change>,
    /// Failed (known or not), and does not.
    pub newly_passing: Vec<Change>,
    /// Played now and not then.
    pub new: Vec<Change>,
    /// Held, and is a known failure now.
    pub newly_known: Vec<Change>,
    /// Played then and not in the run now, though it is in the run's [`Scope`]: on targets of which
    /// something was played.
    pub gone: Vec<Change>,
    /// How many are in the baseline without a verdict: skipped then, or broken.
    pub unjudged: usize,
    /// How many were played both times.
    pub shared: usize,
    /// Where nothing was: an id of the run, and one of the baseline that seems to be the same case's.
    pub named_otherwise: Option<(String, String)>,
}

impl Difference {
    /// Is nothing otherwise than it was?
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, list)| list.is_empty())
    }

    /// Does the baseline have a verdict on none of the run's cases?
    pub fn compares_nothing(&self) -> bool {
        self.shared == 0 && self.no_longer_played.is_empty()
    }

    /// What is worse than it was.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        let worse = self.newly_failing.iter().chain(&self.no_longer_played);
        worse.filter(|change| change.is_regression())
    }

    /// Why nothing could be compared, where that is so.
    pub fn incomparable(&self) -> Option<String> {
        let has = match self.unjudged {
            0 => "has none of these cases",
            _ => "has a verdict on none of these cases (skipped or broken then)",
        };
        let otherwise = self.named_otherwise.as_ref().map(|(here, there)| {
            format!(
                "; what is `{here}` here seems to be `{there}` there: where no folder `scenarios` is above it, an id is \
                 counted from the PATH given, so give the one that the baseline was made with"
            )
        });
        let otherwise = otherwise.unwrap_or_default();
        let why = format!("the baseline {has}: nothing could be compared{otherwise}");
        self.compares_nothing().then_some(why)
    }

    /// All lists with their names.
    pub fn lists(&self) -> [(&'static str, &[Change]); 6] {
        [
            ("newly failing", &self.newly_failing),
            ("no longer played", &self.no_longer_played),
            ("newly passing", &self.newly_passing),
            ("newly known to fail", &self.newly_known),
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
        Ok(Baseline { cases: cases.collect(), scope: Scope::Untold })
    }

    /// The baseline of a run on these cases: what else it has is not called gone.
    #[must_use]
    pub fn within(self, scope: Scope) -> Baseline {
        Baseline { scope, ..self }
    }

    /// A run as the baseline of later ones.
    pub fn of(run: &Run) -> Baseline {
        let cases = run.outcomes().into_iter().map(|outcome| {
            let case = outcome.case();
            ((case.id.clone(), case.target.clone()), (outcome.verdict(), case.level))
        });
        Baseline { cases: cases.collect(), scope: Scope::Untold }
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
        let mut heard = Heard::default();
        for outcome in run.outcomes() {
            let case = outcome.case();
            let key = (case.id.clone(), case.target.clone());
            let then = self.verdict(&key.0, &key.1);
            let was = then.filter(|v| played(*v));
            difference.unjudged += usize::from(then.is_some() && was.is_none());
            if played(outcome.verdict()) {
                heard.folders.insert((folder(&case.id), &*case.target));
                heard.targets.insert(&*case.target);
            }
            difference.sort_in(
                Change {
                    id: key.0.clone(),
                    target: key.1.clone(),
                    level: case.level,
                    was,
                    now: Some(outcome.verdict()),
                    reason: None,
                },
                case.reason.as_deref(),
            );
            seen.insert(key);
        }
        for (key, (verdict, level)) in &self.cases {
            let missed = self.expects(key, &heard, &difference) && !seen.contains(key);
            if missed && played(*verdict) {
                let ((id, target), was) = (key.clone(), Some(*verdict));
                let change = Change { id, target, level: *level, was, now: None, reason: None };
                difference.gone.push(change);
            }
        }
        if difference.compares_nothing() {
            difference.named_otherwise = self.named_otherwise(&difference.new);
        }
        difference
    }

    /// A case of the run, and one of the baseline that has its id at the end of its own, or the other way round.
    fn named_otherwise(&self, new: &[Change]) -> Option<(String, String)> {
        let is_end = |end: &str, whole: &str| {
            whole.strip_suffix(end).is_some_and(|before| before.ends_with('/'))
        };
        new.iter().find_map(|change| {
            let here = &change.id;
            let of_target = self.cases.keys().filter(|(_, target)| *target == change.target);
            let mut ids = of_target.map(|(id, _)| id);
            let there = ids.find(|there| is_end(here, there) || is_end(there, here))?;
            Some((here.clone(), there.clone()))
        })
    }

    /// Is this a case that the run should have had? A baseline of another suite says nothing of it.
    fn expects(
        &self,
        (id, target): &(String, String),
        heard: &Heard<'_>,
        so_far: &Difference,
    ) -> bool {
        match &self.scope {
            Scope::Untold => heard.folders.contains(&(folder(id), &**target)),
            Scope::Below(places) => {
                heard.targets.contains(&**target)
                    && !so_far.compares_nothing()
                    && places.iter().any(|place| is_below(id, place))
            }
        }
    }
}

/// Of what something was played.
#[derive(Default)]
struct Heard<'a> {
    /// Folders, each on its target.
    folders: BTreeSet<(&'a str, &'a str)>,
    targets: BTreeSet<&'a str>,
}

/// Is it the place itself, a row of that file, or in that folder?
fn is_below(id: &str, place: &str) -> bool {
    let rest = id.strip_prefix(place);
    place.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#']))
}

impl Difference {
    fn sort_in(&mut self, mut change: Change, reason: Option<&str>) {
        match (change.was, change.now) {
            // A broken harness says nothing about the case.
            (_, None | Some(Verdict::Error)) | (None, Some(Verdict::Skip)) => {}
            (None, Some(_)) => self.new.push(change),
            (Some(_), Some(Verdict::Skip)) => {
                change.reason = reason.map(str::to_owned);
                self.no_longer_played.push(change);
            }
            (Some(was), Some(now)) => {
                self.shared += 1;
                if now == Verdict::Fail && was != Verdict::Fail {
                    self.newly_failing.push(change);
                } else if holds(now) && !holds(was) {
                    self.newly_passing.push(change);
                } else if now == Verdict::KnownFail && holds(was) {
                    self.newly_known.push(change);
                }
            }
        }
    }
}

/// `cache/vary` of `cache/vary/star#2`; a row's own name may have a slash in it.
fn folder(id: &str) -> &str {
    let file = id.split_once('#').map_or(id, |(file, _)| file);
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A skipped or broken case says nothing about the requirement.
fn played(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Skip | Verdict::Error)
}

fn holds(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Fixed)
}
