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

    /// Whether digits and points stand for themselves: nearly always, but one may be the delimiter.
    pub(crate) fn has_numbers(self) -> bool {
        !matches!(self.delimiter, b'0'..=b'9' | b'.')
    }

    /// Whether `byte` stands for itself.
    pub(crate) fn has(self, byte: u8) -> bool {
        self.plain(byte) || leaks(byte)
    }

    const fn plain(self, byte: u8) -> bool {
        self.all_plain_in([byte; 8])
    }

    /// Whether eight bytes stand for themselves, all looked at in one go: of each byte only its highest
    /// bit counts in the end. A subtraction may borrow from the next byte only where this one was
    /// found already, so the answer is exact.
    #[inline]
    const fn all_plain_in(self, bytes: [u8; 8]) -> bool {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const HIGHEST: u64 = u64::from_ne_bytes([0x80; 8]);
        /// The highest bit of each byte that is less than `byte`, which is 128 at most.
        const fn below(word: u64, byte: u8) -> u64 {
            word.wrapping_sub(ONES * byte as u64) & !word
        }
        let word = u64::from_le_bytes(bytes);
        let below_floor = below(word, self.floor);
        let above_tilde = word | word.wrapping_add(ONES);
        let quote = below(word ^ (ONES * b'"' as u64), 1);
        let backslash = below(word ^ (ONES * b'\\' as u64), 1);
        let delimiter = below(word ^ (ONES * self.delimiter as u64), 1);
        (below_floor | above_tilde | quote | backslash | delimiter) & HIGHEST == 0
    }

    /// Whether all bytes of `value`, as nearly always, stand for themselves. The last step may overlap
    /// with the one before.
    pub(crate) fn all_plain(self, value: &[u8]) -> bool {
        match value.last_chunk() {
            Some(&last) => {
                let steps = value.as_chunks().0;
                self.all_plain_in(last) && steps.iter().all(|&step| self.all_plain_in(step))
            }
            None => value.iter().all(|&byte| self.plain(byte)),
        }
    }

    /// How many bytes at the start of `value` stand for themselves.
    pub(crate) fn run(self, value: &[u8]) -> usize {
        let (steps, _) = value.as_chunks();
        let clean = steps.iter().take_while(|&&step| self.all_plain_in(step)).count() * 8;
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

/// Appends a value as the text formats write it between double quotes: all that is no printable ASCII,
/// `"` and `\` as `\xHH`. For lines beside the access log that promise the same.
pub fn put_escaped(value: &[u8], out: &mut Vec<u8>) {
    write(value, Alphabet::PRINTABLE, out);
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

/// The same for the escapes of other servers: nginx's `\xHH`, and those of C that Apache
/// httpd writes. With its length.
pub(crate) fn unescape_foreign(text: &[u8]) -> Option<(u8, usize)> {
    if let Some(byte) = unescape(text) {
        return Some((byte, 4));
    }
    let byte = match text {
        [b'\\', same @ (b'"' | b'\\'), ..] => *same,
        [b'\\', b'b', ..] => 0x08,
        [b'\\', b't', ..] => b'\t',
        [b'\\', b'n', ..] => b'\n',
        [b'\\', b'v', ..] => 0x0B,
        [b'\\', b'r', ..] => b'\r',
        _ => return None,
    };
    Some((byte, 2))
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
    fn eight_bytes_at_once_are_judged_as_each_alone() {
        let by_itself = |alphabet: Alphabet, byte: u8| {
            (alphabet.floor..=b'~').contains(&byte)
                && ![b'"', b'\\', alphabet.delimiter].contains(&byte)
        };
        for alphabet in [
            Alphabet::PRINTABLE,
            Alphabet::PRINTABLE.without_space(),
            Alphabet::PRINTABLE.without_delimiter(b']'),
            Alphabet::PRINTABLE.without_space().without_delimiter(b'!'),
        ] {
            for byte in 0..=u8::MAX {
                for (at, other) in (0..8).zip([b'a', b'~', b'!', 0x7F, 0x80, 0xFF, 0, b'#']) {
                    let mut bytes = [b'a'; 8];
                    bytes[at] = byte;
                    assert_eq!(alphabet.all_plain_in(bytes), by_itself(alphabet, byte));
                    bytes[7 - at] = other;
                    let both = bytes.iter().all(|&byte| by_itself(alphabet, byte));
                    assert_eq!(alphabet.all_plain_in(bytes), both, "{bytes:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_place_takes_away_is_escaped() {
        let mut out = Vec::new();
        write(b"a b]c", Alphabet::PRINTABLE.without_space().without_delimiter(b']'), &mut out);
        assert_eq!(out, br"a\x20b\x5Dc");
    }
}
