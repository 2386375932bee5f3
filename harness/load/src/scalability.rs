//! The Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity Planning", 2007) over the requests that a server has at a
//! time.
//!
//! In a closed loop whose clients do not think these are the clients. Of clients who think most are elsewhere: how many
//! requests are in the server is told by Little's law (J. D. C. Little, 1961), rate × latency. Over the users themselves
//! the rate is a line with a sharp bend, which the law does not fit.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::capacity::{NoLaw, Range};
use crate::figures::Shot;
use crate::least_squares::solve;

/// Numbers of clients that are needed: with as many as there are constants every fit is exact, and so is its range.
const FEWEST_CLIENTS: usize = 4;
/// A coherency whose peak lies beyond is none, but what is left of a sum.
const MOST_CLIENTS: f64 = 1e6;
/// The constants of the law.
const CONSTANTS: usize = 3;

/// X(N) = rate of one at a time × N / (1 + contention·(N−1) + coherency·N·(N−1)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scalability {
    /// Requests a second where the server has one at a time.
    pub single_rps: f64,
    /// The share of work that only one request at a time can have done.
    pub contention: f64,
    /// What each pair of requests costs the others.
    pub coherency: f64,
    /// The most requests a second, however many there are at a time, and its range when each point is left out
    /// in turn.
    pub peak_rps: Range,
    /// The requests at a time at which it is reached; none where more always give more.
    pub peak_clients: Option<f64>,
    /// How long each client thought before a request, on average, in seconds, where all thought for as long.
    #[serde(default)]
    pub think_s: f64,
    /// How far the law is from the point that it misses most, as a share of that point.
    #[serde(default)]
    pub misfit: f64,
    /// The highest rate that was measured.
    #[serde(default)]
    pub highest_rps: f64,
}

/// The constants alone.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Law {
    single_rps: f64,
    contention: f64,
    coherency: f64,
}

impl Law {
    fn rps(self, clients: f64) -> f64 {
        let more = clients - 1.0;
        self.single_rps * clients / (1.0 + self.contention * more + self.coherency * clients * more)
    }

    fn peak_clients(self) -> Option<f64> {
        if self.contention >= 1.0 {
            // Whoever comes second costs more than he brings.
            return Some(1.0);
        }
        let peak = ((1.0 - self.contention) / self.coherency).sqrt();
        (peak < MOST_CLIENTS).then(|| peak.max(1.0))
    }

    /// None where the rate grows with the clients for ever.
    fn peak_rps(self) -> Option<f64> {
        match self.peak_clients() {
            Some(clients) => Some(self.rps(clients)),
            None => (self.contention > 0.0).then(|| self.single_rps / self.contention),
        }
    }
}

/// Requests that the server had at a time in a closed-loop shot.
pub(crate) fn at_a_time(shot: &Shot) -> f64 {
    match shot.think_s {
        0.0 => shot.clients() as f64,
        _ => shot.rps * shot.latency_us.mean / 1e6,
    }
}

/// The law of the closed-loop shots among these.
///
/// # Errors
/// When there are too few numbers of clients, or the rate grows with them all the way.
pub(crate) fn scalability(shots: &[Shot]) -> Result<Scalability, NoLaw> {
    let closed = || shots.iter().filter(|shot| shot.open.is_none() && shot.rps > 0.0);
    let numbers: BTreeSet<u64> = closed().map(Shot::clients).collect();
    if numbers.len() < FEWEST_CLIENTS {
        return Err(NoLaw::TooFew);
    }
    let points: Vec<(f64, f64)> = closed().map(|shot| (at_a_time(shot), shot.rps)).collect();
    let think_s = closed().next().map_or(0.0, |shot| shot.think_s);
    let is_common = closed().all(|shot| shot.think_s == think_s);
    Ok(Scalability { think_s: if is_common { think_s } else { 0.0 }, ..through(&points)? })
}

/// The law through these numbers of requests at a time and requests a second.
///
/// # Errors
/// When there are too few of them, or the rate grows with them all the way.
fn through(points: &[(f64, f64)]) -> Result<Scalability, NoLaw> {
    if numbers(points) < FEWEST_CLIENTS {
        return Err(NoLaw::TooFew);
    }
    let law = fitted(points).ok_or(NoLaw::TooFew)?;
    let peak = law.peak_rps().ok_or(NoLaw::NoLimit)?;
    let without = (0..points.len()).filter_map(|left_out| {
        let mut rest = points.to_vec();
        rest.remove(left_out);
        fitted(&rest)
    });
    let peaks: Vec<Option<f64>> = without.map(Law::peak_rps).chain([Some(peak)]).collect();
    let low = peaks.iter().flatten().copied().fold(peak, f64::min);
    let high = peaks.iter().copied().try_fold(peak, |high, peak| peak.map(|peak| high.max(peak)));
    let misfits = points.iter().map(|(n, x)| (law.rps(*n) / x - 1.0).abs());
    Ok(Scalability {
        single_rps: law.single_rps,
        contention: law.contention,
        coherency: law.coherency,
        peak_rps: Range { value: peak, low, high },
        peak_clients: law.peak_clients(),
        think_s: 0.0,
        misfit: misfits.fold(0.0, f64::max),
        highest_rps: points.iter().map(|(_, x)| *x).fold(0.0, f64::max),
    })
}

/// How many different numbers of clients there are.
fn numbers(points: &[(f64, f64)]) -> usize {
    let mut clients: Vec<f64> = points.iter().map(|(clients, _)| *clients).collect();
    clients.sort_by(f64::total_cmp);
    clients.dedup();
    clients.len()
}

