//! Reads what starts with a backslash, outside of classes and within.

use super::error::{PatternError, Problem};
use super::parser::{Item, Options, Parser, decimal, literal};
use super::syntax::{Assertion, Node};
use crate::operator::byte_set::ByteSet;

pub(super) const DIGIT: ByteSet = ByteSet::range(b'0', b'9');
pub(super) const LETTER: ByteSet = ByteSet::range(b'a', b'z').with_both_cases();
pub(super) const WORD: ByteSet = DIGIT.union(LETTER).union(ByteSet::of(b"_"));
pub(super) const SPACE: ByteSet = ByteSet::range(b'\t', b'\r').union(ByteSet::of(b" "));
/// Without UTF-8 the bytes are Latin-1 here: A0 is the no-break space.
const HORIZONTAL: ByteSet = ByteSet::of(b"\t \xa0");
/// 85 is Latin-1's next line.
const VERTICAL: ByteSet = ByteSet::range(b'\n', b'\r').union(ByteSet::of(b"\x85"));

impl Parser<'_> {
    /// The escape at this backslash, outside of a class.
    pub(super) fn escape(&mut self, options: &Options) -> Result<Item, PatternError> {
        let start = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else {
            return Err(PatternError { at: start, problem: Problem::TrailingBackslash });
        };
        self.at += 1;
        if let Some(set) = escaped_set(letter) {
            return Ok(Item::Atom(Node::Set(set)));
        }
        let place = |assertion| Ok(Item::Place(Node::Assert(assertion)));
        match letter {
            b'A' | b'G' => place(Assertion::Start),
            b'z' => place(Assertion::End),
            b'Z' => place(Assertion::EndOrLastLineFeed),
            b'b' => place(Assertion::WordBoundary),
            b'B' => place(Assertion::NoWordBoundary),
            b'K' => Ok(Item::Place(Node::Keep)),
            b'N' if self.rest().starts_with(b"{U+") => self.problem(Problem::NotAByte),
            b'N' => Ok(Item::Atom(Node::Set(ByteSet::of(b"\n").complement()))),
            b'C' => Ok(Item::Atom(Node::Set(ByteSet::ALL))),
            b'R' => Ok(Item::Atom(any_line_break())),
            b'Q' => {
                self.quoting = true;
                Ok(Item::Nothing)
            }
            b'1'..=b'9' => self.reference_or_octal(start, options),
            b'g' => self.reference(start, options),
            b'k' => {
                let end = match self.peek() {
                    Some(b'<') => b'>',
                    Some(b'{') => b'}',
                    Some(b'\'') => b'\'',
                    _ => return self.problem(Problem::BadName),
                };
                self.at += 1;
                self.named_reference(end, options)
            }
            b'p' | b'P' | b'X' => {
                Err(PatternError { at: start, problem: Problem::Unsupported("Unicode properties") })
            }
            _ => self.escaped_byte(start, letter).map(|byte| Item::Atom(literal(byte, options))),
        }
    }

    /// The single byte that an escape stands for; `letter` and what is before it have been read.
    pub(super) fn escaped_byte(&mut self, start: usize, letter: u8) -> Result<u8, PatternError> {
        match letter {
            b'a' => Ok(0x07),
            b'e' => Ok(0x1b),
            b'f' => Ok(0x0c),
            b'n' => Ok(b'\n'),
            b'r' => Ok(b'\r'),
            b't' => Ok(b'\t'),
            b'0' => {
                self.at -= 1;
                self.octal(start)
            }
            b'o' => self.number_in_braces(8),
            b'x' if self.peek() == Some(b'{') => self.number_in_braces(16),
            b'x' => {
                let mut byte = 0;
                for _ in 0..2 {
                    let digit = self.peek().and_then(|digit| char::from(digit).to_digit(16));
                    let Some(digit) = digit else { break };
                    self.at += 1;
                    byte = byte << 4 | digit as u8;
                }
                Ok(byte)
            }
            b'c' => match self.peek() {
                Some(control @ b' '..=b'~') => {
                    self.at += 1;
                    Ok(control.to_ascii_uppercase() ^ 0x40)
                }
                _ => self.problem(Problem::BadControl),
            },
            _ if letter.is_ascii_alphanumeric() => {
                Err(PatternError { at: start, problem: Problem::UnknownEscape })
            }
            _ => Ok(letter),
        }
    }

    /// Up to three octal digits from here.
    pub(super) fn octal(&mut self, start: usize) -> Result<u8, PatternError> {
        let mut number = 0u32;
        for _ in 0..3 {
            let Some(digit @ b'0'..=b'7') = self.peek() else { break };
            self.at += 1;
            number = number << 3 | u32::from(digit - b'0');
        }
        u8::try_from(number).map_err(|_| PatternError { at: start, problem: Problem::NotAByte })
    }

    /// `{…}` in the given base.
    fn number_in_braces(&mut self, base: u32) -> Result<u8, PatternError> {
        let at = self.at;
        let bad = |problem| Err(PatternError { at, problem });
        if !self.eat(b"{") {
            return bad(Problem::BadNumber);
        }
        let digits = self.take_until(|byte| byte == b'}');
        let digits = std::str::from_utf8(digits).unwrap_or_default();
        let plain = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        if !plain || !self.eat(b"}") {
            return bad(Problem::BadNumber);
        }
        match u8::from_str_radix(digits, base) {
            Ok(byte) => Ok(byte),
            Err(_) => bad(Problem::NotAByte),
        }
    }

    /// `\1` and on: below 10, with a first digit of 8 or 9, or if so many groups stand before, a reference; else
    /// up to three octal digits.
    fn reference_or_octal(
        &mut self,
        start: usize,
        options: &Options,
    ) -> Result<Item, PatternError> {
        self.at = start + 1;
        let first = self.peek();
        let digits = self.take_until(|byte| !byte.is_ascii_digit());
        let group = decimal(digits).unwrap_or(u32::MAX);
        if group < 10 || group <= self.groups || matches!(first, Some(b'8' | b'9')) {
            return Ok(self.backreference(group, start, options));
        }
        self.at = start + 1;
        Ok(Item::Atom(literal(self.octal(start)?, options)))
    }

    /// `\g1`, `\g{1}`, `\g{-1}`, `\g{name}`.
    fn reference(&mut self, start: usize, options: &Options) -> Result<Item, PatternError> {
        if matches!(self.peek(), Some(b'<' | b'\'')) {
            let what = "recursion and calls of groups";
            return Err(PatternError { at: start, problem: Problem::Unsupported(what) });
        }
        let braces = self.eat(b"{");
        let sign = self.peek().filter(|sign| matches!(sign, b'-' | b'+'));
        self.at += usize::from(sign.is_some());
        if braces && sign.is_none() && !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.named_reference(b'}', options);
        }
        let Some(number) = decimal(self.take_until(|byte| !byte.is_ascii_digit())) else {
            return self.problem(Problem::BadNumber);
        };
        if braces && !self.eat(b"}") {
            return self.problem(Problem::BadNumber);
        }
        let group = match sign {
            None => Some(number),
            Some(b'-') => (self.groups + 1).checked_sub(number),
            Some(_) => self.groups.checked_add(number),
        };
        match group {
            Some(group) if group > 0 && number > 0 => Ok(self.backreference(group, start, options)),
            _ => Err(PatternError { at: start, problem: Problem::UnknownGroup }),
        }
    }

    /// A reference by the name that stands here up to `end`.
    pub(super) fn named_reference(
        &mut self,
        end: u8,
        options: &Options,
    ) -> Result<Item, PatternError> {
        let at = self.at;
        let name = self.name(end)?;
        match self.names.iter().find(|(known, _)| *known == name) {
            Some(&(_, group)) => Ok(self.backreference(group, at, options)),
            None => Err(PatternError { at, problem: Problem::UnknownName }),
        }
    }

    fn backreference(&mut self, group: u32, at: usize, options: &Options) -> Item {
        if self.furthest.is_none_or(|(furthest, _)| furthest < group) {
            self.furthest = Some((group, at));
        }
        Item::Atom(Node::Backreference { group, fold: options.fold })
    }
}

/// The set that a letter behind a backslash stands for, outside of a class and within.
pub(super) fn escaped_set(letter: u8) -> Option<ByteSet> {
    let set = match letter.to_ascii_lowercase() {
        b'd' => DIGIT,
        b'h' => HORIZONTAL,
        b's' => SPACE,
        b'v' => VERTICAL,
        b'w' => WORD,
        _ => return None,
    };
    Some(if letter.is_ascii_uppercase() { set.complement() } else { set })
}

/// `\R`: CR LF is never taken apart.
fn any_line_break() -> Node {
    let cr_lf = Node::Concat(vec![Node::Set(ByteSet::of(b"\r")), Node::Set(ByteSet::of(b"\n"))]);
    Node::Atomic(Box::new(Node::Alternate(vec![cr_lf, Node::Set(VERTICAL)])))
}
