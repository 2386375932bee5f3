//! Where a firewall writes: a line for each match, a JSON object for each transaction.

use std::cell::RefCell;
use std::sync::Arc;

use edgeproof_accesslog::{Dialect, Format, Record, Writer, put_escaped};
use edgeproof_waf::Match;

/// The firewall's files.
pub(crate) struct Outlet {
    log: Option<Arc<Writer>>,
    audit: Option<Arc<Writer>>,
    /// What stands before a match.
    prefix: Format,
}

impl Outlet {
    pub(crate) fn new(log: Option<Arc<Writer>>, audit: Option<Arc<Writer>>) -> Self {
        const PREFIX: &str = "[{completion_date}] [waf] - {client_ip} \"{request}\" - ";
        let prefix = Format::compile(PREFIX, Dialect::Current);
        let Ok(prefix) = prefix else { unreachable!("it is one text, and it compiles") };
        Self { log, audit, prefix }
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
                put(one, lines);
            }
            if !lines.is_empty() {
                log.write(lines);
            }
        });
    }
}

/// `941100 | XSS Attack Detected via libinjection with value: ...`
fn put(one: &Match, line: &mut Vec<u8>) {
    line.extend_from_slice(itoa::Buffer::new().format(one.rule).as_bytes());
    line.extend_from_slice(b" | ");
    if !one.message.is_empty() {
        put_escaped(&one.message, line);
        line.push(b' ');
    }
    line.extend_from_slice(b"with value: ");
    put_escaped(if one.data.is_empty() { &one.value } else { &one.data }, line);
    line.push(b'\n');
}
