//! What must hold against what was seen: pure, without I/O.
//!
//! ```text
//! Check + Seen ─evaluate─▶ Vec<Mismatch> ─report─▶ Vec<Failure> (with the line of the scenario and a caret)
//! ```

mod evaluate;
mod failure;
mod logs;
mod rules;
mod seen;
mod value;

pub(crate) use evaluate::evaluate;
pub(crate) use failure::{broken, defect, failure};
pub(crate) use logs::log_mismatches;
pub(crate) use rules::rules_mismatches;
pub(crate) use seen::{Facts, FileState, LoadTotals, Seen};
pub(crate) use value::{Scope, value_holds};

/// One difference between what must hold and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// What was looked at: `status`, `the field age`.
    pub(crate) what: String,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Mismatch {
    pub(crate) fn new(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { what: what.into(), expected: expected.into(), found: found.into() }
    }
}
