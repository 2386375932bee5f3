//! From the node tree of a file to its tests.
//!
//! A key that is nearly a known one is a mistake, since the test would not say what its author thinks; any
//! other unknown key is only a warning, as the format's own player reads over it.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Node, Severity, Source, Value, suggest};
use edgeproof_scenario::model::Settled;

use super::inputs;
use super::model::{Input, Stage, Test};
use super::outputs;

/// The keys of the file itself.
const FILE: [&str; 4] = ["meta", "rule_id", "tests", "template"];
const META: [&str; 6] = ["author", "enabled", "name", "description", "version", "tags"];
const TEST: [&str; 12] = [
    "test_title",
    "rule_id",
    "id",
    "test_id",
    "desc",
    "description",
    "tags",
    "stages",
    "payload",
    "template",
    "output",
    "enabled",
];
const STAGE: [&str; 4] = ["stage", "description", "input", "output"];

/// What reads one file.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    pub(super) diagnostics: &'a Diagnostics,
}

impl<'a> Reader<'a> {
    /// The tests of a file, those without a mistake; what is wrong goes to the diagnostics. `None` for a
    /// file that is no ftw file.
    pub(super) fn file(&self, node: &'a Node) -> Option<Vec<Test>> {
        let tests = node.get("tests")?;
        self.known_keys(node, &FILE, "a file of ftw tests");
        let meta = node.get("meta").filter(|meta| !meta.is_null());
        if let Some(meta) = meta {
            self.known_keys(meta, &META, "`meta`");
        }
        let tags =
            meta.and_then(|meta| meta.get("tags")).map_or_else(Vec::new, |it| self.words(it));
        let rule = match node.get("rule_id") {
            Some(id) => self.value(id).u64(),
            None => digits(file_name(self.source.path())),
        };
        // The older form has no rule of the file, and there the switch still means something.
        let switch = meta.and_then(|meta| meta.get("enabled")).and_then(Node::as_bool);
        let off = switch == Some(false) && node.get("rule_id").is_none();
        let template = node.get("template");
        let nodes = self.value(tests).items().unwrap_or_default();
        if nodes.is_empty() && tests.as_sequence().is_some() {
            self.warn(tests, "a file without a test");
        }
        let mut read = Vec::new();
        for (place, node) in (1..).zip(nodes.iter().filter_map(|it| it.node())) {
            let before = self.mistakes();
            let test = self.test(node, rule, place, template);
            // One with a mistake in it is not what its author wrote.
            if self.mistakes() > before {
                continue;
            }
            read.extend(test.map(|mut test| {
                test.tags.extend(tags.iter().cloned());
                if off {
                    let why = "switched off in its file (meta.enabled)".to_owned();
                    test.settled = Some(Settled::Skip(why));
                }
                test
            }));
        }
        Some(read)
    }

    fn test(
        &self,
        node: &'a Node,
        rule: Option<u64>,
        place: u64,
        template: Option<&'a Node>,
    ) -> Option<Test> {
        if node.as_mapping().is_none() {
            return self.value(node).wrong_type("a test (a mapping)");
        }
        self.known_keys(node, &TEST, "a test");
        let own = node.get("rule_id").and_then(|id| self.value(id).u64());
        let title = node.get("test_title").and_then(|title| self.text(title));
        let number = node.get("id").or_else(|| node.get("test_id"));
        let number = match number {
            Some(number) => self.value(number).u64().filter(|number| *number > 0),
            None => title.as_deref().and_then(last_number),
        };
        let rule = own.or(rule).or_else(|| title.as_deref().and_then(digits));
        let described = node.get("desc").or_else(|| node.get("description"));
        let mistakes = self.mistakes();
        let stages = self.stages(node, template);
        if stages.is_empty() && self.mistakes() == mistakes {
            return self.value(node).reject("a test without a stage: nothing is sent");
        }
        let place = number.unwrap_or(place);
        Some(Test {
            source: self.source.clone(),
            span: node.span.first_line(),
            rule,
            number: place,
            id: id(title.as_deref(), rule, place),
            description: described
                .and_then(|text| self.text(text))
                .filter(|it| !it.trim().is_empty()),
            tags: node.get("tags").map(|tags| self.words(tags)).unwrap_or_default(),
            stages,
            settled: match node.get("enabled").and_then(Node::as_bool) {
                Some(false) => Some(Settled::Skip("switched off in its file (enabled)".to_owned())),
                _ => None,
            },
        })
    }

    /// `stages`, or one that a template and a payload make.
    fn stages(&self, test: &'a Node, template: Option<&'a Node>) -> Vec<Stage> {
        let Some(stages) = test.get("stages") else {
            let output = test.get("output");
            if test.get("payload").is_none() && output.is_none() {
                return Vec::new();
            }
            let payload = test.get("payload").and_then(|it| self.text(it)).unwrap_or_default();
            let input = self.template_input(template, test.get("template"), &payload);
            let output = output.map(|it| self.output(it)).unwrap_or_default();
            return vec![Stage { span: test.span.first_line(), input, output }];
        };
        if let Some(payload) = test.get("payload") {
            self.value(payload).reject::<()>("`payload` and `stages` exclude each other");
        }
        let stages = self.value(stages).items().unwrap_or_default();
        stages.into_iter().filter_map(|stage| self.stage(stage.node()?)).collect()
    }

