//! Reading files line by line, and what they include.

use std::fs;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source, Span, Spanned};

use super::directive::Directive;
use super::glob;
use super::lines::lines;
use super::program::Program;
use super::rule::{self, Place};
use super::setting::{self, Meaning, arity, meaning};
use super::text::Text;
use super::words::{Statement, name_and_rest, statement};

/// Files within files within files: deeper is no one's intention.
const DEPTH_MAX: usize = 64;
/// Files in all, each as often as it is included.
const FILES_MAX: usize = 10_000;

/// Gathers directives and mistakes.
pub(super) struct Reader<'d> {
    diagnostics: &'d Diagnostics,
    directives: Vec<Spanned<Directive>>,
    folders: Vec<(Source, PathBuf)>,
    /// The files being read, the outermost first; without symbolic links.
    open: Vec<PathBuf>,
    files: usize,
}

/// What one source has said so far.
struct Progress {
    /// What the rule before says about the next one.
    place: Place,
    /// A quote was not closed: what follows may still belong to it.
    lost: bool,
}

impl<'d> Reader<'d> {
    pub(super) fn new(diagnostics: &'d Diagnostics) -> Self {
        let (directives, folders, open) = (Vec::new(), Vec::new(), Vec::new());
        Self { diagnostics, directives, folders, open, files: 0 }
    }

    pub(super) fn into_program(self) -> Program {
        Program { directives: self.directives, folders: self.folders }
    }

    /// Reads a text; files that it names are relative to `base`.
    pub(super) fn text(&mut self, source: &Source, base: &Path) {
        self.folders.push((source.clone(), base.to_owned()));
        let mut progress = Progress { place: Place::First, lost: false };
        for line in lines(source, self.diagnostics) {
            self.line(&line, base, &mut progress);
        }
        if let Place::Follower(chain) = &progress.place {
            self.diagnostics.push(
                Diagnostic::error("the chain ends without its next rule")
                    .label(&chain.clone(), "a SecRule must follow")
                    .help("take `chain` away from the last rule of a chain"),
            );
        }
    }

    fn line(&mut self, line: &Text, base: &Path, progress: &mut Progress) {
        let (name, rest) = name_and_rest(line);
        let known = meaning(name.as_str());
        if progress.lost && known.is_none() && !name.as_str().starts_with("Sec") {
            return;
        }
        progress.lost = false;
        let Some((known, meaning)) = known else {
            self.diagnostics.push(setting::unknown(&name));
            // It may have been meant for a rule.
            progress.place = Place::Unknown;
            return;
        };
        let statement = match statement(name, &rest) {
            Ok(statement) => statement,
            Err(broken) => {
                self.diagnostics.push(broken.diagnostic);
                (progress.place, progress.lost) = (Place::Unknown, broken.unclosed);
                return;
            }
        };
        let read = match meaning {
            Meaning::Rule => rule::rule(&statement, &progress.place, self.diagnostics),
            Meaning::Action => rule::action(&statement, &progress.place, self.diagnostics),
            _ => {
                self.between(&statement, &progress.place);
                progress.place = Place::First;
                return self.other(known, meaning, &statement, base);
            }
        };
        progress.place = read.next;
        self.directives.extend(read.directive);
    }

    /// A directive that is no rule ends a chain too early.
    fn between(&self, statement: &Statement, place: &Place) {
        if let Place::Follower(chain) = place {
            self.diagnostics.push(
                Diagnostic::error("the chain ends without its next rule")
                    .label(chain, "a SecRule must follow")
                    .context(&statement.name.span(), "but this does"),
            );
        }
    }

    fn other(&mut self, known: &'static str, meaning: Meaning, statement: &Statement, base: &Path) {
        match meaning {
            Meaning::DefaultAction => {
                self.directives.extend(rule::default_action(statement, self.diagnostics));
            }
            Meaning::Include { optional } => {
                if arity(known, statement, 1, 1, self.diagnostics) {
                    self.include(&statement.arguments[0], optional, base);
                }
            }
            _ => {
                let read = setting::read(known, meaning, statement, self.diagnostics);
                self.directives.extend(read);
            }
        }
    }

