//! Where the level of a series changes: E-Divisive (D. S. Matteson and N. A. James, "A Nonparametric Approach for
//! Multiple Change Point Analysis of Multivariate Data", JASA 109, 2014), for one dimension.
//!
//! The series is divided where the energy distance between the two sides is largest, weighted by their sizes; then
//! the parts are, and so on. A division counts where so large a distance is rare among the parts' own permutations;
//! the first that is not ends it. No noise model is assumed, and one slow run is no change.

use std::ops::Range;

use crate::random::Random;

/// A level has at least so many values, so that one odd run is none.
const FEWEST: usize = 3;
/// A series has at least so many. Ten can be halved in 252 ways, of which two look like the largest step there can be: hardly
/// fewer than one in a hundred, so that chance would decide. Of twelve, four on each side show it; of fifteen, three.
pub(crate) const FEWEST_RUNS: usize = 12;
/// Permutations of each test.
const PERMUTATIONS: usize = 499;
/// A division by chance is accepted so often at most.
const SIGNIFICANCE: f64 = 0.01;

/// The index of the first value of each new level, in order.
pub fn change_points(series: &[f64], seed: u64) -> Vec<usize> {
    if series.len() < FEWEST_RUNS {
        return Vec::new();
    }
    let mut random = Random::new(seed);
    let mut bounds = vec![0, series.len()];
    while let Some((at, distance)) = best(series, &bounds) {
        let mut shuffled = series.to_vec();
        let as_large = (0..PERMUTATIONS).filter(|_| {
            for part in bounds.windows(2) {
                shuffle(&mut shuffled[part[0]..part[1]], &mut random);
            }
            best(&shuffled, &bounds).is_some_and(|(_, by_chance)| by_chance >= distance)
        });
        let rare = (as_large.count() + 1) as f64 / (PERMUTATIONS + 1) as f64;
        if rare > SIGNIFICANCE {
            break;
        }
        bounds.push(at);
        bounds.sort_unstable();
    }
    bounds.retain(|at| *at != 0 && *at != series.len());
    bounds
}

