//! The report for people: `ApacheBench`'s own figures under its own names, and what it does not measure.

use std::fmt::Write as _;

use crate::figures::{Latency, LoadReport, OpenLoop, Shot};
use crate::plan::LoadError;

/// The steps of ab's table.
const PERCENTILES: [(f64, &str); 9] = [
    (0.50, " 50%"),
    (0.66, " 66%"),
    (0.75, " 75%"),
    (0.80, " 80%"),
    (0.90, " 90%"),
    (0.95, " 95%"),
    (0.98, " 98%"),
    (0.99, " 99%"),
    (0.999, "99.9%"),
];

/// What was loaded, for the report's head.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The server's name or address.
    pub host: String,
    /// Its port, or the unix socket's path.
    pub port: String,
    /// What was asked for.
    pub paths: Vec<String>,
}

/// Writes it.
///
/// # Errors
/// When the report's histogram cannot be read.
pub fn ab(report: &LoadReport, subject: &Subject) -> Result<String, LoadError> {
    let mut out = String::new();
    head(&mut out, report, subject);
    counts(&mut out, &report.total);
    rates(&mut out, &report.total);
    if let Some(open) = &report.total.open {
        schedule(&mut out, open, &report.total);
    }
    times(&mut out, &report.total);
    percentiles(&mut out, &report.total)?;
    if report.shots.len() > 1 {
        shots(&mut out, &report.shots);
    }
    Ok(out)
}

fn line(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{:<24}{value}", format!("{name}:"));
}

fn head(out: &mut String, report: &LoadReport, subject: &Subject) {
    if report.interrupted {
        out.push_str("Interrupted: this is what was measured until then.\n\n");
    }
    line(out, "Server Hostname", &subject.host);
    line(out, "Server Port", &subject.port);
    match subject.paths.as_slice() {
        [path] => line(out, "Document Path", path),
        paths => line(out, "Document Path", &format!("{} of {} paths", paths[0], paths.len())),
    }
    out.push('\n');
    let total = &report.total;
    line(out, "Concurrency Level", &total.clients().to_string());
    if total.streams > 1 {
        let (connections, streams) = (total.connections, total.streams);
        line(out, "HTTP/2 streams", &format!("{streams} on each of {connections} connections"));
    }
    if total.think_s > 0.0 {
        line(
            out,
            "Think time",
            &format!("{:.3} seconds (mean) before each request", total.think_s),
        );
    }
}

fn counts(out: &mut String, shot: &Shot) {
    line(out, "Time taken for tests", &format!("{:.3} seconds", shot.duration_s));
    line(out, "Complete requests", &shot.requests.to_string());
    line(out, "Failed requests", &shot.errors.to_string());
    if shot.errors > 0 {
        let kinds = shot.error_kinds;
        let _ = writeln!(
            out,
            "   (Connect: {}, Receive: {}, Malformed: {}, Lengths: {}, Surplus: {}, Timeout: {}, Unexpected: {})",
            kinds.connect,
            kinds.receive,
            kinds.malformed,
            kinds.lengths,
            kinds.surplus,
            kinds.timeout,
            kinds.unexpected
        );
        if let Some(first) = &shot.first_error {
            let _ = writeln!(out, "   (The first: {first})");
        }
    }
    line(out, "Non-2xx responses", &shot.non_2xx.to_string());
    if shot.retried > 0 {
        line(out, "Sent again", &format!("{} (their connections ended)", shot.retried));
    }
    if shot.unfinished > 0 {
        line(out, "Unfinished requests", &shot.unfinished.to_string());
    }
    line(out, "Total transferred", &format!("{} bytes", shot.bytes));
}

