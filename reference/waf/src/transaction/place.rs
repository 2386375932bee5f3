//! Places in lists.

/// A place in a list, or none yet. There are many of them, so they are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place(u32);

impl Place {
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// That of an index.
    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer texts than bytes of a request"))
    }

    /// The index, if there is one.
    #[inline]
    pub(crate) fn get(self) -> Option<usize> {
        (self != Self::NONE).then_some(self.0 as usize)
    }
}
