//! Comma-separated lists (RFC 9110 §5.6.1).

use edgeproof_mutant::{self as mutant, Mutant};

/// The members of one field line's list, trimmed, empty ones left out. A comma inside a quoted
/// string does not separate; a quote that is never closed is an ordinary character, so that
/// it cannot hide the members after it.
pub(crate) fn members(line: &[u8]) -> Members<'_> {
    Members { rest: line }
}

#[derive(Clone)]
pub(crate) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = member_end(self.rest);
            let member = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !member.is_empty() {
                return Some(member);
            }
            if mutant::is(Mutant::StopsAtEmptyMember) {
                return None;
            }
        }
        None
    }
}

fn member_end(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b',' => return at,
            b'"' if !mutant::is(Mutant::QuotedCommasSeparate) => {
                at = quoted_end(text, at).unwrap_or(at + 1);
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// The offset after the quoted-string that starts at `start`, if it is closed.
pub(crate) fn quoted_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < text.len() {
        match text[at] {
            b'"' => return Some(at + 1),
            b'\\' if !mutant::is(Mutant::UnescapesNothing) => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// `text` without the spaces and tabs round it (OWS).
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// `tchar` of RFC 9110 §5.6.2.
pub(crate) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether `text` is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_tchar(byte))
}
