//! Makes something that has a property smaller, as long as it keeps the property (delta debugging).

use super::reduce::{Reduce, Stage};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrunk<T> {
    /// The smallest that was found to have the property.
    pub smallest: T,
    /// How many others were tried.
    pub tried: usize,
    /// Was everything tried that makes it smaller in one step? Else the limit came first.
    pub complete: bool,
}

/// Says of each whether it has the property.
pub type Oracle<'o, T, E> = dyn FnMut(&[T]) -> Result<Vec<bool>, E> + 'o;

/// Makes `start`, which must have the property, smaller, first over its structure and then over its octets,
/// until nothing that is tried keeps the property, or so many have been tried (`most`).
///
/// `holds` is asked about at most `batch` at a time, for whom asking takes a while and can be done at once.
///
/// # Errors
/// Whoever is asked cannot say.
pub fn shrink<T: Reduce, E>(
    start: T,
    batch: usize,
    most: usize,
    holds: &mut Oracle<'_, T, E>,
) -> Result<Shrunk<T>, E> {
    let mut shrunk = Shrunk { smallest: start, tried: 0, complete: false };
    loop {
        let mut smaller = false;
        for stage in [Stage::Structure, Stage::OCTETS] {
            smaller |= one_stage(&mut shrunk, stage, batch.max(1), most, holds)?;
        }
        shrunk.complete = !smaller && shrunk.tried < most;
        if !smaller || shrunk.tried >= most {
            return Ok(shrunk);
        }
    }
}

/// Goes round and round through the ways of this stage until none of them works any more; did any?
fn one_stage<T: Reduce, E>(
    shrunk: &mut Shrunk<T>,
    stage: Stage,
    batch: usize,
    most: usize,
    holds: &mut Oracle<'_, T, E>,
) -> Result<bool, E> {
    let mut ways = shrunk.smallest.reductions(stage);
    // Where to go on after a success: what was tried before it is likely to fail again.
    let (mut at, mut in_vain, mut smaller) = (0, 0, false);
    while in_vain < ways.len() && shrunk.tried < most {
        if at >= ways.len() {
            at = 0;
        }
        let end = (at + batch).min(ways.len());
        let tried = &ways[at..end];
        shrunk.tried += tried.len();
        match holds(tried)?.iter().position(|holds| *holds) {
            Some(found) => {
                shrunk.smallest = ways.swap_remove(at + found);
                ways = shrunk.smallest.reductions(stage);
                (at, in_vain, smaller) = (at + found, 0, true);
            }
            None => {
                in_vain += tried.len();
                at = end;
            }
        }
    }
    Ok(smaller)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Octets that get shorter, then plainer.
    #[derive(Debug, Clone, PartialEq)]
    struct Text(Vec<u8>);

    impl Reduce for Text {
        fn reductions(&self, stage: Stage) -> Vec<Self> {
            super::super::reduce::octets(&self.0, stage, 0).into_iter().map(Text).collect()
        }
    }

    fn shrunk(start: &str, batch: usize, most: usize, part: &str) -> (String, usize, bool) {
        let mut holds = |texts: &[Text]| {
            let has = |text: &Text| String::from_utf8_lossy(&text.0).contains(part);
            Ok::<_, Infallible>(texts.iter().map(has).collect())
        };
        let shrunk = shrink(Text(start.into()), batch, most, &mut holds).unwrap();
        (String::from_utf8(shrunk.smallest.0).unwrap(), shrunk.tried, shrunk.complete)
    }

    #[test]
    fn what_has_no_part_in_it_goes() {
        let long = format!("{}needle{}", "hay ".repeat(200), "stack".repeat(100));
        for batch in [1, 7, 1000] {
            let (text, tried, complete) = shrunk(&long, batch, 100_000, "needle");
            assert_eq!((text.as_str(), complete), ("needle", true), "{batch}");
            assert!(tried > 0);
        }
    }

    #[test]
    fn the_limit_ends_it_early_with_what_holds() {
        let long = "x".repeat(500) + "needle";
        let (text, tried, complete) = shrunk(&long, 4, 10, "needle");
        assert!(text.contains("needle") && tried <= 13 && !complete, "{text} {tried}");
    }

    #[test]
    fn an_error_ends_it() {
        let mut holds = |_: &[Text]| Err::<Vec<bool>, _>("gone");
        assert_eq!(shrink(Text(b"ab".to_vec()), 1, 9, &mut holds), Err("gone"));
    }
}
