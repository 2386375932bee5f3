//! Random patterns on random texts, against the model.

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::Model;
use crate::operator::byte_set::ByteSet;
use crate::operator::rx::backtracking::Backtracking;
use crate::operator::rx::bytes;
use crate::operator::rx::linear::{Locator, Verdict};
use crate::operator::rx::literals::required;
use crate::operator::rx::reduce::{needs_backtracking, reduce};
use crate::operator::rx::syntax::{Appetite, Assertion, Look, Node, Pattern, Repeat};

fn leaf() -> impl Strategy<Value = Node> {
    let set = |bytes: &'static [u8]| Just(Node::Set(ByteSet::of(bytes)));
    let assertion = prop_oneof![
        Just(Assertion::Start),
        Just(Assertion::End),
        Just(Assertion::EndOrLastLineFeed),
        Just(Assertion::LineStart),
        Just(Assertion::LineEnd),
        Just(Assertion::WordBoundary),
        Just(Assertion::NoWordBoundary),
    ];
    prop_oneof![
        4 => set(b"a"),
        3 => set(b"b"),
        1 => set(b"-"),
        1 => set(b"\n"),
        1 => set(b"\xe9"),
        2 => set(b"ab"),
        1 => Just(Node::Set(ByteSet::of(b"a").complement())),
        1 => Just(Node::Empty),
        2 => assertion.prop_map(Node::Assert),
    ]
}

fn node(beyond: bool) -> impl Strategy<Value = Node> {
    leaf().prop_recursive(4, 24, 4, move |inner| {
        let appetite =
            prop_oneof![Just(Appetite::Greedy), Just(Appetite::Lazy), Just(Appetite::Possessive)];
        let range = (0..3u32, proptest::option::of(0..3u32));
        let repeat = (inner.clone(), range, appetite).prop_map(|(node, (min, more), appetite)| {
            let max = more.map(|more| min + more);
            Node::Repeat(Box::new(Repeat { node, min, max, appetite }))
        });
        let look =
            (inner.clone(), any::<bool>(), any::<bool>()).prop_map(|(node, ahead, negative)| {
                let ahead = ahead || node.fixed_len().is_none();
                Node::Look(Box::new(Look { ahead, negative, node }))
            });
        let back =
            (1..3u32, any::<bool>()).prop_map(|(group, fold)| Node::Backreference { group, fold });
        let far = if beyond { 1 } else { 0 };
        prop_oneof![
            4 => vec(inner.clone(), 2..4).prop_map(Node::Concat),
            3 => vec(inner.clone(), 2..4).prop_map(Node::Alternate),
            4 => repeat,
            2 => inner.clone().prop_map(|node| Node::Capture(0, Box::new(node))),
            1 => inner.prop_map(|node| Node::Atomic(Box::new(node))),
            far => look,
            far => back,
        ]
    })
}

/// Numbers the groups as they open, and makes references to groups that are not there nothing.
fn numbered(mut node: Node) -> Pattern {
    fn number(node: &mut Node, groups: &mut u32) {
        match node {
            Node::Capture(group, node) => {
                *groups += 1;
                *group = *groups;
                number(node, groups);
            }
            Node::Concat(nodes) | Node::Alternate(nodes) => {
                nodes.iter_mut().for_each(|node| number(node, groups));
            }
            Node::Repeat(repeat) => number(&mut repeat.node, groups),
            Node::Atomic(node) => number(node, groups),
            Node::Look(look) => number(&mut look.node, groups),
            Node::Backreference { group, .. } if *group > *groups => *node = Node::Empty,
            _ => {}
        }
    }
    let mut groups = 0;
    number(&mut node, &mut groups);
    Pattern { node, groups }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(&b"aaabb-\n\xe9"[..]), 0..8)
}

