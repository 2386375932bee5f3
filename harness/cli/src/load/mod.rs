//! `edgeproof load`: a plan from the command line, and what it came to.

pub(crate) mod interrupt;
pub(crate) mod outputs;
mod progress;
mod replay;
mod sweep;
mod target;

use std::time::{Duration, SystemTime};

use edgeproof_load::{
    Arrivals, LoadPlan, LoadReport, Pace, Replay, Schedule, Watch, ab, run_watched, seconds_chart,
};
use edgeproof_report::ExitCode;

use crate::args::Load;
use crate::failure::Failure;
use crate::history;

pub(crate) use target::Target;

/// No shot of the command line lasts longer, even where only a number of requests is given.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn load(arguments: &Load) -> Result<ExitCode, Failure> {
    outputs::one_place_each(&arguments.format)?;
    bounded(arguments)?;
    arguments.pid.map_or(Ok(()), |pid| there("--pid", pid))?;
    let logged = arguments.replay.as_deref().map(|log| replay::read(log, arguments)).transpose()?;
    let target = match &logged {
        None => Target::of(&arguments.what)?,
        Some(logged) => Target::of_targets(&arguments.what, &logged.asked)?,
    };
    if arguments.sweep {
        return sweep::sweep_of(arguments, &target);
    }
    let plan = plan(arguments, &target, logged.map(|logged| logged.replay))?;
    let (asked, opened) = (plan.pace.connections(), plan.connections());
    if opened < asked {
        eprintln!(
            "note: {opened} of {asked} connections are opened: the others would have no request"
        );
    }
    let watch = Watch::default();
    let began = SystemTime::now();
    let report = interrupt::stops(&watch, || {
        progress::shown(&watch, plan.time_limit, || run_watched(&plan, &watch))
    })?;
    let report = report.map_err(|error| Failure::Broken(error.to_string()))?;
    let broken = |error: edgeproof_load::LoadError| Failure::Broken(error.to_string());
    let human = ab(&report, &target.subject).map_err(broken)?;
    let json = outputs::json(&report)?;
    let charts = [seconds_chart(&report)];
    let (title, shots) = (format!("Load of {}", target.subject.host), &report.shots);
    let told = outputs::Told { title: &title, human: &human, json: &json, charts: &charts, shots };
    told.write(&arguments.format)?;
    if let Some(file) = &arguments.hdr {
        outputs::latencies(file, &report, began)?;
    }
    if let Some(file) = &arguments.history {
        let began = jiff::Timestamp::try_from(began).map_err(|e| Failure::Broken(e.to_string()))?;
        history::add(file, &report, began, arguments.label.as_deref())?;
    }
    Ok(judged(&report, arguments))
}

/// Refuses a process that is not there.
pub(crate) fn there(option: &str, pid: u32) -> Result<(), Failure> {
    let cpu = edgeproof_load::cpu_of(pid);
    let usage = |error| Failure::Usage(format!("{option} {pid}: no such process here: {error}"));
    cpu.map(|_| ()).map_err(usage)
}

fn bounded(arguments: &Load) -> Result<(), Failure> {
    let steps = arguments.rate.as_ref().is_some_and(|rate| rate.contains('@'));
    if steps
        || arguments.replay.is_some()
        || arguments.time.is_some()
        || arguments.requests.is_some()
    {
        return Ok(());
    }
    let message = "a load has an end: say how long (`-t 60s`) or how much (`-n 10000`)";
    Err(Failure::Usage(message.to_owned()))
}

fn plan(arguments: &Load, target: &Target, replay: Option<Replay>) -> Result<LoadPlan, Failure> {
    let connections = |otherwise: u16| usize::from(arguments.connections.unwrap_or(otherwise));
    let mut time_limit = arguments.time.unwrap_or(LONGEST);
    let pace = match (replay, &arguments.rate) {
        (Some(replay), _) => Pace::Replay { replay, most_connections: connections(1000) },
        (None, None) => Pace::Closed {
            connections: connections(10),
            think: arguments.think.unwrap_or_default(),
        },
        (None, Some(rate)) => {
            if rate.contains("..") && !rate.contains('@') && arguments.time.is_none() {
                let message = format!(
                    "a ramp rises over a time: `-t 60s`, or `{rate}@60s` (-n may end it before)"
                );
                return Err(Failure::Usage(message));
            }
            let lasts = arguments.time.or(arguments.requests.map(|_| LONGEST));
            let schedule =
                Schedule::parse(rate, lasts).map_err(|e| Failure::Usage(e.to_string()))?;
            time_limit = time_limit.min(schedule.lasts());
            let arrivals = if arguments.poisson { Arrivals::Poisson } else { Arrivals::Even };
            Pace::Open { schedule, arrivals, most_connections: connections(1000) }
        }
    };
    if time_limit.is_zero() {
        return Err(Failure::Usage("a load of no time at all measures nothing".to_owned()));
    }
    Ok(LoadPlan {
        pace,
        requests: arguments.requests.unwrap_or(u64::MAX),
        time_limit,
        shots: usize::from(arguments.shots),
        server_pid: arguments.pid,
        ..target.plan()
    })
}

/// The exit code; where it is not that of a good run, standard error says why.
fn judged(report: &LoadReport, arguments: &Load) -> ExitCode {
    let total = &report.total;
    if report.interrupted {
        return ExitCode::Interrupted;
    }
    // What it was late with itself it may not lay at the server's door.
    if total.open.as_ref().is_some_and(|open| open.saturated) {
        eprintln!("error: inconclusive: the generator could not keep its own schedule");
        return ExitCode::Inconclusive;
    }
    let allows = |what: &str| arguments.allow.iter().any(|allowed| allowed == what);
    let mut failures = Vec::new();
    if total.errors > 0 && !allows("failed") {
        failures.push(format!("{} failed requests", total.errors));
    }
    if total.non_2xx > 0 && !allows("non-2xx") {
        failures.push(format!("{} responses that are not 2xx", total.non_2xx));
    }
    if total.open.is_some() && total.unfinished > 0 && !allows("failed") {
        failures.push(format!("{} requests that never got their turn", total.unfinished));
    }
    failures.extend(arguments.slo.as_ref().and_then(|slo| slo.broken_by(total)));
    if total.requests == 0 && failures.is_empty() {
        failures.push("no answer at all".to_owned());
    }
    if !failures.is_empty() {
        eprintln!("error: {}", failures.join(", "));
        return ExitCode::Failed;
    }
    ExitCode::Good
}
