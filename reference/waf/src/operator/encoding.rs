//! `@validateUrlEncoding`, `@validateUtf8Encoding` and `@validateByteRange`: they match what is not valid.

use super::byte_set::ByteSet;

/// Whether a percent sign stands without two hexadecimal digits behind it.
pub(super) fn has_bad_url_encoding(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| {
        let digits = value.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether it is not UTF-8 as RFC 3629 has it: overlong forms, surrogates and codes beyond 10FFFF are not.
pub(super) fn has_bad_utf8(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_err()
}

/// Whether a byte is not one of the allowed.
pub(super) fn has_other_bytes(value: &[u8], allowed: ByteSet) -> bool {
    value.iter().any(|byte| !allowed.contains(*byte))
}

/// A part of a list of bytes that cannot be read, by where it starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRange(pub(super) usize);

/// Reads a list of bytes and ranges of them in decimal numbers: `10,13,32-126`.
pub(super) fn byte_range(text: &str) -> Result<ByteSet, BadRange> {
    let mut set = ByteSet::EMPTY;
    let mut at = 0;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => set = set.union(ByteSet::range(first, last)),
            _ if part.trim().is_empty() => {}
            _ => return Err(BadRange(at)),
        }
        at += part.len() + 1;
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_encoding() {
        for valid in ["", "abc", "%41", "a%20b%2F", "%2525"] {
            assert!(!has_bad_url_encoding(valid.as_bytes()), "{valid}");
        }
        for invalid in ["%", "%4", "%4g", "%g4", "abc%", "%41%4", "%25%", "%u0041", "%%41"] {
            assert!(has_bad_url_encoding(invalid.as_bytes()), "{invalid}");
        }
    }

    #[test]
    fn utf8() {
        for valid in ["", "abc", "\u{e9}\u{20ac}\u{10ffff}\0"] {
            assert!(!has_bad_utf8(valid.as_bytes()), "{valid}");
        }
        let invalid: [&[u8]; 8] = [
            b"\x80",
            b"\xc3",
            b"\xc3A",
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xff",
        ];
        for invalid in invalid {
            assert!(has_bad_utf8(invalid), "{}", invalid.escape_ascii());
        }
    }

    #[test]
    fn byte_ranges() {
        let set = byte_range("9, 10,13,32-126,255").unwrap();
        assert!(!has_other_bytes(b"a\tb\r\n~\xff", set));
        assert!(!has_other_bytes(b"", set));
        assert!(has_other_bytes(b"a\0", set) && has_other_bytes(b"\x7f", set));
        assert_eq!(byte_range("0-255"), Ok(ByteSet::ALL));
        assert_eq!(byte_range(""), Ok(ByteSet::EMPTY), "then every byte is one too many");
        for (text, at) in
            [("256", 0), ("1,x", 2), ("1,9-5", 2), ("-1", 0), ("1-2-3", 0), ("1-300", 0)]
        {
            assert_eq!(byte_range(text), Err(BadRange(at)), "{text}");
        }
    }
}
