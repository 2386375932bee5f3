//! The two fits of the capacity plan.

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Line {
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
    /// The slope's true value is within this much with 95 % confidence (Student's t).
    pub(crate) error: f64,
}

/// Student's t, two-sided 95 %, by degrees of freedom from 1.
const STUDENT: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// The line through three points or more by least squares.
pub(crate) fn line(points: &[(f64, f64)]) -> Option<Line> {
    let n = points.len() as f64;
    if points.len() < 3 {
        return None;
    }
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    let intercept = y - slope * x;
    let left: f64 = points.iter().map(|p| (p.1 - intercept - slope * p.0).powi(2)).sum();
    let freedom = points.len() - 2;
    let t = STUDENT.get(freedom - 1).copied().unwrap_or(1.96 + 2.7 / freedom as f64);
    let error = t * (left / freedom as f64 / spread).sqrt();
    Some(Line { intercept, slope, error })
}

/// Weighted least squares of three terms by the normal equations; terms that are not used come out as 0.
/// Each row: the terms, the value, the weight of its error.
pub(crate) fn solve(rows: &[([f64; 3], f64, f64)], used: [bool; 3]) -> Option<[f64; 3]> {
    let mut matrix = [[0.0; 4]; 3];
    for (terms, value, weight) in rows {
        let weight = weight * weight;
        for (row, own) in matrix.iter_mut().zip(terms) {
            for (cell, other) in row.iter_mut().zip(terms.iter().chain([value])) {
                *cell += weight * own * other;
            }
        }
    }
    for place in (0..3).filter(|place| !used[*place]) {
        matrix[place] = [0.0; 4];
        matrix[place][place] = 1.0;
    }
    eliminate(matrix)
}

/// Gauss and Jordan, with the largest pivot of each column.
fn eliminate(mut matrix: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let largest =
            |a: &usize, b: &usize| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs());
        let pivot = (column..3).max_by(largest)?;
        matrix.swap(column, pivot);
        let lead = matrix[column];
        if lead[column].abs() < 1e-300 {
            return None;
        }
        for (_, row) in matrix.iter_mut().enumerate().filter(|(place, _)| *place != column) {
            let factor = row[column] / lead[column];
            for (cell, from) in row.iter_mut().zip(lead) {
                *cell -= factor * from;
            }
        }
    }
    let solved: [f64; 3] = std::array::from_fn(|place| matrix[place][3] / matrix[place][place]);
    solved.iter().all(|value| value.is_finite()).then_some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_with_its_error() {
        let exact = line(&[(1.0, 3.0), (2.0, 5.0), (4.0, 9.0)]).unwrap();
        assert!((exact.slope - 2.0).abs() < 1e-12 && (exact.intercept - 1.0).abs() < 1e-12);
        assert!(exact.error < 1e-9);
        let noisy = line(&[(1.0, 3.1), (2.0, 4.9), (3.0, 7.1), (4.0, 8.9)]).unwrap();
        assert!((noisy.slope - 2.0).abs() <= noisy.error, "{noisy:?}");
        assert_eq!(line(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(line(&[(1.0, 1.0), (2.0, 2.0)]), None);
    }

    #[test]
    fn three_terms_are_solved_and_unused_ones_are_zero() {
        let rows: Vec<_> = [0.0, 1.0, 2.0, 5.0]
            .map(|x: f64| ([1.0, x, x * x], 4.0 + 3.0 * x + 0.5 * x * x, 1.0))
            .to_vec();
        let found = solve(&rows, [true; 3]).unwrap();
        assert!(found.iter().zip([4.0, 3.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        let rows: Vec<_> = rows.iter().map(|(t, v, w)| ([t[0], t[1], 0.0], *v, *w)).collect();
        assert_eq!(solve(&rows, [true, true, false]).unwrap()[2], 0.0);
    }
}
