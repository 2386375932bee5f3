//! Files that change what tests expect of one engine or platform. Both forms are read:
//!
//! - the platform overrides that lie beside the Core Rule Set's tests (`test_overrides`): another output
//!   for some stages of some tests;
//! - the configuration of go-ftw, the format's own player (`testoverride` and others): inputs that differ
//!   in all tests, and tests that are ignored, or whose verdict is given.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Node, Source, Span, Value};
use edgeproof_scenario::model::Settled;
use regex::Regex;

use super::inputs::{self, present};
use super::model::{Input, Output, Test};
use super::read::Reader;

const PLATFORM: [&str; 3] = ["version", "meta", "test_overrides"];
const ENTRY: [&str; 6] = ["rule_id", "test_ids", "stage_ids", "reason", "retry_once", "output"];
const PLAYER: [&str; 11] = [
    "logfile",
    "testoverride",
    "logmarkerheadername",
    "mode",
    "maxmarkerretries",
    "maxmarkerloglines",
    "include",
    "exclude",
    "include_tags",
    "skip_tls_verification",
    "custom_log_id_regex",
];
const GIVEN: [&str; 4] = ["input", "ignore", "forcepass", "forcefail"];
const INPUT: [&str; 17] = [
    "dest_addr",
    "port",
    "protocol",
    "uri",
    "version",
    "headers",
    "ordered_headers",
    "method",
    "data",
    "save_cookie",
    "stop_magic",
    "autocomplete_headers",
    "encoded_request",
    "encodedrequest",
    "override_empty_host_header",
    "virtual_host_mode",
    "follow_redirect",
];

/// What such a file says of the whole run.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) mark_field: Option<String>,
    pub(super) rule_ids: Option<String>,
}

/// One file, read.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    path: String,
    entries: Vec<Entry>,
    given: Vec<Given>,
    input: Option<InputOverride>,
    settings: Settings,
}

/// Another output for some tests of a rule.
#[derive(Debug)]
struct Entry {
    span: Span,
    rule: u64,
    /// All of the rule's where there is none.
    tests: Vec<u64>,
    /// From 0; all where there is none.
    stages: Vec<usize>,
    reason: String,
    retry_once: bool,
    output: Option<Output>,
}

/// What becomes of the tests whose name matches.
#[derive(Debug)]
struct Given {
    pattern: Regex,
    what: Fate,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Ignored,
    Passes,
    Fails,
    /// `exclude`
    Excluded,
    /// `include`: those that do not match are left out.
    Included,
    /// `include_tags`
    Tagged,
}

/// What differs in the input of all tests. `None`: nothing.
#[derive(Debug, Default)]
struct InputOverride {
    tls: Option<bool>,
    uri: Option<String>,
    version: Option<String>,
    method: Option<String>,
    data: Option<Vec<u8>>,
    whole: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
    /// Host, where a test has none.
    host: Option<String>,
    autocomplete: Option<bool>,
    save_cookie: Option<bool>,
    virtual_host: Option<bool>,
}

impl Overrides {
    /// Reads either form.
    pub(super) fn read(source: &Source, node: &Node, diagnostics: &Diagnostics) -> Option<Self> {
        let reader = Reader { source, diagnostics };
        let mut overrides = Self { path: source.path().to_owned(), ..Self::default() };
        if node.get("test_overrides").is_some() {
            reader.known_keys(node, &PLATFORM, "a file of overrides");
            overrides.entries = platform(&reader, node);
            return Some(overrides);
        }
        if node.as_mapping().is_none_or(|entries| {
            !entries.iter().any(|(key, _)| key.as_str().is_some_and(|key| PLAYER.contains(&key)))
        }) {
            let message = "neither `test_overrides` nor `testoverride` is in this file";
            return reader.value(node).reject(message);
        }
        reader.known_keys(node, &PLAYER, "a file of overrides");
        overrides.player(&reader, node);
        Some(overrides)
    }

