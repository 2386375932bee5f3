//! The audit log: one JSON object a transaction, with the keys that ModSecurity 2.9 writes
//! (SecAuditLogFormat JSON) and the sections that SecAuditLogParts asks for.

use std::io;

use edgeproof_http1::ParsedRequest;
use edgeproof_mutant::{self as mutant, Mutant};
use edgeproof_waf::seclang::Mode;
use edgeproof_waf::{Did, Match, Outcome, Sanitise, Settings};
use jiff::Zoned;
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use crate::peer::Peer;
use crate::reply::Sent;

/// A transaction at its end.
pub(super) struct Audited<'a> {
    pub(super) id: &'a str,
    pub(super) time: Zoned,
    pub(super) peer: &'a Peer,
    pub(super) client: &'a str,
    pub(super) line: &'a [u8],
    /// `None` if it was refused before it was read.
    pub(super) request: Option<&'a ParsedRequest>,
    pub(super) body: &'a [u8],
    pub(super) sent: Option<Sent<'a>>,
    pub(super) outcome: &'a Outcome,
    pub(super) settings: &'a Settings,
}

#[derive(Serialize)]
struct Entry<'a> {
    transaction: Transaction<'a>,
    request: Request,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_data: Option<AuditData<'a>>,
}

#[derive(Serialize)]
struct Transaction<'a> {
    time: String,
    transaction_id: &'a str,
    remote_address: &'a str,
    remote_port: u16,
    local_address: String,
    local_port: u16,
}

#[derive(Serialize)]
struct Request {
    request_line: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    body: Vec<String>,
}

#[derive(Serialize)]
struct Response {
    protocol: &'static str,
    status: u16,
    headers: Headers,
}

#[derive(Serialize)]
struct AuditData<'a> {
    messages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Action>,
    producer: Vec<&'a str>,
    server: &'static str,
    engine_mode: &'static str,
}

#[derive(Serialize)]
struct Action {
    intercepted: bool,
    phase: u8,
    message: String,
}

/// Header fields in their order; those of one name are one, joined as RFC 9110 §5.2 has it.
struct Headers(Vec<(String, String)>);

impl Headers {
    fn of<'h>(
        fields: impl Iterator<Item = (&'h [u8], &'h [u8])>,
        is_secret: impl Fn(&str) -> bool,
    ) -> Self {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in fields {
            let name = text(name);
            let value = if is_secret(&name) { hidden(value.len()) } else { text(value) };
            match headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                Some((_, all)) => *all = format!("{all}, {value}"),
                None => headers.push((name, value)),
            }
        }
        Self(headers)
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The transaction as a line of the log, without its end.
pub(super) fn line(audited: &Audited<'_>) -> Vec<u8> {
    let parts = audited.outcome.audit_parts;
    let sanitised = &audited.outcome.sanitised;
    let secret_argument = |name: &[u8]| {
        sanitised.iter().any(
            |it| matches!(it, Sanitise::Argument(one) if one.as_bytes().eq_ignore_ascii_case(name)),
        )
    };
    let secret_request = |name: &str| {
        sanitised
            .iter()
            .any(|it| matches!(it, Sanitise::RequestHeader(one) if one.eq_ignore_ascii_case(name)))
    };
    let secret_response = |name: &str| {
        sanitised
            .iter()
            .any(|it| matches!(it, Sanitise::ResponseHeader(one) if one.eq_ignore_ascii_case(name)))
    };
    let fields = audited.request.map(|request| &request.head.fields);
    let headers = fields.filter(|_| parts.has('B'));
    let response = audited.sent.filter(|_| parts.has('F')).map(|sent| Response {
        protocol: "HTTP/1.1",
        status: sent.status,
        headers: Headers::of(sent.fields.iter(), secret_response),
    });
    let entry = Entry {
        transaction: Transaction {
            time: audited.time.strftime("%d/%b/%Y:%H:%M:%S%.6f %z").to_string(),
            transaction_id: audited.id,
            remote_address: audited.client,
            remote_port: audited.peer.port,
            local_address: audited.peer.local.ip().to_canonical().to_string(),
            local_port: audited.peer.local.port(),
        },
        request: Request {
            request_line: text(&without_secrets(audited.line, secret_argument)),
            headers: headers.map(|fields| Headers::of(fields.iter(), secret_request)),
            body: body(audited, secret_argument),
        },
        response,
        audit_data: parts.has('H').then(|| audit_data(audited)),
    };
    // Writing to memory does not fail, and neither do these types.
    let mut line = Vec::new();
    let _ = entry.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Ascii));
    if mutant::is(Mutant::AuditRaw) {
        let line = String::from_utf8_lossy(&line);
        return line.replace(r"\n", "\n").replace("%0A", "\n").into_bytes();
    }
    line
}

