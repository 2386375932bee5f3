//! Each machine-readable format against its own rules, not against what it looked like before.

mod recorded;

use std::collections::BTreeSet;

use edgeproof_report::{Format, Level, Options, Root};
use edgeproof_runner::event::{CaseResult, Verdict};
use quick_xml::events::Event as Xml;
use recorded::{report, report_of, result, run_of};
use saphyr_parser::{Event as Yaml, Parser};

/// The schema is OASIS's own, as the crate serde-sarif carries it (src/schema.json).
#[test]
fn sarif_follows_the_schema() {
    let text = report(Format::Sarif, Options::default());
    let metadata = cargo_metadata::MetadataCommand::new().exec().expect("cargo metadata");
    let package = metadata.packages.iter().find(|package| package.name == "serde-sarif");
    let package = package.expect("serde-sarif is a dependency");
    let schema = package.manifest_path.parent().expect("a folder").join("src/schema.json");
    let schema = std::fs::read_to_string(schema).expect("the crate carries the schema");
    // Its pattern for languages has a bracket too many, which strict readers of schemas refuse.
    let schema = schema.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}?$");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["title"], "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let typed: serde_sarif::sarif::Sarif = serde_json::from_str(&text).expect("SARIF");
    assert_eq!(serde_json::to_value(&typed).expect("JSON"), value, "a round trip loses nothing");
}

