//! Results over time: where a figure's level changed, and whether it is worse now.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::change_points::{FEWEST_RUNS, change_points};
use crate::compare::{MORE_FAILURES, Metric, Round, load_of};
use crate::figures::LoadReport;

/// One run, as a line of a history has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it began: RFC 3339, UTC, in milliseconds, so that the order of texts is that of time.
    pub at: String,
    /// What was measured, for people: a version, a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What was asked for, as far as the result says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// How it was loaded, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<String>,
    /// Its figures.
    #[serde(flatten)]
    pub round: Round,
}

/// A line that is no entry.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: no run that `edgeproof load --history` wrote: {source}")]
pub struct HistoryError {
    line: usize,
    source: serde_json::Error,
}

impl Entry {
    /// Of all shots of a report.
    pub fn of(report: &LoadReport, at: String, label: Option<String>) -> Self {
        let load = report.shots.first().map(load_of);
        Self { at, label, asked: report.asked.clone(), load, round: Round::from(&report.total) }
    }

    /// The first run of these that is of another load than the first that says what it is of: what it is of, and what that.
    pub fn of_another_load(entries: &[Self]) -> Option<(&Self, [String; 2])> {
        let known = || entries.iter().filter_map(|entry| Some((entry, entry.asked.as_ref()?)));
        let (first, asked) = known().next()?;
        known().find_map(|(entry, other)| {
            let by_load = entry.load.clone().zip(first.load.clone());
            let by_load = by_load.filter(|(own, before)| own != before).map(<[String; 2]>::from);
            Some((entry, other.differs(asked).or(by_load)?))
        })
    }

    /// One line of JSON, with its end.
    ///
    /// # Errors
    /// When a figure is no number.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self).map(|line| line + "\n")
    }

    /// Reads a history, the oldest run first whatever the order of its lines; empty lines are nothing.
    ///
    /// # Errors
    /// At the first line that is something else.
    pub fn read(text: &str) -> Result<Vec<Self>, HistoryError> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let entries = lines.map(|(number, line)| {
            let wrong = |source| HistoryError { line: number + 1, source };
            serde_json::from_str(line).map_err(wrong)
        });
        let mut entries: Vec<Self> = entries.collect::<Result<_, _>>()?;
        entries.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(entries)
    }

    /// Was this figure measured?
    pub fn has(&self, metric: Metric) -> bool {
        metric.cost(&self.round).is_some()
    }

    fn has_answers(&self) -> bool {
        self.round.rps > 0.0
    }

    /// Do more of its requests fail than do usually?
    fn fails(&self, most: f64) -> bool {
        !self.has_answers() || self.round.failed > most
    }

    /// What it is called in a table.
    pub(crate) fn name(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.at)
    }
}

/// A figure whose level changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Which figure.
    pub metric: Metric,
    /// The first run at the new level, counted from 0.
    pub run: usize,
    /// When that was.
    pub at: String,
    /// Its label.
    pub label: Option<String>,
    /// The geometric mean of the runs since the change before, in the metric's unit.
    pub before: f64,
    /// That of the runs up to the next.
    pub after: f64,
    /// How much more a request costs since then: 1.1 is a tenth more (for throughput, before over after).
    pub ratio: f64,
    /// What it is, beside the margin.
    pub verdict: Turn,
    /// Its level holds to the last run.
    pub lasts: bool,
    /// It was accepted: it is told, and is no regression.
    pub accepted: bool,
}

/// What a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Turn {
    /// Beyond the margin, on the bad side.
    Worse,
    /// Beyond the margin, on the good side.
    Better,
    /// Within the margin.
    Small,
}

impl Turn {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Turn::Worse => "worse",
            Turn::Better => "better",
            Turn::Small => "small",
        }
    }
}

/// A run whose requests failed, beside what is usual in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedRun {
    /// Which, counted from 0.
    pub run: usize,
    /// When that was.
    pub at: String,
    /// Its label.
    pub label: Option<String>,
    /// [`Round::failed`]; 1 where there was no answer at all.
    pub failed: f64,
    /// It is the last run of all.
    pub lasts: bool,
    /// It was accepted: it is told, and is no regression.
    pub accepted: bool,
}

