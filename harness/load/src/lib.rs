//! A closed-loop load generator: so many clients, each sending its next request when it has its answer.
//!
//! ```text
//! LoadPlan ─▶ shot ─▶ clients (one current-thread runtime a thread) ─▶ answers ─▶ histogram ─▶ Shot
//!              └──────────────── as many times as there are shots ──────────────────────────▶ LoadReport
//! ```
//!
//! A plan is bounded in requests and in time, always. The generator knows nothing of scenarios: it is given
//! an address and the bytes of one request. Its own cost is measured with the rest
//! ([`Shot::generator_cpu_us_per_request`]), since a generator that is the bottleneck measures itself.
//!
//! Being a closed loop, it slows down with the target: latencies are those of the requests that were made,
//! not of those that users would have made meanwhile (coordinated omission).

#![forbid(unsafe_code)]

mod answer;
mod figures;
mod plan;
mod shot;

pub use figures::{Latency, LoadReport, Shot};
pub use plan::{LoadError, LoadPlan};

/// Runs a plan and blocks until its last shot is over.
///
/// # Errors
/// When the plan is empty or unbounded, or the system gives no thread, socket or clock. A target that
/// refuses, resets or stalls is a figure ([`Shot::errors`], [`Shot::unfinished`]), not an error.
pub fn run_load(plan: &LoadPlan) -> Result<LoadReport, LoadError> {
    plan.check()?;
    let shots = (0..plan.shots).map(|_| shot::fire(plan)).collect::<Result<Vec<_>, _>>()?;
    figures::report(plan, &shots)
}
