//! The highest rate that holds: doubled until it does not, bisected, and confirmed.

use serde::{Deserialize, Serialize};

use crate::figures::{LoadReport, Shot};
use crate::plan::LoadError;
use crate::served::{KEPT_UP, MOST_FAILED};
use crate::slo::Slo;

/// The knee is known when the lowest rate that failed is above the highest that held by at most this share.
const PRECISION: f64 = 0.05;
/// So often a rate is tried that does not hold while the generator is late: on a busy machine it may be so once by chance.
const MOST_TRIED: usize = 3;
/// A knee that a longer look does not confirm is lowered so many times.
const MOST_LOWERED: usize = 4;

/// One rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Requests a second that were offered.
    pub rate: f64,
    /// Did it hold?
    pub held: bool,
    /// Why not.
    #[serde(default)]
    pub why: Option<String>,
    /// Was it the longer look?
    pub confirming: bool,
}

/// What a sweep found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// The highest rate that held, in requests a second.
    pub knee_rps: Option<f64>,
    /// The lowest above it that did not.
    pub failed_rps: Option<f64>,
    /// The knee held for the longer look too.
    pub confirmed: bool,
    /// The generator gave out before the target: the knee is at least `knee_rps`, and the target may hold the rate that
    /// was tried next above it.
    pub generator_limited: bool,
    /// What had to hold.
    pub slo: Option<String>,
    /// All rates, in the order they were tried; the same order as the report's shots.
    pub steps: Vec<Step>,
}

/// A sweep with the figures of its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepReport {
    /// In all, the last confirming look; its shots are the steps.
    #[serde(flatten)]
    pub report: LoadReport,
    /// What was found.
    pub sweep: Sweep,
}

/// How a rate came out.
enum Outcome {
    Held,
    Broken(String),
    /// It says nothing of the target.
    Generator,
}

/// A late generator makes a latency longer, which counts from the moment that was planned, and never shorter: what holds all
/// the same does hold; what does not may be its own fault.
fn outcome(shot: &Shot, rate: f64, slo: Option<&Slo>) -> Outcome {
    match broken(shot, rate, slo) {
        None => Outcome::Held,
        Some(_) if was_late(shot) => Outcome::Generator,
        Some(why) => Outcome::Broken(why),
    }
}

fn was_late(shot: &Shot) -> bool {
    shot.open.as_ref().is_some_and(|open| open.saturated)
}

/// What does not hold, in words.
fn broken(shot: &Shot, rate: f64, slo: Option<&Slo>) -> Option<String> {
    if let Some(why) = slo.and_then(|slo| slo.broken_by(shot)) {
        return Some(why);
    }
    // The promise may name a share of its own.
    let names_errors = slo.is_some_and(Slo::names_errors);
    if !names_errors && shot.share_failed() > MOST_FAILED {
        return Some(format!("{:.2} % failed", shot.share_failed() * 100.0));
    }
    (shot.rps < rate * KEPT_UP)
        .then(|| format!("{:.0} of {rate:.0} requests a second were served", shot.rps))
}

struct Search<'a, P> {
    probe: P,
    slo: Option<&'a Slo>,
    steps: Vec<Step>,
    shots: Vec<Shot>,
}

impl<P> Search<'_, P>
where
    P: FnMut(f64, bool) -> Result<Option<Shot>, LoadError>,
{
    /// How a rate comes out; none where the search was stopped.
    fn outcome(&mut self, rate: f64, confirming: bool) -> Result<Option<Outcome>, LoadError> {
        for _ in 0..MOST_TRIED {
            let Some(shot) = (self.probe)(rate, confirming)? else { return Ok(None) };
            let outcome = outcome(&shot, rate, self.slo);
            let (held, why) = match &outcome {
                Outcome::Held => (true, None),
                Outcome::Broken(why) => (false, Some(why.clone())),
                Outcome::Generator => {
                    (false, Some("the generator could not keep its schedule".to_owned()))
                }
            };
            self.steps.push(Step { rate, held, why, confirming });
            self.shots.push(shot);
            if !matches!(outcome, Outcome::Generator) {
                return Ok(Some(outcome));
            }
        }
        Ok(Some(Outcome::Generator))
    }
}

