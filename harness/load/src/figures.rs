//! Figures of a load, with ab's definitions where ab has them.

use std::time::Duration;

use base64::Engine as _;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use serde::{Deserialize, Serialize};

use crate::asked::Asked;
use crate::plan::{LoadError, LoadPlan, Pace};
use crate::series::Second;
use crate::server::ServerCpu;
use crate::tally::{Errors, Tally};

/// Times in microseconds.
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
    /// Requests without a whole answer: refused, reset, broken off, unreadable or too slow.
    pub errors: u64,
    /// The same by what went wrong.
    #[serde(default)]
    pub error_kinds: Errors,
    /// What the system said of the first failure: a certificate that is not trusted, a refused connection; in a journey
    /// the step that went wrong, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    /// Whole answers whose status is not 2xx.
    pub non_2xx: u64,
    /// Times that a request was sent again, because its kept connection ended before any octet of an answer, or because
    /// the server said that it had not taken it up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// Requests that were in flight when the time was up, or that were due by then and never sent.
    pub unfinished: u64,
    /// Real time in seconds.
    pub duration_s: f64,
    /// Whole answers a second.
    pub rps: f64,
    /// The most connections at a time.
    #[serde(default)]
    pub connections: u64,
    /// Requests at a time on each of them: more than one with HTTP/2.
    #[serde(default = "one")]
    pub streams: u64,
    /// How long a client of a closed loop thought before each request, on average, in seconds.
    #[serde(default, skip_serializing_if = "is_none")]
    pub think_s: f64,
    /// ab's "Time per request … (mean)", in microseconds: clients × real time / requests. In an open loop,
    /// where there are no clients, and where clients think, the mean latency.
    pub mean_us: f64,
    /// ab's "(mean, across all concurrent requests)", in microseconds: real time / requests.
    pub mean_across_all_us: f64,
    /// Measured latencies. In an open loop from the intended moment of sending.
    pub latency_us: Latency,
    /// How long new connections took, where there were any.
    #[serde(default)]
    pub connect_us: Option<Latency>,
    /// From the beginning to the answer's first octet.
    #[serde(default)]
    pub first_byte_us: Option<Latency>,
    /// Octets of whole answers, heads and framing included.
    pub bytes: u64,
    /// The generator's own processor time for each request, in microseconds.
    pub generator_cpu_us_per_request: f64,
    /// The server's processor time in seconds, where its process is known.
    #[serde(default)]
    pub server_cpu_s: Option<f64>,
    /// The server's process was known, and gone at the end of the shot.
    #[serde(default, skip_serializing_if = "is_false")]
    pub server_gone: bool,
    /// All latencies in microseconds: an `HdrHistogram` (1 µs to 1 h, 3 digits), V2 encoding in base64.
    pub histogram: String,
    /// What only an open loop has.
    #[serde(default)]
    pub open: Option<OpenLoop>,
    /// Second by second; empty where shots are taken together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Second>,
}

/// What the generator owes to its schedule, apart from what the target owes to its clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLoop {
    /// Requests a second that the schedule asks for, on average over the part of it that was played; all of them where they
    /// come at once.
    pub offered_rps: f64,
    /// Latencies from the real moment of sending: what a closed loop would tell.
    pub uncorrected_latency_us: Latency,
    /// All of these, like [`Shot::histogram`].
    pub uncorrected_histogram: String,
    /// How much later than planned the generator took requests up.
    pub send_lag_us: Latency,
    /// Requests that it took up more than 1 ms late.
    pub late_sends: u64,
    /// Requests that waited for a connection since the limit was reached; the wait is in their latency.
    pub waited: u64,
    /// More than 1 % of requests were late through the generator, and not by chance: its figures say nothing of the
    /// target.
    pub saturated: bool,
}

/// All shots, and each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// The shots together; its duration is the sum of theirs.
    #[serde(flatten)]
    pub total: Shot,
    /// In the order they were fired.
    pub shots: Vec<Shot>,
    /// It was stopped before its end.
    #[serde(default)]
    pub interrupted: bool,
    /// What was asked for; a journey says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

impl LoadReport {
    /// The generator could not keep its schedule: its figures say nothing of the target.
    pub fn is_saturated(&self) -> bool {
        let mut shots = std::iter::once(&self.total).chain(&self.shots);
        shots.any(|shot| shot.open.as_ref().is_some_and(|open| open.saturated))
    }
}

