//! Sets of operators that may match, as bits.

/// A set of operators that may match something, as a place in [`Found`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidates(pub(super) u32);

impl Candidates {
    /// Only those of which nothing is known: most values hold none of the literals.
    pub(crate) const LEAST: Self = Self(0);
}

/// The sets of a transaction. Most are the least one, or that of a single text, and stand here once.
#[derive(Debug)]
pub(crate) struct Found {
    bits: Vec<u64>,
    words: usize,
}

impl Found {
    /// The least set alone. `words` is how many words a set takes.
    pub(crate) fn new(words: usize) -> Self {
        let mut bits = Vec::with_capacity(64 * words);
        bits.resize(words, 0);
        if let Some(first) = bits.first_mut() {
            *first = 1;
        }
        Self { bits, words }
    }

    /// Forgets all but the least set.
    pub(crate) fn clear(&mut self) {
        self.bits.truncate(self.words);
    }

    /// The bits of a set.
    #[inline]
    pub(crate) fn get(&self, Candidates(place): Candidates) -> &[u64] {
        let start = place as usize * self.words;
        &self.bits[start..start + self.words]
    }

    /// Adds the set that `fill` makes of one without any bit.
    pub(crate) fn add_with(&mut self, fill: impl FnOnce(&mut [u64])) -> Candidates {
        let start = self.bits.len();
        self.bits.resize(start + self.words, 0);
        let (before, new) = self.bits.split_at_mut(start);
        fill(new);
        if new == &before[..self.words] {
            self.bits.truncate(start);
            return Candidates::LEAST;
        }
        Candidates(u32::try_from(start / self.words).expect("fewer sets than bytes of a request"))
    }

    /// The set of what is in one of two.
    #[inline]
    pub(crate) fn union(&mut self, one: Candidates, other: Candidates) -> Candidates {
        if one == other || other == Candidates::LEAST {
            one
        } else if one == Candidates::LEAST {
            other
        } else {
            self.merge(one, other)
        }
    }

    #[inline(never)]
    fn merge(&mut self, one: Candidates, other: Candidates) -> Candidates {
        let missing = |(one, other): (&u64, &u64)| other & !one;
        if self.get(one).iter().zip(self.get(other)).map(missing).fold(0, |all, word| all | word)
            == 0
        {
            return one;
        }
        let [one, other, new] =
            [one.0 as usize * self.words, other.0 as usize * self.words, self.bits.len()];
        self.bits.extend_from_within(one..one + self.words);
        let (before, merged) = self.bits.split_at_mut(new);
        for (word, other) in merged.iter_mut().zip(&before[other..]) {
            *word |= other;
        }
        Candidates(u32::try_from(new / self.words).expect("fewer sets than bytes of a request"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_shared_where_they_are_the_same() {
        let mut found = Found::new(2);
        let add =
            |found: &mut Found, bits: [u64; 2]| found.add_with(|new| new.copy_from_slice(&bits));
        assert_eq!(add(&mut found, [1, 0]), Candidates::LEAST);
        let [one, other] = [[3, 0], [1, 8]].map(|bits| add(&mut found, bits));
        assert_eq!(found.union(Candidates::LEAST, one), one);
        assert_eq!(found.union(other, Candidates::LEAST), other);
        let both = found.union(one, other);
        assert_eq!(found.get(both), [3, 8]);
        assert_eq!(found.union(both, one), both);
        assert_eq!(found.get(Candidates::LEAST), [1, 0]);
    }
}
