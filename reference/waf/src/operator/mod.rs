//! Operators: what a rule asks of a value.
//!
//! An operator is compiled once, when the rules are loaded, and mistakes in its argument are told then. Behaviour is
//! that of ModSecurity 2.9.7; where that is an accident of C (a NUL byte that ends a text, numbers cut to 32 bits) it
//! is what the reference manual says instead.

mod address;
mod argument;
mod byte_set;
mod captures;
mod compile;
mod encoding;
mod files;
mod injection;
mod number;
mod phrase;
mod rx;
mod rx_macros;
mod text;

use std::fmt;

use smallvec::{SmallVec, smallvec};

pub use self::byte_set::ByteSet;
pub use self::captures::Captures;
pub(crate) use self::number::leading_number;
pub(crate) use self::rx::Screen;

use self::address::Addresses;
use self::argument::{Argument, Expand};
use self::number::Comparison;
use self::phrase::Phrases;
use self::rx::Rx;
use self::rx_macros::RxWithMacros;
use self::text::Relation;
use crate::seclang::Template;

/// A compiled operator.
pub struct Operator {
    /// Whether a rule with it matches where it does not. [`Operator::matches`] leaves that to the caller.
    pub negated: bool,
    kind: Kind,
}

/// What an operator says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It matches.
    Match,
    /// It does not.
    NoMatch,
    /// A regular expression took too many steps to say; ModSecurity takes that for no match, and sets
    /// `MSC_PCRE_LIMITS_EXCEEDED`.
    LimitReached,
}

impl From<bool> for Outcome {
    fn from(matches: bool) -> Self {
        if matches { Self::Match } else { Self::NoMatch }
    }
}

enum Kind {
    Rx(Rx),
    RxWithMacros(RxWithMacros),
    Phrases(Phrases),
    Text(Relation, Argument),
    Number(Comparison, i64),
    NumberWithMacros(Comparison, Template),
    Addresses(Addresses),
    /// The bytes that are allowed.
    ByteRange(ByteSet),
    UrlEncoding,
    Utf8Encoding,
    Sqli,
    Xss,
    /// `@unconditionalMatch`
    Always,
    /// `@noMatch`, and what would need a network or a database: `@rbl`, `@geoLookup`.
    Never,
}

impl Operator {
    /// Whether the operator matches the value; [`Operator::negated`] is not applied.
    ///
    /// `expand` calls back with a text, its macros replaced by their values. `captures`, where they are asked
    /// for, get what was found; where nothing was they are emptied. `@rx` puts down its groups, `@pm` the phrase,
    /// `@detectSQLi` the fingerprint, `@detectXSS` the value; other operators capture nothing.
    pub fn matches(
        &self,
        value: &[u8],
        expand: Expand<'_>,
        mut captures: Option<&mut Captures>,
    ) -> Outcome {
        if let Some(captures) = captures.as_deref_mut() {
            captures.clear();
        }
        match &self.kind {
            Kind::Rx(rx) => rx.matches(value, captures),
            Kind::RxWithMacros(rx) => rx.matches(value, expand, captures),
            Kind::Phrases(phrases) => phrases.matches(value, captures).into(),
            Kind::Text(relation, argument) => {
                argument.judge(expand, |argument| relation.holds(value, argument)).into()
            }
            Kind::Number(comparison, number) => {
                comparison.holds(leading_number(value), *number).into()
            }
            Kind::NumberWithMacros(comparison, template) => {
                let mut number = 0;
                expand(template, &mut |argument| number = leading_number(argument));
                comparison.holds(leading_number(value), number).into()
            }
            Kind::Addresses(addresses) => addresses.contains(value).into(),
            Kind::ByteRange(allowed) => encoding::has_other_bytes(value, *allowed).into(),
            Kind::UrlEncoding => encoding::has_bad_url_encoding(value).into(),
            Kind::Utf8Encoding => encoding::has_bad_utf8(value).into(),
            Kind::Sqli => injection::is_sqli(value, captures).into(),
            Kind::Xss => injection::is_xss(value, captures).into(),
            Kind::Always => Outcome::Match,
            Kind::Never => Outcome::NoMatch,
        }
    }

    /// Whether any value that is made of these bytes can match. `false` is certain. To be asked before a long value
    /// is matched, as it takes time that does not grow with the value.
    pub fn can_match(&self, bytes: &ByteSet) -> bool {
        match &self.kind {
            Kind::Rx(rx) => rx.can_match(*bytes),
            Kind::Phrases(phrases) => phrases.can_match(*bytes),
            Kind::Text(relation, argument) if relation.requires_argument() => {
                argument.fixed().is_none_or(|text| text.iter().all(|byte| bytes.contains(*byte)))
            }
            Kind::UrlEncoding => bytes.contains(b'%'),
            Kind::ByteRange(allowed) => bytes.meets(allowed.complement()),
            Kind::Never => false,
            _ => true,
        }
    }

