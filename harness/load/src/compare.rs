//! Is B worse than A? The round is the sample; a verdict needs an interval, not a pair of numbers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, mean, of_difference, of_mean};
use crate::figures::{LoadReport, Shot};

/// With fewer rounds than this an interval is a guess.
pub const FEWEST_ROUNDS: usize = 5;
/// Shares of failed requests that differ by less are the same.
pub(crate) const MORE_FAILURES: f64 = 0.001;

/// What one round gave of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Whole answers a second.
    pub rps: f64,
    /// Half of the requests took at most so many microseconds.
    pub p50_us: f64,
    /// 99 %.
    pub p99_us: f64,
    /// The server's processor time for each request in microseconds, where its process is known.
    pub cpu_us: Option<f64>,
    /// [`Shot::share_failed`].
    pub failed: f64,
}

impl From<&Shot> for Round {
    fn from(shot: &Shot) -> Self {
        Self {
            rps: shot.rps,
            p50_us: shot.latency_us.p50 as f64,
            p99_us: shot.latency_us.p99 as f64,
            cpu_us: shot.server_cpu_us_per_request(),
            failed: shot.share_failed(),
        }
    }
}

/// A report's shots as rounds.
pub fn rounds_of(report: &LoadReport) -> Vec<Round> {
    report.shots.iter().map(Round::from).collect()
}

/// Two results of which none says whether one server is slower than the other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// One was stopped before its end.
    #[error("{0} was interrupted: its figures are not those of a whole run")]
    Interrupted(&'static str),
    /// In one the generator was the limit.
    #[error(
        "the generator of {0} could not keep its schedule: its figures say nothing of the server"
    )]
    Saturated(&'static str),
    /// The loads differ.
    #[error("A is {a}, and B is {b}: compare two results of the same load")]
    Loads {
        /// A's.
        a: String,
        /// B's.
        b: String,
    },
}

/// Whether two results can be compared.
///
/// # Errors
/// When one was interrupted or its generator was late, or not all shots of both are of the same load: what was asked for and
/// how, as far as the results say it.
pub fn comparable(a: &LoadReport, b: &LoadReport) -> Result<(), Incomparable> {
    for (side, report) in [("A", a), ("B", b)] {
        if report.interrupted {
            return Err(Incomparable::Interrupted(side));
        }
        if report.is_saturated() {
            return Err(Incomparable::Saturated(side));
        }
    }
    let asked = a.asked.as_ref().zip(b.asked.as_ref());
    if let Some([a, b]) = asked.and_then(|(a, b)| a.differs(b)) {
        return Err(Incomparable::Loads { a, b });
    }
    let loads = |report: &LoadReport| report.shots.iter().map(load_of).collect::<BTreeSet<_>>();
    let (a, b) = (loads(a), loads(b));
    if a.union(&b).count() < 2 {
        return Ok(());
    }
    let words = |loads: BTreeSet<String>| Vec::from_iter(loads).join(" and ");
    Err(Incomparable::Loads { a: words(a), b: words(b) })
}

/// How a shot loaded its server, in words.
pub(crate) fn load_of(shot: &Shot) -> String {
    match (&shot.open, shot.connections, shot.streams) {
        (Some(open), ..) => format!("an open loop of {:.2} requests a second", open.offered_rps),
        (None, clients, 1) => format!("a closed loop of {clients} clients"),
        (None, connections, streams) => {
            format!("a closed loop of {connections} connections with {streams} streams each")
        }
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Requests a second: more is better.
    Throughput,
    /// The median latency: less is better, as for all that follow.
    P50,
    /// The 99th percentile.
    P99,
    /// The server's processor time for each request.
    Cpu,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 4] = [Metric::Throughput, Metric::P50, Metric::P99, Metric::Cpu];

    /// As it is named on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Metric::Throughput => "throughput",
            Metric::P50 => "p50",
            Metric::P99 => "p99",
            Metric::Cpu => "cpu",
        }
    }

    /// The logarithm of what a request costs by this metric: a slower server has more of it.
    pub(crate) fn cost(self, round: &Round) -> Option<f64> {
        let value = match self {
            Metric::Throughput => return (round.rps > 0.0).then(|| -round.rps.ln()),
            Metric::P50 => round.p50_us,
            Metric::P99 => round.p99_us,
            Metric::Cpu => round.cpu_us?,
        };
        (value > 0.0).then(|| value.ln())
    }

    /// From that logarithm back to the metric's own unit.
    pub(crate) fn of_cost(self, cost: f64) -> f64 {
        match self {
            Metric::Throughput => (-cost).exp(),
            Metric::P50 | Metric::P99 | Metric::Cpu => cost.exp(),
        }
    }
}

