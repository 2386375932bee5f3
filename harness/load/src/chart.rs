//! Throughput and latency over load as an SVG file, light or dark as its reader's screen is.

use crate::figures::Shot;
use crate::panel::{Panel, nice, opening};
use crate::scalability::{Scalability, at_a_time};
use crate::utilisation::Utilisation;

/// The line of the SLO is in the drawing, with room for its name, however fast the server is.
const ABOVE_SLO: f64 = 1.2;

/// What is drawn with the shots, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks {
    /// Which requests these are, where there is another drawing beside it.
    pub of: Option<&'static str>,
    /// The promised 99th percentile in microseconds.
    pub slo_us: Option<f64>,
    /// The highest rate that held.
    pub knee_rps: Option<f64>,
    /// The fit over rates.
    pub utilisation: Option<Utilisation>,
    /// The fit over clients.
    pub scalability: Option<Scalability>,
}

/// What is drawn over the load.
struct Point {
    load: f64,
    rps: f64,
    p99_ms: f64,
}

/// Draws the shots and what is known of them.
pub fn chart(shots: &[Shot], marks: &Marks) -> String {
    let open: Vec<&Shot> = shots.iter().filter(|shot| shot.open.is_some()).collect();
    let by_rate = !open.is_empty();
    let used: Vec<&Shot> = if by_rate { open } else { shots.iter().collect() };
    let point = |shot: &&Shot| Point {
        load: shot.open.as_ref().map_or_else(|| at_a_time(shot), |open| open.offered_rps),
        rps: shot.rps,
        p99_ms: shot.latency_us.p99 as f64 / 1e3,
    };
    let points: Vec<Point> = used.iter().map(point).collect();
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (most_load, most_rps) = (most(|p| p.load), most(|p| p.rps));
    let slo_ms = marks.slo_us.map(|slo| slo / 1e3);
    // A server that has broken down would flatten all the rest.
    let most_ms = slo_ms
        .map_or(most(|p| p.p99_ms), |slo| most(|p| p.p99_ms).clamp(slo * ABOVE_SLO, slo * 3.0));
    let title = "Throughput and latency over load";
    let title = marks.of.map_or(title.to_owned(), |of| format!("{title}: {of}"));
    let mut out = opening(&title, 2);
    let unit = if by_rate { "requests a second, offered" } else { "requests at a time" };
    // A law that misses its points shows it.
    let foretold = marks
        .scalability
        .filter(|_| !by_rate)
        .map_or(0.0, |law| law.rps(law.peak_clients.map_or(most_load, |peak| peak.min(most_load))));
    let most_rps = most_rps.max(foretold);
    let upper = Panel { place: 0, most_x: nice(most_load), most_y: nice(most_rps) };
    let lower = Panel { place: 1, most_x: nice(most_load), most_y: nice(most_ms) };
    let served = "requests a second, served";
    upper.axes(&mut out, &marks.of.map_or(served.to_owned(), |of| format!("{of}: {served}")), unit);
    lower.axes(&mut out, "99th percentile, ms", unit);
    fit(&mut out, &upper, marks, by_rate);
    if let Some(slo) = slo_ms {
        lower.line(&mut out, "slo", (0.0, slo), (lower.most_x, slo));
        lower.note(&mut out, lower.most_x, slo, "end", &format!("SLO: {slo} ms"));
    }
    if let Some(knee) = marks.knee_rps.filter(|_| by_rate) {
        for panel in [&upper, &lower] {
            panel.line(&mut out, "knee", (knee, 0.0), (knee, panel.most_y));
        }
        let place = if knee * 2.0 > upper.most_x { "end" } else { "start" };
        upper.note(&mut out, knee, 0.0, place, &format!(" knee: {knee:.0}/s "));
    }
    for point in &points {
        let name = format!("{:.0}: {:.0}/s, {:.2} ms", point.load, point.rps, point.p99_ms);
        upper.named_point(&mut out, point.load, point.rps, &name);
        lower.named_point(&mut out, point.load, point.p99_ms, &name);
    }
    out.push_str("</svg>\n");
    out
}

/// What the law says: all that is offered up to saturation, or the curve over clients.
fn fit(out: &mut String, panel: &Panel, marks: &Marks, by_rate: bool) {
    if by_rate {
        let Some(law) = &marks.utilisation else { return };
        let bend = law.saturation_rps.value.min(panel.most_x).min(panel.most_y);
        panel.line(out, "fit", (0.0, 0.0), (bend, bend));
        panel.line(out, "fit", (bend, bend), (panel.most_x, bend));
    } else if let Some(law) = &marks.scalability {
        let at = |step: i32| panel.most_x * f64::from(step) / 60.0;
        for step in 0..60 {
            let (from, to) = (at(step), at(step + 1));
            panel.line(out, "fit", (from, law.rps(from)), (to, law.rps(to)));
        }
    }
}
