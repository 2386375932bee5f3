//! What a line says, read back by the format that wrote it.

/// The values of one line, in the order of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'f> {
    pub(crate) values: Vec<(&'f str, Option<Vec<u8>>)>,
}

impl<'f> Parsed<'f> {
    /// Each variable (as `status` or `request_header:Accept`; dates without their argument) with
    /// the bytes that were logged, or nothing where the value was missing.
    pub fn iter(&self) -> impl Iterator<Item = (&'f str, Option<&[u8]>)> {
        self.values.iter().map(|(name, value)| (*name, value.as_deref()))
    }

    /// The value of a variable; the outer `None` where the format has no such variable.
    pub fn get(&self, name: &str) -> Option<Option<&[u8]>> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

/// A line that this format did not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {reason}{}", .offset + 1, .variable.as_deref().map(|v| format!(" in {{{v}}}")).unwrap_or_default())]
pub struct ParseError {
    pub(crate) offset: usize,
    pub(crate) variable: Option<String>,
    pub(crate) reason: Unreadable,
}

impl ParseError {
    /// Where reading stopped, in bytes from the start of the line.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The variable that was being read, if it was one.
    pub fn variable(&self) -> Option<&str> {
        self.variable.as_deref()
    }

    /// Why.
    pub fn reason(&self) -> &Unreadable {
        &self.reason
    }
}

/// Why a line can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The format has other text here.
    #[error("expected the text {expected:?}")]
    Literal {
        /// The format's text.
        expected: String,
    },
    /// A byte that would have been escaped.
    #[error("the byte 0x{0:02X} can't stand for itself")]
    Byte(u8),
    /// A backslash without `xHH`.
    #[error("expected an escape \\xHH")]
    Escape,
    /// A self-quoting variable without its quote.
    #[error("expected a double quote")]
    Quote,
    /// The line ended within a value.
    #[error("the line ends early")]
    End,
    /// Text after the format's end.
    #[error("expected the end of the line")]
    Rest,
    /// A broken JSON string.
    #[error("expected a JSON string of printable ASCII")]
    JsonString,
    /// Neither string, number nor null.
    #[error("expected a JSON string, number or null")]
    JsonValue,
}
