//! Takes a value apart as SQL: what several databases make of it, all at once.

use memchr::{memchr, memmem};

use super::words::{Kind, LONGEST, word};
use crate::operator::byte_set::ByteSet;

/// A token. Its text is cut to what libinjection keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t [u8],
    /// What a string begins with; 0 for what is no string, and for one that began before the value.
    pub(super) open: u8,
    /// What a string ends with; 0 where it does not.
    pub(super) close: u8,
}

impl<'t> Token<'t> {
    fn new(kind: Kind, text: &'t [u8]) -> Self {
        Self { kind, text: &text[..text.len().min(LONGEST)], open: 0, close: 0 }
    }

    /// Whether it is this text in any case.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text.as_bytes())
    }

    pub(super) fn is_unary_operator(&self) -> bool {
        self.kind == Kind::Operator
            && (matches!(self.text, b"+" | b"-" | b"!" | b"~" | b"!!") || self.is("NOT"))
    }

    pub(super) fn is_arithmetic_operator(&self) -> bool {
        self.kind == Kind::Operator && matches!(self.text, b"*" | b"/" | b"-" | b"+" | b"%")
    }
}

/// Where databases do not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `--` starts a comment whatever follows; `#` is an operator.
    Ansi,
    /// `--` starts one before white space; `#` starts one.
    MySql,
}