/// JSON in printable ASCII: what is controls to a terminal (DEL, C1) or turns a line round (U+202E)
/// is an escape, as in the access log's preset `json`.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                ' '..='~' => out.write_all(&[character as u8])?,
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04X}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn body(audited: &Audited<'_>, is_secret: impl Fn(&[u8]) -> bool) -> Vec<String> {
    let parts = audited.outcome.audit_parts;
    let content_type = audited
        .request
        .and_then(|request| request.head.fields.get("content-type"))
        .unwrap_or_default();
    let begins = |with: &[u8]| {
        content_type.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    // I is C without files.
    let wanted = parts.has('C') || parts.has('I') && !begins(b"multipart/");
    if !wanted || audited.body.is_empty() {
        return Vec::new();
    }
    let hides = audited.outcome.sanitised.iter().any(|it| matches!(it, Sanitise::Argument(_)));
    vec![match begins(b"application/x-www-form-urlencoded") {
        true => text(&without_secrets(audited.body, is_secret)),
        // Where the argument stands in it is not known here.
        false if hides => hidden(audited.body.len()),
        false => text(audited.body),
    }]
}

fn audit_data<'a>(audited: &Audited<'a>) -> AuditData<'a> {
    let Outcome { matches, .. } = audited.outcome;
    let listed =
        matches.iter().filter(|one| one.auditlog && !mutant::is(Mutant::AuditWithoutRules));
    let action =
        matches.iter().find(|one| matches!(one.did, Did::Deny(_) | Did::Drop | Did::Redirect(_)));
    AuditData {
        messages: listed.map(text_of).collect(),
        action: action.map(|one| Action {
            intercepted: true,
            phase: one.phase.number(),
            message: text(&one.message),
        }),
        producer: audited.settings.signatures.iter().map(String::as_str).collect(),
        server: concat!("edgeproof/", env!("CARGO_PKG_VERSION")),
        engine_mode: match audited.settings.mode() {
            Mode::On => "ENABLED",
            Mode::DetectionOnly => "DETECTION_ONLY",
            Mode::Off => "DISABLED",
        },
    }
}

fn text_of(one: &Match) -> String {
    text(&one.native_line())
}

/// Bytes as text: what is no UTF-8 is escaped as `\xHH`, so that nothing is lost.
fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

fn hidden(length: usize) -> String {
    "*".repeat(length)
}

/// A query or a form with the values of secret arguments hidden.
fn without_secrets(text: &[u8], is_secret: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut shown = text.to_vec();
    let mut start = 0;
    for end in memchr::memchr3_iter(b'&', b'?', b' ', text).chain([text.len()]) {
        if let Some(equals) = memchr::memchr(b'=', &text[start..end])
            && is_secret(&text[start..start + equals])
        {
            shown[start + equals + 1..end].fill(b'*');
        }
        start = end + 1;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_arguments_are_hidden() {
        let shown = |text: &[u8]| {
            String::from_utf8(without_secrets(text, |name| name == b"password")).unwrap()
        };
        assert_eq!(shown(b"a=1&password=open&b=2"), "a=1&password=****&b=2");
        assert_eq!(shown(b"GET /?password=x HTTP/1.1"), "GET /?password=* HTTP/1.1");
        assert_eq!(shown(b"password"), "password");
    }

    #[test]
    fn no_byte_is_lost() {
        assert_eq!(text(b"caf\xc3\xa9 \xff\x80."), "café \\xff\\x80.");
    }
}
