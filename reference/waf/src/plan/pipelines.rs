//! The lists of transformations that rules use.

use crate::transform::{Transformation, Transformations};

/// A list of transformations, as a place in [`Pipelines`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pipeline(u32);

impl Pipeline {
    /// No transformation.
    pub(crate) const RAW: Self = Self(0);
}

/// Transformations in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct List {
    steps: Box<[Transformation]>,
    set: Transformations,
    /// Whether none of them can make a text longer.
    shortens: bool,
}

impl List {
    pub(crate) fn new(steps: &[Transformation]) -> Self {
        let shortens = steps.iter().all(|step| step.most(1) <= 1);
        Self { steps: steps.into(), set: Transformations::of(steps), shortens }
    }

    #[inline]
    pub(crate) fn steps(&self) -> &[Transformation] {
        &self.steps
    }

    /// Whether, of a text as long as this, neither the next step nor one behind it makes one of `least` bytes. It may
    /// say no where it is so.
    #[inline]
    pub(crate) fn falls_short(&self, next: Transformation, len: usize, least: usize) -> bool {
        self.shortens && next.most(len) < least
    }

    /// Without their order.
    #[inline]
    pub(crate) fn set(&self) -> Transformations {
        self.set
    }
}

/// All lists of a rule set. Number 0 is the empty list.
#[derive(Debug)]
pub(crate) struct Pipelines {
    lists: Vec<List>,
}

impl Pipelines {
    /// Only the empty list.
    pub(crate) fn new() -> Self {
        Self { lists: vec![List::new(&[])] }
    }

    /// The place of a list, made where there is none yet.
    pub(crate) fn intern(&mut self, steps: &[Transformation]) -> Pipeline {
        let found = self.lists.iter().position(|list| list.steps() == steps);
        let place = found.unwrap_or_else(|| {
            self.lists.push(List::new(steps));
            self.lists.len() - 1
        });
        Pipeline(u32::try_from(place).expect("fewer lists of transformations than bytes of rules"))
    }

    /// The list at a place.
    #[inline]
    pub(crate) fn list(&self, Pipeline(place): Pipeline) -> &List {
        &self.lists[place as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_place() {
        use Transformation::{Lowercase, RemoveNulls, UrlDecodeUni};
        let mut pipelines = Pipelines::new();
        let long = pipelines.intern(&[UrlDecodeUni, Lowercase, RemoveNulls]);
        let short = pipelines.intern(&[UrlDecodeUni, Lowercase]);
        assert_eq!(pipelines.intern(&[]), Pipeline::RAW);
        assert_eq!(pipelines.intern(&[UrlDecodeUni, Lowercase]), short);
        assert_ne!(pipelines.intern(&[Lowercase, UrlDecodeUni]), short);
        assert_eq!(pipelines.list(long).steps(), [UrlDecodeUni, Lowercase, RemoveNulls]);
        assert!(pipelines.list(Pipeline::RAW).steps().is_empty());
    }
}
