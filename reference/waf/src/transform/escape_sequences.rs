//! escapeSeqDecode.

use super::backslash;
use super::digits::{c_escape, hex_pair, octal};

/// Decodes ANSI C escapes: `\a` and the like, `\xHH`, `\OOO` (cut to a byte). From any other the backslash is
/// removed, also where digits are missing; one at the end stays.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    backslash::decode(input, out, |letter, rest| match letter {
        b'x' | b'X' => hex_pair(&rest[1..]).map_or((letter, 1), |byte| (byte, 3)),
        b'0'..=b'7' => {
            let (len, number) = octal(rest);
            (number as u8, len)
        }
        _ => (c_escape(letter).unwrap_or(letter), 1),
    });
}
