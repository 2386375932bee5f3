//! Text and attribute values decoded: line ends, white space, references (XML 1.0 §2.11, §3.3.3,
//! §4.1).

use memchr::{memchr, memchr2};

use super::super::steps::took;

/// Appends text without references, its line ends made LF.
pub(super) fn push_text(text: &str, out: &mut String) {
    took(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
}

/// Appends an attribute's value, its white space made spaces and its references resolved. False
/// where one of them can't be; it stays as written.
pub(super) fn push_value(value: &str, out: &mut String) -> bool {
    took(value.len());
    let mut valid = true;
    let mut rest = value;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        push_spaces(&rest[..at], out);
        rest = &rest[at + 1..];
        match memchr2(b';', b'&', rest.as_bytes()) {
            Some(end) if rest.as_bytes()[end] == b';' => {
                valid &= push_reference(&rest[..end], out);
                rest = &rest[end + 1..];
            }
            end => {
                valid = false;
                out.push('&');
                let end = end.unwrap_or(rest.len());
                push_spaces(&rest[..end], out);
                rest = &rest[end..];
            }
        }
    }
    push_spaces(rest, out);
    valid
}

fn push_spaces(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'\t' | b'\n' | b'\r')) {
        out.push_str(&rest[..at]);
        out.push(' ');
        rest = rest[at..].strip_prefix("\r\n").unwrap_or(&rest[at + 1..]);
    }
    out.push_str(rest);
}

/// Appends what `&name;` stands for. False where that is unknown: it stays as written then.
pub(super) fn push_reference(name: &str, out: &mut String) -> bool {
    match character(name) {
        Some(character) => out.push(character),
        None => {
            out.push('&');
            out.push_str(name);
            out.push(';');
            return false;
        }
    }
    true
}

fn character(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // from_str_radix would take a sign.
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    is_allowed(character).then_some(character)
}

/// Whether XML 1.0 allows the character (§2.2).
pub(super) fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\0'..'\x20' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}