/// Whether a repetition can go round without taking a byte: in PCRE that round is the last, an automaton goes on.
fn goes_round_empty(node: &Node) -> bool {
    node.any(&|node| match node {
        Node::Repeat(repeat) => repeat.node.is_nullable(),
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_automaton_finds_what_the_model_finds(node in node(false), texts in vec(text(), 1..6)) {
        let pattern = numbered(node);
        let reduced = Pattern { node: reduce(pattern.node.clone()), groups: pattern.groups };
        if needs_backtracking(&reduced.node) {
            return Ok(());
        }
        let verdict = Verdict::new(&reduced.node).expect("a sound pattern");
        let locator = Locator::new(&reduced).expect("a sound pattern");
        for text in texts {
            let Ok(expected) = Model::find(&pattern.node, pattern.groups, &text) else { continue };
            prop_assert_eq!(verdict.is_match(&text).ok(), Some(expected.is_some()), "{:?}", text);
            let found = locator.locate(&verdict, &text).expect("no limit");
            let Some(expected) = expected else {
                prop_assert_eq!(found, None);
                continue;
            };
            let found = found.expect("a match");
            let start = |extent: Option<(usize, usize)>| extent.map(|(start, _)| start);
            prop_assert_eq!(start(found[0]), start(expected[0]), "{:?}", text);
            if !goes_round_empty(&pattern.node) {
                let len = expected.len().min(found.len());
                prop_assert_eq!(&found[..len], &expected[..len], "{:?}", text);
            }
        }
    }

    #[test]
    fn backtracking_finds_what_the_model_finds(node in node(true), texts in vec(text(), 1..6)) {
        let pattern = numbered(node);
        let engine = Backtracking::new(&reduce(pattern.node.clone()), pattern.groups);
        let engine = engine.expect("a sound pattern");
        for text in texts {
            let Ok(expected) = Model::find(&pattern.node, pattern.groups, &text) else { continue };
            let found = engine.locate(&text).expect("no limit");
            prop_assert_eq!(engine.is_match(&text).ok(), Some(found.is_some()), "{:?}", text);
            let shown = expected.map(|groups| groups.into_iter().take(10).collect::<Vec<_>>());
            let found = found.map(|groups| groups[..shown.as_ref().map_or(0, Vec::len)].to_vec());
            prop_assert_eq!(found, shown, "{:?}", text);
        }
    }

    #[test]
    fn what_matches_can_match(node in node(false), texts in vec(text(), 1..6)) {
        let pattern = numbered(node);
        let reduced = reduce(pattern.node.clone());
        if needs_backtracking(&reduced) {
            return Ok(());
        }
        let verdict = Verdict::new(&reduced).expect("a sound pattern");
        for text in texts {
            let can = verdict.can_match(ByteSet::in_text(&text));
            prop_assert!(can || verdict.is_match(&text).ok() == Some(false), "{:?}", text);
        }
    }

    #[test]
    fn every_match_holds_a_required_literal(node in node(true), texts in vec(text(), 1..6)) {
        let pattern = numbered(node);
        let Some(literals) = required(&pattern.node) else { return Ok(()) };
        for text in texts {
            if let Ok(Some(_)) = Model::find(&pattern.node, pattern.groups, &text) {
                let text = text.to_ascii_lowercase();
                let holds = |literal: &[u8]| memchr::memmem::find(&text, literal).is_some();
                prop_assert!(literals.iter().any(|literal| holds(literal)), "{:?}", text);
            }
        }
    }

    #[test]
    fn every_match_has_the_required_bytes(node in node(true), texts in vec(text(), 1..6)) {
        let pattern = numbered(node);
        let sets = bytes::required(&pattern.node);
        let shortest = pattern.node.min_len();
        for text in texts {
            if let Ok(Some(_)) = Model::find(&pattern.node, pattern.groups, &text) {
                let there = ByteSet::in_text(&text);
                prop_assert!(sets.iter().all(|set| set.meets(there)), "{:?}", text);
                prop_assert!(shortest <= text.len(), "{:?}", text);
            }
        }
    }
}
