//! Where a name stands in a list, case ignored.

use std::cell::RefCell;
use std::collections::HashMap;

/// So many names are looked through, which is quicker than to look one up.
const FEW: usize = 16;

/// The places of the names of a list that only grows. Whoever has the list gives its length and its names.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// By the name in lower case; of the first names of a list with more than a few.
    known: RefCell<HashMap<Box<[u8]>, usize>>,
}

impl Places {
    /// Where the name stands first.
    pub(crate) fn find<'n>(
        &self,
        name: &[u8],
        length: usize,
        nth: impl Fn(usize) -> &'n [u8],
    ) -> Option<usize> {
        if length <= FEW {
            return (0..length).find(|place| nth(*place).eq_ignore_ascii_case(name));
        }
        let mut known = self.known.borrow_mut();
        for place in known.len()..length {
            known.entry(nth(place).to_ascii_lowercase().into()).or_insert(place);
        }
        known.get(&name.to_ascii_lowercase()[..]).copied()
    }

    /// The list is empty again.
    pub(crate) fn clear(&mut self) {
        self.known.get_mut().clear();
    }
}