/// What GitHub's code scanning asks beyond the schema: rules that exist, relative paths, lines
/// from 1, no result without a location.
#[test]
fn sarif_results_refer_to_rules_and_relative_paths() {
    let root = Root { current: std::env::temp_dir(), repository: None };
    let text = report(Format::Sarif, Options { root: Some(root), ..Options::default() });
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let run = &value["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let ids: BTreeSet<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    assert_eq!(ids.len(), rules.len(), "no rule twice");
    let results = run["results"].as_array().expect("results");
    assert!(results.len() > 8);
    for result in results {
        let place = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(rules[place]["id"], result["ruleId"]);
        let location = &result["locations"][0]["physicalLocation"];
        let uri = location["artifactLocation"]["uri"].as_str().expect("a uri");
        assert!(uri.starts_with("scenarios/") && !uri.contains([' ', '#', ':']), "{uri}");
        assert!(location["region"]["startLine"].as_u64().expect("a line") >= 1);
    }
    let suppressed: Vec<&str> = results
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .filter_map(|result| result["ruleId"].as_str())
        .collect();
    assert_eq!(suppressed, ["logs/escaping/quote"], "known failures and no others");
}

/// The structure that CI servers agree on: counts that are true, one outcome a case, and no
/// character that XML 1.0 §2.2 forbids.
#[test]
fn junit_is_well_formed_and_its_counts_are_true() {
    let text = report(Format::Junit, Options::default());
    let forbidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    assert!(!text.contains(forbidden), "a character that XML forbids");
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let mut path: Vec<String> = Vec::new();
    let mut found = Counted::default();
    let mut suites: Vec<(Counted, Counted)> = Vec::new();
    let mut whole = Counted::default();
    loop {
        let event = reader.read_event().expect("well-formed XML");
        let (start, empty) = match &event {
            Xml::Start(start) => (start, false),
            Xml::Empty(start) => (start, true),
            Xml::End(_) => {
                path.pop();
                continue;
            }
            Xml::Eof => break,
            _ => continue,
        };
        let name = start.name().as_ref().to_owned();
        let parents: Vec<&str> = path.iter().map(String::as_str).collect();
        let allowed: &[&str] = match name.as_str() {
            "testsuites" => &[],
            "testsuite" => &["testsuites"],
            "testcase" => &["testsuites", "testsuite"],
            "failure" | "error" | "skipped" => &["testsuites", "testsuite", "testcase"],
            // Of Maven's Surefire, which CI servers count neither as tests nor as failures.
            "flakyFailure" | "flakyError" | "rerunFailure" | "rerunError" => {
                &["testsuites", "testsuite", "testcase"]
            }
            "properties" | "property" => parents.as_slice(),
            other => panic!("an element that is not JUnit's: {other}"),
        };
        assert_eq!(parents, allowed, "{name}");
        match name.as_str() {
            "testsuites" => whole = Counted::declared(start),
            "testsuite" => suites.push((Counted::declared(start), Counted::default())),
            _ => {
                let suite = suites.last_mut().map(|(_, counted)| counted);
                for counted in suite.into_iter().chain([&mut found]) {
                    counted.count(&name);
                }
            }
        }
        if !empty {
            path.push(name);
        }
    }
    assert_eq!(found, whole);
    // 36 results, and the target that died.
    assert!(found.tests == 37 && found.failures > 0 && found.errors > 0 && found.skipped > 0);
    for (declared, counted) in suites {
        assert_eq!(declared, counted);
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counted {
    fn declared(start: &quick_xml::events::BytesStart<'_>) -> Counted {
        let number = |name: &str| {
            let attribute = start.try_get_attribute(name).expect("attributes");
            let value = attribute.unwrap_or_else(|| panic!("no attribute {name}")).value;
            value.parse().expect("a number")
        };
        Counted {
            tests: number("tests"),
            failures: number("failures"),
            errors: number("errors"),
            skipped: number("skipped"),
        }
    }

    fn count(&mut self, element: &str) {
        match element {
            "testcase" => self.tests += 1,
            "failure" => self.failures += 1,
            "error" => self.errors += 1,
            "skipped" => self.skipped += 1,
            _ => {}
        }
    }
}

/// A consumer of TAP 14: what fails the run is `not ok` without a directive.
#[test]
fn tap_follows_the_protocol() {
    for (gate, failing) in [(Level::Must, 6), (Level::Should, 8), (Level::May, 9)] {
        let text = report(Format::Tap, Options { gate, ..Options::default() });
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("TAP version 14"));
        assert_eq!(lines.next(), Some("1..36"));
        let mut points = 0;
        let mut failed = 0;
        let mut block: Option<String> = None;
        for line in lines {
            if let Some(yaml) = &mut block {
                match line.strip_prefix("  ").expect("a block is indented by two") {
                    "..." => check_yaml(&block.take().expect("in a block")),
                    inner => {
                        yaml.push_str(inner);
                        yaml.push('\n');
                    }
                }
            } else if line == "  ---" {
                block = Some(String::new());
            } else if !line.starts_with("Bail out! ") {
                points += 1;
                failed += usize::from(fails(line, points));
            }
        }
        assert!(block.is_none(), "a block without its end");
        assert_eq!((points, failed), (36, failing), "gate {gate}");
    }
}

fn fails(line: &str, number: usize) -> bool {
    let (ok, rest) = match line.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok ").expect("a test point")),
    };
    let (found, rest) = rest.split_once(" - ").expect("a description");
    assert_eq!(found.parse(), Ok(number));
    // An escaped # belongs to the description.
    let plain = rest.replace("\\\\", "").replace("\\#", "");
    let directive = plain.split_once(" # ").map(|(_, directive)| directive);
    if let Some(directive) = directive {
        assert!(directive.starts_with("SKIP ") || directive.starts_with("TODO "), "{line}");
    }
    !ok && directive.is_none()
}

fn check_yaml(text: &str) {
    let mut keys = 0;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.unwrap_or_else(|error| panic!("{error} in\n{text}"));
        keys += usize::from(matches!(event, Yaml::Scalar(..)));
    }
    assert!(keys >= 10, "too little in\n{text}");
}

/// What GitHub's runner does with a line: split at the second `::`, then undo the escapes.
#[test]
fn github_commands_are_one_line_each_and_survive_the_runner() {
    let text = report(Format::Github, Options::default());
    let mut errors = 0;
    for line in text.lines() {
        let rest = line.strip_prefix("::").expect("a command");
        let (command, data) = rest.split_once("::").expect("a message");
        let (name, properties) = command.split_once(' ').expect("properties");
        assert!(["error", "warning", "notice"].contains(&name), "{line}");
        errors += usize::from(name == "error");
        for property in properties.split(',') {
            let (key, value) = property.split_once('=').expect("key=value");
            assert!(["file", "line", "col", "title"].contains(&key), "{line}");
            assert!(!value.contains(':'), "{line}");
        }
        for escape in data.match_indices('%').map(|(place, _)| &data[place..place + 3]) {
            assert!(["%25", "%0A", "%0D"].contains(&escape), "{line}");
        }
        assert!(!data.contains(|c: char| c.is_control()), "{line}");
    }
    // 6 assertions of must cases, one case that broke, and the target that died with it.
    assert_eq!(errors, 8);
    assert!(text.contains("100%25 sure") || text.contains("`</details>`"), "data is kept");
}

