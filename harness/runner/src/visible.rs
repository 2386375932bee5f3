//! Bytes as people can read them.

/// Longer values are shown by their beginning.
const MOST_SHOWN: usize = 400;

/// In quotes, with everything that is not printable spelled out: `"a\r\n\x00"`.
pub(crate) fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MOST_SHOWN)];
    let rest = bytes.len() - shown.len();
    let tail = if rest == 0 { String::new() } else { format!(" … and {rest} octets more") };
    format!("\"{}\"{tail}", escaped(shown))
}

/// Without the quotes and unbounded. UTF-8 letters stay; controls, also those of C1, do not.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() || is_invisible(c) => {
                    let mut buffer = [0; 4];
                    push_hex(&mut out, c.encode_utf8(&mut buffer).as_bytes());
                }
                c => out.push(c),
            }
        }
        push_hex(&mut out, chunk.invalid());
    }
    out
}

/// Marks that change the direction or vanish: they could make two different values look the same.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides_in_a_shown_value() {
        assert_eq!(quoted(b"one"), "\"one\"");
        assert_eq!(quoted("é\u{85}\u{202e}".as_bytes()), "\"é\\xc2\\x85\\xe2\\x80\\xae\"");
        assert_eq!(quoted(b"\x1b[2J\xff\r\n\""), "\"\\x1b[2J\\xff\\r\\n\\\"\"");
        assert!(quoted(&[b'a'; 500]).ends_with("a\" … and 100 octets more"));
    }
}
