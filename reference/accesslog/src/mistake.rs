//! What can be wrong with a format, said with its column.

use std::ops::Range;

use crate::format::Preset;

/// A format that was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {mistake}", .span.start + 1)]
pub struct FormatError {
    pub(crate) span: Range<usize>,
    pub(crate) mistake: Mistake,
}

impl FormatError {
    /// The bytes of the format that are wrong, for a caret. May be empty at the end of the text.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The first wrong byte's column, counted in bytes from 1.
    pub fn column(&self) -> usize {
        self.span.start + 1
    }

    /// What is wrong.
    pub fn mistake(&self) -> &Mistake {
        &self.mistake
    }
}

/// What is wrong with a format. The message says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mistake {
    /// No text at all.
    #[error("the format is empty; expected text with variables such as {{client_ip}}")]
    Empty,
    /// Text alone, of which a line says nothing.
    #[error(
        "no variable such as {{client_ip}} in it, and no preset ({}) has this name{}",
        Preset::list(),
        did_you_mean(suggestion.as_deref())
    )]
    NoVariable {
        /// The nearest preset's name, if one is near.
        suggestion: Option<String>,
    },
    /// A `{` without its `}`.
    #[error("this brace is never closed; expected }} before the end of the format")]
    Unclosed,
    /// A `}` that closes nothing.
    #[error("this brace closes nothing; a log line has no braces of its own")]
    Stray,
    /// `{}` or `{:…}`.
    #[error("expected the name of a variable")]
    NoName,
    /// A name that is none of the variables.
    #[error("unknown variable {name:?}{}", did_you_mean(suggestion.as_deref()))]
    UnknownVariable {
        /// The name found.
        name: String,
        /// The nearest name there is, if one is near.
        suggestion: Option<String>,
    },
    /// An argument for a variable that takes none.
    #[error("{name} takes no argument; expected {{{name}}}")]
    NoArgument {
        /// The variable.
        name: String,
    },
    /// A header variable without the field's name.
    #[error("{name} needs the name of a header field, as in {example}")]
    NeedsField {
        /// The variable.
        name: String,
        /// How it is written in this dialect.
        example: String,
    },
    /// A field name that no HTTP message can hold (RFC 9110 §5.1).
    #[error("{found:?} is not the name of a header field (letters, digits, !#$%&'*+-.^_`|~)")]
    BadField {
        /// The name found.
        found: String,
    },
    /// An empty date format.
    #[error("expected a strftime format after the colon, such as %d/%b/%Y:%H:%M:%S %z")]
    NoDate,
    /// A directive that strftime does not have.
    #[error("bad strftime directive {directive:?}: {reason}")]
    BadDirective {
        /// The directive as written.
        directive: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Dialect 2018, argument without its own braces.
    #[error("dialect 2018 puts the argument in braces of its own; expected {{{name}:{{…}}}}")]
    ArgumentNeedsBraces {
        /// The variable.
        name: String,
    },
    /// Current dialect, a brace inside a variable.
    #[error(
        "a brace inside a variable; expected {{{name}:…}}, or dialect 2018 for an argument in \
         braces of its own"
    )]
    BraceInVariable {
        /// The variable.
        name: String,
    },
    /// Dialect 2018, a second `{` in the argument, or text after it.
    #[error("expected }}}} at the end of the argument")]
    ArgumentNotEnded,
    /// Two variables without text between them.
    #[error(
        "{{{first}}} and {{{second}}} touch; expected text between them, else nothing could tell their values apart"
    )]
    Touching {
        /// The variable before.
        first: String,
        /// The variable after, where the column points.
        second: String,
    },
    /// A backslash straight after a variable.
    #[error("a backslash straight after {{{name}}} would read as an escape of its value")]
    BackslashAfterVariable {
        /// The variable.
        name: String,
    },
    /// A `-` straight after a variable that may be empty.
    #[error(
        "a - straight after {{{name}}}: nothing could tell its empty value from a missing one, which is written -"
    )]
    DashAfterVariable {
        /// The variable.
        name: String,
    },
    /// A control character in the literal text.
    #[error("a control character ({character:?}) can't stand in a log line")]
    Control {
        /// The character.
        character: char,
    },
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}
