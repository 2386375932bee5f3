//! Patterns of a search: regexes, each for one line, one name or one mode; `!` before one inverts it.

pub(crate) mod key_words;
pub(crate) mod shape;

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

/// A regex as it is written, perhaps inverted, that is known to be one.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    text: String,
    inverted: bool,
}

impl Written {
    /// Reads a pattern; a `!` before it inverts it. Keeps no more than its text: thousands of long patterns are
    /// compiled where they are needed, and there together.
    ///
    /// # Errors
    /// The text after `!` is no regular expression.
    pub(crate) fn new(written: impl Into<String>) -> Result<Self, PatternError> {
        let written = Self::unchecked(written.into());
        if !Shape::suits(&written.text) {
            engine(&written.text)?;
        }
        Ok(written)
    }

    fn unchecked(mut text: String) -> Self {
        let inverted = text.starts_with('!');
        if inverted {
            text.remove(0);
        }
        Self { text, inverted }
    }

    /// Whether a `!` stood before it.
    pub(crate) fn inverted(&self) -> bool {
        self.inverted
    }

    /// The regex, without `!`.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it is, where no engine is needed.
    pub(crate) fn shape(&self) -> Option<Shape> {
        Shape::of(&self.text)
    }
}

/// A regex, perhaps inverted, ready to be matched.
///
/// The syntax is that of the `regex` crate over octets: `.` is any octet but LF, and `\s`, `\w`, `\d`, `\b`
/// know ASCII, unless the pattern itself has other characters.
#[derive(Clone, Debug)]
pub struct Pattern {
    written: Written,
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
        let written = Written::unchecked(written.into());
        let form = match written.shape() {
            Some(shape) => Form::Shape(shape),
            None => Form::Regex(Box::new(engine(&written.text)?)),
        };
        Ok(Self { written, form })
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
        self.written.inverted
    }

    /// The regex, without `!`.
    pub fn text(&self) -> &str {
        self.written.text()
    }

    /// The only text that it matches, if there is but one.
    pub(crate) fn only(&self) -> Option<&[u8]> {
        match &self.form {
            Form::Shape(shape) => shape.only().filter(|_| !self.inverted()),
            Form::Regex(_) => None,
        }
    }

    /// Whether it is matched without a regex engine.
    pub fn is_plain(&self) -> bool {
        matches!(self.form, Form::Shape(_))
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
