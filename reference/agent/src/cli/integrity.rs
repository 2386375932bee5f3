//! `edgeproof agent integrity …`, and how the result of both kinds of manifest is said.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::run::{self, Failure, Settings};
use crate::flags::{self, Known};
use crate::integrity::{Damaged, Integrity, Packages, check_packages};
use crate::report::{Format, escaped, path_text};

const KNOWN: Known<'static> = Known {
    values: &["t", "e", "format", "nice", "memory", "package", "older", "root"],
    switches: &["idle"],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, KNOWN)?;
    if let Some(word) = others.first() {
        let text = format!("`{word}` belongs to no flag: a package is written `-package {word}`");
        return Err(Failure::Usage(text));
    }
    let mut settings = Settings::default();
    let mut packages = Packages::default();
    for flag in &given {
        match flag.name.as_str() {
            "package" => packages.names.push(flag.value.clone()),
            "older" => packages.older.push(PathBuf::from(&flag.value)),
            "root" => packages.root = PathBuf::from(&flag.value),
            _ => drop(settings.take(flag)?),
        }
    }
    let deadline = settings.start()?;
    let found =
        check_packages(&packages, deadline).map_err(|error| Failure::Usage(error.to_string()))?;
    say(&found, &settings)
}

/// Prints what was found; answers the exit code.
pub(super) fn say(found: &Integrity, settings: &Settings) -> Result<u8, Failure> {
    run::print(&match settings.format {
        Format::Json => format!("{:#}\n", json_of(found)),
        Format::Human => human(found),
        Format::Mig => lines(found),
    })?;
    Ok(found.exit_code())
}

/// A line for each file that is not what it was.
pub(crate) fn lines(found: &Integrity) -> String {
    let mut text = String::new();
    for Damaged { path, fault, package, is_conffile } in &found.damaged {
        let _ = write!(text, "{}: {fault}", path_text(path));
        if let Some(package) = package {
            let what = if *is_conffile { "configuration of" } else { "package" };
            let _ = write!(text, " ({what} {package})");
        }
        text.push('\n');
    }
    for path in &found.new {
        let _ = writeln!(text, "{}: new", path_text(path));
    }
    text
}

fn human(found: &Integrity) -> String {
    let mut text = lines(found);
    for (path, reason) in &found.troubles {
        let _ = writeln!(text, "error: {}: {}", path_text(path), escaped(reason.as_bytes()));
    }
    if found.expired {
        text.push_str("error: the time was over before everything was looked at\n");
    }
    let packages = found.packages();
    if !packages.is_empty() {
        let _ = writeln!(text, "repair: apt-get install --reinstall {}", packages.join(" "));
    }
    let (damaged, configuration) = counts(found);
    let _ = write!(text, "{} paths checked, {damaged} damaged", found.checked);
    for (count, what) in [
        (configuration, "of configuration changed"),
        (found.new.len(), "new"),
        (found.troubles.len(), "errors"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    text.push('\n');
    text
}

/// Damaged files, and configuration files that differ.
fn counts(found: &Integrity) -> (usize, usize) {
    let configuration = found.damaged.iter().filter(|damaged| damaged.is_conffile).count();
    (found.damaged.len() - configuration, configuration)
}

pub(crate) fn json_of(found: &Integrity) -> Value {
    let damaged = found.damaged.iter().map(|damaged| {
        let mut one = json!({ "path": path_text(&damaged.path), "fault": damaged.fault.name() });
        if let Some(package) = &damaged.package {
            one["package"] = json!(package);
            one["configuration"] = json!(damaged.is_conffile);
        }
        one
    });
    let new = found.new.iter().map(|path| path_text(path));
    let errors = found
        .troubles
        .iter()
        .map(|(path, reason)| json!({ "path": path_text(path), "reason": reason }));
    let (count, configuration) = counts(found);
    json!({
        "summary": {
            "checked": found.checked,
            "damaged": count,
            "configuration": configuration,
            "new": found.new.len(),
            "errors": found.troubles.len(),
            "expired": found.expired,
        },
        "damaged": damaged.collect::<Vec<_>>(),
        "new": new.collect::<Vec<_>>(),
        "packages": found.packages(),
        "errors": errors.collect::<Vec<_>>(),
    })
}
