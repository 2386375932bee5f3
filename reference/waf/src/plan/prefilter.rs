//! One pass over a value that says which operators cannot match it.
//!
//! Many operators need certain bytes: `@rx union\s+select` matches nothing without `union`, and `@pm` nothing without
//! one of its words. All those literals of all rules stand in one Aho-Corasick automaton, ASCII case ignored. It runs
//! once over each distinct value and sets the bit of every operator of which it meets a literal; an operator whose bit
//! is not set is not run on that value, as it would not match.

use std::collections::HashMap;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind, StartKind};

/// An operator's bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Filter(u32);

impl Filter {
    /// That of operators of which nothing is known: it is always set.
    pub(crate) const ANY: Self = Self(0);

    /// Whether its bit is set in what [`Prefilter::scan`] filled.
    #[inline]
    pub(crate) fn is_in(self, bits: &[u64]) -> bool {
        bits[self.0 as usize / 64] >> (self.0 % 64) & 1 != 0
    }
}

/// The automaton and what its words stand for.
#[derive(Debug)]
pub(crate) struct Prefilter {
    automaton: Option<DFA>,
    /// For each word of the automaton the operators that it makes possible: which 64 bits, and
    /// those of them to set.
    owners: Vec<Box<[(u32, u64)]>>,
    words: usize,
}

/// Collects what operators need.
#[derive(Debug)]
pub(crate) struct Collected {
    owners_of: HashMap<Box<[u8]>, Vec<Filter>>,
    filters: u32,
}

impl Default for Collected {
    fn default() -> Self {
        Self { owners_of: HashMap::new(), filters: 1 }
    }
}

impl Collected {
    /// Takes in an operator that needs one of these literals in every value that it matches.
    pub(crate) fn add(&mut self, literals: &[Box<[u8]>]) -> Filter {
        if literals.is_empty() || !literals.iter().all(|literal| is_selective(literal)) {
            return Filter::ANY;
        }
        let filter = Filter(self.filters);
        self.filters += 1;
        for literal in literals {
            let literal = literal[..literal.len().min(LONGEST)].to_ascii_lowercase();
            let owners = self.owners_of.entry(literal.into()).or_default();
            if owners.last() != Some(&filter) {
                owners.push(filter);
            }
        }
        filter
    }

    /// Builds the automaton.
    pub(crate) fn build(self) -> Prefilter {
        let mut words: Vec<_> = self.owners_of.into_iter().collect();
        words.sort_unstable();
        let owners = words.iter().map(|(_, filters)| masks(filters)).collect();
        let automaton = (!words.is_empty()).then(|| {
            DFA::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .start_kind(StartKind::Unanchored)
                .build(words.iter().map(|(word, _)| word))
                .expect("the words of rule files are far from the automaton's limits")
        });
        Prefilter { automaton, owners, words: (self.filters as usize).div_ceil(64) }
    }
}

/// How much of a literal is looked for, in bytes: that keeps the automaton small, and what begins
/// like a literal hardly ever goes on otherwise.
const LONGEST: usize = 7;

/// A single letter or digit is in nearly every value: looking for it costs more than it saves.
fn is_selective(literal: &[u8]) -> bool {
    match literal {
        [] => false,
        [byte] => !byte.is_ascii_alphanumeric(),
        _ => true,
    }
}

fn masks(filters: &[Filter]) -> Box<[(u32, u64)]> {
    let mut masks: Vec<(u32, u64)> = Vec::new();
    for &Filter(filter) in filters {
        let (word, bit) = (filter / 64, 1 << (filter % 64));
        match masks.last_mut() {
            Some((last, mask)) if *last == word => *mask |= bit,
            _ => masks.push((word, bit)),
        }
    }
    masks.into()
}

impl Prefilter {
    /// How many `u64` a scan fills.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Sets in `bits` ([`Prefilter::words`] of them, all 0) the bit of each operator that may
    /// match `text`. It says the same of texts that differ in case.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        bits[0] |= 1;
        let Some(automaton) = &self.automaton else { return };
        let Ok(mut state) = automaton.start_state(Anchored::No) else {
            return bits.fill(u64::MAX);
        };
        for &byte in text {
            state = automaton.next_state(Anchored::No, state, byte);
            if automaton.is_special(state) && automaton.is_match(state) {
                for index in 0..automaton.match_len(state) {
                    let word = automaton.match_pattern(state, index);
                    for &(word, mask) in &self.owners[word.as_usize()] {
                        bits[word as usize] |= mask;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(words: &[&str]) -> Vec<Box<[u8]>> {
        words.iter().map(|word| word.as_bytes().into()).collect()
    }

    fn scan(prefilter: &Prefilter, text: &str) -> Vec<u64> {
        let mut bits = vec![0; prefilter.words()];
        prefilter.scan(text.as_bytes(), &mut bits);
        bits
    }

    #[test]
    fn an_operator_is_possible_where_one_of_its_literals_stands() {
        let mut collected = Collected::default();
        let first = collected.add(&literals(&["union", "SELECT", "select"]));
        let second = collected.add(&literals(&["on"]));
        let third = collected.add(&literals(&["<", "unions"]));
        let prefilter = collected.build();
        let of = |text: &str| {
            let bits = scan(&prefilter, text);
            [first, second, third].map(|filter| filter.is_in(&bits))
        };
        assert_eq!(of(""), [false; 3]);
        assert_eq!(of("nothing"), [false; 3]);
        assert_eq!(of("an Union"), [true, true, false]);
        assert_eq!(of("unIONs"), [true; 3]);
        assert_eq!(of("Select <"), [true, false, true]);
    }

    #[test]
    fn what_is_nearly_everywhere_filters_nothing() {
        let mut collected = Collected::default();
        assert_eq!(collected.add(&literals(&["e"])), Filter::ANY);
        assert_eq!(collected.add(&literals(&["union", "7"])), Filter::ANY);
        assert_eq!(collected.add(&literals(&["union", ""])), Filter::ANY);
        assert_eq!(collected.add(&[]), Filter::ANY);
        assert!(Filter::ANY.is_in(&scan(&collected.build(), "")));
    }
}
