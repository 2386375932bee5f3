//! Chance with a seed: the same plan fires the same requests at the same moments.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): small, fast, and good enough for arrivals and resampling.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Those of a thread; what is `own` to a purpose keeps them apart from all else that is drawn with the same seed.
    pub(crate) fn of_thread(seed: u64, thread: usize, own: u64) -> Self {
        Self::new(seed.wrapping_add(thread as u64 * 1_000_003) ^ own)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly from [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The gap to the next event of a Poisson process of rate 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Evenly from 0 to `end`, which must not be zero; the bias is below 2⁻⁴⁰ for the sizes used here.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next_u64()) * end as u128) >> 64) as usize
    }
}

/// For so many pairs of rounds, which of the two sides (0, 1) is measured first: half of them each, shuffled.
pub fn shuffled_pairs(pairs: usize, seed: u64) -> Vec<[usize; 2]> {
    let mut random = Random::new(seed);
    let mut orders: Vec<[usize; 2]> =
        (0..pairs).map(|pair| if pair % 2 == 0 { [0, 1] } else { [1, 0] }).collect();
    for place in (1..orders.len()).rev() {
        orders.swap(place, random.below(place + 1));
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_the_mean_and_the_spread_of_a_poisson_process() {
        let mut random = Random::new(7);
        let gaps: Vec<f64> = (0..100_000).map(|_| random.exponential()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    #[test]
    fn each_side_is_first_in_half_of_the_pairs() {
        let pairs = shuffled_pairs(20, 5);
        assert_eq!(pairs.iter().filter(|pair| **pair == [0, 1]).count(), 10);
        assert_ne!(pairs, shuffled_pairs(20, 6));
    }

    #[test]
    fn every_place_is_drawn_equally_often() {
        let mut random = Random::new(7);
        let mut drawn = [0_u32; 5];
        for _ in 0..50_000 {
            drawn[random.below(5)] += 1;
        }
        assert!(drawn.iter().all(|n| (9_500..10_500).contains(n)), "{drawn:?}");
    }
}
