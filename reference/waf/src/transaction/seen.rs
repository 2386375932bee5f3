//! What is known of the rule set's cells in the current phase: their values, those values transformed, and what can
//! match one of them. All of it is found out when a rule first asks.

use super::found::Candidates;
use super::place::Place;
use super::texts::Text;
use super::value::Value;
use crate::operator::ByteSet;
use crate::plan::{Cell, Cells, Group, Source};

/// Values in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    start: u32,
    pub(crate) len: u32,
}

/// What is known.
#[derive(Debug)]
pub(crate) struct Seen {
    /// For each source where its row is.
    rows_of: Vec<Place>,
    rows: Vec<Row>,
    values: Vec<Value>,
    /// For each cell where its first form is; one follows for each further value of its source.
    forms_of: Vec<Place>,
    forms: Vec<Text>,
    /// For each cell, and behind them for each group, its candidates.
    candidates_of: Vec<Place>,
    /// For each group 1 if it has values, else 0.
    values_in: Vec<Place>,
    /// For each group the bytes that its forms have.
    bytes_of: Vec<Place>,
    bytes: Vec<ByteSet>,
    cells: usize,
}

impl Seen {
    /// Nothing.
    pub(crate) fn new(cells: &Cells) -> Self {
        Self {
            rows_of: vec![Place::NONE; cells.sources()],
            rows: Vec::with_capacity(64),
            values: Vec::with_capacity(64),
            forms_of: vec![Place::NONE; cells.len()],
            forms: Vec::with_capacity(256),
            candidates_of: vec![Place::NONE; cells.len() + cells.groups()],
            values_in: vec![Place::NONE; cells.groups()],
            bytes_of: vec![Place::NONE; cells.groups()],
            bytes: Vec::with_capacity(32),
            cells: cells.len(),
        }
    }

    /// Forgets all: a phase begins.
    pub(crate) fn clear(&mut self) {
        let Self {
            rows_of,
            rows,
            values,
            forms_of,
            forms,
            candidates_of,
            values_in,
            bytes_of,
            bytes,
            cells: _,
        } = self;
        for places in [rows_of, forms_of, candidates_of, values_in, bytes_of] {
            places.fill(Place::NONE);
        }
        rows.clear();
        values.clear();
        forms.clear();
        bytes.clear();
    }

    /// Where a source's values are, if that is known.
    #[inline]
    pub(crate) fn row(&self, source: Source) -> Option<Row> {
        self.rows_of[source.index()].get().map(|at| self.rows[at])
    }

    /// Takes in a source's values.
    pub(crate) fn set_row(&mut self, source: Source, write: impl FnOnce(&mut Vec<Value>)) -> Row {
        let start = self.values.len();
        write(&mut self.values);
        let row = Row { start: start as u32, len: (self.values.len() - start) as u32 };
        self.rows_of[source.index()] = Place::at(self.rows.len());
        self.rows.push(row);
        row
    }

    /// One of a source's values.
    #[inline]
    pub(crate) fn value(&self, row: Row, index: u32) -> Value {
        self.values[(row.start + index) as usize]
    }

    /// Where a cell's forms are, if that is known.
    #[inline]
    pub(crate) fn forms(&self, cell: Cell) -> Option<usize> {
        self.forms_of[cell.index()].get()
    }

    /// Takes in a cell's forms: what `form` makes of each value in the row.
    pub(crate) fn set_forms(
        &mut self,
        cell: Cell,
        row: Row,
        mut form: impl FnMut(Text) -> Text,
    ) -> usize {
        let start = self.forms.len();
        let values = row.start as usize..(row.start + row.len) as usize;
        self.forms.extend(self.values[values].iter().map(|value| form(value.text)));
        self.forms_of[cell.index()] = Place::at(start);
        start
    }

    /// One of a cell's forms; `start` is where they are.
    #[inline]
    pub(crate) fn form(&self, start: usize, index: u32) -> Text {
        self.forms[start + index as usize]
    }

    /// The operators that may match one of a cell's forms, if they are known.
    #[inline]
    pub(crate) fn of_cell(&self, cell: Cell) -> Option<Candidates> {
        self.candidates_of[cell.index()].get().map(|at| Candidates(at as u32))
    }

    /// The same for a group.
    #[inline]
    pub(crate) fn of_group(&self, group: Group) -> Option<Candidates> {
        self.candidates_of[self.cells + group.index()].get().map(|at| Candidates(at as u32))
    }

    pub(crate) fn set_of_cell(&mut self, cell: Cell, candidates: Candidates) {
        self.candidates_of[cell.index()] = Place::at(candidates.0 as usize);
    }

    pub(crate) fn set_of_group(&mut self, group: Group, candidates: Candidates) {
        self.candidates_of[self.cells + group.index()] = Place::at(candidates.0 as usize);
    }

    /// Whether a group has any values, if that is known.
    #[inline]
    pub(crate) fn has_values(&self, group: Group) -> Option<bool> {
        self.values_in[group.index()].get().map(|count| count > 0)
    }

    pub(crate) fn set_has_values(&mut self, group: Group, any: bool) {
        self.values_in[group.index()] = Place::at(usize::from(any));
    }

    /// The bytes that a group's forms have, if that is known.
    #[inline]
    pub(crate) fn bytes(&self, group: Group) -> Option<ByteSet> {
        self.bytes_of[group.index()].get().map(|at| self.bytes[at])
    }

    /// Takes in the bytes that a group's forms have.
    pub(crate) fn set_bytes(&mut self, group: Group, has: ByteSet) {
        self.bytes_of[group.index()] = Place::at(self.bytes.len());
        self.bytes.push(has);
    }
}
