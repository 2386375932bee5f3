//! How many machines: what a sweep has seen, or where the fitted laws have their limit.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::figures::Shot;
use crate::scalability::{Scalability, scalability};
use crate::sweep::Sweep;
use crate::utilisation::{self, LeftOut, Utilisation, utilisation};

/// More machines than this are a mistake in the question.
const MOST_MACHINES: f64 = 1e9;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Requests a second, of all machines together.
    pub rate: f64,
    /// Machines that may be gone at any time: the 1 of N+1.
    pub spare: u32,
    /// The share of what a machine can do that it is given.
    pub headroom: f64,
    /// The cores of a machine.
    pub cores: f64,
    /// What a machine costs, in whatever unit.
    pub cost: Option<f64>,
}

/// A figure and the range that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The estimate.
    pub value: f64,
    /// The least it may be.
    pub low: f64,
    /// The most; none where nothing shows one.
    pub high: Option<f64>,
}

impl Range {
    /// The rate of requests of which `share` come from the rate `other` and the rest from this one: the time that a
    /// machine needs for each adds up.
    fn mixed(self, share: f64, other: Self) -> Self {
        let mix = |a: f64, b: f64| 1.0 / ((1.0 - share) / a + share / b);
        Self {
            value: mix(self.value, other.value),
            low: mix(self.low, other.low),
            // What has no bound costs no time at best.
            high: match (self.high, other.high) {
                (Some(a), Some(b)) => Some(mix(a, b)),
                (Some(a), None) if share < 1.0 => Some(a / (1.0 - share)),
                (None, Some(b)) if share > 0.0 => Some(b / share),
                _ => None,
            },
        }
    }

    fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            low: self.low * factor,
            high: self.high.map(|high| high * factor),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = f.precision().unwrap_or_default();
        write!(f, "{:.decimals$} to ", self.low)?;
        match self.high {
            Some(high) => write!(f, "{high:.decimals$}"),
            None => f.write_str("any"),
        }
    }
}

/// What results of one kind of requests show of one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// From open-loop shots with the server's processor time.
    pub utilisation: Option<Utilisation>,
    /// From closed-loop shots.
    pub scalability: Option<Scalability>,
    /// From a sweep: the highest rate that held, and the lowest that did not, where one was found.
    pub knee_rps: Option<Range>,
    /// What had to hold in the sweep.
    pub slo: Option<String>,
    /// What of the results was not used, and why.
    pub notes: Vec<String>,
    /// The most requests a second of one machine, by what counts first of these.
    pub most_rps: Range,
}

/// What results of requests show that no cache answers, where they were measured apart from the hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Misses {
    /// Their share of all requests.
    pub share: f64,
    /// What one machine can do of them alone.
    #[serde(flatten)]
    pub limits: Limits,
}

/// Four digits of a rate, whatever its size.
struct Digits(f64);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = (3.0 - self.0.max(1e-9).log10().floor()).clamp(0.0, 9.0) as usize;
        write!(f, "{:.decimals$}", self.0)
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Requests a second that were asked for.
    pub rate: f64,
    /// Of all requests, or of those that a cache answers.
    #[serde(flatten)]
    pub limits: Limits,
    /// Of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub misses: Option<Misses>,
    /// Requests a second that one machine is given.
    pub machine_rps: Range,
    /// Machines, the spare ones with them.
    pub machines: Machines,
    /// What they cost.
    pub cost: Option<f64>,
}

/// Whole machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machines {
    /// By the estimate.
    pub needed: u64,
    /// At least.
    pub low: u64,
    /// At most.
    pub high: u64,
}

