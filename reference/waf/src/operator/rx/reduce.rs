//! Says which patterns an automaton can decide, after taking out of them what only looks as if it could not.
//!
//! An atomic group or possessive quantifier forbids to go back into it. That is of no consequence where there is
//! only one way to match it, nor where whatever follows matches anyway: there the plain form has the same verdict,
//! the same extent and the same groups. What remains of them and repeats one set of bytes the automaton can do as
//! it is (see `program`); the rest, look-around and back-references need a backtracking engine.

use super::syntax::{Appetite, Assertion, Node, Repeat};
use crate::operator::byte_set::ByteSet;

/// The pattern with plain groups and quantifiers where they do the same.
pub(super) fn reduce(node: Node) -> Node {
    reduced(node, true)
}

/// `last`: what follows matches at any place.
fn reduced(node: Node, last: bool) -> Node {
    match node {
        Node::Concat(mut items) => {
            let mut last = last;
            for item in items.iter_mut().rev() {
                let always = item.always_matches();
                *item = reduced(std::mem::replace(item, Node::Empty), last);
                last &= always;
            }
            Node::Concat(items)
        }
        Node::Alternate(branches) => {
            Node::Alternate(branches.into_iter().map(|branch| reduced(branch, last)).collect())
        }
        Node::Capture(group, node) => Node::Capture(group, Box::new(reduced(*node, last))),
        Node::Repeat(repeat) => reduced_repeat(*repeat, last),
        Node::Atomic(node) => reduced_atomic(*node, last),
        Node::Look(mut look) => {
            // What is before a look-behind's end must end there; what is ahead may end anywhere.
            look.node = reduced(look.node, look.ahead);
            Node::Look(look)
        }
        Node::Empty | Node::Set(_) | Node::Assert(_) | Node::Backreference { .. } | Node::Keep => {
            node
        }
    }
}

fn reduced_repeat(mut repeat: Repeat, last: bool) -> Node {
    if repeat.appetite == Appetite::Possessive {
        let one_way = repeat.max == Some(repeat.min) && has_one_way(&repeat.node);
        if last || one_way {
            repeat.appetite = Appetite::Greedy;
        }
    }
    let last = match repeat.appetite {
        // Behind a first round everything is optional.
        Appetite::Greedy | Appetite::Lazy => last && repeat.min <= 1,
        Appetite::Possessive => false,
    };
    repeat.node = reduced(repeat.node, last);
    Node::Repeat(Box::new(repeat))
}

fn reduced_atomic(node: Node, last: bool) -> Node {
    if last || has_one_way(&node) {
        return reduced(node, last);
    }
    match node {
        Node::Repeat(mut repeat) if matches!(repeat.node, Node::Set(_)) => {
            match repeat.appetite {
                Appetite::Greedy => repeat.appetite = Appetite::Possessive,
                Appetite::Lazy => repeat.max = Some(repeat.min),
                Appetite::Possessive => {}
            }
            Node::Repeat(repeat)
        }
        Node::Concat(mut items)
            if items.len() > 1 && items.iter().rev().skip(1).all(has_one_way) =>
        {
            let end = items.pop().map_or(Node::Empty, |end| reduced_atomic(end, false));
            items = items.into_iter().map(|item| reduced(item, false)).collect();
            items.push(end);
            Node::Concat(items)
        }
        node => Node::Atomic(Box::new(reduced(node, false))),
    }
}

/// Whether there is at most one way to match it at a place.
fn has_one_way(node: &Node) -> bool {
    match node {
        Node::Empty
        | Node::Set(_)
        | Node::Assert(_)
        | Node::Look(_)
        | Node::Backreference { .. }
        | Node::Keep
        | Node::Atomic(_) => true,
        Node::Concat(items) => items.iter().all(has_one_way),
        Node::Alternate(branches) => branches.len() < 2 && branches.iter().all(has_one_way),
        Node::Repeat(repeat) => match repeat.appetite {
            Appetite::Possessive => true,
            Appetite::Greedy | Appetite::Lazy => {
                repeat.max == Some(repeat.min) && has_one_way(&repeat.node)
            }
        },
        Node::Capture(_, node) => has_one_way(node),
    }
}

