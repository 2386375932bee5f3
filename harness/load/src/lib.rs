//! A load generator, closed loop and open loop, with the figures of both.
//!
//! ```text
//! LoadPlan ─▶ shot ─▶ workers (a thread and a poll each) ─▶ connections ─▶ histograms ─▶ Shot
//!              └──────────────── as many times as there are shots ─────────────────▶ LoadReport
//! ```
//!
//! A plan is bounded in requests and in time, always. The generator knows nothing of scenarios: it is given
//! an endpoint and the bytes of requests. Its own cost is measured with the rest
//! ([`Shot::generator_cpu_us_per_request`]), since a generator that is the bottleneck measures itself.
//!
//! A closed loop slows down with the target: its latencies are those of the requests that were made, not of
//! those that users would have made meanwhile (coordinated omission). An open loop sends by a schedule and
//! counts from the moment that was intended; what the generator itself was late is told apart.

#![forbid(unsafe_code)]

mod ab;
mod answer;
mod asked;
mod awake;
mod bootstrap;
mod capacity;
mod change_points;
mod chart;
mod closed;
mod compare;
mod connection;
mod course;
mod draw;
mod endpoint;
mod figures;
mod hdr;
mod history;
mod http2;
mod lack;
mod least_squares;
mod meter;
mod open;
mod page;
mod panel;
mod plan;
mod random;
mod recorder;
mod replay;
mod request;
mod scalability;
mod schedule;
mod series;
mod served;
mod server;
mod shot;
mod slo;
mod stream;
mod sweep;
mod tally;
mod think;
mod timer;
mod trend;
mod utilisation;
mod worker;

pub use ab::{Subject, ab};
pub use asked::Asked;
pub use capacity::{Capacity, Limits, Machines, Misses, NoLaw, Question, Range, capacity, limits};
pub use change_points::change_points;
pub use chart::{Marks, chart};
pub use compare::{
    Change, Comparison, FEWEST_ROUNDS, Failures, Incomparable, Judged, Metric, Round, comparable,
    compare, rounds_of,
};
pub use connection::Broken;
pub use endpoint::{Address, Endpoint, Tls};
pub use figures::{Latency, LoadReport, OpenLoop, Shot};
pub use hdr::hdr_log;
pub use history::{Entry, FailedRun, History, HistoryError, Shift, Turn};
pub use page::{page, seconds_chart};
pub use plan::{LoadError, LoadPlan, Pace, Protocol, REQUEST_LIMIT, Request};
pub use random::{Random, shuffled_pairs};
pub use recorder::Recorder;
pub use replay::Replay;
pub use request::{Message, RequestError, Url};
pub use scalability::Scalability;
pub use schedule::{Arrivals, Schedule, ScheduleError};
pub use series::{Second, Watch};
pub use served::{Unserved, served};
pub use server::cpu_of;
pub use slo::{Slo, SloError};
pub use sweep::{Step, Sweep, SweepReport, sweep};
pub use tally::Errors;
pub use trend::trend;
pub use utilisation::{LeftOut, Utilisation};

/// What keeps the seeds of shots apart.
const OF_A_SHOT: u64 = 0x9E6C_63D0_876A_3F6B;

/// Runs a plan and blocks until its last shot is over.
///
/// # Errors
/// When the plan is empty or unbounded, or the system gives no thread, socket or clock. A target that
/// refuses, resets or stalls is a figure ([`Shot::errors`], [`Shot::unfinished`]), not an error; that there are too
/// few file descriptors or local ports for its connections is one.
pub fn run_load(plan: &LoadPlan) -> Result<LoadReport, LoadError> {
    run_watched(plan, &Watch::default())
}

/// The same, for somebody who looks on and may stop it.
///
/// # Errors
/// As for [`run_load`], and when the process whose time is to be measured is not there at the beginning.
pub fn run_watched(plan: &LoadPlan, watch: &Watch) -> Result<LoadReport, LoadError> {
    plan.check()?;
    lack::raise_limit()?;
    let mut fired = Vec::with_capacity(plan.shots);
    let cpu = || plan.server_pid.map(cpu_of);
    cpu().transpose()?;
    for number in 0..plan.shots {
        // The same chance in each shot would be one shot, told several times.
        let own = (number > 0).then(|| LoadPlan {
            seed: plan.seed.wrapping_add((number as u64).wrapping_mul(OF_A_SHOT)),
            ..plan.clone()
        });
        let before = cpu();
        let (tally, series) = shot::fire(own.as_ref().unwrap_or(plan), watch)?;
        // One that died under the load is no reason to lose what the load has shown.
        let server_cpu = server::ServerCpu::between(before, cpu());
        fired.push(figures::Fired { tally, series, server_cpu });
        if watch.is_stopped() {
            break;
        }
    }
    let report = figures::report(figures::Manner::of(plan), fired)?;
    Ok(LoadReport { interrupted: watch.is_stopped(), asked: Some(Asked::of(plan)), ..report })
}
