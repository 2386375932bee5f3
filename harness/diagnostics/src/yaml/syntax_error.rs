//! The parser's errors in words for the author of a file.

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// What is known about one of the parser's messages: a part of it, the headline, the label, the
/// help. The first that matches is taken.
type Explanation = (&'static str, &'static str, &'static str, &'static str);

const EXPLANATIONS: &[Explanation] = &[
    (
        "mapping values are not allowed",
        "a `:` where no key can be",
        "not the first `:` of a `key: value`",
        "put a text that contains `: ` in quotes; if this is a key, check the indentation here \
         and on the line before",
    ),
    ("tab", "a tab in the indentation", "a tab", "YAML is indented with spaces only"),
    (
        "simple key expect",
        "a line without a `:`",
        "the line before this is neither `key: value` nor part of a text",
        "write `key: value`, with a space behind the colon",
    ),
    (
        "did not find expected key",
        "wrong indentation",
        "in line with no key above",
        "all keys of one mapping start in the same column",
    ),
    (
        "did not find expected '-'",
        "wrong indentation",
        "expected `- ` or less indentation",
        "all entries of one list start in the same column with `- `",
    ),
    (
        "invalid indentation in quoted",
        "a quoted text that does not end",
        "starts here",
        "close the quotes, or indent the text's further lines",
    ),
    ("indentation", "wrong indentation", "", "indent what belongs together to the same column"),
    ("wrongly indented", "wrong indentation", "", "indent all lines of the text alike"),
    (
        "block sequence entries are not allowed",
        "a list that starts behind its key",
        "a list entry",
        "start the list on the next line, or write it as `[a, b]`",
    ),
    (
        "unknown anchor",
        "an alias without an anchor",
        "nothing before this has that anchor",
        "put a text that starts with `*` in quotes",
    ),
    (
        "quoted scalar, found unexpected end",
        "a quoted text that does not end",
        "starts here",
        "close the quotes",
    ),
    (
        "unexpected document indicator",
        "a quoted text that does not end",
        "starts here",
        "close the quotes",
    ),
    (
        "trailing content after",
        "a text behind the closing quote",
        "not expected here",
        "put the whole text in quotes; within single quotes write `''` for a quote",
    ),
    (
        "quoted scalar",
        "an escape that does not exist",
        "no such escape",
        "in double quotes write `\\\\` for a backslash, or use single quotes",
    ),
    (
        "unexpected character",
        "a plain text cannot start with this character",
        "",
        "put the text in quotes",
    ),
    (
        "alphabetic or numeric",
        "an anchor or alias without a name",
        "",
        "put a text that starts with `*` or `&` in quotes",
    ),
    ("misplaced bracket", "a closing bracket that nothing opened", "", "remove it"),
    (
        "':' must be followed",
        "no space behind a `:`",
        "",
        "write `key: value`, with a space behind the colon",
    ),
    ("flow sequence", "a list that is not closed", "expected `,` or `]`", ""),
    ("flow mapping", "a mapping that is not closed", "expected `,` or `}`", ""),
    ("node content", "a value is missing", "expected a value", ""),
    ("recursion limit", "nested too deep", "", ""),
];

/// The diagnostic for a character at byte `at` that no YAML text may hold.
pub(super) fn unprintable(source: &Source, at: usize) -> Diagnostic {
    let code = source.text()[at..].chars().next().map_or(0, u32::from);
    let escape = if code > 0xff { format!("\\u{code:04x}") } else { format!("\\x{code:02x}") };
    Diagnostic::error(format!("the control character U+{code:04X}"))
        .at(&character(source, at))
        .help(format!("in a text in double quotes it is written as `{escape}`"))
}

/// The diagnostic for the parser's message `info` at byte `at`; `bracket` is the innermost open
/// bracket.
pub(super) fn explain(
    source: &Source,
    at: usize,
    info: &str,
    bracket: Option<&Span>,
) -> Diagnostic {
    let span = character(source, culprit(source.text(), at, info));
    let known = EXPLANATIONS.iter().find(|(part, ..)| info.contains(part));
    let diagnostic = match known {
        Some((_, message, label, help)) => Diagnostic::error(*message)
            .label(&span, *label)
            .maybe_help((!help.is_empty()).then(|| (*help).to_owned())),
        None => Diagnostic::error(format!("not YAML: {info}")).at(&span),
    };
    match bracket {
        Some(bracket) if *bracket != span => diagnostic.context(bracket, "opened here"),
        _ => diagnostic,
    }
}

/// Where the mistake itself stands, for errors that the parser places elsewhere.
fn culprit(text: &str, at: usize, info: &str) -> usize {
    if info.contains("tab") {
        let before = text[..at].ends_with('\t').then(|| at - 1);
        return before.or_else(|| text[at..].find('\t').map(|tab| at + tab)).unwrap_or(at);
    }
    if info.contains("escape") || info.contains("hexadecimal") {
        return bad_escape(text, at).unwrap_or(at);
    }
    at
}

/// The first backslash behind `at` that starts no escape (YAML 1.2.2 §5.7).
fn bad_escape(text: &str, at: usize) -> Option<usize> {
    let mut characters = text[at..].char_indices();
    while let Some((offset, character)) = characters.next() {
        if character != '\\' {
            continue;
        }
        let (_, escape) = characters.next()?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ if "0abt\tnvfre \"/\\N_LP\n\r".contains(escape) => 0,
            _ => return Some(at + offset),
        };
        let number: String = characters.as_str().chars().take(digits).collect();
        let scalar = u32::from_str_radix(&number, 16).ok().and_then(char::from_u32);
        if digits > 0 && (number.len() < digits || scalar.is_none()) {
            return Some(at + offset);
        }
    }
    None
}

/// The character at `at`; at the end of the text, the place behind the last that is not blank.
fn character(source: &Source, at: usize) -> Span {
    let text = source.text();
    let end = text.trim_end().len();
    let start = if at >= end { end.min(text.len()) } else { at };
    let rest = text[start..end.max(start)].lines().next().unwrap_or_default();
    let length = match rest.chars().next() {
        None => 0,
        // An alias or an escape is shown with its name.
        Some('*' | '\\') => rest[1..]
            .find(|it: char| !it.is_alphanumeric() && it != '_' && it != '-')
            .map_or(rest.len(), |name| name + 1),
        Some(first) => first.len_utf8(),
    };
    source.span(start..start + length)
}
