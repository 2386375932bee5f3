//! Builds the tree from the parser's events, with a stack of its own instead of recursion.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, ScalarStyle};

use super::cursor::{BLANK, Cursor, block_end, quoted_end};
use crate::collection::Diagnostics;
use crate::diagnostic::Diagnostic;
use crate::node::{Kind, Node, Style};
use crate::source::{Source, Span};

/// Deepest nesting; nothing that people write comes near.
const DEEPEST: usize = 100;
/// Most nodes that aliases may add: ten lines of nested aliases can ask for billions.
const MOST_ALIASED: usize = 10_000;

pub(super) struct Builder<'s> {
    source: &'s Source,
    diagnostics: &'s Diagnostics,
    cursor: Cursor<'s>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    root: Option<Node>,
}

/// A list or a mapping whose end has not come yet.
struct Open {
    start: usize,
    /// Where its last part ended.
    end: usize,
    bracket: Option<Span>,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node)>, key: Option<Node>, first_keys: HashMap<String, Span> },
}

impl<'s> Builder<'s> {
    pub(super) fn new(source: &'s Source, diagnostics: &'s Diagnostics) -> Self {
        Self {
            source,
            diagnostics,
            cursor: Cursor::new(source.text()),
            open: Vec::new(),
            anchors: HashMap::new(),
            aliased: 0,
            root: None,
        }
    }

