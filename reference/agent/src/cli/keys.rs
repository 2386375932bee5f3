//! `edgeproof agent keys …`

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::run::{self, Failure, Settings};
use crate::flags::{self, Known};
use crate::keys::{Allowed, KeyFindings, Scope, Strange, assert_keys};
use crate::report::{Format, escaped, path_text};

const KNOWN: Known<'static> = Known {
    values: &["t", "e", "format", "nice", "memory", "allowed", "passwd", "root", "sshd-config"],
    switches: &["idle", "peruser"],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, KNOWN)?;
    let mut settings = Settings::default();
    let mut scope = Scope::default();
    let mut allowed = None;
    for flag in &given {
        let file = || PathBuf::from(&flag.value);
        match flag.name.as_str() {
            "allowed" => allowed = Some(file()),
            "passwd" => scope.passwd = file(),
            "root" => scope.root = file(),
            "sshd-config" => scope.sshd_config = file(),
            "peruser" => scope.by_user = flag.is_on()?,
            _ => drop(settings.take(flag)?),
        }
    }
    let Some(list) = allowed.filter(|_| others.is_empty()) else {
        let text = "which keys are allowed? Expected `--allowed FILE` and flags only".to_owned();
        return Err(Failure::Usage(text));
    };
    let deadline = settings.start()?;
    let wrong =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", list.display()));
    let text = std::fs::read(&list).map_err(|error| wrong(&error))?;
    let allowed = Allowed::read(&text).map_err(|error| wrong(&error))?;
    if scope.by_user {
        allowed.by_user().map_err(|error| wrong(&error))?;
    }
    let findings = assert_keys(&scope, &allowed, deadline)
        .map_err(|error| Failure::Usage(format!("the accounts cannot be read: {error}")))?;
    run::print(&match settings.format {
        Format::Json => format!("{:#}\n", json_of(&findings)),
        Format::Human | Format::Mig => human(&findings),
    })?;
    Ok(findings.exit_code())
}

fn user_of(strange: &Strange) -> &str {
    strange.user.as_deref().unwrap_or("every user")
}

/// A line for each key that is not allowed.
pub(crate) fn lines(findings: &KeyFindings) -> String {
    let mut text = String::new();
    for strange in &findings.strange {
        let authority = if strange.is_authority { ", which signs certificates," } else { "" };
        let _ = writeln!(
            text,
            "{}: {}{authority} is not allowed: {} line {}",
            escaped(user_of(strange).as_bytes()),
            strange.key,
            path_text(&strange.file),
            strange.line
        );
    }
    text
}

fn human(findings: &KeyFindings) -> String {
    let mut text = lines(findings);
    for (path, reason) in &findings.troubles {
        let _ = writeln!(text, "error: {}: {}", path_text(path), escaped(reason.as_bytes()));
    }
    if findings.expired {
        text.push_str("error: the time was over before everything was looked at\n");
    }
    let KeyFindings { strange, allowed, accounts, files, troubles, expired: _ } = findings;
    let _ = writeln!(
        text,
        "{accounts} accounts, {files} files of keys, {allowed} keys allowed, {} not, {} errors",
        strange.len(),
        troubles.len()
    );
    text
}

pub(crate) fn json_of(findings: &KeyFindings) -> Value {
    let strange = findings.strange.iter().map(|strange| {
        json!({
            "user": strange.user,
            "fingerprint": strange.key.fingerprint(),
            "type": strange.key.type_name(),
            "certificate_authority": strange.is_authority,
            "path": path_text(&strange.file),
            "line": strange.line,
        })
    });
    let errors = findings
        .troubles
        .iter()
        .map(|(path, reason)| json!({ "path": path_text(path), "reason": reason }));
    json!({
        "summary": {
            "accounts": findings.accounts,
            "files": findings.files,
            "allowed": findings.allowed,
            "not_allowed": findings.strange.len(),
            "errors": findings.troubles.len(),
            "expired": findings.expired,
        },
        "not_allowed": strange.collect::<Vec<_>>(),
        "errors": errors.collect::<Vec<_>>(),
    })
}
