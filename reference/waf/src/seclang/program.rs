//! A set of rules as read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source, Span, Spanned};

use super::action::Action;
use super::directive::Directive;
use super::mistakes::Mistakes;
use super::reader::Reader;

/// The directives of a file and of all that it includes, in the order in which they hold.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The directives, each with its place.
    pub directives: Vec<Spanned<Directive>>,
    /// For each source, the folder that the files named in it are relative to.
    pub(super) folders: Vec<(Source, PathBuf)>,
}

impl Program {
    /// The folder that files named at this place are relative to: that of the rule file.
    pub fn folder(&self, span: &Span) -> &Path {
        let known = self.folders.iter().find(|(source, _)| source == span.source());
        known.map_or(Path::new(""), |(_, folder)| folder)
    }
}

/// Reads a file and all that it includes.
///
/// # Errors
/// Every mistake in every file.
pub fn parse_file(path: &Path) -> Result<Program, Mistakes> {
    let diagnostics = Diagnostics::new();
    let mut reader = Reader::new(&diagnostics);
    reader.file(path, None);
    finish(reader.into_program(), diagnostics)
}

/// Reads a text and all that it includes; files that it names are relative to `base`.
///
/// # Errors
/// Every mistake in it and in every file.
pub fn parse_text(source: &Source, base: &Path) -> Result<Program, Mistakes> {
    let diagnostics = Diagnostics::new();
    let mut reader = Reader::new(&diagnostics);
    reader.text(source, base);
    finish(reader.into_program(), diagnostics)
}

fn finish(program: Program, diagnostics: Diagnostics) -> Result<Program, Mistakes> {
    same_id(&program, &diagnostics);
    match Mistakes::of(diagnostics) {
        Some(mistakes) => Err(mistakes),
        None => Ok(program),
    }
}

/// Tells of rules with one id.
fn same_id(program: &Program, diagnostics: &Diagnostics) {
    let mut first: HashMap<u64, &Span> = HashMap::new();
    for directive in &program.directives {
        let actions = match &directive.value {
            Directive::Rule(rule) => &rule.actions,
            Directive::Action(actions) => actions,
            _ => continue,
        };
        for action in actions {
            let Action::Id(id) = action.value else { continue };
            let Some(taken) = first.get(&id) else {
                first.insert(id, &action.span);
                continue;
            };
            diagnostics.push(
                Diagnostic::error(format!("two rules with the id {id}"))
                    .label(&action.span, "this is the second")
                    .context(taken, "this is the first"),
            );
        }
    }
}
