//! `send` and `raw`.

use edgeproof_diagnostics::{Diagnostic, Node, Value};

use super::Binder;
use super::fields::Fields;
use super::origin::is_token;
use crate::model::{Action, BodySpec, Filter, Framing, Request, Template};
use crate::table;

const FORM_TYPE: &str = "application/x-www-form-urlencoded";
const JSON_TYPE: &str = "application/json";

/// Methods that people write in lower case by mistake (RFC 9110 §9.1: methods are case-sensitive).
const USUAL: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PURGE"];

impl Binder<'_> {
    /// A line such as `GET /doc`, or a mapping.
    pub(super) fn request(&self, node: &Node) -> Option<Request> {
        self.need("http", &node.span);
        if node.as_mapping().is_none() {
            return self.request_line(node);
        }
        let fields = self.fields(node, &table::REQUEST)?;
        let method = match fields.get("method") {
            Some(method) => self.method(method, 0..method.as_str().map_or(0, str::len)),
            None => Template::literal("GET"),
        };
        let mut headers = fields.get("headers").map(|it| self.headers(it)).unwrap_or_default();
        let body = fields.get("body").map(|it| self.content(it, &mut headers));
        let trailers = fields.get("trailers").map(|it| self.named_texts(it)).unwrap_or_default();
        let flag = |key| fields.get(key).and_then(|it| self.flag(it)).unwrap_or(false);
        let tls = flag("tls");
        if let Some(span) = fields.span("tls").filter(|_| tls) {
            self.need("tls", &span);
        }
        Some(Request {
            method,
            target: fields.get("path").and_then(|it| self.template(it)).unwrap_or_default(),
            version: self.word(&fields, "version").unwrap_or("HTTP/1.1").to_owned(),
            headers,
            body: body.unwrap_or(BodySpec::None),
            framing: self.framing(&fields, !trailers.is_empty()),
            trailers,
            tls,
            expect_continue: flag("expect_continue"),
            pause: fields.get("pause").and_then(|it| self.duration(it)),
            abort_after: fields.get("abort_after").and_then(|it| self.size(it)),
        })
    }

    /// `METHOD TARGET` or `METHOD TARGET HTTP/1.0`.
    fn request_line(&self, node: &Node) -> Option<Request> {
        let text = Value::new(node, self.diagnostics).str()?;
        let Some((method, rest)) = text.split_once(' ') else {
            return self.report(
                Diagnostic::error("expected a line such as `GET /doc`, or a mapping")
                    .at(&node.span.first_line()),
            );
        };
        let (target, version) = match rest.rsplit_once(' ') {
            Some((target, version @ ("HTTP/1.0" | "HTTP/1.1"))) => (target, version),
            _ => (rest, "HTTP/1.1"),
        };
        if target.is_empty() || target.contains(' ') {
            return self.report(
                Diagnostic::error(format!("`{target}` is no request-target: it has a space"))
                    .at(&node.span.first_line())
                    .help("write `send: { method: …, path: … }`, or `raw` for a request that is wrong on purpose"),
            );
        }
        let start = method.len() + 1;
        Some(Request {
            method: self.method(node, 0..method.len()),
            target: self.template_in(node, start..start + target.len()),
            version: version.to_owned(),
            headers: Vec::new(),
            body: BodySpec::None,
            framing: Framing::ContentLength,
            trailers: Vec::new(),
            tls: false,
            expect_continue: false,
            pause: None,
            abort_after: None,
        })
    }

    fn method(&self, node: &Node, range: std::ops::Range<usize>) -> Template {
        let template = self.template_in(node, range.clone());
        let Some(bytes) = template.as_literal() else { return template };
        let method = String::from_utf8_lossy(&bytes).into_owned();
        let at = node.span_within(range).first_line();
        let usual = method.to_ascii_uppercase();
        if !is_token(&method) {
            let help = "a method is a token (RFC 9110 §9.1); use `raw` to send something else";
            let message = format!("`{method}` is no method");
            self.report::<()>(Diagnostic::error(message).at(&at).help(help));
        } else if usual != method && USUAL.contains(&usual.as_str()) {
            let message = format!("`{method}` is another method than `{usual}`");
            let help = "methods are case-sensitive; if this is meant, use `raw`";
            self.report::<()>(Diagnostic::error(message).at(&at).help(help));
        }
        template
    }

    fn headers(&self, node: &Node) -> Vec<(Template, Option<Template>)> {
        if node.as_sequence().is_some() {
            return self.lines(node).into_iter().map(|(name, it)| (name, Some(it))).collect();
        }
        let mut headers = Vec::new();
        for (key, value) in self.entries(node) {
            let Some(name) = self.template(key) else { continue };
            if value.is_null() {
                if !is_field(&name, "host") {
                    self.report::<()>(
                        Diagnostic::error("`null` leaves out a field that would be sent by itself")
                            .at(&key.span)
                            .help("only `host` is; write `\"\"` for an empty value"),
                    );
                }
                headers.push((name, None));
                continue;
            }
            for value in value.as_sequence().unwrap_or(std::slice::from_ref(value)) {
                headers.extend(self.bytes(value).map(|text| (name.clone(), Some(text))));
            }
        }
        headers
    }

    fn framing(&self, fields: &Fields<'_>, trailers: bool) -> Framing {
        fields.one_of(self, &["chunked", "framing"]);
        let chunked = fields.get("chunked").and_then(|it| self.flag(it));
        match self.word(fields, "framing") {
            Some("as-written") => Framing::AsWritten,
            Some("chunked") => Framing::Chunked,
            Some(_) => Framing::ContentLength,
            None if chunked.unwrap_or(trailers) => Framing::Chunked,
            None => Framing::ContentLength,
        }
    }

    /// The content; a form or JSON brings its content-type.
    fn content(&self, node: &Node, headers: &mut Vec<(Template, Option<Template>)>) -> BodySpec {
        let mut typed = |content_type: &str| {
            if !headers.iter().any(|(name, _)| is_field(name, "content-type")) {
                let value = Template::literal(content_type);
                headers.push((Template::literal("Content-Type"), Some(value)));
            }
        };
        if node.as_mapping().is_none() {
            return self.template(node).map_or(BodySpec::None, BodySpec::Bytes);
        }
        let Some(fields) = self.fields(node, &table::CONTENT) else { return BodySpec::None };
        let keys = ["base64", "hex", "fill", "form", "json"];
        let Some((key, value)) = self.which(node, &fields, &keys) else { return BodySpec::None };
        match key {
            "form" => {
                typed(FORM_TYPE);
                BodySpec::Bytes(self.form(value))
            }
            "json" => {
                typed(JSON_TYPE);
                BodySpec::Bytes(self.json(value))
            }
            "fill" => match self.fill(&fields, value) {
                Some((pattern, size)) => BodySpec::Fill { pattern, size },
                None => BodySpec::None,
            },
            _ => self
                .encoded(key, value)
                .map_or(BodySpec::None, |bytes| BodySpec::Bytes(Template::literal(bytes))),
        }
    }

    /// application/x-www-form-urlencoded.
    fn form(&self, node: &Node) -> Template {
        let mut form = Template::default();
        for (at, (name, value)) in self.named_texts(node).into_iter().enumerate() {
            form.push_bytes(if at == 0 { b"" } else { b"&" });
            form.append(&Template::literal(name).filtered(Filter::Form));
            form.push_bytes(b"=");
            form.append(&value.filtered(Filter::Form));
        }
        form
    }

    /// `raw`.
    pub(super) fn raw(&self, node: &Node) -> Option<Action> {
        self.need("http", &node.span);
        if node.as_mapping().is_none() {
            let bytes = self.template(node)?;
            return Some(Action::Raw { bytes, answers: 1, tls: false, half_close: false });
        }
        let fields = self.fields(node, &table::RAW)?;
        let mut bytes = Template::default();
        if let Some(lines) = fields.get("lines")
            && lines.as_sequence().is_some_and(<[_]>::is_empty)
        {
            self.vacuous::<()>(lines, "no line is sent by this", "leave `lines` out");
        }
        for line in fields.get("lines").map(|it| self.items(it)).unwrap_or_default() {
            // An empty line may be written as nothing at all.
            if !line.is_null() {
                bytes.append(&self.template(line).unwrap_or_default());
            }
            bytes.push_bytes(b"\r\n");
        }
        if let Some(rest) = fields.get("bytes").and_then(|it| self.bytes(it)) {
            bytes.append(&rest);
        }
        if fields.get("lines").is_none() && fields.get("bytes").is_none() {
            self.reject::<()>(&node.span, "`raw` needs `lines` or `bytes`");
        }
        let flag = |key| fields.get(key).and_then(|it| self.flag(it)).unwrap_or(false);
        let tls = flag("tls");
        if let Some(span) = fields.span("tls").filter(|_| tls) {
            self.need("tls", &span);
        }
        let answers = fields.get("answers").and_then(|it| self.size_of(it, 0..=1_000_000));
        Some(Action::Raw {
            bytes,
            answers: answers.unwrap_or(1),
            tls,
            half_close: flag("half_close"),
        })
    }
}

fn is_field(name: &Template, field: &str) -> bool {
    name.as_literal().is_some_and(|name| name.eq_ignore_ascii_case(field.as_bytes()))
}
