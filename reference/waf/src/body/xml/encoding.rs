//! From the bytes of a document to UTF-8 (XML 1.0 appendix F).

use std::borrow::Cow;

use memchr::memmem;

use super::super::steps::took;
use super::Mistake;

/// An XML declaration is looked for in that many bytes.
const DECLARATION: usize = 256;

/// The document as text, and a mistake where its encoding is unknown or not kept to.
///
/// Known are UTF-8, UTF-16 and UTF-32 in both orders with and without a mark, ISO 8859-1 (also for
/// 8859-15) and Windows-1252. A byte that is no UTF-8 becomes the character of its number. Other
/// encodings are read as if they were UTF-8, so that attacks in ASCII are seen.
pub(super) fn to_text(body: &[u8]) -> (Cow<'_, str>, Option<Mistake>) {
    took(body.len());
    match body {
        [0xFF, 0xFE, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0, 0, 0xFE, 0xFF, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [b'<', 0, 0, 0, ..] => utf32(body, u32::from_le_bytes),
        [0, 0, 0, b'<', ..] => utf32(body, u32::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'<', 0, ..] => utf16(body, u16::from_le_bytes),
        [0, b'<', ..] => utf16(body, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        _ => match declared(body).to_ascii_lowercase().as_slice() {
            b"" | b"utf-8" | b"utf8" | b"us-ascii" | b"ascii" => utf8(body),
            b"iso-8859-1" | b"iso-8859-15" | b"iso_8859-1" | b"latin1" => {
                (one_byte(body, char::from), None)
            }
            b"windows-1252" | b"cp1252" => (one_byte(body, windows_1252), None),
            _ => (utf8(body).0, Some(Mistake::Encoding)),
        },
    }
}

/// The encoding that the XML declaration names; empty where none does.
fn declared(body: &[u8]) -> &[u8] {
    let start = &body[..body.len().min(DECLARATION)];
    let Some(declaration) = start.strip_prefix(b"<?xml") else { return b"" };
    let end = memmem::find(declaration, b"?>").unwrap_or(declaration.len());
    let declaration = &declaration[..end];
    let Some(at) = memmem::find(declaration, b"encoding") else { return b"" };
    let mut parts = declaration[at..].split(|byte| matches!(byte, b'"' | b'\''));
    parts.nth(1).unwrap_or_default()
}

fn utf8(body: &[u8]) -> (Cow<'_, str>, Option<Mistake>) {
    if let Ok(text) = std::str::from_utf8(body) {
        return (Cow::Borrowed(text), None);
    }
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().copied().map(char::from));
    }
    (Cow::Owned(text), Some(Mistake::Encoding))
}

fn one_byte(body: &[u8], character: impl Fn(u8) -> char) -> Cow<'_, str> {
    match std::str::from_utf8(body) {
        Ok(text) if body.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(body.iter().map(|&byte| character(byte)).collect()),
    }
}

fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> (Cow<'static, str>, Option<Mistake>) {
    let pairs = body.chunks_exact(2);
    let mut valid = pairs.remainder().is_empty();
    let units = pairs.filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
    let text = char::decode_utf16(units)
        .map(|character| {
            valid &= character.is_ok();
            character.unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    (Cow::Owned(text), (!valid).then_some(Mistake::Encoding))
}

fn utf32(body: &[u8], number: fn([u8; 4]) -> u32) -> (Cow<'static, str>, Option<Mistake>) {
    let quads = body.chunks_exact(4);
    let mut valid = quads.remainder().is_empty();
    let numbers = quads.filter_map(|quad| <[u8; 4]>::try_from(quad).ok()).map(number);
    let text = numbers
        .map(|number| {
            let character = char::from_u32(number);
            valid &= character.is_some();
            character.unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    (Cow::Owned(text), (!valid).then_some(Mistake::Encoding))
}

/// Windows-1252 differs from ISO 8859-1 between 0x80 and 0x9F; five of those bytes are free.
fn windows_1252(byte: u8) -> char {
    const DIFFERENT: [char; 32] = [
        '\u{20AC}', '\u{81}', '\u{201A}', '\u{192}', '\u{201E}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2C6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8D}', '\u{17D}',
        '\u{8F}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}', '\u{2013}',
        '\u{2014}', '\u{2DC}', '\u{2122}', '\u{161}', '\u{203A}', '\u{153}', '\u{9D}', '\u{17E}',
        '\u{178}',
    ];
    match byte.checked_sub(0x80).and_then(|index| DIFFERENT.get(usize::from(index))) {
        Some(character) => *character,
        None => char::from(byte),
    }
}