/// A shot as it was measured.
pub(crate) struct Fired {
    pub(crate) tally: Tally,
    pub(crate) series: Vec<Second>,
    pub(crate) server_cpu: ServerCpu,
}

/// What of a plan its figures depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Requests at a time on a connection.
    pub(crate) streams: u64,
    /// Clients at a time; `None` in an open loop.
    pub(crate) clients: Option<u64>,
    /// How long each of them thinks before a request.
    pub(crate) think: Duration,
}

impl Manner {
    pub(crate) fn of(plan: &LoadPlan) -> Self {
        let streams = plan.streams() as u64;
        match plan.pace {
            Pace::Closed { think, .. } => {
                Self { streams, clients: Some(plan.clients() as u64), think }
            }
            Pace::Open { .. } | Pace::Replay { .. } => {
                Self { streams, clients: None, think: Duration::ZERO }
            }
        }
    }
}

pub(crate) fn report(manner: Manner, fired: Vec<Fired>) -> Result<LoadReport, LoadError> {
    let mut total = Tally::new()?;
    for Fired { tally, .. } in &fired {
        let most = total.connections.max(tally.connections);
        total.add(tally)?;
        total.connections = most;
        total.elapsed += tally.elapsed;
        total.played += tally.played;
        total.offered += tally.offered;
    }
    let cpu = fired.iter().map(|fired| fired.server_cpu).reduce(ServerCpu::and);
    let server_cpu = cpu.unwrap_or(ServerCpu::NotAsked);
    let shots = fired.into_iter().map(|fired| shot(manner, fired)).collect::<Result<_, _>>()?;
    let total = shot(manner, Fired { tally: total, series: Vec::new(), server_cpu })?;
    Ok(LoadReport { total, shots, interrupted: false, asked: None })
}

fn shot(manner: Manner, fired: Fired) -> Result<Shot, LoadError> {
    let Fired { tally, series, server_cpu } = fired;
    let requests = tally.latency.len();
    let duration_s = tally.elapsed.as_secs_f64();
    let each = |amount: f64| if requests == 0 { 0.0 } else { amount / requests as f64 };
    let across_all = each(duration_s * 1e6);
    let latency_us = Latency::of(&tally.latency);
    let some = |histogram: &Histogram<u64>| (!histogram.is_empty()).then(|| Latency::of(histogram));
    Ok(Shot {
        requests,
        errors: tally.errors.total(),
        error_kinds: tally.errors,
        first_error: tally.first_error.clone(),
        non_2xx: tally.non_2xx,
        retried: tally.retried,
        unfinished: tally.unfinished,
        duration_s,
        rps: if duration_s > 0.0 { requests as f64 / duration_s } else { 0.0 },
        connections: tally.connections,
        streams: manner.streams,
        think_s: manner.think.as_secs_f64(),
        mean_us: match manner.clients {
            Some(clients) if manner.think.is_zero() => clients as f64 * across_all,
            _ => latency_us.mean,
        },
        mean_across_all_us: across_all,
        latency_us,
        connect_us: some(&tally.connect),
        first_byte_us: some(&tally.first_byte),
        bytes: tally.bytes,
        generator_cpu_us_per_request: each(tally.cpu.as_secs_f64() * 1e6),
        server_cpu_s: match server_cpu {
            ServerCpu::Seconds(spent) => Some(spent),
            ServerCpu::NotAsked | ServerCpu::Gone => None,
        },
        server_gone: server_cpu == ServerCpu::Gone,
        histogram: encode(&tally.latency)?,
        open: open(manner, &tally)?,
        series,
    })
}

fn open(manner: Manner, tally: &Tally) -> Result<Option<OpenLoop>, LoadError> {
    if manner.clients.is_some() {
        return Ok(None);
    }
    let played = tally.played.as_secs_f64();
    Ok(Some(OpenLoop {
        offered_rps: if played > 0.0 { tally.offered / played } else { tally.offered },
        uncorrected_latency_us: Latency::of(&tally.uncorrected),
        uncorrected_histogram: encode(&tally.uncorrected)?,
        send_lag_us: Latency::of(&tally.lag),
        late_sends: tally.late,
        waited: tally.waited,
        saturated: is_saturated(tally.late, tally.lag.len()),
    }))
}