/// The results tell nothing of capacity.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoLaw {
    /// There is too little to fit one.
    #[error(
        "no law can be fitted: give a sweep, three or more open-loop results with --pid, or closed-loop results with four or more different -c"
    )]
    TooFew,
    /// There would be enough, if it could be used.
    #[error("{}: {_0}", NoLaw::TooFew)]
    LeftOut(LeftOut),
    /// The rate grows with the clients all the way.
    #[error(
        "the results show no limit, so that none can be foretold: measure with more clients, or give a sweep"
    )]
    NoLimit,
    /// Noise at one rate says nothing of others.
    #[error(
        "the utilisation law wants rates of which the highest is twice the lowest or more, found {low:.1} to {high:.1} requests a second: measure at other rates too"
    )]
    OneRate {
        /// The lowest, in requests a second.
        low: f64,
        /// The highest.
        high: f64,
    },
    /// A limit of the processor cannot be seen.
    #[error(
        "the server's processor time does not grow with the rate: is --pid that of the process that works?"
    )]
    Flat,
    /// There is nothing left to serve with.
    #[error(
        "by the results {idle:.2} cores are busy without any request, and a machine has {cores} to serve with: say --cores as it is"
    )]
    Busy {
        /// Busy cores.
        idle: f64,
        /// All cores.
        cores: f64,
    },
    /// The sweep has no result.
    #[error("the sweep found no rate that holds: there is nothing to plan with")]
    NoKnee,
    /// The sweep's result is a guess.
    #[error(
        "the sweep's rate was not confirmed by a longer look, so that nothing is known of it: sweep again, with a longer -t or a generator on a machine of its own"
    )]
    Unconfirmed,
    /// The question or the results are wrong by orders.
    #[error(
        "at {rps:.3} requests a second of one machine, {rate} would need more than a billion machines"
    )]
    TooMany {
        /// What one machine is given.
        rps: f64,
        /// What all are asked for.
        rate: f64,
    },
}

/// What one machine of so many cores can do, from shots and what a sweep found.
///
/// # Errors
/// When the sweep found nothing that can be relied on, or when there is none and neither law can be fitted.
pub fn limits(shots: &[Shot], sweep: Option<&Sweep>, cores: f64) -> Result<Limits, NoLaw> {
    let (points, left_out) = utilisation::points(shots);
    let by_rate = utilisation(&points, cores);
    let by_clients = scalability(shots);
    let knee_rps = sweep.map(knee).transpose()?;
    let most_rps = match (knee_rps, by_rate, by_clients) {
        // What was seen counts more than what was fitted; of two fits the lower is the safer.
        (Some(knee), ..) => knee,
        (None, Ok(a), Ok(b)) if b.peak_rps.value < a.saturation_rps.value => b.peak_rps,
        (None, Ok(law), _) => law.saturation_rps,
        (None, Err(_), Ok(law)) => law.peak_rps,
        (None, Err(NoLaw::TooFew), Err(NoLaw::NoLimit)) => return Err(NoLaw::NoLimit),
        (None, Err(NoLaw::TooFew), Err(_)) if !left_out.is_empty() => {
            return Err(NoLaw::LeftOut(left_out));
        }
        (None, Err(why), Err(_)) => return Err(why),
    };
    Ok(Limits {
        utilisation: by_rate.ok(),
        scalability: by_clients.ok(),
        knee_rps,
        slo: sweep.and_then(|sweep| sweep.slo.clone()),
        notes: [
            notes(by_rate, &points, left_out),
            by_clients.as_ref().map_or(Vec::new(), Scalability::doubts),
        ]
        .concat(),
        most_rps,
    })
}

/// Answers the question from what a machine can do.
///
/// # Errors
/// When that would be more machines than there are.
pub fn capacity(
    limits: Limits,
    misses: Option<Misses>,
    question: &Question,
) -> Result<Capacity, NoLaw> {
    let most = match &misses {
        Some(misses) => limits.most_rps.mixed(misses.share, misses.limits.most_rps),
        None => limits.most_rps,
    };
    let machine_rps = most.times(question.headroom);
    let machines = Machines {
        needed: question.machines(machine_rps.value)?,
        low: machine_rps.high.map_or(Ok(question.fewest()), |high| question.machines(high))?,
        high: question.machines(machine_rps.low)?,
    };
    Ok(Capacity {
        rate: question.rate,
        limits,
        misses,
        machine_rps,
        machines,
        cost: question.cost.map(|cost| cost * machines.needed as f64),
    })
}

impl Question {
    /// With so many requests a second for each, the spare ones counted.
    fn machines(&self, rps: f64) -> Result<u64, NoLaw> {
        let needed = (self.rate / rps - 1e-9).ceil().max(1.0);
        if needed.is_nan() || needed > MOST_MACHINES {
            return Err(NoLaw::TooMany { rps, rate: self.rate });
        }
        Ok(needed as u64 + u64::from(self.spare))
    }