/// What became of B, beside A.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The whole interval is beyond the margin, on the good side.
    Better,
    /// The whole interval is within the margin.
    Same,
    /// Neither could be shown.
    Inconclusive,
    /// The whole interval is beyond the margin, on the bad side.
    Worse,
}

impl Change {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Better => "better",
            Change::Same => "same",
            Change::Inconclusive => "inconclusive",
            Change::Worse => "worse",
        }
    }

    /// What an interval around 0 says; all of it beyond the margin is a change.
    fn of(interval: Interval, margin: f64) -> Self {
        match interval {
            Interval { low, .. } if low > margin => Change::Worse,
            Interval { high, .. } if high < -margin => Change::Better,
            Interval { low, high, .. } if low > -margin && high < margin => Change::Same,
            _ => Change::Inconclusive,
        }
    }
}

/// One metric's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Which.
    pub metric: Metric,
    /// How much more a request costs with B than with A: 1.1 is a tenth more (for throughput, A's over B's).
    pub ratio: f64,
    /// The 99 % interval of that.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// What it says.
    pub verdict: Change,
}

/// The verdict on requests that failed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Failures {
    /// The mean share of A's rounds that failed ([`Shot::share_failed`]).
    pub a: f64,
    /// B's.
    pub b: f64,
    /// The 99 % interval of B's share less A's.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// What it says; the margin is a thousandth of all requests.
    pub verdict: Change,
}

/// All of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The worst of the metrics' and the failures'.
    pub verdict: Change,
    /// The share that is not worth a word.
    pub margin: f64,
    /// Were the rounds measured in pairs, one of each side shortly after the other?
    pub paired: bool,
    /// Each metric that was measured in all rounds.
    pub metrics: Vec<Judged>,
    /// Metrics that only some of the rounds have, as one without an answer has no latency: nothing is shown of them.
    #[serde(default)]
    pub unjudged: Vec<Metric>,
    /// Of requests that failed, which are judged whatever the speed; none without any round.
    pub failures: Option<Failures>,
    /// A's rounds, in the order they were measured.
    pub a: Vec<Round>,
    /// B's.
    pub b: Vec<Round>,
}

/// Compares B with A. `paired` rounds must be as many on both sides.
pub fn compare(a: &[Round], b: &[Round], paired: bool, margin: f64, of: &[Metric]) -> Comparison {
    let metrics: Vec<Judged> =
        of.iter().filter_map(|metric| judged(*metric, a, b, paired, margin)).collect();
    let all = || a.iter().chain(b);
    let is_judged = |metric| metrics.iter().any(|judged| judged.metric == metric);
    let unjudged = of
        .iter()
        .copied()
        .filter(|metric| !is_judged(*metric) && all().any(|round| metric.cost(round).is_some()));
    let unjudged: Vec<Metric> = unjudged.collect();
    let failures = failures(a, b, paired);
    let verdicts = || metrics.iter().map(|it| it.verdict).chain(failures.map(|it| it.verdict));
    let has = |verdict| verdicts().any(|it| it == verdict);
    let too_few = a.len().min(b.len()) < FEWEST_ROUNDS;
    let verdict = if has(Change::Worse) && !too_few {
        Change::Worse
    } else if too_few || metrics.is_empty() || !unjudged.is_empty() || has(Change::Inconclusive) {
        Change::Inconclusive
    } else if has(Change::Better) {
        Change::Better
    } else {
        Change::Same
    };
    let (a, b) = (a.to_vec(), b.to_vec());
    Comparison { verdict, margin, paired, metrics, unjudged, failures, a, b }
}

fn judged(metric: Metric, a: &[Round], b: &[Round], paired: bool, margin: f64) -> Option<Judged> {
    let costs = |rounds: &[Round]| rounds.iter().map(|round| metric.cost(round)).collect();
    let (a, b): (Option<Vec<f64>>, Option<Vec<f64>>) = (costs(a), costs(b));
    let interval = difference(&a?, &b?, paired, 0x5EED + metric as u64)?;
    Some(Judged {
        metric,
        ratio: interval.mean.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        verdict: Change::of(interval, margin.ln_1p()),
    })
}