/// N/X is linear in the law's three constants; each point's weight makes its error a relative one.
fn fitted(points: &[(f64, f64)]) -> Option<Law> {
    if numbers(points) < CONSTANTS {
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
            return Some(Law { single_rps: 1.0 / c0, contention: c1 / c0, coherency: c2 / c0 });
        }
    }
    None
}

/// A law that misses a point by more than this share is none to rely on.
const MISFIT: f64 = 0.15;
/// A peak so many times the highest rate that was measured is a guess.
const BEYOND: f64 = 1.5;

impl Scalability {
    /// What is to be known before the law is relied on.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.misfit > MISFIT {
            doubts.push(format!(
                "the Universal Scalability Law misses a point by {:.0} %: it does not describe this server well",
                self.misfit * 100.0
            ));
        }
        if self.peak_rps.value > self.highest_rps * BEYOND {
            doubts.push(format!(
                "its peak is {:.1} times the highest rate that was measured, {:.0}: a guess, until more clients have shown it",
                self.peak_rps.value / self.highest_rps,
                self.highest_rps
            ));
        }
        doubts
    }

    /// Users who think for so long, where the rate is at its peak.
    pub(crate) fn peak_users(&self) -> Option<f64> {
        let at_a_time = self.peak_clients.filter(|_| self.think_s > 0.0)?;
        Some(at_a_time + self.peak_rps.value * self.think_s)
    }

    /// Requests a second with so many at a time.
    pub fn rps(&self, clients: f64) -> f64 {
        let Self { single_rps, contention, coherency, .. } = *self;
        Law { single_rps, contention, coherency }.rps(clients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_of_a_known_law_are_found_again() {
        let known = Law { single_rps: 1000.0, contention: 0.03, coherency: 0.0005 };
        let points = [1.0, 2.0, 4.0, 8.0, 16.0].map(|n| (n, known.rps(n)));
        let found = through(&points).unwrap();
        assert!((found.contention - 0.03).abs() < 1e-6 && (found.coherency - 0.0005).abs() < 1e-7);
        assert!((found.peak_rps.value / known.peak_rps().unwrap() - 1.0).abs() < 1e-4);
        assert!((found.peak_clients.unwrap() - known.peak_clients().unwrap()).abs() < 0.1);
    }

    #[test]
    fn a_law_without_losses_has_no_negative_constants() {
        // A little better than linear: only noise is.
        let found = fitted(&[(1.0, 100.0), (2.0, 203.0), (4.0, 398.0), (8.0, 802.0)]).unwrap();
        assert!(found.contention >= 0.0 && found.coherency >= 0.0, "{found:?}");
        assert_eq!(fitted(&[(1.0, 100.0), (2.0, 190.0), (2.0, 191.0)]), None);
    }

    /// Users of a server with one queue, exactly (mean value analysis, M. Reiser and S. S. Lavenberg, 1980).
    fn users(number: u64, service_s: f64, think_s: f64) -> (f64, f64) {
        let (mut waiting, mut rate) = (0.0, 0.0);
        for n in 1..=number {
            let latency = service_s * (1.0 + waiting);
            rate = n as f64 / (latency + think_s);
            waiting = rate * latency;
        }
        (waiting, rate)
    }

    #[test]
    fn who_thinks_is_not_in_the_server() {
        for (service_s, think_s, numbers) in [
            (0.005, 0.5, &[10, 25, 50, 100, 200, 400][..]),
            (0.005, 0.5, &[20, 40, 60, 80, 100, 120]),
            (0.001, 1.0, &[100, 300, 500, 700, 1000, 1500]),
            (0.005, 10.0, &[400, 800, 1200, 1600, 2000, 2400]),
        ] {
            let points: Vec<_> = numbers.iter().map(|n| users(*n, service_s, think_s)).collect();
            let found = through(&points).unwrap();
            let off = found.peak_rps.value * service_s;
            assert!((0.97..1.1).contains(&off), "{off}: {found:?}");
        }
    }

    #[test]
    fn a_law_that_misses_its_points_is_doubted() {
        // Two servers and no queue before they are both busy: a sharp bend.
        let bend = [1.0, 2.0, 4.0, 8.0, 16.0].map(|n: f64| (n, 100.0 * n.min(2.0)));
        let found = through(&bend).unwrap();
        assert!(found.doubts().iter().any(|doubt| doubt.contains("misses a point")), "{found:?}");
        let known = Law { single_rps: 1000.0, contention: 0.03, coherency: 0.0005 };
        let points = [1.0, 2.0, 4.0, 8.0].map(|n| (n, known.rps(n)));
        let doubts = through(&points).unwrap().doubts();
        assert!(doubts.len() == 1 && doubts[0].contains("times the highest rate"), "{doubts:?}");
        let points = [1.0, 4.0, 16.0, 40.0].map(|n| (n, known.rps(n)));
        assert_eq!(through(&points).unwrap().doubts(), Vec::<String>::new());
    }

    #[test]
    fn three_numbers_of_clients_fit_any_law_and_show_none() {
        let points = [(1.0, 100.0), (2.0, 160.0), (4.0, 210.0), (4.0, 205.0), (8.0, 190.0)];
        assert_eq!(through(&points[..4]), Err(NoLaw::TooFew));
        let Range { value, low, high } = through(&points).unwrap().peak_rps;
        assert!(low < value && value <= high.unwrap(), "{low} {value} {high:?}");
    }

    #[test]
    fn who_gets_slower_with_the_second_client_is_at_his_best_with_one() {
        let known = Law { single_rps: 10_000.0, contention: 1.3, coherency: 0.0 };
        let points = [1.0, 2.0, 4.0, 8.0].map(|n| (n, known.rps(n)));
        let found = through(&points).unwrap();
        assert_eq!(found.peak_clients, Some(1.0));
        assert!((found.peak_rps.value - 10_000.0).abs() < 1.0, "{found:?}");
    }
}
