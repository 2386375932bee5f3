//! A text with its name, and places in it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text and the path to show for it. Cloning is cheap: all clones share one text.
#[derive(Clone)]
pub struct Source(Arc<Inner>);

struct Inner {
    path: String,
    text: String,
    /// Byte offset at which each line starts; the first is 0.
    line_starts: Vec<usize>,
}

impl Source {
    /// A source called `path` in messages (shown as given, not opened).
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self(Arc::new(Inner { path: path.into(), text, line_starts }))
    }

    /// The path as shown in messages.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Line and column of a byte offset. An offset beyond the end counts as the end, one inside a
    /// character as that character's start.
    pub fn line_column(&self, offset: usize) -> Position {
        let offset = floor(self.text(), offset);
        let line = self.0.line_starts.partition_point(|start| *start <= offset);
        let column = self.text()[self.0.line_starts[line - 1]..offset].chars().count() + 1;
        Position { line, column }
    }

    /// The span of bytes `range` of this source; see [`Span::new`].
    pub fn span(&self, range: Range<usize>) -> Span {
        Span::new(self, range)
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.path() == other.path() && self.text() == other.text())
    }
}

impl Eq for Source {}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Source").field(&self.path()).finish()
    }
}

/// A place in a text as people count: both numbers start at 1, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// A piece of a source. It always lies within the text and on character boundaries.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    source: Source,
    start: usize,
    end: usize,
}

impl Span {
    /// The bytes `range` of `source`. What lies beyond the text is cut off; a bound inside a
    /// character moves to that character's start.
    pub fn new(source: &Source, range: Range<usize>) -> Self {
        let start = floor(source.text(), range.start);
        let end = floor(source.text(), range.end).max(start);
        Self { source: source.clone(), start, end }
    }

    /// The source this is a piece of.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The piece, in byte offsets.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Byte offset of the first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// Byte offset behind the last byte.
    pub fn end(&self) -> usize {
        self.end
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.source.text()[self.range()]
    }

    /// Where it starts, as people count.
    pub fn position(&self) -> Position {
        self.source.line_column(self.start)
    }

    /// From the start of this span to the end of the other. Both must be of one source; if they
    /// are not, this span comes back as it is.
    pub fn to(&self, other: &Span) -> Span {
        if self.source != other.source {
            return self.clone();
        }
        Span::new(&self.source, self.start..other.end.max(self.end))
    }

    /// The part on the first line: what to underline when the whole would fill a screen.
    pub fn first_line(&self) -> Span {
        let line = self.text().lines().next().unwrap_or_default().trim_end();
        Span::new(&self.source, self.start..self.start + line.len())
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}..{}", self.source.path(), self.start, self.end)
    }
}

/// Shows as `path:line:column`.
impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.source.path(), self.position())
    }
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value written at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }

    /// The value by reference, with its place.
    pub fn as_ref(&self) -> Spanned<&T> {
        Spanned { value: &self.value, span: self.span.clone() }
    }
}

/// The nearest character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
