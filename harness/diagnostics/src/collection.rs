//! All that is to be told, of all files.

use std::cell::RefCell;

use crate::diagnostic::{Diagnostic, Severity};
use crate::render::Colour;

/// Collects diagnostics through a shared reference, so that the readers of one document can all
/// hold it at once.
#[derive(Debug, Default)]
pub struct Diagnostics(RefCell<Vec<Diagnostic>>);

impl Diagnostics {
    /// An empty collection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&self, diagnostic: Diagnostic) {
        self.0.borrow_mut().push(diagnostic);
    }

    /// Adds several.
    pub fn extend(&self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        // Gathered first: the iterator may itself push here.
        let diagnostics: Vec<_> = diagnostics.into_iter().collect();
        self.0.borrow_mut().extend(diagnostics);
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// How many there are, of any severity.
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// How many there are of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.borrow().iter().filter(|one| one.severity == severity).count()
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// All of them: first those without a place, then file by file (in the order in which the
    /// files first appeared), each file's in the order of its lines.
    pub fn sorted(&self) -> Vec<Diagnostic> {
        let mut all = self.0.borrow().clone();
        sort(&mut all);
        all
    }

    /// All of them, in the order of [`Diagnostics::sorted`].
    pub fn into_vec(self) -> Vec<Diagnostic> {
        let mut all = self.0.into_inner();
        sort(&mut all);
        all
    }

    /// `3 errors and 1 warning in 2 files`, or nothing if there is nothing to tell.
    pub fn summary(&self) -> Option<String> {
        let counted: Vec<String> =
            [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
                .into_iter()
                .map(|(severity, word)| (self.count(severity), word))
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| plural(count, word))
                .collect();
        let kinds = match counted.as_slice() {
            [] => return None,
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        };
        Some(match files(&self.0.borrow()).len() {
            0 => kinds,
            files => format!("{kinds} in {}", plural(files, "file")),
        })
    }

    /// Everything as text for people: each diagnostic, an empty line between them, the summary
    /// last. Ends with a line break unless it is empty.
    pub fn render(&self, colour: Colour) -> String {
        let mut text = String::new();
        for diagnostic in self.sorted() {
            text.push_str(&diagnostic.render(colour));
            text.push_str("\n\n");
        }
        if let Some(summary) = self.summary() {
            text.push_str(&summary);
            text.push('\n');
        }
        text
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(RefCell::new(vec![diagnostic]))
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

/// The paths in the order of their first appearance.
fn files(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for span in diagnostics.iter().filter_map(Diagnostic::span) {
        if !paths.iter().any(|path| path == span.source().path()) {
            paths.push(span.source().path().to_owned());
        }
    }
    paths
}

fn sort(diagnostics: &mut [Diagnostic]) {
    let files = files(diagnostics);
    diagnostics.sort_by_key(|one| {
        one.span()
            .map(|span| (files.iter().position(|path| path == span.source().path()), span.start()))
    });
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