/// All of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// How many runs there are.
    pub runs: usize,
    /// The share that is not worth a word.
    pub margin: f64,
    /// Every change, by metric and then in order.
    pub shifts: Vec<Shift>,
    /// Runs that failed, in order. What refusing costs is not what serving costs, so they are of no level.
    #[serde(default)]
    pub failed: Vec<FailedRun>,
    /// Metrics of so few runs that no change could be shown, however large.
    #[serde(default)]
    pub too_few: Vec<Metric>,
}

impl History {
    /// Looks for changes of each metric over the runs that have it and did not fail. A change whose first run is not
    /// after `accepted` (RFC 3339, UTC) is accepted, and so is a failure up to then.
    pub fn of(entries: &[Entry], margin: f64, metrics: &[Metric], accepted: Option<&str>) -> Self {
        let shifts = metrics.iter().flat_map(|metric| shifts(entries, margin, *metric, accepted));
        let most = most_failures(entries);
        let failed = entries.iter().enumerate().filter(|(_, entry)| entry.fails(most));
        let failed = failed.map(|(run, entry)| FailedRun {
            run,
            at: entry.at.clone(),
            label: entry.label.clone(),
            failed: if entry.has_answers() { entry.round.failed } else { 1.0 },
            lasts: run + 1 == entries.len(),
            accepted: is_accepted(entry, accepted),
        });
        let few = |metric: &Metric| (1..FEWEST_RUNS).contains(&costs(entries, *metric).len());
        Self {
            runs: entries.len(),
            margin,
            shifts: shifts.collect(),
            failed: failed.collect(),
            too_few: metrics.iter().copied().filter(few).collect(),
        }
    }

    /// The last run failed, and nobody has accepted that.
    pub fn fails(&self) -> bool {
        self.failed.iter().any(|run| run.lasts && !run.accepted)
    }

    /// The changes for the worse that hold to this day and that nobody has accepted.
    pub fn regressions(&self) -> impl Iterator<Item = &Shift> {
        self.shifts
            .iter()
            .filter(|shift| shift.verdict == Turn::Worse && shift.lasts && !shift.accepted)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out =
            format!("{} runs, margin {:.1} %, E-Divisive\n", self.runs, self.margin * 100.0);
        for run in &self.failed {
            let note = if run.accepted { ", accepted" } else { "" };
            let _ = writeln!(
                out,
                "\nrun {}  {}: {:.1} % failed{note}: it counts for no level",
                run.run + 1,
                run.label.as_ref().unwrap_or(&run.at),
                run.failed * 100.0
            );
        }
        if self.fails() {
            out.push_str("\nThe last run failed.\n");
        }
        if !self.too_few.is_empty() {
            let metrics: Vec<&str> = self.too_few.iter().map(|metric| metric.as_str()).collect();
            let metrics = metrics.join(", ");
            let _ = writeln!(
                out,
                "\nToo few runs to show a change of {metrics}: {FEWEST_RUNS} are the fewest."
            );
        }
        if self.shifts.is_empty() {
            if self.runs - self.failed.len() >= FEWEST_RUNS {
                out.push_str("\nNo figure is shown to have changed its level.\n");
            }
            return out;
        }
        let _ = writeln!(
            out,
            "\n{:<12}{:>5}  {:<28}{:>14}{:>14}{:>8}   verdict",
            "", "run", "since", "before", "after", "cost"
        );
        for shift in &self.shifts {
            let note = match (shift.accepted, shift.lasts) {
                (true, _) => ", accepted",
                (false, true) => "",
                (false, false) => ", over",
            };
            let _ = writeln!(
                out,
                "{:<12}{:>5}  {:<28}{:>14.2}{:>14.2}{:>8.3}   {}{note}",
                shift.metric.as_str(),
                shift.run + 1,
                shift.label.as_ref().unwrap_or(&shift.at),
                shift.before,
                shift.after,
                shift.ratio,
                shift.verdict.as_str(),
            );
        }
        let worse = self.regressions().count();
        if worse > 0 {
            let _ = writeln!(out, "\nA regression: {worse} figures are worse since then.");
        }
        out.push_str(
            "(throughput in requests a second, p50, p99 and CPU a request in microseconds)\n",
        );
        out
    }
}

/// A run of which as much more fails than usual, in standard deviations, failed by more than chance.
const BEYOND_CHANCE: f64 = 5.0;
/// A normal standard deviation over the median distance from the median.
const NORMAL_SPREAD: f64 = 1.4826;

