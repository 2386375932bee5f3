//! A small generator of pseudo-random numbers (SplitMix64): what a seed stands for must be the same in every
//! version and on every machine.

/// A sequence of numbers that its seed determines.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        // The bias of a remainder is far below what anybody could notice here.
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    /// Once in so many times, on average.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Any octet.
    pub(super) fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// One of them. There must be one.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_stands_for_one_sequence() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [(); 3].map(|()| random.next())
        };
        // The reference values of SplitMix64 for this seed.
        assert_eq!(
            numbers(1_234_567),
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        assert_ne!(numbers(1), numbers(2));
    }
}
