//! hexEncode, hexDecode, sqlHexDecode.

use super::digits::hex_pair;

pub(super) fn encode(input: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(input.len() * 2);
    for byte in input {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Decodes pairs of digits. What is not a digit is reckoned with as if it were; a last single byte is dropped.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    out.extend(input.chunks_exact(2).map(|pair| {
        careless_value(pair[0]).wrapping_mul(16).wrapping_add(careless_value(pair[1]))
    }));
}

/// The value of a digit as ModSecurity reckons it, also of what is none.
fn careless_value(digit: u8) -> u8 {
    if digit >= b'A' {
        (digit & 0xdf).wrapping_sub(b'A').wrapping_add(10)
    } else {
        digit.wrapping_sub(b'0')
    }
}

/// Decodes `0x` and the pairs of digits behind it. The byte behind those is kept as it is, so that a number that
/// follows at once stays as it is.
pub(super) fn decode_sql(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if let (b'0', [b'x' | b'X', digits @ ..]) = (*first, rest)
            && hex_pair(digits).is_some()
        {
            rest = digits;
            while let Some(byte) = hex_pair(rest) {
                out.push(byte);
                rest = &rest[2..];
            }
            if let Some((next, behind)) = rest.split_first() {
                out.push(*next);
                rest = behind;
            }
        } else {
            out.push(*first);
        }
    }
}
