//! The content of a stored response: whole, or what is there of it (RFC 9111 §3.3, §3.4).

use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::sabotage;

/// The octets of a representation that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// All of them.
    Whole(Bytes),
    /// Some of them.
    Partial(Box<Partial>),
}

/// Pieces of a representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partial {
    /// The representation's length, where it is known.
    length: Option<u64>,
    /// Each with the offset of its first octet; in order, none overlapping another.
    pieces: Vec<(u64, Bytes)>,
}

impl Content {
    /// The octets from `start` on, of so many in all.
    pub(crate) fn piece(start: u64, bytes: Bytes, length: Option<u64>) -> Self {
        Partial { length, pieces: vec![(start, bytes)] }.into_content()
    }

    /// Nothing of a representation of so many octets: what a HEAD tells of it.
    pub(crate) fn untold(length: Option<u64>) -> Self {
        let length = length.filter(|&length| length > 0);
        Self::Partial(Box::new(Partial { length, pieces: Vec::new() }))
    }

    /// Whether nothing of it is there.
    pub(crate) fn is_untold(&self) -> bool {
        matches!(self, Self::Partial(partial) if partial.pieces.is_empty())
    }

    /// Pieces of so many octets in all, as [`Content::pieces`] gave them; `None` if they are not
    /// in order, overlap or lie outside.
    pub(crate) fn of_pieces(length: Option<u64>, pieces: Vec<(u64, Bytes)>) -> Option<Self> {
        let mut end = 0;
        for (start, bytes) in &pieces {
            if *start < end {
                return None;
            }
            end = start.checked_add(bytes.len() as u64)?;
        }
        (end <= length.unwrap_or(u64::MAX)).then(|| Partial { length, pieces }.into_content())
    }

    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// All of it, if it is there.
    pub(crate) const fn whole(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(bytes) => Some(bytes),
            Self::Partial(_) => None,
        }
    }

    /// The octets of the whole representation, where that is known.
    pub(crate) fn complete_length(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Partial(partial) => partial.length,
        }
    }

    /// The octets that are stored.
    pub(crate) fn stored_length(&self) -> usize {
        match self {
            Self::Whole(bytes) => bytes.len(),
            Self::Partial(partial) => partial.pieces.iter().map(|(_, bytes)| bytes.len()).sum(),
        }
    }

    /// The pieces that are stored, each with the offset of its first octet.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        let (whole, pieces) = match self {
            Self::Whole(bytes) => (Some((0, bytes)), &[][..]),
            Self::Partial(partial) => (None, &partial.pieces[..]),
        };
        whole.into_iter().chain(pieces.iter().map(|(start, bytes)| (*start, bytes)))
    }

    /// The octets of a span, if all of them are stored; copied only where they lie in several
    /// pieces.
    pub(crate) fn slice(&self, span: &Range<u64>) -> Option<Bytes> {
        let mut parts: SmallVec<[Bytes; 1]> = SmallVec::new();
        let mut next = span.start;
        for (start, bytes) in self.pieces() {
            let end = start + bytes.len() as u64;
            if end <= next || next >= span.end {
                continue;
            }
            if start > next {
                return None;
            }
            parts.push(bytes.slice(index(next - start)..index(end.min(span.end) - start)));
            next = end.min(span.end);
        }
        (next >= span.end).then(|| match parts.as_slice() {
            [one] => one.clone(),
            several => several.concat().into(),
        })
    }

    /// What is stored of both; where they overlap, the newer counts. Both are of the same
    /// representation.
    pub(crate) fn combined(&self, newer: &Self) -> Self {
        if newer.is_whole() {
            return newer.clone();
        }
        if self.is_whole() {
            return self.clone();
        }
        let mut pieces: Vec<(u64, Bytes)> =
            newer.pieces().map(|(start, bytes)| (start, bytes.clone())).collect();
        for (start, bytes) in self.pieces() {
            pieces.extend(outside(newer, start, bytes));
        }
        pieces.sort_by_key(|(start, _)| *start);
        if pieces.len() > MOST_PIECES {
            pieces = joined(&pieces);
        }
        if pieces.len() > MOST_PIECES {
            return newer.clone();
        }
        let length = newer.complete_length().or(self.complete_length());
        Partial { length, pieces }.into_content()
    }

    /// What is missing of the whole, from the first octet that is not there to the last.
    pub(crate) fn gap(&self) -> Option<Range<u64>> {
        let length = self.complete_length().filter(|_| !self.is_whole())?;
        let mut start = 0;
        for (at, bytes) in self.pieces() {
            if at > start {
                break;
            }
            start = at + bytes.len() as u64;
        }
        let mut end = length;
        for (at, bytes) in self.pieces().collect::<Vec<_>>().into_iter().rev() {
            if at + (bytes.len() as u64) < end {
                break;
            }
            end = at;
        }
        Some(start..end)
    }
}

