//! `load:` and `ratio:`: what is measured is reported as figures; only counts are asserted.

use edgeproof_load::{LoadPlan, LoadReport, Shot, run_load};
use edgeproof_scenario::model::{LoadSpec, Ratio, Step};

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
        let total = &report.total;
        actor.last.load = Some(LoadTotals {
            requests: total.requests,
            errors: total.errors,
            non_2xx: total.non_2xx,
        });
        let mut progress = lock(&self.progress);
        progress.explained += total.requests + total.errors + total.unfinished;
        progress.figures.extend(figures(&load.name, &report));
        progress.figures.extend(self.stated_cost(load));
        progress.loads.insert(load.name.clone(), report);
        Ok(())
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
                |name: &str| progress.loads.get(name).map(|load| measured(&load.total, &ratio.of));
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

fn measured(shot: &Shot, of: &str) -> f64 {
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
        make("mean_across_all", "µs", |shot| shot.mean_across_all_us),
        make("bytes", "B", |shot| shot.bytes as f64),
        make("generator_cpu", "µs/req", |shot| shot.generator_cpu_us_per_request),
    ]
}

fn figure(load: &str, key: &str, unit: &str, value: f64, samples: Vec<f64>) -> Figure {
    Figure { name: format!("{load}.{key}"), value, unit: unit.to_owned(), samples }
}