    /// However much one of them can do.
    fn fewest(&self) -> u64 {
        1 + u64::from(self.spare)
    }
}

/// What a sweep has seen: at least the rate that held, and less than the one that did not.
fn knee(sweep: &Sweep) -> Result<Range, NoLaw> {
    let held = sweep.knee_rps.ok_or(NoLaw::NoKnee)?;
    if !sweep.confirmed {
        return Err(NoLaw::Unconfirmed);
    }
    Ok(Range { value: held, low: held, high: sweep.failed_rps })
}

/// Where somebody measured the server's processor time, what became of it.
fn notes(law: Result<Utilisation, NoLaw>, points: &[(f64, f64)], left_out: LeftOut) -> Vec<String> {
    let measured = !points.is_empty();
    let without = law.err().filter(|_| measured).map(|why| match why {
        NoLaw::TooFew => "no utilisation law: fewer than three open loops can be used".to_owned(),
        why => format!("no utilisation law: {why}"),
    });
    let left_out = (measured && !left_out.is_empty()).then(|| left_out.to_string());
    without.into_iter().chain(left_out).collect()
}

impl Limits {
    /// For people, a line for each thing that is known.
    fn text(&self, cores: f64) -> String {
        let mut out = String::new();
        if let Some(law) = &self.utilisation {
            let _ = writeln!(
                out,
                "Utilisation law: {:.2} us of CPU a request ({:.2}), {:.3} cores idle; {cores} cores are busy at {:.0} requests a second ({:.0})",
                law.cpu_us.value,
                law.cpu_us,
                law.idle_cores,
                law.saturation_rps.value,
                law.saturation_rps,
            );
        }
        if let Some(law) = &self.scalability {
            let at_a_time = match (law.peak_clients, law.peak_users()) {
                (None, _) => "ever more at a time".to_owned(),
                (Some(n), None) => format!("{n:.0} at a time"),
                (Some(n), Some(users)) => {
                    format!("{n:.0} at a time, {users:.0} users who think for {} s", law.think_s)
                }
            };
            let _ = writeln!(
                out,
                "Universal Scalability Law: {} requests a second one at a time, contention {:.4}, coherency {:.6}; at most {:.0} ({:.0}) with {at_a_time}",
                Digits(law.single_rps),
                law.contention,
                law.coherency,
                law.peak_rps.value,
                law.peak_rps,
            );
        }
        if let Some(knee) = &self.knee_rps {
            let beyond = match knee.high {
                Some(failed) => format!("{failed:.0} did not"),
                None => "and no higher rate was seen not to: it holds at least that".to_owned(),
            };
            let slo = self.slo.as_ref().map_or(String::new(), |slo| format!(" ({slo})"));
            let _ = writeln!(out, "Sweep{slo}: {:.0} requests a second held, {beyond}", knee.low);
        }
        for note in &self.notes {
            let _ = writeln!(out, "Note: {note}");
        }
        out
    }
}

