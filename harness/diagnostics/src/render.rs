//! A diagnostic as text, in the shape that rustc made familiar.

use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};
use annotate_snippets::{Group, normalize_untrusted_str};
use anstream::ColorChoice;
use anstream::stream::RawStream;

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::shown::{no_command, one_line};
use crate::source::Source;

/// Lines wider than this are trimmed round the underlined place. It is fixed, so that the same
/// mistake gives the same text on every machine.
const WIDTH: usize = 120;

/// Whether to colour the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Never,
    /// ANSI escape sequences.
    Always,
}

impl Colour {
    /// What suits a stream: colour on a terminal, unless NO_COLOR, CLICOLOR or TERM say otherwise.
    pub fn of<S: RawStream>(stream: &S) -> Self {
        match anstream::AutoStream::choice(stream) {
            ColorChoice::Never => Self::Never,
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => Self::Always,
        }
    }
}

/// The text of one diagnostic, without a line break at its end.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Never => Renderer::plain(),
        Colour::Always => Renderer::styled(),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(one_line(&diagnostic.message)));
    for (source, labels) in by_source(&diagnostic.labels) {
        let snippet = Snippet::source(source.text()).path(one_line(source.path()));
        group = group.element(snippet.annotations(labels.into_iter().map(annotation)));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(normalize_untrusted_str(note)));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    let text = renderer.term_width(WIDTH).render(&[group]);
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    // Some terminals obey the 8-bit control characters, which the renderer lets through.
    no_command(&text.replace(|it| matches!(it, '\u{80}'..='\u{9f}'), "\u{fffd}"))
}

/// The labels of each source; the source of the first primary label comes first, because its
/// place heads the report.
fn by_source(labels: &[Label]) -> Vec<(&Source, Vec<&Label>)> {
    let mut ordered: Vec<&Label> = labels.iter().collect();
    ordered.sort_by_key(|label| !label.primary);
    let mut groups: Vec<(&Source, Vec<&Label>)> = Vec::new();
    for label in ordered {
        let source = label.span.source();
        match groups.iter_mut().find(|(known, _)| *known == source) {
            Some((_, labels)) => labels.push(label),
            None => groups.push((source, vec![label])),
        }
    }
    groups
}

fn annotation(label: &Label) -> Annotation<'_> {
    let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let text = (!label.text.is_empty()).then(|| one_line(&label.text));
    kind.span(label.span.range()).label(text)
}
