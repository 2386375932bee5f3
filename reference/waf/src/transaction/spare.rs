//! Memory that transactions hand on: most need as much as the one before.

use std::sync::{Mutex, PoisonError};

use super::seen::Seen;
use super::texts::Texts;
use super::value::Value;
use super::variables::Variables;
use crate::rules::{RuleNumber, RuleSet};

/// How many are kept: more transactions are seldom under way at a time.
const KEPT: usize = 64;
/// A transaction with more text than this, in bytes, hands nothing on.
const LARGE: usize = 256 * 1024;

/// What a transaction fills, all of it empty.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(super) texts: Texts,
    pub(super) variables: Variables,
    pub(super) seen: Seen,
    pub(super) fired: Vec<RuleNumber>,
    pub(super) values: Vec<Value>,
}

/// Those of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Spare>>);

impl Spares {
    /// One that is left, or a new one.
    pub(super) fn take(&self, rules: &RuleSet) -> Spare {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Spare {
            texts: Texts::new(rules.prefilter.words()),
            variables: Variables::new(&rules.names),
            seen: Seen::new(&rules.cells),
            fired: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Empties one and keeps it.
    pub(super) fn give_back(&self, mut spare: Spare) {
        if spare.texts.capacity() > LARGE {
            return;
        }
        let Spare { texts, variables, seen, fired, values } = &mut spare;
        texts.clear();
        variables.clear();
        seen.clear();
        fired.clear();
        values.clear();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(spare);
        }
    }
}
