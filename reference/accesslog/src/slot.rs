//! One variable at its place in a format: written into the line, and read back from it.

use std::time::Duration;

use crate::{
    date::DateFormat,
    escape::{self, Alphabet},
    json,
    number::{self, Decimals, Seconds},
    parse::Unreadable,
    record::{Fields, Record, When},
    variable::Variable,
};
use edgeproof_mutant::{self as mutant, Mutant};

/// A value read, if it was not missing, with its length in the line; or where reading stopped, and
/// why.
pub(crate) type Reading = Result<(Option<Vec<u8>>, usize), (usize, Unreadable)>;

/// A variable where it stands.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The variable as the format names it, without a date's argument.
    pub(crate) name: String,
    pub(crate) variable: Variable,
    pub(crate) decimals: Decimals,
    pub(crate) wire: Wire,
}

/// How values are put into the line at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Bare, up to `delimiter` (none: the end of the line).
    Text { alphabet: Alphabet, delimiter: Option<u8> },
    /// In double quotes of its own, a missing value too.
    Quoted,
    /// As a JSON string, a bare number, or null.
    Json,
}

impl Wire {
    /// Appends part of a value.
    fn encode(self, raw: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text { alphabet, .. } => escape::write(raw, alphabet, out),
            Self::Quoted => escape::write(raw, Alphabet::PRINTABLE, out),
            Self::Json => json::write(raw, out),
        }
    }

    /// Appends a number, without quotes of its own.
    fn put_number(self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text { alphabet, .. } if !alphabet.has_numbers() => {
                escape::write(text, alphabet, out);
            }
            _ => out.extend_from_slice(text),
        }
    }

    /// Appends the quote round a value, if there is one.
    fn put_quote(self, out: &mut Vec<u8>) {
        match self {
            Self::Text { .. } => {}
            Self::Quoted | Self::Json => out.push(b'"'),
        }
    }
}

impl Slot {
    /// Appends this variable of `record`.
    pub(crate) fn write(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let present = match &self.variable {
            Variable::ClientIp => self.bytes(record.client_ip, out),
            Variable::PeerIp => self.bytes(record.peer_ip, out),
            Variable::Protocol => self.bytes(record.protocol, out),
            Variable::SslVersion => self.bytes(record.ssl_version, out),
            Variable::UniqueId => self.bytes(record.unique_id, out),
            Variable::Request => self.bytes(record.request, out),
            Variable::RequestHostname => self.bytes(record.request_hostname, out),
            Variable::RequestMethod => self.bytes(record.request_method, out),
            Variable::RequestPath => self.bytes(path(record), out),
            Variable::RequestProtocol => self.bytes(record.request_protocol, out),
            Variable::Referer => self.field(record.request_fields, "referer", out),
            Variable::UserAgent => self.field(record.request_fields, "user-agent", out),
            Variable::RequestHeader(name) => self.field(record.request_fields, name, out),
            Variable::ResponseHeader(name) => self.field(record.response_fields, name, out),
            Variable::CompletionDate(date) => self.date(date, Some(record.completion), out),
            Variable::RequestTime(date) if mutant::is(Mutant::RequestTimeIsCompletion) => {
                self.date(date, Some(record.completion), out)
            }
            Variable::RequestTime(date) => self.date(date, record.received, out),
            Variable::Duration => self.duration(record.duration, out),
            Variable::ResponseSize => self.integer(record.response_size, out),
            Variable::Status => self.integer(record.status.map(u64::from), out),
            Variable::Default => false,
        };
        if !present {
            self.missing(out);
        }
    }

    fn missing(&self, out: &mut Vec<u8>) {
        match self.wire {
            Wire::Json => out.extend_from_slice(b"null"),
            Wire::Text { .. } | Wire::Quoted if mutant::is(Mutant::MissingIsEmpty) => {}
            Wire::Text { .. } => out.push(b'-'),
            Wire::Quoted => out.extend_from_slice(b"\"-\""),
        }
    }

