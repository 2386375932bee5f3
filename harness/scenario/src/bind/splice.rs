//! `include`: puts a fragment's steps where it is included and its rules behind the case's own.
//!
//! This happens before binding, so that included steps are bound in the case that includes them,
//! with its variables and columns, while their mistakes are shown in the fragment's file.

use std::path::{Component, Path, PathBuf};

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Kind, Node, Source, Span, Style, parse};

use super::Binder;
use super::file::Files;
use crate::table;

/// Most fragments in one case; a handful is usual, and two that include twice grow fast.
const MOST_FRAGMENTS: usize = 200;

/// Splices the fragments of one case.
pub(super) struct Splicer<'a> {
    files: &'a dyn Files,
    diagnostics: &'a Diagnostics,
    /// The files that are being included in one another, the case's own first.
    open: Vec<PathBuf>,
    /// Rules of the fragments so far.
    rules: Vec<Node>,
    fragments: usize,
}

impl<'a> Splicer<'a> {
    /// For a case in `source`.
    pub(super) fn new(source: &Source, files: &'a dyn Files, diagnostics: &'a Diagnostics) -> Self {
        let open = vec![normal(Path::new(source.path()))];
        Self { files, diagnostics, open, rules: Vec::new(), fragments: 0 }
    }

    /// The case with its fragments put in.
    pub(super) fn case(mut self, case: &Node) -> Node {
        let Some(entries) = case.as_mapping() else { return case.clone() };
        let mut entries = entries.to_vec();
        let first = case.get("include").map(|include| self.includes(include)).unwrap_or_default();
        let at = |entries: &[(Node, Node)], name: &str| {
            entries.iter().position(|(key, _)| key.as_str() == Some(name))
        };
        match at(&entries, "steps") {
            Some(at) => {
                let own = self.steps(&entries[at].1);
                entries[at].1 = prepend(first, own);
            }
            None if !first.is_empty() => entries.push(entry("steps", first, &case.span)),
            None => {}
        }
        if !self.rules.is_empty() {
            match at(&entries, "origin") {
                Some(at) => self.add_rules(&mut entries[at].1),
                None => {
                    let rules = std::mem::take(&mut self.rules);
                    entries.push(entry("origin", rules, &case.span));
                }
            }
        }
        Node { span: case.span.clone(), kind: Kind::Mapping(entries) }
    }

    fn add_rules(&mut self, origin: &mut Node) {
        match &mut origin.kind {
            Kind::Sequence(own) => own.append(&mut self.rules),
            Kind::Mapping(_) | Kind::Scalar { .. } => {
                let message = "a fragment has rules for this origin, which answers nothing";
                self.diagnostics.push(Diagnostic::error(message).at(&origin.span.first_line()));
            }
        }
    }

    /// A list of steps with its includes replaced, also those within `parallel` and `repeat`.
    fn steps(&mut self, node: &Node) -> Node {
        let Some(steps) = node.as_sequence() else { return node.clone() };
        let mut spliced = Vec::with_capacity(steps.len());
        for step in steps {
            match step.get("include") {
                Some(include) => {
                    if step.as_mapping().is_some_and(|entries| entries.len() > 1) {
                        let message = "`include` stands for whole steps: nothing else can be said";
                        let at = &step.span.first_line();
                        self.diagnostics.push(Diagnostic::error(message).at(at));
                    }
                    spliced.append(&mut self.fragment(include));
                }
                None => spliced.push(self.step(step)),
            }
        }
        Node { span: node.span.clone(), kind: Kind::Sequence(spliced) }
    }

    fn step(&mut self, step: &Node) -> Node {
        let Some(entries) = step.as_mapping() else { return step.clone() };
        let mut entries = entries.to_vec();
        for (key, value) in &mut entries {
            if !matches!(key.as_str(), Some("parallel" | "repeat")) {
                continue;
            }
            let Kind::Mapping(inner) = &mut value.kind else { continue };
            for (_, steps) in inner.iter_mut().filter(|(key, _)| key.as_str() == Some("steps")) {
                *steps = self.steps(steps);
            }
        }
        Node { span: step.span.clone(), kind: Kind::Mapping(entries) }
    }

