//! `load:`, `journey:` and `ratio:`: what is measured is reported as figures; only counts are asserted.

use std::sync::Arc;

use edgeproof_journey::{Plan, play};
use edgeproof_load::{LoadPlan, LoadReport, Shot, run_load};
use edgeproof_scenario::model::{JourneySpec, LoadSpec, Ratio, Step};

use super::{Actor, Player, Stop};
use crate::client::{self, Piece};
use crate::event::Figure;
use crate::expect::{LoadTotals, broken};
use crate::filling::Filling;
use crate::locking::lock;

impl Player {
    pub(super) async fn load(
        &self,
        actor: &mut Actor,
        load: &LoadSpec,
        step: &Step,
        path: &str,
    ) -> Result<(), Stop> {
        let encoded = client::encode(&load.request, &actor.variables, self.clock.now());
        let outgoing = self.filled(encoded, step, path)?;
        let address = self.surface.http();
        let address =
            address.ok_or_else(|| Stop::Broken("the target has no http listener".into()))?;
        let request = one_request(&outgoing.pieces, load.keep_alive);
        let (clients, limit) = (load.concurrency, load.time_limit);
        let plan = LoadPlan {
            shots: load.shots,
            keep_alive: load.keep_alive,
            ..LoadPlan::closed(address, request, clients, load.requests, limit)
        };
        self.doing(format!("the load `{}`", load.name), &step.span, path, false);
        let report = tokio::task::spawn_blocking(move || run_load(&plan))
            .await
            .map_err(|error| Stop::Broken(error.to_string()))?
            .map_err(|error| Stop::Broken(error.to_string()))?;
        self.measured(actor, &load.name, report);
        lock(&self.progress).figures.extend(self.stated_cost(load));
        Ok(())
    }

    /// Users with think times. They end with the case's time at the latest.
    pub(super) async fn journey(
        &self,
        actor: &mut Actor,
        journey: &JourneySpec,
        step: &Step,
        path: &str,
    ) -> Result<(), Stop> {
        let address = self.surface.http();
        let address =
            address.ok_or_else(|| Stop::Broken("the target has no http listener".into()))?;
        let (variables, clock) = (actor.variables.clone(), Arc::clone(&self.clock));
        let plan = Plan {
            address,
            host: self.dialer.host.clone(),
            users: journey.users,
            iterations: journey.iterations,
            time: journey.time.unwrap_or(self.case.time_limit),
            steps: journey.steps.clone(),
            known: Arc::new(move |name| variables.value(name, clock.now())),
        };
        self.doing(format!("the journey `{}`", journey.name), &step.span, path, false);
        let report = tokio::task::spawn_blocking(move || play(plan))
            .await
            .map_err(|error| Stop::Broken(error.to_string()))?
            .map_err(|error| Stop::Broken(error.to_string()))?;
        self.measured(actor, &journey.name, report.total);
        let figures = &mut lock(&self.progress).figures;
        figures.push(figure(&journey.name, "rounds", "", report.rounds as f64, Vec::new()));
        for step in &report.steps {
            let latency = step.load.total.latency_us;
            let name = format!("{}.{}", journey.name, step.name);
            figures.push(figure(&name, "p50", "µs", latency.p50 as f64, Vec::new()));
            figures.push(figure(&name, "p99", "µs", latency.p99 as f64, Vec::new()));
        }
        Ok(())
    }

    /// Remembers what a load or a journey came to, for later steps and for the report.
    fn measured(&self, actor: &mut Actor, name: &str, report: LoadReport) {
        let total = &report.total;
        actor.last.load = Some(LoadTotals {
            requests: total.requests,
            errors: total.errors,
            non_2xx: total.non_2xx,
            first_error: total.first_error.clone(),
        });
        let mut progress = lock(&self.progress);
        progress.explained += total.requests + total.errors + total.unfinished;
        progress.figures.extend(figures(name, &report));
        progress.loads.insert(name.to_owned(), report);
    }

    /// The delay that the case's origin puts before such an answer: what the page is said to cost.
    fn stated_cost(&self, load: &LoadSpec) -> Option<Figure> {
        let method = load.request.method.as_literal()?;
        let target = load.request.target.as_literal()?;
        let delay = self
            .origin
            .stated_delay(&String::from_utf8_lossy(&method), &String::from_utf8_lossy(&target))?;
        let value = delay.as_secs_f64() * 1e3;
        Some(figure(&load.name, "origin_cost", "ms", value, Vec::new()))
    }

    pub(super) fn ratio(&self, ratio: &Ratio, step: &Step, path: &str) -> Result<(), Stop> {
        let value = {
            let progress = lock(&self.progress);
            let of =
                |name: &str| progress.loads.get(name).map(|load| value_of(&load.total, &ratio.of));
            of(&ratio.numerator).zip(of(&ratio.denominator))
        };
        match value {
            Some((numerator, denominator)) if denominator > 0.0 => {
                let value = numerator / denominator;
                lock(&self.progress).figures.push(Figure {
                    name: ratio.name.clone(),
                    value,
                    unit: "×".to_owned(),
                    samples: Vec::new(),
                });
                Ok(())
            }
            _ => {
                let (numerator, denominator) = (&ratio.numerator, &ratio.denominator);
                let why = format!("{} of {numerator} and {denominator} was not measured", ratio.of);
                Err(self.fails(broken(&step.span, path, &why)))
            }
        }
    }
}

fn value_of(shot: &Shot, of: &str) -> f64 {
    if of == "mean" { shot.latency_us.mean } else { shot.rps }
}

/// The whole request in one piece. Without keep-alive it asks the target to close.
fn one_request(pieces: &[Piece], keep_alive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(part) => bytes.extend_from_slice(part),
            Piece::Fill { pattern, size } => bytes.extend(Filling::all(pattern, *size)),
            Piece::Pause(_) | Piece::AwaitContinue => {}
        }
    }
    let end = bytes.windows(2).position(|window| window == b"\r\n").filter(|_| !keep_alive);
    if let Some(end) = end {
        bytes.splice(end + 2..end + 2, b"Connection: close\r\n".iter().copied());
    }
    bytes
}

fn figures(name: &str, report: &LoadReport) -> Vec<Figure> {
    let make = |key: &str, unit: &str, of: fn(&Shot) -> f64| {
        figure(name, key, unit, of(&report.total), report.shots.iter().map(of).collect())
    };
    vec![
        make("rps", "req/s", |shot| shot.rps),
        make("mean", "µs", |shot| shot.latency_us.mean),
        make("p50", "µs", |shot| shot.latency_us.p50 as f64),
        make("p99", "µs", |shot| shot.latency_us.p99 as f64),
        make("max", "µs", |shot| shot.latency_us.max as f64),
        // Both of ab's "Time per request": "(mean)" and "(mean, across all concurrent requests)".
        make("time_per_request", "µs", |shot| shot.mean_us),
        make("mean_across_all", "µs", |shot| shot.mean_across_all_us),
        make("bytes", "B", |shot| shot.bytes as f64),
        make("generator_cpu", "µs/req", |shot| shot.generator_cpu_us_per_request),
    ]
}

fn figure(load: &str, key: &str, unit: &str, value: f64, samples: Vec<f64>) -> Figure {
    Figure { name: format!("{load}.{key}"), value, unit: unit.to_owned(), samples }
}