fn failures(a: &[Round], b: &[Round], paired: bool) -> Option<Failures> {
    let shares = |rounds: &[Round]| rounds.iter().map(|round| round.failed).collect::<Vec<_>>();
    let (a, b) = (shares(a), shares(b));
    let interval = difference(&a, &b, paired, 0xFA11)?;
    Some(Failures {
        a: mean(&a),
        b: mean(&b),
        low: interval.low,
        high: interval.high,
        verdict: Change::of(interval, MORE_FAILURES),
    })
}

/// B's mean less A's; none where a side has no round.
fn difference(a: &[f64], b: &[f64], paired: bool, seed: u64) -> Option<Interval> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    Some(if paired {
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
        of_mean(&differences, seed)
    } else {
        of_difference(a, b, seed)
    })
}

impl Comparison {
    /// For people.
    pub fn text(&self) -> String {
        let mut out = format!(
            "B beside A: {} rounds, {}, margin {:.1} %\n\n",
            self.a.len().min(self.b.len()),
            if self.paired { "paired" } else { "measured apart" },
            self.margin * 100.0
        );
        let _ = writeln!(
            out,
            "{:<12}{:>14}{:>14}{:>12}   {:<18}verdict",
            "", "A", "B", "cost B/A", "99 % interval"
        );
        for judged in &self.metrics {
            let mean = |rounds: &[Round]| {
                mean(&rounds.iter().map(|round| of(judged.metric, round)).collect::<Vec<_>>())
            };
            let interval = format!("{:.3} to {:.3}", judged.low, judged.high);
            let _ = writeln!(
                out,
                "{:<12}{:>14.2}{:>14.2}{:>12.3}   {interval:<18}{}",
                judged.metric.as_str(),
                mean(&self.a),
                mean(&self.b),
                judged.ratio,
                judged.verdict.as_str()
            );
        }
        for metric in &self.unjudged {
            let metric = metric.as_str();
            let _ = writeln!(out, "{metric:<12}not in every round: nothing is shown of it");
        }
        if let Some(failures) = &self.failures {
            let percent = |share: f64| format!("{:.2} %", share * 100.0);
            let interval =
                format!("{:+.2} to {:+.2} %", failures.low * 100.0, failures.high * 100.0);
            let _ = writeln!(
                out,
                "{:<12}{:>14}{:>14}{:>12}   {interval:<18}{}",
                "failed",
                percent(failures.a),
                percent(failures.b),
                "",
                failures.verdict.as_str()
            );
            match failures.verdict {
                Change::Worse => out.push_str("\nB fails more requests than A.\n"),
                Change::Better => out.push_str(
                    "\nA fails more requests than B: what A's cost is partly the cost of failing.\n",
                ),
                Change::Same | Change::Inconclusive => {}
            }
        }
        if self.a.len().min(self.b.len()) < FEWEST_ROUNDS {
            let _ = writeln!(out, "\nFewer than {FEWEST_ROUNDS} rounds decide nothing.");
        }
        let _ = writeln!(
            out,
            "\nB is {}",
            match self.verdict {
                Change::Better => "better than A",
                Change::Same => "the same as A",
                Change::Worse => "worse than A",
                Change::Inconclusive =>
                    "not shown to be better, worse or the same: measure more rounds",
            }
        );
        out.push_str(
            "(throughput in requests a second, p50, p99 and CPU a request in microseconds)\n",
        );
        out
    }
}

