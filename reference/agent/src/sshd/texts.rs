//! Texts that tell patterns apart: for each set of patterns that some text fits at once, such a text.

use std::collections::{BTreeSet, VecDeque};

/// Beyond so many states of the patterns, no more texts are looked for.
const MOST: usize = 4096;

/// Patterns of `*`, `?` and plain characters, read side by side.
pub(super) struct Patterns(Vec<Vec<char>>);

/// How far a text has come: pattern and position, in order. Where nothing is left, no pattern fits any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Progress(Vec<(usize, usize)>);

impl Patterns {
    pub(super) fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        let distinct: BTreeSet<&str> = patterns.into_iter().collect();
        Self(distinct.into_iter().map(|pattern| pattern.chars().collect()).collect())
    }

    /// Before the first character.
    pub(super) fn start(&self) -> Progress {
        self.reached((0..self.0.len()).map(|pattern| (pattern, 0)))
    }

    /// A `*` may also stand for nothing.
    fn reached(&self, places: impl Iterator<Item = (usize, usize)>) -> Progress {
        let mut all = BTreeSet::new();
        for (pattern, mut at) in places {
            all.insert((pattern, at));
            while self.0[pattern].get(at) == Some(&'*') {
                at += 1;
                all.insert((pattern, at));
            }
        }
        Progress(all.into_iter().collect())
    }

    /// Behind one more character.
    pub(super) fn step(&self, progress: &Progress, character: char) -> Progress {
        self.reached(progress.0.iter().filter_map(
            |&(pattern, at)| match *self.0[pattern].get(at)? {
                '*' => Some((pattern, at)),
                '?' => Some((pattern, at + 1)),
                plain => (plain == character).then_some((pattern, at + 1)),
            },
        ))
    }

    /// The patterns that the text up to here fits.
    pub(super) fn fitting(&self, progress: &Progress) -> Vec<usize> {
        let ended = progress.0.iter().filter(|(pattern, at)| self.0[*pattern].len() == *at);
        ended.map(|(pattern, _)| *pattern).collect()
    }

    /// The characters that a pattern has next.
    fn next(&self, progress: &Progress) -> BTreeSet<char> {
        let next = progress.0.iter().filter_map(|&(pattern, at)| self.0[pattern].get(at));
        next.copied().filter(|next| !matches!(next, '*' | '?')).collect()
    }

    /// Some character that no pattern has.
    fn other(&self) -> Option<char> {
        let is_free = |one: &char| !self.0.iter().flatten().any(|has| has == one);
        "xyzabcdefghijklmnopqrstuvw0123456789_~%".chars().find(is_free)
    }
}

/// A shortest text for each set of patterns that a text of one character or more can fit, and whether these are all.
pub(super) fn texts<'p>(patterns: impl IntoIterator<Item = &'p str>) -> (Vec<String>, bool) {
    let patterns = Patterns::new(patterns);
    let other = patterns.other();
    let mut found = Vec::new();
    let mut told_apart = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = VecDeque::from([(patterns.start(), String::new())]);
    while let Some((progress, text)) = open.pop_front() {
        for character in other.into_iter().chain(patterns.next(&progress)) {
            let next = patterns.step(&progress, character);
            if !seen.insert(next.clone()) {
                continue;
            }
            if seen.len() > MOST {
                return (found, false);
            }
            let text = format!("{text}{character}");
            if told_apart.insert(patterns.fitting(&next)) {
                found.push(text.clone());
            }
            open.push_back((next, text));
        }
    }
    (found, other.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wildcard::Wildcard;
    use proptest::prelude::*;

    #[test]
    fn one_text_for_each_set_of_patterns() {
        assert_eq!(texts([]).0, ["x"]);
        assert_eq!(texts(["*.com", "a.com"]).0, ["x", ".com", "a.com"]);
        assert_eq!(texts(["*"]).0, ["x"]);
        assert_eq!(texts(["?", "x"]).0, ["y", "x", "yy"]);
        let many: Vec<String> = ('a'..='p').map(|one| format!("*{one}*")).collect();
        let (found, all) = texts(many.iter().map(String::as_str));
        assert!(!all && found.len() > 100, "{}", found.len());
    }

    proptest! {
        #[test]
        fn every_text_has_its_like(
            patterns in proptest::collection::vec("[ab*?]{1,4}", 0..5),
            text in "[abx]{1,7}",
        ) {
            let fits = |text: &str| -> Vec<bool> {
                patterns.iter().map(|one| Wildcard::glob(one, false).fits(text)).collect()
            };
            let (found, all) = texts(patterns.iter().map(String::as_str));
            prop_assert!(all);
            prop_assert!(found.iter().any(|like| fits(like) == fits(&text)), "{found:?}");
        }
    }
}
