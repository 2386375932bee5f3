//! Renders a target's templates (minijinja, strict: an undefined variable is a mistake, not a hole).

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use edgeproof_diagnostics::{Diagnostic, Source, Span};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use crate::spec::{FileTemplate, Text};

/// A template that could not be rendered, with its place.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct RenderError(pub Box<Diagnostic>);

/// The settings that hold for all templates.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_syntax(syntax());
    environment
}

/// For short templates: made once, since a start renders a few for each site.
pub(crate) static SHORT: LazyLock<Environment<'static>> = LazyLock::new(environment);

/// A line that holds only a block leaves no empty line behind, and a file ends as it was written.
fn syntax() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true);
    // Only delimiters can be wrong, and they stay as they are.
    syntax.build().unwrap_or_default()
}

/// The variables of one start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Renderer {
    variables: BTreeMap<String, Value>,
}

impl Renderer {
    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// The same, with one variable more.
    pub(crate) fn with(&self, name: &'static str, value: Value) -> Self {
        let mut more = self.clone();
        more.set(name, value);
        more
    }

    /// A short template of target.yaml.
    pub(crate) fn text(&self, text: &Text) -> Result<String, RenderError> {
        SHORT.render_str(text.source(), self.context()).map_err(|error| {
            let diagnostic = Diagnostic::error(message(&error));
            RenderError(Box::new(match text.span() {
                Some(span) => diagnostic.at(&span.first_line()),
                None => diagnostic,
            }))
        })
    }

    /// A file. `{% include "…" %}` in it is relative to the file in which it stands.
    pub(crate) fn file(&self, file: &FileTemplate) -> Result<String, RenderError> {
        let mut environment = environment();
        environment.set_loader(|path| match fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Error::new(ErrorKind::InvalidOperation, format!("cannot read {path}: {error}")))
            }
        });
        environment.set_path_join_callback(|name, parent| beside(parent, name).into());
        let name = file.template.display().to_string();
        let mut variables = self.variables.clone();
        for (name, text) in &file.with {
            variables.insert(name.clone(), self.text(text)?.into());
        }
        environment
            .get_template(&name)
            .and_then(|template| template.render(Value::from_pairs(variables)))
            .map_err(|error| RenderError(Box::new(in_file(&error, &file.span))))
    }

    fn context(&self) -> Value {
        Value::from_pairs(self.variables.clone())
    }
}

/// Does the template use this variable?
pub(crate) fn uses(text: &Text, variable: &str) -> bool {
    SHORT
        .template_from_str(text.source())
        .is_ok_and(|template| template.undeclared_variables(false).contains(variable))
}

/// The file `name` as seen from the file `parent`.
fn beside(parent: &str, name: &str) -> String {
    let folder = Path::new(parent).parent().unwrap_or(Path::new("/"));
    let mut path = PathBuf::new();
    for part in folder.join(name).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path.display().to_string()
}

/// The mistake at its line of the template, or where target.yaml names the template.
fn in_file(error: &Error, named: &Span) -> Diagnostic {
    let inner = innermost(error);
    let diagnostic = Diagnostic::error(message(inner));
    let place = inner.name().zip(inner.line()).and_then(|(file, line)| {
        let source = Source::new(file, fs::read_to_string(file).ok()?);
        Some(place(&source, line, inner.range()))
    });
    match place {
        Some(span) => diagnostic.at(&span).context(named, "rendered from here"),
        None => diagnostic.at(named),
    }
}

/// An error in an included template is the cause of the including one's.
fn innermost(error: &Error) -> &Error {
    let mut error = error;
    while let Some(inner) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        error = inner;
    }
    error
}

fn place(source: &Source, line: usize, range: Option<std::ops::Range<usize>>) -> Span {
    if let Some(range) = range {
        return source.span(range).first_line();
    }
    let text = source.text();
    let start =
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let length = text[start..].lines().next().map_or(0, str::len);
    source.span(start..start + length)
}

fn message(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::UndefinedError, None) => "nothing of this name is defined here".to_owned(),
        (kind, None) => kind.to_string(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
    }
}
