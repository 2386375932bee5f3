//! Which rules are passed over, and which values: what cannot match is not tried.

use super::Transaction;
use super::found::Candidates;
use super::seen::Row;
use super::texts::Text;
use crate::operator::ByteSet;
use crate::plan::{Cell, Filter, Group, Source};
use crate::rules::{Gate, Link, RuleSet};

/// From this length on, in bytes, a text is long.
const LONG: usize = 16 * 1024;

impl Transaction {
    /// Whether a link may match: false only where there are no values, or where the prefilter rules
    /// its operator out for all of them.
    #[inline(always)]
    pub(super) fn passes(&mut self, rules: &RuleSet, gate: Gate) -> bool {
        match gate {
            Gate::Open | Gate::Prelude(_) => true,
            Gate::Slot { slot, test } => {
                let text = self.variables.tx.get(slot);
                text.is_some_and(|text| test.is_none_or(|test| test.holds(self.texts.get(text))))
            }
            Gate::Cells { group, filter: Filter::ANY } => {
                let any = self.seen.has_values(group);
                any.unwrap_or_else(|| self.find_values(rules, group))
            }
            Gate::Cells { group, filter } => {
                let candidates = self.seen.of_group(group);
                let candidates = candidates.unwrap_or_else(|| self.find_of_group(rules, group));
                filter.is_in(self.texts.bits(candidates))
            }
        }
    }

    #[inline(never)]
    fn find_values(&mut self, rules: &RuleSet, group: Group) -> bool {
        let mut cells = rules.cells.of_group(group).iter();
        let any = cells.any(|&cell| self.row(rules, rules.cells.cell(cell).0).len > 0);
        self.seen.set_has_values(group, any);
        any
    }

    /// Whether the bytes are there that a link's operator needs.
    #[inline]
    pub(super) fn has_bytes(&mut self, rules: &RuleSet, link: &Link) -> bool {
        let Some(group) = link.group else { return true };
        if !link.gated || link.bytes.is_empty() {
            return true;
        }
        let has = self.seen.bytes(group);
        link.bytes_allow(has.unwrap_or_else(|| self.find_bytes(rules, group)))
    }

    /// Whether a link's operator may match a value of a cell.
    pub(super) fn cell_may_match(&mut self, rules: &RuleSet, link: &Link, cell: Cell) -> bool {
        if !link.gated || link.filter == Filter::ANY {
            return true;
        }
        let candidates = self.of_cell(rules, cell);
        link.filter.is_in(self.texts.bits(candidates))
    }

    /// Whether a link's operator may match a text.
    #[inline]
    pub(super) fn text_may_match(&mut self, rules: &RuleSet, link: &Link, text: Text) -> bool {
        let len = self.texts.get(text).len();
        len >= link.shortest
            && (link.filter == Filter::ANY
                || self.texts.may_match(text, link.filter, &rules.prefilter))
            && (link.bytes.is_empty() || link.bytes_allow(self.texts.bytes_of(text)))
            && (len < LONG || self.long_text_may_match(link, text))
            && link.screen.is_none_or(|screen| self.texts.passes(text, &rules.screens, screen))
    }

    /// The same for a long text: its bytes are tried in the operator itself, which takes no longer
    /// for a longer one.
    #[cold]
    fn long_text_may_match(&mut self, link: &Link, text: Text) -> bool {
        let has = self.texts.bytes_of(text);
        link.operator.as_ref().is_none_or(|operator| operator.can_match(&has))
    }

    /// The values of a source.
    #[inline]
    pub(super) fn row(&mut self, rules: &RuleSet, source: Source) -> Row {
        self.seen.row(source).unwrap_or_else(|| self.find_row(rules, source))
    }

    #[inline(never)]
    fn find_row(&mut self, rules: &RuleSet, source: Source) -> Row {
        let (variable, members) = rules.cells.source(source);
        let Self { seen, variables, texts, .. } = self;
        seen.set_row(source, texts, |texts, out| {
            variables.collect_steady(variable, members, texts, out);
        })
    }

    /// Where the transformed values of a cell are, `row` being the values of its source.
    #[inline]
    pub(super) fn forms(&mut self, rules: &RuleSet, cell: Cell, row: Row) -> usize {
        self.seen.forms(cell).unwrap_or_else(|| self.find_forms(rules, cell, row))
    }

    #[inline(never)]
    fn find_forms(&mut self, rules: &RuleSet, cell: Cell, row: Row) -> usize {
        let list = rules.pipelines.list(rules.cells.cell(cell).1);
        let Self { seen, texts, .. } = self;
        if let Some(plain) = row.plain_after(list) {
            // Most values are what most transformations leave as it is.
            seen.share_forms(cell, plain);
            return plain;
        }
        seen.set_forms(cell, row, |text| texts.transformed(text, list, rules.unicode()))
    }

    /// The operators that may match one of a cell's values.
    #[inline]
    fn of_cell(&mut self, rules: &RuleSet, cell: Cell) -> Candidates {
        self.seen.of_cell(cell).unwrap_or_else(|| self.find_of_cell(rules, cell))
    }

    #[inline(never)]
    fn find_of_cell(&mut self, rules: &RuleSet, cell: Cell) -> Candidates {
        let (source, pipeline) = rules.cells.cell(cell);
        let row = self.row(rules, source);
        if row.len == 0 {
            self.seen.set_of_cell(cell, Candidates::LEAST);
            return Candidates::LEAST;
        }
        let all = match row.plain_after(rules.pipelines.list(pipeline)) {
            Some(plain) => match self.seen.of_source(source) {
                Some(known) => known,
                None => {
                    let all = self.find_of_forms(rules, plain, row.len);
                    self.seen.set_of_source(source, all);
                    all
                }
            },
            None => {
                let forms = self.forms(rules, cell, row);
                self.find_of_forms(rules, forms, row.len)
            }
        };
        self.seen.set_of_cell(cell, all);
        all
    }

    /// The operators that may match one of `len` forms that begin at `start`.
    fn find_of_forms(&mut self, rules: &RuleSet, start: usize, len: u32) -> Candidates {
        (0..len).fold(Candidates::LEAST, |all, at| {
            let of_form = self.texts.candidates(self.seen.form(start, at), &rules.prefilter);
            self.texts.union(all, of_form)
        })
    }

    #[inline(never)]
    fn find_of_group(&mut self, rules: &RuleSet, group: Group) -> Candidates {
        let mut all = Candidates::LEAST;
        for &cell in rules.cells.of_group(group) {
            let of_cell = self.of_cell(rules, cell);
            all = self.texts.union(all, of_cell);
        }
        self.seen.set_of_group(group, all);
        all
    }

    /// The bytes that a group's values have.
    #[inline(never)]
    fn find_bytes(&mut self, rules: &RuleSet, group: Group) -> ByteSet {
        let mut has = ByteSet::EMPTY;
        for &cell in rules.cells.of_group(group) {
            let row = self.row(rules, rules.cells.cell(cell).0);
            let forms = self.forms(rules, cell, row);
            for at in 0..row.len {
                has = has.union(self.texts.bytes_of(self.seen.form(forms, at)));
            }
        }
        self.seen.set_bytes(group, has);
        has
    }
}
