//! How a value is compared.

use edgeproof_diagnostics::{Diagnostic, Node};

use super::Binder;
use super::origin::is_token;
use crate::model::{Count, Status, Template, Value};
use crate::table;

impl Binder<'_> {
    /// A scalar, or a mapping of comparisons.
    pub(super) fn value(&self, node: &Node) -> Option<Value> {
        if node.is_null() {
            return self.report(
                Diagnostic::error("expected a value, found nothing").at(&node.span).help(
                    "write `{ absent: true }` for what must not be there, `\"\"` for an empty text",
                ),
            );
        }
        if node.as_sequence().is_some() {
            return self.report(
                Diagnostic::error("expected a text or a comparison, found a list")
                    .at(&node.span.first_line())
                    .help("say how: `{ lines: […] }`, `{ one_of: […] }`, `{ includes: […] }`, …"),
            );
        }
        if node.as_mapping().is_none() {
            return self.template(node).map(Value::Equals);
        }
        let fields = self.fields(node, &table::VALUE)?;
        self.only_absent(&fields);
        let mut values: Vec<Option<Value>> = Vec::new();
        for (key, operand) in fields.known() {
            values.push(self.comparison(key.as_str().unwrap_or_default(), operand));
        }
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            return self.reject(&node.span, "a comparison is missing");
        }
        let mut values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        match values.len() {
            1 => values.pop(),
            _ => Some(Value::All(values)),
        }
    }

    fn comparison(&self, key: &str, node: &Node) -> Option<Value> {
        Some(match key {
            "equals" => Value::Equals(self.bytes(node)?),
            "not" => Value::Not(self.bytes(node)?),
            "matches" => Value::Matches(self.telling_regex(node, false)?),
            "not_matches" => Value::NotMatches(self.telling_regex(node, true)?),
            "contains" => Value::Contains(self.part(node, false)?),
            "not_contains" => Value::NotContains(self.part(node, true)?),
            "absent" => self.only_true(node).map(|()| Value::Absent)?,
            "present" => self.only_true(node).map(|()| Value::Present)?,
            "count" => Value::Count(self.count(node)?),
            "lines" => Value::Lines(self.templates(node)?),
            "between" => {
                let (from, to) = self.pair(node, |it| self.number(it))?;
                Value::Between(from, to)
            }
            "size" => Value::Size(self.count(node)?),
            "date" => {
                let fields = self.fields(node, &table::DATE_RANGE)?;
                let (from, to) = self.pair(fields.get("between")?, |it| self.offset(it))?;
                Value::DateBetween(from, to)
            }
            "includes" => Value::Includes(self.templates(node)?),
            "excludes" => Value::Excludes(self.templates(node)?),
            "only" => Value::Only(self.templates(node)?),
            "first" => Value::First(self.bytes(node)?),
            "one_of" => Value::OneOf(self.templates(node)?),
            _ => return None,
        })
    }

    fn templates(&self, node: &Node) -> Option<Vec<Template>> {
        let items = node.as_sequence().map(<[Node]>::len);
        let templates: Vec<Template> =
            self.items(node).iter().filter_map(|it| self.bytes(it)).collect();
        let templates = (items == Some(templates.len())).then_some(templates)?;
        self.some(
            node,
            templates,
            "name what is expected, or write `absent: true` or `present: true`",
        )
    }

    /// Names with values.
    pub(super) fn values(&self, node: &Node) -> Vec<(String, Value)> {
        let value = |(key, value): &(Node, Node)| {
            let (name, value) = (self.text(key), self.value(value));
            Some((name?, value?))
        };
        self.entries(node).iter().filter_map(value).collect()
    }

    /// The same, of header or trailer fields.
    pub(super) fn field_values(&self, node: &Node) -> Vec<(String, Value)> {
        self.entries(node).iter().for_each(|(key, _)| drop(self.field_name(key)));
        self.values(node)
    }

    /// The name of a field. What no field can be called is absent from every message: to say so proves nothing.
    pub(super) fn field_name(&self, key: &Node) -> Option<String> {
        let name = self.text(key)?;
        match is_token(&name) {
            true => Some(name),
            false => self.vacuous(
                key,
                &format!("no field can have the name `{name}`"),
                "a field's name is a token (RFC 9110 §5.1): without colon, blank or quotes",
            ),
        }
    }

    /// `3`, or a range.
    pub(super) fn count(&self, node: &Node) -> Option<Count> {
        if node.as_mapping().is_none() {
            let exactly = self.whole(node, 0..=u64::MAX)?;
            return Some(Count { min: exactly, max: exactly });
        }
        let fields = self.fields(node, &table::COUNT)?;
        fields.one_of(self, &["between", "at_least"]);
        fields.one_of(self, &["between", "at_most"]);
        if let Some(between) = fields.get("between") {
            let (min, max) = self.pair(between, |it| self.whole(it, 0..=u64::MAX))?;
            return self.telling(node, Count { min, max });
        }
        let least = fields.get("at_least").map(|it| self.at_least(it));
        let most = fields.get("at_most").map(|it| self.whole(it, 0..=u64::MAX));
        // What was written and could not be read leaves no range to judge.
        if matches!(least, Some(None)) || matches!(most, Some(None)) {
            return None;
        }
        let (min, max) = (least.flatten(), most.flatten());
        if min.is_none() && max.is_none() {
            // An unknown key has been reported already.
            return match node.as_mapping().is_some_and(<[_]>::is_empty) {
                true => self.reject(&node.span, "expected `between`, `at_least` or `at_most`"),
                false => None,
            };
        }
        let count = Count { min: min.unwrap_or(0), max: max.unwrap_or(u64::MAX) };
        if count.min > count.max {
            return self.reject(&node.span, "`at_least` is larger than `at_most`");
        }
        self.telling(node, count)
    }

    /// `200`, `[200, 206]`, `2xx`, `{ not: 200 }`.
    pub(super) fn status(&self, node: &Node) -> Option<Status> {
        if node.as_mapping().is_some() {
            let fields = self.fields(node, &table::NOT_STATUS)?;
            let node = fields.get("not")?;
            return self.some_codes(node).map(Status::NoneOf);
        }
        if let Some(class) = node.as_str().and_then(status_class) {
            return Some(Status::Class(class));
        }
        self.some_codes(node).map(Status::OneOf)
    }

    /// Status codes, at least one.
    fn some_codes(&self, node: &Node) -> Option<Vec<u16>> {
        let codes = self.codes(node)?;
        self.some(node, codes, "name a status code, or write `no_answer: true`")
    }

    /// One or several status codes.
    pub(super) fn codes(&self, node: &Node) -> Option<Vec<u16>> {
        let nodes = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        let codes: Vec<Option<u16>> = nodes.iter().map(|it| self.status_code(it)).collect();
        codes.into_iter().collect()
    }
}

/// `2xx`.
fn status_class(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [class @ b'1'..=b'5', b'x', b'x'] => Some(class - b'0'),
        _ => None,
    }
}
