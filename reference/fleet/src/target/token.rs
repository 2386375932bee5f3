//! A target's text in words, texts and signs.

use std::ops::Range;

use edgeproof_diagnostics::{Diagnostic, Source};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A name or a key word.
    Word(String),
    /// `'text'`, without its quotes.
    Text(String),
    /// `4`, `2.5`.
    Number(f64),
    /// `=`, `<>`, `->>`, `(`…
    Sign(&'static str),
    /// Where the text ends.
    End,
}

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: Range<usize>,
}

/// The longer of two that begin alike comes first.
const SIGNS: [&str; 17] = [
    "->>", "!~*", "<>", "!=", "<=", ">=", "~*", "!~", "->", "=", "<", ">", "~", "(", ")", ",", ".",
];

/// Cuts a text into tokens; the last is [`Kind::End`].
pub(super) fn tokens(source: &Source) -> Result<Vec<Token>, Diagnostic> {
    let text = source.text();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            blank if blank.is_whitespace() => {
                at += blank.len_utf8();
                continue;
            }
            '\'' => quoted(source, at)?,
            '0'..='9' | '-'
                if first != '-' || rest[1..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                number(source, at)?
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let length = length.unwrap_or(rest.len());
                (Kind::Word(rest[..length].to_owned()), length)
            }
            '?' => (Kind::Sign("?"), 1),
            other => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Kind::Sign(sign), sign.len()),
                None => return Err(strange(source, at, other)),
            },
        };
        tokens.push(Token { kind, at: at..at + length });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, at: text.len()..text.len() });
    Ok(tokens)
}

/// `'…'`; a quote within is written twice.
fn quoted(source: &Source, at: usize) -> Result<(Kind, usize), Diagnostic> {
    let mut value = String::new();
    let mut rest = source.text()[at + 1..].char_indices().peekable();
    while let Some((offset, character)) = rest.next() {
        match character {
            '\'' if rest.peek().is_some_and(|(_, next)| *next == '\'') => {
                rest.next();
                value.push('\'');
            }
            '\'' => return Ok((Kind::Text(value), offset + 2)),
            other => value.push(other),
        }
    }
    let whole = source.span(at..source.text().len());
    Err(Diagnostic::error("this text has no end")
        .at(&whole)
        .help("put a `'` at its end; a `'` within it is written twice"))
}

fn number(source: &Source, at: usize) -> Result<(Kind, usize), Diagnostic> {
    let rest = &source.text()[at..];
    let end =
        rest[1..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |n| n + 1);
    match rest[..end].parse() {
        Ok(number) => Ok((Kind::Number(number), end)),
        Err(_) => {
            let message = format!("`{}` is no number", &rest[..end]);
            Err(Diagnostic::error(message).at(&source.span(at..at + end)))
        }
    }
}

fn strange(source: &Source, at: usize, character: char) -> Diagnostic {
    let span = source.span(at..at + character.len_utf8());
    let error = Diagnostic::error(format!("`{character}` means nothing here")).at(&span);
    match character {
        '"' | '`' | '\u{2018}' | '\u{2019}' => {
            error.help("a text stands in single quotes: 'daemon'")
        }
        '*' | '%' => error.help("patterns are texts: name GLOB 'web*', name LIKE 'web%'"),
        '&' | '|' => error.help("conditions are joined by AND and OR"),
        ';' => error.help("a target is one condition"),
        _ => error,
    }
}
