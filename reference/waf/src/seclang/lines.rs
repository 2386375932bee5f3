//! A file's lines: comments and empty ones left out, continued ones joined.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Source};

use super::text::{Text, is_blank};

/// The lines of a file that hold a directive. A backslash at a line's end joins the next one to it.
pub(super) fn lines(source: &Source, diagnostics: &Diagnostics) -> Vec<Text> {
    let mut physical = physical_lines(source.text()).peekable();
    let mut lines = Vec::new();
    while let Some(first) = physical.next() {
        if first.is_comment() {
            if let (Some(backslash), Some(next)) = (first.continued(), physical.peek()) {
                swallowed(source, first.offset + backslash, next, diagnostics);
            }
            continue;
        }
        let mut line = Text::new(source, first.offset);
        let mut piece = first;
        loop {
            let Some(backslash) = piece.continues(source, diagnostics) else {
                line.push(piece.text, piece.offset);
                break;
            };
            line.push(&piece.text[..backslash], piece.offset);
            let Some(next) = physical.next() else { break };
            piece = next;
        }
        if !line.as_str().chars().all(is_blank) {
            lines.push(line);
        }
    }
    lines
}

/// One line of the file without its line break.
#[derive(Clone, Copy)]
struct Physical<'t> {
    text: &'t str,
    offset: usize,
}

impl Physical<'_> {
    fn is_comment(&self) -> bool {
        self.text.trim_start_matches(is_blank).starts_with('#')
    }

    /// Where the backslash stands that ends this line.
    fn continued(&self) -> Option<usize> {
        self.text.strip_suffix('\\').map(str::len)
    }

    /// The same, also where white space follows it: a mistake that nobody can see.
    fn continues(&self, source: &Source, diagnostics: &Diagnostics) -> Option<usize> {
        let written = self.text.trim_end_matches(is_blank);
        let backslash = written.strip_suffix('\\').map(str::len)?;
        if written.len() < self.text.len() {
            let blank = self.offset + written.len()..self.offset + self.text.len();
            diagnostics.push(
                Diagnostic::error("white space behind the backslash that should continue the line")
                    .label(&source.span(blank), "take this away"),
            );
        }
        Some(backslash)
    }
}

/// The lines between line breaks, LF or CRLF; a byte order mark is passed over.
fn physical_lines(text: &str) -> impl Iterator<Item = Physical<'_>> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut offset = start;
    text[start..].split_inclusive('\n').map(move |line| {
        let here = Physical {
            text: line.strip_suffix('\n').map_or(line, |it| it.strip_suffix('\r').unwrap_or(it)),
            offset,
        };
        offset += line.len();
        here
    })
}

/// Apache joins the next line to a comment that ends in a backslash, other readers of SecLang do not: whoever wrote
/// this cannot have meant both.
fn swallowed(source: &Source, backslash: usize, next: &Physical<'_>, diagnostics: &Diagnostics) {
    if next.is_comment() || next.text.chars().all(is_blank) {
        return;
    }
    let line = source.span(next.offset..next.offset + next.text.len());
    diagnostics.push(
        Diagnostic::error("the backslash at the end of a comment makes the next line part of it")
            .at(&source.span(backslash..backslash + 1))
            .context(&line, "Apache would not read this")
            .help("take the backslash away, or begin the next line with `#`"),
    );
}

#[cfg(test)]
mod tests {
    use edgeproof_diagnostics::{Diagnostics, Source};

    use super::lines;

    fn read(text: &str) -> (Vec<String>, usize) {
        let diagnostics = Diagnostics::new();
        let lines = lines(&Source::new("a.conf", text), &diagnostics);
        (lines.iter().map(|line| line.as_str().to_owned()).collect(), diagnostics.len())
    }

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let (lines, mistakes) = read("# one\nA b \\\n  c\\\nd\n\n  # two\n\t\nE\n");
        assert_eq!(lines, ["A b   cd", "E"]);
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn line_breaks_may_be_crlf_and_a_byte_order_mark_may_come_first() {
        let (lines, mistakes) = read("\u{feff}A \\\r\nb\r\nC");
        assert_eq!(lines, ["A b", "C"]);
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn a_hash_within_a_line_is_no_comment() {
        assert_eq!(read("A #b\n").0, ["A #b"]);
    }

    #[test]
    fn white_space_behind_the_backslash_is_a_mistake_and_the_line_goes_on() {
        let (lines, mistakes) = read("A \\ \nb\n");
        assert_eq!(lines, ["A b"]);
        assert_eq!(mistakes, 1);
    }

    #[test]
    fn a_comment_swallows_nothing_in_silence() {
        assert_eq!(read("# a \\\nB\n"), (vec!["B".to_owned()], 1));
        assert_eq!(read("# a \\\n# b \\\n\nC\n"), (vec!["C".to_owned()], 0));
        assert_eq!(read("# a \\"), (vec![], 0));
    }

    #[test]
    fn a_backslash_at_the_end_of_the_file_continues_nothing() {
        assert_eq!(read("A b\\"), (vec!["A b".to_owned()], 0));
    }
}
