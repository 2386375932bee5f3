//! From YAML text to nodes.

mod builder;
mod cursor;
mod syntax_error;

use saphyr_parser::Parser;

use crate::collection::Diagnostics;
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::source::Source;
use builder::Builder;

/// Reads the one document of a YAML 1.2 text.
///
/// Every mistake found goes to `diagnostics`. After one that leaves the rest readable (a duplicate
/// key) reading goes on and a tree still comes back, so that its other mistakes can be told too;
/// None means that the text is not YAML. An empty text is null.
///
/// Not supported, and said so: tags (`!!str`), merge keys (`<<`), keys that are not scalars, more
/// than one document. Aliases are resolved up to 10 000 nodes; nesting goes 100 deep.
pub fn parse(source: &Source, diagnostics: &Diagnostics) -> Option<Node> {
    read(source, diagnostics).map_err(|diagnostic| diagnostics.push(diagnostic)).ok()
}

fn read(source: &Source, diagnostics: &Diagnostics) -> Result<Node, Diagnostic> {
    if let Some(at) = source.text().find(is_unprintable) {
        return Err(syntax_error::unprintable(source, at));
    }
    let offsets = Offsets::new(source.text());
    let mut builder = Builder::new(source, diagnostics);
    let mut parser = Parser::new_from_str(source.text());
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, at)) => {
                let at = offsets.byte(at.start.index())..offsets.byte(at.end.index());
                builder.event(event, at)?;
            }
            Err(error) => {
                let at = offsets.byte(error.marker().index());
                return Err(syntax_error::explain(
                    source,
                    at,
                    error.info(),
                    builder.open_bracket(),
                ));
            }
        }
    }
    Ok(builder.finish())
}

/// Whether YAML forbids a character outside escapes (YAML 1.2.2 §5.1); the parser lets some pass.
fn is_unprintable(character: char) -> bool {
    let allowed = matches!(character, '\t' | '\n' | '\r' | '\u{85}');
    (character.is_control() && !allowed) || matches!(character, '\u{fffe}' | '\u{ffff}')
}

/// Byte offsets of characters: the parser counts characters.
struct Offsets<'t> {
    text: &'t str,
    /// None for ASCII, where both counts are one.
    starts: Option<Vec<usize>>,
}

impl<'t> Offsets<'t> {
    fn new(text: &'t str) -> Self {
        let starts = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { text, starts }
    }

    fn byte(&self, character: usize) -> usize {
        let end = self.text.len();
        match &self.starts {
            None => character.min(end),
            Some(starts) => starts.get(character).copied().unwrap_or(end),
        }
    }
}
