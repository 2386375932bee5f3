//! One thing to tell the author of a file.

use std::fmt;

use crate::render::{self, Colour};
use crate::source::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but probably does not mean what its author thinks.
    Warning,
    /// Only for information.
    Note,
}

/// A marked place with an optional remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place to underline.
    pub span: Span,
    /// The remark beside the underline; may be empty.
    pub text: String,
    /// Whether this is the place of the mistake (`^`) or one that explains it (`-`).
    pub primary: bool,
}

/// A message with the places it speaks about.
///
/// The message says what was expected and what was found; `help` says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The headline, one line, no full stop.
    pub message: String,
    /// The places; the first primary one gives the `path:line:column`.
    pub labels: Vec<Label>,
    /// Further facts, a line each.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without places yet.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// An error.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// A note.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, message)
    }

    /// Marks the place of the mistake without a remark.
    #[must_use]
    pub fn at(self, span: &Span) -> Self {
        self.label(span, "")
    }

    /// Marks the place of the mistake.
    #[must_use]
    pub fn label(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.clone(), text: text.into(), primary: true });
        self
    }

    /// Marks a place that explains the mistake.
    #[must_use]
    pub fn context(mut self, span: &Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span: span.clone(), text: text.into(), primary: false });
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, if there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// The place it is about: the first primary label's, else the first label's.
    pub fn span(&self) -> Option<&Span> {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first()).map(|label| &label.span)
    }

    /// The text for people, without a line break at its end.
    pub fn render(&self, colour: Colour) -> String {
        render::diagnostic(self, colour)
    }
}

/// Shows as rendered without colour.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(Colour::Never))
    }
}

impl std::error::Error for Diagnostic {}
