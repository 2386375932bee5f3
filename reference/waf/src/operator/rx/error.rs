//! Why a pattern cannot be used.

/// A mistake in a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (byte {at} of the pattern)")]
pub(in crate::operator) struct PatternError {
    /// Where, in bytes from the pattern's start.
    pub(in crate::operator) at: usize,
    pub(in crate::operator) problem: Problem,
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::operator) enum Problem {
    #[error("the quantifier follows nothing that can be repeated")]
    NothingToRepeat,
    #[error("the quantifier's numbers are the wrong way round")]
    QuantifierReversed,
    #[error("a quantifier's number is at most 65535")]
    QuantifierTooBig,
    #[error("this `(` is never closed")]
    UnclosedGroup,
    #[error("this `)` closes nothing")]
    UnopenedGroup,
    #[error("this `[` is never closed")]
    UnclosedClass,
    #[error("this comment is never closed")]
    UnclosedComment,
    #[error("this range is the wrong way round")]
    RangeReversed,
    #[error("a range needs a single byte on either side")]
    RangeOfClass,
    #[error(
        "there is no class of this name; known are alnum, alpha, ascii, blank, cntrl, digit, graph, lower, print, punct, space, upper, word and xdigit"
    )]
    UnknownClassName,
    #[error("this escape means nothing")]
    UnknownEscape,
    #[error("this escape means nothing within a class")]
    NotInClass,
    #[error("a backslash stands at the end")]
    TrailingBackslash,
    #[error("a number in braces is expected here")]
    BadNumber,
    #[error("patterns match bytes, and no byte has this number")]
    NotAByte,
    #[error("`\\c` stands before a printable ASCII character")]
    BadControl,
    #[error(
        "a group's name has up to 32 letters, digits and underscores and does not start with a digit"
    )]
    BadName,
    #[error("two groups have this name")]
    DuplicateName,
    #[error("no group of this name stands before")]
    UnknownName,
    #[error("there is no group of this number")]
    UnknownGroup,
    #[error("this option means nothing")]
    UnknownOption,
    #[error("each alternative of a look-behind must have one length")]
    LookBehindLength,
    #[error("groups are nested too deeply; 100 is the most")]
    TooDeep,
    #[error("the pattern is too large once its repetitions are written out")]
    TooLarge,
    #[error("the pattern cannot be turned into an automaton: {0}")]
    Automaton(Box<str>),
    #[error("{0} are not supported")]
    Unsupported(&'static str),
}
