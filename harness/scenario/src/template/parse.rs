//! Text to pieces: what is a placeholder and what is only a pair of braces.

use std::ops::Range;

use edgeproof_diagnostics::suggest;

use super::FILTERS;
use crate::model::Filter;

/// The most octets that one `{{fill:…}}` may make.
const LARGEST_FILL: usize = 16 << 20;

/// A piece of a text and where it stands in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// In bytes of the text.
    pub(crate) at: Range<usize>,
    /// What it is.
    pub(crate) found: Found,
}

/// What a [`Piece`] is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// Text as it stands.
    Text,
    /// `{{hex:…}}` or `{{fill:…}}`, spelled out.
    Bytes(Vec<u8>),
    /// `{{name|filter}}`.
    Variable(String, Vec<Filter>),
    /// It has the form of a placeholder and a mistake in it.
    Mistake {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

/// The pieces of a text, in order and without a gap.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        let Some(close) = text[open + 2..].find("}}").map(|at| open + 2 + at) else { break };
        let Some(found) = placeholder(&text[open + 2..close]) else {
            // `{{{name}}`: the placeholder may begin one brace later.
            from = open + 1;
            continue;
        };
        let end = close + 2;
        if plain < open {
            pieces.push(Piece { at: plain..open, found: Found::Text });
        }
        pieces.push(Piece { at: open..end, found });
        plain = end;
        from = end;
    }
    if plain < text.len() {
        pieces.push(Piece { at: plain..text.len(), found: Found::Text });
    }
    pieces
}

/// What stands between the braces, if it is one of the four forms.
fn placeholder(inside: &str) -> Option<Found> {
    if let Some(digits) = inside.strip_prefix("hex:") {
        return Some(hex(digits));
    }
    if let Some(fill) = inside.strip_prefix("fill:") {
        return Some(self::fill(fill));
    }
    let mut words = inside.split('|');
    let name = words.next().filter(|name| is_name(name))?;
    let words: Vec<&str> = words.collect();
    if !words.iter().all(|word| is_name(word)) {
        return None;
    }
    let mut filters = Vec::new();
    for word in words {
        match FILTERS.iter().find(|(filter, _)| *filter == word) {
            Some((_, filter)) => filters.push(*filter),
            None => return Some(unknown_filter(word)),
        }
    }
    Some(Found::Variable(name.to_owned(), filters))
}

/// A letter or `_`, then letters, digits, `_` and `-`.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-'))
}

fn unknown_filter(word: &str) -> Found {
    let names = FILTERS.map(|(name, _)| name);
    let help = match suggest(word, names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("filters are `{}`", names.join("`, `")),
    };
    Found::Mistake { message: format!("unknown filter `{word}`"), help: Some(help) }
}

fn hex(digits: &str) -> Found {
    match decode_hex(digits) {
        Some(bytes) => Found::Bytes(bytes),
        None => Found::Mistake {
            message: format!("`{digits}` is not an even number of hexadecimal digits"),
            help: None,
        },
    }
}

/// Pairs of hexadecimal digits, of either case.
pub(crate) fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn fill(fill: &str) -> Found {
    let mistake = |message: String| Found::Mistake {
        message,
        help: Some("write the text, `*` and how many times, as in `{{fill:A*8192}}`".to_owned()),
    };
    let Some((text, times)) = fill.rsplit_once('*').filter(|(text, _)| !text.is_empty()) else {
        return mistake(format!("`{fill}` does not say what is repeated how many times"));
    };
    let Ok(times) = times.parse::<usize>() else {
        return mistake(format!("`{times}` is not a whole number"));
    };
    match text.len().checked_mul(times) {
        Some(size) if size <= LARGEST_FILL => Found::Bytes(text.as_bytes().repeat(times)),
        _ => mistake(format!("`{fill}` makes more than {LARGEST_FILL} octets")),
    }
}
