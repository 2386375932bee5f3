//! `edgeproof agent sshd …`

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::run::{self, Failure, Settings};
use crate::flags::{self, Known};
use crate::report::{Format, escaped, path_text};
use crate::sshd::{Examined, Inquiry, NoSshd, Source, SshdFindings, Weakness, assert_sshd};

const KNOWN: Known<'static> = Known {
    values: &["t", "e", "format", "nice", "memory", "f", "sshd", "pid", "passwd", "group", "level"],
    switches: &["idle"],
};

pub(crate) fn run(words: &[String]) -> Result<u8, Failure> {
    let (given, others) = flags::read(words, KNOWN)?;
    if let Some(word) = others.first() {
        let text = format!("`{word}` belongs to no flag: a configuration is written `-f {word}`");
        return Err(Failure::Usage(text));
    }
    let mut settings = Settings::default();
    let mut inquiry = Inquiry::default();
    for flag in &given {
        let file = || PathBuf::from(&flag.value);
        match flag.name.as_str() {
            "f" => inquiry.config = Some(file()),
            "sshd" => inquiry.program = Some(file()),
            "passwd" => inquiry.passwd = file(),
            "group" => inquiry.group = file(),
            "pid" => inquiry.pid = Some(flag.number()?),
            "level" => {
                let wrong = |reason| Failure::Usage(format!("-level: {reason}"));
                inquiry.level = flag.value.parse().map_err(wrong)?;
            }
            _ => drop(settings.take(flag)?),
        }
    }
    let deadline = settings.start()?;
    let found = match assert_sshd(&inquiry, deadline) {
        Ok(found) => found,
        Err(none @ (NoSshd::Daemon(..) | NoSshd::Program(..))) => {
            eprintln!("error: {none}");
            return Ok(4);
        }
        Err(wrong) => return Err(Failure::Usage(wrong.to_string())),
    };
    run::print(&match settings.format {
        Format::Json => format!("{:#}\n", json_of(&found)),
        Format::Human => human(&found),
        Format::Mig => lines(&found),
    })?;
    Ok(found.exit_code())
}

/// Which sshd: several may run.
fn name(server: &Examined) -> String {
    match server.pid {
        Some(pid) => format!("sshd[{pid}]"),
        None => "sshd".to_owned(),
    }
}

/// A line for each weakness.
pub(crate) fn lines(found: &SshdFindings) -> String {
    let mut text = String::new();
    for server in &found.servers {
        for Weakness { level, directive, value, wanted, source, of } in &server.weaknesses {
            let (level, value) = (level.name(), escaped(value.as_bytes()));
            let _ = write!(text, "{} {level}: {directive} {value}", name(server));
            let _ = write!(text, "{}", of_whom(of));
            let _ = writeln!(text, "; wanted: {wanted} ({source})");
        }
    }
    text
}

/// Of many the first few.
fn of_whom(of: &[String]) -> String {
    const NAMED: usize = 5;
    let named = of[..of.len().min(NAMED)].join(", ");
    let named = escaped(named.as_bytes());
    match of.len() {
        0 => String::new(),
        1..=NAMED => format!(" for {named}"),
        all => format!(" for {named} and {} more", all - NAMED),
    }
}

/// A line for each thing that could not be looked at.
pub(crate) fn errors(found: &SshdFindings) -> String {
    let mut text = String::new();
    for (path, reason) in &found.troubles {
        let _ = writeln!(text, "error: {}: {}", path_text(path), escaped(reason.as_bytes()));
    }
    if found.expired {
        text.push_str("error: the time was over before everything was looked at\n");
    }
    text
}

fn human(found: &SshdFindings) -> String {
    let mut text = lines(found);
    for server in &found.servers {
        for note in &server.notes {
            let _ = writeln!(text, "note: {note}");
        }
    }
    text += &errors(found);
    for server in &found.servers {
        let _ = writeln!(
            text,
            "{}: {} of {}, asked about {} connections",
            name(server),
            path_text(&server.program),
            path_text(&server.config),
            server.connections
        );
    }
    let errors = found.troubles.len();
    let _ = writeln!(text, "{} found, {errors} errors", found.count());
    text
}

pub(crate) fn json_of(found: &SshdFindings) -> Value {
    let weakness = |weakness: &Weakness| {
        let line = match &weakness.source {
            Source::Line(_, line) => Some(*line),
            _ => None,
        };
        let of: Vec<String> = weakness.of.iter().map(|name| escaped(name.as_bytes())).collect();
        json!({
            "level": weakness.level.name(),
            "directive": weakness.directive,
            "value": escaped(weakness.value.as_bytes()),
            "wanted": weakness.wanted,
            "source": weakness.source.to_string(),
            "path": weakness.source.file().map(path_text),
            "line": line,
            "of": of,
        })
    };
    let servers = found.servers.iter().map(|server| {
        json!({
            "pid": server.pid,
            "program": path_text(&server.program),
            "config": path_text(&server.config),
            "connections": server.connections,
            "found": server.weaknesses.iter().map(weakness).collect::<Vec<_>>(),
            "notes": server.notes,
        })
    });
    let errors = found
        .troubles
        .iter()
        .map(|(path, reason)| json!({ "path": path_text(path), "reason": reason }));
    json!({
        "summary": {
            "servers": found.servers.len(),
            "found": found.count(),
            "errors": found.troubles.len(),
            "expired": found.expired,
        },
        "servers": servers.collect::<Vec<_>>(),
        "errors": errors.collect::<Vec<_>>(),
    })
}
