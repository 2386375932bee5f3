//! Entity tags (RFC 9110 §8.8.3) and the lists of them in If-None-Match.

/// An entity tag: the opaque part with its quotes, and whether it is marked weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    weak: bool,
    opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Parses one whole field value; `None` if it is no entity tag (unquoted, for one).
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        match Self::prefix(text)? {
            (tag, []) => Some(tag),
            _ => None,
        }
    }

    /// The tag that `text` starts with, and what follows. Unlike a quoted-string an entity tag
    /// has no escapes: a backslash in it is a backslash.
    fn prefix(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = match text.strip_prefix(b"W/") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let inner = quoted.strip_prefix(b"\"")?;
        let length = inner.iter().position(|&byte| byte == b'"')?;
        let allowed = |&byte: &u8| byte == 0x21 || (0x23..=0x7e).contains(&byte) || byte >= 0x80;
        if !inner[..length].iter().all(allowed) {
            return None;
        }
        let (opaque, rest) = quoted.split_at(length + 2);
        Some((Self { weak, opaque }, rest))
    }

    /// Whether the tag is marked weak.
    #[must_use]
    pub const fn is_weak(self) -> bool {
        self.weak
    }

    /// The weak comparison (RFC 9110 §8.8.3.2): the opaque parts are the same.
    #[must_use]
    pub fn matches_weakly(self, other: EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }

    /// The strong comparison: the same, and neither is weak.
    #[must_use]
    pub fn matches_strongly(self, other: EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }
}

/// The entity tags of one If-None-Match line. What is no entity tag is passed over up to the
/// next comma.
pub(crate) fn tags(mut line: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    std::iter::from_fn(move || {
        loop {
            while let [b' ' | b'\t' | b',', rest @ ..] = line {
                line = rest;
            }
            if line.is_empty() {
                return None;
            }
            if let Some((tag, rest)) = EntityTag::prefix(line)
                && matches!(crate::list::trim(rest), [] | [b',', ..])
            {
                line = rest;
                return Some(tag);
            }
            let comma = line.iter().position(|&byte| byte == b',').unwrap_or(line.len());
            line = &line[comma..];
        }
    })
}
