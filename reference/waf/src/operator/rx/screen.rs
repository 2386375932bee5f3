//! Patterns that are asked of the same texts, asked at once.

use super::linear::Verdict;
use super::reduce;
use super::syntax::Node;
use super::{Engine, LARGEST, Rx};

/// Several patterns as one: it says in one go that a text matches none of them.
pub(crate) struct Screen(Verdict);

impl Screen {
    /// One of patterns that can be screened. `None` where they are too much for one automaton.
    pub(in crate::operator) fn of<'p>(patterns: impl Iterator<Item = &'p Rx>) -> Option<Self> {
        let nodes = patterns.map(|rx| Some(super::read(&rx.pattern).ok()?.node));
        let node = Node::Alternate(nodes.collect::<Option<Vec<_>>>()?);
        if node.size() > LARGEST {
            return None;
        }
        Verdict::new(&reduce::reduce(node)).ok().map(Self)
    }

    /// Whether any of the patterns may match the text.
    pub(crate) fn may_match(&self, text: &[u8]) -> bool {
        self.0.is_match(text).unwrap_or(true)
    }
}

impl Rx {
    /// Whether it can be a part of a screen: it is looked for everywhere in a text, by an automaton.
    pub(in crate::operator) fn can_be_screened(&self) -> bool {
        matches!(&self.engine, Engine::Linear(verdict, _) if !verdict.is_anchored())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::operator::Outcome;

    const PATTERNS: [&str; 9] = [
        "a[bc]?a",
        r"(?i)b\s*c",
        "c{2,}|ab",
        r"\bab",
        "a++b",
        "(?>a|ab)c",
        "(a|b)(c|$)",
        r"[^a]\z",
        "b?+b",
    ];

    proptest! {
        #[test]
        fn a_screen_says_what_its_patterns_say(
            chosen in proptest::sample::subsequence(&PATTERNS[..], 1..5),
            text in "[abc AB]{0,8}",
        ) {
            let patterns: Vec<_> =
                chosen.iter().map(|one| Rx::compile(one.as_bytes()).unwrap_or_else(|_| panic!("{one}"))).collect();
            prop_assume!(patterns.iter().all(Rx::can_be_screened));
            let screen = Screen::of(patterns.iter()).expect("small enough");
            let text = text.as_bytes();
            let any = patterns.iter().any(|one| one.matches(text, None) == Outcome::Match);
            prop_assert_eq!(screen.may_match(text), any);
        }
    }
}
