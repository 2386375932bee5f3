//! One file: a case, several cases, or a fragment.

use std::io;
use std::path::Path;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Kind, Node, Source, parse};

use super::Binder;
use super::case::cases;
use super::splice::Splicer;
use crate::model::Case;
use crate::table;

/// Where fragments are read from.
pub(crate) trait Files {
    /// The text of a file, whose path is made from the including source's path.
    fn read(&self, path: &Path) -> io::Result<String>;
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    /// Its cases without a mistake.
    pub(crate) cases: Vec<Case>,
    /// It is for other files to include, and no case of its own.
    pub(crate) fragment: bool,
}

/// Binds a file whose cases' ids begin with `id`. Every mistake goes to `diagnostics`, each once.
pub(crate) fn bind_source(
    source: &Source,
    id: &str,
    files: &dyn Files,
    diagnostics: &Diagnostics,
) -> Bound {
    let found = Diagnostics::new();
    let bound = match parse(source, &found) {
        Some(node) => bind_node(&node, id, source, files, &found),
        None => Bound::default(),
    };
    // What is shared by several cases is wrong in each of them.
    let mut told: Vec<Diagnostic> = Vec::new();
    for one in found {
        if !told.contains(&one) {
            told.push(one);
        }
    }
    diagnostics.extend(told);
    bound
}

fn bind_node(
    node: &Node,
    id: &str,
    source: &Source,
    files: &dyn Files,
    diagnostics: &Diagnostics,
) -> Bound {
    if node.get("fragment").is_some() {
        let binder = Binder::new(diagnostics, &[]);
        if let Some(fields) = binder.fields(node, &table::FRAGMENT)
            && let Some(fragment) = fields.get("fragment")
        {
            binder.only_true(fragment);
        }
        return Bound { cases: Vec::new(), fragment: true };
    }
    let mut bound = Bound::default();
    let mut bind = |node: &Node, form, id: &str| {
        let before = diagnostics.len();
        let node = Splicer::new(source, files, diagnostics).case(node);
        let whole = diagnostics.len() == before;
        let cases = cases(&node, form, id, source, diagnostics);
        // With a fragment missing the case is not what its author wrote.
        bound.cases.extend(cases.into_iter().filter(|_| whole));
    };
    if node.get("cases").is_none() {
        bind(node, &table::CASE, id);
        return bound;
    }
    let binder = Binder::new(diagnostics, &[]);
    let Some(fields) = binder.fields(node, &table::MANY) else { return bound };
    let entries = fields.get("cases").map(|it| binder.items(it)).unwrap_or_default();
    if entries.is_empty() {
        binder.reject::<()>(&node.span, "a case is missing");
    }
    for entry in entries {
        let own = entry.get("id").and_then(|id| binder.id(id)).unwrap_or_default();
        bind(&with_shared(entry, node), &table::CASE_OF_MANY, &format!("{id}/{own}"));
    }
    bound
}

/// A case with what stands above all of them: `needs` and `tags` are added to its own, the rest
/// stands in for what it does not say itself.
fn with_shared(case: &Node, top: &Node) -> Node {
    let (Some(own), Some(shared)) = (case.as_mapping(), top.as_mapping()) else {
        return case.clone();
    };
    let mut entries = own.to_vec();
    for (key, value) in shared {
        let name = key.as_str().unwrap_or_default();
        if !matches!(name, "needs" | "level" | "spec" | "site" | "origin" | "tags") {
            continue;
        }
        let known = entries.iter_mut().find(|(key, _)| key.as_str() == Some(name));
        match known.map(|(_, own)| (&mut own.kind, &value.kind)) {
            None => entries.push((key.clone(), value.clone())),
            Some((Kind::Sequence(own), Kind::Sequence(shared)))
                if matches!(name, "needs" | "tags") =>
            {
                own.extend_from_slice(shared);
            }
            Some(_) => {}
        }
    }
    Node { span: case.span.clone(), kind: Kind::Mapping(entries) }
}
