//! A mismatch as an event: with the scenario's line and a caret.

use edgeproof_diagnostics::{Colour, Diagnostic, Span};
use edgeproof_scenario::model::Assertion;

use super::Mismatch;
use crate::event::Failure;

/// The failure of an assertion.
pub(crate) fn failure(
    assertion: &Assertion,
    mismatch: &Mismatch,
    exchange: Option<usize>,
) -> Failure {
    at(&assertion.span, &assertion.path, mismatch, exchange)
}

/// A failure that no assertion asked for: at the step or the case that it happened in.
pub(crate) fn broken(span: &Span, path: &str, message: &str) -> Failure {
    at(span, path, &Mismatch::new("the case", "nothing like that", message), None)
}

fn at(span: &Span, path: &str, mismatch: &Mismatch, exchange: Option<usize>) -> Failure {
    let Mismatch { what, expected, found } = mismatch;
    let message = format!("{what}: expected {expected}, found {found}");
    let headline = message.lines().next().unwrap_or_default().trim_end_matches(':').to_owned();
    let mark = format!("found {}", found.lines().next().unwrap_or_default().trim_end_matches(':'));
    let mut diagnostic = Diagnostic::error(&headline).label(&span.first_line(), mark);
    for line in found.lines().skip(1) {
        diagnostic = diagnostic.with_note(line.trim());
    }
    let position = span.position();
    Failure {
        file: span.source().path().to_owned(),
        line: position.line,
        column: position.column,
        path: path.to_owned(),
        message: headline,
        expected: expected.clone(),
        found: found.clone(),
        rendered: diagnostic.render(Colour::Never),
        exchange,
    }
}
