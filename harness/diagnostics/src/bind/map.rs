//! Reads a mapping key by key.

use super::value::Value;
use crate::collection::Diagnostics;
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::suggest::suggest;

/// Reads a mapping with known keys: ask for each key once, then call [`MapReader::finish`], which
/// reports the keys that nobody asked for and the required ones that are missing.
///
/// On a node that is no mapping it reports that once and is silent from there on.
#[derive(Debug)]
#[must_use = "call finish() to report unknown and missing keys"]
pub struct MapReader<'a> {
    node: &'a Node,
    /// None if the node is no mapping.
    entries: Option<&'a [(Node, Node)]>,
    diagnostics: &'a Diagnostics,
    what: String,
    asked: Vec<String>,
    missing: Vec<String>,
}

impl<'a> MapReader<'a> {
    /// A reader for `node`, which messages call `what`: "a step", "the site".
    pub fn new(node: &'a Node, diagnostics: &'a Diagnostics, what: impl Into<String>) -> Self {
        let what = what.into();
        let entries = node.as_mapping();
        if entries.is_none() {
            Value::new(node, diagnostics).wrong_type::<()>(&format!("{what} (a mapping)"));
        }
        Self { node, entries, diagnostics, what, asked: Vec::new(), missing: Vec::new() }
    }

    /// The value under a key that must be there.
    pub fn required(&mut self, key: &str) -> Value<'a> {
        let value = self.optional(key);
        if self.entries.is_some() && !value.is_present() {
            self.missing.push(key.to_owned());
        }
        value
    }

    /// The value under a key that may be there.
    pub fn optional(&mut self, key: &str) -> Value<'a> {
        if !self.asked.iter().any(|asked| asked == key) {
            self.asked.push(key.to_owned());
        }
        let found = self.entries.and_then(|entries| {
            entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
        });
        match found {
            Some(node) => Value::new(node, self.diagnostics),
            None => Value::absent(self.diagnostics),
        }
    }

    /// The key itself, as written, if it is there: the place to point at for a mistake about the
    /// key rather than its value.
    pub fn key(&self, key: &str) -> Option<&'a Node> {
        self.entries?.iter().map(|(name, _)| name).find(|name| name.as_str() == Some(key))
    }

    /// The mapping itself.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Reports unknown keys, and missing ones as every end of a reader does. A missing key that an
    /// unknown one is a misspelling of is not reported twice.
    pub fn finish(mut self) {
        for (key, _) in self.entries.unwrap_or_default() {
            let name = key.as_str().unwrap_or_default();
            if !self.asked.iter().any(|asked| asked == name) {
                self.unknown(key, name);
            }
        }
    }

    fn unknown(&mut self, key: &Node, name: &str) {
        let there = |asked: &&str| self.key(asked).is_none();
        let free = self.asked.iter().map(String::as_str).filter(there);
        let meant = suggest(name, free).map(str::to_owned);
        let help = match &meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if self.asked.is_empty() => "no key is known here".to_owned(),
            None => format!("known keys are `{}`", self.asked.join("`, `")),
        };
        let message = format!("unknown key `{name}` in {}", self.what);
        self.diagnostics.push(Diagnostic::error(message).at(&key.span).help(help));
        self.missing.retain(|missing| Some(missing) != meant.as_ref());
    }
}

/// Whoever gives up for want of a key, as with `?`, has it reported all the same: nothing that is
/// read leaves without a mistake.
impl Drop for MapReader<'_> {
    fn drop(&mut self) {
        for key in &self.missing {
            let message = format!("missing `{key}` in {}", self.what);
            self.diagnostics.push(Diagnostic::error(message).at(&self.node.span.first_line()));
        }
    }
}
