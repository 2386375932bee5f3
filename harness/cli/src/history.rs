//! `edgeproof history`: what became of a load's figures from run to run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use edgeproof_diagnostics::one_line;
use edgeproof_load::{Entry, History, LoadReport, Metric, trend};
use edgeproof_report::ExitCode;
use jiff::Timestamp;

use crate::args;
use crate::failure::Failure;
use crate::load::outputs;

pub(crate) fn history(arguments: &args::History) -> Result<ExitCode, Failure> {
    outputs::one_place_each(&arguments.format)?;
    let file = &arguments.file;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::read(file, &error))?;
    let entries = Entry::read(&text)
        .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    if let Some((entry, [own, first])) = Entry::of_another_load(&entries) {
        let label = entry.label.as_ref().map_or(String::new(), |label| format!(" ({label})"));
        return Err(Failure::Usage(format!(
            "{}: the run of {}{label} is {own}, and the first is {first}: one file is one load, so give each its own",
            file.display(),
            entry.at,
        )));
    }
    let is_known = |metric: &Metric| entries.iter().any(|entry| entry.has(*metric));
    let unknown = arguments.metrics.iter().find(|metric| !is_known(metric));
    if let Some(metric) = unknown.filter(|_| !entries.is_empty()) {
        let (file, metric) = (file.display(), metric.as_str());
        return Err(Failure::Usage(format!("{file}: {metric} was measured in none of its runs")));
    }
    let metrics = if arguments.metrics.is_empty() { &Metric::ALL[..] } else { &arguments.metrics };
    let accepted = arguments.accept.map(|at| format!("{at:.3}"));
    let found = History::of(&entries, arguments.margin, metrics, accepted.as_deref());
    let (human, json, charts) = (found.text(), outputs::json(&found)?, [trend(&entries, &found)]);
    let title = format!("History of {}", arguments.file.display());
    let told =
        outputs::Told { title: &title, human: &human, json: &json, charts: &charts, shots: &[] };
    told.write(&arguments.format)?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, &charts[0])
            .map_err(|error| Failure::write(&file.display().to_string(), &error))?;
    }
    Ok(match found.regressions().next() {
        Some(_) => ExitCode::Regression,
        None if found.fails() => ExitCode::Regression,
        None if entries.is_empty() => ExitCode::NothingRan,
        None => ExitCode::Good,
    })
}

/// Adds a run: a line in one write, so that two that end at once do not mix. What was stopped is no run like the others, and
/// what a generator could not keep up with is none of the server's: such a run is told, and not added.
pub(crate) fn add(
    file: &Path,
    report: &LoadReport,
    began: Timestamp,
    label: Option<&str>,
) -> Result<(), Failure> {
    let unfit = match (report.interrupted, report.is_saturated()) {
        (true, _) => Some("interrupted"),
        (_, true) => Some("the generator could not keep its schedule"),
        _ => None,
    };
    if let Some(why) = unfit {
        eprintln!("{}: the run is not added: {why}", one_line(&file.display().to_string()));
        return Ok(());
    }
    let entry = Entry::of(report, format!("{began:.3}"), label.map(str::to_owned));
    let line = entry.line().map_err(|error| Failure::Broken(error.to_string()))?;
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .map_err(|error| Failure::write(&file.display().to_string(), &error))
}
