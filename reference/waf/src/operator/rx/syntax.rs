//! What a pattern says, once read: a tree in which case, options and escapes are resolved to sets of bytes.

use crate::operator::byte_set::ByteSet;

/// A pattern, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) node: Node,
    /// How many groups capture; they are numbered from 1.
    pub(super) groups: u32,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Matches where it stands, and nothing.
    Empty,
    /// One byte of a set. The empty set never matches.
    Set(ByteSet),
    /// A condition on the place, of no width.
    Assert(Assertion),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match; never empty.
    Alternate(Vec<Node>),
    Repeat(Box<Repeat>),
    /// A group whose text is kept.
    Capture(u32, Box<Node>),
    /// A group that is never entered again once it has matched: `(?>…)`.
    Atomic(Box<Node>),
    Look(Box<Look>),
    /// The text that a group matched last, again.
    Backreference {
        group: u32,
        /// Whether letters may differ in case.
        fold: bool,
    },
    /// `\K`: what is matched starts here.
    Keep,
}

/// A condition on a place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Assertion {
    /// The very start: `^`, `\A`, and `\G` as every search starts there.
    Start,
    /// The very end: `\z`, and `$` as ModSecurity sets `DOLLAR_ENDONLY`.
    End,
    /// The end, or before a line feed that is the last byte: `\Z`.
    EndOrLastLineFeed,
    /// `^` with `(?m)`: the start, or behind a line feed that is not the last byte.
    LineStart,
    /// `$` with `(?m)`: the end, or before a line feed.
    LineEnd,
    /// `\b`
    WordBoundary,
    /// `\B`
    NoWordBoundary,
}

/// A repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) node: Node,
    pub(super) min: u32,
    /// `None`: without end.
    pub(super) max: Option<u32>,
    pub(super) appetite: Appetite,
}

/// Which number of repetitions is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appetite {
    /// As many as can be, fewer if the rest needs it.
    Greedy,
    /// As few as can be, more if the rest needs it.
    Lazy,
    /// As many as can be, and none given back.
    Possessive,
}

/// A condition on the text before or behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) ahead: bool,
    pub(super) negative: bool,
    pub(super) node: Node,
}

impl Node {
    /// Whether it can match without taking a byte. Where that depends on the place the answer is yes.
    pub(super) fn is_nullable(&self) -> bool {
        self.min_len() == 0
    }

    /// The fewest bytes it takes. Exact but for assertions that contradict each other.
    pub(super) fn min_len(&self) -> usize {
        match self {
            Self::Set(_) => 1,
            Self::Empty | Self::Assert(_) | Self::Look(_) | Self::Keep => 0,
            Self::Backreference { .. } => 0,
            Self::Concat(items) => items.iter().map(Self::min_len).fold(0, usize::saturating_add),
            Self::Alternate(branches) => branches.iter().map(Self::min_len).min().unwrap_or(0),
            Self::Repeat(repeat) => repeat.node.min_len().saturating_mul(repeat.min as usize),
            Self::Capture(_, node) | Self::Atomic(node) => node.min_len(),
        }
    }

    /// The number of bytes it takes, if that is always the same.
    pub(super) fn fixed_len(&self) -> Option<usize> {
        match self {
            Self::Set(_) => Some(1),
            Self::Empty | Self::Assert(_) | Self::Look(_) | Self::Keep => Some(0),
            Self::Backreference { .. } => None,
            Self::Concat(items) => {
                items.iter().try_fold(0usize, |sum, item| sum.checked_add(item.fixed_len()?))
            }
            Self::Alternate(branches) => {
                let mut lengths = branches.iter().map(Self::fixed_len);
                let first = lengths.next()??;
                lengths.all(|length| length == Some(first)).then_some(first)
            }
            Self::Repeat(repeat) => {
                let same = repeat.max == Some(repeat.min);
                same.then(|| repeat.node.fixed_len()?.checked_mul(repeat.min as usize)).flatten()
            }
            Self::Capture(_, node) | Self::Atomic(node) => node.fixed_len(),
        }
    }

    /// Whether it matches at every place whatever stands there, if need be with nothing.
    pub(super) fn always_matches(&self) -> bool {
        match self {
            Self::Empty | Self::Keep => true,
            Self::Set(_) | Self::Assert(_) | Self::Look(_) | Self::Backreference { .. } => false,
            Self::Concat(items) => items.iter().all(Self::always_matches),
            Self::Alternate(branches) => branches.iter().any(Self::always_matches),
            Self::Repeat(repeat) => repeat.min == 0 || repeat.node.always_matches(),
            Self::Capture(_, node) | Self::Atomic(node) => node.always_matches(),
        }
    }

    /// Whether it is `.*`, `^.*` or `^.*$`, which match all of any text, as `.` is any byte.
    pub(super) fn is_whole(&self) -> bool {
        let items = match self {
            Self::Concat(items) => &items[..],
            one => std::slice::from_ref(one),
        };
        let items = items.strip_prefix(&[Self::Assert(Assertion::Start)]).unwrap_or(items);
        let items = items.strip_suffix(&[Self::Assert(Assertion::End)]).unwrap_or(items);
        matches!(items, [Self::Repeat(repeat)] if repeat.min == 0
            && repeat.max.is_none()
            && repeat.appetite != Appetite::Lazy
            && repeat.node == Self::Set(ByteSet::ALL))
    }

    /// Whether every match of it starts at the very start of the text.
    pub(super) fn is_anchored(&self) -> bool {
        match self {
            Self::Assert(Assertion::Start) => true,
            Self::Concat(items) => items
                .iter()
                .take_while(|item| item.fixed_len() == Some(0) || item.is_anchored())
                .any(Self::is_anchored),
            Self::Alternate(branches) => branches.iter().all(Self::is_anchored),
            Self::Repeat(repeat) => repeat.min > 0 && repeat.node.is_anchored(),
            Self::Capture(_, node) | Self::Atomic(node) => node.is_anchored(),
            Self::Empty
            | Self::Set(_)
            | Self::Assert(_)
            | Self::Look(_)
            | Self::Backreference { .. }
            | Self::Keep => false,
        }
    }

    /// How many positions it has once repetitions are written out: what an automaton of it costs.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Concat(nodes) | Self::Alternate(nodes) => {
                nodes.iter().map(Self::size).fold(1, usize::saturating_add)
            }
            Self::Repeat(repeat) => {
                let times = repeat.max.unwrap_or(repeat.min).max(1);
                repeat.node.size().saturating_mul(times as usize)
            }
            Self::Capture(_, node) | Self::Atomic(node) => node.size(),
            Self::Look(look) => look.node.size(),
            Self::Empty
            | Self::Set(_)
            | Self::Assert(_)
            | Self::Backreference { .. }
            | Self::Keep => 1,
        }
    }

    /// Whether any piece of it is one for which `is` holds.
    pub(super) fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self)
            || match self {
                Self::Concat(nodes) | Self::Alternate(nodes) => {
                    nodes.iter().any(|node| node.any(is))
                }
                Self::Repeat(repeat) => repeat.node.any(is),
                Self::Capture(_, node) | Self::Atomic(node) => node.any(is),
                Self::Look(look) => look.node.any(is),
                Self::Empty
                | Self::Set(_)
                | Self::Assert(_)
                | Self::Backreference { .. }
                | Self::Keep => false,
            }
    }
}

impl Repeat {
    /// A greedy repetition.
    pub(super) fn greedy(node: Node, min: u32, max: Option<u32>) -> Node {
        Node::Repeat(Box::new(Self { node, min, max, appetite: Appetite::Greedy }))
    }
}
