//! Files and folders of ftw tests to cases. The only place that reads files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Node, Source, Span, parse};
use edgeproof_scenario::model::{Case, CaseId};

use super::case::case;
use super::model::Test;
use super::overrides::{Overrides, Settings};
use super::read::Reader;

/// What a run of ftw tests needs.
#[derive(Debug, Default)]
pub struct Suite {
    /// The cases in the order of their files.
    pub cases: Vec<Case>,
    /// The field of the marks in the WAF's log, where an overrides file names another than the usual one.
    pub mark_field: Option<String>,
    /// How ids of rules stand in the WAF's log, where an overrides file says it.
    pub rule_ids: Option<String>,
}

/// The tests of one file.
struct TestFile {
    path: PathBuf,
    /// The path as it was given on the way to it.
    given: PathBuf,
    tests: Vec<Test>,
}

/// Reads files and folders (sorted by path, hidden ones left out) of ftw tests, and applies the overrides.
///
/// A case's id is `ftw/FILE/TEST`: the file's name without its ending (with the folders above it, where
/// two files have one name) and the test's number. Mistakes of all files go to the diagnostics; a caller that
/// plays the cases asks [`Diagnostics::has_errors`] first. A file in a folder that is no ftw file is passed
/// over with a warning; one without anything in it, silently.
pub fn load(paths: &[PathBuf], overrides: &[PathBuf]) -> (Suite, Diagnostics) {
    let diagnostics = Diagnostics::new();
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for given in paths {
        let found = match test_files(given) {
            Ok(found) => found,
            Err(error) => {
                diagnostics.push(unreadable(given, &error));
                continue;
            }
        };
        let before = files.len();
        for path in found {
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                files.extend(file(&path, given, &diagnostics));
            }
        }
        if files.len() == before && !diagnostics.has_errors() {
            let message = format!("there is no ftw test in `{}`", given.display());
            diagnostics.push(Diagnostic::warning(message));
        }
    }
    let mut settings = Settings::default();
    for path in overrides {
        let read = read(path, &diagnostics).and_then(|source| {
            let node = parse(&source, &diagnostics)?;
            Overrides::read(&source, &node, &diagnostics)
        });
        if let Some(overrides) = read {
            let tests = files.iter_mut().flat_map(|file| &mut file.tests);
            overrides.apply(tests.collect(), &mut settings, &diagnostics);
        }
    }
    let cases = cases(&files, &diagnostics);
    let Settings { mark_field, rule_ids } = settings;
    (Suite { cases, mark_field, rule_ids }, diagnostics)
}

/// The tests of a file; `None` where it is none, which is said unless the file is empty.
fn file(path: &Path, given: &Path, diagnostics: &Diagnostics) -> Option<TestFile> {
    let source = read(path, diagnostics)?;
    let node = parse(&source, diagnostics)?;
    let reader = Reader { source: &source, diagnostics };
    let tests = reader.file(&node);
    if tests.is_none() {
        not_a_test(path, given, &node, diagnostics);
    }
    Some(TestFile { path: path.to_owned(), given: given.to_owned(), tests: tests? })
}

fn not_a_test(path: &Path, given: &Path, node: &Node, diagnostics: &Diagnostics) {
    let named = path == given;
    // What is commented out, or lies beside the tests for their player.
    let expected = node.is_null() || node.get("test_overrides").is_some();
    if expected && !named {
        return;
    }
    let message = format!("`{}` has no `tests`: it is no ftw file", path.display());
    diagnostics.push(match named {
        true => Diagnostic::error(message),
        false => Diagnostic::warning(message).help("it is left out"),
    });
}

fn read(path: &Path, diagnostics: &Diagnostics) -> Option<Source> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(Source::new(path.display().to_string(), text)),
        Err(error) => {
            diagnostics.push(unreadable(path, &error));
            None
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("`{}` cannot be read: {error}", path.display()))
}

/// The file itself, or those in the folder, sorted.
fn test_files(given: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(given)?.is_dir() {
        return Ok(vec![given.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![given.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // A link to a folder is not followed: it may lead back here.
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if entry.path().extension().is_some_and(|it| it == "yaml" || it == "yml") {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The cases of all files. Published suites have tests of one id; players of the format play both, and so is
/// it here, with a warning and an id that says which of them it is.
fn cases(files: &[TestFile], diagnostics: &Diagnostics) -> Vec<Case> {
    let mut stems: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        *stems.entry(stem(&file.path)).or_default() += 1;
    }
    let mut cases = Vec::new();
    for file in files {
        let stem = stem(&file.path);
        let name = if stems[&stem] > 1 { below(&file.path, &file.given) } else { stem };
        cases.extend(file.tests.iter().map(|test| case(test, &name)));
    }
    let mut first: BTreeMap<CaseId, Span> = BTreeMap::new();
    for case in &mut cases {
        let written = case.id.clone();
        let mut number = 1;
        while let Some(before) = first.get(&case.id) {
            if number == 1 {
                let warning = Diagnostic::warning(format!("two tests have the id `{written}`"));
                let warning = warning.label(&case.span, "the second");
                diagnostics.push(warning.context(before, "the first"));
            }
            number += 1;
            case.id = CaseId(format!("{written}-{number}"));
        }
        first.insert(case.id.clone(), case.span.clone());
    }
    cases
}

/// The name without its ending.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace(|c: char| c.is_whitespace() || c == '#', "-")
}

/// The path below the folder given, with its ending, since files of one name may differ only there.
fn below(path: &Path, given: &Path) -> String {
    let below = path.strip_prefix(given).ok().filter(|below| below.iter().next().is_some());
    let below = below.unwrap_or(path);
    let parts: Vec<String> = below
        .iter()
        .map(|part| part.to_string_lossy().replace(|c: char| c.is_whitespace() || c == '#', "-"))
        .filter(|part| part != "/")
        .collect();
    parts.join("/")
}
