//! Text with placeholders: `{{name}}`, `{{name|filter}}`, `{{hex:ff00}}`, `{{fill:A*8192}}`.
//!
//! Only these forms are placeholders. Any other pair of braces (`{{7*7}}`, `${jndi:…}`) is text as it
//! stands, and a value that is put in is never scanned again, so that an attack payload stays one.

use edgeproof_diagnostics::Span;

/// Bytes with places for variables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// The parts in order.
    pub parts: Vec<Part>,
}

/// One part of a [`Template`].
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Bytes as they stand. `{{hex:…}}` and `{{fill:…}}` are already spelled out here.
    Bytes(Vec<u8>),
    /// The value of a variable, passed through its filters from left to right.
    Variable {
        /// `host`, `token`, `now`, `index`, a captured name, or a column of `each`.
        name: String,
        /// What is done with the value.
        filters: Vec<Filter>,
        /// Where the placeholder stands (for "never captured").
        span: Span,
    },
}

/// An encoding that a placeholder asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// `url`: every byte but RFC 3986 §2.3 unreserved characters becomes `%HH`.
    Url,
    /// `form`: as `url`, a space becomes `+` (application/x-www-form-urlencoded).
    Form,
    /// `base64`: RFC 4648 §4.
    Base64,
    /// `json`: the inside of a JSON string (RFC 8259 §7).
    Json,
    /// `xml`: `&`, `<`, `>`, `"` and `'` as entities.
    Xml,
    /// `hex`: lower-case hexadecimal digits.
    Hex,
    /// `lower`: ASCII letters in lower case.
    Lower,
    /// `upper`: ASCII letters in upper case.
    Upper,
    /// `dquote`: `"` and `\` get a backslash (the inside of an RFC 9110 quoted-string).
    DoubleQuote,
    /// `regex`: every byte that means something in a regex is escaped, so that the value matches itself.
    Regex,
}

impl Template {
    /// A template without placeholders.
    pub fn literal(bytes: impl Into<Vec<u8>>) -> Self {
        Self { parts: vec![Part::Bytes(bytes.into())] }
    }

    /// The names of the variables in it, with where they stand.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Span)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable { name, span, .. } => Some((name.as_str(), span)),
            Part::Bytes(_) => None,
        })
    }
}