/// More pieces than this are not kept beside each other: each costs every request for the resource a little.
const MOST_PIECES: usize = 64;

/// The pieces, those that touch made one.
fn joined(pieces: &[(u64, Bytes)]) -> Vec<(u64, Bytes)> {
    let touch = |one: &(u64, Bytes), next: &(u64, Bytes)| one.0 + one.1.len() as u64 == next.0;
    let run = |run: &[(u64, Bytes)]| match run {
        [one] => one.clone(),
        several => {
            let octets: Vec<&[u8]> = several.iter().map(|(_, bytes)| &bytes[..]).collect();
            (several[0].0, octets.concat().into())
        }
    };
    pieces.chunk_by(touch).map(run).collect()
}

/// The parts of a piece that `newer` does not have.
fn outside(newer: &Content, start: u64, bytes: &Bytes) -> Vec<(u64, Bytes)> {
    let end = start + bytes.len() as u64;
    let taken = newer.pieces().map(|(at, new)| at..at + new.len() as u64);
    let mut left = Vec::new();
    let mut next = start;
    for taken in taken.chain(std::iter::once(end..end)) {
        let free = next..taken.start.min(end);
        if !free.is_empty() {
            left.push((next, bytes.slice(index(free.start - start)..index(free.end - start))));
        }
        next = next.max(taken.end);
    }
    left
}

impl Partial {
    fn into_content(self) -> Content {
        let content = Content::Partial(Box::new(self));
        let whole = content.complete_length().and_then(|length| content.slice(&(0..length)));
        match sabotage::parts::whole(&content, whole) {
            Some(whole) => Content::Whole(whole),
            None => content,
        }
    }
}

/// An offset within bytes that are in memory.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

    fn piece(span: Range<usize>) -> Content {
        let bytes = Bytes::from_static(&TEXT[span.clone()]);
        Content::piece(span.start as u64, bytes, Some(TEXT.len() as u64))
    }

    proptest! {
        #[test]
        fn pieces_combine_to_what_any_of_them_had(
            spans in prop::collection::vec((0..36usize, 1..20usize), 1..8),
            asked in (0..36usize, 1..20usize),
        ) {
            let spans: Vec<Range<usize>> =
                spans.into_iter().map(|(at, long)| at..(at + long).min(36)).collect();
            let all = spans.iter().cloned().map(piece).reduce(|a, b| a.combined(&b)).unwrap();
            let has = |at: usize| spans.iter().any(|span| span.contains(&at));
            let asked = asked.0..(asked.0 + asked.1).min(36);
            let slice = all.slice(&(asked.start as u64..asked.end as u64));
            let there = asked.clone().all(has);
            prop_assert_eq!(slice.as_deref(), there.then(|| &TEXT[asked]));
            prop_assert_eq!(all.is_whole(), (0..36).all(has));
            prop_assert_eq!(all.stored_length(), (0..36).filter(|&at| has(at)).count());
            let gap = all.gap();
            let missing: Vec<usize> = (0..36).filter(|&at| !has(at)).collect();
            prop_assert_eq!(gap.is_some(), !missing.is_empty());
            if let Some(gap) = gap {
                prop_assert_eq!(gap.start as usize, missing[0]);
                prop_assert_eq!(gap.end as usize, missing[missing.len() - 1] + 1);
            }
        }
    }

    #[test]
    fn no_more_than_so_many_pieces_lie_beside_each_other() {
        let piece = |at: usize, step: usize| {
            Content::piece((at * step) as u64, Bytes::from_static(b"ab"), Some(1 << 20))
        };
        let all = |step| (0..1000).map(|at| piece(at, step)).reduce(|a, b| a.combined(&b)).unwrap();
        assert!(all(3).pieces().count() <= MOST_PIECES);
        assert!(all(2).pieces().count() <= MOST_PIECES);
        // One behind the other they are all still there.
        assert_eq!(all(2).stored_length(), 2000);
        assert_eq!(all(3).slice(&(2997..2999)).as_deref(), Some(&b"ab"[..]), "the newest is");
    }

    #[test]
    fn the_newer_counts_where_both_have_something() {
        let old = Content::piece(0, Bytes::from_static(b"aaaa"), Some(8));
        let new = Content::piece(2, Bytes::from_static(b"bbbb"), Some(8));
        assert_eq!(old.combined(&new).slice(&(0..6)).as_deref(), Some(&b"aabbbb"[..]));
        assert_eq!(old.combined(&new).gap(), Some(6..8));
    }
}
