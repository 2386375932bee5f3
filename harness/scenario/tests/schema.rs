//! The schema and the binder agree: what the binder takes the schema takes, and both refuse unknown
//! keys and wrong types.

use std::fs;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Diagnostics, Kind, Node, Source, parse};
use edgeproof_scenario::{bind_text, schema};
use jsonschema::Validator;
use serde_json::Value;

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

/// A node as an editor sees it.
fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Sequence(items) => items.iter().map(value).collect(),
        Kind::Mapping(entries) => entries
            .iter()
            .map(|(key, node)| (key.as_str().unwrap_or_default().to_owned(), value(node)))
            .collect(),
        Kind::Scalar { .. } if node.is_null() => Value::Null,
        Kind::Scalar { text, .. } => node
            .as_bool()
            .map(Value::from)
            .or(node.as_u64().map(Value::from))
            .or(node.as_i64().map(Value::from))
            .or(node.as_f64().filter(|it| it.is_finite()).map(Value::from))
            .unwrap_or_else(|| Value::from(text.as_str())),
    }
}

fn parsed(path: &str, text: &str) -> Value {
    let diagnostics = Diagnostics::new();
    value(&parse(&Source::new(path, text), &diagnostics).expect("YAML"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut self::files(&path));
        } else if path.extension().is_some_and(|it| it == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn assert_accepted(validator: &Validator, file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let value = parsed(&file.display().to_string(), &text);
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}:\n{}", file.display(), errors.join("\n"));
}

#[test]
fn it_takes_what_the_binder_takes() {
    let validator = validator();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests/good", "../../scenarios"] {
        let files = files(&here.join(folder));
        assert!(!files.is_empty());
        files.iter().for_each(|file| assert_accepted(&validator, file));
    }
}

/// Each line is put in the place of `HERE`; both must refuse it.
#[test]
fn both_refuse_unknown_keys_and_wrong_types() {
    let places = [
        (
            "HERE\nname: n\nspec: s\nsteps: [{ send: GET /, expect: { status: 200 } }]",
            &[
                "stpes: []",
                "alone: maybe",
                "level: mst",
                "time_limit: 10",
                "time_limit: 0s",
                "time_limit: 0",
                "time_limit: 0m0.0s",
                "needs: cache",
                "each: {}",
                "site: [1]",
                "site: { cach: {} }",
                "site: { cache: { polcy: rfc9111 } }",
                "site: { cache: { policy: rfc7234 } }",
                "site: { waf: {} }",
                "site: { any_host: false }",
                "origin: mirror",
                "site: { clock: {} }",
                "origin: { conection: refuse }",
                "origin: [{ on: GET / }]",
                "origin: [{ on: GET /, respond: { stats: 200 } }]",
                "origin: [{ on: GET /, respond: { status: 42 } }]",
                "origin: [{ on: GET /, respond: { break: { how: close } } }]",
                "origin: [{ on: { pth: / }, respond: {} }]",
                "origin: [{ on: GET /, respond: { body: { fil: x } } }]",
                "origin: [{ on: GET /, respond: { interim: [200] } }]",
            ][..],
        ),
        (
            "name: n\nspec: s\nsteps: [{ send: GET /, expect: { status: 200 } }, HERE]",
            &[
                "{ snd: GET / }",
                "{ send: { path: /, methd: GET } }",
                "{ send: { method: GET } }",
                "{ raw: { byets: x } }",
                "{ advance: 30 }",
                "{ advance: soon }",
                "{ parallel: { clients: 2 } }",
                "{ parallel: { clients: 0, steps: [{ close: true }] } }",
                "{ poll: { until: { stats: 200 } } }",
                "{ poll: {} }",
                "{ repeat: { times: 2, stps: [] } }",
                "{ ssh: shake }",
                "{ ssh: { usr: x } }",
                "{ load: { name: a, send: GET / } }",
                "{ ratio: { name: a, of: speed, numerator: a, denominator: b } }",
                "{ close: false }",
                "{ raw: { lines: [] } }",
                "{ poll: { until: { status: 200 }, every: 0s, within: 0s } }",
                "{ load: { name: a, send: GET /, requests: 1, time_limit: 0s } }",
                "{ send: GET /, capture: { a: { hdr: x } } }",
                "{ send: { path: /, body: { jsn: {} } } }",
                "{ send: { path: /, version: HTTP/3 } }",
                "{ send: { path: /, tls: maybe } }",
            ][..],
        ),
        (
            "name: n\nspec: s\nsteps: [{ send: GET /, expect: HERE }]",
            &[
                "true",
                "{ stats: 200 }",
                "{ status: 42 }",
                "{ status: 6xx }",
                "{ headers: { age: { betwen: [1, 2] } } }",
                "{ headers: { age: { between: 30 } } }",
                "{ headers: { age: { between: [1, 2, 3] } } }",
                "{ headers: { age: ~ } }",
                "{ body: [a] }",
                "{ body: { absent: false } }",
                "{ origin_requests: -1 }",
                "{ origin_requests: { atleast: 1 } }",
                "{ origin_saw: { hdrs: {} } }",
                "{ access_log: { lines: x } }",
                "{ files: { a: { exist: true } } }",
                "{ processes: { count: 1 } }",
                "{ connection: maybe }",
                "{ complete: 1 }",
                "{ time: { under: 1s } }",
                "{ load: { errors: x } }",
                "{ interim: 103 }",
                "{ status: [] }",
                "{ status: { not: [] } }",
                "{ answers: [] }",
                "{ answered: maybe }",
                "{ waf_rules: [941100] }",
                "{ waf_rules: { includes: [] } }",
                "{ waf_rules: { includes: [0] } }",
                "{ waf_rules: { include: [1] } }",
                "{ processes: [] }",
                "{ origin_requests: { at_least: 0 } }",
                "{ time: { above: 0s } }",
                "{ time: { below: 0ms } }",
                "{ headers: { vary: { includes: [] } } }",
                "{ headers: { vary: { excludes: [] } } }",
                "{ headers: { vary: { only: [] } } }",
                "{ headers: { vary: { one_of: [] } } }",
                "{ headers: { vary: { lines: [] } } }",
                "{ headers: { vary: { contains: '' } } }",
                "{ headers: { vary: { not_contains: '' } } }",
                "{ headers: { vary: { matches: '' } } }",
                "{ headers: { vary: { not_matches: '' } } }",
                "{ headers: { date: { date: { between: [soon, later] } } } }",
            ][..],
        ),
    ];
    let validator = validator();
    for (frame, lines) in places {
        for line in lines {
            let text = frame.replace("HERE", line);
            assert!(bind_text("a.yaml", &text).1.has_errors(), "the binder takes {line}");
            assert!(!validator.is_valid(&parsed("a.yaml", &text)), "the schema takes {line}");
        }
    }
}

#[test]
fn every_key_is_described() {
    fn undescribed(value: &Value, path: &str, found: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if property["description"].as_str().is_none_or(str::is_empty) {
                    found.push(format!("{path}.{name}"));
                }
            }
        }
        if let Some(definitions) = value.get("$defs").and_then(Value::as_object) {
            definitions.iter().for_each(|(name, form)| undescribed(form, name, found));
        }
    }
    let mut found = Vec::new();
    undescribed(&schema(), "", &mut found);
    assert_eq!(found, Vec::<String>::new());
}
