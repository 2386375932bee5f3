//! Short templates that stand in `target.yaml` itself: arguments, addresses, paths.

use std::sync::Arc;

use edgeproof_diagnostics::{Diagnostic, Span, Value};

use crate::render::SHORT;

/// A template of one line or so, whose syntax is checked. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Text(Arc<Inner>);

#[derive(Debug, PartialEq)]
struct Inner {
    source: String,
    /// Where it stands; `None` where the harness made it.
    span: Option<Span>,
}

impl Text {
    /// Reads a value of target.yaml; a mistake in its syntax is reported there.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        let source = value.str()?.to_owned();
        match SHORT.template_from_str(&source) {
            Ok(_) => {
                let span = value.span().cloned();
                Some(Self(Arc::new(Inner { source, span })))
            }
            Err(error) => {
                let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
                let diagnostic =
                    Diagnostic::error(format!("bad template, {}{detail}", error.kind()));
                match value.span() {
                    Some(span) => value.report(diagnostic.at(&span.first_line())),
                    None => value.report(diagnostic),
                }
            }
        }
    }

    /// Text without placeholders, made by the harness.
    pub(crate) fn literal(text: &str) -> Self {
        debug_assert!(!text.contains("{{") && !text.contains("{%"), "{text}");
        Self(Arc::new(Inner { source: text.to_owned(), span: None }))
    }

    /// As written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Where it stands.
    pub(crate) fn span(&self) -> Option<&Span> {
        self.0.span.as_ref()
    }
}
