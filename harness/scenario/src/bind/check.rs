//! `expect`.

use edgeproof_diagnostics::{Diagnostic, Node, Value as Raw, suggest};

use super::Binder;
use crate::model::{Assertion, Check, FileCheck, LogCheck, OriginCheck, RulesCheck, Value};
use crate::table;

/// What the probes of `ssh` tell ([`Check::Ssh`]).
const SSH_KEYS: [&str; 33] = [
    "banner",
    "software",
    "kex",
    "host_key_algorithms",
    "ciphers_to_client",
    "ciphers_to_server",
    "macs_to_client",
    "macs_to_server",
    "compression",
    "methods",
    "accepted",
    "strict_kex",
    "terrapin",
    "post_quantum",
    "host_key_type",
    "host_key_bits",
    "host_key_rsa_bits",
    "host_key_fingerprints",
    "gex_groups",
    "gex_smallest",
    "signature_algorithms",
    "attempts",
    "banned",
    "others_welcome",
    "answered",
    "refused",
    "closed",
    "closed_after",
    "forwarded",
    "output",
    "exit",
    "entries",
    "reached",
];

/// What a load counts ([`Check::Load`]).
const LOAD_KEYS: [&str; 3] = ["requests", "errors", "non_2xx"];

/// One line under `expect`: its key, its value and its path in the file.
struct Line<'n> {
    key: &'n Node,
    value: &'n Node,
    path: String,
}

