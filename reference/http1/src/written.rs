//! Field lines as they stand in a message that was written.

use std::fmt;

use bytes::BufMut;

use crate::Fields;

/// Field lines in the form in which [`crate::put_fields`] writes them, read where they are: no
/// table of them is kept. This is how lines are best held for long, since they take no more room
/// than their text and can be sent by one copy.
#[derive(Clone, Copy, Default)]
pub struct Written<'a>(&'a [u8]);

impl Fields {
    /// The lines as they are sent, in memory of just that size.
    #[must_use]
    pub fn to_written(&self) -> Box<[u8]> {
        let size = self.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
        let mut text = Vec::with_capacity(size);
        crate::put_fields(&mut text, self);
        text.into_boxed_slice()
    }
}

impl<'a> Written<'a> {
    /// The lines in `text`, which [`Fields::to_written`] or [`crate::put_fields`] has made. What
    /// was made otherwise gives no or other lines, never a fault.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The lines of a whole head, such as [`crate::put_response_head`] writes.
    #[must_use]
    pub fn of_head(head: &'a [u8]) -> Self {
        let start = memchr::memchr(b'\n', head).map_or(head.len(), |end| end + 1);
        Self(head[start..].strip_suffix(b"\r\n").unwrap_or_default())
    }

    /// The lines' text.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Name and value of each line, in order.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
        let mut lines = Lines(self.0);
        std::iter::from_fn(move || lines.by_ref().find_map(split))
    }

    /// The values of all lines named `name` (case ignored), in order.
    pub fn get_all(self, name: &(impl AsRef<[u8]> + ?Sized)) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_ref();
        Lines(self.0).filter_map(move |line| {
            let (start, rest) = line.split_at_checked(name.len())?;
            let value = rest.strip_prefix(b": ")?;
            start.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The value of the first line named `name`, case ignored.
    #[must_use]
    pub fn get(self, name: &(impl AsRef<[u8]> + ?Sized)) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Whether a line is named `name`, case ignored.
    #[must_use]
    pub fn contains(self, name: &(impl AsRef<[u8]> + ?Sized)) -> bool {
        self.get(name).is_some()
    }

    /// Whether there is no line.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The lines as a list that can be changed.
    #[must_use]
    pub fn to_fields(self) -> Fields {
        self.iter().collect()
    }

    /// Writes the lines.
    pub fn put(self, out: &mut impl BufMut) {
        out.put_slice(self.0);
    }
}

/// Each line without its end.
#[derive(Clone)]
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\n', self.0)?;
        let line = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    Some((&line[..colon], line[colon..].strip_prefix(b": ")?))
}

impl fmt::Debug for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_fields().fmt(f)
    }
}
