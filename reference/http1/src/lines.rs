//! Finding the lines of a head or trailer section in a buffer that grows, within limits.
//!
//! Every answer depends on the bytes alone, never on how reads cut them: a limit counts as broken
//! at the first byte beyond it, whether or not the line's end is already there.

use std::ops::Range;

/// How large a head or a trailer section may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one line, its CRLF not counted.
    pub line: usize,
    /// Bytes of the whole head or trailer section, all line ends counted.
    pub head: usize,
    /// Field lines.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 16 << 10, head: 32 << 10, fields: 100 }
    }
}

/// What a line can do wrong before its content is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooLarge {
    Line,
    Head,
}

/// A complete line.
pub(crate) struct Line {
    /// Its content, without the line end.
    pub(crate) content: Range<usize>,
    /// Whether it ended in LF alone.
    pub(crate) bare_lf: bool,
}

/// Where in the buffer the next line begins and how far it has been searched for its end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    pub(crate) at: usize,
    searched: usize,
}

impl Lines {
    /// The next complete line, `None` if its end is not there yet.
    pub(crate) fn next(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Line>, TooLarge> {
        let from = self.searched.max(self.at);
        let Some(lf) = memchr::memchr(b'\n', &buf[from..]).map(|lf| from + lf) else {
            self.searched = buf.len();
            let content = buf.len() - usize::from(buf[self.at..].last() == Some(&b'\r'));
            return self.check(buf, content, buf.len(), limits).map(|()| None);
        };
        let bare_lf = lf == self.at || buf[lf - 1] != b'\r';
        let end = if bare_lf { lf } else { lf - 1 };
        self.check(buf, end, lf + 1, limits)?;
        let content = self.at..end;
        self.at = lf + 1;
        Ok(Some(Line { content, bare_lf }))
    }

    /// Whichever limit is broken by the earlier byte, of a line whose content reaches to `end` in
    /// a head that reaches to `seen`.
    fn check(&self, buf: &[u8], end: usize, seen: usize, limits: &Limits) -> Result<(), TooLarge> {
        let line_broken_at = (end - self.at > limits.line).then(|| {
            let first_beyond = self.at + limits.line;
            first_beyond + usize::from(buf[first_beyond] == b'\r')
        });
        let head_broken_at = (seen > limits.head).then_some(limits.head);
        match (line_broken_at, head_broken_at) {
            (None, None) => Ok(()),
            (Some(line), Some(head)) if head < line => Err(TooLarge::Head),
            (Some(_), _) => Err(TooLarge::Line),
            (None, Some(_)) => Err(TooLarge::Head),
        }
    }
}
