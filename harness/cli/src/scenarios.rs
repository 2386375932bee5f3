//! `check`, `list`, `explain` and `schema`: what can be said of scenarios without playing them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Colour, Severity, did_you_mean, no_command, one_line};
use edgeproof_report::{ExitCode, Scope};
use edgeproof_scenario::Selection as Filter;
use edgeproof_scenario::model::Case;

use crate::args::{Check, Explain, List, Selection};
use crate::failure::Failure;
use crate::outputs::print;
use crate::suite::{self, Loaded};

/// The cases of some files, or all their mistakes. Warnings go to standard error.
fn cases(paths: &[PathBuf], overrides: &[PathBuf]) -> Result<Loaded, Failure> {
    let loaded = suite::load(paths, overrides);
    if loaded.diagnostics.has_errors() {
        return Err(Failure::mistakes(&loaded.diagnostics));
    }
    if !loaded.diagnostics.is_empty() {
        eprint!("{}", loaded.diagnostics.render(Colour::of(&std::io::stderr())));
    }
    Ok(loaded)
}

/// The cases that were selected; nothing is an error of its own.
pub(crate) fn selected(selection: &Selection, overrides: &[PathBuf]) -> Result<Selected, Failure> {
    for path in &selection.paths {
        let (path, _) = suite::place(path);
        if !path.exists() {
            return Err(Failure::Nothing(format!("there is nothing at {}", path.display())));
        }
    }
    let filter = selection.filter.as_deref().map(Filter::parse).transpose();
    let filter = filter.map_err(|mistake| Failure::mistakes(&(*mistake).into()))?;
    let Loaded { mut cases, mark_field, rule_ids, .. } = cases(&selection.paths, overrides)?;
    let places = selection
        .paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ");
    if cases.is_empty() {
        return Err(Failure::Nothing(format!("there is no scenario in {places}")));
    }
    let scope = scope(selection, &cases);
    let whole_suite = selection.paths.iter().any(|path| path.ends_with("scenarios"));
    let known = whole_suite.then(|| cases.iter().map(|case| case.id.0.clone()).collect());
    if let Some(filter) = &filter {
        cases.retain(|case| filter.matches(case));
        if cases.is_empty() {
            let words = selection.filter.as_deref().unwrap_or_default();
            return Err(Failure::Nothing(format!("no case in {places} fits -k '{words}'")));
        }
    }
    Ok(Selected { cases, known, scope, mark_field, rule_ids })
}

/// The places of the suite that were asked for, as ids. Tests of other formats have ids of their own.
fn scope(selection: &Selection, cases: &[Case]) -> Scope {
    if selection.filter.is_some() {
        return Scope::Below(Vec::new());
    }
    if selection.paths.iter().any(|path| suite::place(path).1) {
        return Scope::Untold;
    }
    let places = selection.paths.iter().filter_map(|path| {
        let mut found = cases.iter().filter_map(|case| {
            let below = Path::new(case.source.path()).strip_prefix(path).ok()?.with_extension("");
            let file = case.id.file();
            if below.as_os_str().is_empty() {
                return Some(file.to_owned());
            }
            // A path above the folder that ids are counted from has all of it.
            if below.ends_with(file) {
                return Some(String::new());
            }
            let folder = file.strip_suffix(below.to_str()?)?;
            Some(folder.trim_end_matches('/').to_owned())
        });
        found.next()
    });
    Scope::Below(places.collect())
}

/// What was selected.
pub(crate) struct Selected {
    pub(crate) cases: Vec<Case>,
    /// Every id of the suite, where the whole suite was read and not a part of it.
    pub(crate) known: Option<BTreeSet<String>>,
    /// What would have been played too, had it been there.
    pub(crate) scope: Scope,
    /// The field of the marks in a WAF's log, where not the usual one.
    pub(crate) mark_field: Option<String>,
    /// How rules' ids stand in a WAF's log, where not in a known way.
    pub(crate) rule_ids: Option<String>,
}

pub(crate) fn check(arguments: &Check) -> Result<ExitCode, Failure> {
    for path in &arguments.paths {
        let (path, _) = suite::place(path);
        if !path.exists() {
            return Err(Failure::Usage(format!("there is nothing at {}", path.display())));
        }
    }
    let Loaded { cases, diagnostics, .. } = suite::load(&arguments.paths, &[]);
    if !diagnostics.is_empty() {
        eprint!("{}", diagnostics.render(Colour::of(&std::io::stderr())));
    }
    if diagnostics.count(Severity::Error) > 0 {
        return Ok(ExitCode::Usage);
    }
    if cases.is_empty() {
        return Err(Failure::Nothing("there is no scenario there".to_owned()));
    }
    let count = match cases.len() {
        1 => "1 case".to_owned(),
        n => format!("{n} cases"),
    };
    let warnings = match diagnostics.count(Severity::Warning) {
        0 => String::new(),
        1 => ", 1 warning".to_owned(),
        n => format!(", {n} warnings"),
    };
    print(&format!("{count}, no mistakes{warnings}\n"))?;
    Ok(ExitCode::Good)
}

pub(crate) fn schema() -> Result<ExitCode, Failure> {
    let text = serde_json::to_string_pretty(&edgeproof_scenario::schema())
        .map_err(|error| Failure::Broken(error.to_string()))?;
    print(&(text + "\n"))?;
    Ok(ExitCode::Good)
}

pub(crate) fn list(arguments: &List) -> Result<ExitCode, Failure> {
    let Selected { cases, .. } = selected(&arguments.selection, &[])?;
    let id = cases.iter().map(|case| case.id.0.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for case in &cases {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:<id$}  {:<7}  {}  ({})",
            one_line(&case.id.0),
            case.level.as_str(),
            one_line(&case.name),
            one_line(&case.spec)
        );
    }
    print(&text)?;
    Ok(ExitCode::Good)
}

pub(crate) fn explain(arguments: &Explain) -> Result<ExitCode, Failure> {
    let as_file = Path::new(&arguments.case);
    let is_file = suite::place(as_file).0.is_file();
    let paths = if is_file { vec![as_file.to_owned()] } else { arguments.suite.clone() };
    let cases = cases(&paths, &[])?.cases;
    let wanted: Vec<&Case> = if is_file {
        cases.iter().collect()
    } else {
        let of_file = format!("{}#", arguments.case);
        cases
            .iter()
            .filter(|case| case.id.0 == arguments.case || case.id.0.starts_with(&of_file))
            .collect()
    };
    if wanted.is_empty() {
        let ids = cases.iter().map(|case| case.id.0.as_str());
        let near = did_you_mean(&arguments.case, ids);
        return Err(Failure::Usage(format!("there is no case `{}`{near}", arguments.case)));
    }
    let told: Vec<String> = wanted.into_iter().map(edgeproof_scenario::explain).collect();
    print(&no_command(&told.join("\n")))?;
    Ok(ExitCode::Good)
}
