//! What each filter does to a value.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::model::Filter;

/// The value after one filter.
pub(crate) fn apply(filter: Filter, value: &[u8]) -> Vec<u8> {
    match filter {
        Filter::Url => percent(value, "%20"),
        Filter::Form => percent(value, "+"),
        Filter::Base64 => STANDARD.encode(value).into_bytes(),
        Filter::Json => json(value),
        Filter::Xml => each(value, xml),
        Filter::Hex => hex(value),
        Filter::Lower => value.to_ascii_lowercase(),
        Filter::Upper => value.to_ascii_uppercase(),
        Filter::DoubleQuote => each(value, |byte| match byte {
            b'"' => Some("\\\""),
            b'\\' => Some("\\\\"),
            _ => None,
        }),
        Filter::Regex => regex(value),
    }
}

/// Bytes for which there is a text become that text, the others stay.
fn each(value: &[u8], text: impl Fn(u8) -> Option<&'static str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match text(*byte) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => out.push(*byte),
        }
    }
    out
}

/// RFC 3986 §2.3: letters, digits, `-`, `.`, `_` and `~` stay.
fn percent(value: &[u8], space: &str) -> Vec<u8> {
    let mut out = String::with_capacity(value.len() * 3);
    for byte in value {
        match byte {
            b' ' => out.push_str(space),
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            byte => write!(out, "%{byte:02X}").unwrap_or_default(),
        }
    }
    out.into_bytes()
}

/// RFC 8259 §7: what must be escaped is; bytes that are no UTF-8 stay as they are, because a case
/// may want just that.
fn json(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            byte => out.push(*byte),
        }
    }
    out
}

fn xml(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&apos;"),
        _ => None,
    }
}

fn hex(value: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(value.len() * 2);
    for byte in value {
        write!(out, "{byte:02x}").unwrap_or_default();
    }
    out.into_bytes()
}

/// A regex over bytes that matches exactly the value. Bytes beyond printable ASCII are written as
/// `\xHH`, so that the regex stays a text.
fn regex(value: &[u8]) -> Vec<u8> {
    let mut out = String::with_capacity(value.len());
    for byte in value {
        match byte {
            0x20..=0x7e => out.push_str(&regex::escape(char::from(*byte).encode_utf8(&mut [0; 4]))),
            byte => write!(out, "\\x{byte:02x}").unwrap_or_default(),
        }
    }
    out.into_bytes()
}
