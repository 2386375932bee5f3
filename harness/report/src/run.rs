//! What is known of a run, gathered from its events.

use std::collections::BTreeMap;

use edgeproof_runner::event::{CaseResult, Event, TargetInfo, Verdict};

/// A run as far as its events tell it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// `edgeproof 0.1.0`.
    pub tool: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// How many results were to come, of all recordings.
    pub planned: usize,
    /// The targets in the order asked for.
    pub targets: Vec<TargetState>,
    /// Targets that cannot be had here.
    pub unavailable: Vec<UnavailableTarget>,
    /// What a person should know.
    pub notes: Vec<Note>,
    /// Real time in milliseconds; `None` until the run ends.
    pub duration_ms: Option<u64>,
    /// Stopped by Ctrl-C.
    pub interrupted: bool,
    results: Vec<CaseResult>,
}

/// A target and what became of it.
#[derive(Debug, Clone)]
pub struct TargetState {
    /// What was known before it started.
    pub info: TargetInfo,
    /// Has it been up?
    pub up: bool,
    /// What it says its version is.
    pub version: Option<String>,
    /// Why it did not start, or that it died.
    pub failure: Option<TargetFailure>,
}

/// A target that did not start, or that died.
#[derive(Debug, Clone)]
pub struct TargetFailure {
    /// Exit status, time limit.
    pub reason: String,
    /// The last lines that it wrote.
    pub log: String,
    /// It had been up: it died.
    pub died: bool,
}

/// A target that cannot be had here.
#[derive(Debug, Clone)]
pub struct UnavailableTarget {
    /// Its name.
    pub name: String,
    /// Why, and what would help.
    pub reason: String,
    /// Asked for by `--require`.
    pub required: bool,
}

/// Something that a person should know.
#[derive(Debug, Clone)]
pub struct Note {
    /// The target, where it is about one.
    pub target: Option<String>,
    /// The text.
    pub text: String,
}

impl Run {
    /// A run from all its events.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Run {
        let mut run = Run::default();
        for event in events {
            run.listen(event);
        }
        run
    }

    /// Takes the next event.
    pub fn listen(&mut self, event: &Event) {
        match event {
            Event::RunStarted { tool, started, planned, targets, .. } => {
                self.tool.clone_from(tool);
                self.started.clone_from(started);
                self.planned += *planned;
                // A second recording may have the same ones.
                for info in targets {
                    if !self.targets.iter().any(|state| state.info.name == info.name) {
                        self.targets.push(TargetState::asked_for(info.clone()));
                    }
                }
            }
            Event::TargetStarted { target, version, .. } => {
                let state = self.target(target);
                state.up = true;
                state.version.clone_from(version);
            }
            Event::TargetUnavailable { target, reason, required } => {
                self.targets.retain(|state| state.info.name != *target);
                self.unavailable.push(UnavailableTarget {
                    name: target.clone(),
                    reason: reason.clone(),
                    required: *required,
                });
            }
            Event::TargetFailed { target, reason, log } => {
                let state = self.target(target);
                let died = state.up;
                state.failure =
                    Some(TargetFailure { reason: reason.clone(), log: log.clone(), died });
            }
            Event::CaseStarted { .. } => {}
            Event::CaseFinished(result) => self.results.push((**result).clone()),
            Event::Note { target, text } => {
                self.notes.push(Note { target: target.clone(), text: text.clone() });
            }
            Event::RunFinished { duration_ms, interrupted } => {
                self.duration_ms = Some(*duration_ms);
                self.interrupted |= *interrupted;
            }
        }
    }

    /// Results that were to come and did not.
    pub fn missing(&self) -> usize {
        self.planned.saturating_sub(self.results.len())
    }

    /// That it did not come to its end, and what is missing: `None` for a whole run.
    pub fn cut_short(&self) -> Option<String> {
        let (missing, planned) = (self.missing(), self.planned);
        let of = match missing {
            1 => format!("1 of {planned} results is missing"),
            _ => format!("{missing} of {planned} results are missing"),
        };
        match (self.interrupted, missing) {
            (false, 0) => None,
            (true, 0) => Some("interrupted".to_owned()),
            (true, _) => Some(format!("interrupted: {of}")),
            (false, _) => Some(format!("not whole: {of}")),
        }
    }

    /// The state of a target, made up when the run did not announce it.
    fn target(&mut self, name: &str) -> &mut TargetState {
        let place = self.targets.iter().position(|state| state.info.name == name);
        let place = place.unwrap_or_else(|| {
            self.targets.push(TargetState::asked_for(TargetInfo {
                name: name.to_owned(),
                title: name.to_owned(),
                kind: String::new(),
                clock: String::new(),
                declares: Vec::new(),
                negative_control: false,
            }));
            self.targets.len() - 1
        });
        &mut self.targets[place]
    }

    /// What came of each case on each target, in file order; the tries of `--repeat` together.
    pub fn outcomes(&self) -> Vec<Outcome<'_>> {
        let mut tries: BTreeMap<(&str, &str), Vec<&CaseResult>> = BTreeMap::new();
        for result in &self.results {
            tries.entry((&result.id, &result.target)).or_default().push(result);
        }
        let mut outcomes: Vec<_> = tries.into_values().filter_map(Outcome::of).collect();
        let place = |name: &str| self.targets.iter().position(|state| state.info.name == name);
        outcomes.sort_by_key(|outcome| (outcome.index, place(&outcome.case().target)));
        outcomes
    }

    /// The names of all targets that have a result, in the order asked for.
    pub fn played_targets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let asked = self.targets.iter().map(|state| state.info.name.as_str());
        let found = self.results.iter().map(|result| result.target.as_str());
        for name in asked.chain(found) {
            if !names.contains(&name) && self.results.iter().any(|result| result.target == name) {
                names.push(name);
            }
        }
        names
    }
}

