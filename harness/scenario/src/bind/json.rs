//! `body: { json: … }`: any YAML as JSON (RFC 8259), placeholders kept inside its strings.

use edgeproof_diagnostics::{Kind, Node, Style};

use super::Binder;
use crate::model::{Filter, Template};

impl Binder<'_> {
    /// The JSON text of a node, keys in the order written.
    pub(super) fn json(&self, node: &Node) -> Template {
        let mut json = Template::default();
        self.write_json(node, &mut json);
        json
    }

    fn write_json(&self, node: &Node, json: &mut Template) {
        match &node.kind {
            Kind::Scalar { text, style } => self.write_scalar(node, text, *style, json),
            Kind::Sequence(items) => {
                json.push_bytes(b"[");
                for (at, item) in items.iter().enumerate() {
                    json.push_bytes(if at == 0 { b"" } else { b"," });
                    self.write_json(item, json);
                }
                json.push_bytes(b"]");
            }
            Kind::Mapping(entries) => {
                json.push_bytes(b"{");
                for (at, (key, value)) in entries.iter().enumerate() {
                    json.push_bytes(if at == 0 { b"" } else { b"," });
                    self.write_string(key, key.as_str().unwrap_or_default(), json);
                    json.push_bytes(b":");
                    self.write_json(value, json);
                }
                json.push_bytes(b"}");
            }
        }
    }

    fn write_scalar(&self, node: &Node, text: &str, style: Style, json: &mut Template) {
        if node.is_null() {
            json.push_bytes(b"null");
        } else if let Some(flag) = node.as_bool() {
            json.push_bytes(if flag { b"true" } else { b"false" });
        } else if style == Style::Plain && is_json_number(text) {
            json.push_bytes(text.as_bytes());
        } else {
            self.write_string(node, text, json);
        }
    }

    fn write_string(&self, node: &Node, text: &str, json: &mut Template) {
        json.push_bytes(b"\"");
        json.append(&self.template_in(node, 0..text.len()).filtered(Filter::Json));
        json.push_bytes(b"\"");
    }
}

/// RFC 8259 §6; a number that JSON writes otherwise (`0x10`, `+1`, `.5`) stays a text, as it stands.
fn is_json_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
}