    /// `{ input, output }`, in the older form below `stage`.
    fn stage(&self, node: &'a Node) -> Option<Stage> {
        if node.as_mapping().is_none() {
            return self.value(node).wrong_type("a stage (a mapping)");
        }
        self.known_keys(node, &STAGE, "a stage");
        let inner = match node.get("stage") {
            Some(inner) => {
                self.known_keys(inner, &STAGE[1..], "a stage");
                inner
            }
            None => node,
        };
        let Some(input) = inner.get("input") else {
            return self.value(node).reject("a stage without `input`: nothing is sent");
        };
        let input = self.input(input).map(|it| Input { older: node.get("stage").is_some(), ..it });
        let output = inner.get("output").map(|it| self.output(it)).unwrap_or_default();
        Some(Stage { span: node.span.first_line(), input: input?, output })
    }

    fn input(&self, node: &'a Node) -> Option<Input> {
        inputs::input(self, node)
    }

    fn template_input(
        &self,
        of_file: Option<&'a Node>,
        of_test: Option<&'a Node>,
        payload: &str,
    ) -> Input {
        inputs::from_template(self, [of_test, of_file], payload)
    }

    pub(super) fn output(&self, node: &'a Node) -> super::model::Output {
        outputs::output(self, node)
    }

    // ---- values ------------------------------------------------------------------------------------

    pub(super) fn value(&self, node: &'a Node) -> Value<'a> {
        Value::new(node, self.diagnostics)
    }

    /// Any scalar's text; nothing is the empty text, as the format's own player takes it.
    pub(super) fn text(&self, node: &'a Node) -> Option<String> {
        match node.as_str() {
            Some(_) if node.is_null() => Some(String::new()),
            Some(text) => Some(text.to_owned()),
            None => self.value(node).wrong_type("a text"),
        }
    }

    /// A list of texts, or one.
    fn words(&self, node: &'a Node) -> Vec<String> {
        let values = self.value(node).one_or_more().unwrap_or_default();
        values.into_iter().filter_map(|value| value.str().map(str::to_owned)).collect()
    }

    fn mistakes(&self) -> usize {
        self.diagnostics.count(Severity::Error)
    }

    pub(super) fn warn(&self, node: &Node, message: impl Into<String>) {
        let warning = Diagnostic::warning(message).at(&node.span.first_line());
        self.diagnostics.push(warning);
    }

    /// Reports the keys of a mapping that are not known.
    pub(super) fn known_keys(&self, node: &'a Node, known: &[&str], what: &str) {
        let Some(entries) = node.as_mapping() else {
            self.value(node).wrong_type::<()>(&format!("{what} (a mapping)"));
            return;
        };
        for (key, _) in entries {
            let name = key.as_str().unwrap_or_default();
            if known.contains(&name) {
                continue;
            }
            let message = format!("unknown key `{name}` in {what}");
            self.diagnostics.push(match suggest(name, known.iter().copied()) {
                Some(meant) => Diagnostic::error(message)
                    .at(&key.span)
                    .help(format!("did you mean `{meant}`?")),
                None => Diagnostic::warning(message).at(&key.span).help("it is left out"),
            });
        }
    }
}

/// The last part of a case's id: a title as it is, apart from white space and the rule before its number.
fn id(title: Option<&str>, rule: Option<u64>, number: u64) -> String {
    let rule = rule.map(|rule| format!("{rule}-")).unwrap_or_default();
    let title = title.map(|title| title.strip_prefix(&rule).unwrap_or(title).trim());
    match title.filter(|title| !title.is_empty()) {
        None => number.to_string(),
        Some(title) => {
            let plain = |c: char| if c.is_whitespace() || "/#".contains(c) { '-' } else { c };
            title.chars().map(plain).collect()
        }
    }
}

/// The first number in a text.
fn digits(text: &str) -> Option<u64> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = &text[start..];
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}

/// The number behind the last `-` of a title: `920100-4`.
fn last_number(title: &str) -> Option<u64> {
    title.rsplit_once('-')?.1.trim().parse().ok()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_number_or_the_title_without_its_rule() {
        assert_eq!(id(None, Some(920100), 4), "4");
        assert_eq!(id(Some("920100-4"), Some(920100), 4), "4");
        assert_eq!(id(Some("a b/c"), None, 1), "a-b-c");
        assert_eq!(digits("REQUEST-920100.yaml"), Some(920100));
        assert_eq!(
            (digits("none"), last_number("920100-12"), last_number("x")),
            (None, Some(12), None)
        );
    }
}
