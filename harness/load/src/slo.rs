//! What a service promises: `p99<50ms,errors<0.1%`.

use std::fmt;
use std::str::FromStr;

use crate::figures::Shot;

/// Promises that hold together.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    text: String,
    promises: Vec<Promise>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Promise {
    /// A figure of the latency, at most so many microseconds.
    Latency(Figure, f64),
    /// Failed requests and answers that are not 2xx, at most this share of all.
    Errors(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Mean,
    P50,
    P90,
    P99,
    P999,
    Max,
}

/// The text is no promise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no promise: expected `p99<50ms` (mean, p50, p90, p99, p999, max) or `errors<0.1%`"
)]
pub struct SloError(String);

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        let promises =
            text.split(',').map(|one| promise(one).ok_or_else(|| SloError(one.to_owned())));
        Ok(Self { text: text.to_owned(), promises: promises.collect::<Result<_, _>>()? })
    }
}

fn promise(text: &str) -> Option<Promise> {
    let at = text.find(['<', '='])?;
    let (name, bound) = (text[..at].trim(), text[at..].trim_start_matches(['<', '=']).trim());
    if name == "errors" {
        let share = match bound.strip_suffix('%') {
            Some(percent) => f64::from_str(percent).ok()? / 100.0,
            None => f64::from_str(bound).ok()?,
        };
        return (0.0..=1.0).contains(&share).then_some(Promise::Errors(share));
    }
    let figure = match name {
        "mean" => Figure::Mean,
        "p50" => Figure::P50,
        "p90" => Figure::P90,
        "p99" => Figure::P99,
        "p999" => Figure::P999,
        "max" => Figure::Max,
        _ => return None,
    };
    let digits = bound.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match &bound[digits..] {
        "us" | "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    let bound = f64::from_str(&bound[..digits]).ok()? * unit;
    (bound > 0.0).then_some(Promise::Latency(figure, bound))
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Slo {
    /// Which promise a shot breaks, in words; none where it holds all.
    pub fn broken_by(&self, shot: &Shot) -> Option<String> {
        self.promises.iter().find_map(|promise| promise.broken_by(shot))
    }

    /// What the 99th percentile is promised to be, in microseconds: a line in the drawing of it.
    pub fn p99_us(&self) -> Option<f64> {
        let bounds = self.promises.iter().filter_map(|promise| match promise {
            Promise::Latency(Figure::P99, bound) => Some(*bound),
            Promise::Latency(..) | Promise::Errors(_) => None,
        });
        bounds.reduce(f64::min)
    }

    /// Does it say itself how many may fail?
    pub(crate) fn names_errors(&self) -> bool {
        self.promises.iter().any(|promise| matches!(promise, Promise::Errors(_)))
    }
}

impl Promise {
    fn broken_by(self, shot: &Shot) -> Option<String> {
        match self {
            Promise::Errors(most) => {
                let share = shot.share_failed();
                let percent = |share: f64| share * 100.0;
                let (share, most) = (percent(share), percent(most));
                (share > most).then(|| format!("{share:.2} % errors, more than {most} %"))
            }
            Promise::Latency(figure, most) => {
                let latency = &shot.latency_us;
                let (name, value) = match figure {
                    Figure::Mean => ("mean", latency.mean),
                    Figure::P50 => ("p50", latency.p50 as f64),
                    Figure::P90 => ("p90", latency.p90 as f64),
                    Figure::P99 => ("p99", latency.p99 as f64),
                    Figure::P999 => ("p999", latency.p999 as f64),
                    Figure::Max => ("max", latency.max as f64),
                };
                let told = format!("{name} is {:.2} ms, more than {} ms", value / 1e3, most / 1e3);
                (value > most).then_some(told)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_read_or_refused() {
        let slo: Slo = "p99<50ms, errors<=0.1%".parse().unwrap();
        let both = vec![Promise::Latency(Figure::P99, 50_000.0), Promise::Errors(0.001)];
        assert_eq!(slo.promises, both);
        assert_eq!(slo.p99_us(), Some(50_000.0));
        // Those of other figures have no place in a drawing of this one.
        for (text, p99_us) in
            [("max<700ms,p50<5ms", None), ("max<700ms,p99<20ms,p99<1s", Some(20e3))]
        {
            assert_eq!(text.parse::<Slo>().unwrap().p99_us(), p99_us, "{text}");
        }
        assert!("p99=50ms".parse::<Slo>().is_ok());
        for text in ["", "p99", "p98<1s", "p99<1", "p99<-1ms", "errors<2", "errors<x%", "p99<1s,,"]
        {
            assert!(text.parse::<Slo>().is_err(), "{text}");
        }
    }
}
