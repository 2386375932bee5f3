//! Percent-encoding (RFC 3986 §2.1) as the two places that use it read it: forms, where `+` is a
//! space, and paths, where it is not. A `%` without two hexadecimal digits stands for itself.

use memchr::{memchr, memchr2};

use super::steps::took;
use crate::transform::digits::hex_pair;

/// Appends the decoded form of a name or value of `application/x-www-form-urlencoded` to `out`
/// and gives the number of invalid encodings.
pub(super) fn decode_form(text: &[u8], out: &mut Vec<u8>) -> usize {
    decode(text, out, |rest| memchr2(b'%', b'+', rest), None)
}

/// Appends a decoded path to `out`, encoded slashes as they are; gives the number of invalid encodings.
pub(super) fn decode_path(text: &[u8], out: &mut Vec<u8>) -> usize {
    decode(text, out, |rest| memchr(b'%', rest), Some(b'/'))
}

/// The number of invalid encodings.
pub(super) fn count_invalid(text: &[u8]) -> usize {
    took(text.len());
    let mut rest = text;
    let mut invalid = 0;
    while let Some(at) = memchr(b'%', rest) {
        rest = &rest[at + 1..];
        match hex_pair(rest) {
            Some(_) => rest = &rest[2..],
            None => invalid += 1,
        }
    }
    invalid
}

/// `next` finds what has to be looked at; the encoding of `kept` stays as it is.
fn decode(
    text: &[u8],
    out: &mut Vec<u8>,
    next: impl Fn(&[u8]) -> Option<usize>,
    kept: Option<u8>,
) -> usize {
    took(text.len());
    let mut rest = text;
    let mut invalid = 0;
    while let Some(at) = next(rest) {
        out.extend_from_slice(&rest[..at]);
        let special = rest[at];
        rest = &rest[at + 1..];
        if special == b'+' {
            out.push(b' ');
        } else if let Some(byte) = hex_pair(rest) {
            match Some(byte) == kept {
                true => out.extend([b'%', rest[0], rest[1]]),
                false => out.push(byte),
            }
            rest = &rest[2..];
        } else {
            out.push(b'%');
            invalid += 1;
        }
    }
    out.extend_from_slice(rest);
    invalid
}
