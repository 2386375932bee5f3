//! What is known of the rule set's cells in the current phase: their values, those values transformed, and what can
//! match one of them. All of it is found out when a rule first asks.

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
    /// For each cell, and behind them for each group, where its bits are.
    bits_of: Vec<Place>,
    bits: Vec<u64>,
    words: usize,
    /// For each group the bytes that its forms have.
    bytes_of: Vec<Place>,
    bytes: Vec<ByteSet>,
    cells: usize,
}

/// A cell or a group of them.
#[derive(Clone, Copy)]
pub(crate) enum Whose {
    Cell(Cell),
    Group(Group),
}

impl Seen {
    /// Nothing. `words` as for [`super::texts::Texts::new`].
    pub(crate) fn new(cells: &Cells, words: usize) -> Self {
        Self {
            rows_of: vec![Place::NONE; cells.sources()],
            rows: Vec::with_capacity(64),
            values: Vec::with_capacity(64),
            forms_of: vec![Place::NONE; cells.len()],
            forms: Vec::with_capacity(256),
            bits_of: vec![Place::NONE; cells.len() + cells.groups()],
            bits: Vec::with_capacity(128 * words),
            words,
            bytes_of: vec![Place::NONE; cells.groups()],
            bytes: Vec::with_capacity(32),
            cells: cells.len(),
        }
    }

    /// Forgets all: a phase begins.
    pub(crate) fn clear(&mut self) {
        self.rows_of.fill(Place::NONE);
        self.rows.clear();
        self.values.clear();
        self.forms_of.fill(Place::NONE);
        self.forms.clear();
        self.bits_of.fill(Place::NONE);
        self.bits.clear();
        self.bytes_of.fill(Place::NONE);
        self.bytes.clear();
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

    /// Where the bits of the operators are that may match one of the forms, if that is known.
    #[inline]
    pub(crate) fn bits(&self, whose: Whose) -> Option<&[u64]> {
        let start = self.bits_of[self.index(whose)].get()?;
        Some(&self.bits[start..start + self.words])
    }

    #[inline]
    fn index(&self, whose: Whose) -> usize {
        match whose {
            Whose::Cell(cell) => cell.index(),
            Whose::Group(group) => self.cells + group.index(),
        }
    }

    /// Makes room for bits, none of them set, and says where.
    pub(crate) fn add_bits(&mut self, whose: Whose) -> usize {
        let start = self.bits.len();
        self.bits.resize(start + self.words, 0);
        let index = self.index(whose);
        self.bits_of[index] = Place::at(start);
        start
    }

    /// Sets more bits at a place of [`Seen::add_bits`].
    #[inline]
    pub(crate) fn merge_bits(&mut self, start: usize, more: &[u64]) {
        for (word, more) in self.bits[start..start + self.words].iter_mut().zip(more) {
            *word |= more;
        }
    }

    /// The same, with the bits of a cell, which are known.
    pub(crate) fn merge_cell(&mut self, start: usize, cell: Cell) {
        let Some(from) = self.bits_of[cell.index()].get() else { return };
        for at in 0..self.words {
            self.bits[start + at] |= self.bits[from + at];
        }
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
