//! sshd's pattern lists: `*`, `?`, `!` and commas (ssh_config(5), PATTERNS).

use crate::wildcard::Wildcard;

/// Whether a list takes a text in: one of its patterns does, and no negated one does.
pub(crate) fn takes_in(list: &str, text: &str) -> bool {
    let mut taken = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if is(pattern, text) => return false,
            Some(_) => {}
            None => taken |= is(pattern, text),
        }
    }
    taken
}

/// Whether a pattern is a text.
fn is(pattern: &str, text: &str) -> bool {
    Wildcard::glob(pattern, false).fits(text)
}
