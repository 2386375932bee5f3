//! How many machines: the utilisation law over the rates of an open loop, the Universal Scalability Law
//! (Gunther 2007) over the clients of a closed one, and what a sweep has seen.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::figures::Shot;
use crate::least_squares::{Line, line, solve};
use crate::sweep::{MOST_FAILED, Sweep};

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
    /// The most.
    pub high: f64,
}

/// Processor time over rate: cores = idle + seconds a request × requests a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Utilisation {
    /// Processor time of a request in microseconds, with its 95 % range.
    pub cpu_us: Range,
    /// Cores busy without any request.
    pub idle_cores: f64,
    /// Requests a second at which all cores are busy.
    pub saturation_rps: Range,
}

/// X(N) = rate of one client × N / (1 + contention·(N−1) + coherency·N·(N−1)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scalability {
    /// Requests a second of one client alone.
    pub single_rps: f64,
    /// The share of work that only one client at a time can have done.
    pub contention: f64,
    /// What each pair of clients costs the others.
    pub coherency: f64,
    /// The most requests a second, at whatever number of clients, and its range when each point is left out
    /// in turn.
    pub peak_rps: Range,
    /// The clients at which it is reached; none where more clients always give more.
    pub peak_clients: Option<f64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Requests a second that were asked for.
    pub rate: f64,
    /// From open-loop shots with the server's processor time.
    pub utilisation: Option<Utilisation>,
    /// From closed-loop shots.
    pub scalability: Option<Scalability>,
    /// From a sweep: the highest rate that held and the lowest that did not.
    pub knee_rps: Option<Range>,
    /// What had to hold in the sweep.
    pub slo: Option<String>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoLaw {
    /// There is too little to fit one.
    #[error(
        "no law can be fitted: give a sweep, three or more open-loop results with --pid, or three or more closed-loop results with different -c"
    )]
    TooFew,
    /// The rate grows with the clients all the way.
    #[error(
        "the results show no limit, so that none can be foretold: measure with more clients, or give a sweep"
    )]
    NoLimit,
}

/// Of requests that failed in any number nothing can be foretold: what it costs to refuse is not what it costs to serve.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unserved {
    /// None was answered.
    #[error("none of its requests was answered")]
    None,
    /// Too many failed.
    #[error("{:.1} % of its {requests} requests failed", share * 100.0)]
    Failed {
        /// As a share.
        share: f64,
        /// All requests.
        requests: u64,
    },
}

/// Whether something can be foretold from these requests.
///
/// # Errors
/// When none was answered, or more than 1 % failed.
pub fn served(shot: &Shot) -> Result<(), Unserved> {
    let (share, requests) = (shot.share_failed(), shot.requests + shot.errors);
    match shot.requests {
        0 => Err(Unserved::None),
        _ if share > MOST_FAILED => Err(Unserved::Failed { share, requests }),
        _ => Ok(()),
    }
}

/// Answers the question from shots and what a sweep found.
///
/// # Errors
/// When neither law has enough points and there is no knee.
pub fn capacity(
    shots: &[Shot],
    sweep: Option<&Sweep>,
    question: &Question,
) -> Result<Capacity, NoLaw> {
    let utilisation = utilisation(shots, question.cores);
    let fitted = scalability(&points(shots));
    let is_unlimited = fitted.as_ref().is_some_and(|law| law.peak_rps.value == f64::MAX);
    let scalability = fitted.filter(|_| !is_unlimited);
    let knee_rps = sweep.and_then(|sweep| {
        let knee = sweep.knee_rps?;
        let high = sweep.failed_rps.filter(|_| !sweep.generator_limited).unwrap_or(knee);
        Some(Range { value: knee, low: knee.min(high), high: knee.max(high) })
    });
    // What was seen counts more than what was fitted; of two fits the lower is the safer.
    let fitted = [
        utilisation.as_ref().map(|law| law.saturation_rps),
        scalability.as_ref().map(|law| law.peak_rps),
    ];
    let fitted = fitted.into_iter().flatten().min_by(|a, b| a.value.total_cmp(&b.value));
    let nothing = if is_unlimited { NoLaw::NoLimit } else { NoLaw::TooFew };
    let most = knee_rps.or(fitted).ok_or(nothing)?;
    let give = |rps: f64| rps * question.headroom;
    let machine_rps = Range { value: give(most.value), low: give(most.low), high: give(most.high) };
    let machines = |rps: f64| {
        let needed =
            if rps > 0.0 { (question.rate / rps - 1e-9).ceil().max(1.0) } else { f64::INFINITY };
        needed as u64 + u64::from(question.spare)
    };
    let machines = Machines {
        needed: machines(machine_rps.value),
        low: machines(machine_rps.high),
        high: machines(machine_rps.low),
    };
    Ok(Capacity {
        rate: question.rate,
        utilisation,
        scalability,
        knee_rps,
        slo: sweep.and_then(|sweep| sweep.slo.clone()),
        machine_rps,
        machines,
        cost: question.cost.map(|cost| cost * machines.needed as f64),
    })
}

