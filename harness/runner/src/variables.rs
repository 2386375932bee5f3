//! The variables of a case, and templates filled with them.

use std::collections::BTreeMap;

use edgeproof_scenario::MissingVariable;
use edgeproof_scenario::model::Template;
use jiff::Timestamp;

use crate::http_date;

/// Values by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(BTreeMap<String, Vec<u8>>);

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// What `other` captured that is not known here, or is known with another value.
    pub(crate) fn adopt(&mut self, other: &Variables, before: &Variables) {
        for (name, value) in &other.0 {
            if name != "index" && before.0.get(name) != Some(value) {
                self.0.insert(name.clone(), value.clone());
            }
        }
    }

    /// Fills a template. `{{now}}` is the HTTP-date of `now`.
    pub(crate) fn fill(
        &self,
        template: &Template,
        now: Timestamp,
    ) -> Result<Vec<u8>, MissingVariable> {
        template.render(|name| self.value(name, now))
    }

    /// The value of a variable. `now` is an HTTP-date.
    pub(crate) fn value(&self, name: &str, now: Timestamp) -> Option<Vec<u8>> {
        match name {
            "now" => Some(http_date::format(now).into_bytes()),
            _ => self.0.get(name).cloned(),
        }
    }
}
