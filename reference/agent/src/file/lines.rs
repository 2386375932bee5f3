//! A file's octets as lines, whatever its size and theirs.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

/// Octets that are read at once at first.
const FIRST: usize = 64 << 10;
/// Lines longer than this come in parts.
pub(crate) const LONGEST_HELD: usize = 1 << 20;

/// What is read.
#[derive(Debug)]
pub(crate) enum Piece<'b> {
    /// Whole lines; the last may lack its end, at the end of the file.
    Lines(&'b [u8]),
    /// A part of a line too long to be held.
    Part(&'b [u8]),
    /// The end of such a line.
    PartsEnd,
}

/// Whether to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Read on.
    More,
    /// Nothing more is wanted.
    Enough,
}

/// A buffer that is kept from file to file.
#[derive(Debug, Default)]
pub(crate) struct Buffer(Vec<u8>);

/// Reads to the end, or until nothing more is wanted.
///
/// # Errors
/// Reading fails, or `each` does.
pub(crate) fn read_lines(
    from: &mut impl Read,
    buffer: &mut Buffer,
    mut each: impl FnMut(Piece<'_>) -> io::Result<Next>,
) -> io::Result<()> {
    let buffer = &mut buffer.0;
    buffer.resize(buffer.len().max(FIRST), 0);
    let mut held = 0;
    let mut in_parts = false;
    loop {
        let read = match from.read(&mut buffer[held..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let end = held + read;
        if read == 0 {
            if in_parts {
                each(Piece::Part(&buffer[..end]))?;
                each(Piece::PartsEnd)?;
            } else if end > 0 {
                each(Piece::Lines(&buffer[..end]))?;
            }
            return Ok(());
        }
        let mut from = 0;
        if in_parts && let Some(line_end) = memchr(b'\n', &buffer[held..end]) {
            from = held + line_end + 1;
            each(Piece::Part(&buffer[..from - 1]))?;
            if each(Piece::PartsEnd)? == Next::Enough {
                return Ok(());
            }
            in_parts = false;
        }
        if !in_parts && let Some(last) = memrchr(b'\n', &buffer[from.max(held)..end]) {
            let to = from.max(held) + last + 1;
            if each(Piece::Lines(&buffer[from..to]))? == Next::Enough {
                return Ok(());
            }
            from = to;
        }
        buffer.copy_within(from..end, 0);
        held = end - from;
        if held == buffer.len() {
            if buffer.len() < LONGEST_HELD {
                buffer.resize(buffer.len() * 2, 0);
            } else {
                in_parts = true;
                each(Piece::Part(&buffer[..held]))?;
                held = 0;
            }
        }
    }
}

/// The lines of a piece of whole lines, each without LF or CR LF.
pub(crate) fn lines_of(piece: &[u8]) -> impl Iterator<Item = &[u8]> {
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    let mut rest = Some(piece);
    std::iter::from_fn(move || {
        let piece = rest?;
        let end = memchr(b'\n', piece);
        rest = end.map(|end| &piece[end + 1..]);
        let line = end.map_or(piece, |end| &piece[..end]);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}
