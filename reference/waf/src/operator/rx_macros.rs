//! `@rx` with macros: a pattern that is only known once a transaction has values.

use std::sync::{Arc, Mutex, PoisonError};

use super::argument::Expand;
use super::rx::{PatternError, Rx};
use super::{Captures, Outcome};
use crate::seclang::{Piece, Template};

/// A pattern with macros. The one that was needed last is kept compiled: most macros are settings, the same for
/// each transaction.
pub(super) struct RxWithMacros {
    /// The pattern's own text and the macros between, each by itself.
    parts: Vec<Part>,
    last: Mutex<Option<Last>>,
}

struct Last {
    pattern: Vec<u8>,
    /// Nothing where it cannot be read.
    rx: Option<Arc<Rx>>,
}

enum Part {
    Pattern(Box<[u8]>),
    Value(Template),
}

impl RxWithMacros {
    /// A pattern whose own text is well formed, whatever the macros stand for.
    pub(super) fn new(template: &Template) -> Result<Self, PatternError> {
        let parts = template.pieces().iter().map(|piece| match piece {
            Piece::Text(text) => Part::Pattern(text.as_bytes().into()),
            Piece::Macro { .. } => Part::Value(Template::new(vec![piece.clone()])),
        });
        let rx = Self { parts: parts.collect(), last: Mutex::new(None) };
        // As if all macros stood for a word: a mistake that shows then is one of the pattern.
        Rx::compile(&rx.pattern(&|_, use_it| use_it(b"x")))?;
        Ok(rx)
    }

    pub(super) fn matches(
        &self,
        value: &[u8],
        expand: Expand<'_>,
        captures: Option<&mut Captures>,
    ) -> Outcome {
        match self.compiled(self.pattern(expand)) {
            Some(rx) => rx.matches(value, captures),
            // Values that make the pattern unreadable make it match nothing, as in ModSecurity.
            None => Outcome::NoMatch,
        }
    }

    fn pattern(&self, expand: Expand<'_>) -> Vec<u8> {
        let mut pattern = Vec::new();
        for part in &self.parts {
            match part {
                Part::Pattern(text) => pattern.extend_from_slice(text),
                Part::Value(template) => {
                    expand(template, &mut |value| escape(value, &mut pattern));
                }
            }
        }
        pattern
    }

    fn compiled(&self, pattern: Vec<u8>) -> Option<Arc<Rx>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(last) if last.pattern == pattern => last.rx.clone(),
            _ => {
                let rx = Rx::compile(&pattern).ok().map(Arc::new);
                *last = Some(Last { pattern, rx: rx.clone() });
                rx
            }
        }
    }
}

/// Escapes a value as ModSecurity does, which leaves `|`, `*`, `^`, `$` and braces their meaning: settings are
/// lists parted by bars. (It escapes the pattern's own text, too, so that only those work there.)
fn escape(value: &[u8], out: &mut Vec<u8>) {
    for byte in value {
        if b":\"+.][()?/\\".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
}
