//! base64Encode, base64Decode, base64DecodeExt.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

pub(super) fn encode(input: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(STANDARD.encode(input).as_bytes());
}

/// Decodes up to the first byte that is not a Base64 digit, padding among those. A last group of one digit says
/// nothing and is left out.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) {
    let end = input.iter().position(|byte| value(*byte).is_none()).unwrap_or(input.len());
    collect(input[..end].iter().filter_map(|byte| value(*byte)), out);
}

/// Decodes whatever is a Base64 digit and passes over all else, up to a NUL byte. Padding counts only where it
/// cannot be: behind the first digit of a group it empties the value, unless more padding follows it.
pub(super) fn decode_forgiving(input: &[u8], out: &mut Vec<u8>) {
    let end = memchr::memchr(0, input).unwrap_or(input.len());
    let text = &input[..end];
    let mut digits = 0;
    for (at, byte) in text.iter().enumerate() {
        if *byte == b'=' && digits % 4 == 1 && text.get(at + 1) != Some(&b'=') {
            return;
        }
        digits += usize::from(value(*byte).is_some());
    }
    collect(text.iter().filter_map(|byte| value(*byte)), out);
}

/// Puts groups of six bits together to bytes; bits that make no whole byte are dropped.
fn collect(digits: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let mut bits = 0u32;
    let mut count = 0;
    for digit in digits {
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
