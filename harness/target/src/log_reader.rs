//! How a target's access-log lines are read: in its own notation, to the bytes that were logged.

use std::collections::BTreeMap;

use regex::bytes::Regex;
use serde_json::Value;

/// The variables of a line with their values; nothing where the line shows that there was none.
pub type LineFields = BTreeMap<String, Option<Vec<u8>>>;

/// How a notation writes bytes that may not stand for themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// `none`: every byte stands for itself.
    None,
    /// `hex`: `\xHH`, as nginx writes.
    Hex,
    /// `c`: `\xhh`, and `\"`, `\\`, `\n` and their like, as Apache httpd writes.
    C,
    /// `json`: the line is a JSON object.
    Json,
    /// `json-hex`: the same, with `\xHH` in its texts for bytes that are no UTF-8.
    JsonHex,
}

impl Escapes {
    /// Every notation with its word in target.yaml.
    pub(crate) const WORDS: [(&str, Self); 5] = [
        ("none", Self::None),
        ("hex", Self::Hex),
        ("c", Self::C),
        ("json", Self::Json),
        ("json-hex", Self::JsonHex),
    ];
}

/// Reads lines of one format.
#[derive(Debug, Clone)]
pub struct LineReader {
    /// A named group for each variable; none where the line is JSON.
    pattern: Option<Regex>,
    escapes: Escapes,
}

impl LineReader {
    pub(crate) fn new(pattern: Option<Regex>, escapes: Escapes) -> Result<Self, &'static str> {
        let is_json = matches!(escapes, Escapes::Json | Escapes::JsonHex);
        match &pattern {
            None if !is_json => Err("lines that are no JSON need a `pattern`"),
            Some(_) if is_json => Err("lines that are JSON have no `pattern`"),
            Some(pattern) if pattern.capture_names().flatten().next().is_none() => {
                Err("the `pattern` has no named group, such as `(?<status>[0-9]+)`")
            }
            _ => Ok(Self { pattern, escapes }),
        }
    }

    /// What the line says.
    ///
    /// # Errors
    /// Why it is no line of this format: it is torn, or somebody forged it.
    pub fn read(&self, line: &[u8]) -> Result<LineFields, String> {
        let Some(pattern) = &self.pattern else { return self.object(line) };
        let groups = pattern.captures(line).ok_or("it does not fit the target's pattern")?;
        let mut fields = LineFields::new();
        for name in pattern.capture_names().flatten() {
            let raw = groups.name(name).map(|found| found.as_bytes());
            let value = match raw {
                None | Some(b"-") => None,
                Some(raw) => Some(self.decode(raw).ok_or_else(|| broken_escape(name))?),
            };
            fields.insert(name.to_owned(), value);
        }
        Ok(fields)
    }

    fn object(&self, line: &[u8]) -> Result<LineFields, String> {
        let object: BTreeMap<String, Value> = serde_json::from_slice(line)
            .map_err(|error| format!("it is no JSON object: {error}"))?;
        let value = |value| match value {
            Value::Null => None,
            Value::String(text) if self.escapes == Escapes::JsonHex => hex_undone(text.as_bytes()),
            Value::String(text) => Some(text.into_bytes()),
            other => Some(other.to_string().into_bytes()),
        };
        Ok(object.into_iter().map(|(name, found)| (name, value(found))).collect())
    }

    /// The bytes that a text stands for; none where it breaks off in an escape.
    fn decode(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some((&first, after)) = rest.split_first() {
            let (byte, length) = match (self.escapes, first) {
                (Escapes::Hex, b'\\') => (hex_after(after, b"x")?, 4),
                (Escapes::C, b'\\') => c_escape(after)?,
                _ => (first, 1),
            };
            bytes.push(byte);
            rest = &rest[length..];
        }
        Some(bytes)
    }
}

fn broken_escape(name: &str) -> String {
    format!("its {name} has an escape that is none")
}

/// Two hexadecimal digits after `mark`.
fn hex_after(text: &[u8], mark: &[u8]) -> Option<u8> {
    let digits = text.strip_prefix(mark)?.get(..2)?;
    let digit = |at: usize| char::from(digits[at]).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

/// What stands after a backslash, with the length of the whole escape.
fn c_escape(after: &[u8]) -> Option<(u8, usize)> {
    if let Some(byte) = hex_after(after, b"x") {
        return Some((byte, 4));
    }
    let byte = match after.first()? {
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0B,
        b'r' => b'\r',
        same @ (b'"' | b'\\') => *same,
        _ => return None,
    };
    Some((byte, 2))
}

/// Each `\xHH` turned into its byte, all else left as it is.
fn hex_undone(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escaped = if first == b'\\' { hex_after(after, b"x") } else { None };
        bytes.push(escaped.unwrap_or(first));
        rest = if escaped.is_some() { &rest[4..] } else { after };
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(escapes: Escapes, line: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let pattern = regex::bytes::RegexBuilder::new("^\"(?<user_agent>.*)\"$")
            .unicode(false)
            .build()
            .unwrap();
        let is_json = matches!(escapes, Escapes::Json | Escapes::JsonHex);
        let reader = LineReader::new((!is_json).then_some(pattern), escapes).unwrap();
        reader.read(line).map(|mut fields| fields.remove("user_agent").unwrap())
    }

    #[test]
    fn each_notation_gives_back_the_bytes() {
        for (escapes, line) in [
            (Escapes::Hex, &br#""a\x22\x5C\xff-""#[..]),
            (Escapes::C, br#""a\"\\\xff-""#),
            (Escapes::JsonHex, br#"{"user_agent":"a\"\\\\xFF-"}"#),
            (Escapes::None, b"\"a\"\\\xff-\""),
        ] {
            assert_eq!(agent(escapes, line), Ok(Some(b"a\"\\\xff-".to_vec())), "{escapes:?}");
        }
        assert_eq!(agent(Escapes::Json, br#"{"user_agent":"\u00e9"}"#), Ok(Some("é".into())));
    }

    #[test]
    fn what_is_missing_is_not_what_is_empty() {
        assert_eq!(agent(Escapes::Hex, b"\"-\""), Ok(None));
        assert_eq!(agent(Escapes::Hex, b"\"\""), Ok(Some(Vec::new())));
        assert_eq!(agent(Escapes::Json, br#"{"user_agent":null}"#), Ok(None));
    }

    #[test]
    fn what_is_no_such_line_is_told() {
        for (escapes, line) in [
            (Escapes::Hex, &b"agent"[..]),
            (Escapes::Hex, br#""a\q""#),
            (Escapes::C, br#""a\q""#),
            (Escapes::Json, b"{\"user_agent\":\"\xff\"}"),
        ] {
            assert!(agent(escapes, line).is_err(), "{escapes:?}");
        }
        let group = Regex::new("^.*$").unwrap();
        assert!(LineReader::new(Some(group), Escapes::Hex).is_err());
        assert!(LineReader::new(None, Escapes::Hex).is_err());
    }
}
