//! What rules look at, shared: where values come from, and what is done to them first.
//!
//! Hundreds of rules look at the same few collections through the same few lists of transformations. Each distinct
//! pair of the two is a cell; a transaction fills it once a phase, and every rule with it only asks whether one of the
//! values there can match.

use std::collections::HashMap;

use super::pipelines::Pipeline;
use crate::variable::Variable;

/// Values that do not change during a phase, as a place in [`Cells::sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Source(u32);

/// A source's values after some transformations, as a place in [`Cells::cells`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cell(u32);

/// All cells that a link looks at, as a place in [`Cells::groups`]. Many links share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group(u32);

/// Which values of a variable. Exclusions are left to those who look at them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Members {
    All,
    /// Those of one name, in lower case.
    Name(Box<[u8]>),
    /// Those that an XPath finds, by its number among those of the rule set.
    Path(usize),
}

/// All cells of a rule set.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    sources: Vec<(Variable, Members)>,
    cells: Vec<(Source, Pipeline)>,
    sources_by_key: HashMap<(Variable, Members), Source>,
    cells_by_key: HashMap<(Source, Pipeline), Cell>,
    groups: Vec<Box<[Cell]>>,
}

impl Source {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Cell {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Group {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Cells {
    /// The cell of these values after these transformations, made where there is none yet.
    pub(crate) fn intern(
        &mut self,
        variable: Variable,
        members: Members,
        pipeline: Pipeline,
    ) -> Cell {
        let Self { sources, cells, sources_by_key, cells_by_key, .. } = self;
        let source = *sources_by_key.entry((variable, members.clone())).or_insert_with(|| {
            sources.push((variable, members));
            Source(place(sources.len()))
        });
        *cells_by_key.entry((source, pipeline)).or_insert_with(|| {
            cells.push((source, pipeline));
            Cell(place(cells.len()))
        })
    }

    /// The group of these cells, made where there is none yet.
    pub(crate) fn group(&mut self, cells: &[Cell]) -> Group {
        let found = self.groups.iter().position(|group| **group == *cells);
        Group(match found {
            Some(found) => found as u32,
            None => {
                self.groups.push(cells.into());
                place(self.groups.len())
            }
        })
    }

    /// The number of groups: one more than the greatest [`Group::index`].
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The cells of a group.
    pub(crate) fn of_group(&self, group: Group) -> &[Cell] {
        &self.groups[group.index()]
    }

    /// The number of sources: one more than the greatest [`Source::index`].
    pub(crate) fn sources(&self) -> usize {
        self.sources.len()
    }

    /// The number of cells: one more than the greatest [`Cell::index`].
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// What a source is.
    pub(crate) fn source(&self, source: Source) -> (Variable, &Members) {
        let (variable, members) = &self.sources[source.index()];
        (*variable, members)
    }

    /// What a cell is.
    pub(crate) fn cell(&self, cell: Cell) -> (Source, Pipeline) {
        self.cells[cell.index()]
    }
}

/// The place of what was pushed last.
fn place(len: usize) -> u32 {
    u32::try_from(len - 1).expect("fewer targets than bytes of rules")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_one_cell() {
        let mut cells = Cells::default();
        let name = || Members::Name(b"host".as_slice().into());
        let all = cells.intern(Variable::Args, Members::All, Pipeline::RAW);
        let host = cells.intern(Variable::RequestHeaders, name(), Pipeline::RAW);
        assert_eq!(cells.intern(Variable::RequestHeaders, name(), Pipeline::RAW), host);
        assert_eq!(cells.intern(Variable::Args, Members::All, Pipeline::RAW), all);
        assert_ne!(all, host);
        assert_eq!((cells.len(), cells.sources()), (2, 2));
        let both = cells.group(&[all, host]);
        assert_ne!(cells.group(&[all]), both);
        assert_eq!(cells.group(&[all, host]), both);
        assert_eq!((cells.groups(), cells.of_group(both)), (2, &[all, host][..]));
        let (source, pipeline) = cells.cell(host);
        assert_eq!(pipeline, Pipeline::RAW);
        assert_eq!(cells.source(source), (Variable::RequestHeaders, &name()));
    }
}
