//! cssDecode.

use super::digits::{hex_value, narrow};

/// Decodes CSS 2 escapes: up to six hexadecimal digits, of which the last two count, and one white space behind
/// them; any other escaped byte is itself, a line feed is nothing. A code of four or more digits that is in
/// full-width ASCII becomes plain ASCII.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let digits = rest.iter().take(6).take_while(|digit| hex_value(**digit).is_some()).count();
        if digits > 0 {
            out.push(byte_of(&rest[..digits]));
            rest = &rest[digits..];
            if let [b' ' | b'\t'..=b'\r', behind @ ..] = rest {
                rest = behind;
            }
        } else if let [escaped, behind @ ..] = rest {
            if *escaped != b'\n' {
                out.push(*escaped);
            }
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
}

/// The byte that one to six hexadecimal digits stand for. Digits before the last four must be zeros for the code
/// to count as one of two bytes.
fn byte_of(digits: &[u8]) -> u8 {
    let code = digits
        .iter()
        .filter_map(|digit| hex_value(*digit))
        .fold(0u32, |code, digit| code << 4 | u32::from(digit));
    match u16::try_from(code) {
        Ok(code) if digits.len() >= 4 => narrow(code),
        _ => code as u8,
    }
}
