//! `origin`.

use edgeproof_diagnostics::{Diagnostic, Node, Value};

use super::Binder;
use super::fields::Fields;
use crate::model::{
    Answer, Body, Break, Chunking, Date, FieldValue, Interim, Origin, Rule, Template, When,
};
use crate::table;

impl Binder<'_> {
    /// A list of rules, `reflect`, or how the origin refuses.
    pub(super) fn origin(&self, node: &Node) -> Origin {
        if node.as_str().is_some() && !node.is_null() {
            let word = self.word_of(node, &["reflect"]);
            return word.map_or_else(Origin::default, |_| Origin::Reflect(None));
        }
        if node.as_mapping().is_none() {
            return Origin::Rules(self.items(node).iter().filter_map(|it| self.rule(it)).collect());
        }
        let word = self
            .fields(node, &table::CONNECTION)
            .and_then(|fields| self.word(&fields, "connection"));
        match word {
            Some("refuse") => Origin::Refuse,
            Some("reset") => Origin::Reset,
            Some(_) => Origin::Stall,
            None => Origin::default(),
        }
    }

    fn rule(&self, node: &Node) -> Option<Rule> {
        let fields = self.fields(node, &table::RULE)?;
        let on = fields.get("on").and_then(|on| self.when(on));
        let respond = fields.get("respond").map(|respond| {
            let answers = Value::new(respond, self.diagnostics).one_or_more().unwrap_or_default();
            if answers.is_empty() {
                self.reject::<()>(&respond.span, "an answer is missing");
            }
            answers.into_iter().filter_map(|it| self.answer(it.node()?)).collect()
        });
        Some(Rule { on: on?, respond: respond?, span: node.span.first_line() })
    }

    /// `GET /doc`, `/doc`, `GET`, or a mapping.
    fn when(&self, node: &Node) -> Option<When> {
        if node.as_mapping().is_none() {
            let text = self.text(node)?;
            let (method, path) = match text.split_once(' ') {
                Some((method, path)) => (Some(method.to_owned()), Some(path.trim().to_owned())),
                None if text.starts_with(['/', '*']) => (None, Some(text)),
                None => (Some(text), None),
            };
            self.check_when(node, method.as_deref(), path.as_deref());
            return Some(When { method, path, headers: Vec::new() });
        }
        let fields = self.fields(node, &table::WHEN)?;
        let method = fields.get("method").and_then(|it| self.text(it));
        let path = fields.get("path").and_then(|it| self.text(it));
        self.check_when(fields.get("method").unwrap_or(node), method.as_deref(), None);
        self.check_when(fields.get("path").unwrap_or(node), None, path.as_deref());
        let headers = fields.get("headers").map(|it| self.field_values(it)).unwrap_or_default();
        Some(When { method, path, headers })
    }

    fn check_when(&self, node: &Node, method: Option<&str>, path: Option<&str>) {
        if let Some(method) = method.filter(|method| !is_token(method)) {
            self.reject::<()>(&node.span, format!("`{method}` is no method"));
        }
        if let Some(path) = path.filter(|path| path.contains(' ')) {
            self.reject::<()>(&node.span, format!("a path has no spaces: `{path}`"));
        }
    }

    fn answer(&self, node: &Node) -> Option<Answer> {
        let fields = self.fields(node, &table::ANSWER)?;
        if let (Some((raw, _)), Some((other, _))) = (
            fields.entry("raw"),
            fields
                .known()
                .find(|(key, _)| !matches!(key.as_str(), Some("raw" | "delay" | "advance"))),
        ) {
            self.report::<()>(
                Diagnostic::error("`raw` is the whole answer: nothing else can be said of it")
                    .at(&other.span)
                    .context(&raw.span, "the whole answer"),
            );
        }
        let trailers = fields.get("trailers").map(|it| self.named_texts(it)).unwrap_or_default();
        let chunking = match fields.get("chunked") {
            Some(chunked) => self.chunking(chunked),
            None => (!trailers.is_empty()).then(Chunking::default),
        };
        Some(Answer {
            status: fields.get("status").and_then(|it| self.status_code(it)).unwrap_or(200),
            reason: fields.get("reason").and_then(|it| self.text(it)),
            headers: fields.get("headers").map(|it| self.origin_fields(it)).unwrap_or_default(),
            body: fields.get("body").and_then(|it| self.origin_body(it)).unwrap_or_else(no_body),
            delay: fields.get("delay").and_then(|it| self.duration(it)),
            advance: fields.get("advance").and_then(|it| self.duration(it)),
            chunking,
            trailers,
            interim: self.interims(&fields),
            break_off: fields.get("break").and_then(|it| self.break_off(it)),
            close: fields.get("close").and_then(|it| self.flag(it)).unwrap_or(false),
            raw: fields.get("raw").and_then(|it| self.bytes(it)),
        })
    }

    fn chunking(&self, node: &Node) -> Option<Chunking> {
        if node.as_sequence().is_none() {
            return self.flag(node)?.then(Chunking::default);
        }
        let sizes = self.items(node).iter().filter_map(|it| self.size_of(it, 1..=u64::MAX));
        Some(Chunking { sizes: sizes.collect() })
    }

    /// Field lines of an answer: text, date or `null`.
    fn origin_fields(&self, node: &Node) -> Vec<(String, FieldValue)> {
        if node.as_sequence().is_some() {
            let lines = self.lines(node).into_iter();
            return lines.map(|(name, it)| (name.to_display(), FieldValue::Text(it))).collect();
        }
        let mut fields = Vec::new();
        for (name, value) in self.entries(node) {
            let name = self.text(name).unwrap_or_default();
            let values = value.as_sequence().unwrap_or(std::slice::from_ref(value));
            for value in values {
                fields.extend(self.field_value(value).map(|value| (name.clone(), value)));
            }
        }
        fields
    }

    fn field_value(&self, node: &Node) -> Option<FieldValue> {
        if node.is_null() {
            return Some(FieldValue::Omit);
        }
        if node.get("date").is_none() {
            return self.bytes(node).map(FieldValue::Text);
        }
        let fields = self.fields(node, &table::DATE)?;
        let offset_ms = self.offset(fields.get("date")?)?;
        Some(FieldValue::Date(Date { offset_ms }))
    }

    fn origin_body(&self, node: &Node) -> Option<Body> {
        if node.as_mapping().is_none() {
            return self.template(node).map(Body::Bytes);
        }
        let fields = self.fields(node, &table::ORIGIN_BODY)?;
        let (key, value) = self.which(node, &fields, &["base64", "hex", "fill", "echo"])?;
        match key {
            "fill" => {
                let (pattern, size) = self.fill(&fields, value)?;
                Some(Body::Fill { pattern, size })
            }
            "echo" => self.word(&fields, "echo").map(|_| Body::EchoRequest),
            _ => self.encoded(key, value).map(|bytes| Body::Bytes(Template::literal(bytes))),
        }
    }

    fn interims(&self, fields: &Fields<'_>) -> Vec<Interim> {
        let Some(node) = fields.get("interim") else { return Vec::new() };
        self.items(node).iter().filter_map(|it| self.interim(it)).collect()
    }

    fn interim(&self, node: &Node) -> Option<Interim> {
        if node.as_mapping().is_none() {
            let status = self.interim_status(node)?;
            return Some(Interim { status, headers: Vec::new() });
        }
        let fields = self.fields(node, &table::INTERIM)?;
        let headers = fields.get("headers").map(|it| self.named_texts(it)).unwrap_or_default();
        let status = self.interim_status(fields.get("status")?)?;
        Some(Interim { status, headers })
    }

    fn interim_status(&self, node: &Node) -> Option<u16> {
        match self.whole(node, 100..=199)? {
            101 => self.reject(&node.span, "101 is a final answer here: write it as `status`"),
            status => u16::try_from(status).ok(),
        }
    }

    fn break_off(&self, node: &Node) -> Option<Break> {
        let fields = self.fields(node, &table::BREAK)?;
        let reset = self.word(&fields, "how") == Some("reset");
        Some(Break { after: self.size(fields.get("after")?)?, reset })
    }
}

fn no_body() -> Body {
    Body::Bytes(Template::default())
}

/// RFC 9110 §5.6.2.
pub(super) fn is_token(text: &str) -> bool {
    let letter = |it: char| it.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(it);
    !text.is_empty() && text.chars().all(letter)
}
