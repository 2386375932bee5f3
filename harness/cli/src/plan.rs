//! `edgeproof plan`: from results of `load` to a number of machines.

use std::path::Path;

use edgeproof_load::{
    Capacity, LoadReport, Marks, Question, Shot, Slo, Sweep, capacity, chart, served,
};
use edgeproof_report::ExitCode;
use serde::{Deserialize, Serialize};

use crate::args::Plan;
use crate::failure::Failure;
use crate::load::outputs;
use crate::traffic::{self, Traffic};

/// A result of `load`, with or without `--sweep`.
#[derive(Deserialize)]
struct Recorded {
    #[serde(flatten)]
    report: LoadReport,
    sweep: Option<Sweep>,
}

/// The answer, and the traffic that it is for.
#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    capacity: &'a Capacity,
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<&'a Traffic>,
}

pub(crate) fn plan(arguments: &Plan) -> Result<ExitCode, Failure> {
    outputs::one_place_each(&arguments.format)?;
    let (mut shots, mut sweep): (Vec<Shot>, Option<Sweep>) = (Vec::new(), None);
    for file in &arguments.reports {
        let recorded = read(file)?;
        let refused = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
        if recorded.report.interrupted {
            return Err(refused("interrupted: a plan is made from whole runs".to_owned()));
        }
        // A sweep goes beyond the knee on purpose, and judges its steps itself.
        if recorded.sweep.is_none() {
            served(&recorded.report.total).map_err(|why| {
                refused(format!("{why}: a plan is made from runs whose requests are answered"))
            })?;
        }
        if sweep.is_some() && recorded.sweep.is_some() {
            return Err(refused("a second sweep: a plan is made from one".to_owned()));
        }
        shots.extend(recorded.report.shots);
        sweep = sweep.or(recorded.sweep);
    }
    let format = &arguments.log_format;
    let traffic = arguments.log.as_deref().map(|log| traffic::read(log, format)).transpose()?;
    // The busiest hour's rate times its burst factor.
    let of_log = traffic.as_ref().map(|traffic| traffic.busiest.second_rate);
    let rate = arguments.rate.or(of_log);
    let rate = rate.ok_or_else(|| Failure::Usage("there is no --rate and no --log".to_owned()))?;
    let question = Question {
        rate,
        spare: arguments.spare,
        headroom: arguments.headroom,
        cores: arguments.cores,
        cost: arguments.cost,
    };
    let found = capacity(&shots, sweep.as_ref(), &question);
    let found = found.map_err(|error| Failure::Usage(error.to_string()))?;
    let told = traffic.as_ref().map(Traffic::text).unwrap_or_default();
    let text = told + &found.text(&question);
    let slo = found.slo.as_ref().and_then(|slo| slo.parse::<Slo>().ok());
    let marks = Marks {
        slo_us: slo.and_then(|slo| slo.p99_us()),
        knee_rps: found.knee_rps.map(|knee| knee.value),
        utilisation: found.utilisation,
        scalability: found.scalability,
    };
    let charts = [chart(&shots, &marks)];
    let title = format!("Capacity for {rate} requests a second");
    let json = outputs::json(&Planned { capacity: &found, traffic: traffic.as_ref() })?;
    let told =
        outputs::Told { title: &title, human: &text, json: &json, charts: &charts, shots: &shots };
    told.write(&arguments.format)?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, &charts[0])
            .map_err(|error| Failure::write(&file.display().to_string(), &error))?;
    }
    Ok(ExitCode::Good)
}

fn read(file: &Path) -> Result<Recorded, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::read(file, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let file = file.display();
        Failure::Usage(format!("{file} is no result of `edgeproof load --format json`: {error}"))
    })
}
