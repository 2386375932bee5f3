//! The escaping of text formats: `\xHH`, lossless.

use crate::mutant::{self, Mutant};

/// The bytes that may stand for themselves in a value at one place of a format.
///
/// Everything outside 0x20-0x7E, `"` and `\` never does; a place takes more away (its delimiter, a
/// space where the value stands unquoted). What is taken away is written as `\xHH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alphabet(u128);

impl Alphabet {
    /// Printable ASCII without `"` and `\`.
    pub(crate) const PRINTABLE: Self = {
        let printable = (u128::MAX << 0x20) & !(1 << 0x7F);
        Self(printable & !(1 << b'"') & !(1 << b'\\'))
    };

    /// The same without `byte`; a byte above 0x7F was never in it.
    pub(crate) const fn without(self, byte: u8) -> Self {
        if byte < 0x80 { Self(self.0 & !(1 << byte)) } else { self }
    }

    /// Whether `byte` stands for itself.
    pub(crate) fn has(self, byte: u8) -> bool {
        (byte < 0x80 && self.0 >> byte & 1 == 1) || (cfg!(feature = "mutants") && leaks(byte))
    }
}

/// Whether a deliberate bug lets `byte` through.
fn leaks(byte: u8) -> bool {
    match byte {
        b'"' => mutant::is(Mutant::LogsRawQuotes),
        b'\\' => mutant::is(Mutant::LogsRawBackslash),
        0..0x20 | 0x7F => mutant::is(Mutant::LogsRawControls),
        0x80.. => mutant::is(Mutant::LogsRawHighBytes),
        _ => false,
    }
}

/// Appends `value`, each byte that `alphabet` lacks as `\xHH`.
pub(crate) fn write(value: &[u8], alphabet: Alphabet, out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|&byte| !alphabet.has(byte)) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&escape(rest[at]));
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// `\xHH`, upper case.
pub(crate) fn escape(byte: u8) -> [u8; 4] {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    [b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]
}

/// The byte that `text` begins with the escape of, if it begins with one.
pub(crate) fn unescape(text: &[u8]) -> Option<u8> {
    let [b'\\', b'x', high, low, ..] = text else { return None };
    Some(hex(*high)? << 4 | hex(*low)?)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_itself_or_its_escape() {
        for byte in 0..=u8::MAX {
            let mut out = Vec::new();
            write(&[byte], Alphabet::PRINTABLE, &mut out);
            if (0x20..0x7F).contains(&byte) && byte != b'"' && byte != b'\\' {
                assert_eq!(out, [byte]);
            } else {
                assert_eq!(out, format!("\\x{byte:02X}").into_bytes());
                assert_eq!(unescape(&out), Some(byte));
            }
        }
    }

    #[test]
    fn what_a_place_takes_away_is_escaped() {
        let mut out = Vec::new();
        write(b"a b]c", Alphabet::PRINTABLE.without(b' ').without(b']'), &mut out);
        assert_eq!(out, br"a\x20b\x5Dc");
    }
}
