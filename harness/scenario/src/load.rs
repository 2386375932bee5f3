//! Files and folders to cases. The only place that reads files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source};

use crate::bind::{Files, bind_source};
use crate::model::Case;

/// The folder that ids are counted from.
const SUITE: &str = "scenarios";

/// What helps where files of two folders have one id.
const APART: &str = "an id is counted from the folder `scenarios`, and where there is none from the PATH given: then one above both files tells them apart";

/// Reads files and folders (sorted by path, hidden ones left out) and binds every scenario in them.
///
/// `root` is where relative paths begin; messages show paths as they were given. A case's id is its
/// file's path below the folder named `scenarios`, or, where there is none above it, below the path
/// given, without its ending.
///
/// Cases with a mistake are left out: a caller that plays them asks [`Diagnostics::has_errors`]
/// first. A path that does not exist, or that holds no scenario, is a warning that says which; when
/// there is no error and no case, nothing can run.
pub fn load(paths: &[PathBuf], root: &Path) -> (Vec<Case>, Diagnostics) {
    let diagnostics = Diagnostics::new();
    let disk = Disk { root };
    let mut cases = Vec::new();
    let mut seen = BTreeSet::new();
    for given in paths {
        let files = match scenario_files(given, root) {
            Ok(files) => files,
            Err(error) => {
                diagnostics.push(unreadable(given, &error));
                continue;
            }
        };
        let mut found = false;
        for file in files {
            if !seen.insert(canonical(&root.join(&file))) {
                found = true;
                continue;
            }
            // Whoever names a pipe wants it read; one that lies in a folder would be waited for in vain.
            let is_special = |found: std::fs::Metadata| !found.is_file();
            if file != *given && std::fs::metadata(root.join(&file)).is_ok_and(is_special) {
                let message = format!("`{}` is no regular file", file.display());
                diagnostics.push(Diagnostic::error(message));
                continue;
            }
            match disk.read(&file) {
                Ok(text) => {
                    let source = Source::new(file.display().to_string(), text);
                    let bound =
                        bind_source(&source, &case_id(&file, given, root), &disk, &diagnostics);
                    found |= !bound.fragment;
                    cases.extend(bound.cases);
                }
                Err(error) => diagnostics.push(Diagnostic::error(format!(
                    "`{}` cannot be read: {error}",
                    file.display()
                ))),
            }
        }
        if !found {
            let message = format!("no scenario in `{}`", given.display());
            diagnostics.push(Diagnostic::warning(message));
        }
    }
    different_ids(&cases, &diagnostics);
    different_hosts(&cases, &diagnostics);
    (cases, diagnostics)
}

/// Binds one text as if it were the file at `path`; its fragments are read from beside it. The id
/// is counted as [`load`] does.
pub fn bind_text(path: &str, text: &str) -> (Vec<Case>, Diagnostics) {
    let diagnostics = Diagnostics::new();
    let file = Path::new(path);
    let source = Source::new(path, text);
    let id = case_id(file, file, Path::new(""));
    let bound = bind_source(&source, &id, &Disk { root: Path::new("") }, &diagnostics);
    different_ids(&bound.cases, &diagnostics);
    different_hosts(&bound.cases, &diagnostics);
    (bound.cases, diagnostics)
}

/// Reads from the file system.
struct Disk<'a> {
    root: &'a Path,
}

impl Files for Disk<'_> {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(self.root.join(path))
    }
}

fn unreadable(given: &Path, error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Diagnostic::warning(format!("`{}` does not exist", given.display()))
        }
        _ => Diagnostic::error(format!("`{}` cannot be read: {error}", given.display())),
    }
}

/// The scenario files at a path: itself, or those in the folder, sorted.
fn scenario_files(given: &Path, root: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(root.join(given))?.is_dir() {
        return Ok(vec![given.to_path_buf()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![given.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = folder.join(entry.file_name());
            // A link to a folder is not followed: it may lead back here.
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is_yaml(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn is_yaml(path: &Path) -> bool {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"))
}

/// The file's path below the suite, without its ending, with `/` between its parts.
fn case_id(file: &Path, given: &Path, root: &Path) -> String {
    let whole = canonical(&root.join(file)).with_extension("");
    let parts: Vec<String> = whole.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let folders = parts.len().saturating_sub(1);
    if let Some(suite) = parts[..folders].iter().rposition(|part| part == SUITE) {
        return parts[suite + 1..].join("/");
    }
    let below = file.strip_prefix(given).ok().filter(|below| below.iter().next().is_some());
    match below {
        Some(below) => {
            let below = below.with_extension("");
            let parts: Vec<_> = below.iter().map(OsStr::to_string_lossy).collect();
            parts.join("/")
        }
        None => parts.last().cloned().unwrap_or_default(),
    }
}

/// The path to give [`load`], with the root `.`, so that the case gets its id again: its file, or the folder that
/// its id is counted from.
pub fn path_of(case: &Case) -> PathBuf {
    let file = Path::new(case.source.path());
    if case_id(file, file, Path::new(".")) == case.id.file() {
        return file.to_owned();
    }
    let whole = file.with_extension("");
    match whole.to_str().and_then(|whole| whole.strip_suffix(case.id.file())) {
        Some("") => PathBuf::from("."),
        Some(folder) => PathBuf::from(folder.strip_suffix('/').unwrap_or(folder)),
        None => file.to_owned(),
    }
}

/// The path without links, or as it is where it does not exist.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

fn different_ids(cases: &[Case], diagnostics: &Diagnostics) {
    let mut ids = BTreeMap::new();
    for case in cases {
        if let Some(first) = ids.insert(&case.id, case) {
            let folder = |case: &Case| Path::new(case.source.path()).parent().map(Path::to_owned);
            let help = (folder(first) != folder(case)).then(|| APART.to_owned());
            diagnostics.push(
                Diagnostic::error(format!("two cases have the id `{}`", case.id))
                    .label(&case.span, "the second")
                    .context(&first.span, "the first")
                    .maybe_help(help),
            );
        }
    }
}

/// Two sites of one host name cannot be told apart by the target.
fn different_hosts(cases: &[Case], diagnostics: &Diagnostics) {
    let mut hosts = BTreeMap::new();
    for case in cases {
        let Some(host) = &case.site.host else { continue };
        let Some(first) = hosts.insert(host.to_ascii_lowercase(), case) else { continue };
        diagnostics.push(
            Diagnostic::error(format!("two cases have the fixed host `{host}`"))
                .label(&case.span, format!("`{}`", case.id))
                .context(&first.span, format!("`{}`", first.id))
                .help(
                    "leave `site.host` out where the name does not matter: each case gets its own",
                ),
        );
    }
}