fn of(metric: Metric, round: &Round) -> f64 {
    match metric {
        Metric::Throughput => round.rps,
        Metric::P50 => round.p50_us,
        Metric::P99 => round.p99_us,
        Metric::Cpu => round.cpu_us.unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(speed: f64) -> Round {
        Round {
            rps: 1000.0 * speed,
            p50_us: 900.0 / speed,
            p99_us: 3000.0 / speed,
            cpu_us: None,
            failed: 0.0,
        }
    }

    fn rounds(speeds: &[f64]) -> Vec<Round> {
        speeds.iter().map(|speed| round(*speed)).collect()
    }

    const NOISE: [f64; 8] = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99];

    #[test]
    fn the_interval_decides() {
        let a = rounds(&NOISE);
        let verdict = |b: &[Round]| compare(&a, b, true, 0.05, &Metric::ALL).verdict;
        assert_eq!(verdict(&a), Change::Same);
        assert_eq!(verdict(&rounds(&NOISE.map(|n| n / 1.2))), Change::Worse);
        assert_eq!(verdict(&rounds(&NOISE.map(|n| n * 1.2))), Change::Better);
        assert_eq!(verdict(&rounds(&NOISE.map(|n| n / 1.05))), Change::Inconclusive);
    }

    #[test]
    fn noise_that_both_sides_share_is_no_noise_when_paired() {
        let shared = [1.0, 2.0, 0.5, 1.5, 0.7, 1.1, 1.9, 0.6];
        let (a, b) = (rounds(&shared), rounds(&shared.map(|n| n / 1.1)));
        assert_eq!(compare(&a, &b, true, 0.05, &Metric::ALL).verdict, Change::Worse);
        assert_eq!(compare(&a, &b, false, 0.05, &Metric::ALL).verdict, Change::Inconclusive);
    }

    #[test]
    fn few_rounds_decide_nothing_and_failures_decide_alone() {
        let two = rounds(&[1.0, 1.0]);
        assert_eq!(compare(&two, &two, true, 0.05, &Metric::ALL).verdict, Change::Inconclusive);
        let a = rounds(&NOISE);
        let b: Vec<Round> = a.iter().map(|round| Round { failed: 0.01, ..*round }).collect();
        let found = compare(&a, &b, true, 0.05, &Metric::ALL);
        assert_eq!(found.failures.unwrap().verdict, Change::Worse);
        assert_eq!(found.verdict, Change::Worse);
        assert!(found.text().contains("B fails more"), "{}", found.text());
        let found = compare(&b, &a, true, 0.05, &Metric::ALL);
        assert_eq!(found.verdict, Change::Better);
        assert!(found.text().contains("A fails more"), "{}", found.text());
    }

    /// One in a hundred fails on both sides, as chance has it: two means always differ.
    #[test]
    fn failures_by_chance_are_no_regression_and_more_of_them_are() {
        let mut random = crate::random::Random::new(7);
        let mut side = |share: f64| -> Vec<Round> {
            let rounds = (0..20).map(|_| {
                let failed = (0..500).filter(|_| random.unit() < share).count();
                Round { failed: failed as f64 / 500.0, ..round(1.0) }
            });
            rounds.collect()
        };
        let mut worse = |a: f64, b: f64, paired| {
            let all = (0..100).map(|_| compare(&side(a), &side(b), paired, 0.05, &Metric::ALL));
            all.filter(|found| found.verdict == Change::Worse).count()
        };
        for paired in [true, false] {
            let (alarms, caught) = (worse(0.01, 0.01, paired), worse(0.01, 0.03, paired));
            assert!(alarms <= 1 && caught >= 99, "{alarms} alarms, {caught} caught");
        }
    }

    #[test]
    fn a_round_without_answers_is_no_round() {
        let a = rounds(&NOISE);
        let mut b = a.clone();
        b[3] = Round { rps: 0.0, p50_us: 0.0, p99_us: 0.0, ..b[3] };
        for (a, b) in [(&a, &b), (&b, &a), (&b, &b)] {
            let found = compare(a, b, true, 0.05, &Metric::ALL);
            assert_eq!(found.verdict, Change::Inconclusive);
            assert_eq!(found.unjudged, [Metric::Throughput, Metric::P50, Metric::P99]);
        }
        // The processor's time in some rounds, and none of it in others.
        let with = |cpu_us| a.iter().map(|round| Round { cpu_us, ..*round }).collect::<Vec<_>>();
        for other in [None, Some(0.0)] {
            let found = compare(&with(Some(5.0)), &with(other), true, 0.05, &Metric::ALL);
            assert_eq!(
                (found.verdict, &*found.unjudged),
                (Change::Inconclusive, &[Metric::Cpu][..])
            );
        }
        assert_eq!(compare(&with(None), &a, true, 0.05, &Metric::ALL).verdict, Change::Same);
    }

    #[test]
    fn the_table_tells_both_sides() {
        let (a, b) = (rounds(&NOISE), rounds(&NOISE.map(|n| n / 1.2)));
        insta::assert_snapshot!(compare(&a, &b, true, 0.05, &Metric::ALL).text());
    }
}
