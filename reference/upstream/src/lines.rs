//! A stream of bytes cut into lines.

/// Bytes that one line may have; what is longer goes on in the next.
pub(crate) const LONGEST: usize = 64 << 10;

/// Holds the beginning of a line until its end comes.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Takes more of the stream, and gives each line that is whole now, without its newline.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) {
        while !bytes.is_empty() {
            let room = LONGEST - self.partial.len();
            let (taken, ended) = match memchr::memchr(b'\n', bytes) {
                Some(at) if at <= room => (at, true),
                Some(_) => (room, false),
                None => (bytes.len().min(room), false),
            };
            let cut = !ended && taken == room;
            if ended || cut {
                if self.partial.is_empty() {
                    each(&bytes[..taken]);
                } else {
                    self.partial.extend_from_slice(&bytes[..taken]);
                    each(&self.partial);
                    self.partial.clear();
                }
            } else {
                self.partial.extend_from_slice(&bytes[..taken]);
            }
            bytes = &bytes[taken + usize::from(ended)..];
        }
    }

    /// Whether the beginning of a line waits.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Gives what waits as a line.
    pub(crate) fn flush(&mut self, each: impl FnOnce(&[u8])) {
        if self.is_waiting() {
            each(&self.partial);
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.push(piece, |line| found.push(line.to_vec()));
        }
        lines.flush(|line| found.push(line.to_vec()));
        found
    }

    #[test]
    fn lines_come_whole_however_the_stream_was_cut() {
        assert_eq!(cut(&[b"on", b"e\n\ntw", b"o\nrest"]), [&b"one"[..], b"", b"two", b"rest"]);
    }

    #[test]
    fn a_long_line_goes_on_in_the_next() {
        let long = vec![b'x'; LONGEST + 1];
        let found = cut(&[&long[..LONGEST - 1], b"xx\n"]);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [LONGEST, 1]);
        assert_eq!(cut(&[&long[1..], b"\n"]).iter().map(Vec::len).sum::<usize>(), LONGEST);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_pieces_do_not_matter(
            text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..300),
            at in 0usize..300,
        ) {
            let at = at.min(text.len());
            let whole = cut(&[&text]);
            prop_assert_eq!(&whole, &cut(&[&text[..at], &text[at..]]));
            let mut joined = whole.join(&b'\n');
            if text.ends_with(b"\n") {
                joined.push(b'\n');
            }
            prop_assert_eq!(joined, text);
        }
    }
}
