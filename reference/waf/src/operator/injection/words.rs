//! The words of SQL and the shapes of injections.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use libinjectionrs::sqli::sqli_data::SQL_KEYWORDS;

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
    Fingerprint = b'F',
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
            b'F' => Self::Fingerprint,
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

/// Whether injections have this shape.
pub(super) fn is_shape_of_injection(fingerprint: &[u8]) -> bool {
    // In the table they stand behind a 0, in upper case.
    let mut shape = [b'0'; 6];
    let Some(letters) = shape.get_mut(1..=fingerprint.len()) else { return false };
    letters.copy_from_slice(fingerprint);
    word(&shape[..=fingerprint.len()]).is_some_and(|(_, kind)| kind == Kind::Fingerprint)
}

static WORDS: LazyLock<HashMap<&[u8], Kind, BuildHasherDefault<Fnv>>> = LazyLock::new(|| {
    let words = SQL_KEYWORDS.iter();
    words
        .filter_map(|word| Some((word.word.as_bytes(), Kind::of_letter(word.token_type)?)))
        .collect()
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
