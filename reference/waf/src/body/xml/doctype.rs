//! The literals of a DOCTYPE's internal subset: entities' texts and the files they name.

use memchr::{memchr, memchr3, memmem};

use super::super::steps::took;

/// The quoted texts between `[` and `]` of a declaration, which begins with the document's name.
/// Literals before the `[` name the document type itself, which is no part of the message.
pub(super) fn literals(declaration: &str) -> Vec<&str> {
    took(declaration.len());
    let mut found = Vec::new();
    let mut rest = internal_subset(declaration);
    while let Some(at) = memchr3(b'"', b'\'', b'<', rest.as_bytes()) {
        let here = &rest[at..];
        if let Some(comment) = here.strip_prefix("<!--") {
            rest = memmem::find(comment.as_bytes(), b"-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let (quote, behind) = (here.as_bytes()[0], &here[1..]);
        rest = behind;
        if quote == b'<' {
            continue;
        }
        let end = memchr(quote, behind.as_bytes()).unwrap_or(behind.len());
        found.push(&behind[..end]);
        rest = behind.get(end + 1..).unwrap_or_default();
    }
    found
}

/// What follows the first `[` that is not quoted.
fn internal_subset(declaration: &str) -> &str {
    let mut rest = declaration;
    while let Some(at) = memchr3(b'"', b'\'', b'[', rest.as_bytes()) {
        let (found, behind) = (rest.as_bytes()[at], &rest[at + 1..]);
        if found == b'[' {
            return behind;
        }
        rest = memchr(found, behind.as_bytes()).map_or("", |end| &behind[end + 1..]);
    }
    ""
}
