//! One pass over a value that says which operators cannot match it.
//!
//! Many operators need certain bytes: `@rx union\s+select` matches nothing without `union`, and `@pm` nothing without
//! one of its words. All those literals of all rules stand in one Aho-Corasick automaton, ASCII case ignored. It runs
//! once over each distinct value and sets the bit of every operator of which it meets a literal; an operator whose bit
//! is not set is not run on that value, as it would not match.

use std::collections::HashMap;

use super::automaton::{Automaton, Mark};
use crate::operator::ByteSet;

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
    automaton: Option<Automaton>,
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
            let literal = literal.to_ascii_lowercase();
            let owners = self.owners_of.entry(rarest_part(&literal).into()).or_default();
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
        let marked = |(word, filters): (_, Vec<_>)| (word, filters.into_iter().map(mark).collect());
        let words: Vec<_> = words.into_iter().map(marked).collect();
        let automaton = (!words.is_empty()).then(|| Automaton::new(&words));
        Prefilter { automaton, words: (self.filters as usize).div_ceil(64) }
    }
}

/// How much of a literal is looked for, in bytes: that keeps the automaton small.
const LONGEST: usize = 6;

/// The part of a literal that is looked for: one that values without it hardly ever have. Marks are
/// taken for common, as pages are full of them.
fn rarest_part(literal: &[u8]) -> &[u8] {
    let commonness = |part: &&[u8]| -> u32 {
        part.iter()
            .map(|byte| match byte {
                b'q' | b'z' | b'x' | b'j' | b'_' | b'0'..=b'9' | 0x80.. => 1,
                b'k' | b'v' | b'w' | b'b' | b'y' | b'g' | b'f' | b'p' => 2,
                b'm' | b'c' | b'u' | b'd' | b'l' | b'h' => 3,
                b'a'..=b'z' => 4,
                _ => 5,
            })
            .sum()
    };
    literal.windows(LONGEST).min_by_key(commonness).unwrap_or(literal)
}

/// A single letter or digit is in nearly every value: looking for it costs more than it saves.
fn is_selective(literal: &[u8]) -> bool {
    match literal {
        [] => false,
        [byte] => !byte.is_ascii_alphanumeric(),
        _ => true,
    }
}

fn mark(Filter(filter): Filter) -> Mark {
    (filter / 64, 1 << (filter % 64))
}

impl Prefilter {
    /// How many `u64` a scan fills.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Sets in `bits` ([`Prefilter::words`] of them, all 0) the bit of each operator that may
    /// match `text`, which is made of the bytes of `has`. It says the same of texts that differ in case.
    pub(crate) fn scan(&self, text: &[u8], has: ByteSet, bits: &mut [u64]) {
        bits[0] |= 1;
        if let Some(automaton) = &self.automaton {
            automaton.scan(text, has, bits);
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
        prefilter.scan(text.as_bytes(), ByteSet::in_text(text.as_bytes()), &mut bits);
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
