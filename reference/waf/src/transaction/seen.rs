//! What is known of the rule set's cells in the current phase: their values, those values transformed, and which
//! operators may match one of them. All of it is found out when a rule first asks.

use super::texts::Text;
use super::value::Value;
use crate::operator::ByteSet;
use crate::plan::{Cell, Cells, Source};

/// Values in a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Row {
    start: u32,
    pub(crate) len: u32,
}

/// What is known.
#[derive(Debug)]
pub(crate) struct Seen {
    sources: Vec<Option<Row>>,
    values: Vec<Value>,
    /// For each cell where its first form is; one follows for each further value of its source.
    forms_of: Vec<Option<u32>>,
    forms: Vec<Text>,
    /// For each cell where its bits are.
    bits_of: Vec<Option<u32>>,
    bits: Vec<u64>,
    words: usize,
    /// For each cell the bytes that its forms have.
    bytes_of: Vec<Option<ByteSet>>,
}

impl Seen {
    /// Nothing. `words` as for [`super::texts::Texts::new`].
    pub(crate) fn new(cells: &Cells, words: usize) -> Self {
        Self {
            sources: vec![None; cells.sources()],
            values: Vec::with_capacity(64),
            forms_of: vec![None; cells.len()],
            forms: Vec::with_capacity(256),
            bits_of: vec![None; cells.len()],
            bits: Vec::with_capacity(64 * words),
            words,
            bytes_of: vec![None; cells.len()],
        }
    }

    /// Forgets all: a phase begins.
    pub(crate) fn clear(&mut self) {
        self.sources.fill(None);
        self.values.clear();
        self.forms_of.fill(None);
        self.forms.clear();
        self.bits_of.fill(None);
        self.bits.clear();
        self.bytes_of.fill(None);
    }

    /// Where a source's values are, if that is known.
    #[inline]
    pub(crate) fn source(&self, source: Source) -> Option<Row> {
        self.sources[source.index()]
    }

    /// Takes in a source's values.
    pub(crate) fn set_source(
        &mut self,
        source: Source,
        write: impl FnOnce(&mut Vec<Value>),
    ) -> Row {
        let start = self.values.len();
        write(&mut self.values);
        let row = Row { start: start as u32, len: (self.values.len() - start) as u32 };
        self.sources[source.index()] = Some(row);
        row
    }

    /// One of a source's values.
    #[inline]
    pub(crate) fn value(&self, row: Row, index: u32) -> Value {
        self.values[(row.start + index) as usize]
    }

    /// Where a cell's forms are, if that is known.
    #[inline]
    pub(crate) fn forms(&self, cell: Cell) -> Option<u32> {
        self.forms_of[cell.index()]
    }

    /// Takes in a cell's forms: what `form` makes of each value in the row.
    pub(crate) fn set_forms(
        &mut self,
        cell: Cell,
        row: Row,
        mut form: impl FnMut(Text) -> Text,
    ) -> u32 {
        let start = self.forms.len() as u32;
        let values = row.start as usize..(row.start + row.len) as usize;
        self.forms.extend(self.values[values].iter().map(|value| form(value.text)));
        self.forms_of[cell.index()] = Some(start);
        start
    }

    /// One of a cell's forms; `start` is where they are.
    #[inline]
    pub(crate) fn form(&self, start: u32, index: u32) -> Text {
        self.forms[(start + index) as usize]
    }

    /// The operators that may match one of a cell's forms, if that is known.
    #[inline]
    pub(crate) fn bits(&self, cell: Cell) -> Option<&[u64]> {
        let start = self.bits_of[cell.index()]? as usize;
        Some(&self.bits[start..start + self.words])
    }

    /// The bytes that a cell's forms have, if that is known.
    #[inline]
    pub(crate) fn bytes(&self, cell: Cell) -> Option<ByteSet> {
        self.bytes_of[cell.index()]
    }

    /// Takes in the bytes that a cell's forms have.
    pub(crate) fn set_bytes(&mut self, cell: Cell, has: ByteSet) {
        self.bytes_of[cell.index()] = Some(has);
    }

    /// A cell's forms; `start` is where they are.
    pub(crate) fn forms_at(&self, start: u32, len: u32) -> &[Text] {
        &self.forms[start as usize..(start + len) as usize]
    }

    /// Makes room for a cell's bits, none of them set, and gives them with the cell's forms.
    pub(crate) fn add_bits(&mut self, cell: Cell, forms: u32, len: u32) -> (&mut [u64], &[Text]) {
        let start = self.bits.len();
        self.bits.resize(start + self.words, 0);
        self.bits_of[cell.index()] = Some(start as u32);
        let forms = &self.forms[forms as usize..(forms + len) as usize];
        (&mut self.bits[start..], forms)
    }
}
