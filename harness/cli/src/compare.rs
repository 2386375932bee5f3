//! `edgeproof compare`: two results, or two servers measured in turn.

use std::path::Path;

use edgeproof_load::{
    Change, LoadPlan, LoadReport, Metric, Pace, Round, Watch, comparable, compare as judge,
    rounds_of, run_watched, shuffled_pairs,
};
use edgeproof_report::ExitCode;

use crate::args::Compare;
use crate::failure::Failure;
use crate::load::{Target, interrupt, outputs, there};

pub(crate) fn compare(arguments: &Compare) -> Result<ExitCode, Failure> {
    outputs::one_place_each(&arguments.format)?;
    let is_url = |text: &str| text.contains("://");
    let measured = match (is_url(&arguments.a), is_url(&arguments.b)) {
        (true, true) => measured(arguments)?,
        (false, false) => {
            let (a, b) = (recorded(Path::new(&arguments.a))?, recorded(Path::new(&arguments.b))?);
            comparable(&a, &b).map_err(|why| Failure::Usage(why.to_string()))?;
            Sides { a: rounds_of(&a), b: rounds_of(&b), paired: false, interrupted: false }
        }
        _ => {
            let message = "a result and a URL cannot be compared: give two results or two URLs";
            return Err(Failure::Usage(message.to_owned()));
        }
    };
    let Sides { a, b, paired, interrupted } = measured;
    let metrics = if arguments.metrics.is_empty() { &Metric::ALL[..] } else { &arguments.metrics };
    let found = judge(&a, &b, paired, arguments.margin, metrics);
    // Where none was asked for, what was not measured is not judged.
    let is_told = |metric: &Metric| {
        found.unjudged.contains(metric) || found.metrics.iter().any(|it| it.metric == *metric)
    };
    if let Some(metric) = arguments.metrics.iter().find(|metric| !is_told(metric)) {
        let metric = metric.as_str();
        return Err(Failure::Usage(format!("{metric} was measured on neither side")));
    }
    let (human, json) = (found.text(), outputs::json(&found)?);
    let title = format!("{} beside {}", arguments.b, arguments.a);
    let told = outputs::Told { title: &title, human: &human, json: &json, charts: &[], shots: &[] };
    told.write(&arguments.format)?;
    if interrupted {
        return Ok(ExitCode::Interrupted);
    }
    Ok(match found.verdict {
        Change::Better | Change::Same => ExitCode::Good,
        Change::Worse => ExitCode::Regression,
        Change::Inconclusive => ExitCode::Inconclusive,
    })
}

/// The rounds of both.
struct Sides {
    a: Vec<Round>,
    b: Vec<Round>,
    paired: bool,
    interrupted: bool,
}

fn recorded(file: &Path) -> Result<LoadReport, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::read(file, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let file = file.display();
        Failure::Usage(format!("{file} is no result of `edgeproof load --format json`: {error}"))
    })
}

fn measured(arguments: &Compare) -> Result<Sides, Failure> {
    for (option, pid) in [("--pid-a", arguments.pid_a), ("--pid-b", arguments.pid_b)] {
        pid.map_or(Ok(()), |pid| there(option, pid))?;
    }
    let plan = |url: &str, pid: Option<u32>| {
        let target = Target::of_url(url, &arguments.how)?;
        Ok::<_, Failure>(LoadPlan {
            pace: Pace::Closed {
                connections: usize::from(arguments.connections),
                think: std::time::Duration::ZERO,
            },
            requests: u64::MAX,
            time_limit: arguments.time,
            server_pid: pid,
            ..target.plan()
        })
    };
    let plans = [plan(&arguments.a, arguments.pid_a)?, plan(&arguments.b, arguments.pid_b)?];
    let watch = Watch::default();
    let [a, b] = interrupt::stops(&watch, || rounds(&plans, arguments, &watch))??;
    Ok(Sides { a, b, paired: true, interrupted: watch.is_stopped() })
}

/// Each pair of rounds in an order of its own, after one round of each that is not counted.
fn rounds(
    plans: &[LoadPlan; 2],
    arguments: &Compare,
    watch: &Watch,
) -> Result<[Vec<Round>; 2], Failure> {
    let fire = |side: usize| {
        let report = run_watched(&plans[side], watch);
        report.map(|report| Round::from(&report.total)).map_err(|e| Failure::Broken(e.to_string()))
    };
    let mut sides = [Vec::new(), Vec::new()];
    fire(0)?;
    fire(1)?;
    for order in shuffled_pairs(usize::from(arguments.rounds), arguments.how.seed) {
        let mut both = [None, None];
        for side in order {
            both[side] = Some(fire(side)?);
        }
        if watch.is_stopped() {
            break;
        }
        for (rounds, round) in sides.iter_mut().zip(both) {
            rounds.extend(round);
        }
    }
    Ok(sides)
}
