//! Percent-encoding (RFC 3986 §2.1) as the two places that use it read it: forms, where `+` is a
//! space, and paths, where it is not. A `%` without two hexadecimal digits stands for itself.

use memchr::{memchr, memchr2};

use super::steps::took;
use crate::transform::digits::hex_pair;

/// Appends the decoded form of a name or value of `application/x-www-form-urlencoded` to `out`
/// and gives the number of invalid encodings.
pub(super) fn decode_form(text: &[u8], out: &mut Vec<u8>) -> usize {
    decode(text, out, |rest| memchr2(b'%', b'+', rest))
}

/// Appends a decoded path to `out`; gives the number of invalid encodings.
pub(super) fn decode_path(text: &[u8], out: &mut Vec<u8>) -> usize {
    decode(text, out, |rest| memchr(b'%', rest))
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

fn decode(text: &[u8], out: &mut Vec<u8>, next: impl Fn(&[u8]) -> Option<usize>) -> usize {
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
            out.push(byte);
            rest = &rest[2..];
        } else {
            out.push(b'%');
            invalid += 1;
        }
    }
    out.extend_from_slice(rest);
    invalid
}