fn utilisation(shots: &[Shot], cores: f64) -> Option<Utilisation> {
    // An overloaded server's time says nothing of its law.
    let good = |shot: &&Shot| {
        shot.open
            .as_ref()
            .is_some_and(|open| !open.saturated && shot.rps >= open.offered_rps * 0.95)
    };
    let point = |shot: &Shot| Some((shot.rps, shot.server_cpu_s? / shot.duration_s));
    let points: Vec<(f64, f64)> = shots.iter().filter(good).filter_map(point).collect();
    let Line { intercept, slope, error } = line(&points)?;
    let idle = intercept.max(0.0);
    let saturated =
        |slope: f64| if slope > 0.0 { (cores - idle).max(0.0) / slope } else { f64::MAX };
    let (low, high) = (slope - error, slope + error);
    (slope > 0.0).then(|| Utilisation {
        cpu_us: Range { value: slope * 1e6, low: low.max(0.0) * 1e6, high: high * 1e6 },
        idle_cores: idle,
        saturation_rps: Range {
            value: saturated(slope),
            low: saturated(high),
            high: saturated(low.max(slope / 10.0)),
        },
    })
}

/// Clients and requests a second of the closed-loop shots.
fn points(shots: &[Shot]) -> Vec<(f64, f64)> {
    let closed = shots.iter().filter(|shot| shot.open.is_none() && shot.rps > 0.0);
    closed.map(|shot| (shot.clients() as f64, shot.rps)).collect()
}

fn scalability(points: &[(f64, f64)]) -> Option<Scalability> {
    let all = fitted(points)?;
    let peak = |law: &Scalability| law.peak_rps.value;
    let without = (0..points.len()).filter_map(|left_out| {
        let mut rest = points.to_vec();
        rest.remove(left_out);
        fitted(&rest)
    });
    let peaks: Vec<f64> = without.map(|law| peak(&law)).chain([peak(&all)]).collect();
    let low = peaks.iter().copied().fold(f64::MAX, f64::min);
    let high = peaks.iter().copied().filter(|peak| *peak < f64::MAX).fold(peak(&all), f64::max);
    Some(Scalability { peak_rps: Range { value: peak(&all), low, high }, ..all })
}

/// N/X is linear in the law's three constants; each point's weight makes its error a relative one.
fn fitted(points: &[(f64, f64)]) -> Option<Scalability> {
    let mut clients: Vec<f64> = points.iter().map(|(clients, _)| *clients).collect();
    clients.sort_by(f64::total_cmp);
    clients.dedup();
    if clients.len() < 3 {
        return None;
    }
    let row = |n: f64| [1.0, n - 1.0, n * (n - 1.0)];
    // A negative constant means nothing: it is taken for zero and the others fitted again.
    for used in [[true, true, true], [true, true, false], [true, false, true], [true, false, false]]
    {
        let rows: Vec<([f64; 3], f64, f64)> = points
            .iter()
            .map(|(n, x)| {
                let mut terms = row(*n);
                for (term, used) in terms.iter_mut().zip(used) {
                    *term *= f64::from(u8::from(used));
                }
                (terms, n / x, x / n)
            })
            .collect();
        let Some([c0, c1, c2]) = solve(&rows, used) else { continue };
        if c0 > 0.0 && c1 >= 0.0 && c2 >= 0.0 {
            return Some(law(1.0 / c0, c1 / c0, c2 / c0));
        }
    }
    None
}

