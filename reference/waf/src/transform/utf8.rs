//! utf8toUnicode.

use std::io::Write;

/// Writes sequences of two to four bytes that have the form of UTF-8 as `%uHHHH`, with as many digits as the code
/// needs but at least four. Overlong ones and surrogates are followed by their first byte. Where a sequence is
/// broken off its first byte is dropped, and NUL bytes are; bytes that start none stay.
pub(super) fn to_unicode_escapes(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let (len, bits) = match first {
            0 => continue,
            0xc0..=0xdf => (2, first & 0x1f),
            0xe0..=0xef => (3, first & 0x0f),
            0xf0..=0xf7 => (4, first & 0x07),
            _ => {
                out.push(*first);
                continue;
            }
        };
        if *first >= 0xf5 {
            out.push(*first);
        }
        let Some(tail) = behind.get(..len - 1).filter(|tail| tail.iter().all(is_continuation))
        else {
            continue;
        };
        let code =
            tail.iter().fold(u32::from(bits), |code, byte| code << 6 | u32::from(byte & 0x3f));
        // Writing to memory does not fail.
        let _ = write!(out, "%u{code:04x}");
        let shortest = [0, 0, 0x80, 0x800, 0x1_0000][len];
        if (0xd800..=0xdfff).contains(&code) {
            out.push(*first);
        }
        if code < shortest {
            out.push(*first);
        }
        rest = &behind[len - 1..];
    }
}

fn is_continuation(byte: &u8) -> bool {
    byte & 0xc0 == 0x80
}
