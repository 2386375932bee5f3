//! A history as an SVG file: each figure over the runs, its levels, and where they changed.

use crate::compare::Metric;
use crate::history::{Entry, History, Shift, Turn, costs};
use crate::panel::{Panel, nice, opening};

/// Draws every metric over the runs that have it and did not fail.
pub fn trend(entries: &[Entry], history: &History) -> String {
    let measured = Metric::ALL.into_iter().map(|metric| (metric, costs(entries, metric)));
    let drawn: Vec<_> = measured.filter(|(_, costs)| !costs.is_empty()).collect();
    let mut out = opening("Figures over the runs", drawn.len().max(1));
    for (place, (metric, costs)) in drawn.iter().enumerate() {
        let values: Vec<(usize, f64)> =
            costs.iter().map(|(run, cost)| (*run, metric.of_cost(*cost))).collect();
        let most = values.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        // Runs are counted: whole numbers at the marks.
        let most_x = entries.len().max(1).next_multiple_of(4) as f64;
        let panel = Panel { place, most_x, most_y: nice(most) };
        panel.axes(&mut out, title(*metric), "runs");
        let shifts: Vec<&Shift> = history.shifts.iter().filter(|s| s.metric == *metric).collect();
        levels(&mut out, &panel, &values, &shifts);
        for (run, value) in values {
            panel.named_point(&mut out, (run + 1) as f64, value, entries[run].name());
        }
    }
    out.push_str("</svg>\n");
    out
}

fn levels(out: &mut String, panel: &Panel, values: &[(usize, f64)], shifts: &[&Shift]) {
    for shift in shifts {
        let class = match shift.verdict {
            Turn::Worse => "worse",
            Turn::Better => "better",
            Turn::Small => "grid",
        };
        let between = shift.run as f64 + 0.5;
        panel.line(out, class, (between, 0.0), (between, panel.most_y));
    }
    let starts = shifts.iter().map(|shift| shift.run);
    let bounds: Vec<usize> = std::iter::once(0)
        .chain(starts)
        .chain([values.last().map_or(0, |(run, _)| run + 1)])
        .collect();
    for level in bounds.windows(2) {
        let of = values.iter().filter(|(run, _)| (level[0]..level[1]).contains(run));
        let logs: Vec<f64> = of.map(|(_, value)| value.ln()).collect();
        let mean = (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp();
        panel.line(out, "fit", (level[0] as f64 + 0.5, mean), (level[1] as f64 + 0.5, mean));
    }
}

fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::Throughput => "requests a second",
        Metric::P50 => "median latency, µs",
        Metric::P99 => "99th percentile, µs",
        Metric::Cpu => "server CPU a request, µs",
    }
}