    fn bytes(&self, value: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
        let Some(value) = value else { return false };
        self.wire.put_quote(out);
        let start = out.len();
        self.wire.encode(value, out);
        self.end(start, out);
        true
    }

    fn field(&self, fields: &dyn Fields, name: &str, out: &mut Vec<u8>) -> bool {
        let mut lines = 0usize;
        let mut start = 0;
        fields.each(name, &mut |value| {
            if lines > 0 && mutant::is(Mutant::LogsFirstFieldLine) {
                return;
            }
            if lines == 0 {
                self.wire.put_quote(out);
                start = out.len();
            } else {
                self.wire.encode(b", ", out);
            }
            self.wire.encode(value, out);
            lines += 1;
        });
        if lines > 0 {
            self.end(start, out);
        }
        lines > 0
    }

    fn date(&self, date: &DateFormat, at: Option<When<'_>>, out: &mut Vec<u8>) -> bool {
        let Some(at) = at else { return false };
        let restart = out.len();
        self.wire.put_quote(out);
        let start = out.len();
        if date.write(at, |raw, out| self.wire.encode(raw, out), out) {
            self.end(start, out);
            true
        } else {
            out.truncate(restart);
            false
        }
    }

    fn duration(&self, duration: Option<Duration>, out: &mut Vec<u8>) -> bool {
        let Some(duration) = duration else { return false };
        self.wire.put_number(Seconds::of(duration, self.decimals).as_bytes(), out);
        true
    }

    fn integer(&self, number: Option<u64>, out: &mut Vec<u8>) -> bool {
        let Some(number) = number else { return false };
        self.wire.put_number(itoa::Buffer::new().format(number).as_bytes(), out);
        true
    }

    /// Ends a value that began at `start`: one that is exactly `-` must not look missing.
    fn end(&self, start: usize, out: &mut Vec<u8>) {
        if mutant::is(Mutant::ExpandsPlaceholdersAgain) {
            expand_again(start, out);
        }
        let text = self.wire != Wire::Json;
        if text && out[start..] == *b"-" && !mutant::is(Mutant::DashNotEscaped) {
            out.truncate(start);
            out.extend_from_slice(&escape::escape(b'-'));
        }
        self.wire.put_quote(out);
    }

    /// Reads a value at the start of `text`, as [`Slot::write`] may have put it there.
    pub(crate) fn read(&self, text: &[u8]) -> Reading {
        let (value, length) = self.read_own(text)?;
        let is_string = self.wire == Wire::Json && text.starts_with(b"\"");
        let fits = match (&self.variable, value.as_deref()) {
            (_, None) => true,
            (Variable::Status, Some(value)) => !is_string && number::is_whole::<u16>(value),
            (Variable::ResponseSize, Some(value)) => !is_string && number::is_whole::<u64>(value),
            (Variable::Duration, Some(value)) => !is_string && self.decimals.may_write(value),
            (Variable::CompletionDate(date) | Variable::RequestTime(date), Some(value)) => {
                date.may_write(value)
            }
            (Variable::Default, Some(_)) => false,
            (_, Some(_)) => self.wire != Wire::Json || is_string,
        };
        if fits { Ok((value, length)) } else { Err((0, Unreadable::Value)) }
    }

    fn read_own(&self, text: &[u8]) -> Reading {
        match self.wire {
            Wire::Text { alphabet, delimiter } => {
                let ended = |at: usize| match (text.get(at), delimiter) {
                    (None, None) => true,
                    (Some(&byte), Some(delimiter)) => byte == delimiter,
                    _ => false,
                };
                read_own_text(text, alphabet, ended)
            }
            Wire::Quoted => {
                let inside = text.strip_prefix(b"\"").ok_or((0, Unreadable::Quote))?;
                let ended = |at: usize| inside.get(at) == Some(&b'"');
                let (value, length) = read_own_text(inside, Alphabet::PRINTABLE, ended)
                    .map_err(|(at, why)| (at + 1, why))?;
                Ok((value, length + 2))
            }
            Wire::Json => self.read_json(text),
        }
    }