fn rates(out: &mut String, shot: &Shot) {
    line(out, "Requests per second", &format!("{:.2} [#/sec] (mean)", shot.rps));
    line(out, "Time per request", &format!("{:.3} [ms] (mean)", shot.mean_us / 1e3));
    let across =
        format!("{:.3} [ms] (mean, across all concurrent requests)", shot.mean_across_all_us / 1e3);
    line(out, "Time per request", &across);
    let kilobytes =
        if shot.duration_s > 0.0 { shot.bytes as f64 / 1024.0 / shot.duration_s } else { 0.0 };
    line(out, "Transfer rate", &format!("{kilobytes:.2} [Kbytes/sec] received"));
    let cpu = format!("{:.2} [us] per request", shot.generator_cpu_us_per_request);
    line(out, "Generator CPU", &cpu);
    if let Some(cpu) = shot.server_cpu_us_per_request() {
        line(out, "Server CPU", &format!("{cpu:.2} [us] per request"));
    }
    if shot.server_gone {
        line(out, "Server CPU", "not known: its process ended under the load");
    }
}

fn schedule(out: &mut String, open: &OpenLoop, shot: &Shot) {
    out.push_str("\nOpen loop: latencies count from the moment that was planned\n");
    line(out, "Offered rate", &format!("{:.2} [#/sec] (mean)", open.offered_rps));
    line(out, "Waited for connection", &format!("{} requests", open.waited));
    let lag = format!(
        "{} requests more than 1 ms (p50 {:.3}, p99.9 {:.3}, max {:.3} [ms])",
        open.late_sends,
        open.send_lag_us.p50 as f64 / 1e3,
        open.send_lag_us.p999 as f64 / 1e3,
        open.send_lag_us.max as f64 / 1e3,
    );
    line(out, "Generator was late", &lag);
    let both = format!(
        "{:.3} [ms] from the plan, {:.3} [ms] from the real sending",
        shot.latency_us.p99 as f64 / 1e3,
        open.uncorrected_latency_us.p99 as f64 / 1e3,
    );
    line(out, "99%", &both);
    if open.saturated {
        out.push_str(
            "The generator could not keep its own schedule: these figures decide nothing.\n",
        );
    }
}

fn times(out: &mut String, shot: &Shot) {
    out.push_str("\nConnection Times (ms)\n              mean       50%       90%       99%     99.9%       max\n");
    let rows = [
        ("Connect:", shot.connect_us),
        ("First byte:", shot.first_byte_us),
        ("Total:", Some(shot.latency_us).filter(|_| shot.requests > 0)),
    ];
    for (name, latency) in rows {
        let Some(Latency { mean, p50, p90, p99, p999, max }) = latency else { continue };
        let _ = write!(out, "{name:<12}{:>6.2}", mean / 1e3);
        for value in [p50, p90, p99, p999, max] {
            let _ = write!(out, "{:>10.2}", value as f64 / 1e3);
        }
        out.push('\n');
    }
}

fn percentiles(out: &mut String, shot: &Shot) -> Result<(), LoadError> {
    if shot.requests == 0 {
        return Ok(());
    }
    let latencies = shot.latencies()?;
    out.push_str("\nPercentage of the requests served within a certain time (ms)\n");
    for (quantile, name) in PERCENTILES {
        let at = latencies.value_at_quantile(quantile) as f64 / 1e3;
        let _ = writeln!(out, " {name:>5}{at:>10.2}");
    }
    let longest = latencies.max() as f64 / 1e3;
    let _ = writeln!(out, " {:>5}{longest:>10.2} (longest request)", "100%");
    Ok(())
}

fn shots(out: &mut String, shots: &[Shot]) {
    out.push_str("\nShot  Requests  Requests/s   mean ms    p50 ms    p99 ms  Failed  Non-2xx\n");
    for (number, shot) in shots.iter().enumerate() {
        let _ = writeln!(
            out,
            "{:>4}{:>10}{:>12.2}{:>10.3}{:>10.3}{:>10.3}{:>8}{:>9}",
            number + 1,
            shot.requests,
            shot.rps,
            shot.mean_across_all_us / 1e3,
            shot.latency_us.p50 as f64 / 1e3,
            shot.latency_us.p99 as f64 / 1e3,
            shot.errors,
            shot.non_2xx,
        );
    }
}
