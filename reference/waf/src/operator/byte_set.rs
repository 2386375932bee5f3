//! A set of bytes: what one position of a pattern accepts, or a value may consist of.

use std::fmt;

/// A set of bytes, one bit each.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ByteSet([u64; 4]);

/// Texts shorter than this, in bytes, are put into a set bit by bit: that is slower a byte, but needs no table.
const SHORT: usize = 128;

impl ByteSet {
    /// The bytes that stand in a text.
    pub fn in_text(text: &[u8]) -> Self {
        if text.len() < SHORT {
            // Four sets in turn, as each bit would otherwise wait for the one before it.
            let mut sets = [Self::EMPTY; 4];
            let (fours, rest) = text.as_chunks::<4>();
            for four in fours {
                for (set, byte) in sets.iter_mut().zip(four) {
                    set.insert(*byte);
                }
            }
            for (set, byte) in sets.iter_mut().zip(rest) {
                set.insert(*byte);
            }
            return sets.into_iter().fold(Self::EMPTY, Self::union);
        }
        let mut seen = [false; 256];
        for byte in text {
            seen[usize::from(*byte)] = true;
        }
        let mut set = Self::EMPTY;
        for (word, seen) in set.0.iter_mut().zip(seen.chunks_exact(64)) {
            *word = seen.iter().rev().fold(0, |word, seen| word << 1 | u64::from(*seen));
        }
        set
    }

    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(crate) const EMPTY: Self = Self([0; 4]);
    pub(crate) const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes listed.
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        let mut at = 0;
        while at < bytes.len() {
            set.0[(bytes[at] >> 6) as usize] |= 1 << (bytes[at] & 63);
            at += 1;
        }
        set
    }

    /// All bytes from `first` to `last`, both included; empty where they are the wrong way round.
    pub(crate) const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::EMPTY;
        let mut byte = first as u16;
        while byte <= last as u16 {
            set.0[(byte >> 6) as usize] |= 1 << (byte & 63);
            byte += 1;
        }
        set
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a | e, b | f, c | g, d | h])
    }

    pub(crate) const fn intersection(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & e, b & f, c & g, d & h])
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Self([a & !e, b & !f, c & !g, d & !h])
    }

    /// Whether they have a byte in common.
    pub(crate) const fn meets(self, other: Self) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        a & e | b & f | c & g | d & h != 0
    }

    pub(crate) const fn complement(self) -> Self {
        Self::ALL.without(self)
    }

    pub(crate) const fn contains(self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    pub(super) fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// With every letter also in its other case. Letters are ASCII, as in PCRE's tables for the C locale.
    pub(crate) const fn with_both_cases(self) -> Self {
        const UPPER: u64 = ((1 << 26) - 1) << 1;
        const LOWER: u64 = UPPER << 32;
        let [a, letters, c, d] = self.0;
        Self([a, letters | (letters & UPPER) << 32 | (letters & LOWER) >> 32, c, d])
    }

    /// What a text of these bytes has when its letters are in lower case.
    pub(crate) const fn in_lower_case(self) -> Self {
        const UPPER: u64 = ((1 << 26) - 1) << 1;
        let [a, letters, c, d] = self.0;
        Self([a, letters & !UPPER | (letters & UPPER) << 32, c, d])
    }

    /// The bytes, ascending.
    pub(crate) fn bytes(self) -> impl Iterator<Item = u8> {
        (0u8..4).zip(self.0).flat_map(|(index, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                word &= word.checked_sub(1)?;
                Some(index << 6 | bit as u8)
            })
        })
    }

    /// The longest runs of neighbours, ascending, as first and last byte.
    pub(super) fn ranges(self) -> impl Iterator<Item = (u8, u8)> {
        let mut bytes = self.bytes().peekable();
        std::iter::from_fn(move || {
            let first = bytes.next()?;
            let mut last = first;
            while let Some(next) = bytes.next_if(|next| *next == last.wrapping_add(1)) {
                last = next;
            }
            Some((first, last))
        })
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[")?;
        for (first, last) in self.ranges() {
            write!(formatter, "{}", first.escape_ascii())?;
            if first != last {
                write!(formatter, "-{}", last.escape_ascii())?;
            }
        }
        formatter.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSet, SHORT};

    #[test]
    fn ranges_are_the_longest_runs() {
        let set = ByteSet::of(b"abcx").union(ByteSet::range(0xfe, 0xff)).union(ByteSet::of(&[0]));
        let runs: Vec<_> = set.ranges().collect();
        assert_eq!(runs, [(0, 0), (b'a', b'c'), (b'x', b'x'), (0xfe, 0xff)]);
        assert_eq!(set.len(), 7);
        assert_eq!(ByteSet::ALL.ranges().collect::<Vec<_>>(), [(0, 255)]);
        assert_eq!(ByteSet::EMPTY.ranges().count(), 0);
    }

    #[test]
    fn only_ascii_letters_have_two_cases() {
        let folded = ByteSet::of(b"aZ@[`{0\xe9").with_both_cases();
        assert_eq!(folded, ByteSet::of(b"aAzZ@[`{0\xe9"));
        let lower = ByteSet::of(b"aZ@[`{0\xe9\xc9").in_lower_case();
        assert_eq!(lower, ByteSet::of(b"az@[`{0\xe9\xc9"));
    }

    #[test]
    fn a_text_has_its_bytes() {
        assert_eq!(ByteSet::in_text(b""), ByteSet::EMPTY);
        assert_eq!(ByteSet::in_text(b"ba\0\xffa@\x3f\x80"), ByteSet::of(b"\0\x3f@ab\x80\xff"));
        for len in [SHORT - 1, SHORT] {
            let mut text = vec![b'x'; len];
            text[9..13].copy_from_slice(b"a\0\xffQ");
            assert_eq!(ByteSet::in_text(&text), ByteSet::of(b"\0Qax\xff"));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(ByteSet::in_text(&all), ByteSet::ALL);
        assert_eq!(ByteSet::ALL.bytes().collect::<Vec<_>>(), all);
        assert!(ByteSet::of(b"ab").meets(ByteSet::of(b"bc")));
        assert!(!ByteSet::of(b"ab").meets(ByteSet::of(b"c\xff")));
    }

    #[test]
    fn complement_and_difference() {
        let set = ByteSet::range(b'a', b'z');
        assert_eq!(set.complement().len(), 230);
        assert_eq!(set.without(ByteSet::range(b'b', b'z')), ByteSet::of(b"a"));
        assert!(ByteSet::range(b'b', b'a').is_empty());
    }
}