    /// Reads a value as other servers write it too, up to the text `follower` (none: up to the end).
    pub(crate) fn read_foreign(&self, text: &[u8], follower: Option<&str>) -> Reading {
        match self.wire {
            Wire::Text { .. } => read_foreign_text(text, follower.map(str::as_bytes)),
            Wire::Quoted => {
                let inside = text.strip_prefix(b"\"").ok_or((0, Unreadable::Quote))?;
                let (value, length) =
                    read_foreign_text(inside, Some(b"\"")).map_err(|(at, why)| (at + 1, why))?;
                Ok((value, length + 2))
            }
            Wire::Json => self.read_json(text),
        }
    }

    fn read_json(&self, text: &[u8]) -> Reading {
        if text.starts_with(b"null") {
            return Ok((None, 4));
        }
        if text.first() == Some(&b'"') {
            let (value, length) = json::read(text).map_err(|at| (at, Unreadable::JsonString))?;
            return Ok((Some(value), length));
        }
        let length = text.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        if length == 0 {
            return Err((0, Unreadable::JsonValue));
        }
        Ok((Some(text[..length].to_vec()), length))
    }
}

/// The path with its query.
fn path<'r>(record: &Record<'r>) -> Option<&'r [u8]> {
    let path = record.request_path?;
    match memchr::memchr(b'?', path) {
        Some(at) if mutant::is(Mutant::LogsPathWithoutQuery) => Some(&path[..at]),
        _ => Some(path),
    }
}

/// Reads text that this crate wrote up to where `ended` says so.
fn read_own_text(text: &[u8], alphabet: Alphabet, ended: impl Fn(usize) -> bool) -> Reading {
    let unescape = |text: &[u8]| escape::unescape(text).map(|byte| (byte, 4));
    read_text(text, ended, unescape, |byte| alphabet.has(byte))
}

/// Reads text with anybody's escapes, in which any printable byte may stand for itself.
fn read_foreign_text(text: &[u8], follower: Option<&[u8]>) -> Reading {
    let ended = |at: usize| match follower {
        Some(follower) => text[at..].starts_with(follower),
        None => at == text.len(),
    };
    read_text(text, ended, escape::unescape_foreign, |byte| matches!(byte, b' '..=b'~'))
}

/// Reads escaped text up to where `ended` says so. `unescape` gives what an escape stands for and its length;
/// bytes that are `plain` stand for themselves.
fn read_text(
    text: &[u8],
    ended: impl Fn(usize) -> bool,
    unescape: impl Fn(&[u8]) -> Option<(u8, usize)>,
    plain: impl Fn(u8) -> bool,
) -> Reading {
    if text.first() == Some(&b'-') && ended(1) {
        return Ok((None, 1));
    }
    let mut value = Vec::new();
    let mut at = 0;
    while !ended(at) {
        match text.get(at) {
            Some(b'\\') => {
                let (byte, length) = unescape(&text[at..]).ok_or((at, Unreadable::Escape))?;
                value.push(byte);
                at += length;
            }
            Some(&byte) if plain(byte) => {
                value.push(byte);
                at += 1;
            }
            Some(&byte) => return Err((at, Unreadable::Byte(byte))),
            None => return Err((at, Unreadable::End)),
        }
    }
    Ok((Some(value), at))
}

/// The bug of a log that expands a finished line once more: `{status}` sent by a client vanishes.
fn expand_again(start: usize, out: &mut Vec<u8>) {
    for (name, _) in crate::variable::NAMES {
        let placeholder = format!("{{{name}}}");
        while let Some(at) = memchr::memmem::find(&out[start..], placeholder.as_bytes()) {
            out.splice(start + at..start + at + placeholder.len(), *b"-");
        }
    }
}
