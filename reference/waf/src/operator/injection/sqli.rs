//! The verdict on SQL: what shape the tokens have, and whether that of an innocent text could be the same.

use std::fmt;

use memchr::{memchr, memmem};

use super::fold::{Folded, MOST, fold};
use super::tokens::{Dialect, Token, Tokens};
use super::words::{Kind, is_shape_of_injection};

/// The letters of the kinds of a value's tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    letters: [u8; MOST],
    len: usize,
}

impl Fingerprint {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.letters[..self.len]
    }

    fn of(tokens: &[Token<'_>]) -> Self {
        let mut letters = [0; MOST];
        for (letter, token) in letters.iter_mut().zip(tokens) {
            *letter = token.kind as u8;
        }
        Self { letters, len: tokens.len().min(MOST) }
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.as_bytes().escape_ascii())
    }
}

/// The fingerprint of a value that is an injection: as it stands, or behind a quote of either kind.
pub(super) fn fingerprint(value: &[u8]) -> Option<Fingerprint> {
    let plain = Reading::new(value, None, Dialect::Ansi);
    let as_it_stands = plain.verdict().or_else(|| plain.again_for_mysql()?.verdict());
    let behind_single = || {
        memchr(b'\'', value)?;
        let ansi = Reading::new(value, Some(b'\''), Dialect::Ansi);
        ansi.verdict().or_else(|| ansi.again_for_mysql()?.verdict())
    };
    let behind_double = || {
        memchr(b'"', value)?;
        Reading::new(value, Some(b'"'), Dialect::MySql).verdict()
    };
    as_it_stands.or_else(behind_single).or_else(behind_double)
}

/// A value read in one way.
struct Reading<'t> {
    value: &'t [u8],
    within: Option<u8>,
    folded: Folded<'t>,
    /// How many tokens there were before they were folded.
    count: usize,
    unlike_mysql: bool,
}

impl<'t> Reading<'t> {
    fn new(value: &'t [u8], within: Option<u8>, dialect: Dialect) -> Self {
        let mut tokens = Tokens::new(value, within, dialect);
        let folded = fold(&mut tokens);
        Self { value, within, folded, count: tokens.count, unlike_mysql: tokens.unlike_mysql }
    }

    /// As MySQL reads it, if that could make a difference.
    fn again_for_mysql(&self) -> Option<Self> {
        self.unlike_mysql.then(|| Self::new(self.value, self.within, Dialect::MySql))
    }

    fn verdict(&self) -> Option<Fingerprint> {
        let mut tokens: smallvec::SmallVec<[Token<'_>; MOST]> =
            self.folded.tokens().copied().collect();
        if let [_, _, .., last] = tokens.as_mut_slice()
            && last.kind == Kind::Bareword
            && (last.open, last.close, last.text) == (b'`', 0, b"")
        {
            // A single backtick at the end is a comment to some.
            last.kind = Kind::Comment;
        }
        if let Some(evil) = tokens.iter().find(|token| token.kind == Kind::Evil) {
            let fingerprint = Fingerprint::of(&[*evil]);
            return is_shape_of_injection(fingerprint.as_bytes()).then_some(fingerprint);
        }
        let fingerprint = Fingerprint::of(&tokens);
        let found = is_shape_of_injection(fingerprint.as_bytes())
            && !self.is_innocent(&tokens, fingerprint.as_bytes());
        found.then_some(fingerprint)
    }

    /// Whether a shape that injections have is here more likely an innocent text.
    fn is_innocent(&self, tokens: &[Token<'_>], fingerprint: &[u8]) -> bool {
        // MS SQL Server keeps commands with this word out of its log.
        if let [_, .., b'c'] = fingerprint
            && memmem::find(self.value, b"sp_password").is_some()
        {
            return false;
        }
        match tokens {
            [first, second] => self.is_innocent_pair(first, second),
            [first, second, third] => match fingerprint {
                // `…' and '…`: an injection if it is as if cut out between two quotes of one kind.
                b"sos" | b"s&s" => {
                    !(first.open == 0 && third.close == 0 && first.close == third.open)
                }
                b"s&n" | b"n&1" | b"1&1" | b"1&v" | b"1&s" => self.count == 3,
                _ if second.kind == Kind::Keyword => {
                    let start = second.text.get(..4).unwrap_or_default();
                    second.text.len() < 5 || !start.eq_ignore_ascii_case(b"INTO")
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_innocent_pair(&self, first: &Token<'_>, second: &Token<'_>) -> bool {
        if second.kind == Kind::Union {
            // `1 union` and nothing folded.
            return self.count == 2;
        }
        let start = second.text.first();
        if start == Some(&b'#') {
            return true;
        }
        match (first.kind, second.kind) {
            (Kind::Bareword, Kind::Comment) if start != Some(&b'/') => true,
            (Kind::Number, Kind::Comment) if start == Some(&b'/') || self.count > 2 => false,
            (Kind::Number, Kind::Comment) => {
                // `1234--` is an injection, `1234-abc--` an identifier.
                match self.value.get(first.text.len()..) {
                    None | Some([] | [0..=b' ' | 0x80.., ..]) => false,
                    Some(rest) => !rest.starts_with(b"/*") && !rest.starts_with(b"--"),
                }
            }
            // In texts `--` has something behind it.
            _ => start == Some(&b'-') && second.text.len() > 2,
        }
    }
}
