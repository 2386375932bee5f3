//! A share of a count, and how far it can be trusted.

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    hits: usize,
    of: usize,
}

/// The standard normal distribution's quantile for two tails of 2.5 % each.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// One more, that was a hit or was none.
    pub(crate) fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    /// How many were hits.
    pub(crate) fn hits(self) -> usize {
        self.hits
    }

    /// How many there were.
    pub(crate) fn of(self) -> usize {
        self.of
    }

    /// From 0 to 1; of nothing there is no share.
    pub(crate) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.hits as f64 / self.of as f64)
    }

    /// Within which the true share lies with 95 % confidence: the score interval of E. B. Wilson
    /// ("Probable inference, the law of succession, and statistical inference", 1927), which stays
    /// within 0 and 1 and has a width where all or none were hits.
    pub(crate) fn interval(self) -> Option<(f64, f64)> {
        let share = self.share()?;
        let n = self.of as f64;
        let shrink = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / shrink;
        let half = Z / shrink * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        // At the ends the formula gives exactly 0 and 1, which rounding may miss.
        let low = if self.hits == 0 { 0.0 } else { middle - half };
        let high = if self.hits == self.of { 1.0 } else { middle + half };
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(hits: usize, of: usize) -> Rate {
        Rate { hits, of }
    }

    /// Figures worked out by hand: for 0 of 10 the upper end is z²/(n+z²).
    #[test]
    fn known_figures_come_out() {
        let told = |hits, of| {
            let (low, high) = rate(hits, of).interval().unwrap();
            format!("{low:.4} {high:.4}")
        };
        assert_eq!(told(0, 10), "0.0000 0.2775");
        assert_eq!(told(10, 10), "0.7225 1.0000");
        assert_eq!(told(5, 10), "0.2366 0.7634");
        assert_eq!(told(81, 263), "0.2553 0.3662");
        assert_eq!(rate(0, 0).interval(), None);
        assert_eq!(rate(0, 0).share(), None);
    }

    proptest! {
        /// The ends are those shares from which what was found is z standard deviations away: that is
        /// what the interval means, and another way to it than the formula.
        #[test]
        fn the_ends_are_z_deviations_from_the_share(of in 1usize..5000, part in 0.0f64..=1.0) {
            let found = rate((part * of as f64).round() as usize, of);
            let (low, high) = found.interval().unwrap();
            let share = found.share().unwrap();
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
            for end in [low, high] {
                let deviation = (end * (1.0 - end) / of as f64).sqrt();
                let off = ((share - end).abs() - Z * deviation).abs();
                prop_assert!(end == share || off < 1e-9, "{off} at {end}");
            }
        }

        #[test]
        fn more_cases_of_one_share_narrow_it(hits in 0usize..50, more in 0usize..50) {
            let width = |times: usize| {
                let (low, high) = rate(hits * times, (hits + more + 1) * times).interval().unwrap();
                high - low
            };
            prop_assert!(width(4) < width(1));
        }
    }
}