/// GitHub names files from the root of the repository, wherever a step works and however the PATH is written.
#[test]
fn annotations_name_files_from_the_repository() {
    let table = [
        ("/repo", None, "scenarios/a.yaml", "scenarios/a.yaml"),
        ("/repo", None, "./scenarios/a.yaml", "scenarios/a.yaml"),
        ("/repo/proxy", Some("/repo"), "scenarios/a.yaml", "proxy/scenarios/a.yaml"),
        ("/repo/proxy", Some("/repo"), "../scenarios/./a.yaml", "scenarios/a.yaml"),
        ("/repo/proxy", Some("/repo"), "/repo/scenarios/a.yaml", "scenarios/a.yaml"),
        ("/repo/proxy", Some("/repo"), "/else/a.yaml", "/else/a.yaml"),
        ("/else", Some("/repo"), "scenarios/a.yaml", "scenarios/a.yaml"),
        ("/else", Some("/repo"), "/else/scenarios/a.yaml", "scenarios/a.yaml"),
        ("/else", Some("/repo"), "../a.yaml", "../a.yaml"),
    ];
    for (current, repository, file, named) in table {
        let failed = result(0, "cache/a", "nginx", "must", Verdict::Fail);
        let events = run_of([CaseResult { file: file.to_owned(), ..failed }]);
        let root = Root { current: current.into(), repository: repository.map(Into::into) };
        let options = Options { root: Some(root), ..Options::default() };
        let text = report_of(&events, Format::Github, options);
        assert!(text.starts_with(&format!("::error file={named},line=1,")), "{file}: {text}");
    }
}

/// Read by a Markdown reader, no payload has become markup and every table kept its columns.
#[test]
fn markdown_keeps_data_as_data() {
    use pulldown_cmark::{Event, Options as Extensions, Parser, Tag, TagEnd};
    let text = report(Format::Markdown, Options::default());
    let allowed = ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"];
    let mut columns = Vec::new();
    let mut depth = 0_i32;
    for event in Parser::new_ext(&text, Extensions::ENABLE_TABLES) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                depth += html.matches("<details>").count() as i32;
                depth -= html.matches("</details>").count() as i32;
                let mut rest = html.to_string();
                for tag in allowed {
                    rest = rest.replace(tag, "");
                }
                assert!(!rest.contains('<'), "markup from data: {html}");
            }
            Event::Start(Tag::Table(alignments)) => columns.push((alignments.len(), 0)),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                columns.last_mut().expect("in a table").1 = 0;
            }
            Event::End(TagEnd::TableCell) => columns.last_mut().expect("in a table").1 += 1,
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                let (expected, found) = columns.last().expect("in a table");
                assert_eq!(found, expected);
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("a link from data: {dest_url}");
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "a details element is open");
    assert!(columns.len() >= 3, "tables for counts, figures and flakes");
}

#[test]
fn json_has_the_documented_shape() {
    let text = report(Format::Json, Options::default());
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let summary = value["summary"].as_object().expect("a summary");
    let number = |key: &str| summary[key].as_u64().expect("a number");
    let parts = ["passed", "failed", "known_failed", "fixed", "skipped", "errors"];
    assert_eq!(number("cases"), parts.map(number).iter().sum::<u64>());
    let keys: BTreeSet<&str> = summary.keys().map(String::as_str).collect();
    assert_eq!(keys, BTreeSet::from_iter(parts.into_iter().chain(["cases"])));
    assert_eq!((&value["interrupted"], &value["missing"]), (&false.into(), &0.into()));
    assert_eq!(value["exit"]["code"], 7);
    assert_eq!(value["exit"]["meaning"], "the harness or a target broke");
    let cases = value["cases"].as_array().expect("cases");
    assert_eq!(cases.len() as u64, number("cases"));
    let always = ["id", "family", "level", "spec", "target", "verdict", "reason", "duration_ms"];
    for case in cases {
        for key in always {
            assert!(case.get(key).is_some(), "no {key} in {case}");
        }
    }
    let flaky = cases.iter().find(|case| case["flake_rate"] == 0.25).expect("the flaky case");
    assert_eq!(flaky["runs"], 4);
}
