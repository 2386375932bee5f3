//! Patterns for names, tags and messages.

use edgeproof_diagnostics::{Diagnostic, Span, Spanned};

use crate::operator::{Operator, Outcome};
use crate::seclang::{OperatorName, OperatorText};
use crate::transaction::{Names, Slot};

/// A regular expression that is looked for in a text.
#[derive(Debug)]
pub(crate) struct Pattern(Operator);

impl Pattern {
    /// For tags and messages: case counts.
    pub(crate) fn new(text: &str, span: &Span) -> Result<Self, Diagnostic> {
        let text = OperatorText { negated: false, name: OperatorName::Rx, argument: text.into() };
        let base = std::path::Path::new("");
        Operator::compile(&Spanned::new(text, span.clone()), base).map(Self)
    }

    /// Whether it is found in the text.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.0.matches(text, &|_, _| (), None) == Outcome::Match
    }
}

/// Members of a collection whose names match a pattern, case ignored.
#[derive(Debug)]
pub(crate) struct Members {
    pattern: Pattern,
    /// Whether the name in each slot of TX matches.
    slots: Box<[bool]>,
}

impl Members {
    /// `names` are those of TX, all of them.
    pub(crate) fn new(pattern: &str, span: &Span, names: &Names) -> Result<Self, Diagnostic> {
        let pattern = Pattern::new(&format!("(?i){pattern}"), span)?;
        let slots = names.iter().map(|(_, name)| pattern.is_in(name)).collect();
        Ok(Self { pattern, slots })
    }

    /// Whether a member of that name is one.
    pub(crate) fn hold(&self, name: &[u8]) -> bool {
        self.pattern.is_in(name)
    }

    /// Whether the variable of TX in that slot is one.
    pub(crate) fn hold_slot(&self, slot: Slot) -> bool {
        self.slots.get(slot.index()).copied().unwrap_or(false)
    }
}