    /// Texts of which each value that matches holds at least one, ASCII case ignored; `None` where nothing can be
    /// said that is worth looking for. No texts at all: nothing matches.
    pub fn required_literals(&self) -> Option<&[Box<[u8]>]> {
        match &self.kind {
            Kind::Rx(rx) => rx.required(),
            Kind::Phrases(phrases) => Some(phrases.phrases()),
            Kind::Text(relation, argument) if relation.requires_argument() => argument.literal(),
            Kind::Never => Some(&[]),
            _ => None,
        }
    }
}

impl Operator {
    /// Sets of bytes of each of which every value that matches has at least one. None where nothing can be said
    /// that is worth looking for.
    pub(crate) fn required_bytes(&self) -> SmallVec<[ByteSet; 2]> {
        /// Letters alone are one word, and that no injection; markup has brackets or attributes.
        const NO_LETTERS: ByteSet =
            ByteSet::range(b'a', b'z').union(ByteSet::range(b'A', b'Z')).complement();
        match &self.kind {
            Kind::Rx(rx) => rx.required_bytes().into(),
            Kind::Text(relation, argument) if relation.requires_argument() => {
                let text = argument.fixed().unwrap_or_default();
                let rare = text.iter().filter(|byte| !byte.is_ascii_alphanumeric());
                rare.take(2).map(|byte| ByteSet::of(&[*byte])).collect()
            }
            Kind::ByteRange(allowed) => smallvec![allowed.complement()],
            Kind::UrlEncoding => smallvec![ByteSet::of(b"%")],
            Kind::Utf8Encoding => smallvec![ByteSet::range(0x80, 0xff)],
            Kind::Sqli => smallvec![NO_LETTERS],
            Kind::Xss => smallvec![ByteSet::of(b"<=")],
            _ => SmallVec::new(),
        }
    }
}

impl Operator {
    /// Whether a [`Screen`] can have it in it.
    pub(crate) fn can_be_screened(&self) -> bool {
        matches!(&self.kind, Kind::Rx(rx) if !self.negated && rx.can_be_screened())
    }

    /// A screen of those that can have one. `None` where they are too much for one automaton.
    pub(crate) fn screen<'o>(operators: impl Iterator<Item = &'o Self>) -> Option<Screen> {
        let patterns = operators.filter_map(|operator| match &operator.kind {
            Kind::Rx(rx) => Some(rx),
            _ => None,
        });
        Screen::of(patterns)
    }
}

impl Operator {
    /// A length that no value falls short of that the operator matches, in bytes.
    pub(crate) fn shortest(&self) -> usize {
        match &self.kind {
            Kind::Rx(rx) => rx.shortest(),
            Kind::Phrases(phrases) => {
                phrases.phrases().iter().map(|one| one.len()).min().unwrap_or(0)
            }
            Kind::Text(relation, argument) if relation.requires_argument() => {
                argument.fixed().map_or(0, <[u8]>::len)
            }
            // `=` with a name, and a tag with one.
            Kind::Xss => 2,
            _ => 0,
        }
    }
}

impl Operator {
    /// What the operator asks of a value's number, negation applied, if that is all it does.
    pub(crate) fn number_test(&self) -> Option<NumberTest> {
        match self.kind {
            Kind::Number(comparison, number) => Some(NumberTest {
                comparison,
                number: number.try_into().ok()?,
                negated: self.negated,
            }),
            _ => None,
        }
    }
}

/// A comparison of a value's number with a small one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberTest {
    comparison: Comparison,
    number: i32,
    negated: bool,
}

impl NumberTest {
    /// Whether it holds for a value.
    #[inline]
    pub(crate) fn holds(self, value: &[u8]) -> bool {
        self.comparison.holds(leading_number(value), self.number.into()) != self.negated
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.kind {
            Kind::Rx(_) | Kind::RxWithMacros(_) => "rx",
            Kind::Phrases(_) => "pm",
            Kind::Text(..) => "text",
            Kind::Number(..) | Kind::NumberWithMacros(..) => "number",
            Kind::Addresses(_) => "ipMatch",
            Kind::ByteRange(_) => "validateByteRange",
            Kind::UrlEncoding => "validateUrlEncoding",
            Kind::Utf8Encoding => "validateUtf8Encoding",
            Kind::Sqli => "detectSQLi",
            Kind::Xss => "detectXSS",
            Kind::Always => "unconditionalMatch",
            Kind::Never => "noMatch",
        };
        write!(formatter, "{}@{kind}", if self.negated { "!" } else { "" })
    }
}

#[cfg(test)]
mod tests;