impl Binder<'_> {
    /// `expect` (or `until`): one assertion for each line.
    pub(super) fn expect(&self, node: &Node, path: &str) -> Vec<Assertion> {
        let Some(fields) = self.fields(node, &table::EXPECT) else { return Vec::new() };
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            self.reject::<()>(&node.span, "nothing is expected here");
        }
        self.answered(&fields);
        let mut assertions = Vec::new();
        for (key, value) in fields.known() {
            // Also what is wrong was meant as an assertion: no second message that there is none.
            self.assertions.set(self.assertions.get() + 1);
            let name = key.as_str().unwrap_or_default();
            let line = Line { key, value, path: format!("{path}.{name}") };
            self.line(name, &line, &mut assertions);
        }
        assertions
    }

    fn line(&self, name: &str, line: &Line<'_>, assertions: &mut Vec<Assertion>) {
        let value = line.value;
        match name {
            "headers" => self.each(line, assertions, |key, value| {
                Some(Check::Header(self.field_name(key)?, self.value(value)?))
            }),
            "trailers" => self.each(line, assertions, |key, value| {
                Some(Check::Trailer(self.field_name(key)?, self.value(value)?))
            }),
            "files" => self.each(line, assertions, |key, value| {
                Some(Check::File(self.template(key)?, self.file_check(value)?))
            }),
            "ssh" => self.each(line, assertions, |key, value| {
                let known = self.known_key(key, &SSH_KEYS);
                Some(Check::Ssh(known?, self.value(value)?))
            }),
            "config" => self.each(line, assertions, |key, value| {
                Some(Check::SshConfig(self.directive(key)?, self.value(value)?))
            }),
            "load" => self.each(line, assertions, |key, value| {
                let known = self.known_key(key, &LOAD_KEYS);
                Some(Check::Load(known?, self.count(value)?))
            }),
            "processes" => {
                if value.as_sequence().is_some_and(<[_]>::is_empty) {
                    self.reject::<()>(&value.span, "nothing is expected of the processes");
                }
                for node in value.as_sequence().unwrap_or(std::slice::from_ref(value)) {
                    let check = self.processes(node);
                    assertions.extend(check.map(|check| assertion(line, check)));
                }
            }
            _ => {
                let check = self.single(name, line.key, value);
                assertions.extend(check.map(|check| assertion(line, check)));
            }
        }
    }

    fn single(&self, name: &str, key: &Node, node: &Node) -> Option<Check> {
        Some(match name {
            "status" => Check::Status(self.status(node)?),
            "reason" => Check::Reason(self.value(node)?),
            "version" => Check::Version(self.value(node)?),
            "body" => Check::Body(self.value(node)?),
            "interim" => Check::Interim(self.code_list(node)?),
            "complete" => Check::Complete(match node.as_str() {
                Some("any") => None,
                _ => Some(self.flag(node)?),
            }),
            "connection" => {
                Check::ConnectionOpen(self.word_of(node, &["open", "closed"])? == "open")
            }
            "no_answer" => Check::NoAnswer(self.flag(node)?),
            "answered" => Check::Answered(self.flag(node)?),
            "answer" => Check::Answer(self.value(node)?),
            "answers" => {
                let codes = self.code_list(node)?;
                let help = "name the status codes, or write `no_answer: true`";
                Check::Answers(self.some(node, codes, help)?)
            }
            "time" => self.time(node)?,
            "origin_requests" => Check::OriginRequests(self.count(node)?),
            "origin_connections" => Check::OriginConnections(self.count(node)?),
            "origin_saw" => Check::OriginSaw(self.origin_check(node)?),
            "access_log" => {
                self.need("access-log", &key.span);
                Check::AccessLog(self.log_check(node)?)
            }
            "waf_log" => {
                self.need("waf-log", &key.span);
                Check::WafLog(self.log_check(node)?)
            }
            "upstream_log" => {
                self.need("upstream-log", &key.span);
                Check::UpstreamLog(self.log_check(node)?)
            }
            "waf_rules" => {
                self.need("waf-log", &key.span);
                Check::WafRules(self.rules_check(node)?)
            }
            _ => return None,
        })
    }

    /// A mapping of which each entry is an assertion of its own.
    fn each(
        &self,
        line: &Line<'_>,
        assertions: &mut Vec<Assertion>,
        check: impl Fn(&Node, &Node) -> Option<Check>,
    ) {
        let entries = self.entries(line.value);
        if entries.is_empty() && line.value.as_mapping().is_some() {
            self.reject::<()>(&line.value.span, "nothing is expected here");
        }
        for (key, value) in entries {
            let path = format!("{}.{}", line.path, key.as_str().unwrap_or_default());
            let line = Line { key, value, path };
            assertions.extend(check(key, value).map(|check| assertion(&line, check)));
        }
    }

    fn known_key(&self, key: &Node, known: &[&str]) -> Option<String> {
        let name = self.text(key)?;
        if known.contains(&name.as_str()) {
            return Some(name);
        }
        let help = match suggest(&name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here are `{}`", known.join("`, `")),
        };
        self.report(Diagnostic::error(format!("unknown key `{name}`")).at(&key.span).help(help))
    }

    /// `sshd -T` prints directives in lower case.
    fn directive(&self, key: &Node) -> Option<String> {
        let name = self.text(key)?;
        let lower = name.to_ascii_lowercase();
        if lower == name {
            return Some(name);
        }
        let help = format!("write `{lower}`: the effective configuration is printed in lower case");
        let message = format!("`{name}` is not in lower case");
        self.report(Diagnostic::error(message).at(&key.span).help(help))
    }

    fn code_list(&self, node: &Node) -> Option<Vec<u16>> {
        match node.as_sequence() {
            Some(_) => self.codes(node),
            None => Raw::new(node, self.diagnostics).wrong_type("a list of status codes"),
        }
    }

    fn time(&self, node: &Node) -> Option<Check> {
        let fields = self.fields(node, &table::TIME)?;
        let bound = |key| fields.get(key).map(|it| self.lasting(it));
        let (above, below) = (bound("above"), bound("below"));
        if above == Some(None) || below == Some(None) {
            return None;
        }
        let (above, below) = (above.flatten(), below.flatten());
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            return self.reject(&node.span, "expected `above`, `below` or both");
        }
        if let (Some(above), Some(below)) = (above, below)
            && above > below
        {
            return self.reject(&node.span, "`above` is longer than `below`");
        }
        Some(Check::Time { above, below })
    }

    fn origin_check(&self, node: &Node) -> Option<OriginCheck> {
        let fields = self.fields(node, &table::ORIGIN_SAW)?;
        let value = |key| fields.get(key).and_then(|it| self.value(it));
        let fields_of = |key| {
            let Some(node) = fields.get(key) else { return Vec::new() };
            if node.as_mapping().is_some_and(<[_]>::is_empty) {
                self.reject::<()>(&node.span, "nothing is expected here");
            }
            self.field_values(node)
        };
        if !fields.known().any(|(key, _)| key.as_str() != Some("all")) {
            return self.reject(&node.span, "nothing is expected of the request");
        }
        Some(OriginCheck {
            all: fields.get("all").and_then(|it| self.flag(it)).unwrap_or(false),
            method: value("method"),
            path: value("path"),
            headers: fields_of("headers"),
            body: value("body"),
            trailers: fields_of("trailers"),
        })
    }

    /// What a line is to show, at least something.
    fn shown(&self, node: &Node) -> Vec<(String, Value)> {
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            let help = "name what the line is to show, or leave `fields` out";
            return self.vacuous(node, "nothing is expected of the line", help).unwrap_or_default();
        }
        self.values(node)
    }

    fn log_check(&self, node: &Node) -> Option<LogCheck> {
        let fields = self.fields(node, &table::LOG_CHECK)?;
        let value = |key| fields.get(key).and_then(|it| self.value(it));
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            return self.reject(&node.span, "nothing is expected of the lines");
        }
        Some(LogCheck {
            count: fields.get("count").and_then(|it| self.count(it)),
            line: value("line"),
            any: value("any"),
            none: value("none"),
            every: value("every"),
            fields: fields.get("fields").map(|it| self.shown(it)).unwrap_or_default(),
            distinct: fields.get("distinct").and_then(|it| self.only_true(it)).is_some(),
        })
    }

    fn rules_check(&self, node: &Node) -> Option<RulesCheck> {
        let fields = self.fields(node, &table::WAF_RULES)?;
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            return self.reject(&node.span, "nothing is expected of the rules");
        }
        let ids = |key| match fields.get(key) {
            Some(list) => self.rule_ids(list),
            None => Some(Vec::new()),
        };
        let (includes, excludes, only) = (ids("includes"), ids("excludes"), ids("only"));
        Some(RulesCheck { includes: includes?, excludes: excludes?, only: only? })
    }

    /// Ids of rules, at least one.
    fn rule_ids(&self, node: &Node) -> Option<Vec<u64>> {
        let ids: Vec<Option<u64>> =
            self.items(node).iter().map(|it| self.whole(it, 1..=u64::MAX)).collect();
        node.as_sequence()?;
        self.some(node, ids.into_iter().collect::<Option<_>>()?, "name the ids of the rules")
    }

    fn file_check(&self, node: &Node) -> Option<FileCheck> {
        let fields = self.fields(node, &table::FILE_CHECK)?;
        if node.as_mapping().is_some_and(<[_]>::is_empty) {
            return self.reject(&node.span, "nothing is expected of the file");
        }
        Some(FileCheck {
            exists: fields.get("exists").and_then(|it| self.flag(it)),
            count: fields.get("count").and_then(|it| self.count(it)),
            mode: fields.get("mode").and_then(|it| self.mode(it)),
            content: fields.get("content").and_then(|it| self.value(it)),
        })
    }

    fn mode(&self, node: &Node) -> Option<u32> {
        let text = self.text(node)?;
        let digits = text.strip_prefix("0o").unwrap_or(&text);
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o7777 => Some(mode),
            _ => self.reject(&node.span, format!("`{text}` is no mode: write one such as `0600`")),
        }
    }

    fn processes(&self, node: &Node) -> Option<Check> {
        let fields = self.fields(node, &table::PROCESSES)?;
        let matching = fields.get("matching").and_then(|it| self.regex(it));
        let count = fields.get("count").and_then(|it| self.count(it));
        Some(Check::Processes { matching: matching?, count: count? })
    }
}

fn assertion(line: &Line<'_>, check: Check) -> Assertion {
    let span = line.key.span.to(&line.value.span).first_line();
    Assertion { span, path: line.path.clone(), check }
}