/// Searches between `from` and `most` requests a second. `probe` fires one rate, longer where its second
/// argument says so, and gives nothing when it was stopped.
///
/// # Errors
/// Those of the probe.
pub fn sweep<P>(
    from: f64,
    most: f64,
    slo: Option<&Slo>,
    probe: P,
) -> Result<(Sweep, Vec<Shot>), LoadError>
where
    P: FnMut(f64, bool) -> Result<Option<Shot>, LoadError>,
{
    let mut search = Search { probe, slo, steps: Vec::new(), shots: Vec::new() };
    let (mut held, mut failed) = (None, None);
    // The lowest rate that did not hold, by whose fault ever: below it the generator may be in time, and the target still fail.
    let (mut above, mut generator_limited) = (None, false);
    let mut rate = from;
    loop {
        match search.outcome(rate, false)? {
            Some(Outcome::Held) => held = Some(rate),
            Some(Outcome::Broken(_)) => {
                (failed, above, generator_limited) = (Some(rate), Some(rate), false);
            }
            Some(Outcome::Generator) => (above, generator_limited) = (Some(rate), true),
            None => break,
        }
        rate = match (held, above) {
            (Some(low), None) if low >= most => break,
            (Some(low), None) => (low * 2.0_f64).min(most),
            // Not even the first: down by halves, as far as one request a second.
            (None, Some(high)) if high <= 1.0 => break,
            (None, Some(high)) => high / 2.0,
            (Some(low), Some(high)) if high / low <= 1.0 + PRECISION => break,
            (Some(low), Some(high)) => (low * high).sqrt(),
            (None, None) => break,
        };
    }
    let mut confirmed = false;
    for _ in 0..MOST_LOWERED {
        let Some(knee) = held else { break };
        match search.outcome(knee, true)? {
            Some(Outcome::Held) => {
                confirmed = true;
                break;
            }
            Some(Outcome::Broken(_)) => {
                (failed, generator_limited) = (Some(knee), false);
                held = Some(knee / (1.0 + PRECISION));
            }
            Some(Outcome::Generator) => {
                generator_limited = true;
                break;
            }
            None => break,
        }
    }
    let sweep = Sweep {
        knee_rps: held,
        failed_rps: failed,
        confirmed,
        generator_limited,
        slo: slo.map(ToString::to_string),
        steps: search.steps,
    };
    Ok((sweep, search.shots))
}

