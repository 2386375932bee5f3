//! Templates: texts that are put together when the case is played.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeproof_diagnostics::{Diagnostic, Node, Value};

use super::Binder;
use super::fields::Fields;
use crate::model::{Part, Template};
use crate::table;
use crate::template::{Found, apply, decode_hex, pieces};

/// The most octets that `fill` with `size` may make where the bytes are held in one piece.
const LARGEST_FILL: u64 = 64 << 20;

impl Binder<'_> {
    /// A text with placeholders.
    pub(super) fn template(&self, node: &Node) -> Option<Template> {
        let text = Value::new(node, self.diagnostics).str()?;
        Some(self.template_in(node, 0..text.len()))
    }

    /// A part of a scalar's text as a template.
    pub(super) fn template_in(&self, node: &Node, range: Range<usize>) -> Template {
        let text = node.as_str().and_then(|text| text.get(range.clone())).unwrap_or_default();
        let mut template = Template::default();
        for piece in pieces(text) {
            let at = piece.at.start + range.start..piece.at.end + range.start;
            match piece.found {
                Found::Text => template.push_bytes(&text.as_bytes()[piece.at]),
                Found::Bytes(bytes) => template.push_bytes(&bytes),
                Found::Variable(name, filters) => match self.column(&name) {
                    Some(value) => {
                        let encoded = filters
                            .iter()
                            .fold(value.to_vec(), |value, filter| apply(*filter, &value));
                        template.push_bytes(&encoded);
                    }
                    None => {
                        let span = node.span_within(at);
                        self.variable(&name, &span);
                        template.parts.push(Part::Variable { name, filters, span });
                    }
                },
                Found::Mistake { message, help } => {
                    let place = node.span_within(at);
                    self.report::<()>(Diagnostic::error(message).at(&place).maybe_help(help));
                }
            }
        }
        template
    }

    /// A text, or bytes as a mapping: `{ base64: … }`, `{ hex: … }`, `{ fill: …, size: … }`.
    pub(super) fn bytes(&self, node: &Node) -> Option<Template> {
        if node.as_mapping().is_none() {
            return self.template(node);
        }
        let fields = self.fields(node, &table::BYTES)?;
        let (key, value) = self.which(node, &fields, &["base64", "hex", "fill"])?;
        match key {
            "fill" => {
                let (pattern, size) = self.fill(&fields, value)?;
                if size > LARGEST_FILL {
                    return self.reject(&node.span, format!("at most {LARGEST_FILL} octets here"));
                }
                Some(Template::literal(repeated(&pattern, size)))
            }
            _ => self.encoded(key, value).map(Template::literal),
        }
    }

    /// The one key of several that says what a mapping is, or a report that there is none.
    pub(super) fn which<'n>(
        &self,
        node: &'n Node,
        fields: &Fields<'n>,
        keys: &[&'static str],
    ) -> Option<(&'static str, &'n Node)> {
        match fields.one_of(self, keys) {
            Some((name, value)) => {
                let key = keys.iter().find(|key| name.as_str() == Some(key))?;
                Some((key, value))
            }
            None => {
                // An unknown key has been reported already; a second message would be noise.
                if node.as_mapping().is_some_and(<[_]>::is_empty) || fields.known().next().is_some()
                {
                    let words = keys.join("`, `");
                    return self.reject(&node.span, format!("expected one of `{words}` here"));
                }
                None
            }
        }
    }

    /// `base64` or `hex`.
    pub(super) fn encoded(&self, key: &str, node: &Node) -> Option<Vec<u8>> {
        let text: String =
            self.text(node)?.chars().filter(|it| !it.is_ascii_whitespace()).collect();
        if key == "hex" {
            let message = "expected an even number of hexadecimal digits";
            return decode_hex(&text).or_else(|| self.reject(&node.span, message));
        }
        let decoded = STANDARD.decode(&text);
        decoded.map_or_else(
            |error| self.reject(&node.span, format!("this is not base64: {error}")),
            Some,
        )
    }

    /// `fill` and its `size`.
    pub(super) fn fill(&self, fields: &Fields<'_>, node: &Node) -> Option<(Vec<u8>, u64)> {
        let pattern = self.text(node);
        let size = match fields.get("size") {
            Some(size) => self.size(size),
            None => self.reject(&node.span, "`fill` needs a `size`"),
        };
        let (pattern, size) = (pattern?, size?);
        if pattern.is_empty() {
            return self.reject(&node.span, "nothing cannot be repeated");
        }
        Some((pattern.into_bytes(), size))
    }

    /// Names with texts, or `Name: value` lines, in order; a list value makes several of one name.
    pub(super) fn named_texts(&self, node: &Node) -> Vec<(String, Template)> {
        let mut named = Vec::new();
        if node.as_sequence().is_some() {
            for (name, value) in self.lines(node) {
                named.push((name.to_display(), value));
            }
            return named;
        }
        for (name, value) in self.entries(node) {
            let values = value.as_sequence().unwrap_or(std::slice::from_ref(value));
            let name = self.text(name).unwrap_or_default();
            for value in values {
                named.extend(self.bytes(value).map(|text| (name.clone(), text)));
            }
        }
        named
    }

    /// `Name: value` lines.
    pub(super) fn lines(&self, node: &Node) -> Vec<(Template, Template)> {
        let line = |line: &Node| {
            let text = Value::new(line, self.diagnostics).str()?;
            let Some(colon) = text.find(':') else {
                return self.reject(&line.span, "expected a line such as `Name: value`");
            };
            let value = text.len() - text[colon + 1..].trim_start_matches([' ', '\t']).len();
            let name = self.template_in(line, 0..colon);
            Some((name, self.template_in(line, value..text.len())))
        };
        self.items(node).iter().filter_map(line).collect()
    }
}

/// The pattern again and again, cut at `size` octets.
fn repeated(pattern: &[u8], size: u64) -> Vec<u8> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    pattern.iter().copied().cycle().take(size).collect()
}