    /// go-ftw's configuration.
    fn player<'a>(&mut self, reader: &Reader<'a>, node: &'a Node) {
        if let Some(mode) = present(node, "mode")
            && reader.text(mode).is_some_and(|mode| mode != "default")
        {
            let message = "only `mode: default` can be played: ids are looked for in the log";
            reader.value(mode).reject::<()>(message);
        }
        self.settings.mark_field = present(node, "logmarkerheadername").and_then(|it| {
            let name = reader.text(it)?;
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            match !name.is_empty() && name.chars().all(token) {
                true => Some(name),
                false => reader.value(it).reject(format!("`{name}` is no field's name")),
            }
        });
        self.settings.rule_ids = present(node, "custom_log_id_regex").and_then(|it| {
            let pattern = reader.text(it).filter(|pattern| !pattern.is_empty())?;
            match Regex::new(&pattern) {
                Ok(regex) if regex.captures_len() > 1 => Some(pattern),
                Ok(_) => reader.value(it).reject("the pattern has no group: the id must be in one"),
                Err(error) => bad_regex(reader, it, &error),
            }
        });
        let lists = [
            ("exclude", Fate::Excluded),
            ("include", Fate::Included),
            ("include_tags", Fate::Tagged),
        ];
        for (key, what) in lists {
            let pattern = present(node, key).and_then(|it| pattern(reader, it));
            self.given.extend(pattern.map(|pattern| Given {
                pattern,
                what,
                reason: String::new(),
            }));
        }
        let Some(node) = present(node, "testoverride") else { return };
        reader.known_keys(node, &GIVEN, "`testoverride`");
        self.input = present(node, "input").map(|it| input(reader, it));
        let lists =
            [("ignore", Fate::Ignored), ("forcefail", Fate::Fails), ("forcepass", Fate::Passes)];
        for (key, what) in lists {
            let Some(list) = present(node, key) else { continue };
            for (name, reason) in list.as_mapping().unwrap_or_default() {
                let reason = reader.text(reason).unwrap_or_default();
                let pattern = pattern(reader, name);
                self.given.extend(pattern.map(|pattern| Given { pattern, what, reason }));
            }
            if list.as_mapping().is_none() {
                reader.value(list).wrong_type::<()>("patterns of test ids, each with a reason");
            }
        }
    }

    /// Changes the tests; an entry for a test that is not among those of its rule is a warning.
    pub(super) fn apply(
        self,
        mut tests: Vec<&mut Test>,
        settings: &mut Settings,
        diagnostics: &Diagnostics,
    ) {
        for entry in &self.entries {
            entry.apply(&mut tests, &self.path, diagnostics);
        }
        for test in tests {
            if let Some(input) = &self.input {
                test.stages.iter_mut().for_each(|stage| input.apply(&mut stage.input));
            }
            let fate = self.given.iter().find_map(|given| given.settles(test, &self.path));
            // What was switched off stays so.
            test.settled = test.settled.take().or(fate);
        }
        settings.mark_field = self.settings.mark_field.or(settings.mark_field.take());
        settings.rule_ids = self.settings.rule_ids.or(settings.rule_ids.take());
    }
}

impl Entry {
    fn apply(&self, tests: &mut [&mut Test], path: &str, diagnostics: &Diagnostics) {
        let of_rule = |test: &&mut &mut Test| test.rule == Some(self.rule);
        let known: Vec<u64> = tests.iter_mut().filter(of_rule).map(|test| test.number).collect();
        for number in
            self.tests.iter().filter(|number| !known.is_empty() && !known.contains(number))
        {
            let message = format!("there is no test {}-{number}", self.rule);
            diagnostics.push(Diagnostic::warning(message).at(&self.span));
        }
        for test in tests.iter_mut().filter(of_rule) {
            if !self.tests.is_empty() && !self.tests.contains(&test.number) {
                continue;
            }
            let Some(output) = &self.output else {
                // Nothing expected would be nothing tried.
                let why = format!("nothing is expected of it by {path}: {}", self.reason);
                test.settled.get_or_insert(Settled::Skip(why));
                continue;
            };
            for (number, stage) in test.stages.iter_mut().enumerate() {
                if self.stages.is_empty() || self.stages.contains(&number) {
                    stage.output = output.clone();
                    stage.output.retry_once |= self.retry_once;
                }
            }
        }
    }
}

impl Given {
    /// The verdict that it gives a test, if it is about it.
    fn settles(&self, test: &Test, path: &str) -> Option<Settled> {
        let matches = match self.what {
            Fate::Tagged => test.tags.iter().any(|tag| self.pattern.is_match(tag)),
            _ => self.pattern.is_match(&test.name()),
        };
        let because = match self.reason.trim() {
            "" => format!("by {path}"),
            reason => format!("by {path}: {reason}"),
        };
        match (self.what, matches) {
            (Fate::Ignored, true) => Some(Settled::Skip(format!("ignored {because}"))),
            (Fate::Passes, true) => Some(Settled::Skip(format!(
                "not played, since it is to pass in any case {because}"
            ))),
            (Fate::Fails, true) => Some(Settled::Fail(format!("forced to fail {because}"))),
            (Fate::Excluded, true) => Some(Settled::Skip(format!("excluded {because}"))),
            (Fate::Included | Fate::Tagged, false) => {
                Some(Settled::Skip(format!("not among those included {because}")))
            }
            _ => None,
        }
    }
}

