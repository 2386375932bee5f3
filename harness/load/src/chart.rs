//! Throughput and latency over load as an SVG file, light or dark as its reader's screen is.

use std::fmt::Write as _;

use crate::capacity::Capacity;
use crate::figures::Shot;

const WIDTH: f64 = 640.0;
const PANEL: f64 = 220.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 34.0;
const GAP: f64 = 64.0;
const STYLE: &str = "\
text{font:12px sans-serif;fill:#333}.axis{stroke:#999}.grid{stroke:#ddd}\
.point{fill:#1f6feb}.fit{stroke:#d97706;fill:none;stroke-width:1.5}\
.slo{stroke:#c0392b;stroke-dasharray:6 4}.knee{stroke:#2d8a4e;stroke-dasharray:2 3}\
.back{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#777}.grid{stroke:#333}\
.point{fill:#79b8ff}.fit{stroke:#fbbf24}.slo{stroke:#ff7b72}.knee{stroke:#56d364}.back{fill:#111}}";

/// What is drawn over the load.
struct Point {
    load: f64,
    rps: f64,
    p99_ms: f64,
}

/// Draws the shots, the fit, the promised latency (in microseconds) and the knee.
pub fn chart(shots: &[Shot], capacity: &Capacity, slo_us: Option<f64>) -> String {
    let open: Vec<&Shot> = shots.iter().filter(|shot| shot.open.is_some()).collect();
    let by_rate = !open.is_empty();
    let used: Vec<&Shot> = if by_rate { open } else { shots.iter().collect() };
    let point = |shot: &&Shot| Point {
        load: shot.open.as_ref().map_or(shot.connections as f64, |open| open.offered_rps),
        rps: shot.rps,
        p99_ms: shot.latency_us.p99 as f64 / 1e3,
    };
    let points: Vec<Point> = used.iter().map(point).collect();
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (most_load, most_rps) = (most(|p| p.load), most(|p| p.rps));
    let slo_ms = slo_us.map(|slo| slo / 1e3);
    // A server that has broken down would flatten all the rest.
    let most_ms = slo_ms.map_or(most(|p| p.p99_ms), |slo| most(|p| p.p99_ms).min(slo * 3.0));
    let height = TOP + 2.0 * PANEL + GAP + 50.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>Throughput and latency over load</title>\n<style>{STYLE}</style>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{height}\"/>\n"
    );
    let unit = if by_rate { "requests a second, offered" } else { "clients" };
    let upper = Panel { top: TOP, most_x: nice(most_load), most_y: nice(most_rps) };
    let lower = Panel { top: TOP + PANEL + GAP, most_x: nice(most_load), most_y: nice(most_ms) };
    upper.axes(&mut out, "requests a second, served", unit);
    lower.axes(&mut out, "99th percentile, ms", unit);
    fit(&mut out, &upper, capacity, by_rate);
    if let Some(slo) = slo_ms {
        lower.line(&mut out, "slo", (0.0, slo), (lower.most_x, slo));
    }
    if let Some(knee) = capacity.knee_rps.filter(|_| by_rate) {
        for panel in [&upper, &lower] {
            panel.line(&mut out, "knee", (knee.value, 0.0), (knee.value, panel.most_y));
        }
    }
    for point in &points {
        upper.point(&mut out, point.load, point.rps);
        lower.point(&mut out, point.load, point.p99_ms);
    }
    out.push_str("</svg>\n");
    out
}

/// What the law says: all that is offered up to saturation, or the curve over clients.
fn fit(out: &mut String, panel: &Panel, capacity: &Capacity, by_rate: bool) {
    if by_rate {
        let Some(law) = &capacity.utilisation else { return };
        let bend = law.saturation_rps.value.min(panel.most_x).min(panel.most_y);
        panel.line(out, "fit", (0.0, 0.0), (bend, bend));
        panel.line(out, "fit", (bend, bend), (panel.most_x, bend));
    } else if let Some(law) = &capacity.scalability {
        let at = |step: i32| panel.most_x * f64::from(step) / 60.0;
        for step in 1..60 {
            let (from, to) = (at(step), at(step + 1));
            panel.line(out, "fit", (from, law.rps(from)), (to, law.rps(to)));
        }
    }
}

/// One of the two drawings.
struct Panel {
    top: f64,
    most_x: f64,
    most_y: f64,
}

impl Panel {
    fn x(&self, value: f64) -> f64 {
        LEFT + (WIDTH - LEFT - 20.0) * (value / self.most_x).clamp(0.0, 1.0)
    }

    fn y(&self, value: f64) -> f64 {
        self.top + PANEL * (1.0 - (value / self.most_y).clamp(0.0, 1.0))
    }

    fn line(&self, out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (self.x(from.0), self.y(from.1), self.x(to.0), self.y(to.1));
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        );
    }

    fn point(&self, out: &mut String, x: f64, y: f64) {
        let (x, y) = (self.x(x), self.y(y));
        let _ = writeln!(out, "<circle class=\"point\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
    }

    fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
        let _ =
            writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    fn axes(&self, out: &mut String, above: &str, below: &str) {
        Self::text(out, LEFT, self.top - 12.0, "start", above);
        for step in 0..=4 {
            let share = f64::from(step) / 4.0;
            let (x, y) = (self.most_x * share, self.most_y * share);
            let class = if step == 0 { "axis" } else { "grid" };
            self.line(out, class, (0.0, y), (self.most_x, y));
            Self::text(out, LEFT - 8.0, self.y(y) + 4.0, "end", &short(y));
            Self::text(out, self.x(x), self.top + PANEL + 18.0, "middle", &short(x));
        }
        Self::text(out, self.x(self.most_x), self.top + PANEL + 36.0, "end", below);
    }
}

/// The next of 1, 2, 4, 5 or 8 times a power of ten, so that quarters of it are round.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(value)
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", v / 1e6),
        v if v >= 1e3 => format!("{}k", v / 1e3),
        v => format!("{v}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, round) in
            [(0.0, 1.0), (0.3, 0.4), (7.0, 8.0), (10.0, 10.0), (123.0, 200.0), (4100.0, 5000.0)]
        {
            assert!((nice(value) - round).abs() < 1e-9, "{value} {}", nice(value));
        }
        assert_eq!([short(2500.0), short(1e6), short(0.5)], ["2.5k", "1M", "0.5"]);
    }
}
