//! What is known of the rule set's cells in the current phase: their values, those values transformed, and what can
//! match one of them. All of it is found out when a rule first asks.

use super::found::Candidates;
use super::place::Place;
use super::texts::{Text, Texts};
use super::value::Value;
use crate::operator::ByteSet;
use crate::plan::{Cell, Cells, Group, List, Source};
use crate::transform::Transformations;

/// Values in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    start: u32,
    pub(crate) len: u32,
    /// Where the values' texts are among the forms.
    plain: u32,
    /// The transformations that leave all of them as they are.
    unchanged_by: Transformations,
}

impl Row {
    /// Where the forms are that a list of transformations makes, if they are the values themselves.
    #[inline]
    pub(crate) fn plain_after(self, list: &List) -> Option<usize> {
        self.unchanged_by.contain(list.set()).then_some(self.plain as usize)
    }
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
    /// For each cell, behind them for each group, and then for each source as it stands, its candidates.
    candidates_of: Vec<Place>,
    /// For each group 1 if it has values, else 0.
    values_in: Vec<Place>,
    /// For each group the bytes that its forms have.
    bytes_of: Vec<Place>,
    bytes: Vec<ByteSet>,
    cells: usize,
    groups: usize,
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
            candidates_of: vec![Place::NONE; cells.len() + cells.groups() + cells.sources()],
            values_in: vec![Place::NONE; cells.groups()],
            bytes_of: vec![Place::NONE; cells.groups()],
            bytes: Vec::with_capacity(32),
            cells: cells.len(),
            groups: cells.groups(),
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
            groups: _,
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
    pub(crate) fn set_row(
        &mut self,
        source: Source,
        texts: &mut Texts,
        write: impl FnOnce(&mut Texts, &mut Vec<Value>),
    ) -> Row {
        let (start, plain) = (self.values.len(), self.forms.len());
        write(texts, &mut self.values);
        let values = &self.values[start..];
        self.forms.extend(values.iter().map(|value| value.text));
        let unchanged_by = values.iter().fold(Transformations::ALL, |all, value| {
            all.intersection(texts.unchanged_by(value.text))
        });
        let (start, len, plain) = (start as u32, values.len() as u32, plain as u32);
        let row = Row { start, len, plain, unchanged_by };
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

    /// Takes in that a cell's forms begin at `start`.
    pub(crate) fn share_forms(&mut self, cell: Cell, start: usize) {
        self.forms_of[cell.index()] = Place::at(start);
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

    /// The same for a source as it stands.
    #[inline]
    pub(crate) fn of_source(&self, source: Source) -> Option<Candidates> {
        let at = self.cells + self.groups + source.index();
        self.candidates_of[at].get().map(|at| Candidates(at as u32))
    }

    pub(crate) fn set_of_source(&mut self, source: Source, candidates: Candidates) {
        let at = self.cells + self.groups + source.index();
        self.candidates_of[at] = Place::at(candidates.0 as usize);
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