impl Sweep {
    /// For people.
    pub fn text(&self, shots: &[Shot]) -> String {
        let mut out = format!(
            "{:>12}{:>12}{:>10}{:>10}{:>10}  held\n",
            "offered/s", "served/s", "p50 ms", "p99 ms", "failed"
        );
        for (step, shot) in self.steps.iter().zip(shots) {
            let held = match &step.why {
                None if was_late(shot) => "yes, though the generator was late",
                None => "yes",
                Some(why) => why,
            };
            out.push_str(&format!(
                "{:>12.1}{:>12.1}{:>10.2}{:>10.2}{:>10}  {held}{}\n",
                step.rate,
                shot.rps,
                shot.latency_us.p50 as f64 / 1e3,
                shot.latency_us.p99 as f64 / 1e3,
                shot.errors + shot.non_2xx + shot.unfinished,
                if step.confirming { " (longer)" } else { "" },
            ));
        }
        let slo = self.slo.as_ref().map_or(String::new(), |slo| format!(" that holds {slo}"));
        out.push_str(&match (self.knee_rps, self.confirmed) {
            (None, _) => format!("\nNo rate{slo} was found.\n"),
            (Some(knee), true) => {
                format!("\nThe highest rate{slo}: {knee:.1} requests a second, confirmed.\n")
            }
            (Some(knee), false) => {
                format!("\nThe highest rate{slo}: {knee:.1} requests a second, not confirmed.\n")
            }
        });
        if self.generator_limited {
            out.push_str("The generator gave out before the target, which may hold more.\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A server that serves up to `capacity` and then no more; the generator itself up to `own`.
    fn model(capacity: f64, own: f64) -> impl FnMut(f64, bool) -> Result<Option<Shot>, LoadError> {
        let blank = blank();
        move |rate, longer| {
            // A longer look sees a little less.
            let capacity = if longer { capacity * 0.99 } else { capacity };
            let most = capacity.min(own);
            let mut shot = Shot { requests: 1000, rps: rate.min(most), ..blank.clone() };
            shot.latency_us.p99 = if rate < most { 1000 } else { 1_000_000 };
            if let Some(open) = &mut shot.open {
                open.saturated = rate > own;
            }
            Ok(Some(shot))
        }
    }

    fn blank() -> Shot {
        let address: std::net::SocketAddr = ([127, 0, 0, 1], 1).into();
        let limit = Duration::from_secs(1);
        let schedule = crate::schedule::Schedule::constant(1.0, limit).unwrap();
        let arrivals = crate::schedule::Arrivals::Even;
        let plan = crate::plan::LoadPlan {
            pace: crate::plan::Pace::Open { schedule, arrivals, most_connections: 1 },
            ..crate::plan::LoadPlan::closed(address, b"x".to_vec(), 1, 1, limit)
        };
        crate::figures::report(crate::figures::Manner::of(&plan), Vec::new()).unwrap().total
    }

    #[test]
    fn the_knee_is_found_within_its_precision_and_confirmed() {
        let slo: Slo = "p99<50ms,errors<0.1%".parse().unwrap();
        for capacity in [3.0, 770.0, 123_456.0] {
            for slo in [None, Some(&slo)] {
                let (found, shots) = sweep(100.0, 1e7, slo, model(capacity, 1e9)).unwrap();
                let knee = found.knee_rps.unwrap();
                assert!(found.confirmed && !found.generator_limited, "{found:?}");
                // Without a promise on latency, 95 % served is held.
                let most = if slo.is_some() { capacity } else { capacity / KEPT_UP };
                assert!(knee <= most && knee > capacity * 0.89, "{knee} of {capacity}");
                assert_eq!(found.steps.len(), shots.len());
            }
        }
    }

    /// Answers of 503 are quick: they keep every latency, and only their share tells.
    #[test]
    fn a_server_that_sheds_holds_no_more_for_a_promise_on_latency() {
        let capacity = 300.0;
        let sheds = |rate: f64, _| {
            let mut shot = Shot { requests: 1000, rps: rate, ..blank() };
            shot.latency_us.p99 = 1000;
            shot.non_2xx = (1000.0 * (1.0 - capacity / rate)).max(0.0) as u64;
            Ok(Some(shot))
        };
        let knee = |slo: Option<&str>| {
            let slo: Option<Slo> = slo.map(|slo| slo.parse().unwrap());
            sweep(100.0, 1e4, slo.as_ref(), sheds).unwrap().0.knee_rps.unwrap()
        };
        for slo in [None, Some("p99<50ms")] {
            assert!(knee(slo) < 310.0, "{slo:?}");
        }
        // Who names a share means that one.
        assert!((320.0..400.0).contains(&knee(Some("p99<50ms,errors<20%"))));
        assert!(knee(Some("errors<100%")) > 5000.0);
    }

    #[test]
    fn a_generator_that_gives_out_first_is_said_to() {
        let slo: Slo = "p99<50ms".parse().unwrap();
        for slo in [None, Some(&slo)] {
            let (found, _) = sweep(100.0, 1e7, slo, model(1e6, 5000.0)).unwrap();
            assert!(found.generator_limited && found.failed_rps.is_none(), "{found:?}");
            assert!(found.knee_rps.is_some_and(|knee| knee > 4500.0 && knee < 5300.0), "{found:?}");
        }
    }

    /// It is late at twice what the target holds, and not at what the target does not hold either.
    #[test]
    fn a_target_may_give_out_below_the_rate_of_its_generator() {
        let slo: Slo = "p99<50ms".parse().unwrap();
        let (found, _) = sweep(100.0, 1e7, Some(&slo), model(4700.0, 5000.0)).unwrap();
        assert!(found.confirmed && !found.generator_limited, "{found:?}");
        assert!(found.failed_rps.is_some_and(|failed| failed < 5000.0), "{found:?}");
        assert!(found.knee_rps.is_some_and(|knee| knee > 4200.0 && knee < 4700.0), "{found:?}");
    }

    /// A sweep of a server of 1,000 requests a second, whose generator is late except at each `in_time`th try, and pays for it
    /// with `p99_us`.
    fn sweep_by_a_late_one(in_time: usize, p99_us: u64) -> (Sweep, Vec<Shot>) {
        let slo: Slo = "p99<50ms".parse().unwrap();
        let mut inner = model(1000.0, 1e9);
        let mut tries = 0;
        let probe = |rate, longer| {
            tries += 1;
            let mut shot = inner(rate, longer)?.unwrap();
            let is_late = tries % in_time != 0;
            shot.open.as_mut().unwrap().saturated = is_late;
            if is_late {
                shot.latency_us.p99 = shot.latency_us.p99.max(p99_us);
            }
            Ok(Some(shot))
        };
        sweep(100.0, 1e7, Some(&slo), probe).unwrap()
    }

    #[test]
    fn where_a_late_generator_may_be_at_fault_it_is_asked_again() {
        let (found, shots) = sweep_by_a_late_one(3, 60_000);
        assert!(found.confirmed && !found.generator_limited, "{found:?}");
        assert_eq!(found.steps.len(), shots.len());
        let late = found.steps.iter().filter(|step| step.why.is_some()).count();
        assert!(late * 3 >= shots.len() * 2, "{found:?}");
    }

    #[test]
    fn what_holds_though_the_generator_is_late_does_hold() {
        let (found, shots) = sweep_by_a_late_one(2, 40_000);
        assert!(found.confirmed && !found.generator_limited, "{found:?}");
        assert!(found.knee_rps.is_some_and(|knee| knee > 900.0), "{found:?}");
        assert!(found.text(&shots).contains("yes, though the generator was late"));
        let mut twice = found.steps.windows(2).filter(|two| two[0].rate == two[1].rate);
        assert!(twice.all(|two| !two[0].held || two[1].confirming), "{found:?}");
    }

    #[test]
    fn a_target_that_holds_nothing_has_no_knee() {
        let (found, _) = sweep(100.0, 1e7, None, model(0.0, 1e9)).unwrap();
        assert_eq!((found.knee_rps, found.confirmed), (None, false));
    }

    #[test]
    fn the_table_tells_each_step() {
        let (found, shots) = sweep(100.0, 1e7, None, model(500.0, 1e9)).unwrap();
        insta::assert_snapshot!(found.text(&shots));
    }
}
