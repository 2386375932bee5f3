//! Counts: what a run comes to.

use edgeproof_runner::event::Verdict;

use crate::{Baseline, Difference, ExitCode, Level, Outcome, Run, exit_code, number::plural};

/// How many of each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([usize; Verdict::ALL.len()]);

impl Counts {
    /// How many with this verdict.
    pub fn of(&self, verdict: Verdict) -> usize {
        self.0[verdict as usize]
    }

    /// One more.
    pub fn add(&mut self, verdict: Verdict) {
        self.0[verdict as usize] += 1;
    }

    /// All.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// All that were played to a verdict about the requirement: neither skipped nor broken.
    pub fn judged(&self) -> usize {
        self.total() - self.of(Verdict::Skip) - self.of(Verdict::Error)
    }

    /// All of which every assertion held.
    pub fn held(&self) -> usize {
        self.of(Verdict::Pass) + self.of(Verdict::Fixed)
    }
}

/// A target's counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetCounts {
    /// Its name.
    pub target: String,
    /// All its cases.
    pub counts: Counts,
    /// By family, in file order.
    pub families: Vec<FamilyCounts>,
    /// By level, from must; only those that occur.
    pub levels: Vec<LevelCounts>,
}

/// A family's counts on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyCounts {
    /// `cache`.
    pub family: String,
    /// Its cases.
    pub counts: Counts,
}

/// A level's counts on one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelCounts {
    /// The level.
    pub level: Level,
    /// Its cases.
    pub counts: Counts,
}

/// What a run comes to, and all that decides its exit code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// All cases on all targets; the tries of `--repeat` are one.
    pub counts: Counts,
    /// By target, in the order asked for.
    pub targets: Vec<TargetCounts>,
    /// The levels of the failures that count by themselves: all of them, or, where there is a
    /// baseline, those of cases that it does not have.
    pub failures: Vec<Level>,
    /// The levels of what is worse than in the baseline: newly failing, or no longer played.
    pub regressions: Vec<Level>,
    /// How many failures the baseline had too, whatever their level.
    pub old_failures: usize,
    /// How many cases were played again, as a failure was not believed.
    pub played_again: usize,
    /// Targets that did not start, or that were required and cannot be had.
    pub not_started: usize,
    /// Targets that died in the run.
    pub died: usize,
    /// It did not come to its end, in words: stopped by Ctrl-C, or results are missing.
    pub cut_short: Option<String>,
    /// Questions that got no answer: a baseline that shares no case with the run. The caller adds
    /// its own.
    pub inconclusive: usize,
    /// A mistake in a scenario or on the command line: the caller's to set.
    pub usage_error: bool,
}

impl Summary {
    /// Counts a run, seen against a baseline where there is one.
    pub fn of(run: &Run, baseline: Option<&Baseline>) -> Summary {
        let outcomes = run.outcomes();
        let mut summary = Summary { cut_short: run.cut_short(), ..Summary::default() };
        summary.targets = run
            .played_targets()
            .into_iter()
            .map(|target| TargetCounts::of(target, &outcomes))
            .collect();
        for outcome in &outcomes {
            summary.counts.add(outcome.verdict());
            summary.played_again += usize::from(outcome.played_again().next().is_some());
        }
        for failure in run.targets.iter().filter_map(|state| state.failure.as_ref()) {
            match failure.died {
                true => summary.died += 1,
                false => summary.not_started += 1,
            }
        }
        summary.not_started += run.unavailable.iter().filter(|target| target.required).count();
        summary.judge(&outcomes, baseline.map(|baseline| baseline.difference(run)));
        summary
    }

    /// What the run is worth, in words. Failures that were there before are no regression, and yet
    /// not "all good".
    pub fn headline(&self, gate: Level) -> String {
        let code = exit_code(self, gate);
        if let (ExitCode::Interrupted, Some(why)) = (code, &self.cut_short) {
            return why.clone();
        }
        if code != ExitCode::Good || self.old_failures == 0 {
            return code.meaning().to_owned();
        }
        let nothing = if self.regressions.is_empty() { "nothing" } else { "nothing that counts" };
        let were = if self.old_failures == 1 { "was" } else { "were" };
        format!("{nothing} got worse: {} {were} there before", plural(self.old_failures, "failure"))
    }

    /// Only changes matter where there is a baseline: a failure that it has too is nobody's news,
    /// one that it does not have is a regression, and so is a case that held and is skipped now; a failure of a case that it does
    /// not know counts alone.
    fn judge(&mut self, outcomes: &[Outcome<'_>], difference: Option<Difference>) {
        let failed = outcomes.iter().filter(|outcome| outcome.verdict() == Verdict::Fail);
        let Some(difference) = difference else {
            self.failures = failed.map(|outcome| outcome.case().level).collect();
            return;
        };
        let new = difference.new.iter().filter(|change| change.now == Some(Verdict::Fail));
        self.failures = new.map(|change| change.level).collect();
        self.regressions = difference.regressions().map(|change| change.level).collect();
        let news = difference.newly_failing.len() + self.failures.len();
        self.old_failures = failed.count() - news;
        if difference.compares_nothing() && self.counts.judged() > 0 {
            self.inconclusive += 1;
        }
    }
}

impl TargetCounts {
    fn of(target: &str, outcomes: &[Outcome<'_>]) -> TargetCounts {
        let mut all = TargetCounts {
            target: target.to_owned(),
            counts: Counts::default(),
            families: Vec::new(),
            levels: Vec::new(),
        };
        for outcome in outcomes.iter().filter(|outcome| outcome.case().target == target) {
            all.counts.add(outcome.verdict());
            all.family(&outcome.case().family).add(outcome.verdict());
            all.level(outcome.case().level).add(outcome.verdict());
        }
        all.levels.sort_by_key(|entry| entry.level);
        all
    }

    fn family(&mut self, family: &str) -> &mut Counts {
        let place = self.families.iter().position(|entry| entry.family == family);
        let place = place.unwrap_or_else(|| {
            let counts = Counts::default();
            self.families.push(FamilyCounts { family: family.to_owned(), counts });
            self.families.len() - 1
        });
        &mut self.families[place].counts
    }

    fn level(&mut self, level: Level) -> &mut Counts {
        let place = self.levels.iter().position(|entry| entry.level == level);
        let place = place.unwrap_or_else(|| {
            self.levels.push(LevelCounts { level, counts: Counts::default() });
            self.levels.len() - 1
        });
        &mut self.levels[place].counts
    }
}
