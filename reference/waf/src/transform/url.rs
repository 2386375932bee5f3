//! urlDecode, urlDecodeUni, urlEncode.

use super::UnicodeMap;
use super::digits::{hex_pair, hex_quad, narrow};

/// Decodes `%HH` and `+`. What is no valid escape stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    decode_escapes(input, out, hex_escape);
}

/// Decodes `%uHHHH` as well: to the byte that the map has for the code, else to its low byte, full-width ASCII to
/// plain.
pub(super) fn decode_unicode(input: &[u8], out: &mut Vec<u8>, unicode: &UnicodeMap) {
    decode_escapes(input, out, |rest| match rest {
        [b'u' | b'U', digits @ ..] => {
            let code = hex_quad(digits)?;
            Some((unicode.byte(code).unwrap_or_else(|| narrow(code)), 5))
        }
        _ => hex_escape(rest),
    });
}

fn hex_escape(rest: &[u8]) -> Option<(u8, usize)> {
    hex_pair(rest).map(|byte| (byte, 2))
}

/// `escape` says what the text behind a percent sign stands for, and how long that is.
fn decode_escapes(input: &[u8], out: &mut Vec<u8>, escape: impl Fn(&[u8]) -> Option<(u8, usize)>) {
    let mut rest = input;
    while let Some(at) = memchr::memchr2(b'%', b'+', rest) {
        out.extend_from_slice(&rest[..at]);
        let sign = rest[at];
        rest = &rest[at + 1..];
        if sign == b'+' {
            out.push(b' ');
        } else if let Some((byte, len)) = escape(rest) {
            out.push(byte);
            rest = &rest[len..];
        } else {
            out.push(b'%');
        }
    }
    out.extend_from_slice(rest);
}

/// Whether urlEncode keeps a byte as it is.
pub(super) fn is_kept(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'*'
}

/// Writes a space as `+` and all but letters, digits and `*` as `%hh`.
pub(super) fn encode(input: &[u8], out: &mut Vec<u8>) {
    for byte in input {
        if is_kept(*byte) {
            out.push(*byte);
        } else if *byte == b' ' {
            out.push(b'+');
        } else {
            out.push(b'%');
            super::hex::encode(&[*byte], out);
        }
    }
}
