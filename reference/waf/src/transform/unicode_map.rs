//! Which byte stands for a character beyond ASCII: `SecUnicodeMapFile`.

use std::path::{Path, PathBuf};

use super::digits::hex_value;

/// The best fits of a code page, for `t:urlDecodeUni`. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnicodeMap {
    /// Code and byte, in the order of the codes.
    pairs: Vec<(u16, u8)>,
}

/// Why a file of code pages cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnicodeMapError {
    /// The file cannot be read.
    #[error("cannot read the Unicode map {}", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It has no list for that code page.
    #[error("the Unicode map has no code page {0}")]
    NoSuchCodePage(u32),
}

/// Full stops that host names may be written with (RFC 3490 §3.1); in every map.
const FULL_STOPS: [(u16, u8); 4] = [(0x002e, b'.'), (0x3002, b'.'), (0xff0e, b'.'), (0xff61, b'.')];

impl UnicodeMap {
    /// That of US-ASCII (code page 20127), which ModSecurity's recommended configuration names: what holds
    /// where nobody names another.
    #[must_use]
    pub fn us_ascii() -> Self {
        const PAGE: u32 = 20_127;
        let Ok(map) = Self::parse(include_bytes!("us_ascii.txt"), PAGE) else {
            unreachable!("the file beside this one has that page")
        };
        map
    }

    /// Reads the list of one code page from a file in the format of ModSecurity's `unicode.mapping`.
    pub fn read(path: &Path, code_page: u32) -> Result<Self, UnicodeMapError> {
        let text = std::fs::read(path)
            .map_err(|error| UnicodeMapError::Unreadable(path.to_owned(), error))?;
        Self::parse(&text, code_page)
    }

    /// Reads the list of one code page: behind its number, pairs `code:byte` in hexadecimal digits up to the next
    /// word that is no pair.
    pub fn parse(text: &[u8], code_page: u32) -> Result<Self, UnicodeMapError> {
        let number = code_page.to_string();
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        if !words.any(|word| word == number.as_bytes()) {
            return Err(UnicodeMapError::NoSuchCodePage(code_page));
        }
        // Between the number and the pairs stands the page's name. A page without pairs ends at the next number.
        let is_name = |word: &&[u8]| !word.contains(&b':') && !word.iter().all(u8::is_ascii_digit);
        let listed =
            words.skip_while(is_name).take_while(|word| word.contains(&b':')).filter_map(pair);
        let mut pairs: Vec<_> = FULL_STOPS.into_iter().chain(listed).collect();
        // The last of several pairs for one code counts.
        pairs.reverse();
        pairs.sort_by_key(|(code, _)| *code);
        pairs.dedup_by_key(|(code, _)| *code);
        Ok(Self { pairs })
    }

    /// The byte that the map has for a code.
    pub fn byte(&self, code: u16) -> Option<u8> {
        let at = self.pairs.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        Some(self.pairs[at].1)
    }
}

fn pair(word: &[u8]) -> Option<(u16, u8)> {
    let colon = word.iter().position(|byte| *byte == b':')?;
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0u32, |number, digit| {
            Some(number.checked_mul(16)? + u32::from(hex_value(*digit)?))
        })
    };
    // Only the low byte counts.
    Some((u16::try_from(number(&word[..colon])?).ok()?, number(&word[colon + 1..])? as u8))
}
