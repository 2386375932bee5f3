//! `edgeproof plan`: from results of `load` to a number of machines.

use std::path::{Path, PathBuf};

use edgeproof_load::{
    Asked, Capacity, Limits, LoadReport, Marks, Misses, Question, Shot, Slo, Sweep, capacity,
    chart, limits, served,
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

/// The results of one kind of requests.
#[derive(Default)]
struct Results {
    shots: Vec<Shot>,
    sweep: Option<Sweep>,
    asked: Option<Asked>,
}

pub(crate) fn plan(arguments: &Plan) -> Result<ExitCode, Failure> {
    outputs::one_place_each(&arguments.format)?;
    if let Some(both) = arguments.misses.iter().find(|file| arguments.reports.contains(file)) {
        let why = "it cannot be a result of hits and of misses";
        return Err(Failure::Usage(format!("{}: {why}", both.display())));
    }
    let results = Results::of(&arguments.reports)?;
    let of_misses = Results::of(&arguments.misses)?;
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
    let limits = results.limits(arguments.cores, "")?;
    let misses = match arguments.misses.as_slice() {
        [] => None,
        _ => Some(Misses {
            share: 1.0 - hits(arguments, traffic.as_ref())?,
            limits: of_misses.limits(arguments.cores, "--misses: ")?,
        }),
    };
    if let (Some(a), Some(b)) = (&results.sweep, &of_misses.sweep)
        && a.slo != b.slo
    {
        let why = "the sweeps of hits and of misses have different --slo: a plan is for one";
        return Err(Failure::Usage(why.to_owned()));
    }
    let found = capacity(limits, misses, &question);
    let found = found.map_err(|error| Failure::Usage(error.to_string()))?;
    let mut text = traffic.as_ref().map(Traffic::text).unwrap_or_default();
    text += &found.text(&question);
    if let Some(size) = traffic.as_ref().and_then(|traffic| traffic.mean_bytes) {
        let megabits = |rate: f64| rate * size * 8.0 / 1e6;
        text += &format!(
            "Bodies alone are {:.1} Mbit/s then, up to {:.1} of each machine.\n",
            megabits(rate),
            megabits(found.machine_rps.value),
        );
    }
    let hits = found.misses.as_ref().map(|_| "hits");
    let mut charts = vec![results.chart(&found.limits, hits)];
    let of_misses_too = |misses: &Misses| of_misses.chart(&misses.limits, Some("misses"));
    charts.extend(found.misses.as_ref().map(of_misses_too));
    let title = format!("Capacity for {rate} requests a second");
    let json = outputs::json(&Planned { capacity: &found, traffic: traffic.as_ref() })?;
    let shots = [results.shots, of_misses.shots].concat();
    let told =
        outputs::Told { title: &title, human: &text, json: &json, charts: &charts, shots: &shots };
    told.write(&arguments.format)?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, &charts[0])
            .map_err(|error| Failure::write(&file.display().to_string(), &error))?;
    }
    Ok(ExitCode::Good)
}

/// The share of requests that a cache answers, as it was said or as the log tells.
fn hits(arguments: &Plan, traffic: Option<&Traffic>) -> Result<f64, Failure> {
    let told = arguments.hits.or(traffic.and_then(|traffic| traffic.hits));
    told.ok_or_else(|| {
        let why = match traffic {
            None => "--misses wants the share of hits: --hits 90%, or a --log that tells it",
            Some(_) => {
                "--misses wants the share of hits, and the log does not tell it: its format has neither `response_header:Cache-Status` nor `X-Cache`; say --hits 90%"
            }
        };
        Failure::Usage(why.to_owned())
    })
}

impl Results {
    /// Reads results of `load`.
    fn of(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut found = Self::default();
        for file in files {
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
            if found.sweep.is_some() && recorded.sweep.is_some() {
                return Err(refused("a second sweep: a plan is made from one".to_owned()));
            }
            let both = found.asked.as_ref().zip(recorded.report.asked.as_ref());
            if let Some([first, own]) = both.and_then(|(a, b)| a.is_for_others(b)) {
                return Err(refused(format!(
                    "it is {own}, and the first result is {first}: a plan is made from one kind of requests"
                )));
            }
            if let Some((first, own)) = both.filter(|(a, b)| a.address != b.address) {
                let (file, first, own) = (file.display(), &first.address, &own.address);
                eprintln!(
                    "{file}: from {own}, the first from {first}: they have to be of one kind"
                );
            }
            found.asked = found.asked.or(recorded.report.asked);
            found.shots.extend(recorded.report.shots);
            found.sweep = found.sweep.or(recorded.sweep);
        }
        Ok(found)
    }

    fn limits(&self, cores: f64, whose: &str) -> Result<Limits, Failure> {
        let found = limits(&self.shots, self.sweep.as_ref(), cores);
        found.map_err(|error| Failure::Usage(format!("{whose}{error}")))
    }

    fn chart(&self, limits: &Limits, of: Option<&'static str>) -> String {
        let slo = limits.slo.as_ref().and_then(|slo| slo.parse::<Slo>().ok());
        let marks = Marks {
            of,
            slo_us: slo.and_then(|slo| slo.p99_us()),
            knee_rps: limits.knee_rps.map(|knee| knee.value),
            utilisation: limits.utilisation,
            scalability: limits.scalability,
        };
        chart(&self.shots, &marks)
    }
}

fn read(file: &Path) -> Result<Recorded, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::read(file, &error))?;
    serde_json::from_str(&text).map_err(|error| {
        let file = file.display();
        Failure::Usage(format!("{file} is no result of `edgeproof load --format json`: {error}"))
    })
}