/// Whether so many of all requests that are late show that the generator gives out: more than 1 % are late, also by the
/// lower end of the 95 % interval of the share (Wilson 1927). Of a few requests one is late wherever a machine pauses.
fn is_saturated(late: u64, all: u64) -> bool {
    const Z: f64 = 1.96;
    if all == 0 {
        return false;
    }
    let n = all as f64;
    let share = late as f64 / n;
    let (middle, square) = (share + Z * Z / (2.0 * n), share * (1.0 - share) / n);
    let lower = (middle - Z * (square + Z * Z / (4.0 * n * n)).sqrt()) / (1.0 + Z * Z / n);
    lower > 0.01
}

impl Latency {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self {
            mean: histogram.mean(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde gives it
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde gives it
fn is_none(seconds: &f64) -> bool {
    *seconds == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde gives it
fn is_false(it: &bool) -> bool {
    !*it
}

/// What a report says that knows no HTTP/2.
fn one() -> u64 {
    1
}

impl Shot {
    /// The most requests at a time.
    pub fn clients(&self) -> u64 {
        self.connections * self.streams
    }

    /// Failed requests, those of an open loop that never got their turn, and answers that are not 2xx, as a share of all.
    pub fn share_failed(&self) -> f64 {
        let open = if self.open.is_some() { self.unfinished } else { 0 };
        let failed = self.errors + self.non_2xx + open;
        failed as f64 / (self.requests + self.errors + open).max(1) as f64
    }

    /// All latencies again, in microseconds.
    ///
    /// # Errors
    /// When the text in `histogram` is none: the report was written by something else.
    pub fn latencies(&self) -> Result<Histogram<u64>, LoadError> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(&self.histogram);
        let bytes = bytes.map_err(LoadError::histogram)?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(LoadError::histogram)
    }

    /// The server's processor time for each request, in microseconds, where its process is known.
    pub fn server_cpu_us_per_request(&self) -> Option<f64> {
        self.server_cpu_s.filter(|_| self.requests > 0).map(|cpu| cpu * 1e6 / self.requests as f64)
    }
}

fn encode(histogram: &Histogram<u64>) -> Result<String, LoadError> {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).map_err(LoadError::histogram)?;
    Ok(base64::engine::general_purpose::STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::connection::{Answered, Times};

    /// What the export says of these latencies.
    fn exported(latencies_us: &[u64]) -> Histogram<u64> {
        let began = Instant::now();
        let mut tally = Tally::new().unwrap();
        for latency in latencies_us {
            let times = Times { intended: began, began, connected: None, first_byte: None };
            let end = began + Duration::from_micros(*latency);
            tally.answer(Answered { status: 200, bytes: 0 }, &times, end);
        }
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        let plan = LoadPlan::closed(address, Vec::new(), 1, 1, Duration::from_secs(1));
        let fired = Fired { tally, series: Vec::new(), server_cpu: ServerCpu::NotAsked };
        shot(Manner::of(&plan), fired).unwrap().latencies().unwrap()
    }

    #[test]
    fn one_late_request_of_a_few_is_chance() {
        let saturated = [(2, 21), (4, 120), (18, 1000), (11_000, 1_000_000), (1, 1)];
        let not = [(0, 0), (0, 50), (1, 21), (3, 120), (15, 1000), (10_100, 1_000_000)];
        assert!(saturated.iter().all(|&(late, all)| is_saturated(late, all)));
        assert!(!not.iter().any(|&(late, all)| is_saturated(late, all)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_export_equals_a_sort_within_its_precision(
            mut latencies in prop::collection::vec(prop_oneof![1..1000_u64, 1..3_600_000_000_u64], 1..400)
        ) {
            let histogram = exported(&latencies);
            latencies.sort_unstable();
            for quantile in [0.01, 0.5, 0.66, 0.9, 0.99, 0.999, 1.0] {
                let rank = ((quantile * latencies.len() as f64).ceil() as usize).max(1);
                let exact = latencies[rank - 1];
                let told = histogram.value_at_quantile(quantile);
                prop_assert!(told.abs_diff(exact) as f64 <= exact as f64 / 1000.0 + 1.0,
                    "{quantile}: {told} of {exact}");
            }
            prop_assert_eq!(histogram.len(), latencies.len() as u64);
        }
    }
}
