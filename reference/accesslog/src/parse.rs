//! What a line says, read back by the format that wrote it.

use crate::json;

/// The values of one line, in the order of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'f> {
    pub(crate) values: Vec<(&'f str, Option<Vec<u8>>)>,
}

impl<'f> Parsed<'f> {
    /// Each variable (as `status` or `request_header:Accept`; dates without their argument) with
    /// the bytes that were logged, or nothing where the value was missing.
    pub fn iter(&self) -> impl Iterator<Item = (&'f str, Option<&[u8]>)> {
        self.values.iter().map(|(name, value)| (*name, value.as_deref()))
    }

    /// The value of a variable; the outer `None` where the format has no such variable.
    pub fn get(&self, name: &str) -> Option<Option<&[u8]>> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// What is logged as a number, and shown as one.
const NUMBERS: [&str; 3] = ["duration", "response_size", "status"];

impl Parsed<'_> {
    /// Appends the values as one JSON object, in printable ASCII and without an end of line.
    ///
    /// Its members are the format's variables, in order: null for what is missing, numbers for
    /// `status`, `response_size` and `duration`, and text as the preset `json` has it: any JSON reader
    /// gives back what is UTF-8, and other bytes as `\xHH`. A variable that the format has several
    /// times is an array. `default`, behind which nothing stands, is there only where another server
    /// wrote something in its place.
    pub fn put_json(&self, out: &mut Vec<u8>) {
        let mut separator = b'{';
        for (at, (name, value)) in self.values.iter().enumerate() {
            let same = || self.values.iter().filter(|(other, _)| other == name);
            let is_first = self.values[..at].iter().all(|(other, _)| other != name);
            let is_nothing = *name == "default" && same().all(|(_, value)| value.is_none());
            if !is_first || is_nothing {
                continue;
            }
            out.push(std::mem::replace(&mut separator, b','));
            put_string(name.as_bytes(), out);
            out.push(b':');
            if same().count() == 1 {
                put_value(name, value.as_deref(), out);
                continue;
            }
            for (index, (_, value)) in same().enumerate() {
                out.push(if index == 0 { b'[' } else { b',' });
                put_value(name, value.as_deref(), out);
            }
            out.push(b']');
        }
        out.extend_from_slice(if separator == b'{' { b"{}" } else { b"}" });
    }
}

fn put_value(name: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(value) if NUMBERS.contains(&name) && is_json_number(value) => {
            out.extend_from_slice(value);
        }
        Some(value) => put_string(value, out),
    }
}

fn put_string(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    json::write(value, out);
    out.push(b'"');
}

/// Digits, perhaps a point and digits (RFC 8259 §6).
fn is_json_number(text: &[u8]) -> bool {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    digits(whole) && (whole.len() == 1 || whole[0] != b'0') && fraction.is_none_or(digits)
}

/// A line that this format did not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {reason}{}", .offset + 1, .variable.as_deref().map(|v| format!(" in {{{v}}}")).unwrap_or_default())]
pub struct ParseError {
    pub(crate) offset: usize,
    pub(crate) variable: Option<String>,
    pub(crate) reason: Unreadable,
}

impl ParseError {
    /// Where reading stopped, in bytes from the start of the line.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The variable that was being read, if it was one.
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// Why.
    pub fn reason(&self) -> &Unreadable {
        &self.reason
    }
}

/// Why a line can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The format has other text here.
    #[error("expected the text {expected:?}")]
    Literal {
        /// The format's text.
        expected: String,
    },
    /// A byte that would have been escaped.
    #[error("the byte 0x{0:02X} can't stand for itself")]
    Byte(u8),
    /// A backslash without `xHH`.
    #[error("expected an escape \\xHH")]
    Escape,
    /// A self-quoting variable without its quote.
    #[error("expected a double quote")]
    Quote,
    /// The line ended within a value.
    #[error("the line ends early")]
    End,
    /// Text after the format's end.
    #[error("expected the end of the line")]
    Rest,
    /// A broken JSON string.
    #[error("expected a JSON string of printable ASCII")]
    JsonString,
    /// What is no number where one is logged, no date, or something where nothing ever is.
    #[error("this is never written here")]
    Value,
    /// Neither string, number nor null.
    #[error("expected a JSON string, number or null")]
    JsonValue,
}