/// The runs that did not fail and have a metric, counted from 0, with the logarithms of its costs.
pub(crate) fn costs(entries: &[Entry], metric: Metric) -> Vec<(usize, f64)> {
    let most = most_failures(entries);
    let good = entries.iter().enumerate().filter(|(_, entry)| !entry.fails(most));
    good.filter_map(|(run, entry)| Some((run, metric.cost(&entry.round)?))).collect()
}

/// The largest share that fails usually: around the median, for where a page is measured that is not found, all do; and as
/// far from it as the runs themselves are, for where one in a hundred fails at random, no two runs have the same share.
fn most_failures(entries: &[Entry]) -> f64 {
    let shares: Vec<f64> = entries.iter().map(|entry| entry.round.failed).collect();
    let usual = median(shares.clone());
    let spread = median(shares.iter().map(|share| (share - usual).abs()).collect());
    usual + MORE_FAILURES + BEYOND_CHANCE * NORMAL_SPREAD * spread
}

/// The lower one of two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn is_accepted(entry: &Entry, accepted: Option<&str>) -> bool {
    accepted.is_some_and(|accepted| entry.at.as_str() <= accepted)
}

fn shifts(entries: &[Entry], margin: f64, metric: Metric, accepted: Option<&str>) -> Vec<Shift> {
    let (runs, costs): (Vec<usize>, Vec<f64>) = costs(entries, metric).into_iter().unzip();
    let points = change_points(&costs, 0x5EED + metric as u64);
    let mean = |from: usize, to: usize| costs[from..to].iter().sum::<f64>() / (to - from) as f64;
    let found = points.iter().enumerate().map(|(place, at)| {
        let start = if place == 0 { 0 } else { points[place - 1] };
        let end = points.get(place + 1).copied().unwrap_or(costs.len());
        let (before, after) = (mean(start, *at), mean(*at, end));
        let (change, margin) = (after - before, margin.ln_1p());
        let entry = &entries[runs[*at]];
        Shift {
            metric,
            run: runs[*at],
            at: entry.at.clone(),
            label: entry.label.clone(),
            before: metric.of_cost(before),
            after: metric.of_cost(after),
            ratio: change.exp(),
            verdict: match change {
                change if change > margin => Turn::Worse,
                change if change < -margin => Turn::Better,
                _ => Turn::Small,
            },
            lasts: end == costs.len(),
            accepted: is_accepted(entry, accepted),
        }
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run a day, of these speeds.
    pub(crate) fn entries(speeds: &[f64]) -> Vec<Entry> {
        let entry = |(day, speed): (usize, &f64)| Entry {
            at: format!("2026-{:02}-{:02}T00:00:00Z", 1 + day / 28, 1 + day % 28),
            asked: None,
            load: None,
            label: (day == 12).then(|| "1.4.0".to_owned()),
            round: Round {
                rps: 1000.0 * speed,
                p50_us: 900.0 / speed,
                p99_us: 3000.0,
                cpu_us: None,
                failed: 0.0,
            },
        };
        speeds.iter().enumerate().map(entry).collect()
    }

    /// Noise without chance: what the level is, and a little more or less.
    fn level(level: f64, runs: usize) -> Vec<f64> {
        (0..runs).map(|run| level * (1.0 + 0.004 * ((run * 7 % 5) as f64 - 2.0))).collect()
    }

    fn history(speeds: &[f64], accepted: Option<&str>) -> History {
        History::of(&entries(speeds), 0.05, &Metric::ALL, accepted)
    }

    #[test]
    fn a_run_reads_back_as_it_was_written() {
        let entries = entries(&[1.0, 2.0]);
        let text: Vec<String> = entries.iter().rev().map(|entry| entry.line().unwrap()).collect();
        assert_eq!(Entry::read(&text.join("\n")).unwrap(), entries);
        let wrong = Entry::read("\n{}").unwrap_err().to_string();
        assert!(wrong.starts_with("line 2: no run"), "{wrong}");
    }

    #[test]
    fn what_got_slower_and_stays_so_is_a_regression() {
        let slower = [level(1.0, 12), level(0.9, 8)].concat();
        let found = history(&slower, None);
        assert_eq!(found.regressions().count(), 2);
        assert_eq!((found.shifts[0].run, found.shifts[0].verdict), (12, Turn::Worse));
        insta::assert_snapshot!(found.text());
        assert_eq!(history(&slower, Some("2026-01-13T00:00:00Z")).regressions().count(), 0);
        assert_eq!(history(&slower, Some("2026-01-12T00:00:00Z")).regressions().count(), 2);
    }

    #[test]
    fn a_run_without_answers_hides_nothing() {
        let mut runs = entries(&[level(1.0, 12), level(0.9, 8)].concat());
        runs[3].round = Round { rps: 0.0, p50_us: 0.0, p99_us: 0.0, cpu_us: None, failed: 1.0 };
        runs[15].round.cpu_us = Some(3.0);
        let found = History::of(&runs, 0.05, &Metric::ALL, None);
        assert_eq!(found.regressions().count(), 2, "{}", found.text());
        assert_eq!(found.shifts[0].run, 12);
        assert_eq!((found.failed.len(), found.failed[0].run, found.fails()), (1, 3, false));
    }

    #[test]
    fn a_last_run_that_fails_is_told_unless_all_do() {
        let mut runs = entries(&level(1.0, 12));
        let told =
            |runs: &[Entry], accepted| History::of(runs, 0.05, &Metric::ALL, accepted).fails();
        assert!(!told(&runs, None));
        runs[11].round.failed = 0.02;
        assert!(told(&runs, None));
        let text = History::of(&runs, 0.05, &Metric::ALL, None).text();
        assert!(text.contains("2.0 % failed") && text.contains("The last run failed."), "{text}");
        assert!(!told(&runs, Some("2026-01-12T00:00:00Z")));
        runs.iter_mut().for_each(|run| run.round.failed = 1.0);
        assert!(!told(&runs, None));
    }

    /// One in a hundred fails, as chance has it: each run's share is another.
    #[test]
    fn failures_by_chance_are_usual_and_more_of_them_are_not() {
        let mut random = crate::random::Random::new(3);
        let mut flaky = |runs: usize| {
            let mut entries = entries(&level(1.0, runs));
            for entry in &mut entries {
                let failed = (0..2000).filter(|_| random.unit() < 0.01).count();
                entry.round.failed = failed as f64 / 2000.0;
            }
            entries
        };
        let fails = |runs: &[Entry]| History::of(runs, 0.05, &[Metric::P99], None).fails();
        let alarms = (0..100).filter(|_| fails(&flaky(20))).count();
        assert!(alarms <= 1, "{alarms} of 100");
        let mut worse = flaky(20);
        worse[19].round.failed = 0.04;
        assert!(fails(&worse));
    }

    #[test]
    fn too_few_runs_are_said_to_be_and_never_unchanged() {
        for few in [3, 4, 5] {
            let found = history(&[level(1.0, few), level(0.1, few)].concat(), None);
            let text = found.text();
            assert_eq!(found.shifts, []);
            assert!(
                text.contains("Too few runs to show a change of throughput, p50, p99"),
                "{text}"
            );
            assert!(!text.contains("No figure"), "{text}");
        }
        let found = history(&[level(1.0, 4), level(0.1, 8)].concat(), None);
        assert_eq!((found.regressions().count(), &*found.too_few), (2, &[][..]));
        // A figure that was not measured from the beginning.
        let mut runs = entries(&level(1.0, 20));
        runs[17..].iter_mut().for_each(|run| run.round.cpu_us = Some(3.0));
        let found = History::of(&runs, 0.05, &Metric::ALL, None);
        assert_eq!(found.too_few, [Metric::Cpu]);
        assert!(found.text().contains("No figure is shown to have changed"), "{}", found.text());
    }

    #[test]
    fn what_is_over_or_small_or_for_the_better_is_none() {
        for (speeds, verdict) in [
            ([level(1.0, 12), level(0.9, 8), level(1.0, 8)].concat(), Turn::Worse),
            ([level(1.0, 12), level(0.97, 12)].concat(), Turn::Small),
            ([level(1.0, 12), level(1.2, 12)].concat(), Turn::Better),
        ] {
            let found = history(&speeds, None);
            assert_eq!(found.shifts[0].verdict, verdict);
            assert_eq!(found.regressions().count(), 0, "{}", found.text());
        }
        assert_eq!(history(&level(1.0, 30), None).shifts, []);
    }
}