    /// The steps of one or several fragments.
    fn includes(&mut self, node: &Node) -> Vec<Node> {
        let nodes = node.as_sequence().unwrap_or(std::slice::from_ref(node));
        nodes.iter().flat_map(|node| self.fragment(node)).collect()
    }

    /// The steps of a fragment; its rules are kept for later.
    fn fragment(&mut self, include: &Node) -> Vec<Node> {
        let Some(name) = include.as_str().filter(|_| !include.is_null()) else {
            let message = format!("expected the path of a fragment, found {}", include.describe());
            self.diagnostics.push(Diagnostic::error(message).at(&include.span.first_line()));
            return Vec::new();
        };
        let folder = Path::new(include.span.source().path()).parent().unwrap_or(Path::new(""));
        let path = normal(&folder.join(name));
        let Some(node) = self.open_fragment(include, &path) else { return Vec::new() };
        self.open.push(path);
        let steps = self.fragment_parts(&node, include);
        self.open.pop();
        steps
    }

    fn fragment_parts(&mut self, node: &Node, include: &Node) -> Vec<Node> {
        if node.get("fragment").is_none() {
            self.diagnostics.push(
                Diagnostic::error(format!("`{}` is no fragment", node.span.source().path()))
                    .at(&include.span)
                    .help("write `fragment: true` at its top, so that it is no case of its own"),
            );
            return Vec::new();
        }
        if Binder::new(self.diagnostics, &[]).fields(node, &table::FRAGMENT).is_none() {
            return Vec::new();
        }
        let mut steps =
            node.get("include").map(|include| self.includes(include)).unwrap_or_default();
        if let Some(own) = node.get("steps") {
            let own = self.steps(own);
            match own.kind {
                Kind::Sequence(mut own) => steps.append(&mut own),
                _ => self.not_a_list(&own.span),
            }
        }
        match node.get("origin").map(|origin| (origin.as_sequence(), &origin.span)) {
            Some((Some(rules), _)) => self.rules.extend_from_slice(rules),
            Some((None, span)) => self.not_a_list(span),
            None => {}
        }
        steps
    }

    fn not_a_list(&self, span: &Span) {
        let message = "expected a list in a fragment";
        self.diagnostics.push(Diagnostic::error(message).at(&span.first_line()));
    }

    fn open_fragment(&mut self, include: &Node, path: &Path) -> Option<Node> {
        let shown = path.display().to_string();
        if self.open.iter().any(|open| open == path) {
            let round: Vec<String> =
                self.open.iter().map(|open| open.display().to_string()).chain([shown]).collect();
            self.diagnostics.push(
                Diagnostic::error("this file includes itself")
                    .at(&include.span)
                    .with_note(round.join(" → ")),
            );
            return None;
        }
        self.fragments += 1;
        if self.fragments > MOST_FRAGMENTS {
            let message = format!("more than {MOST_FRAGMENTS} fragments in one case");
            self.diagnostics.push(Diagnostic::error(message).at(&include.span));
            return None;
        }
        match self.files.read(path) {
            Ok(text) => parse(&Source::new(shown, text), self.diagnostics),
            Err(error) => {
                let message = format!("`{shown}` cannot be read: {error}");
                self.diagnostics.push(Diagnostic::error(message).at(&include.span));
                None
            }
        }
    }
}

fn prepend(mut first: Vec<Node>, node: Node) -> Node {
    if first.is_empty() {
        return node;
    }
    match node.kind {
        Kind::Sequence(mut own) => {
            first.append(&mut own);
            Node { span: node.span, kind: Kind::Sequence(first) }
        }
        _ => node,
    }
}

fn entry(name: &str, items: Vec<Node>, span: &Span) -> (Node, Node) {
    let span = span.first_line();
    let kind = Kind::Scalar { text: name.to_owned(), style: Style::Plain };
    (Node { span: span.clone(), kind }, Node { span, kind: Kind::Sequence(items) })
}

/// The path without `.` and, where they can be resolved by name, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(normal.components().next_back(), Some(Component::Normal(_))) =>
            {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