/// Reads tokens one after the other.
pub(super) struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
    /// The quote that the value is taken to stand behind.
    within: Option<u8>,
    dialect: Dialect,
    /// How many tokens there were, comments among them.
    pub(super) count: usize,
    /// Whether there was something that MySQL reads in another way.
    pub(super) unlike_mysql: bool,
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t [u8], within: Option<u8>, dialect: Dialect) -> Self {
        Self { text, at: 0, within, dialect, count: 0, unlike_mysql: false }
    }

    pub(super) fn next(&mut self) -> Option<Token<'t>> {
        let (token, at) = self.read()?;
        self.at = at;
        self.count += 1;
        Some(token)
    }

    /// The next token and where it ends.
    fn read(&mut self) -> Option<(Token<'t>, usize)> {
        if let (0, Some(quote), false) = (self.at, self.within, self.text.is_empty()) {
            return Some(self.string(0, quote, 0));
        }
        while self.text.get(self.at).is_some_and(|byte| starts_nothing(*byte)) {
            self.at += 1;
        }
        let at = self.at;
        Some(match *self.text.get(at)? {
            b'(' => self.sign(Kind::LeftParenthesis),
            b')' => self.sign(Kind::RightParenthesis),
            b',' => self.sign(Kind::Comma),
            b';' => self.sign(Kind::Semicolon),
            b'{' => self.sign(Kind::LeftBrace),
            b'}' => self.sign(Kind::RightBrace),
            b'?' | b']' => self.sign(Kind::Unknown),
            b'%' | b'+' | b'^' | b'~' => self.sign(Kind::Operator),
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.operator(),
            quote @ (b'\'' | b'"') => self.string(at + 1, quote, quote),
            b'`' => self.backtick(at),
            b'#' => self.hash(),
            b'-' => self.dash(),
            b'/' => self.slash(),
            b'\\' => self.backslash(),
            b'@' => self.variable(),
            b'$' => self.dollar(),
            b'[' => self.bracket(),
            b'.' | b'0'..=b'9' => self.number(),
            b'b' | b'B' => self.digit_string(b"01"),
            b'x' | b'X' => self.digit_string(b"0123456789ABCDEFabcdef"),
            b'e' | b'E' => self.escape_string(),
            b'u' | b'U' => self.unicode_string(),
            b'q' | b'Q' => self.oracle_string(at),
            b'n' | b'N' => match self.text[at + 1..] {
                [b'\'', _, ..] => self.escape_string(),
                _ => self.oracle_string(at + 1),
            },
            _ => self.word(),
        })
    }

    /// A token of this kind from here to `end`.
    fn token(&self, kind: Kind, end: usize) -> (Token<'t>, usize) {
        (Token::new(kind, &self.text[self.at..end]), end)
    }

    fn sign(&self, kind: Kind) -> (Token<'t>, usize) {
        self.token(kind, self.at + 1)
    }

    fn operator(&self) -> (Token<'t>, usize) {
        let rest = &self.text[self.at..];
        if rest.starts_with(b"<=>") {
            return self.token(Kind::Operator, self.at + 3);
        }
        let Some(two) = rest.get(..2) else { return self.sign(Kind::Operator) };
        match word(two) {
            Some((_, kind)) => self.token(kind, self.at + 2),
            None if rest[0] == b':' => self.sign(Kind::Colon),
            None => self.sign(Kind::Operator),
        }
    }

    /// A string whose text starts at `start`.
    fn string(&self, start: usize, quote: u8, open: u8) -> (Token<'t>, usize) {
        let (end, close) = match string_end(self.text, start, quote) {
            Some(end) => (end, quote),
            None => (self.text.len(), 0),
        };
        let token = Token::new(Kind::String, &self.text[start..end]);
        (Token { open, close, ..token }, end + usize::from(close != 0))
    }

    /// MySQL's quoted names: a function's name is still that.
    fn backtick(&self, at: usize) -> (Token<'t>, usize) {
        let (token, end) = self.string(at + 1, b'`', b'`');
        let function = word(token.text).is_some_and(|(_, kind)| kind == Kind::Function);
        let kind = if function { Kind::Function } else { Kind::Bareword };
        (Token { kind, ..token }, end)
    }

    fn comment_to_line_end(&self) -> (Token<'t>, usize) {
        match memchr(b'\n', &self.text[self.at..]) {
            Some(len) => {
                let (token, end) = self.token(Kind::Comment, self.at + len);
                (token, end + 1)
            }
            None => self.token(Kind::Comment, self.text.len()),
        }
    }

    fn hash(&mut self) -> (Token<'t>, usize) {
        self.unlike_mysql = true;
        match self.dialect {
            Dialect::Ansi => self.sign(Kind::Operator),
            Dialect::MySql => self.comment_to_line_end(),
        }
    }

    fn dash(&mut self) -> (Token<'t>, usize) {
        match (&self.text[self.at + 1..], self.dialect) {
            ([b'-'], _) => self.comment_to_line_end(),
            ([b'-', next, ..], _) if is_white(*next) => self.comment_to_line_end(),
            ([b'-', ..], Dialect::Ansi) => {
                self.unlike_mysql = true;
                self.comment_to_line_end()
            }
            _ => self.sign(Kind::Operator),
        }
    }

    fn slash(&self) -> (Token<'t>, usize) {
        let rest = &self.text[self.at..];
        let Some(inside) = rest.strip_prefix(b"/*") else { return self.sign(Kind::Operator) };
        let conditional = inside.first() == Some(&b'!');
        let (end, nested) = match memmem::find(inside, b"*/") {
            Some(len) => {
                let nested = memmem::find(&inside[..=len], b"/*").is_some();
                (self.at + len + 4, nested)
            }
            None => (self.text.len(), false),
        };
        let kind = if conditional || nested { Kind::Evil } else { Kind::Comment };
        self.token(kind, end)
    }

    fn backslash(&self) -> (Token<'t>, usize) {
        // MySQL's other name for NULL.
        if self.text[self.at..].starts_with(b"\\N") {
            self.token(Kind::Number, self.at + 2)
        } else {
            self.sign(Kind::Backslash)
        }
    }

    fn variable(&self) -> (Token<'t>, usize) {
        let mut start = self.at + 1;
        start += usize::from(self.text.get(start) == Some(&b'@'));
        let (token, end) = match self.text.get(start) {
            Some(b'`') => self.backtick(start),
            Some(quote @ (b'\'' | b'"')) => self.string(start + 1, *quote, *quote),
            _ => {
                let end =
                    start + len_until(&self.text[start..], |byte| ENDS_VARIABLE.contains(byte));
                (Token::new(Kind::Variable, &self.text[start..end]), end)
            }
        };
        (Token { kind: Kind::Variable, ..token }, end)
    }

    /// Sums of money, and PostgreSQL's strings between `$$` or `$name$`.
    fn dollar(&self) -> (Token<'t>, usize) {
        let behind = &self.text[self.at + 1..];
        let digits = len_of(behind, b"0123456789.,");
        if digits > 0 {
            return match behind {
                [b'.', ..] if digits == 1 => self.word(),
                _ => self.token(Kind::Number, self.at + 1 + digits),
            };
        }
        let letters =
            behind.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == 0).count();
        if behind.get(letters) != Some(&b'$') {
            return self.sign(Kind::Bareword);
        }
        let start = self.at + letters + 2;
        let end = if letters == 0 {
            memmem::find(&self.text[start..], b"$$").map(|len| start + len)
        } else {
            self.dollar_name_again(letters + 2)
        };
        let token = Token::new(Kind::String, &self.text[start..end.unwrap_or(self.text.len())]);
        match end {
            Some(end) => (Token { open: b'$', close: b'$', ..token }, end + letters + 2),
            None => (Token { open: b'$', ..token }, self.text.len()),
        }
    }

    /// Where `$name$`, of this length, stands again. libinjection looks from `len` on whatever comes before the
    /// name, and as many bytes less far; only what is found behind the name counts.
    fn dollar_name_again(&self, len: usize) -> Option<usize> {
        let name = &self.text[self.at..self.at + len];
        let searched = self.text.get(len..self.text.len() - self.at)?;
        let found = len + memmem::find(searched, name)?;
        (found >= self.at + len).then_some(found)
    }

    /// SQL Server's names in brackets.
    fn bracket(&self) -> (Token<'t>, usize) {
        let rest = &self.text[self.at..];
        let len = memchr(b']', rest).map_or(rest.len(), |len| len + 1);
        self.token(Kind::Bareword, self.at + len)
    }

    fn number(&self) -> (Token<'t>, usize) {
        let rest = &self.text[self.at..];
        let based: Option<&[u8]> = match rest {
            [b'0', b'x' | b'X', ..] => Some(b"0123456789ABCDEFabcdef"),
            [b'0', b'b' | b'B', ..] => Some(b"01"),
            _ => None,
        };
        if let Some(digits) = based {
            let len = len_of(&rest[2..], digits);
            let kind = if len == 0 { Kind::Bareword } else { Kind::Number };
            return self.token(kind, self.at + 2 + len);
        }
        let digits_from =
            |from: usize| from + len_until(&rest[from..], |byte| !byte.is_ascii_digit());
        let mut len = digits_from(0);
        if rest.get(len) == Some(&b'.') {
            len = digits_from(len + 1);
            if len == 1 {
                return self.sign(Kind::Dot);
            }
        }
        let mut kind = Kind::Number;
        if let Some(b'e' | b'E') = rest.get(len) {
            let digits = len + 1 + usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
            len = digits_from(digits);
            if len == digits {
                // An exponent of no digits makes it a word.
                kind = Kind::Bareword;
            }
        }
        // Oracle's suffixes; `1fUNION` is taken for a number before a word.
        if let Some(b'd' | b'D' | b'f' | b'F') = rest.get(len) {
            let ends = |next: &u8| is_white(*next) || matches!(next, b';' | b'u' | b'U');
            len += usize::from(rest.get(len + 1).is_none_or(ends));
        }
        self.token(kind, self.at + len)
    }

    /// `b'01'`, `x'0f'`.
    fn digit_string(&self, digits: &[u8]) -> (Token<'t>, usize) {
        if let [b'\'', inside @ ..] = &self.text[self.at + 1..]
            && !inside.is_empty()
        {
            let len = len_of(inside, digits);
            if inside.get(len) == Some(&b'\'') {
                return self.token(Kind::Number, self.at + len + 3);
            }
        }
        self.word()
    }

    /// `e'…'`, `n'…'`.
    fn escape_string(&self) -> (Token<'t>, usize) {
        match self.text[self.at + 1..] {
            [b'\'', _, ..] => self.string(self.at + 2, b'\'', b'\''),
            _ => self.word(),
        }
    }

    /// `u&'…'`.
    fn unicode_string(&self) -> (Token<'t>, usize) {
        if !self.text[self.at + 1..].starts_with(b"&'") {
            return self.word();
        }
        let (token, end) = self.string(self.at + 3, b'\'', b'u');
        let close = if token.close == 0 { 0 } else { b'u' };
        (Token { close, ..token }, end)
    }

    /// `q'(…)'`, its `q` at `q`.
    fn oracle_string(&self, q: usize) -> (Token<'t>, usize) {
        let Some([b'q' | b'Q', b'\'', delimiter @ b'!'..=0x7f, ..]) = self.text.get(q..) else {
            return self.word();
        };
        let closing = match delimiter {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            other => *other,
        };
        let inside = &self.text[q + 3..];
        let len = memmem::find(inside, &[closing, b'\'']);
        let token = Token::new(Kind::String, &inside[..len.unwrap_or(inside.len())]);
        match len {
            Some(len) => (Token { open: b'q', close: b'q', ..token }, q + 3 + len + 2),
            None => (Token { open: b'q', ..token }, self.text.len()),
        }
    }

    /// A word. One of SQL before a dot or a backtick ends there.
    fn word(&self) -> (Token<'t>, usize) {
        let rest = &self.text[self.at..];
        let len = len_until(rest, |byte| ENDS_WORD.contains(byte));
        let kept = &rest[..len.min(LONGEST)];
        for (at, byte) in kept.iter().enumerate() {
            if matches!(byte, b'.' | b'`')
                && let Some((_, kind)) = word(&kept[..at])
                && kind != Kind::Bareword
            {
                return self.token(kind, self.at + at);
            }
        }
        let kind = word(&rest[..len]).map_or(Kind::Bareword, |(_, kind)| kind);
        self.token(kind, self.at + len)
    }
}

/// Where the quote stands that ends a string: not behind a backslash that is not itself escaped, and not doubled.
fn string_end(text: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr(quote, &text[at..])?;
        let backslashes = text[start..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 1 {
            at += 1;
        } else if text.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at);
        }
    }
}

fn len_until(text: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| stop(*byte)).unwrap_or(text.len())
}

/// The number of bytes of a set at the start. NUL bytes count with any set, as they end the set's text in C.
fn len_of(text: &[u8], set: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == 0 || set.contains(byte)).count()
}

fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t'..=b'\r' | b' ' | 0xa0)
}

/// Bytes between tokens: white space and control characters.
fn starts_nothing(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 0x7f | 0xa0)
}

/// What ends the name of a variable.
const ENDS_VARIABLE: ByteSet =
    ByteSet::of(b"\0 <>:\\?=@!#~+-*/&|^%(),';`\"").union(ByteSet::range(b'\t', b'\r'));

/// What ends a word.
const ENDS_WORD: ByteSet = ENDS_VARIABLE.without(ByteSet::of(b"`")).union(ByteSet::of(b"[]{}\xa0"));
