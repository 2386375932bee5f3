//! What a purge is to remove.

use crate::key::{self, KeyBuf};
use crate::{Request, Scheme};

/// How much a PURGE of a target removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Every variant of exactly that URL.
    Exact,
    /// Every URL of that scheme and host that starts with it.
    StartsWith,
    /// Every URL of that scheme and host that it matches, `*` standing for any text.
    Wildcard,
}

impl Purge {
    /// The meaning of the field `X-Cache-Purge-Match`; absent means exactly. `None` for a value
    /// that has none.
    #[must_use]
    pub fn named(value: Option<&[u8]>) -> Option<Self> {
        match value.map(<[u8]>::to_ascii_lowercase).as_deref() {
            None | Some(b"exact") => Some(Self::Exact),
            Some(b"startswith") => Some(Self::StartsWith),
            Some(b"wildcard") => Some(Self::Wildcard),
            Some(_) => None,
        }
    }
}

/// A purge in terms of keys.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    purge: Purge,
    text: KeyBuf,
}

impl Pattern {
    pub(crate) fn new(purge: Purge, request: &Request<'_>) -> Self {
        Self { purge, text: key::of(request) }
    }

    /// The one key, if the purge is for one only.
    pub(crate) fn exact(&self) -> Option<&[u8]> {
        (self.purge == Purge::Exact).then_some(&self.text)
    }

    /// What every key begins with that it may match.
    pub(crate) fn prefix(&self) -> &[u8] {
        let star = self.text.iter().position(|&byte| byte == b'*');
        match (self.purge, star) {
            (Purge::Wildcard, Some(star)) => &self.text[..star],
            _ => &self.text,
        }
    }

    pub(crate) fn matches(&self, key: &[u8]) -> bool {
        match self.purge {
            Purge::Exact => *key == *self.text,
            Purge::StartsWith => key.starts_with(&self.text),
            Purge::Wildcard => {
                // The host is taken as it is: a purge of one site never reaches another.
                let host = origin_of(&self.text).len();
                key.strip_prefix(&self.text[..host])
                    .is_some_and(|path| glob(&self.text[host..], path))
            }
        }
    }
}

/// Scheme and authority of a key.
pub(super) fn origin_of(key: &[u8]) -> &[u8] {
    let scheme = [Scheme::Https, Scheme::Http]
        .iter()
        .find(|scheme| key.starts_with(scheme.prefix()))
        .map_or(0, |scheme| scheme.prefix().len());
    let end = key[scheme..].iter().position(|&byte| byte == b'/');
    &key[..end.map_or(key.len(), |at| scheme + at)]
}

/// Whether `text` as a whole matches a pattern in which `*` stands for any text. Only the last
/// `*` met is ever gone back to, so the time is bounded by the product of the lengths.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star_p, star_t)) = star else { return false };
                star = Some((star_p, star_t + 1));
                p = star_p + 1;
                t = star_t + 1;
            }
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, matches) in [
            ("/a*c", "/abc", true),
            ("/a*c", "/ac", true),
            ("/a*c", "/acb", false),
            ("/*.jpg", "/x/y.jpg", true),
            ("/*.jpg", "/x/y.jpg?w=1", false),
            ("*", "", true),
            ("/a**b*", "/a-b-b", true),
            ("/a", "/a/", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
    }
}