    fn include(&mut self, argument: &Text, optional: bool, base: &Path) {
        let (written, span) = (argument.as_str(), argument.span());
        let told = |message: String, label: &str| {
            self.diagnostics.push(Diagnostic::error(message).label(&span, label));
        };
        if written.is_empty() {
            return told("the file to include is not named".to_owned(), "nothing here");
        }
        let path = base.join(written);
        if !glob::is_pattern(written) {
            if path.is_dir() {
                let whole = format!("include its files: {}/*.conf", written.trim_end_matches('/'));
                return told(format!("{} is a folder", path.display()), &whole);
            }
            if !optional || path.exists() {
                self.file(&path, Some(&span));
            }
            return;
        }
        match glob::files(&path) {
            Ok(files) if files.is_empty() && !optional => {
                told(
                    format!("no file matches {}", path.display()),
                    "write IncludeOptional if none need be there",
                );
            }
            Ok(files) => {
                for file in files {
                    self.file(&file, Some(&span));
                }
            }
            Err(error) => told(format!("cannot look for {}", path.display()), &error.to_string()),
        }
    }

    /// Reads a file, which is named at `span`, if it is not the first one.
    pub(super) fn file(&mut self, path: &Path, span: Option<&Span>) {
        self.files += 1;
        let told = |diagnostic: Diagnostic| {
            let placed = match span {
                Some(span) => diagnostic.at(span),
                None => diagnostic,
            };
            self.diagnostics.push(placed);
        };
        if self.files > FILES_MAX {
            if self.files == FILES_MAX + 1 {
                told(Diagnostic::error(format!("more than {FILES_MAX} files in all")));
            }
            return;
        }
        let (real, text) = match contents(path) {
            Ok(read) => read,
            Err(error) => {
                return told(Diagnostic::error(format!("cannot read {}: {error}", path.display())));
            }
        };
        if let Some(loops) = self.open.iter().position(|it| *it == real) {
            let way = self.open[loops..].iter().chain([&real]);
            let way: Vec<_> = way.map(|it| it.display().to_string()).collect();
            let message = Diagnostic::error(format!("{} includes itself", path.display()));
            return told(message.with_note(way.join(" → ")));
        }
        if self.open.len() >= DEPTH_MAX {
            return told(Diagnostic::error(format!("files included more than {DEPTH_MAX} deep")));
        }
        let source = decoded(path, text, self.diagnostics);
        self.open.push(real);
        self.text(&source, path.parent().unwrap_or(Path::new("")));
        self.open.pop();
    }
}

/// A file's path without symbolic links, and what is in it.
fn contents(path: &Path) -> std::io::Result<(PathBuf, Vec<u8>)> {
    let real = path.canonicalize()?;
    if !fs::metadata(&real)?.is_file() {
        // A pipe or a device may never end.
        return Err(std::io::Error::other("it is not a file"));
    }
    let text = fs::read(&real)?;
    Ok((real, text))
}

/// The text of a file. What is not UTF-8 is told.
fn decoded(path: &Path, text: Vec<u8>, diagnostics: &Diagnostics) -> Source {
    let shown = path.display().to_string();
    let error = match String::from_utf8(text) {
        Ok(text) => return Source::new(shown, text),
        Err(error) => error,
    };
    let at = error.utf8_error().valid_up_to();
    let source = Source::new(shown, String::from_utf8_lossy(error.as_bytes()));
    let replaced = source.span(at..at + char::REPLACEMENT_CHARACTER.len_utf8());
    diagnostics.push(
        Diagnostic::error("the file is not UTF-8")
            .label(&replaced, "this byte belongs to no character")
            .help("in a pattern, write it as \\xHH"),
    );
    source
}
