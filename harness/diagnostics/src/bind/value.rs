//! Reads one value as a type.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::map::MapReader;
use crate::collection::Diagnostics;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node, Style};
use crate::quantity::{parse_duration, parse_size};
use crate::source::{Span, Spanned};
use crate::suggest::suggest;

/// What stands under a key, or nothing.
///
/// Each getter returns Some only for a right value. For a wrong one it reports what was expected
/// and what was found; for an absent one it is silent.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    node: Option<&'a Node>,
    diagnostics: &'a Diagnostics,
}

impl<'a> Value<'a> {
    /// The value `node`.
    pub fn new(node: &'a Node, diagnostics: &'a Diagnostics) -> Self {
        Self { node: Some(node), diagnostics }
    }

    pub(super) fn absent(diagnostics: &'a Diagnostics) -> Self {
        Self { node: None, diagnostics }
    }

    /// Whether there is a value (an empty one counts: `key:` is a mistake to report).
    pub fn is_present(self) -> bool {
        self.node.is_some()
    }

    /// The node, to look at its kind where several are allowed.
    pub fn node(self) -> Option<&'a Node> {
        self.node
    }

    /// Where the value stands.
    pub fn span(self) -> Option<&'a Span> {
        self.node.map(|node| &node.span)
    }

    /// Reads with a getter and keeps the place: `value.spanned(Value::duration)`.
    pub fn spanned<T>(self, get: impl FnOnce(Self) -> Option<T>) -> Option<Spanned<T>> {
        let span = self.node?.span.clone();
        get(self).map(|value| Spanned { value, span })
    }

    /// Any scalar's text as written; a number or boolean need not be quoted.
    pub fn str(self) -> Option<&'a str> {
        let node = self.node?;
        match node.as_str() {
            Some(text) if !node.is_null() => Some(text),
            _ => self.wrong_type("a text"),
        }
    }

    /// `true` or `false`.
    pub fn bool(self) -> Option<bool> {
        self.node?.as_bool().or_else(|| self.wrong_type("`true` or `false`"))
    }

    /// A whole number that is not negative.
    pub fn u64(self) -> Option<u64> {
        self.node?.as_u64().or_else(|| self.wrong_type("a whole number, not negative"))
    }

    /// A whole number within `range`.
    pub fn u64_in(self, range: RangeInclusive<u64>) -> Option<u64> {
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        let number = self.node?.as_u64().filter(|number| range.contains(number));
        number.or_else(|| self.wrong_type(&expected()))
    }

    /// A whole number.
    pub fn i64(self) -> Option<i64> {
        self.node?.as_i64().or_else(|| self.wrong_type("a whole number"))
    }

    /// A finite number.
    pub fn f64(self) -> Option<f64> {
        let number = self.node?.as_f64().filter(|number| number.is_finite());
        number.or_else(|| self.wrong_type("a number"))
    }

    /// A duration such as `10s`; see [`parse_duration`].
    pub fn duration(self) -> Option<Duration> {
        self.scalar("a duration such as `10s`")?;
        self.parse(parse_duration)
    }

    /// A size in octets such as `64MiB`; see [`parse_size`].
    pub fn size(self) -> Option<u64> {
        self.scalar("a size such as `64MiB`")?;
        self.parse(parse_size)
    }

    /// One of several words, each with what it stands for.
    pub fn one_of<T: Clone>(self, choices: &[(&str, T)]) -> Option<T> {
        let node = self.node?;
        let chosen = choices.iter().find(|(word, _)| node.as_str() == Some(word));
        if let Some((_, meaning)) = chosen {
            return Some(meaning.clone());
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let expected = match words.as_slice() {
            [only] => format!("`{only}`"),
            _ => format!("one of `{}`", words.join("`, `")),
        };
        let meant = node.as_str().and_then(|found| suggest(found, words));
        let help = meant.map(|meant| format!("did you mean `{meant}`?"));
        self.report(self.mismatch(node, &expected).maybe_help(help))
    }

    /// A text that `read` understands; its error becomes the message.
    pub fn parse<T, E: Display>(self, read: impl FnOnce(&'a str) -> Result<T, E>) -> Option<T> {
        let text = self.str()?;
        match read(text) {
            Ok(value) => Some(value),
            Err(error) => self.reject(error.to_string()),
        }
    }

    /// A mapping with known keys, called `what` in messages.
    pub fn map(self, what: impl Into<String>) -> Option<MapReader<'a>> {
        let node = self.node?;
        let reader = MapReader::new(node, self.diagnostics, what);
        node.as_mapping().map(|_| reader)
    }

    /// A mapping whose keys the author chooses, in the order written.
    pub fn entries(self) -> Option<Vec<(Spanned<&'a str>, Value<'a>)>> {
        let Some(entries) = self.node?.as_mapping() else { return self.wrong_type("a mapping") };
        let entry = |(key, value): &'a (Node, Node)| {
            let name = Spanned::new(key.as_str().unwrap_or_default(), key.span.clone());
            (name, Value::new(value, self.diagnostics))
        };
        Some(entries.iter().map(entry).collect())
    }

    /// A list's entries.
    pub fn items(self) -> Option<Vec<Value<'a>>> {
        let Some(items) = self.node?.as_sequence() else { return self.wrong_type("a list") };
        Some(items.iter().map(|item| Value::new(item, self.diagnostics)).collect())
    }

    /// A list's entries, or a single value as a list of one.
    pub fn one_or_more(self) -> Option<Vec<Value<'a>>> {
        match self.node?.as_sequence() {
            Some(_) => self.items(),
            None => Some(vec![self]),
        }
    }

    /// A list, each entry read with `get`. All entries are read, and so all mistakes reported,
    /// also when one is wrong and the result is None.
    pub fn list<T>(self, get: impl FnMut(Value<'a>) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.items()?.into_iter().map(get).collect();
        read.into_iter().collect()
    }

    /// Reports that something else was expected here: "expected EXPECTED, found a list". Always
    /// None, so that a getter can end with it.
    pub fn wrong_type<T>(self, expected: &str) -> Option<T> {
        let node = self.node?;
        self.report(self.mismatch(node, expected))
    }

    /// Reports a mistake in the value, in the caller's words. Always None.
    pub fn reject<T>(self, message: impl Into<String>) -> Option<T> {
        let span = self.node?.span.first_line();
        self.report(Diagnostic::error(message).at(&span))
    }

    /// Reports any diagnostic. Always None.
    pub fn report<T>(self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// The value if it is a scalar that is not null; else reports that `expected` was.
    fn scalar(self, expected: &str) -> Option<&'a str> {
        let node = self.node?;
        match node.as_str() {
            Some(text) if !node.is_null() => Some(text),
            _ => self.wrong_type(expected),
        }
    }

    fn mismatch(self, node: &Node, expected: &str) -> Diagnostic {
        let message = format!("expected {expected}, found {}", node.describe());
        Diagnostic::error(message).at(&node.span.first_line()).maybe_help(hint(node, expected))
    }
}

/// What probably went wrong when one type stands for another.
fn hint(node: &Node, expected: &str) -> Option<String> {
    let Kind::Scalar { text, style } = &node.kind else { return None };
    let quoted = matches!(style, Style::SingleQuoted | Style::DoubleQuoted);
    let plain = || Node {
        span: node.span.clone(),
        kind: Kind::Scalar { text: text.clone(), style: Style::Plain },
    };
    if expected.contains("mapping") && !quoted && text.contains(':') {
        return Some("a key needs a space behind its `:`".to_owned());
    }
    if quoted && expected.contains("number") && plain().as_f64().is_some() {
        return Some("leave out the quotes: with them it is a text".to_owned());
    }
    if expected.contains("`true`") {
        let meant = match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "true" => "true",
            "no" | "off" | "false" => "false",
            _ => return None,
        };
        return Some(format!("write `{meant}`, without quotes"));
    }
    None
}
