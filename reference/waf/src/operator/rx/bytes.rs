//! Finds bytes without which a text cannot match a pattern, so that most values need not be matched.

use super::literals::frequency;
use super::syntax::Node;
use crate::operator::byte_set::ByteSet;

/// How many sets are kept: the rarest say nearly all.
const MOST: usize = 2;

/// Sets of bytes of each of which a text that matches has at least one, the rarest first. Those that nearly every
/// value meets are left out.
pub(super) fn required(node: &Node) -> Vec<ByteSet> {
    let mut sets = of(node);
    sets.retain(|set| share(*set) < 0.12);
    sets.truncate(MOST);
    sets
}

fn of(node: &Node) -> Vec<ByteSet> {
    match node {
        Node::Set(set) => vec![*set],
        Node::Capture(_, node) | Node::Atomic(node) => of(node),
        Node::Concat(items) => rarest(items.iter().flat_map(of).collect()),
        Node::Alternate(branches) => of_alternatives(branches),
        Node::Repeat(repeat) if repeat.min > 0 => of(&repeat.node),
        Node::Repeat(_) | Node::Empty | Node::Assert(_) | Node::Look(_) => Vec::new(),
        Node::Backreference { .. } | Node::Keep => Vec::new(),
    }
}

/// A text that matches has a byte of one branch's first set or of another's, and the same for the second.
fn of_alternatives(branches: &[Node]) -> Vec<ByteSet> {
    let mut branches = branches.iter().map(of);
    let Some(mut sets) = branches.next() else { return Vec::new() };
    for more in branches {
        let pairs = sets.iter().zip(&more);
        sets = pairs.map(|(set, more)| set.union(*more)).collect();
    }
    rarest(sets)
}

/// The rarest of the sets, in that order.
fn rarest(mut sets: Vec<ByteSet>) -> Vec<ByteSet> {
    sets.sort_by(|one, other| share(*one).total_cmp(&share(*other)));
    sets.dedup();
    sets.truncate(MOST);
    sets
}

/// How much of the bytes of ordinary values is in the set.
fn share(set: ByteSet) -> f32 {
    set.bytes()
        .map(|byte| {
            frequency(byte.to_ascii_lowercase())
                / if byte.is_ascii_alphabetic() { 2.0 } else { 1.0 }
        })
        .sum()
}
