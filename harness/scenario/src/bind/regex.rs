//! Regexes: over bytes, Unicode off, checked when the file is read.

use edgeproof_diagnostics::{Diagnostic, Node, Value};
use regex_syntax::ParserBuilder;

use super::Binder;
use crate::model::{Filter, Part, Template};

/// Makes a regex as scenarios mean it: over bytes, Unicode off, `.` without line breaks, unanchored.
/// Every regex of a bound case is right, once its variables are put in.
///
/// # Errors
/// As [`regex::bytes::RegexBuilder::build`].
pub fn compile_regex(pattern: &str) -> Result<regex::bytes::Regex, regex::Error> {
    regex::bytes::RegexBuilder::new(pattern).unicode(false).build()
}

impl Binder<'_> {
    /// A regex that may use variables of the run, through the filter `regex`.
    pub(super) fn regex(&self, node: &Node) -> Option<Template> {
        let template = self.template(node)?;
        for part in &template.parts {
            if let Part::Variable { name, filters, span } = part
                && filters.last() != Some(&Filter::Regex)
            {
                let help = format!("write `{{{{{name}|regex}}}}`");
                let message = format!("the value of `{name}` may not be a right regex");
                self.report::<()>(Diagnostic::error(message).at(span).help(help));
            }
        }
        // Any value gone through the filter is a sequence of literals, as `x` is.
        let sample = template.render(|_| Some(b"x".to_vec())).ok()?;
        self.check_regex(node, &String::from_utf8_lossy(&sample))?;
        Some(template)
    }

    /// A regex that is known when the file is read.
    pub(super) fn fixed_regex(&self, node: &Node) -> Option<String> {
        let pattern = self.text(node)?;
        self.check_regex(node, &pattern)?;
        Some(pattern)
    }

    fn check_regex(&self, node: &Node, pattern: &str) -> Option<()> {
        let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
        let (message, at) = match parsed {
            Ok(_) => match compile_regex(pattern) {
                Ok(_) => return Some(()),
                Err(error) => return Value::new(node, self.diagnostics).reject(error.to_string()),
            },
            Err(regex_syntax::Error::Parse(error)) => (error.kind().to_string(), *error.span()),
            Err(regex_syntax::Error::Translate(error)) => (error.kind().to_string(), *error.span()),
            Err(error) => return Value::new(node, self.diagnostics).reject(error.to_string()),
        };
        // The place is known where nothing was put into the text.
        let span = match node.as_str() == Some(pattern) {
            true => node.span_within(at.start.offset..at.end.offset.max(at.start.offset)),
            false => node.span.first_line(),
        };
        self.report(Diagnostic::error(format!("bad regex: {message}")).at(&span))
    }
}
