//! Every text of a transaction, in one append-only arena, with what is remembered of each: its
//! transformed forms, and which operators may match it.

use std::ops::Range;

use crate::plan::{Filter, Pipeline, Pipelines, Prefilter};
use crate::transform::UnicodeMap;

/// A text of the transaction. Two may have the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text(u32);

/// The texts.
#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Transformed forms: a row of [`Texts::lists`] places for each text that was transformed.
    forms: Vec<Option<Text>>,
    /// The number of lists of transformations.
    lists: usize,
    /// What the prefilter found: `words` for each text that was scanned.
    bits: Vec<u64>,
    words: usize,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    start: usize,
    len: usize,
    /// Where its row starts in `forms`.
    forms: Option<u32>,
    /// Where its words start in `bits`.
    bits: Option<u32>,
}

impl Texts {
    /// None yet. `lists` and `words` are the numbers of lists of transformations, and of words
    /// that a scan fills.
    pub(crate) fn new(lists: usize, words: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(4096),
            entries: Vec::with_capacity(128),
            forms: Vec::new(),
            lists,
            bits: Vec::new(),
            words,
            scratch: Vec::new(),
        }
    }

    /// Adds a text.
    pub(crate) fn add(&mut self, text: &[u8]) -> Text {
        self.add_with(|bytes| bytes.extend_from_slice(text))
    }

    /// Adds the text that `write` appends.
    pub(crate) fn add_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Text {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.entry(start, self.bytes.len() - start)
    }

    /// A part of a text as a text of its own. What lies outside of it is cut off.
    pub(crate) fn part(&mut self, of: Text, part: Range<usize>) -> Text {
        let Entry { start, len, .. } = self.entries[of.index()];
        let from = part.start.min(len);
        self.entry(start + from, part.end.clamp(from, len) - from)
    }

    fn entry(&mut self, start: usize, len: usize) -> Text {
        let text = u32::try_from(self.entries.len()).expect("fewer texts than bytes of a request");
        self.entries.push(Entry { start, len, forms: None, bits: None });
        Text(text)
    }

    /// The bytes of a text.
    #[inline]
    pub(crate) fn get(&self, text: Text) -> &[u8] {
        let Entry { start, len, .. } = self.entries[text.index()];
        &self.bytes[start..start + len]
    }

    /// The text as it is after a list of transformations: itself where they change nothing.
    #[inline]
    pub(crate) fn transformed(
        &mut self,
        text: Text,
        pipeline: Pipeline,
        pipelines: &Pipelines,
        unicode: &UnicodeMap,
    ) -> Text {
        if pipeline == Pipeline::RAW {
            return text;
        }
        let row = match self.entries[text.index()].forms {
            Some(row) => row as usize,
            None => self.new_row(text),
        };
        match self.forms[row + pipeline.index()] {
            Some(form) => form,
            None => self.transform(text, row, pipeline, pipelines, unicode),
        }
    }

    /// Computes a form, from the longest beginning of its list that is known.
    fn transform(
        &mut self,
        text: Text,
        row: usize,
        pipeline: Pipeline,
        pipelines: &Pipelines,
        unicode: &UnicodeMap,
    ) -> Text {
        let (mut form, mut missing) = (text, Vec::new());
        let mut at = pipeline;
        while let Some((parent, step)) = pipelines.last(at) {
            if let Some(known) = self.forms[row + at.index()] {
                form = known;
                break;
            }
            missing.push((at, step));
            at = parent;
        }
        for (at, step) in missing.into_iter().rev() {
            let mut out = std::mem::take(&mut self.scratch);
            if step.apply(self.get(form), &mut out, unicode) {
                form = self.add(&out);
            }
            self.scratch = out;
            self.forms[row + at.index()] = Some(form);
        }
        form
    }

    fn new_row(&mut self, text: Text) -> usize {
        let row = self.forms.len();
        self.forms.resize(row + self.lists, None);
        self.entries[text.index()].forms = u32::try_from(row).ok();
        row
    }

    /// Whether an operator may match the text.
    #[inline]
    pub(crate) fn may_match(&mut self, text: Text, filter: Filter, prefilter: &Prefilter) -> bool {
        filter.is_in(self.candidates(text, prefilter))
    }

    /// The operators that may match the text.
    #[inline]
    pub(crate) fn candidates(&mut self, text: Text, prefilter: &Prefilter) -> &[u64] {
        let at = match self.entries[text.index()].bits {
            Some(at) => at as usize,
            None => self.scan(text, prefilter),
        };
        &self.bits[at..at + self.words]
    }

    fn scan(&mut self, text: Text, prefilter: &Prefilter) -> usize {
        let at = self.bits.len();
        self.bits.resize(at + self.words, 0);
        let Entry { start, len, .. } = self.entries[text.index()];
        prefilter.scan(&self.bytes[start..start + len], &mut self.bits[at..]);
        self.entries[text.index()].bits = u32::try_from(at).ok();
        at
    }
}

impl Text {
    fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Collected;
    use crate::transform::Transformation::{Lowercase, RemoveWhitespace};

    #[test]
    fn texts_keep_their_bytes_while_others_come() {
        let mut texts = Texts::new(1, 0);
        let first = texts.add(b"one");
        let empty = texts.add(b"");
        let part = texts.part(first, 1..9);
        let second = texts.add_with(|out| out.extend_from_slice(b"two"));
        assert_eq!(texts.get(first), b"one");
        assert_eq!(texts.get(empty), b"");
        assert_eq!(texts.get(part), b"ne");
        assert_eq!(texts.get(second), b"two");
        let nothing = texts.part(second, 7..9);
        assert_eq!(texts.get(nothing), b"");
    }

    #[test]
    fn a_form_is_computed_once_and_the_text_itself_where_nothing_changes() {
        let mut pipelines = Pipelines::new();
        let lower = pipelines.intern(&[Lowercase]);
        let both = pipelines.intern(&[Lowercase, RemoveWhitespace]);
        let unicode = UnicodeMap::default();
        let mut texts = Texts::new(pipelines.len(), 0);
        let text = texts.add(b"A b");
        let form = texts.transformed(text, both, &pipelines, &unicode);
        assert_eq!(texts.get(form), b"ab");
        assert_eq!(texts.transformed(text, both, &pipelines, &unicode), form);
        let lowered = texts.transformed(text, lower, &pipelines, &unicode);
        assert_eq!(texts.get(lowered), b"a b");
        assert_eq!(texts.transformed(text, Pipeline::RAW, &pipelines, &unicode), text);
        let plain = texts.add(b"ab");
        assert_eq!(texts.transformed(plain, both, &pipelines, &unicode), plain);
    }

    #[test]
    fn a_scan_says_which_operators_are_possible() {
        let mut collected = Collected::default();
        let filter = collected.add(&[b"select".as_slice().into()]).unwrap();
        let prefilter = collected.build();
        let mut texts = Texts::new(1, prefilter.words());
        let (with, without) = (texts.add(b"a Select"), texts.add(b"a choice"));
        for _ in 0..2 {
            assert!(texts.may_match(with, filter, &prefilter));
            assert!(!texts.may_match(without, filter, &prefilter));
        }
    }
}
