//! What an operator found, for `TX:0` to `TX:9`.

use std::ops::Range;

use smallvec::SmallVec;

/// The groups of a match: `TX:0` is the whole of it.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    groups: SmallVec<[Group; 10]>,
    /// What is not a part of the value: a phrase as the rules write it, a fingerprint.
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Group {
    /// From and to, in the value.
    Part(usize, usize),
    /// All of `text`.
    Text,
}

impl Captures {
    /// No groups.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many groups there are: none where nothing was captured, else up to the last that took part.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether nothing was captured.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The text of a group, `value` being what was matched. A group that took no part while a later one did is
    /// empty.
    pub fn get<'c>(&'c self, value: &'c [u8], group: usize) -> Option<&'c [u8]> {
        match *self.groups.get(group)? {
            Group::Part(start, end) => value.get(start..end),
            Group::Text => Some(&self.text),
        }
    }

    /// Where in the value a group stands; `None` for one that there is not, and for a text that need not stand there.
    pub(crate) fn place(&self, group: usize) -> Option<Range<usize>> {
        match *self.groups.get(group)? {
            Group::Part(start, end) => Some(start..end),
            Group::Text => None,
        }
    }

    /// Forgets all groups.
    pub fn clear(&mut self) {
        self.groups.clear();
    }

    /// Puts down the extents of a match's groups.
    pub(super) fn set_groups(&mut self, extents: &[Option<(usize, usize)>]) {
        let used = extents.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.groups = extents[..used]
            .iter()
            .map(|extent| extent.map_or(Group::Part(0, 0), |(start, end)| Group::Part(start, end)))
            .collect();
    }

    /// Puts down one group, of the whole value.
    pub(super) fn set_value(&mut self, value: &[u8]) {
        self.groups = SmallVec::from_slice(&[Group::Part(0, value.len())]);
    }

    /// Puts down one group, of a text that need not stand in the value.
    pub(super) fn set_text(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
        self.groups = SmallVec::from_slice(&[Group::Text]);
    }
}

#[cfg(test)]
mod tests {
    use super::Captures;

    #[test]
    fn groups_are_parts_of_the_value() {
        let mut captures = Captures::new();
        assert!(captures.is_empty());
        captures.set_groups(&[Some((1, 4)), None, Some((2, 3)), None]);
        assert_eq!(captures.len(), 3);
        let get = |group| captures.get(b"abcdef", group);
        assert_eq!(
            [get(0), get(1), get(2), get(3)],
            [Some(&b"bcd"[..]), Some(b""), Some(b"c"), None]
        );
    }

    #[test]
    fn a_text_need_not_stand_in_the_value() {
        let mut captures = Captures::new();
        captures.set_groups(&[Some((0, 1)), Some((0, 1))]);
        captures.set_text(b"s&1");
        assert_eq!((captures.len(), captures.get(b"x", 0)), (1, Some(&b"s&1"[..])));
        captures.set_value(b"xy");
        assert_eq!(captures.get(b"xy", 0), Some(&b"xy"[..]));
        captures.clear();
        assert_eq!(captures.get(b"xy", 0), None);
    }
}
