//! Quotes and escapes, at both levels: an argument's double quotes, and a value's single ones within it.

use std::fmt::Display;
use std::ops::RangeInclusive;

use edgeproof_diagnostics::Spanned;

use crate::seclang::action::Action;
use crate::seclang::text::is_blank;

pub(super) fn ranges(ids: &[RangeInclusive<u64>]) -> String {
    ids.iter().map(range).collect::<Vec<_>>().join(",")
}

pub(super) fn range(ids: &RangeInclusive<u64>) -> String {
    let (first, last) = (ids.start(), ids.end());
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

pub(super) fn on_off(on: bool) -> &'static str {
    if on { "On" } else { "Off" }
}

/// The word that stands for a value.
pub(super) fn worded<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, one)| *one == value).map_or("", |(word, _)| word)
}

pub(super) fn joined<T: Display>(list: &[Spanned<T>], separator: &str) -> String {
    list.iter().map(|it| it.value.to_string()).collect::<Vec<_>>().join(separator)
}

/// Actions as an argument, each on its own line.
pub(super) fn lines(actions: &[Spanned<Action>]) -> String {
    // The actions hold no line break: a file's lines are joined without any.
    let lines = argument(&joined(actions, ",\n"));
    format!("\\\n    {}", lines.replace('\n', "\\\n    "))
}

/// The value of an item of a list, in single quotes where it needs them.
pub(super) fn value(text: &str) -> String {
    if text.is_empty() || needs_quotes(text) { quoted(text) } else { text.to_owned() }
}

pub(super) fn needs_quotes(text: &str) -> bool {
    text.contains(|it| is_blank(it) || matches!(it, ',' | '|' | '\''))
}

/// A text in single quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

/// An argument of a directive, in double quotes where it needs them.
pub(super) fn word(text: &str) -> String {
    let special = |it| is_blank(it) || matches!(it, '"' | '\'' | '\\');
    if text.is_empty() || text.contains(special) { argument(text) } else { text.to_owned() }
}

/// An argument in double quotes.
pub(super) fn argument(text: &str) -> String {
    let mut argument = String::from("\"");
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, characters.peek()) {
            ('"', _) => argument.push_str("\\\""),
            // Before anything else a backslash stands for itself.
            ('\\', None | Some('\\' | '"')) => argument.push_str("\\\\"),
            (it, _) => argument.push(it),
        }
    }
    argument.push('"');
    argument
}
