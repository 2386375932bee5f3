//! removeComments, removeCommentsChar, replaceComments.

use memchr::memmem;

/// Removes `/* */` and `<!-- -->`, and everything behind `--` or `#`. Either end closes either start. The byte
/// behind a comment is kept whatever it is, so that `/**//**/` leaves a `/`. A comment that is not closed leaves
/// a space.
pub(super) fn remove(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    loop {
        let start = memchr::memchr3_iter(b'/', b'-', b'#', rest).find_map(|at| sign_at(rest, at));
        let Some((at, sign)) = start else { return out.extend_from_slice(rest) };
        out.extend_from_slice(&rest[..at]);
        let Sign::Open(len) = sign else { return };
        rest = &rest[at + len..];
        let Some(end) = comment_end(rest) else { return out.push(b' ') };
        let behind = rest.len().min(end + 1);
        out.extend_from_slice(&rest[end..behind]);
        rest = &rest[behind..];
    }
}

enum Sign {
    /// A comment starts, with so many bytes.
    Open(usize),
    /// The rest of the line is a comment; the value has no lines.
    ToTheEnd,
}

/// The sign that a `/`, `-` or `#` belongs to, and where that starts.
fn sign_at(text: &[u8], at: usize) -> Option<(usize, Sign)> {
    match &text[at..] {
        [b'/', b'*', ..] => Some((at, Sign::Open(2))),
        [b'-', b'-', ..] if text[..at].ends_with(b"<!") => Some((at - 2, Sign::Open(4))),
        [b'-', b'-', ..] | [b'#', ..] => Some((at, Sign::ToTheEnd)),
        _ => None,
    }
}

/// Where the text behind the first `*/` or `-->` starts.
fn comment_end(text: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'*', b'-', text).find_map(|at| match &text[at..] {
        [b'*', b'/', ..] => Some(at + 2),
        [b'-', b'-', b'>', ..] => Some(at + 3),
        _ => None,
    })
}

/// Removes `/*`, `*/`, `<!--`, `-->`, `--` and `#`, and keeps what stands between.
pub(super) fn remove_signs(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(first) = rest.first() {
        let len = match rest {
            [b'<', b'!', b'-', b'-', ..] => 4,
            [b'-', b'-', b'>', ..] => 3,
            [b'/', b'*', ..] | [b'*', b'/', ..] | [b'-', b'-', ..] => 2,
            [b'#', ..] => 1,
            _ => 0,
        };
        if len == 0 {
            out.push(*first);
        }
        rest = &rest[len.max(1)..];
    }
}

/// Makes each `/* */` one space, also one that is not closed.
pub(super) fn replace(input: &[u8], out: &mut Vec<u8>) {
    let mut rest = input;
    while let Some(start) = memmem::find(rest, b"/*") {
        out.extend_from_slice(&rest[..start]);
        out.push(b' ');
        let inside = &rest[start + 2..];
        let Some(end) = memmem::find(inside, b"*/") else { return };
        rest = &inside[end + 2..];
    }
    out.extend_from_slice(rest);
}
