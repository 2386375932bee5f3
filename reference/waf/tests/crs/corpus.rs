//! Tests in the rule set's format, from YAML.

use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Colour, Diagnostics, Node, Source, parse};

/// A test: requests one after another, each with what is expected of it.
pub(crate) struct Case {
    /// The rule's id and the test's number: `942100-3`.
    pub(crate) id: String,
    pub(crate) stages: Vec<Stage>,
}

/// A request and what is expected of it.
pub(crate) struct Stage {
    pub(crate) input: Input,
    pub(crate) expected: Expected,
}

/// A request as a test describes it.
pub(crate) struct Input {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) data: String,
    pub(crate) autocomplete: bool,
    /// The whole request in Base64, in place of everything else.
    pub(crate) encoded: Option<String>,
}

/// What a test expects.
#[derive(Default)]
pub(crate) struct Expected {
    pub(crate) status: Option<u16>,
    /// No answer that a client of HTTP/1 could read.
    pub(crate) error: bool,
    pub(crate) ids: Vec<u64>,
    pub(crate) no_ids: Vec<u64>,
    pub(crate) matches: Option<String>,
    pub(crate) no_match: Option<String>,
}

/// All tests below a folder.
pub(crate) fn read(folder: &Path) -> Vec<Case> {
    files(folder).iter().flat_map(|file| read_file(file)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let is_yaml =
        |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => Some(path).filter(is_yaml).into_iter().collect(),
    };
    paths.into_iter().flat_map(below).collect()
}

fn read_file(path: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(path).unwrap();
    let diagnostics = Diagnostics::new();
    let source = Source::new(path.display().to_string(), text);
    let node = parse(&source, &diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(Colour::Never));
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    let tests = node.as_ref().and_then(|node| node.get("tests")).and_then(Node::as_sequence);
    tests.unwrap_or_default().iter().map(|test| case(&stem, test)).collect()
}

fn case(stem: &str, node: &Node) -> Case {
    let stages = node.get("stages").and_then(Node::as_sequence).unwrap_or_default();
    Case {
        id: format!("{stem}-{}", text(node, "test_id").unwrap_or_default()),
        stages: stages.iter().map(stage).collect(),
    }
}

fn stage(node: &Node) -> Stage {
    let part = |name| node.get(name).unwrap_or(node);
    Stage { input: input(part("input")), expected: expected(part("output")) }
}

fn input(node: &Node) -> Input {
    let headers = node.get("headers").and_then(Node::as_mapping).unwrap_or_default();
    let header = |(name, value): &(Node, Node)| {
        let text = |node: &Node| node.as_str().unwrap_or_default().to_owned();
        (text(name), if value.is_null() { String::new() } else { text(value) })
    };
    Input {
        method: text(node, "method").unwrap_or_else(|| "GET".to_owned()),
        uri: text(node, "uri").unwrap_or_else(|| "/".to_owned()),
        version: text(node, "version").unwrap_or_else(|| "HTTP/1.1".to_owned()),
        headers: headers.iter().map(header).collect(),
        data: text(node, "data").unwrap_or_default(),
        autocomplete: node.get("autocomplete_headers").and_then(Node::as_bool).unwrap_or(true),
        encoded: text(node, "encoded_request"),
    }
}

fn expected(node: &Node) -> Expected {
    let log = node.get("log");
    let ids = |name| {
        let ids = log.and_then(|log| log.get(name)).and_then(Node::as_sequence);
        ids.unwrap_or_default().iter().filter_map(Node::as_u64).collect()
    };
    Expected {
        status: node.get("status").and_then(Node::as_u64).map(|status| status as u16),
        error: node.get("expect_error").and_then(Node::as_bool).unwrap_or(false),
        ids: ids("expect_ids"),
        no_ids: ids("no_expect_ids"),
        matches: log.and_then(|log| text(log, "match_regex")),
        no_match: log.and_then(|log| text(log, "no_match_regex")),
    }
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(Node::as_str).map(str::to_owned)
}
