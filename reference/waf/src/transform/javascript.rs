//! jsDecode.

use super::digits::{c_escape, hex_pair, hex_quad, narrow, octal};

/// Decodes JavaScript escapes: `\uHHHH` (the low byte, full-width ASCII as plain), `\xHH`, `\OOO` up to 377, `\a`
/// and the like. From any other the backslash is removed; one at the end stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let Some(letter) = rest.first() else { return out.push(b'\\') };
        let digits = &rest[1..];
        let (byte, len) = match letter {
            b'u' => hex_quad(digits).map_or((b'u', 1), |code| (narrow(code), 5)),
            b'x' => hex_pair(digits).map_or((b'x', 1), |byte| (byte, 3)),
            b'0'..=b'7' => match octal(rest) {
                (3, number) if number > 0o377 => ((number >> 3) as u8, 2),
                (len, number) => (number as u8, len),
            },
            _ => (c_escape(*letter).unwrap_or(*letter), 1),
        };
        out.push(byte);
        rest = &rest[len..];
    }
    out.extend_from_slice(rest);
}
