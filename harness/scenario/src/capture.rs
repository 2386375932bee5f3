//! What a capture takes of a value. Pure.

use regex::bytes::Regex;

use crate::compile_regex;
use crate::model::Capture;

/// The part of a value that a capture takes.
#[derive(Debug, Clone)]
pub struct Part(Option<Regex>);

impl Capture {
    /// What `matches` asks for, or all of a value.
    ///
    /// # Errors
    /// When `matches` is no regex, of which the binder makes sure.
    pub fn part(&self) -> Result<Part, regex::Error> {
        self.matches.as_deref().map(compile_regex).transpose().map(Part)
    }
}

impl Part {
    /// The regex's first group or, where it has none, its whole match; `None` where it does not match.
    pub fn of(&self, value: &[u8]) -> Option<Vec<u8>> {
        let Some(regex) = &self.0 else { return Some(value.to_vec()) };
        let groups = regex.captures(value)?;
        groups.get(1).or(groups.get(0)).map(|found| found.as_bytes().to_vec())
    }
}

/// What a JSON pointer (RFC 6901) leads to: a text as it is, anything else as JSON. `None` where the document is not
/// JSON, or has nothing there.
pub fn at_pointer(document: &[u8], pointer: &str) -> Option<Vec<u8>> {
    let document: serde_json::Value = serde_json::from_slice(document).ok()?;
    let found = document.pointer(pointer)?;
    Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::at_pointer;

    #[test]
    fn a_pointer_leads_to_a_text_or_to_json() {
        let document = br#"{"user": {"token": "a\u00e9", "n": 7, "a/b": [1, {"c": null}]}}"#;
        let found =
            |pointer| at_pointer(document, pointer).map(|it| String::from_utf8(it).unwrap());
        assert_eq!(found("/user/token").as_deref(), Some("a\u{e9}"));
        assert_eq!(found("/user/n").as_deref(), Some("7"));
        assert_eq!(found("/user/a~1b/1").as_deref(), Some(r#"{"c":null}"#));
        assert_eq!(found("/user/none"), None);
        assert_eq!(at_pointer(b"<html>", ""), None);
    }
}