fn law(single_rps: f64, contention: f64, coherency: f64) -> Scalability {
    let at = |n: f64| single_rps * n / (1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0));
    let peak_clients = (coherency > 0.0 && contention < 1.0)
        .then(|| ((1.0 - contention) / coherency).sqrt().max(1.0));
    let peak = match peak_clients {
        Some(clients) => at(clients),
        None if contention > 0.0 => single_rps / contention,
        None => f64::MAX,
    };
    let peak_rps = Range { value: peak, low: peak, high: peak };
    Scalability { single_rps, contention, coherency, peak_rps, peak_clients }
}

impl Scalability {
    /// Requests a second of so many clients.
    pub fn rps(&self, clients: f64) -> f64 {
        let more = clients - 1.0;
        self.single_rps * clients / (1.0 + self.contention * more + self.coherency * clients * more)
    }
}

impl Capacity {
    /// For people.
    pub fn text(&self, question: &Question) -> String {
        let mut out = String::new();
        if let Some(law) = &self.utilisation {
            let _ = writeln!(
                out,
                "Utilisation law: {:.2} us of CPU a request ({:.2} to {:.2}), {:.3} cores idle; {} cores are busy at {:.0} requests a second ({:.0} to {:.0})",
                law.cpu_us.value,
                law.cpu_us.low,
                law.cpu_us.high,
                law.idle_cores,
                question.cores,
                law.saturation_rps.value,
                law.saturation_rps.low,
                law.saturation_rps.high,
            );
        }
        if let Some(law) = &self.scalability {
            let clients = law
                .peak_clients
                .map_or("ever more clients".to_owned(), |n| format!("{n:.0} clients"));
            let _ = writeln!(
                out,
                "Universal Scalability Law: {:.0} requests a second of one client, contention {:.4}, coherency {:.6}; at most {:.0} ({:.0} to {:.0}) with {clients}",
                law.single_rps,
                law.contention,
                law.coherency,
                law.peak_rps.value,
                law.peak_rps.low,
                law.peak_rps.high,
            );
        }
        if let Some(knee) = &self.knee_rps {
            let _ = writeln!(
                out,
                "Sweep: {:.0} requests a second held, {:.0} did not",
                knee.low, knee.high
            );
        }
        let slo = self.slo.as_ref().map_or(String::new(), |slo| format!(" at {slo}"));
        let Machines { needed, low, high } = self.machines;
        let _ = writeln!(
            out,
            "\nA machine is given {:.0} requests a second ({:.0} %).\nFor {:.0} requests a second{slo} with N+{} you need {needed} machines of this kind, between {low} and {high}.",
            self.machine_rps.value,
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

    #[test]
    fn the_constants_of_a_known_law_are_found_again() {
        let known = law(1000.0, 0.03, 0.0005);
        let points: Vec<(f64, f64)> =
            [1.0, 2.0, 4.0, 8.0, 16.0].map(|n| (n, known.rps(n))).to_vec();
        let found = scalability(&points).unwrap();
        assert!((found.contention - 0.03).abs() < 1e-6 && (found.coherency - 0.0005).abs() < 1e-7);
        assert!((found.peak_rps.value / known.peak_rps.value - 1.0).abs() < 1e-4);
        assert!((found.peak_clients.unwrap() - known.peak_clients.unwrap()).abs() < 0.1);
    }

    #[test]
    fn a_law_without_losses_has_no_negative_constants() {
        // A little better than linear: only noise is.
        let found = fitted(&[(1.0, 100.0), (2.0, 203.0), (4.0, 398.0), (8.0, 802.0)]).unwrap();
        assert!(found.contention >= 0.0 && found.coherency >= 0.0, "{found:?}");
        assert_eq!(fitted(&[(1.0, 100.0), (2.0, 190.0), (2.0, 191.0)]), None);
    }
}