/// The best division of any part, and its distance; none where all are too short or all alike.
fn best(series: &[f64], bounds: &[usize]) -> Option<(usize, f64)> {
    let parts = bounds.windows(2).filter_map(|part| {
        let (at, distance) = divided(&series[part[0]..part[1]])?;
        Some((part[0] + at, distance))
    });
    parts.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The place in one part: where what is before it differs most from what is after it, up to any later place. A
/// level that came and went is not hidden by what is the same on both sides of it.
fn divided(part: &[f64]) -> Option<(usize, f64)> {
    let distances = Distances::of(part);
    let mut found: Option<(usize, f64)> = None;
    for at in FEWEST..(part.len() + 1).saturating_sub(FEWEST) {
        let (n, within) = (at as f64, distances.between(0..at, 0..at) / 2.0);
        for end in at + FEWEST..=part.len() {
            let m = (end - at) as f64;
            let other = distances.between(at..end, at..end) / 2.0;
            let across = distances.between(0..at, at..end);
            let pairs = |n: f64| n * (n - 1.0) / 2.0;
            let energy = 2.0 * across / (n * m) - within / pairs(n) - other / pairs(m);
            let distance = energy * n * m / (n + m);
            if distance > found.map_or(0.0, |(_, largest)| largest) {
                found = Some((at, distance));
            }
        }
    }
    found
}

/// Sums of the distances between the values of two ranges.
struct Distances {
    /// At (row, column), those of all before the row to all before the column.
    sums: Vec<f64>,
    width: usize,
}

impl Distances {
    fn of(values: &[f64]) -> Self {
        let width = values.len() + 1;
        let mut sums = vec![0.0; width * width];
        for (row, a) in values.iter().enumerate() {
            let mut sum = 0.0;
            for (column, b) in values.iter().enumerate() {
                sum += (a - b).abs();
                sums[(row + 1) * width + column + 1] = sums[row * width + column + 1] + sum;
            }
        }
        Self { sums, width }
    }

    fn between(&self, rows: Range<usize>, columns: Range<usize>) -> f64 {
        let at = |row: usize, column: usize| self.sums[row * self.width + column];
        at(rows.end, columns.end) - at(rows.start, columns.end) - at(rows.end, columns.start)
            + at(rows.start, columns.start)
    }
}

/// Fisher and Yates.
fn shuffle(values: &mut [f64], random: &mut Random) {
    for place in (1..values.len()).rev() {
        values.swap(place, random.below(place + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Nile at Aswan, 1871 to 1970, in 10⁸ m³ a year (Cobb, Biometrika 65, 1978): it fell after 1898.
    const NILE: [f64; 100] = [
        1120., 1160., 963., 1210., 1160., 1160., 813., 1230., 1370., 1140., 995., 935., 1110.,
        994., 1020., 960., 1180., 799., 958., 1140., 1100., 1210., 1150., 1250., 1260., 1220.,
        1030., 1100., 774., 840., 874., 694., 940., 833., 701., 916., 692., 1020., 1050., 969.,
        831., 726., 456., 824., 702., 1120., 1100., 832., 764., 821., 768., 845., 864., 862., 698.,
        845., 744., 796., 1040., 759., 781., 865., 845., 944., 984., 897., 822., 1010., 771., 676.,
        649., 846., 812., 742., 801., 1040., 860., 874., 848., 890., 744., 749., 838., 1050., 918.,
        986., 797., 923., 975., 815., 1020., 906., 901., 1170., 912., 746., 919., 718., 714., 740.,
    ];

    /// Levels with so many values each, and noise that is nearly normal.
    fn levels(levels: &[(f64, usize)], noise: f64, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let mut normal = || (0..12).map(|_| random.unit()).sum::<f64>() - 6.0;
        let each = levels.iter().flat_map(|(level, size)| std::iter::repeat_n(*level, *size));
        each.map(|level| level + noise * normal()).collect()
    }

    #[test]
    fn the_nile_fell_after_1898() {
        assert_eq!(change_points(&NILE, 1), [28]);
    }

    #[test]
    fn levels_are_found_where_they_begin() {
        let series = levels(&[(1.0, 20), (1.1, 15), (0.95, 20)], 0.01, 5);
        assert_eq!(change_points(&series, 1), [20, 35]);
        // A level that comes and goes.
        let series = levels(&[(1.0, 15), (1.1, 8), (1.0, 15)], 0.01, 5);
        assert_eq!(change_points(&series, 1), [15, 23]);
        // Three runs at a new level are enough.
        let series = levels(&[(1.0, 20), (1.1, 3)], 0.01, 5);
        assert_eq!(change_points(&series, 1), [20]);
    }

    #[test]
    fn what_does_not_change_is_seldom_said_to() {
        let alarms = (0..100).filter(|seed| {
            let series = levels(&[(1.0, 30)], 0.05, 100 + seed);
            !change_points(&series, 1).is_empty()
        });
        // One in a hundred by its promise; five of a hundred would happen once in 300 times.
        let alarms = alarms.count();
        assert!(alarms <= 4, "{alarms}");
    }

    #[test]
    fn one_odd_run_is_no_change_and_few_runs_say_nothing() {
        let mut series = levels(&[(1.0, 30)], 0.01, 3);
        series[15] = 2.0;
        assert!(change_points(&series, 1).is_empty());
        for few in [&[][..], &[1.0], &[1.0, 2.0], &[1.0, 1.0, 1.0, 2.0, 2.0]] {
            assert!(change_points(few, 1).is_empty(), "{few:?}");
        }
        // Where a step is seen whatever the permutations, and never below.
        for (before, after, is_seen) in [(5, 6, false), (4, 8, true), (8, 4, true), (6, 6, true)] {
            let step = levels(&[(1.0, before), (10.0, after)], 0.01, 3);
            let seen = (0..20).filter(|seed| !change_points(&step, *seed).is_empty()).count();
            assert_eq!(seen, if is_seen { 20 } else { 0 }, "{before} and {after}");
        }
        assert!(change_points(&[1.0; 40], 1).is_empty());
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20))]
        /// Whatever the unit and the zero, the places are the same.
        #[test]
        fn a_unit_changes_nothing(seed in 0_u64..1000, step in 0.0..0.3) {
            let mut series = levels(&[(1.0, 12), (1.0 + step, 12)], 0.05, seed);
            // As many binary digits as both have room for: what rounding makes of a tie is another matter.
            series.iter_mut().for_each(|value| *value = (*value * 1048576.0).round() / 1048576.0);
            let other: Vec<f64> = series.iter().map(|value| value * 4.0 + 8.0).collect();
            proptest::prop_assert_eq!(change_points(&series, 9), change_points(&other, 9));
        }
    }
}
