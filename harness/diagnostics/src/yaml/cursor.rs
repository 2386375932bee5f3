//! Finds what the parser's markers leave out: where a scalar ends without the comment behind it,
//! where a block scalar's header and a list's first dash stand, where a property was written.

use std::ops::Range;

/// YAML's white space and line breaks; other blanks of Unicode are text like any other.
pub(super) const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// A place in the text that moves on over what belongs to no node.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Moves to `offset` unless it has passed it already.
    pub(super) fn advance(&mut self, offset: usize) {
        self.at = self.at.max(offset);
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Skips blanks, line breaks and comments.
    pub(super) fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{feff}']);
            self.at += rest.len() - blank.len();
            // A `#` behind anything but a blank starts no comment (YAML 1.2.2 §6.6).
            let before = &self.text[..self.at];
            // A byte order mark is nothing.
            let before = before.trim_end_matches('\u{feff}');
            let separate = before.is_empty() || before.ends_with(BLANK);
            if !(blank.starts_with('#') && separate) {
                return;
            }
            self.at += blank.find(['\n', '\r']).unwrap_or(blank.len());
        }
    }

    /// Whether `indicator` comes next, blanks aside; the cursor stays.
    pub(super) fn sees(mut self, indicator: char) -> Option<usize> {
        self.skip_blank();
        self.rest().starts_with(indicator).then_some(self.at)
    }

    /// Steps behind an indicator (`-`, `:`, `?`, `,`) if it comes next; else stays. A `-` or `?`
    /// with something right behind it is the start of a text.
    pub(super) fn eat(&mut self, indicator: char) {
        let Some(at) = self.sees(indicator) else { return };
        let after = at + indicator.len_utf8();
        let rest = &self.text[after..];
        if matches!(indicator, ':' | ',') || rest.is_empty() || rest.starts_with(BLANK) {
            self.at = after;
        }
    }

    /// Skips the `...` lines that may stand in front of a document.
    pub(super) fn skip_document_ends(&mut self) {
        let mut ahead = *self;
        ahead.skip_blank();
        while ahead.rest().starts_with("...") && ahead.starts_line() {
            ahead.at += 3;
            *self = ahead;
            ahead.skip_blank();
        }
    }

    fn starts_line(&self) -> bool {
        let before = &self.text[..self.at];
        before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}'])
    }

    /// Skips an anchor and a tag; returns where the tag stands.
    pub(super) fn skip_properties(&mut self) -> Option<Range<usize>> {
        let mut tag = None;
        loop {
            let mut ahead = *self;
            ahead.skip_blank();
            let rest = ahead.rest();
            if !rest.starts_with(['&', '!']) {
                return tag;
            }
            let length = rest.find([' ', '\t', '\n', '\r', ',']).unwrap_or(rest.len());
            if rest.starts_with('!') {
                tag = Some(ahead.at..ahead.at + length);
            }
            self.at = ahead.at + length;
        }
    }
}

/// Where a quoted scalar that starts at `start` ends: behind its closing quote.
pub(super) fn quoted_end(text: &str, start: usize, quote: char) -> usize {
    let mut characters = text[start..].char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && quote == '"' {
            characters.next();
        } else if character == quote {
            let doubled =
                quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote);
            if !doubled {
                return start + at + quote.len_utf8();
            }
            characters.next();
        }
    }
    text.len()
}

/// Where a block scalar ends whose header is at `header` and whose content the parser saw up to
/// `content_end`: behind its last line that is not blank.
pub(super) fn block_end(text: &str, header: usize, content_end: usize) -> usize {
    let indicators = text[header..]
        .find(|it: char| !matches!(it, '|' | '>' | '+' | '-' | '0'..='9'))
        .unwrap_or(text.len() - header);
    let indicators_end = header + indicators;
    let body = &text[indicators_end..content_end.max(indicators_end)];
    // The header's line may carry a comment, which is no content.
    let Some(first_break) = body.find('\n') else { return indicators_end };
    match body[first_break..].trim_end_matches(BLANK) {
        "" => indicators_end,
        content => indicators_end + first_break + content.len(),
    }
}
