//! The words of an action.

use std::ops::Range;

use super::functions::Item;

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A text in quotes or a number.
    Item(Item),
    Name(String),
    /// `.Payload`
    Payload,
    Pipe,
    Open,
    Close,
}

/// The words of an action.
pub(super) struct Words {
    /// Each with its place.
    pub(super) words: Vec<(Word, Range<usize>)>,
    /// Behind the closing braces.
    pub(super) end: usize,
    /// Does white space after them go too?
    pub(super) trims_after: bool,
}

/// The words from there to the closing braces. `None` where something stands there that no template has.
pub(super) fn words(text: &str, from: usize) -> Option<Words> {
    let mut words = Vec::new();
    let mut at = from;
    loop {
        let rest = &text[at..];
        let first = rest.chars().next()?;
        if rest.starts_with("}}") {
            return Some(Words { words, end: at + 2, trims_after: false });
        }
        if first.is_whitespace() {
            let space = rest.trim_start();
            at = text.len() - space.len();
            if space.starts_with("-}}") {
                return Some(Words { words, end: at + 3, trims_after: true });
            }
            continue;
        }
        let (word, length) = word(rest)?;
        // Two words that touch are none: `a.b`, `"a"b`.
        let touches = text[..at].ends_with(|c: char| c.is_alphanumeric() || "\"`_.".contains(c));
        if at > from && touches && !matches!(word, Word::Pipe | Word::Close) {
            return None;
        }
        words.push((word, at..at + length));
        at += length;
    }
}

/// The word at the front, and its length in octets.
fn word(text: &str) -> Option<(Word, usize)> {
    let first = text.chars().next()?;
    Some(match first {
        '|' => (Word::Pipe, 1),
        '(' => (Word::Open, 1),
        ')' => (Word::Close, 1),
        '"' => {
            let (bytes, length) = quoted(text)?;
            (Word::Item(Item::Text(bytes)), length)
        }
        '`' => {
            let end = text[1..].find('`')? + 1;
            (Word::Item(Item::Text(text.as_bytes()[1..end].to_vec())), end + 1)
        }
        '.' => {
            let name = name_at(&text[1..]);
            (name == "Payload").then_some((Word::Payload, 1 + name.len()))?
        }
        '-' | '0'..='9' => {
            let sign = usize::from(first == '-');
            let digits = text[sign..].find(|c: char| !c.is_ascii_digit());
            let length = sign + digits.unwrap_or(text.len() - sign);
            (Word::Item(Item::Number(text[..length].parse().ok()?)), length)
        }
        c if c.is_ascii_alphabetic() || c == '_' => {
            let name = name_at(text);
            (Word::Name(name.to_owned()), name.len())
        }
        _ => return None,
    })
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// A text in double quotes with its escapes undone, as Go writes them, and its length with the quotes.
fn quoted(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((bytes, at + 1)),
            '\n' => return None,
            '\\' => {
                let (_, escape) = letters.next()?;
                match escape {
                    'a' => bytes.push(0x07),
                    'b' => bytes.push(0x08),
                    'f' => bytes.push(0x0c),
                    'n' => bytes.push(b'\n'),
                    'r' => bytes.push(b'\r'),
                    't' => bytes.push(b'\t'),
                    'v' => bytes.push(0x0b),
                    '\\' | '"' => bytes.push(u8::try_from(escape).ok()?),
                    'x' => {
                        let octet = digits(&mut letters, String::new(), 2, 16)?;
                        bytes.push(u8::try_from(octet).ok()?);
                    }
                    'u' => push(&mut bytes, digits(&mut letters, String::new(), 4, 16)?)?,
                    'U' => push(&mut bytes, digits(&mut letters, String::new(), 8, 16)?)?,
                    '0'..='7' => {
                        let octal = digits(&mut letters, escape.to_string(), 3, 8)?;
                        bytes.push(u8::try_from(octal).ok()?);
                    }
                    _ => return None,
                }
            }
            letter => push(&mut bytes, u32::from(letter))?,
        }
    }
    None
}

/// A number of exactly so many digits, of which some may have been read already.
fn digits(
    letters: &mut impl Iterator<Item = (usize, char)>,
    mut read: String,
    count: usize,
    radix: u32,
) -> Option<u32> {
    while read.len() < count {
        read.push(letters.next()?.1);
    }
    u32::from_str_radix(&read, radix).ok()
}

fn push(bytes: &mut Vec<u8>, letter: u32) -> Option<()> {
    let mut buffer = [0; 4];
    bytes.extend_from_slice(char::from_u32(letter)?.encode_utf8(&mut buffer).as_bytes());
    Some(())
}
