//! Values of the json preset: JSON strings for any bytes, without loss.
//!
//! A value that is UTF-8 reads as itself after JSON decoding, in any JSON reader. A byte that is
//! not part of valid UTF-8 becomes the four characters `\xHH`, as in text formats; a backslash
//! that happens to stand before `xHH` in a value becomes `\x5C`, and so the two can't be confused.
//! The file itself holds printable ASCII only: everything else is `\uHHHH`, since a terminal
//! showing the log must not obey a client (controls, ESC sequences, right-to-left overrides).

use std::io::Write as _;

use edgeproof_mutant::{self as mutant, Mutant};

use crate::escape::{self, Alphabet};

/// Appends `value` as the inside of a JSON string.
pub(crate) fn write(value: &[u8], out: &mut Vec<u8>) {
    if Alphabet::PRINTABLE.all_plain(value) {
        return out.extend_from_slice(value);
    }
    let (plain, rest) = value.split_at(Alphabet::PRINTABLE.run(value));
    out.extend_from_slice(plain);
    for chunk in rest.utf8_chunks() {
        write_text(chunk.valid(), out);
        for &byte in chunk.invalid() {
            if mutant::is(Mutant::JsonPassesBytes) {
                out.push(byte);
                continue;
            }
            write_escape(byte, out);
        }
    }
}

fn write_text(text: &str, out: &mut Vec<u8>) {
    for (at, character) in text.char_indices() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' if escape::unescape(&text.as_bytes()[at..]).is_some() => write_escape(b'\\', out),
            '\\' => out.extend_from_slice(b"\\\\"),
            ' '..='~' => out.push(character as u8),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a Vec can't fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
}

/// The characters `\xHH` in a JSON string, where the backslash itself needs one.
fn write_escape(byte: u8, out: &mut Vec<u8>) {
    out.push(b'\\');
    out.extend_from_slice(&escape::escape(byte));
}

/// Reads a JSON string at the start of `text`, its quotes included: the value and the octets read.
/// `Err` is where it stops being one.
pub(crate) fn read(text: &[u8]) -> Result<(Vec<u8>, usize), usize> {
    let mut decoded = String::new();
    let mut at = 1;
    if text.first() != Some(&b'"') {
        return Err(0);
    }
    loop {
        match text.get(at) {
            Some(b'"') => return Ok((undo(&decoded), at + 1)),
            Some(b'\\') => {
                let (character, length) = read_escape(&text[at..]).ok_or(at)?;
                decoded.push(character);
                at += length;
            }
            Some(&byte @ b' '..=b'~') => {
                decoded.push(char::from(byte));
                at += 1;
            }
            _ => return Err(at),
        }
    }
}

/// One JSON escape (RFC 8259 §7), a surrogate pair counting as one.
fn read_escape(text: &[u8]) -> Option<(char, usize)> {
    let simple = match text.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return read_unicode(text),
        _ => return None,
    };
    Some((simple, 2))
}

fn read_unicode(text: &[u8]) -> Option<(char, usize)> {
    let first = read_unit(text)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first.into())?, 6));
    }
    let second = read_unit(text.get(6..)?)?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 12))
}

fn read_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    // from_str_radix would take a sign.
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Turns each `\xHH` back into its byte.
fn undo(decoded: &str) -> Vec<u8> {
    let mut rest = decoded.as_bytes();
    let mut value = Vec::with_capacity(rest.len());
    while let Some((&first, after)) = rest.split_first() {
        if let Some(byte) = escape::unescape(rest) {
            value.push(byte);
            rest = &rest[4..];
        } else {
            value.push(first);
            rest = after;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &[u8]) -> String {
        let mut out = Vec::new();
        write(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_reads_as_itself_in_any_json_reader() {
        for text in ["café 日本", r"C:\dir\new", "a\"b\n\u{7f}\u{202e}", "\u{1F980}"] {
            let json = format!("\"{}\"", written(text.as_bytes()));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }

    #[test]
    fn bytes_that_are_not_text_become_escapes() {
        assert_eq!(written(b"\xff\xc3("), r"\\xFF\\xC3(");
        assert_eq!(written(br"\xFF"), r"\\x5CxFF");
        assert_eq!(written(b"\\\xff"), r"\\\\xFF");
    }
}
