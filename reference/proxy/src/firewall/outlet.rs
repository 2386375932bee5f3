//! Where a firewall writes: a line for each match, a JSON object for each transaction.

use std::cell::RefCell;
use std::sync::Arc;

use edgeproof_accesslog::{Dialect, Format, Record, Writer, put_escaped};
use edgeproof_waf::Match;

use crate::settings::WafLogFormat;

/// The firewall's files.
pub(crate) struct Outlet {
    log: Option<Arc<Writer>>,
    audit: Option<Arc<Writer>>,
    form: WafLogFormat,
    /// What stands before a match.
    prefix: Format,
}

impl Outlet {
    pub(crate) fn new(
        log: Option<Arc<Writer>>,
        form: WafLogFormat,
        audit: Option<Arc<Writer>>,
    ) -> Self {
        let prefix = match form {
            WafLogFormat::Short => "[{completion_date}] [waf] - {client_ip} \"{request}\" - ",
            WafLogFormat::ModSecurity => "[{completion_date}] [client {client_ip}] ModSecurity: ",
        };
        let prefix = Format::compile(prefix, Dialect::Current);
        let Ok(prefix) = prefix else { unreachable!("it is one text, and it compiles") };
        Self { log, audit, form, prefix }
    }

    /// The files, each with its writer.
    pub(crate) fn writers(&self) -> impl Iterator<Item = &Arc<Writer>> {
        self.log.iter().chain(&self.audit)
    }

    pub(super) fn has_log(&self) -> bool {
        self.log.is_some()
    }

    pub(super) fn audit(&self) -> Option<&Writer> {
        self.audit.as_deref()
    }

    /// Writes a line for each match, all in one piece.
    pub(super) fn write<'m>(&self, record: &Record<'_>, matches: impl Iterator<Item = &'m Match>) {
        thread_local! {
            static LINES: RefCell<(Vec<u8>, Vec<u8>)> = const { RefCell::new((Vec::new(), Vec::new())) };
        }
        let Some(log) = &self.log else { return };
        LINES.with_borrow_mut(|(prefix, lines)| {
            prefix.clear();
            lines.clear();
            self.prefix.write(record, prefix);
            prefix.pop();
            for one in matches {
                lines.extend_from_slice(prefix);
                match self.form {
                    WafLogFormat::Short => put_short(one, lines),
                    WafLogFormat::ModSecurity => put_native(one, record, lines),
                }
                lines.push(b'\n');
            }
            if !lines.is_empty() {
                log.write(lines);
            }
        });
    }
}

/// `941100 | XSS Attack Detected via libinjection with value: ...`
fn put_short(one: &Match, line: &mut Vec<u8>) {
    line.extend_from_slice(itoa::Buffer::new().format(one.rule).as_bytes());
    line.extend_from_slice(b" | ");
    if !one.message.is_empty() {
        put_escaped(&one.message, line);
        line.push(b' ');
    }
    line.extend_from_slice(b"with value: ");
    put_escaped(if one.data.is_empty() { &one.value } else { &one.data }, line);
}

/// `Warning. Match of ARGS:x. [file "..."] [line "..."] [id "941100"] ... [uri "/"] [unique_id "..."]`
fn put_native(one: &Match, record: &Record<'_>, line: &mut Vec<u8>) {
    line.extend_from_slice(&one.native_line());
    let path =
        record.request_path.map(|path| path.split(|byte| *byte == b'?').next().unwrap_or(path));
    let known =
        [("hostname", record.request_hostname), ("uri", path), ("unique_id", record.unique_id)];
    for (name, value) in known {
        if let Some(value) = value {
            line.extend_from_slice(format!(" [{name} \"").as_bytes());
            put_escaped(value, line);
            line.extend_from_slice(b"\"]");
        }
    }
}
