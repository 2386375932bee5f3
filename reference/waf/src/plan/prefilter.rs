//! One pass over a value that says which operators cannot match it.
//!
//! Many operators need certain bytes: `@rx union\s+select` matches nothing without `union`, and
//! `@pm` nothing without one of its words. All those literals of all rules stand in one
//! Aho-Corasick automaton, ASCII case ignored. It runs once over each distinct value and sets the
//! bit of every operator of which it meets a literal; an operator whose bit is not set is not run
//! on that value, as it would not match.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// An operator's bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Filter(u32);

impl Filter {
    /// Whether its bit is set in what [`Prefilter::scan`] filled.
    #[inline]
    pub(crate) fn is_in(self, bits: &[u64]) -> bool {
        bits[self.0 as usize / 64] >> (self.0 % 64) & 1 != 0
    }
}

/// The automaton and what its words stand for.
#[derive(Debug)]
pub(crate) struct Prefilter {
    automaton: Option<AhoCorasick>,
    /// For each word of the automaton the operators that it makes possible: which 64 bits, and
    /// those of them to set.
    owners: Vec<Box<[(u32, u64)]>>,
    words: usize,
}

/// Collects the literals of operators.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    owners_of: HashMap<Box<[u8]>, Vec<Filter>>,
    filters: u32,
}

impl Collected {
    /// Takes in an operator that needs one of these literals in every value that it matches. None
    /// where they would filter nothing.
    pub(crate) fn add(&mut self, literals: &[Box<[u8]>]) -> Option<Filter> {
        if literals.is_empty() || !literals.iter().all(|literal| is_selective(literal)) {
            return None;
        }
        let filter = Filter(self.filters);
        self.filters += 1;
        for literal in literals {
            let owners = self.owners_of.entry(literal.to_ascii_lowercase().into()).or_default();
            if owners.last() != Some(&filter) {
                owners.push(filter);
            }
        }
        Some(filter)
    }

    /// Builds the automaton.
    pub(crate) fn build(self) -> Prefilter {
        let mut words: Vec<_> = self.owners_of.into_iter().collect();
        words.sort_unstable();
        let owners = words.iter().map(|(_, filters)| masks(filters)).collect();
        let automaton = (!words.is_empty()).then(|| {
            AhoCorasick::builder()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(words.iter().map(|(word, _)| word))
                .expect("the words of rule files are far from the automaton's limits")
        });
        Prefilter { automaton, owners, words: (self.filters as usize).div_ceil(64) }
    }
}

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
    /// match `text`.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        let Some(automaton) = &self.automaton else { return };
        for found in automaton.find_overlapping_iter(text) {
            for &(word, mask) in &self.owners[found.pattern().as_usize()] {
                bits[word as usize] |= mask;
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
        let first = collected.add(&literals(&["union", "SELECT", "select"])).unwrap();
        let second = collected.add(&literals(&["on"])).unwrap();
        let third = collected.add(&literals(&["<", "unions"])).unwrap();
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
        assert_eq!(collected.add(&literals(&["e"])), None);
        assert_eq!(collected.add(&literals(&["union", "7"])), None);
        assert_eq!(collected.add(&literals(&["union", ""])), None);
        assert_eq!(collected.add(&[]), None);
        assert!(collected.add(&literals(&["'", "--"])).is_some());
        assert_eq!(Collected::default().build().words(), 0);
        assert!(scan(&Collected::default().build(), "anything").is_empty());
    }

    #[test]
    fn there_may_be_more_operators_than_bits_in_a_word() {
        let mut collected = Collected::default();
        let filters: Vec<_> = (0..200)
            .map(|number| collected.add(&literals(&["common", &format!("w{number:03}")])).unwrap())
            .collect();
        let prefilter = collected.build();
        let bits = scan(&prefilter, "w000 w063 w064 w199");
        let set: Vec<_> = (0..200).filter(|&number| filters[number].is_in(&bits)).collect();
        assert_eq!(set, [0, 63, 64, 199]);
        let all = scan(&prefilter, "COMMON");
        assert!(filters.iter().all(|filter| filter.is_in(&all)));
    }
}
