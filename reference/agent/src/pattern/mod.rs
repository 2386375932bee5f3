//! Patterns of a search: regexes, each for one line, one name or one mode; `!` before one inverts it.

pub(crate) mod key_words;
pub(crate) mod shape;

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};
use shape::Shape;

/// A regex that cannot be one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{pattern}` is no regular expression: {reason}")]
pub struct PatternError {
    /// What was written.
    pub pattern: String,
    /// The engine's words.
    pub reason: String,
}

/// A regex, perhaps inverted.
///
/// The syntax is that of the `regex` crate over octets: `.` is any octet but LF, and `\s`, `\w`, `\d`, `\b`
/// know ASCII, unless the pattern itself has other characters.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: Arc<String>,
    inverted: bool,
    form: Form,
}

/// How a pattern is matched.
#[derive(Clone, Debug)]
enum Form {
    Shape(Shape),
    Regex(Box<Regex>),
}

impl Pattern {
    /// Reads a pattern; a `!` before it inverts it.
    ///
    /// # Errors
    /// The text after `!` is no regular expression.
    pub fn new(written: impl Into<String>) -> Result<Self, PatternError> {
        let mut text = written.into();
        let inverted = text.starts_with('!');
        if inverted {
            text.remove(0);
        }
        let form = match Shape::of(&text) {
            Some(shape) => Form::Shape(shape),
            None => Form::Regex(Box::new(engine(&text)?)),
        };
        Ok(Self { text: Arc::new(text), inverted, form })
    }

    /// Whether the regex itself matches somewhere, whatever stands before it.
    pub fn matches(&self, octets: &[u8]) -> bool {
        match &self.form {
            Form::Shape(shape) => shape.matches(octets),
            Form::Regex(regex) => regex.is_match(octets),
        }
    }

    /// Whether a `!` stood before it.
    pub fn inverted(&self) -> bool {
        self.inverted
    }

    /// The regex, without `!`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, to keep.
    pub(crate) fn shared_text(&self) -> Arc<String> {
        Arc::clone(&self.text)
    }

    /// The only text that it matches, if there is but one.
    pub(crate) fn only(&self) -> Option<&[u8]> {
        self.shape()?.only().filter(|_| !self.inverted)
    }

    /// Whether it is matched without a regex engine.
    pub fn is_plain(&self) -> bool {
        matches!(self.form, Form::Shape(_))
    }

    pub(crate) fn shape(&self) -> Option<&Shape> {
        match &self.form {
            Form::Shape(shape) => Some(shape),
            Form::Regex(_) => None,
        }
    }
}

/// Compiles a regex as every one here is.
pub(crate) fn engine(text: &str) -> Result<Regex, PatternError> {
    RegexBuilder::new(text)
        .unicode(!text.is_ascii())
        .size_limit(64 << 20)
        .build()
        .map_err(|error| PatternError { pattern: text.to_owned(), reason: error.to_string() })
}
