//! A match as a line of ModSecurity's error log.

use super::escape;
use super::outcome::{Did, Match};

/// How much of `logdata` a line has, in bytes.
const DATA: usize = 512;

impl Match {
    /// The line: what the rule did, then its metadata in brackets, as tools for ModSecurity's log
    /// expect it. Everything that is no printable ASCII is escaped; `data` beyond 512 bytes is cut.
    #[must_use]
    pub fn native_line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(512);
        line.extend_from_slice(self.headline().as_bytes());
        line.extend_from_slice(b" Match of ");
        escape::quoted(&self.variable, &mut line);
        line.push(b'.');
        field(&mut line, "file", self.file.as_bytes());
        field(&mut line, "line", self.line.to_string().as_bytes());
        field(&mut line, "id", self.rule.to_string().as_bytes());
        if let Some(rev) = &self.rev {
            field(&mut line, "rev", rev.as_bytes());
        }
        if !self.message.is_empty() {
            field(&mut line, "msg", &self.message);
        }
        if !self.data.is_empty() {
            field(&mut line, "data", &self.data[..self.data.len().min(DATA)]);
        }
        if let Some(severity) = self.severity {
            field(&mut line, "severity", severity.name().as_bytes());
        }
        if let Some(ver) = &self.ver {
            field(&mut line, "ver", ver.as_bytes());
        }
        for (name, number) in [("maturity", self.maturity), ("accuracy", self.accuracy)] {
            if let Some(number) = number {
                field(&mut line, name, number.to_string().as_bytes());
            }
        }
        for tag in &self.tags {
            field(&mut line, "tag", tag);
        }
        line
    }

    fn headline(&self) -> String {
        let phase = self.phase.number();
        match self.did {
            Did::Warn => "Warning.".to_owned(),
            Did::Deny(status) => format!("Access denied with code {status} (phase {phase})."),
            Did::Drop => format!("Access denied with connection close (phase {phase})."),
            Did::Redirect(status) => {
                format!("Access denied with redirection using status {status} (phase {phase}).")
            }
            Did::Allow => format!("Access allowed (phase {phase})."),
        }
    }
}

fn field(line: &mut Vec<u8>, name: &str, value: &[u8]) {
    line.extend_from_slice(b" [");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b" \"");
    escape::quoted(value, line);
    line.extend_from_slice(b"\"]");
}
