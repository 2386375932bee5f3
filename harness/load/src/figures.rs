//! Figures of a load, with ab's definitions where ab has them.

use base64::Engine as _;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

use crate::plan::{LoadError, LoadPlan};
use crate::shot::Tally;

/// Latencies of whole answers, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The arithmetic mean.
    pub mean: f64,
    /// Half of the requests took at most this.
    pub p50: u64,
    /// 90 %.
    pub p90: u64,
    /// 99 %.
    pub p99: u64,
    /// 99.9 %.
    pub p999: u64,
    /// The slowest.
    pub max: u64,
}

/// What one shot, or all together, came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// Whole answers.
    pub requests: u64,
    /// Requests without a whole answer: refused, reset, broken off or unreadable.
    pub errors: u64,
    /// Whole answers whose status is not 2xx.
    pub non_2xx: u64,
    /// Requests that were in flight when the time was up.
    pub unfinished: u64,
    /// Real time in seconds.
    pub duration_s: f64,
    /// Whole answers a second.
    pub rps: f64,
    /// ab's "Time per request … (mean)", in microseconds: clients × real time / requests.
    pub mean_us: f64,
    /// ab's "(mean, across all concurrent requests)", in microseconds: real time / requests.
    pub mean_across_all_us: f64,
    /// Measured latencies.
    pub latency_us: Latency,
    /// Octets of whole answers, heads and framing included.
    pub bytes: u64,
    /// The generator's own processor time for each request, in microseconds.
    pub generator_cpu_us_per_request: f64,
    /// All latencies in microseconds: an `HdrHistogram` (1 µs to 1 h, 3 digits), V2 encoding in base64.
    pub histogram: String,
}

/// All shots, and each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// The shots together; its duration is the sum of theirs.
    #[serde(flatten)]
    pub total: Shot,
    /// In the order they were fired.
    pub shots: Vec<Shot>,
}

pub(crate) fn report(plan: &LoadPlan, tallies: &[Tally]) -> Result<LoadReport, LoadError> {
    let mut total = Tally::new()?;
    for tally in tallies {
        total.add(tally)?;
        total.elapsed += tally.elapsed;
    }
    let shots = tallies.iter().map(|tally| shot(plan, tally)).collect::<Result<_, _>>()?;
    Ok(LoadReport { total: shot(plan, &total)?, shots })
}

fn shot(plan: &LoadPlan, tally: &Tally) -> Result<Shot, LoadError> {
    let requests = tally.latency.len();
    let duration_s = tally.elapsed.as_secs_f64();
    let each = |amount: f64| if requests == 0 { 0.0 } else { amount / requests as f64 };
    let across_all = each(duration_s * 1e6);
    Ok(Shot {
        requests,
        errors: tally.errors,
        non_2xx: tally.non_2xx,
        unfinished: tally.unfinished,
        duration_s,
        rps: if duration_s > 0.0 { requests as f64 / duration_s } else { 0.0 },
        mean_us: plan.connections as f64 * across_all,
        mean_across_all_us: across_all,
        latency_us: latency(&tally.latency),
        bytes: tally.bytes,
        generator_cpu_us_per_request: each(tally.cpu.as_secs_f64() * 1e6),
        histogram: encode(&tally.latency)?,
    })
}

fn latency(histogram: &Histogram<u64>) -> Latency {
    let at = |quantile| histogram.value_at_quantile(quantile);
    Latency {
        mean: histogram.mean(),
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: histogram.max(),
    }
}

fn encode(histogram: &Histogram<u64>) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|error| LoadError::Histogram(error.to_string()))?;
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}
