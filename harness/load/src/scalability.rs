//! The Universal Scalability Law (N. J. Gunther, "Guerrilla Capacity Planning", 2007) over the clients of a closed loop,
//! who think between their requests or do not.

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

/// X(N) = rate of one client × N / (1 + contention·(N−1) + coherency·N·(N−1)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scalability {
    /// How long each client thinks before a request, on average, in seconds: where that is not zero, clients are users.
    #[serde(default)]
    pub think_s: f64,
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

/// The law of the closed-loop shots among these.
///
/// # Errors
/// As for [`through`], and where clients of some think longer than those of others.
pub(crate) fn scalability(shots: &[Shot]) -> Result<Scalability, NoLaw> {
    let closed = || shots.iter().filter(|shot| shot.open.is_none() && shot.rps > 0.0);
    let think_s = closed().next().map_or(0.0, |shot| shot.think_s);
    if closed().any(|shot| shot.think_s != think_s) {
        return Err(NoLaw::ThinkTimes);
    }
    let points: Vec<(f64, f64)> = closed().map(|shot| (shot.clients() as f64, shot.rps)).collect();
    Ok(Scalability { think_s, ..through(&points)? })
}

/// The law through these numbers of clients and requests a second.
///
/// # Errors
/// When there are too few numbers of clients, or the rate grows with them all the way.
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
    Ok(Scalability {
        think_s: 0.0,
        single_rps: law.single_rps,
        contention: law.contention,
        coherency: law.coherency,
        peak_rps: Range { value: peak, low, high },
        peak_clients: law.peak_clients(),
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

impl Scalability {
    /// Requests a second of so many clients.
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
