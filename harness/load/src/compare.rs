//! Is B worse than A? The round is the sample; a verdict needs an interval, not a pair of numbers.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::bootstrap::{Interval, of_difference, of_mean};
use crate::figures::{LoadReport, Shot};

/// With fewer rounds than this an interval is a guess.
pub const FEWEST_ROUNDS: usize = 5;
/// A share of failed requests that is larger by this is worse, whatever the speed.
const MORE_FAILURES: f64 = 0.001;

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
    /// Requests that failed or were not answered with 2xx, as a share of all.
    pub failed: f64,
}

impl From<&Shot> for Round {
    fn from(shot: &Shot) -> Self {
        let all = (shot.requests + shot.errors).max(1) as f64;
        Self {
            rps: shot.rps,
            p50_us: shot.latency_us.p50 as f64,
            p99_us: shot.latency_us.p99 as f64,
            cpu_us: shot.server_cpu_us_per_request(),
            failed: (shot.errors + shot.non_2xx) as f64 / all,
        }
    }
}

/// A report's shots as rounds.
pub fn rounds_of(report: &LoadReport) -> Vec<Round> {
    report.shots.iter().map(Round::from).collect()
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

    fn of(interval: Interval, margin: f64) -> Self {
        let margin = margin.ln_1p();
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

/// All of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The worst of the metrics'.
    pub verdict: Change,
    /// The share that is not worth a word.
    pub margin: f64,
    /// Were the rounds measured in pairs, one of each side shortly after the other?
    pub paired: bool,
    /// Each metric that was measured on both sides.
    pub metrics: Vec<Judged>,
    /// B fails more requests than A, which is worse whatever its speed.
    pub fails_more: bool,
    /// A's rounds, in the order they were measured.
    pub a: Vec<Round>,
    /// B's.
    pub b: Vec<Round>,
}

/// Compares B with A. `paired` rounds must be as many on both sides.
pub fn compare(a: &[Round], b: &[Round], paired: bool, margin: f64, of: &[Metric]) -> Comparison {
    let metrics: Vec<Judged> =
        of.iter().filter_map(|metric| judged(*metric, a, b, paired, margin)).collect();
    let failed = |rounds: &[Round]| {
        rounds.iter().map(|round| round.failed).sum::<f64>() / rounds.len().max(1) as f64
    };
    let fails_more = failed(b) > failed(a) + MORE_FAILURES;
    let has = |verdict| metrics.iter().any(|judged| judged.verdict == verdict);
    let too_few = a.len().min(b.len()) < FEWEST_ROUNDS;
    let verdict = if fails_more || (has(Change::Worse) && !too_few) {
        Change::Worse
    } else if too_few || metrics.is_empty() || has(Change::Inconclusive) {
        Change::Inconclusive
    } else if has(Change::Better) {
        Change::Better
    } else {
        Change::Same
    };
    Comparison { verdict, margin, paired, metrics, fails_more, a: a.to_vec(), b: b.to_vec() }
}

fn judged(metric: Metric, a: &[Round], b: &[Round], paired: bool, margin: f64) -> Option<Judged> {
    let costs = |rounds: &[Round]| rounds.iter().map(|round| metric.cost(round)).collect();
    let (a, b): (Option<Vec<f64>>, Option<Vec<f64>>) = (costs(a), costs(b));
    let (a, b) = (a.filter(|a| !a.is_empty())?, b.filter(|b| !b.is_empty())?);
    let seed = 0x5EED + metric as u64;
    let interval = if paired {
        let differences: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
        of_mean(&differences, seed)
    } else {
        of_difference(&a, &b, seed)
    };
    Some(Judged {
        metric,
        ratio: interval.mean.exp(),
        low: interval.low.exp(),
        high: interval.high.exp(),
        verdict: Change::of(interval, margin),
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
                rounds.iter().map(|round| of(judged.metric, round)).sum::<f64>()
                    / rounds.len() as f64
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
        if self.fails_more {
            out.push_str("\nB fails more requests than A.\n");
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
        assert!(found.fails_more && found.verdict == Change::Worse);
    }

    #[test]
    fn the_table_tells_both_sides() {
        let (a, b) = (rounds(&NOISE), rounds(&NOISE.map(|n| n / 1.2)));
        insta::assert_snapshot!(compare(&a, &b, true, 0.05, &Metric::ALL).text());
    }
}