impl Capacity {
    /// For people.
    pub fn text(&self, question: &Question) -> String {
        let mut out = String::new();
        let limits = self.limits.text(question.cores);
        match &self.misses {
            None => out += &limits,
            Some(misses) => {
                let (hits, of_misses) = (1.0 - misses.share, misses.limits.text(question.cores));
                let _ = write!(
                    out,
                    "Hits, {:.1} % of all:\n{limits}Misses, {:.1} % of all:\n{of_misses}",
                    hits * 100.0,
                    misses.share * 100.0
                );
            }
        }
        // Of a mix on one machine nobody has seen the latency.
        let slo = self.limits.slo.as_ref().filter(|_| self.misses.is_none());
        let slo = slo.map_or(String::new(), |slo| format!(" at {slo}"));
        let Machines { needed, low, high } = self.machines;
        let given = self.machine_rps;
        let machines = match given.high {
            Some(_) => format!("{needed} machines of this kind, between {low} and {high}"),
            None if given.low == given.value => format!("at most {high} machines of this kind"),
            None => format!("{needed} machines of this kind, at most {high}"),
        };
        let _ = writeln!(
            out,
            "\nA machine is given {:.0} requests a second ({:.0} %).\nFor {:.0} requests a second{slo} with N+{} you need {machines}.",
            given.value,
            question.headroom * 100.0,
            question.rate,
            question.spare,
        );
        if let Some(cost) = self.cost {
            let _ = writeln!(out, "They cost {cost:.2}.");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rate: f64) -> Question {
        Question { rate, spare: 1, headroom: 0.8, cores: 1.0, cost: Some(10.0) }
    }

    fn found() -> Sweep {
        Sweep {
            knee_rps: Some(1600.0),
            failed_rps: Some(1660.0),
            confirmed: true,
            generator_limited: false,
            slo: None,
            steps: Vec::new(),
        }
    }

    fn swept(sweep: &Sweep) -> Result<Limits, NoLaw> {
        limits(&[], Some(sweep), 1.0)
    }

    #[test]
    fn hits_and_misses_take_their_time_each_by_its_share() {
        let hits = swept(&found()).unwrap();
        let slow = Sweep { knee_rps: Some(100.0), failed_rps: Some(105.0), ..found() };
        let misses = |share| Some(Misses { share, limits: swept(&slow).unwrap() });
        let question = Question { headroom: 1.0, ..asked(1000.0) };
        let plan = |share| capacity(hits.clone(), misses(share), &question).unwrap();
        // Of ten requests nine take 1/1600 s each and one 1/100 s.
        let given = plan(0.1).machine_rps;
        assert!((given.value - 10.0 / (9.0 / 1600.0 + 0.01)).abs() < 1e-9, "{given:?}");
        assert!((given.high.unwrap() - 10.0 / (9.0 / 1660.0 + 1.0 / 105.0)).abs() < 1e-9);
        assert_eq!((plan(0.0).machine_rps.value, plan(1.0).machine_rps.value), (1600.0, 100.0));
        insta::assert_snapshot!(plan(0.1).text(&question));
    }

    #[test]
    fn where_one_kind_showed_no_limit_the_other_bounds_the_mix() {
        let hits = Sweep { failed_rps: None, ..found() };
        let slow = Sweep { knee_rps: Some(100.0), failed_rps: Some(105.0), ..found() };
        let mix = |share| {
            let misses = Misses { share, limits: swept(&slow).unwrap() };
            capacity(swept(&hits).unwrap(), Some(misses), &asked(1.0)).unwrap().machine_rps
        };
        assert!((mix(0.5).high.unwrap() - 0.8 * 210.0).abs() < 1e-9);
        assert_eq!(mix(0.0).high, None);
    }

    #[test]
    fn a_sweep_between_two_rates_gives_a_number_of_machines() {
        let question = asked(51_200.0);
        let plan = capacity(swept(&found()).unwrap(), None, &question).unwrap();
        assert_eq!(plan.machines, Machines { needed: 41, low: 40, high: 41 });
        insta::assert_snapshot!(plan.text(&question));
    }

    #[test]
    fn a_sweep_that_found_no_end_gives_the_most_machines_only() {
        let open_ended = Sweep { failed_rps: None, generator_limited: true, ..found() };
        let question = asked(51_200.0);
        let plan = capacity(swept(&open_ended).unwrap(), None, &question).unwrap();
        assert_eq!((plan.machine_rps.high, plan.machines.low, plan.machines.high), (None, 2, 41));
        let text = plan.text(&question);
        assert!(text.contains("at least that") && text.contains("at most 41 machines"), "{text}");
    }

    #[test]
    fn a_sweep_without_a_result_gives_no_plan() {
        let guess = Sweep { confirmed: false, ..found() };
        assert_eq!(swept(&guess), Err(NoLaw::Unconfirmed));
        let nothing = Sweep { knee_rps: None, ..guess };
        assert_eq!(swept(&nothing), Err(NoLaw::NoKnee));
    }

    #[test]
    fn more_machines_than_there_are_is_no_answer() {
        let why = capacity(swept(&found()).unwrap(), None, &asked(1e300));
        assert!(matches!(why, Err(NoLaw::TooMany { .. })), "{why:?}");
    }
}
