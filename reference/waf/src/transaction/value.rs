//! A value that a rule looks at, and how it is called.

use super::escape;
use super::texts::{Text, Texts};
use super::tx::{Names, Slot};
use crate::variable::Variable;

/// A value with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) variable: Variable,
    pub(crate) key: Key,
    pub(crate) text: Text,
}

/// Which member of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// None: the variable is no collection, or this is its count.
    None,
    /// The one of that name.
    Text(Text),
    /// A variable of TX that has a slot.
    Slot(Slot),
}

impl Value {
    /// A value of a variable without members.
    pub(crate) fn single(variable: Variable, text: Text) -> Self {
        Self { variable, key: Key::None, text }
    }

    /// A member of a collection.
    pub(crate) fn member(variable: Variable, key: Text, text: Text) -> Self {
        Self { variable, key: Key::Text(key), text }
    }

    /// The member's name.
    pub(crate) fn member_name<'a>(&self, texts: &'a Texts, names: &'a Names) -> Option<&'a [u8]> {
        match self.key {
            Key::None => None,
            Key::Text(text) => Some(texts.get(text)),
            Key::Slot(slot) => Some(names.name(slot)),
        }
    }

    /// Appends the full name, such as `ARGS:id`: MATCHED_VAR_NAME.
    pub(crate) fn write_name(&self, texts: &Texts, names: &Names, out: &mut Vec<u8>) {
        out.extend_from_slice(self.variable.name().as_bytes());
        if let Some(member) = self.member_name(texts, names) {
            out.push(b':');
            escape::name(member, out);
        }
    }
}

/// A name and a value, both of the transaction's texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) name: Text,
    pub(crate) value: Text,
}