/// Whether an automaton cannot decide it.
pub(super) fn needs_backtracking(node: &Node) -> bool {
    let beyond = |node: &Node| match node {
        Node::Look(_) | Node::Backreference { .. } | Node::Keep | Node::Atomic(_) => true,
        Node::Assert(place) => *place == Assertion::EndOrLastLineFeed,
        Node::Repeat(repeat) => {
            repeat.appetite == Appetite::Possessive && !matches!(repeat.node, Node::Set(_))
        }
        Node::Empty | Node::Set(_) | Node::Concat(_) | Node::Alternate(_) | Node::Capture(..) => {
            false
        }
    };
    node.any(&beyond) || line_may_start_at_end(node, false)
}

/// PCRE's `(?m)^` is false behind a line feed that ends the text, the automaton's is true: the same only where
/// something is taken behind it.
fn line_may_start_at_end(node: &Node, taken: bool) -> bool {
    match node {
        Node::Assert(place) => *place == Assertion::LineStart && !taken,
        Node::Concat(items) => {
            let mut taken = taken;
            items.iter().rev().any(|item| {
                let found = line_may_start_at_end(item, taken);
                taken |= !item.is_nullable();
                found
            })
        }
        Node::Alternate(branches) => {
            branches.iter().any(|branch| line_may_start_at_end(branch, taken))
        }
        Node::Repeat(repeat) => line_may_start_at_end(&repeat.node, taken),
        Node::Capture(_, node) | Node::Atomic(node) => line_may_start_at_end(node, taken),
        Node::Look(look) => line_may_start_at_end(&look.node, false),
        Node::Empty | Node::Set(_) | Node::Backreference { .. } | Node::Keep => false,
    }
}

/// A pattern that an automaton can decide and that matches wherever this one does: conditions on the surroundings
/// are taken as met, a back-reference as any text.
pub(super) fn relaxed(node: &Node) -> Node {
    match node {
        Node::Look(_) | Node::Keep => Node::Empty,
        Node::Assert(Assertion::EndOrLastLineFeed | Assertion::LineStart) => Node::Empty,
        Node::Backreference { .. } => {
            let any = Node::Set(ByteSet::ALL);
            Repeat::greedy(any, 0, None)
        }
        Node::Concat(items) => Node::Concat(items.iter().map(relaxed).collect()),
        Node::Alternate(branches) => Node::Alternate(branches.iter().map(relaxed).collect()),
        Node::Repeat(repeat) => Repeat::greedy(relaxed(&repeat.node), repeat.min, repeat.max),
        Node::Capture(_, node) | Node::Atomic(node) => relaxed(node),
        Node::Empty | Node::Set(_) | Node::Assert(_) => node.clone(),
    }
}

/// A pattern that matches in the same texts, though it need not start at the same places: without what it starts with
/// if that is any number of bytes, none among them. Where the pattern matches, the rest does a little later.
pub(super) fn beheaded(node: &Node) -> Node {
    match node {
        Node::Repeat(repeat)
            if repeat.min == 0
                && repeat.appetite != Appetite::Possessive
                && matches!(repeat.node, Node::Set(_)) =>
        {
            Node::Empty
        }
        Node::Concat(items) => {
            let mut items = items.as_slice();
            while let [first, rest @ ..] = items {
                match beheaded(first) {
                    Node::Empty => items = rest,
                    first => return Node::Concat([&[first], rest].concat()),
                }
            }
            Node::Empty
        }
        Node::Alternate(branches) => Node::Alternate(branches.iter().map(beheaded).collect()),
        _ => node.clone(),
    }
}
