//! Expectations that cannot fail, and such as cannot hold. The first are worse than none: they look
//! like a proof.

use edgeproof_diagnostics::{Diagnostic, Node};
use regex_syntax::ParserBuilder;

use super::Binder;
use super::fields::Fields;
use crate::model::{Count, Template};

/// What `no_answer: true` and `answered: false` leave nothing of.
const OF_AN_ANSWER: [&str; 5] = ["status", "reason", "version", "body", "answers"];

impl Binder<'_> {
    /// Reports an expectation that proves nothing. Always None.
    pub(super) fn vacuous<T>(&self, node: &Node, message: &str, help: &str) -> Option<T> {
        self.report(Diagnostic::error(message).at(&node.span.first_line()).help(help))
    }

    /// A list with something in it.
    pub(super) fn some<T>(&self, node: &Node, list: Vec<T>, help: &str) -> Option<Vec<T>> {
        match list.is_empty() {
            false => Some(list),
            true => self.vacuous(node, "this list is empty: nothing is expected by it", help),
        }
    }

    /// A part to be looked for: the empty text is a part of every text.
    pub(super) fn part(&self, node: &Node, negated: bool) -> Option<Template> {
        let part = self.bytes(node)?;
        match part.is_empty() {
            false => Some(part),
            true => self.every_text(node, "the empty text is a part of every text", negated),
        }
    }

    /// A regex that some text does not match.
    pub(super) fn telling_regex(&self, node: &Node, negated: bool) -> Option<Template> {
        let template = self.regex(node)?;
        // Any value gone through the filter is a sequence of literals, as `x` is.
        let sample = template.render(|_| Some(b"x".to_vec())).ok()?;
        match matches_everything(&String::from_utf8_lossy(&sample)) {
            false => Some(template),
            true => self.every_text(node, "this regex matches every text", negated),
        }
    }

    fn every_text<T>(&self, node: &Node, message: &str, negated: bool) -> Option<T> {
        let help = match negated {
            true => "write `absent: true` for what must not be there",
            false => "write `present: true` for what must only be there, `\"\"` for an empty text",
        };
        self.vacuous(node, message, help)
    }

    /// A count that some number does not meet.
    pub(super) fn telling(&self, node: &Node, count: Count) -> Option<Count> {
        match count {
            Count { min: 0, max: u64::MAX } => {
                self.vacuous(node, "every count is in this range", "say a number that is not")
            }
            count => Some(count),
        }
    }

    /// `at_least`: 0 says nothing, with `at_most` or without.
    pub(super) fn at_least(&self, node: &Node) -> Option<u64> {
        match self.whole(node, 0..=u64::MAX)? {
            0 => self.vacuous(
                node,
                "`at_least: 0` holds always: no count is smaller",
                "leave it out, write `at_least: 1`, or `0` for none at all",
            ),
            least => Some(least),
        }
    }

    /// Nothing else can hold of what is absent, or it holds anyway.
    pub(super) fn only_absent(&self, fields: &Fields<'_>) {
        let Some((absent, _)) = fields.entry("absent") else { return };
        let Some((other, _)) = fields.known().find(|(key, _)| key.as_str() != Some("absent"))
        else {
            return;
        };
        let name = other.as_str().unwrap_or_default();
        self.report::<()>(
            Diagnostic::error(format!("`absent` and `{name}` do not go together"))
                .label(&other.span, "what is absent has no value")
                .context(&absent.span, "absent")
                .help("leave one of them out"),
        );
    }

    /// Where nothing is answered, no status and no content is.
    pub(super) fn answered(&self, fields: &Fields<'_>) {
        let silence = |(key, silent)| {
            let (key, value) = fields.entry(key)?;
            (value.as_str() == Some(silent)).then_some(key)
        };
        let silence = [("no_answer", "true"), ("answered", "false")].into_iter().find_map(silence);
        let Some(silence) = silence else { return };
        for (key, _) in fields.known() {
            let name = key.as_str().unwrap_or_default();
            if OF_AN_ANSWER.contains(&name) {
                self.report::<()>(
                    Diagnostic::error(format!("`{name}` cannot hold where nothing is answered"))
                        .label(&key.span, "of an answer")
                        .context(&silence.span, "there is none")
                        .help("leave one of them out"),
                );
            }
        }
    }
}

/// Does an unanchored search find this in every text? So it is when the empty text is enough,
/// wherever it stands.
fn matches_everything(pattern: &str) -> bool {
    let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    parsed.is_ok_and(|hir| {
        let properties = hir.properties();
        properties.minimum_len() == Some(0) && properties.look_set().is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::matches_everything;

    #[test]
    fn a_regex_tells_texts_apart_or_does_not() {
        for pattern in ["", ".*", "a?", "(|b)", "x*y*", "(?i)"] {
            assert!(matches_everything(pattern), "{pattern}");
        }
        for pattern in [".", "a", "^$", "^a?$", r"\b", "a|bc", "[^a]+"] {
            assert!(!matches_everything(pattern), "{pattern}");
        }
    }
}
