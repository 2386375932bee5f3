//! `edgeproof load --sweep`: one rate after another.

use std::time::SystemTime;

use edgeproof_load::{
    Arrivals, LoadError, LoadPlan, LoadReport, Marks, Pace, Schedule, Slo, SweepReport, Watch,
    chart, run_watched, sweep,
};
use edgeproof_report::ExitCode;

use super::{Target, interrupt, outputs, progress};
use crate::args::Load;
use crate::failure::Failure;

const FIRST_RATE: f64 = 100.0;
const HIGHEST_RATE: f64 = 1e6;
/// The confirming look is so many times as long.
const LONGER: u32 = 3;
const MOST_CONNECTIONS: u16 = 1000;

pub(super) fn sweep_of(arguments: &Load, target: &Target) -> Result<ExitCode, Failure> {
    let first = match &arguments.rate {
        None => FIRST_RATE,
        Some(rate) => {
            rate.parse().ok().filter(|rate| (1.0..=HIGHEST_RATE).contains(rate)).ok_or_else(
                || {
                    Failure::Usage(format!(
                        "--sweep begins at one rate from 1 to {HIGHEST_RATE}, not at `{rate}`"
                    ))
                },
            )?
        }
    };
    let (watch, began) = (Watch::default(), SystemTime::now());
    let mut last: Option<LoadReport> = None;
    let probe = |rate: f64, longer: bool| {
        let plan = plan(arguments, target, rate, longer)?;
        let report = progress::shown(&watch, plan.time_limit, || run_watched(&plan, &watch))?;
        let shot = report.total.clone();
        let stopped = report.interrupted;
        let series = report.shots.first().map(|shot| shot.series.clone()).unwrap_or_default();
        last = Some(report);
        Ok((!stopped).then_some(edgeproof_load::Shot { series, ..shot }))
    };
    let found =
        interrupt::stops(&watch, || sweep(first, HIGHEST_RATE, arguments.slo.as_ref(), probe))?;
    let (found, shots) = found.map_err(|error| Failure::Broken(error.to_string()))?;
    let text = found.text(&shots);
    let interrupted = watch.is_stopped();
    let limited = found.generator_limited;
    let (knee, confirmed) = (found.knee_rps, found.confirmed && !found.generator_limited);
    let Some(last) = last else { return Ok(ExitCode::NothingRan) };
    let report = LoadReport { shots, interrupted, ..last };
    let report = SweepReport { report, sweep: found };
    let charts: Vec<String> = drawn(&report, arguments).into_iter().collect();
    let (title, json) = (format!("Sweep of {}", target.subject.host), outputs::json(&report)?);
    let shots = &report.report.shots;
    let told = outputs::Told { title: &title, human: &text, json: &json, charts: &charts, shots };
    told.write(&arguments.format)?;
    if let Some(file) = &arguments.hdr {
        outputs::latencies(file, &report.report, began)?;
    }
    Ok(match knee {
        _ if interrupted => ExitCode::Interrupted,
        None if limited => ExitCode::Inconclusive,
        None => ExitCode::Failed,
        Some(_) if confirmed => ExitCode::Good,
        Some(_) => ExitCode::Inconclusive,
    })
}

/// Throughput and latency over the rates; nothing where no rate held. How many cores the server may use is not known here,
/// and with them where its law bends.
fn drawn(report: &SweepReport, arguments: &Load) -> Option<String> {
    let knee_rps = Some(report.sweep.knee_rps?);
    let slo_us = arguments.slo.as_ref().and_then(Slo::p99_us);
    Some(chart(&report.report.shots, &Marks { slo_us, knee_rps, ..Marks::default() }))
}

fn plan(arguments: &Load, target: &Target, rate: f64, longer: bool) -> Result<LoadPlan, LoadError> {
    let time = arguments.time.unwrap_or_default() * if longer { LONGER } else { 1 };
    let schedule = Schedule::constant(rate, time).ok_or(LoadError::Empty("time_limit"))?;
    let most_connections = usize::from(arguments.connections.unwrap_or(MOST_CONNECTIONS));
    Ok(LoadPlan {
        pace: Pace::Open { schedule, arrivals: Arrivals::Even, most_connections },
        requests: u64::MAX,
        time_limit: time,
        server_pid: arguments.pid,
        ..target.plan()
    })
}
