//! A line of an `authorized_keys` file, the way sshd reads it (sshd(8), "AUTHORIZED_KEYS FILE FORMAT").
//!
//! In doubt a line is a key: sshd knows fewer types than are let pass here, and newer ones know more.

use std::borrow::Cow;

/// A key on a line, in the words that are written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOnLine<'l> {
    /// What stands before the type: `from="…",no-pty`; empty where nothing does.
    pub options: &'l [u8],
    /// The type's name: `ssh-ed25519`.
    pub kind: &'l [u8],
    /// The key in base64; it may hold carriage returns, which sshd passes over.
    pub blob: &'l [u8],
}

impl<'l> KeyOnLine<'l> {
    /// The key's base64 without padding and what sshd passes over within it: two that are equal so are the same key.
    pub(crate) fn digits(&self) -> Cow<'l, [u8]> {
        let padding = self.blob.iter().rev().take_while(|octet| **octet == b'=').count();
        let blob = &self.blob[..self.blob.len() - padding];
        // A blank ends the word: it has none.
        let is_whole = memchr::memchr3(b'\r', 0x0b, 0x0c, blob).is_none()
            && memchr::memchr2(b'=', b'\n', blob).is_none();
        if is_whole {
            return Cow::Borrowed(blob);
        }
        blob.iter().copied().filter(|octet| !is_passed_over(*octet) && *octet != b'=').collect()
    }
}

/// The line as sshd sees it: up to a NUL, without blanks before it and the line's end; `None` for blank
/// lines and comments.
pub fn effective(line: &[u8]) -> Option<&[u8]> {
    let line = memchr::memchr(0, line).map_or(line, |end| &line[..end]);
    let line = past_blanks(line);
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty() && line[0] != b'#').then_some(line)
}

/// The key that sshd would read on a line, if it would.
pub fn key_on(line: &[u8]) -> Option<KeyOnLine<'_>> {
    let line = effective(line)?;
    if let Some((kind, blob)) = key_at(line) {
        return Some(KeyOnLine { options: b"", kind, blob });
    }
    let (options, rest) = past_options(line)?;
    let (kind, blob) = key_at(past_blanks(rest))?;
    Some(KeyOnLine { options, kind, blob })
}

/// Two words of which the second begins as every key in base64 does: with the length of the type's name,
/// whose first three octets are zero. A word with a quote is no type's name but an option that has blanks in it,
/// whatever they stand before.
fn key_at(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (kind, rest) = word(text);
    let (blob, _) = word(past_blanks(rest));
    let first = blob.iter().copied().filter(|octet| !is_passed_over(*octet));
    (first.take(4).eq(*b"AAAA") && !kind.contains(&b'"')).then_some((kind, blob))
}

/// What sshd's decoder passes over within base64: C's `isspace`.
fn is_passed_over(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t'..=b'\r')
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr2(b' ', b'\t', text).unwrap_or(text.len());
    text.split_at(end)
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

fn past_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|octet| !is_blank(*octet)).unwrap_or(text.len());
    &text[start..]
}

/// Options end at a blank outside double quotes; `\"` is a quote within them. `None` where quotes stay open.
fn past_options(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    let mut at = 0;
    while at < text.len() && (quoted || !is_blank(text[at])) {
        match &text[at..] {
            [b'\\', b'"', ..] => at += 1,
            [b'"', ..] => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    (!quoted).then(|| text.split_at(at))
}
