//! JSON bodies as arguments.
//!
//! Each scalar is an argument: strings decoded, numbers as written, `true` and `false` as such,
//! `null` as an empty value. Duplicate keys are two arguments.
//!
//! # Names
//! ModSecurity 2.9 and 3.0 name these arguments differently. For
//! `{"a": {"b": 1}, "c": [2, {"d": 3}]}`:
//!
//! | value | 2.9 | 3.0 |
//! |---|---|---|
//! | 1 | `a.b` | `json.a.b` |
//! | 2 | `c.c` | `json.c.array_0` |
//! | 3 | `c.c.d` | `json.c.array_1.d` |
//!
//! The names here are those of 3.0. They tell the elements of an array apart, so that a list is no
//! repeated argument (rules against parameter pollution count those); they come from the path and
//! from nothing else, while 2.9 loses its way after a key with a dot in it; and rule exclusions are
//! written for them. The Core Rule Set expects either: its expressions for names that begin a
//! text begin with `^(?:json\.)?`.
//!
//! As in 3.0, a body that is a single scalar is named `json`, and an empty key `empty-key`.
//! Beyond both versions, an empty object or array is an argument with an empty value: no value
//! would show its key otherwise, and a key can be an attack too. For the same reason an array
//! under a key is such an argument behind its elements (`json.c` above): 2.9 names them by the key
//! alone, and rules that look at the end of a name rely on that (934210).
//!
//! # Mistakes
//! Both versions use yajl, which is strict: a byte order mark, a control character or invalid UTF-8
//! in a string, an unknown escape, a second value after the first are errors. They are errors here
//! too, but reading goes on behind those that some parser is known to forgive. Both versions
//! take an empty body for no error.

mod reader;
mod string;
#[cfg(test)]
mod tests;

use super::arguments::Pairs;

/// What is wrong with a JSON body; the text is REQBODY_ERROR_MSG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("JSON parsing error: {mistake} (byte {offset})")]
pub struct JsonError {
    /// The first mistake.
    pub mistake: Mistake,
    /// Where it is, in bytes from the start of the body.
    pub offset: usize,
    /// From here to its end nothing of the body was read.
    pub unread: usize,
}

/// A mistake in a JSON text (RFC 8259), or a limit that it exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Mistake {
    /// A byte order mark before the text (RFC 8259 §8.1). It was skipped.
    #[error("a byte order mark before the text")]
    ByteOrderMark,
    /// The text ends where more is expected.
    #[error("the text ends too early")]
    EndsEarly,
    /// No value where one is expected.
    #[error("a value is expected")]
    ValueExpected,
    /// No string where an object's key is expected.
    #[error("a key is expected")]
    KeyExpected,
    /// No `:` behind a key.
    #[error("a colon is expected behind a key")]
    ColonExpected,
    /// Neither `,` nor the end of the object or array behind a value.
    #[error("a comma or the end of the object or array is expected")]
    CommaExpected,
    /// A number that is none (RFC 8259 §6).
    #[error("a malformed number")]
    Number,
    /// A control character in a string. It was kept.
    #[error("a control character in a string")]
    ControlCharacter,
    /// A string that is not UTF-8. Its bytes were kept.
    #[error("invalid UTF-8 in a string")]
    InvalidUtf8,
    /// An escape that JSON does not know (RFC 8259 §7). It was kept as it stands.
    #[error("an unknown escape in a string")]
    UnknownEscape,
    /// Something behind the value. It was read as one more value.
    #[error("data behind the end of the text")]
    TrailingData,
    /// Nested deeper than SecRequestBodyJsonDepthLimit allows.
    #[error("nested too deeply")]
    TooDeep,
    /// More values than SecArgumentsLimit allows arguments.
    #[error("SecArgumentsLimit exceeded")]
    TooManyArguments,
    /// The names of the values grew out of all proportion to the body.
    #[error("the names of deeply nested values are too long")]
    NamesTooLong,
}

/// Reads a JSON body into arguments.
///
/// `depth_limit` is SecRequestBodyJsonDepthLimit, the number of objects and arrays that may be open
/// at once.
///
/// The names of all arguments together may take 256 KiB and 16 times the body's size, so that a
/// value at each of 10,000 levels does not fill the memory.
///
/// # Errors
/// [`JsonError`] with the first mistake; what was read stays in `into`.
pub fn parse(body: &[u8], depth_limit: u32, into: &mut impl Pairs) -> Result<(), JsonError> {
    if body.is_empty() {
        return Ok(());
    }
    reader::Reader::new(body, depth_limit, into).read()
}