impl InputOverride {
    fn apply(&self, input: &mut Input) {
        let text = |own: &mut Option<String>, other: &Option<String>| {
            if other.is_some() {
                own.clone_from(other);
            }
        };
        text(&mut input.uri, &self.uri);
        text(&mut input.version, &self.version);
        text(&mut input.method, &self.method);
        input.data = self.data.clone().or(input.data.take());
        input.whole = self.whole.clone().or(input.whole.take());
        for (name, value) in &self.headers {
            input.set_field(name, value);
        }
        if let Some(host) = &self.host
            && input.fields("host").next().is_none()
        {
            input.set_field("Host", host);
        }
        input.tls = self.tls.unwrap_or(input.tls);
        input.autocomplete = self.autocomplete.unwrap_or(input.autocomplete);
        input.save_cookie = self.save_cookie.unwrap_or(input.save_cookie);
        input.virtual_host = self.virtual_host.unwrap_or(input.virtual_host);
    }
}

fn platform<'a>(reader: &Reader<'a>, node: &'a Node) -> Vec<Entry> {
    let list = node.get("test_overrides").filter(|list| !list.is_null());
    let entries = list.and_then(|list| reader.value(list).items()).unwrap_or_default();
    let entry = |node: &'a Node| {
        reader.known_keys(node, &ENTRY, "an override");
        let Some(rule) = node.get("rule_id") else {
            return reader.value(node).reject("an override without `rule_id`");
        };
        let numbers = |key| {
            let values = present(node, key).and_then(|it| reader.value(it).one_or_more());
            values.unwrap_or_default().into_iter().filter_map(Value::u64).collect::<Vec<u64>>()
        };
        let stages = numbers("stage_ids").into_iter().filter_map(|it| usize::try_from(it).ok());
        Some(Entry {
            span: node.span.first_line(),
            rule: reader.value(rule).u64()?,
            tests: numbers("test_ids"),
            stages: stages.collect(),
            reason: present(node, "reason")
                .and_then(|it| reader.text(it))
                .map(|reason| reason.split_whitespace().collect::<Vec<_>>().join(" "))
                .unwrap_or_default(),
            retry_once: present(node, "retry_once")
                .and_then(|it| reader.value(it).bool())
                .unwrap_or(false),
            output: present(node, "output").map(|it| reader.output(it)),
        })
    };
    entries.into_iter().filter_map(|it| entry(it.node()?)).collect()
}

fn input<'a>(reader: &Reader<'a>, node: &'a Node) -> InputOverride {
    reader.known_keys(node, &INPUT, "`input`");
    let text = |key| present(node, key).and_then(|it| reader.text(it));
    let flag = |key| present(node, key).and_then(|it| reader.value(it).bool());
    let whole = present(node, "encoded_request").or_else(|| present(node, "encodedrequest"));
    let headers = present(node, "ordered_headers").or_else(|| present(node, "headers"));
    let fills_host = flag("override_empty_host_header") == Some(true);
    InputOverride {
        tls: text("protocol").map(|word| word.eq_ignore_ascii_case("https")),
        uri: text("uri"),
        version: text("version"),
        method: text("method"),
        data: present(node, "data")
            .and_then(|it| inputs::filled(reader, it, &reader.text(it)?, None)),
        whole: whole.and_then(|it| inputs::from_base64(reader, it)),
        headers: headers.map(|it| inputs::fields(reader, it, &|_, text| text)).unwrap_or_default(),
        host: text("dest_addr").filter(|_| fills_host),
        autocomplete: flag("autocomplete_headers")
            .or_else(|| flag("stop_magic").map(|stopped| !stopped)),
        save_cookie: flag("save_cookie"),
        virtual_host: flag("virtual_host_mode"),
    }
}

fn pattern<'a>(reader: &Reader<'a>, node: &'a Node) -> Option<Regex> {
    match Regex::new(&reader.text(node)?) {
        Ok(pattern) => Some(pattern),
        Err(error) => bad_regex(reader, node, &error),
    }
}

fn bad_regex<'a, T>(reader: &Reader<'a>, node: &'a Node, error: &regex::Error) -> Option<T> {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    reader.value(node).reject(format!("bad regex: {last}"))
}
