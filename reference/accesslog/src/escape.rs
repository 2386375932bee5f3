//! The escaping of text formats: `\xHH`, lossless.

use edgeproof_mutant::{self as mutant, Mutant};

/// The bytes that may stand for themselves in a value at one place of a format.
///
/// Everything outside 0x20-0x7E, `"` and `\` never does; a place takes more away (its delimiter, a
/// space where the value stands unquoted). What is taken away is written as `\xHH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alphabet {
    /// 0x20, or 0x21 where a space is taken away.
    floor: u8,
    /// One byte more that is taken away; `"` (which is anyway) where there is none.
    delimiter: u8,
}

impl Alphabet {
    /// Printable ASCII without `"` and `\`.
    pub(crate) const PRINTABLE: Self = Self { floor: b' ', delimiter: b'"' };

    /// The same without the space.
    pub(crate) const fn without_space(self) -> Self {
        Self { floor: b' ' + 1, ..self }
    }

    /// The same without the byte that ends the value.
    pub(crate) const fn without_delimiter(self, delimiter: u8) -> Self {
        Self { delimiter, ..self }
    }

    /// Whether `byte` stands for itself.
    pub(crate) fn has(self, byte: u8) -> bool {
        self.plain(byte) || leaks(byte)
    }

    /// No branches and no table: the compiler checks 16 bytes at a time.
    const fn plain(self, byte: u8) -> bool {
        (byte >= self.floor)
            & (byte <= b'~')
            & (byte != b'"')
            & (byte != b'\\')
            & (byte != self.delimiter)
    }

    /// Whether all bytes of `value`, as nearly always, stand for themselves: in steps of 16, 8 or 4,
    /// of which the last two may overlap.
    fn all_plain(self, value: &[u8]) -> bool {
        match value.len() {
            16.. => self.steps::<16>(value),
            8.. => self.steps::<8>(value),
            4.. => self.steps::<4>(value),
            _ => value.iter().all(|&byte| self.plain(byte)),
        }
    }

    /// The same, for a value of at least `N` bytes.
    #[inline]
    fn steps<const N: usize>(self, value: &[u8]) -> bool {
        let plain =
            |step: &[u8; N]| step.iter().fold(true, |plain, &byte| plain & self.plain(byte));
        value.as_chunks().0.iter().all(plain) && value.last_chunk().is_none_or(plain)
    }

    /// How many bytes at the start of `value` stand for themselves.
    pub(crate) fn run(self, value: &[u8]) -> usize {
        let chunks = value.chunks_exact(16);
        let clean = chunks
            .take_while(|chunk| chunk.iter().fold(true, |clean, &byte| clean & self.plain(byte)))
            .count()
            * 16;
        let tail = &value[clean..];
        clean + tail.iter().position(|&byte| !self.has(byte)).unwrap_or(tail.len())
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
    if alphabet.all_plain(value) {
        return out.extend_from_slice(value);
    }
    let mut rest = value;
    loop {
        let (plain, after) = rest.split_at(alphabet.run(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = after.split_first() else { return };
        out.extend_from_slice(&escape(byte));
        rest = after;
    }
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
    fn an_escape_is_found_wherever_it_stands_in_a_long_value() {
        for length in 0..50 {
            for at in 0..length {
                let mut value = vec![b'a'; length];
                value[at] = b'"';
                assert_eq!(Alphabet::PRINTABLE.run(&value), at);
                assert!(!Alphabet::PRINTABLE.all_plain(&value));
            }
            assert!(Alphabet::PRINTABLE.all_plain(&vec![b'~'; length]));
            assert_eq!(Alphabet::PRINTABLE.run(&vec![b'~'; length]), length);
        }
    }

    #[test]
    fn what_a_place_takes_away_is_escaped() {
        let mut out = Vec::new();
        write(b"a b]c", Alphabet::PRINTABLE.without_space().without_delimiter(b']'), &mut out);
        assert_eq!(out, br"a\x20b\x5Dc");
    }
}
