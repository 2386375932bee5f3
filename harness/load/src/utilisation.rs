//! The utilisation law over the rates of an open loop: processor time grows with the rate.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capacity::{NoLaw, Range};
use crate::figures::Shot;
use crate::least_squares::{Line, line};
use crate::served::{KEPT_UP, served};

/// Fewer points make no line with an error.
const FEWEST_POINTS: usize = 3;
/// The highest rate is at least so many times the lowest: closer together, the line is that of noise.
const SPREAD: f64 = 2.0;

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

/// Open-loop results that the law cannot use, by why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The generator was late: they say nothing of the server.
    pub late: usize,
    /// Nothing was answered, or more than 1 % failed.
    pub unserved: usize,
    /// Less than 95 % of what was offered was answered.
    pub overloaded: usize,
    /// The server's processor time is not known.
    pub unmeasured: usize,
}

impl LeftOut {
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.late, "whose generator was late"),
            (self.unserved, "whose requests failed"),
            (self.overloaded, "whose server did not keep up with the rate"),
            (self.unmeasured, "without the server's processor time (--pid)"),
        ];
        let told = reasons.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> = told.map(|(count, why)| format!("{count} {why}")).collect();
        write!(f, "left out of the open loops: {}", told.join(", "))
    }
}

/// Rates and cores of the open-loop shots that the law can use, and what it cannot.
pub(crate) fn points(shots: &[Shot]) -> (Vec<(f64, f64)>, LeftOut) {
    let (mut points, mut left_out) = (Vec::new(), LeftOut::default());
    for (shot, open) in shots.iter().filter_map(|shot| Some((shot, shot.open.as_ref()?))) {
        match shot.server_cpu_s {
            _ if open.saturated => left_out.late += 1,
            _ if served(shot).is_err() => left_out.unserved += 1,
            _ if shot.rps < open.offered_rps * KEPT_UP => left_out.overloaded += 1,
            None => left_out.unmeasured += 1,
            Some(cpu) => points.push((shot.rps, cpu / shot.duration_s)),
        }
    }
    (points, left_out)
}

/// The law through these points, for a machine of so many cores.
///
/// # Errors
/// When there are too few, all at about one rate, or the machine is busy without any request.
pub(crate) fn utilisation(points: &[(f64, f64)], cores: f64) -> Result<Utilisation, NoLaw> {
    if points.len() < FEWEST_POINTS {
        return Err(NoLaw::TooFew);
    }
    let rates = || points.iter().map(|(rate, _)| *rate);
    let (low, high) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
    if high < low * SPREAD {
        return Err(NoLaw::OneRate { low, high });
    }
    let Line { intercept, slope, error } = line(points).ok_or(NoLaw::TooFew)?;
    if slope <= 0.0 {
        return Err(NoLaw::Flat);
    }
    let idle = intercept.max(0.0);
    if idle >= cores {
        return Err(NoLaw::Busy { idle, cores });
    }
    let saturated = |slope: f64| (cores - idle) / slope;
    let (least, most) = ((slope - error).max(0.0), slope + error);
    Ok(Utilisation {
        cpu_us: Range { value: slope * 1e6, low: least * 1e6, high: Some(most * 1e6) },
        idle_cores: idle,
        saturation_rps: Range {
            value: saturated(slope),
            low: saturated(most),
            high: (least > 0.0).then(|| saturated(least)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_at_which_all_cores_are_busy_is_foretold() {
        let points = [100.0, 200.0, 400.0].map(|rate| (rate, 0.2 + rate * 0.001));
        let law = utilisation(&points, 2.0).unwrap();
        assert!((law.saturation_rps.value - 1800.0).abs() < 1e-6, "{law:?}");
        assert!((law.idle_cores - 0.2).abs() < 1e-9);
    }

    #[test]
    fn noise_at_one_rate_is_no_law() {
        let points = [(100.0, 0.50), (100.1, 0.55), (99.9, 0.45), (100.05, 0.52)];
        assert!(matches!(utilisation(&points, 1.0), Err(NoLaw::OneRate { .. })));
        let told = NoLaw::OneRate { low: 99.9, high: 100.1 }.to_string();
        assert!(told.contains("twice the lowest") && told.contains("99.9 to 100.1"), "{told}");
        let falling = [(100.0, 0.5), (200.0, 0.4), (400.0, 0.3)];
        assert_eq!(utilisation(&falling, 1.0), Err(NoLaw::Flat));
    }

    #[test]
    fn a_machine_that_is_busy_with_nothing_serves_nothing() {
        let points = [100.0, 200.0, 400.0].map(|rate| (rate, 1.2 + rate * 0.001));
        let why = utilisation(&points, 1.0).unwrap_err();
        assert!(matches!(why, NoLaw::Busy { .. }), "{why}");
        assert!(why.to_string().contains("--cores"), "{why}");
        assert!(utilisation(&points, 2.0).is_ok());
    }
}