    /// Takes the next event, seen at the bytes `at`.
    pub(super) fn event(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(explicit) => self.start_document(explicit, at),
            Event::Scalar(text, style, anchor, _) => {
                self.approach(&at)?;
                let node = self.scalar(text.into_owned(), style, &at);
                self.complete(node, anchor)
            }
            Event::SequenceStart(anchor, _) => {
                self.approach(&at)?;
                self.open(at, anchor, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, _) => {
                self.approach(&at)?;
                let content =
                    Content::Mapping { entries: Vec::new(), key: None, first_keys: HashMap::new() };
                self.open(at, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&at),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    /// The innermost bracket that is open, to be named when the text ends too early.
    pub(super) fn open_bracket(&self) -> Option<&Span> {
        self.open.last().and_then(|open| open.bracket.as_ref())
    }

    /// The document's tree; null if the text holds none.
    pub(super) fn finish(self) -> Node {
        self.root.unwrap_or_else(|| Node {
            span: self.source.span(0..0),
            kind: Kind::Scalar { text: String::new(), style: Style::Plain },
        })
    }

    fn start_document(&mut self, explicit: bool, at: Range<usize>) -> Result<(), Diagnostic> {
        if explicit {
            self.cursor.advance(at.end);
        }
        self.cursor.skip_document_ends();
        if self.root.is_none() {
            return Ok(());
        }
        Err(Diagnostic::error("more than one document in a file")
            .label(&self.source.span(at), "a second document starts here")
            .help("put each document in a file of its own"))
    }

    /// Moves the cursor over the indicator and the properties in front of the node that comes.
    fn approach(&mut self, at: &Range<usize>) -> Result<(), Diagnostic> {
        match self.open.last() {
            None => {}
            Some(Open { bracket: None, content: Content::Sequence(_), .. }) => self.cursor.eat('-'),
            Some(Open { content: Content::Sequence(_), .. }) => self.cursor.eat(','),
            Some(Open { content: Content::Mapping { key: Some(_), .. }, .. }) => {
                self.cursor.eat(':');
            }
            Some(Open { content: Content::Mapping { key: None, .. }, .. }) => {
                self.cursor.eat(',');
                self.cursor.eat('?');
            }
        }
        match self.cursor.skip_properties() {
            // Beyond the event it belongs to the next node: this one is empty.
            Some(tag) if tag.start < at.end.max(at.start + 1) => {
                Err(Diagnostic::error("tags are not supported")
                    .label(&self.source.span(tag), "a tag")
                    .help("leave it out; write a text that looks like a number in quotes"))
            }
            _ => Ok(()),
        }
    }

    /// Whether the next node is a key.
    fn expects_key(&self) -> bool {
        let content = self.open.last().map(|open| &open.content);
        matches!(content, Some(Content::Mapping { key: None, .. }))
    }

    fn scalar(&self, text: String, style: ScalarStyle, at: &Range<usize>) -> Node {
        let source = self.source.text();
        let mut cursor = self.cursor;
        cursor.skip_blank();
        // The event's place is right unless it starts with an anchor.
        let start = if source[at.start..].starts_with('&') { cursor.at } else { at.start };
        let range = match style {
            ScalarStyle::Plain if text.is_empty() => {
                // A key that is not there stands before its colon, a value behind.
                let place = if self.expects_key() { cursor.sees(':') } else { None };
                let place = place.unwrap_or(self.cursor.at);
                place..place
            }
            ScalarStyle::Plain => {
                let written = source[start..at.end.max(start)].trim_end_matches(BLANK);
                start..start + written.len()
            }
            ScalarStyle::SingleQuoted => start..quoted_end(source, start, '\''),
            ScalarStyle::DoubleQuoted => start..quoted_end(source, start, '"'),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                cursor.at..block_end(source, cursor.at, at.end)
            }
        };
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        Node { span: self.source.span(range), kind: Kind::Scalar { text, style } }
    }

    fn open(
        &mut self,
        at: Range<usize>,
        anchor: usize,
        content: Content,
    ) -> Result<(), Diagnostic> {
        if self.open.len() >= DEEPEST {
            return Err(Diagnostic::error(format!("nested more than {DEEPEST} deep"))
                .at(&self.source.span(at)));
        }
        let indicator = match content {
            Content::Sequence(_) => '[',
            Content::Mapping { .. } => '{',
        };
        // An event of a block collection without properties is empty: it stands in front of the
        // first part, which may be a bracket of its own.
        let flow = self.cursor.sees(indicator).filter(|_| !at.is_empty());
        let start = flow.unwrap_or_else(|| match content {
            Content::Sequence(_) => self.cursor.sees('-').unwrap_or(at.end),
            Content::Mapping { .. } => at.end,
        });
        let bracket = flow.map(|bracket| self.source.span(bracket..bracket + 1));
        self.cursor.advance(bracket.as_ref().map_or(start, Span::end));
        self.open.push(Open { start, end: start, bracket, anchor, content });
        Ok(())
    }

    fn close(&mut self, at: &Range<usize>) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let end = if open.bracket.is_some() { at.start + 1 } else { open.end };
        let kind = match open.content {
            Content::Sequence(items) => Kind::Sequence(items),
            Content::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        // A block mapping's first key may carry an anchor: the mapping starts where the key does.
        let start = match &kind {
            Kind::Mapping(entries) if open.bracket.is_none() => {
                let key = entries.first().map_or(open.start, |(key, _)| key.span.start());
                key.clamp(open.start, end.max(open.start))
            }
            _ => open.start,
        };
        self.complete(Node { span: self.source.span(start..end), kind }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Range<usize>) -> Result<(), Diagnostic> {
        self.approach(&at)?;
        let span = self.source.span(at.clone());
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Diagnostic::error("an anchor that contains itself")
                .label(&span, "the anchored value does not end before this alias"));
        };
        self.aliased += size(&node);
        if self.aliased > MOST_ALIASED {
            return Err(Diagnostic::error("aliases multiply to too large a document")
                .label(&span, format!("more than {MOST_ALIASED} values by now"))
                .help("write the values out, or nest fewer aliases"));
        }
        self.attach(node, at.end)
    }

    /// Remembers a node under its anchor and puts it into its place.
    fn complete(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let end = node.span.end();
        self.attach(node, end)
    }

    /// Puts a node, written up to `end`, into the collection that is open.
    fn attach(&mut self, node: Node, end: usize) -> Result<(), Diagnostic> {
        self.cursor.advance(end);
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.end = open.end.max(end);
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key, first_keys } => match key.take() {
                None => {
                    check_key(&node)?;
                    *key = Some(node);
                }
                Some(key) => match first_keys.get(key.as_str().unwrap_or_default()) {
                    Some(first) => self.diagnostics.push(duplicate(&key, first)),
                    None => {
                        let name = key.as_str().unwrap_or_default().to_owned();
                        first_keys.insert(name, key.span.clone());
                        entries.push((key, node));
                    }
                },
            },
        }
        Ok(())
    }
}

fn check_key(key: &Node) -> Result<(), Diagnostic> {
    match &key.kind {
        Kind::Scalar { text, style: Style::Plain } if text == "<<" => {
            Err(Diagnostic::error("merge keys are not supported")
                .label(&key.span, "a merge key")
                .help("write the keys out, or put an alias under a key of its own"))
        }
        Kind::Scalar { text, style: Style::Plain } if text.is_empty() => {
            Err(Diagnostic::error("a `:` without a key before it").at(&key.span))
        }
        Kind::Scalar { .. } => Ok(()),
        Kind::Sequence(_) | Kind::Mapping(_) => {
            Err(Diagnostic::error(format!("a key must be a text, found {}", key.type_name()))
                .at(&key.span.first_line())
                .help("put a value that contains braces or brackets in quotes"))
        }
    }
}

fn duplicate(key: &Node, first: &Span) -> Diagnostic {
    let name = key.as_str().unwrap_or_default();
    Diagnostic::error(format!("the key `{name}` appears twice in one mapping"))
        .label(&key.span, "again here")
        .context(first, "first here")
        .help("keep one of them")
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar { .. } => 0,
        Kind::Sequence(items) => items.iter().map(size).sum(),
        Kind::Mapping(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    }
}
