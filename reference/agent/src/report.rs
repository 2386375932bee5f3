//! What was found, for people and for programs.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::file::{Findings, Found, Unread};
use crate::mode;

/// A form of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// MIG's lines, then what could not be looked at, then counts.
    #[default]
    Human,
    /// MIG's lines and no more.
    Mig,
    /// One object.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "human" => Ok(Self::Human),
            "mig" => Ok(Self::Mig),
            "json" => Ok(Self::Json),
            other => Err(format!("there is no format `{other}`: expected human, json or mig")),
        }
    }
}

/// A path on one line, for terminals and logs: what is not printable becomes `\xHH`, and `\` is `\\`.
pub fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                // Control characters and what turns the direction of a line are shown, not obeyed.
                hidden if is_hidden(hidden) => {
                    for octet in hidden.encode_utf8(&mut [0; 4]).bytes() {
                        let _ = write!(text, "\\x{octet:02x}");
                    }
                }
                plain => text.push(plain),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}

/// Whether a terminal would obey a character rather than show it.
pub fn is_hidden(character: char) -> bool {
    character.is_control() || is_direction(character)
}

fn is_direction(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) fn path_text(path: &Path) -> String {
    escaped(path.as_os_str().as_bytes())
}

/// MIG's line of a file found.
pub(crate) fn mig_line(found: &Found, search: &str) -> String {
    let mut line = path_text(&found.path);
    if let Some(member) = &found.member {
        let _ = write!(line, ":{}", escaped(member.as_bytes()));
    }
    let _ = write!(
        line,
        " [lastmodified:{}, mode:{}, size:{}",
        utc(found.mtime),
        mode::go(found.mode),
        found.size
    );
    if let Some(sha256) = &found.sha256 {
        let _ = write!(line, ", sha256:{sha256}");
    }
    let _ = write!(line, "] in search '{}'", escaped(search.as_bytes()));
    line
}

/// `2014-05-30 04:04:45 +0000 UTC`, or the bare seconds where no calendar has the day.
fn utc(seconds: i64) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
        Err(_) => format!("@{seconds}"),
    }
}

/// Writes the findings in a form.
pub(crate) fn write(out: &mut impl Write, findings: &Findings, format: Format) -> io::Result<()> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &json_of(findings))?;
            writeln!(out)
        }
        Format::Mig => mig(out, findings),
        Format::Human => {
            mig(out, findings)?;
            unseen(out, findings)?;
            closing(out, findings)
        }
    }
}

pub(crate) fn mig(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    for found in &findings.found {
        writeln!(out, "{}", mig_line(found, &findings.names[found.search]))?;
    }
    Ok(())
}

/// Links, what was not read, and what could not be looked at.
pub(crate) fn unseen(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    for link in &findings.links {
        let said = if link.followed { "was followed" } else { "was not followed" };
        writeln!(
            out,
            "link: {} leads to {} and {said}",
            path_text(&link.path),
            path_text(&link.target)
        )?;
    }
    for Unread { path, files } in &findings.unread {
        let path = path_text(path);
        let what = "which the kernel makes up while they are read";
        writeln!(out, "not read: {files} files of {path}, {what}; a search of {path} reads them")?;
    }
    for error in &findings.errors {
        let reason = escaped(error.reason.as_bytes());
        writeln!(out, "error: {}: {reason}", path_text(&error.path))?;
    }
    let more = findings.counts.errors - findings.errors.len() as u64;
    if more > 0 {
        writeln!(out, "error: {more} more could not be looked at")?;
    }
    if findings.expired {
        writeln!(out, "error: the time was over before everything was looked at")?;
    }
    Ok(())
}

fn closing(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let counts = findings.counts;
    let unnamed = counts.found - counts.named;
    if unnamed > 0 {
        writeln!(out, "{unnamed} more found beyond the match limit")?;
    }
    write!(
        out,
        "{} searches, {} files found; {} folders, {} files, {} of them read",
        counts.searches, counts.found, counts.folders, counts.files, counts.read
    )?;
    for (count, what) in [
        (counts.missing, "paths not there"),
        (counts.links, "links not followed"),
        (counts.errors, "errors"),
    ] {
        if count > 0 {
            write!(out, ", {count} {what}")?;
        }
    }
    writeln!(out)
}

pub(crate) fn json_of(findings: &Findings) -> Value {
    let found = findings.found.iter().map(|found| {
        let mut one = json!({
            "search": findings.names[found.search],
            "path": path_text(&found.path),
            "lastmodified": utc(found.mtime),
            "mode": mode::go(found.mode),
            "size": found.size,
        });
        if let Some(member) = &found.member {
            one["member"] = json!(escaped(member.as_bytes()));
        }
        if let Some(sha256) = &found.sha256 {
            one["sha256"] = json!(sha256);
        }
        one
    });
    let links = findings.links.iter().map(|link| {
        json!({
            "path": path_text(&link.path),
            "target": path_text(&link.target),
            "followed": link.followed,
        })
    });
    let errors = findings
        .errors
        .iter()
        .map(|error| json!({ "path": path_text(&error.path), "reason": error.reason }));
    let unread = findings
        .unread
        .iter()
        .map(|unread| json!({ "path": path_text(&unread.path), "files": unread.files }));
    let mut summary = serde_json::to_value(findings.counts).unwrap_or_default();
    summary["expired"] = json!(findings.expired);
    json!({
        "summary": summary,
        "found": found.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
        "errors": errors.collect::<Vec<_>>(),
    })
}
