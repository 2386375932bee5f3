//! jsDecode.

use super::backslash;
use super::digits::{c_escape, hex_pair, hex_quad, narrow, octal};

/// Decodes JavaScript escapes: `\uHHHH` (the low byte, full-width ASCII as plain), `\xHH`, `\OOO` up to 377, `\a`
/// and the like. From any other the backslash is removed; one at the end stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    backslash::decode(input, out, |letter, rest| match letter {
        b'u' => hex_quad(&rest[1..]).map_or((b'u', 1), |code| (narrow(code), 5)),
        b'x' => hex_pair(&rest[1..]).map_or((b'x', 1), |byte| (byte, 3)),
        b'0'..=b'7' => match octal(rest) {
            (3, number) if number > 0o377 => ((number >> 3) as u8, 2),
            (len, number) => (number as u8, len),
        },
        _ => (c_escape(letter).unwrap_or(letter), 1),
    });
}
