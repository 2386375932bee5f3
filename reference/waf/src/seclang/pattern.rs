//! Regular expressions outside `@rx`: selectors, tags and messages to remove.

use edgeproof_diagnostics::{Diagnostic, Diagnostics};

use super::text::Text;

/// Tells a mistake in a pattern, at its place. What only PCRE and this engine's slower matcher know (look-around,
/// back-references) is none.
pub(super) fn check(pattern: &Text, diagnostics: &Diagnostics) -> Option<()> {
    let written = pattern.as_str();
    let Err(mistake) = parser().parse(written) else { return Some(()) };
    if fancy_regex::Regex::new(written).is_ok() {
        return Some(());
    }
    let (message, range) = match &mistake {
        regex_syntax::Error::Parse(it) => (it.kind().to_string(), it.span()),
        regex_syntax::Error::Translate(it) => (it.kind().to_string(), it.span()),
        other => {
            diagnostics
                .push(Diagnostic::error(format!("bad pattern: {other}")).at(&pattern.span()));
            return None;
        }
    };
    let (start, end) = (range.start.offset, range.end.offset);
    // Many mistakes have a point, not a stretch: the character there is shown.
    let end = written[start..].chars().next().map_or(start, |it| (start + it.len_utf8()).max(end));
    diagnostics.push(Diagnostic::error("bad pattern").label(&pattern.span_of(start..end), message));
    None
}

/// Patterns see bytes, as PCRE does without its UTF mode.
fn parser() -> regex_syntax::Parser {
    regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build()
}

/// A pattern as text.
pub(super) fn text(pattern: &Text, diagnostics: &Diagnostics) -> Option<String> {
    if pattern.is_empty() {
        diagnostics.push(Diagnostic::error("the pattern is missing").at(&pattern.span()));
        return None;
    }
    check(pattern, diagnostics)?;
    Some(pattern.as_str().to_owned())
}
