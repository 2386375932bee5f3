//! `steps`.

use edgeproof_diagnostics::{Diagnostic, Node};

use super::Binder;
use super::fields::Fields;
use crate::model::{Action, Capture, CaptureFrom, Step};
use crate::table;
use crate::template::is_name;

const VERBS: [&str; 12] = [
    "send", "raw", "advance", "parallel", "repeat", "poll", "ssh", "load", "journey", "ratio",
    "log", "close",
];

impl Binder<'_> {
    /// A list of steps.
    pub(super) fn steps(&self, node: &Node, path: &str) -> Vec<Step> {
        if node.as_sequence().is_some_and(<[_]>::is_empty) {
            self.reject::<()>(&node.span, "a step is missing");
        }
        let steps = self.items(node).iter().enumerate();
        steps.filter_map(|(at, step)| self.step(step, &format!("{path}[{at}]"))).collect()
    }

    /// One step. Its captures count only for the steps after it.
    pub(super) fn step(&self, node: &Node, path: &str) -> Option<Step> {
        let fields = self.fields(node, &table::STEP)?;
        let action = match fields.one_of(self, &VERBS) {
            Some((key, value)) => self.action(key.as_str().unwrap_or_default(), value, path),
            None => self.look(node, &fields),
        };
        let client = fields.get("client").and_then(|it| self.text(it));
        let expect = fields.get("expect").map(|it| self.expect(it, &format!("{path}.expect")));
        let capture = fields.get("capture").map(|it| self.captures(it));
        for capture in capture.iter().flatten() {
            self.captured(&capture.name, &capture.span);
        }
        Some(Step {
            span: node.span.first_line(),
            action: action?,
            client: client.unwrap_or_else(|| "main".to_owned()),
            expect: expect.unwrap_or_default(),
            capture: capture.unwrap_or_default(),
        })
    }

    /// A step without a verb only looks.
    fn look(&self, node: &Node, fields: &Fields<'_>) -> Option<Action> {
        if fields.get("expect").is_some() || fields.get("capture").is_some() {
            return Some(Action::Look);
        }
        // A misspelled verb has been reported as an unknown key.
        if node.as_mapping().is_some_and(<[_]>::is_empty) || fields.known().next().is_some() {
            let message = "a step without a verb does nothing";
            let help =
                format!("verbs are `{}`; a step may also have only `expect`", VERBS.join("`, `"));
            self.report::<()>(Diagnostic::error(message).at(&node.span.first_line()).help(help));
        }
        None
    }

    pub(super) fn captures(&self, node: &Node) -> Vec<Capture> {
        self.entries(node).iter().filter_map(|(key, value)| self.capture(key, value)).collect()
    }

    fn capture(&self, key: &Node, node: &Node) -> Option<Capture> {
        let name = self.text(key)?;
        if !is_name(&name) {
            let message = format!("`{name}` is no name for a variable: use letters, digits, `_`");
            return self.reject(&key.span, message);
        }
        let span = key.span.clone();
        if node.as_mapping().is_none() {
            let from = match self.word_of(node, &["body", "status", "access_log"])? {
                "body" => CaptureFrom::Body,
                "status" => CaptureFrom::Status,
                _ => self.capture_of_log(node),
            };
            return Some(Capture { name, from, matches: None, may_be_empty: false, span });
        }
        let fields = self.fields(node, &table::CAPTURE)?;
        let keys = ["header", "body", "json", "status", "access_log", "origin_header"];
        let (from, value) = self.which(node, &fields, &keys)?;
        let from = match from {
            "header" => CaptureFrom::Header(self.text(value)?),
            "json" => CaptureFrom::Json(self.json_pointer(value)?),
            "origin_header" => CaptureFrom::OriginHeader(self.text(value)?),
            "body" => self.only_true(value).map(|()| CaptureFrom::Body)?,
            "status" => self.only_true(value).map(|()| CaptureFrom::Status)?,
            _ => self.only_true(value).map(|()| self.capture_of_log(value))?,
        };
        let matches = fields.get("matches").map(|it| self.fixed_regex(it));
        let may_be_empty = fields.get("may_be_empty").and_then(|it| self.only_true(it)).is_some();
        Some(Capture { name, from, matches: matches.flatten(), may_be_empty, span })
    }

    /// RFC 6901 §3: nothing, or parts that begin with `/`, in which `~` is `~0` or `~1`.
    fn json_pointer(&self, node: &Node) -> Option<String> {
        let pointer = self.text(node)?;
        let escapes = pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if escapes && (pointer.is_empty() || pointer.starts_with('/')) {
            return Some(pointer);
        }
        let message = format!("`{pointer}` is no JSON pointer (RFC 6901)");
        let help = "write `/user/token`, `/list/0`; in a name, `~1` for `/` and `~0` for `~`";
        self.report(Diagnostic::error(message).at(&node.span).help(help))
    }

    fn capture_of_log(&self, node: &Node) -> CaptureFrom {
        self.need("access-log", &node.span);
        CaptureFrom::AccessLog
    }
}
