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
    let Mismatch { what, expected, found } = mismatch;
    let message = format!("{what}: expected {expected}, found {found}");
    let mark = format!("found {found}");
    told(&assertion.span, &assertion.path, (&message, &mark), (expected, found), exchange)
}

/// A failure that no assertion asked for: at the step or the case that it happened in.
pub(crate) fn broken(span: &Span, path: &str, message: &str) -> Failure {
    told(span, path, (message, "in this case or step"), ("nothing of the kind", message), None)
}

/// What the target's answer has that no message has, whatever the case expects of it (RFC 9110 §2.2: a sender MUST NOT
/// generate what the grammar does not have).
pub(crate) fn defect(span: &Span, path: &str, what: &str, exchange: Option<usize>) -> Failure {
    let message = format!("the answer is no proper HTTP/1 message: {what}");
    told(span, path, (&message, "the answer to this"), ("a message of RFC 9112", what), exchange)
}

fn told(
    span: &Span,
    path: &str,
    (message, mark): (&str, &str),
    (expected, found): (&str, &str),
    exchange: Option<usize>,
) -> Failure {
    let headline = first_line(message);
    let mut diagnostic = Diagnostic::error(headline).label(&span.first_line(), first_line(mark));
    for line in found.lines().skip(1) {
        diagnostic = diagnostic.with_note(line.trim());
    }
    let position = span.position();
    Failure {
        file: span.source().path().to_owned(),
        line: position.line,
        column: position.column,
        path: path.to_owned(),
        message: headline.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
        rendered: diagnostic.render(Colour::Never),
        exchange,
        unanswered: false,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches(':')
}