impl TargetState {
    fn asked_for(info: TargetInfo) -> Self {
        TargetState { info, up: false, version: None, failure: None }
    }

    /// `nginx/1.26.3`, or nothing.
    pub fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }
}

/// One case on one target: all its tries.
#[derive(Debug, Clone)]
pub struct Outcome<'a> {
    index: usize,
    shown: &'a CaseResult,
    tries: Vec<&'a CaseResult>,
}

impl<'a> Outcome<'a> {
    fn of(mut tries: Vec<&'a CaseResult>) -> Option<Self> {
        tries.sort_by_key(|result| (result.attempt, result.index));
        let shown = tries.iter().copied().min_by_key(|result| weight(result.verdict))?;
        let index = tries.iter().map(|result| result.index).min()?;
        Some(Outcome { index, shown, tries })
    }

    /// The try that tells most: the first one with the outcome's verdict.
    pub fn case(&self) -> &'a CaseResult {
        self.shown
    }

    /// The gravest verdict of all tries.
    pub fn verdict(&self) -> Verdict {
        self.shown.verdict
    }

    /// How many tries there were.
    pub fn runs(&self) -> usize {
        self.tries.len()
    }

    /// All tries in their order.
    pub fn tries(&self) -> &[&'a CaseResult] {
        &self.tries
    }

    /// The tries that were played again, as a play before was not believed.
    pub fn played_again(&self) -> impl Iterator<Item = &'a CaseResult> {
        self.tries.iter().copied().filter(|result| !result.earlier.is_empty())
    }

    /// The share of tries that came out otherwise than most did, from 0 to 0.5 and a little over
    /// where there are three ways to come out; `None` for a single try. A case that fails each time
    /// is no flake.
    pub fn flake_rate(&self) -> Option<f64> {
        if self.tries.len() < 2 {
            return None;
        }
        let same = |verdict| self.tries.iter().filter(|result| result.verdict == verdict).count();
        let most = Verdict::ALL.into_iter().map(same).max().unwrap_or(0);
        Some((self.tries.len() - most) as f64 / self.tries.len() as f64)
    }

    /// The average of all tries in milliseconds.
    pub fn duration_ms(&self) -> u64 {
        let all: u64 = self.tries.iter().map(|result| result.duration_ms).sum();
        all / self.tries.len() as u64
    }
}

/// Which verdict stands for several tries: what broke or failed once, did.
fn weight(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Error => 0,
        Verdict::Fail => 1,
        Verdict::KnownFail => 2,
        Verdict::Fixed => 3,
        Verdict::Pass => 4,
        Verdict::Skip => 5,
    }
}
