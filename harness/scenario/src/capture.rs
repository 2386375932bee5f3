//! What a capture takes of a value. Pure.

use regex::bytes::Regex;

use crate::compile_regex;
use crate::model::Capture;

/// The part of a value that a capture takes.
#[derive(Debug, Clone)]
pub struct Part {
    regex: Option<Regex>,
    may_be_empty: bool,
}

/// There is nothing to take of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPart {
    /// The regex does not match.
    #[error("no match")]
    NoMatch,
    /// It matches without its first group: that part of the regex is optional.
    #[error("a match in which the first group has no part")]
    NoGroup,
    /// What would be taken is empty: every text has it somewhere.
    #[error("the value is empty, which only `may_be_empty: true` takes")]
    Empty,
}

impl Capture {
    /// What `matches` asks for, or all of a value.
    ///
    /// # Errors
    /// When `matches` is no regex, of which the binder makes sure.
    pub fn part(&self) -> Result<Part, regex::Error> {
        let regex = self.matches.as_deref().map(compile_regex).transpose()?;
        Ok(Part { regex, may_be_empty: self.may_be_empty })
    }
}

impl Part {
    /// The regex's first group or, where it has none, its whole match.
    ///
    /// # Errors
    /// When there is nothing to take: see [`NoPart`].
    pub fn of(&self, value: &[u8]) -> Result<Vec<u8>, NoPart> {
        let part = match &self.regex {
            None => value,
            Some(regex) => {
                let groups = regex.captures(value).ok_or(NoPart::NoMatch)?;
                let wanted = usize::from(groups.len() > 1);
                groups.get(wanted).ok_or(NoPart::NoGroup)?.as_bytes()
            }
        };
        match part.is_empty() && !self.may_be_empty {
            true => Err(NoPart::Empty),
            false => Ok(part.to_vec()),
        }
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
