//! `edgeproof import`: scenarios from what others wrote.

use std::fs;
use std::path::Path;

use edgeproof_diagnostics::Colour;
use edgeproof_report::ExitCode;
use edgeproof_scenario::Selection;
use edgeproof_scenario::model::Case;
use edgeproof_workbench::{ftw, import};

use crate::args::{Import, ImportFtw};
use crate::failure::Failure;
use crate::outputs::print;

pub(crate) fn import_from(arguments: &Import) -> Result<ExitCode, Failure> {
    match arguments {
        Import::Ftw(arguments) => import_ftw(arguments),
    }
}

fn import_ftw(arguments: &ImportFtw) -> Result<ExitCode, Failure> {
    let filter = arguments.filter.as_deref().map(Selection::parse).transpose();
    let filter = filter.map_err(|mistake| Failure::mistakes(&(*mistake).into()))?;
    let (suite, diagnostics) = ftw::load(&arguments.files, &[]);
    if diagnostics.has_errors() {
        return Err(Failure::mistakes(&diagnostics));
    }
    if !diagnostics.is_empty() {
        eprint!("{}", diagnostics.render(Colour::of(&std::io::stderr())));
    }
    let mut cases = suite.cases;
    cases.retain(|case| filter.as_ref().is_none_or(|filter| filter.matches(case)));
    if cases.is_empty() {
        return Err(Failure::Nothing("there is no such test there".to_owned()));
    }
    match &arguments.into {
        None => print(&told(&cases))?,
        Some(folder) => write_each(&cases, folder)?,
    }
    Ok(ExitCode::Good)
}

/// The scenario's text; what it leaves out goes to standard error.
fn told(cases: &[Case]) -> String {
    let imported = import(cases);
    for what in &imported.left_out {
        eprintln!("note: left out of {what}");
    }
    imported.text
}

/// A scenario file for each file of tests. None is written over.
fn write_each(cases: &[Case], folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::write(&folder.display().to_string(), &error))?;
    let of_files = cases.chunk_by(|one, other| one.source.path() == other.source.path());
    for cases in of_files {
        let source = Path::new(cases[0].source.path());
        let file = folder.join(source.file_stem().unwrap_or_default()).with_extension("yaml");
        let written = fs::OpenOptions::new().write(true).create_new(true).open(&file);
        let written = written.and_then(|mut file| {
            use std::io::Write;
            file.write_all(told(cases).as_bytes())
        });
        written.map_err(|error| Failure::write(&file.display().to_string(), &error))?;
        eprintln!("{}: {} cases", file.display(), cases.len());
    }
    Ok(())
}
