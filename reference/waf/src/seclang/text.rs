//! Text that knows where it was written.

use std::ops::Range;

use edgeproof_diagnostics::{Source, Span, Spanned};

/// Text after quotes, escapes and line continuations are taken away. Each of its bytes still knows its place in the
/// file, so that a mistake within it can be pointed at.
#[derive(Clone, Debug)]
pub(super) struct Text {
    source: Source,
    text: String,
    /// Where the text and the file run side by side, in order; the first begins at 0.
    runs: Vec<Run>,
    /// The file's offset behind the last character.
    end: usize,
}

/// From `at` in the text on, up to the next run, the bytes stand in the file from `offset` on.
#[derive(Clone, Copy, Debug)]
struct Run {
    at: usize,
    offset: usize,
}

impl Text {
    /// No text yet, at this offset of the file.
    pub(super) fn new(source: &Source, offset: usize) -> Self {
        let runs = vec![Run { at: 0, offset }];
        Self { source: source.clone(), text: String::new(), runs, end: offset }
    }

    /// Adds text that stands in the file at `offset`, character by character.
    pub(super) fn push(&mut self, text: &str, offset: usize) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.runs = vec![Run { at: 0, offset }];
        } else if self.end != offset {
            self.runs.push(Run { at: self.text.len(), offset });
        }
        self.text.push_str(text);
        self.end = offset + text.len();
    }

    /// Adds one character of another text of the same file.
    pub(super) fn push_from(&mut self, other: &Text, at: usize, character: char) {
        let mut buffer = [0; 4];
        self.push(character.encode_utf8(&mut buffer), other.offset(at));
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// The part at `range`, which lies on character boundaries.
    pub(super) fn slice(&self, range: Range<usize>) -> Text {
        let mut part = Text::new(&self.source, self.offset(range.start));
        let mut at = range.start;
        for next in &self.runs[self.runs.partition_point(|run| run.at <= at)..] {
            if next.at >= range.end {
                break;
            }
            part.push(&self.text[at..next.at], self.offset(at));
            at = next.at;
        }
        part.push(&self.text[at..range.end], self.offset(at));
        part
    }

    /// Everything from `at` on.
    pub(super) fn from(&self, at: usize) -> Text {
        self.slice(at..self.len())
    }

    /// The parts before and behind the first of these characters, if there is one.
    pub(super) fn split_at(&self, separator: impl Fn(char) -> bool) -> Option<(Text, Text)> {
        let (at, found) = self.text.char_indices().find(|(_, it)| separator(*it))?;
        Some((self.slice(0..at), self.from(at + found.len_utf8())))
    }

    /// The parts between separators, the empty ones left out.
    pub(super) fn parts(&self, separator: impl Fn(char) -> bool) -> Vec<Text> {
        let mut parts = Vec::new();
        let mut start = 0;
        for (at, character) in self.text.char_indices() {
            if separator(character) {
                parts.push(start..at);
                start = at + character.len_utf8();
            }
        }
        parts.push(start..self.len());
        parts.into_iter().filter(|range| !range.is_empty()).map(|range| self.slice(range)).collect()
    }

    /// Without white space at its ends.
    pub(super) fn trimmed(&self) -> Text {
        let start = self.len() - self.text.trim_start_matches(is_blank).len();
        let end = self.text.trim_end_matches(is_blank).len().max(start);
        self.slice(start..end)
    }

    /// Where this part was written.
    pub(super) fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.offset(range.start);
        let last = self.text.get(range.clone()).and_then(|part| part.chars().next_back());
        // Measured from the last character: the next one may stand on another line.
        let end = last.map(|it| self.offset(range.end - it.len_utf8()) + it.len_utf8());
        self.source.span(start..end.unwrap_or(start))
    }

    /// Where all of it was written.
    pub(super) fn span(&self) -> Span {
        self.span_of(0..self.len())
    }

    /// A value with the place of this text.
    pub(super) fn hold<T>(&self, value: T) -> Spanned<T> {
        Spanned::new(value, self.span())
    }

    /// The file's offset of the byte at `at`; at the end, that behind the last one.
    pub(super) fn offset(&self, at: usize) -> usize {
        if at >= self.len() {
            return self.end;
        }
        let run = self.runs[self.runs.partition_point(|run| run.at <= at) - 1];
        run.offset + (at - run.at)
    }
}

/// White space as C's `isspace` sees it.
pub(super) fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use edgeproof_diagnostics::Source;

    use super::Text;

    /// `one\⏎ two` as one line.
    fn continued() -> Text {
        let source = Source::new("a.conf", "one\\\n two");
        let mut text = Text::new(&source, 0);
        text.push("one", 0);
        text.push(" two", 5);
        text
    }

    #[test]
    fn places_behind_a_continuation_are_those_of_the_file() {
        let text = continued();
        assert_eq!(text.as_str(), "one two");
        assert_eq!(text.span_of(4..7).text(), "two");
        assert_eq!(text.span_of(0..3).text(), "one");
        assert_eq!(text.span().text(), "one\\\n two");
        assert_eq!(text.from(4).span().range(), 6..9);
        assert_eq!(text.slice(2..5).as_str(), "e t");
        assert_eq!(text.slice(2..5).offset(1), 5);
    }

    #[test]
    fn nothing_has_a_place_too() {
        let text = continued();
        assert_eq!(text.slice(4..4).span().range(), 6..6);
        assert_eq!(text.from(7).span().range(), 9..9);
    }

    #[test]
    fn parts_and_trimming_keep_places() {
        let text = continued();
        let parts = text.parts(|it| it == ' ');
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1].span().text(), "two");
        assert_eq!(text.slice(3..7).trimmed().span().range(), 6..9);
        assert_eq!(text.slice(3..4).trimmed().as_str(), "");
    }
}
