//! Reads a mapping by a form of the table of keys.

use edgeproof_diagnostics::{Diagnostic, MapReader, Node, Span};

use super::Binder;
use crate::table::{Form, Takes};

/// The entries of a mapping, of which unknown and missing keys have been reported.
pub(crate) struct Fields<'n> {
    form: &'static Form,
    entries: &'n [(Node, Node)],
}

impl Binder<'_> {
    /// Reads a mapping, or reports that it is none.
    pub(super) fn fields<'n>(&self, node: &'n Node, form: &'static Form) -> Option<Fields<'n>> {
        let mut reader = MapReader::new(node, self.diagnostics, form.what);
        for key in form.keys {
            if key.required {
                reader.required(key.name);
            } else {
                reader.optional(key.name);
            }
        }
        let entries = node.as_mapping();
        if form.others.is_some() {
            // Whatever else stands there is the author's own: known as well.
            for (key, _) in entries.unwrap_or_default() {
                reader.optional(key.as_str().unwrap_or_default());
            }
        }
        reader.finish();
        Some(Fields { form, entries: entries? })
    }
}

impl<'n> Fields<'n> {
    /// The value under a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key with its value.
    pub(super) fn entry(&self, key: &str) -> Option<(&'n Node, &'n Node)> {
        debug_assert!(self.form.names().any(|name| name == key), "`{key}` is not in the table");
        let found = self.entries.iter().find(|(name, _)| name.as_str() == Some(key));
        found.map(|(key, value)| (key, value))
    }

    /// The place of a key and its value.
    pub(super) fn span(&self, key: &str) -> Option<Span> {
        self.entry(key).map(|(key, value)| key.span.to(&value.span))
    }

    /// The keys of the table that are there, in the order written.
    pub(super) fn known(&self) -> impl Iterator<Item = (&'n Node, &'n Node)> {
        self.entries.iter().filter(|(key, _)| self.is_known(key)).map(|(key, value)| (key, value))
    }

    /// The keys that the author chose, in the order written.
    pub(super) fn others(&self) -> impl Iterator<Item = (&'n Node, &'n Node)> {
        self.entries.iter().filter(|(key, _)| !self.is_known(key)).map(|(key, value)| (key, value))
    }

    /// The words that a key takes.
    pub(super) fn words(&self, key: &str) -> &'static [&'static str] {
        match self.form.keys.iter().find(|known| known.name == key).map(|known| &known.takes) {
            Some(Takes::Word(words)) => words,
            _ => &[],
        }
    }

    /// Of several keys that exclude each other, the one that is there. Reports a second one.
    pub(super) fn one_of(
        &self,
        binder: &Binder<'_>,
        keys: &[&str],
    ) -> Option<(&'n Node, &'n Node)> {
        let mut there = keys.iter().filter_map(|key| self.entry(key));
        let first = there.next()?;
        for (key, _) in there {
            let (name, other) = (first.0.as_str(), key.as_str());
            let message = format!(
                "`{}` and `{}` exclude each other",
                name.unwrap_or_default(),
                other.unwrap_or_default()
            );
            binder.diagnostics.push(
                Diagnostic::error(message).label(&key.span, "").context(&first.0.span, "the other"),
            );
        }
        Some(first)
    }

    fn is_known(&self, key: &Node) -> bool {
        self.form.names().any(|name| key.as_str() == Some(name))
    }
}
