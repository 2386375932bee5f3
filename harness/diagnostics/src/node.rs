//! The tree that a YAML text is, every part knowing where it was written.

use std::ops::Range;

use crate::source::Span;

/// A value in a YAML text.
///
/// Behind an alias stands a copy of the anchored node with the spans of the place where it was
/// written, because that is where a mistake in it is corrected.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands: a scalar as written, with its quotes; a mapping from its first key, or
    /// brace, to the end of its last value, or brace.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// The three kinds of node.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// One text; what it may mean beyond that depends on its style.
    Scalar {
        /// The text with quotes, escapes and folding undone.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys (scalars, no text twice) and values in the order written.
    Mapping(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: the only style that can be a boolean, a number or null.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// Readings follow the core schema of YAML 1.2 (§10.3.2): `yes` and `0777` are a text and a
/// decimal number.
impl Node {
    /// The text of any scalar, as it stands between its quotes; also of numbers and null.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// Whether this is an empty plain scalar, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.plain(), Some("" | "~" | "null" | "Null" | "NULL"))
    }

    /// `true` or `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match self.plain()? {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    /// A whole number (decimal, `0x…` or `0o…`) that fits.
    pub fn as_i64(&self) -> Option<i64> {
        i64::try_from(integer(self.plain()?)?).ok()
    }

    /// A whole number, not negative, that fits.
    pub fn as_u64(&self) -> Option<u64> {
        u64::try_from(integer(self.plain()?)?).ok()
    }

    /// Any number, also `.inf` and `.nan`.
    pub fn as_f64(&self) -> Option<f64> {
        float(self.plain()?)
    }

    /// The entries of a list.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            Kind::Scalar { .. } | Kind::Mapping(_) => None,
        }
    }

    /// The keys and values of a mapping.
    pub fn as_mapping(&self) -> Option<&[(Node, Node)]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Scalar { .. } | Kind::Sequence(_) => None,
        }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let found = self.as_mapping()?.iter().find(|(name, _)| name.as_str() == Some(key));
        found.map(|(_, value)| value)
    }

    /// What it is, for messages: "a mapping", "a list", "a text", "a number", "a boolean",
    /// "nothing".
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } if self.as_bool().is_some() => "a boolean",
            Kind::Scalar { .. } if self.as_f64().is_some() => "a number",
            Kind::Scalar { .. } => "a text",
        }
    }

    /// What it is with its value where that is short: "the number `5`", "a list".
    pub fn describe(&self) -> String {
        const SHORT: usize = 40;
        let name = self.type_name();
        match (&self.kind, name.strip_prefix("a ")) {
            (Kind::Scalar { text, .. }, Some(name))
                if text.chars().count() <= SHORT && !text.contains('\n') =>
            {
                format!("the {name} `{text}`")
            }
            _ => name.to_owned(),
        }
    }

    /// The place of a part of a scalar's text (`part` in bytes of the text): exact where the text
    /// was written without escapes or folding, else the whole scalar.
    pub fn span_within(&self, part: Range<usize>) -> Span {
        let exact = self.as_str().and_then(|text| {
            let written = self.span.text();
            let quotes = match written.strip_suffix(text) {
                Some("") => 0,
                _ => written
                    .get(1..written.len().checked_sub(1)?)
                    .filter(|it| *it == text)
                    .map(|_| 1)?,
            };
            text.get(part.clone())?;
            let start = self.span.start() + quotes;
            Some(self.span.source().span(start + part.start..start + part.end))
        });
        exact.unwrap_or_else(|| self.span.clone())
    }

    fn plain(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, style: Style::Plain } => Some(text),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }
}

fn integer(text: &str) -> Option<i128> {
    let digits = |digits: &str, radix| {
        let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        all.then(|| i128::from_str_radix(digits, radix).ok()).flatten()
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, 8);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return digits(hexadecimal, 16);
    }
    match text.strip_prefix('-') {
        Some(positive) => digits(positive, 10).map(|number| -number),
        None => digits(text.strip_prefix('+').unwrap_or(text), 10),
    }
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    if text.starts_with("0x") || text.starts_with("0o") {
        return integer(text).map(|number| number as f64);
    }
    // The core schema's floats are what Rust reads, less its words (`inf`, `nan`, `infinity`).
    let shape =
        text.chars().all(|it| it.is_ascii_digit() || matches!(it, '+' | '-' | '.' | 'e' | 'E'));
    if shape { text.parse().ok() } else { None }
}
