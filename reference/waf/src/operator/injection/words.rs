//! The words of SQL and the shapes of injections, read from `sql.txt` when they are first needed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use super::fold::MOST;

const TABLE: &str = include_str!("sql.txt");

/// What a token of SQL is. The numbers are the letters of fingerprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Keyword = b'k',
    Union = b'U',
    Group = b'B',
    Expression = b'E',
    SqlType = b't',
    Function = b'f',
    Bareword = b'n',
    Number = b'1',
    Variable = b'v',
    String = b's',
    Operator = b'o',
    LogicOperator = b'&',
    Comment = b'c',
    Collate = b'A',
    LeftParenthesis = b'(',
    RightParenthesis = b')',
    LeftBrace = b'{',
    RightBrace = b'}',
    Dot = b'.',
    Comma = b',',
    Colon = b':',
    Semicolon = b';',
    Tsql = b'T',
    Unknown = b'?',
    /// What no application writes: conditional and nested comments.
    Evil = b'X',
    Backslash = b'\\',
}

impl Kind {
    fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'k' => Self::Keyword,
            b'U' => Self::Union,
            b'B' => Self::Group,
            b'E' => Self::Expression,
            b't' => Self::SqlType,
            b'f' => Self::Function,
            b'n' => Self::Bareword,
            b'1' => Self::Number,
            b'v' => Self::Variable,
            b'o' => Self::Operator,
            b'&' => Self::LogicOperator,
            b'A' => Self::Collate,
            b'T' => Self::Tsql,
            _ => return None,
        })
    }
}

/// The longest text that a token keeps, in bytes.
pub(super) const LONGEST: usize = 31;

/// A word of SQL, or of several with single spaces between, in any case.
pub(super) fn word(text: &[u8]) -> Option<(&'static [u8], Kind)> {
    let mut upper = [0; LONGEST];
    let upper = upper.get_mut(..text.len())?;
    upper.copy_from_slice(text);
    upper.make_ascii_uppercase();
    WORDS.get_key_value(&*upper).map(|(word, kind)| (*word, *kind))
}

/// All words.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    WORDS.keys().map(|word| std::str::from_utf8(word).expect("the table is text"))
}

/// Whether injections have this shape.
pub(super) fn is_shape_of_injection(fingerprint: &[u8]) -> bool {
    let shape = shape(fingerprint);
    shape.is_some_and(|shape| SHAPES.binary_search(&shape).is_ok())
}

/// Letters of kinds, in upper case; zeros behind the last.
type Shape = [u8; MOST];

fn shape(letters: &[u8]) -> Option<Shape> {
    let mut shape = [0; MOST];
    shape.get_mut(..letters.len())?.copy_from_slice(letters);
    shape.make_ascii_uppercase();
    Some(shape)
}

/// The letter of each line of the table, and what follows it.
fn lines() -> impl Iterator<Item = (u8, &'static str)> {
    let lines = TABLE.lines().filter_map(|line| line.split_once(": "));
    lines.filter_map(|(letter, rest)| match letter.as_bytes() {
        [letter] => Some((*letter, rest)),
        _ => None,
    })
}

static WORDS: LazyLock<HashMap<&[u8], Kind, BuildHasherDefault<Fnv>>> = LazyLock::new(|| {
    let kinds = lines().filter_map(|(letter, words)| Some((Kind::of_letter(letter)?, words)));
    let words = kinds.flat_map(|(kind, words)| words.split(", ").map(move |word| (word, kind)));
    words.map(|(word, kind)| (word.as_bytes(), kind)).collect()
});

static SHAPES: LazyLock<Box<[Shape]>> = LazyLock::new(|| {
    let lists = lines().filter(|(letter, _)| *letter == b'F').map(|(_, shapes)| shapes);
    let mut shapes: Box<[Shape]> =
        lists.flat_map(str::split_ascii_whitespace).filter_map(|it| shape(it.as_bytes())).collect();
    shapes.sort_unstable();
    shapes
});

/// The hash of Fowler, Noll and Vo: quick for short texts. No text from outside is ever put into the table.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, SHAPES, TABLE, WORDS, is_shape_of_injection, word};

    #[test]
    fn the_table_is_read_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        let (shapes, words): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("F: "));
        let commas: usize = words.iter().map(|line| line.matches(", ").count()).sum();
        assert_eq!((WORDS.len(), SHAPES.len()), (commas + words.len(), 8367));
        assert_eq!(shapes.iter().flat_map(|line| line.split(' ').skip(1)).count(), SHAPES.len());
        assert_eq!(WORDS.len(), 985);
    }

    #[test]
    fn words_and_shapes_are_found_in_any_case() {
        assert_eq!(word(b"union All"), Some((&b"UNION ALL"[..], Kind::Union)));
        assert_eq!(word(b":="), Some((&b":="[..], Kind::Operator)));
        assert_eq!(word(b"unions"), None);
        assert!(is_shape_of_injection(b"s&sos") && !is_shape_of_injection(b"s"));
        assert!(!is_shape_of_injection(b"s&sosx"), "no shape is so long");
    }
}
