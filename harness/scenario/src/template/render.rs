//! Putting values in, and showing a template to people.

use thiserror::Error;

use super::apply;
use crate::model::{Part, Template};

/// A variable has no value. The binder has seen to it that one is captured before, so at run time
/// this means that the capture found nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the variable `{name}` has no value")]
pub struct MissingVariable {
    /// The variable.
    pub name: String,
}

impl Template {
    /// The bytes, each variable replaced by what `lookup` knows of it, passed through its filters.
    /// A value is put in as it is and never scanned for placeholders.
    ///
    /// # Errors
    /// The first variable for which `lookup` has nothing.
    pub fn render(
        &self,
        lookup: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Vec<u8>, MissingVariable> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(literal) => bytes.extend_from_slice(literal),
                Part::Variable { name, filters, .. } => {
                    let value =
                        lookup(name).ok_or_else(|| MissingVariable { name: name.clone() })?;
                    let encoded =
                        filters.iter().fold(value, |value, filter| apply(*filter, &value));
                    bytes.extend_from_slice(&encoded);
                }
            }
        }
        Ok(bytes)
    }

    /// The bytes, if there is no variable in it.
    pub fn as_literal(&self) -> Option<Vec<u8>> {
        self.render(|_| None).ok()
    }

    /// Whether it makes no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Bytes(bytes) if bytes.is_empty()))
    }

    /// For people: the text with its placeholders as written; bytes that are no UTF-8 as U+FFFD.
    pub fn to_display(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Bytes(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
                Part::Variable { name, filters, .. } => {
                    let filters: String =
                        filters.iter().map(|filter| format!("|{}", filter.as_str())).collect();
                    text.push_str(&format!("{{{{{name}{filters}}}}}"));
                }
            }
        }
        text
    }

    /// Adds literal bytes at the end.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        match self.parts.last_mut() {
            Some(Part::Bytes(last)) => last.extend_from_slice(bytes),
            _ if bytes.is_empty() => {}
            _ => self.parts.push(Part::Bytes(bytes.to_vec())),
        }
    }

    /// Adds another template at the end.
    pub fn append(&mut self, other: &Template) {
        for part in &other.parts {
            match part {
                Part::Bytes(bytes) => self.push_bytes(bytes),
                variable @ Part::Variable { .. } => self.parts.push(variable.clone()),
            }
        }
    }

    /// The same with one more filter on all of it: literal bytes are encoded now, variables later.
    #[must_use]
    pub fn filtered(&self, filter: crate::model::Filter) -> Template {
        let part = |part: &Part| match part {
            Part::Bytes(bytes) => Part::Bytes(apply(filter, bytes)),
            Part::Variable { name, filters, span } => Part::Variable {
                name: name.clone(),
                filters: filters.iter().copied().chain([filter]).collect(),
                span: span.clone(),
            },
        };
        Template { parts: self.parts.iter().map(part).collect() }
    }
}
