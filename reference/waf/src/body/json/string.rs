//! The inside of a JSON string (RFC 8259 §7).

use memchr::memchr;

use super::super::steps::took;
use super::Mistake;
use crate::transform::digits::hex_quad;

/// Appends the decoded string to `out`; gives the first mistake and where in `raw` it is.
///
/// What can't be decoded stays as it is written. A surrogate without its other half becomes `?`,
/// as with yajl.
pub(super) fn decode(raw: &[u8], out: &mut Vec<u8>) -> Option<(Mistake, usize)> {
    took(raw.len());
    let mut first = first_bad_byte(raw);
    let mut at = 0;
    while let Some(escape) = memchr(b'\\', &raw[at..]) {
        out.extend_from_slice(&raw[at..at + escape]);
        at += escape;
        match unescape(&raw[at + 1..]) {
            Some((character, length)) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += 1 + length;
            }
            None => {
                out.push(b'\\');
                if first.is_none_or(|(_, earlier)| earlier > at) {
                    first = Some((Mistake::UnknownEscape, at));
                }
                at += 1;
            }
        }
    }
    out.extend_from_slice(&raw[at..]);
    first
}

/// The first control character, or the first byte that is not UTF-8.
fn first_bad_byte(raw: &[u8]) -> Option<(Mistake, usize)> {
    let control = raw.iter().position(|&byte| byte < 0x20);
    let invalid = std::str::from_utf8(raw).err().map(|error| error.valid_up_to());
    match (control, invalid) {
        (Some(control), Some(invalid)) if invalid < control => {
            Some((Mistake::InvalidUtf8, invalid))
        }
        (Some(control), _) => Some((Mistake::ControlCharacter, control)),
        (None, Some(invalid)) => Some((Mistake::InvalidUtf8, invalid)),
        (None, None) => None,
    }
}

/// The character that the escape stands for, and the bytes behind the backslash that it takes.
fn unescape(text: &[u8]) -> Option<(char, usize)> {
    let character = match *text.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return utf16(text),
        _ => return None,
    };
    Some((character, 1))
}

/// Reads `uHHHH` and, behind the first half of a surrogate pair, `\uHHHH`.
fn utf16(text: &[u8]) -> Option<(char, usize)> {
    let unit = hex_quad(text.get(1..)?)?;
    if let Some(character) = char::from_u32(u32::from(unit)) {
        return Some((character, 5));
    }
    let other = text.get(5..11).filter(|other| other.starts_with(b"\\u"));
    let pair = other.and_then(|other| hex_quad(&other[2..])).map(|low| [unit, low]);
    match pair.map(|pair| char::decode_utf16(pair).next()) {
        Some(Some(Ok(character))) => Some((character, 11)),
        _ => Some(('?', 5)),
    }
}
