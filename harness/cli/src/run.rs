//! `edgeproof run`.

use std::collections::BTreeSet;
use std::path::Path;

use edgeproof_diagnostics::did_you_mean;
use edgeproof_report::{ExitCode, Summary, exit_code};
use edgeproof_runner::RunOptions;
use edgeproof_runner::event::Event;
use edgeproof_scenario::model::{Case, CaseId};
use edgeproof_target::TargetSpec;

use crate::args::Run;
use crate::failure::Failure;
use crate::outputs::Outputs;
use crate::{outputs, scenarios, targets};

pub(crate) fn run(arguments: &Run) -> Result<ExitCode, Failure> {
    let Prepared { asked, selected, mut outputs } = prepared(arguments)
        .inspect_err(|_| outputs::withdraw(&arguments.format, arguments.baseline.as_deref()))?;
    let scenarios::Selected { cases, known, mark_field, rule_ids, .. } = selected;
    let defaults = RunOptions::default();
    let options = RunOptions {
        jobs: usize::from(arguments.jobs),
        repeat: usize::from(arguments.repeat),
        require: asked.iter().filter(|a| a.required).map(|a| a.spec.name.clone()).collect(),
        origin_listen: arguments.origin_listen,
        allow_remote: arguments.allow_remote,
        show_secrets: arguments.show_secrets,
        keep_failed: !arguments.discard,
        tool: concat!("edgeproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        mark_field: mark_field.unwrap_or(defaults.mark_field),
        rule_ids,
        settings: arguments.site.clone(),
        every_step: arguments.every_step,
        foreign_words: foreign_words(arguments),
        ..RunOptions::default()
    };
    let specs: Vec<TargetSpec> = asked.into_iter().map(|a| a.spec).collect();
    match &known {
        Some(known) => warn_of_dead_entries(&specs, known),
        None => warn_of_other_names(&specs, &cases),
    }

    // A report that cannot be written does not stop the run half-way; it is said at the end.
    let mut trouble = None;
    let mut unavailable = Vec::new();
    edgeproof_runner::run(&cases, &specs, &options, &mut |event| {
        if let Event::TargetUnavailable { target, reason, .. } = &event {
            unavailable.push(format!("{target} is not available: {reason}"));
        }
        if let Err(failure) = outputs.event(&event) {
            trouble.get_or_insert(failure);
        }
    })
    .map_err(|error| Failure::Broken(error.to_string()))?;
    let summary = outputs.finish(arguments.level)?;
    match trouble {
        Some(failure) => Err(failure),
        None => Ok(judged(&summary, arguments, &unavailable)),
    }
}

/// All that a run needs before it plays.
struct Prepared {
    asked: Vec<targets::Asked>,
    selected: scenarios::Selected,
    outputs: Outputs,
}

fn prepared(arguments: &Run) -> Result<Prepared, Failure> {
    let asked = targets::asked(arguments)?;
    let selected = scenarios::selected(&arguments.selection, &arguments.ftw_overrides)?;
    for setting in &arguments.site {
        if !selected.cases.iter().any(|case| setting.concerns(&case.site)) {
            let message = format!("--site {setting} changes nothing: no case asks for a WAF");
            return Err(Failure::Usage(message));
        }
    }
    let baseline = arguments.baseline.as_deref().map(outputs::read_baseline).transpose()?;
    let baseline = baseline.map(|baseline| baseline.within(selected.scope.clone()));
    let outputs = Outputs::open(&arguments.format, arguments.level, baseline)?;
    Ok(Prepared { asked, selected, outputs })
}

/// What of the command line tests of another format depend on.
fn foreign_words(arguments: &Run) -> Vec<String> {
    let overrides = arguments.ftw_overrides.iter().map(|file| file.display().to_string());
    overrides.flat_map(|file| ["--ftw-overrides".to_owned(), file]).collect()
}

/// A known failure of a case that the suite does not have: renamed, misspelt, or a whole family. It excuses nothing.
/// Tests of other formats are not in this project.
fn warn_of_dead_entries(specs: &[TargetSpec], known: &BTreeSet<String>) {
    for spec in specs {
        let foreign = format!("{}/", edgeproof_workbench::ftw::FAMILY);
        let dead = |case: &str| !known.contains(case) && !case.starts_with(&foreign);
        for entry in spec.known_failures.entries().iter().filter(|entry| dead(&entry.case)) {
            let is_family = known.iter().any(|id| CaseId(id.clone()).family() == entry.case);
            let what = match is_family {
                true => "which is a family, and no case: list its cases one by one".to_owned(),
                false => {
                    let near = did_you_mean(&entry.case, known.iter().map(String::as_str));
                    format!("which is no case{near}")
                }
            };
            eprintln!("warning: {} lists a known failure of `{}`, {what}", spec.name, entry.case);
        }
    }
}

/// A known failure of a case that has another id here, as the suite was not given from its top. It excuses nothing.
fn warn_of_other_names(specs: &[TargetSpec], cases: &[Case]) {
    for spec in specs {
        for entry in spec.known_failures.entries() {
            let listed = CaseId(entry.case.clone());
            // The file's own id, or where it has several cases, that and the case's.
            let of_file = [Some(Path::new(listed.file())), Path::new(listed.file()).parent()];
            let is_it = |case: &&Case| {
                let longer = entry.case.strip_suffix(case.id.0.as_str());
                let file = Path::new(case.source.path()).with_extension("");
                longer.is_some_and(|before| before.ends_with('/'))
                    && of_file.into_iter().flatten().any(|id| file.ends_with(id))
            };
            if let Some(case) = cases.iter().find(is_it) {
                eprintln!(
                    "warning: {} lists a known failure of `{listed}`, which is `{}` here: where no folder `scenarios` is \
                     above it, an id is counted from the PATH given",
                    spec.name, case.id
                );
            }
        }
    }
}

/// The exit code; where it is about what did not run, standard error says why, whatever the format.
fn judged(summary: &Summary, arguments: &Run, unavailable: &[String]) -> ExitCode {
    let code = exit_code(summary, arguments.level);
    if code == ExitCode::NothingRan {
        eprintln!("error: nothing ran: no case could be played on any target that was asked for");
    }
    if matches!(code, ExitCode::NothingRan | ExitCode::TargetNotStarted) {
        for why in unavailable {
            eprintln!("note: {why}");
        }
    }
    code
}
