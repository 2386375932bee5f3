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
    named: Named,
    /// Whether the name in each slot of TX matches.
    slots: Box<[bool]>,
    /// Whether any does.
    any_slot: bool,
}

/// Names that match a pattern. Nearly all patterns are a text, and a text is found in less time
/// than a pattern takes to begin.
#[derive(Debug)]
enum Named {
    /// `^text`
    Begins(Box<[u8]>),
    /// `text`
    Contains(Box<[u8]>),
    Matches(Pattern),
}

impl Named {
    fn new(pattern: &str, span: &Span) -> Result<Self, Diagnostic> {
        let (anchored, text) =
            pattern.strip_prefix('^').map_or((false, pattern), |text| (true, text));
        // `_*` at the end is found wherever what stands before it is.
        let text = text.strip_suffix("_*").unwrap_or(text);
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if !text.bytes().all(is_plain) {
            return Pattern::new(&format!("(?i){pattern}"), span).map(Self::Matches);
        }
        let text = text.as_bytes().into();
        Ok(if anchored { Self::Begins(text) } else { Self::Contains(text) })
    }

    fn holds(&self, name: &[u8]) -> bool {
        match self {
            Self::Begins(text) => {
                name.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
            }
            Self::Contains(text) if text.is_empty() => true,
            Self::Contains(text) => {
                name.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text))
            }
            Self::Matches(pattern) => pattern.is_in(name),
        }
    }
}

impl Members {
    /// `names` are those of TX, all of them.
    pub(crate) fn new(pattern: &str, span: &Span, names: &Names) -> Result<Self, Diagnostic> {
        let named = Named::new(pattern, span)?;
        let slots: Box<[bool]> = names.iter().map(|(_, name)| named.holds(name)).collect();
        let any_slot = slots.contains(&true);
        Ok(Self { named, slots, any_slot })
    }

    /// Whether a member of that name is one.
    pub(crate) fn hold(&self, name: &[u8]) -> bool {
        self.named.holds(name)
    }

    /// Whether any variable of TX is one whose name stands in the rules.
    pub(crate) fn hold_slots(&self) -> bool {
        self.any_slot
    }

    /// Whether the variable of TX in that slot is one.
    pub(crate) fn hold_slot(&self, slot: Slot) -> bool {
        self.slots.get(slot.index()).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use edgeproof_diagnostics::{Source, Span};
    use proptest::prelude::*;

    use super::{Named, Pattern};

    proptest! {
        #[test]
        fn a_text_is_found_where_its_pattern_is(
            pattern in r"\^?[aB_-]{0,3}(_\*)?",
            name in proptest::collection::vec(proptest::sample::select(&b"aAbB_-\n\xff"[..]), 0..6),
        ) {
            let source = Source::new("rules.conf", "");
            let span = Span::new(&source, 0..0);
            let named = Named::new(&pattern, &span).unwrap();
            prop_assert!(!matches!(named, Named::Matches(_)));
            let slow = Pattern::new(&format!("(?i){pattern}"), &span).unwrap();
            prop_assert_eq!(named.holds(&name), slow.is_in(&name));
        }
    }
}
