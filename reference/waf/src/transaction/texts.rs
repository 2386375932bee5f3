//! Every text of a transaction, in one append-only arena, with what is remembered of each: its
//! transformed forms, and which operators may match it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use super::found::{Candidates, Found};
use super::place::Place;
use super::ready::Ready;
use crate::operator::ByteSet;
use crate::plan::{Filter, List, Prefilter, ScreenNumber, Screened, Screens};
use crate::transform::{Transformation, Transformations, UnicodeMap};

/// A text of the transaction. Two may have the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text(u32);

/// The texts.
#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Forms of texts that a transformation changed; those of one text are a list.
    forms: Vec<Form>,
    /// The texts that transformations made, by a hash of their bytes: often several of them make
    /// the same.
    made: HashMap<u64, Text, BuildHasherDefault<Ready>>,
    /// What the prefilter found, each set once.
    found: Found,
    /// The bytes that texts have.
    sets: Vec<ByteSet>,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    start: usize,
    len: usize,
    /// Transformations that leave it as it is; all others are not known to, if `has` is known.
    unchanged_by: Transformations,
    /// Where the set of its bytes is, when somebody wanted to know.
    has: Place,
    /// The first of its forms.
    forms: Place,
    /// Which of `found` is its.
    bits: Place,
    /// An earlier text that differs in case at most: the prefilter says the same of it.
    like: Place,
    screened: Screened,
}

/// What a transformation makes of a text.
#[derive(Debug)]
struct Form {
    step: Transformation,
    text: Text,
    next: Place,
}

impl Texts {
    /// None yet. `words` is how many words a scan fills.
    pub(crate) fn new(words: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(8192),
            entries: Vec::with_capacity(192),
            forms: Vec::with_capacity(64),
            made: HashMap::with_capacity_and_hasher(64, BuildHasherDefault::default()),
            found: Found::new(words),
            sets: Vec::with_capacity(128),
            scratch: Vec::new(),
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        let Self { bytes, entries, forms, made, found, sets, scratch } = self;
        bytes.clear();
        entries.clear();
        forms.clear();
        made.clear();
        found.clear();
        sets.clear();
        scratch.clear();
    }

    /// The bytes that it has room for.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
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
        self.entries.push(Entry {
            start,
            len,
            unchanged_by: Transformations::NONE,
            has: Place::NONE,
            forms: Place::NONE,
            bits: Place::NONE,
            like: Place::NONE,
            screened: Screened::default(),
        });
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
    pub(crate) fn transformed(&mut self, text: Text, list: &List, unicode: &UnicodeMap) -> Text {
        if self.entries[text.index()].unchanged_by.contain(list.set()) {
            return text;
        }
        list.steps().iter().fold(text, |text, &step| self.step(text, step, unicode))
    }

    /// The text after a transformation.
    #[inline]
    pub(crate) fn step(&mut self, text: Text, step: Transformation, unicode: &UnicodeMap) -> Text {
        let Entry { has, unchanged_by, mut forms, .. } = self.entries[text.index()];
        if unchanged_by.contains(step) {
            return text;
        }
        while let Some(at) = forms.get() {
            let form = &self.forms[at];
            if form.step == step {
                return form.text;
            }
            forms = form.next;
        }
        if has == Place::NONE {
            self.look_at(text);
            return self.step(text, step, unicode);
        }
        self.transform(text, step, unicode)
    }

    /// The bytes that a text has.
    #[inline]
    pub(crate) fn bytes_of(&mut self, text: Text) -> ByteSet {
        match self.entries[text.index()].has.get() {
            Some(at) => self.sets[at],
            None => self.look_at(text),
        }
    }

    /// The transformations that are known to leave a text as it is.
    #[inline]
    pub(crate) fn unchanged_by(&mut self, text: Text) -> Transformations {
        self.bytes_of(text);
        self.entries[text.index()].unchanged_by
    }

    /// Finds out which bytes a text has.
    fn look_at(&mut self, text: Text) -> ByteSet {
        let has = ByteSet::in_text(self.get(text));
        self.set_bytes(text, has);
        has
    }

    /// Takes in which bytes a text has, and so which transformations leave it alone.
    fn set_bytes(&mut self, text: Text, has: ByteSet) {
        let entry = &mut self.entries[text.index()];
        entry.has = Place::at(self.sets.len());
        self.sets.push(has);
        entry.unchanged_by = Transformations::that_may_change(has).complement();
    }

    #[inline(never)]
    fn transform(&mut self, text: Text, step: Transformation, unicode: &UnicodeMap) -> Text {
        let mut out = std::mem::take(&mut self.scratch);
        let made = step.apply(self.get(text), &mut out, unicode).then(|| self.made(&out));
        self.scratch = out;
        let Some(made) = made else {
            self.entries[text.index()].unchanged_by.insert(step);
            return text;
        };
        let next = Place::at(self.forms.len());
        let next = std::mem::replace(&mut self.entries[text.index()].forms, next);
        self.forms.push(Form { step, text: made, next });
        if step == Transformation::Lowercase && self.entries[made.index()].has == Place::NONE {
            let has = self.bytes_of(text);
            self.set_bytes(made, has.in_lower_case());
        }
        let changes_case = matches!(step, Transformation::Lowercase | Transformation::Uppercase);
        let like = &mut self.entries[made.index()].like;
        if changes_case && text.0 < made.0 && *like == Place::NONE {
            *like = Place::at(text.index());
        }
        made
    }

    /// A text that a transformation made: one of those there are, if it was made before.
    fn made(&mut self, bytes: &[u8]) -> Text {
        let hash = hash(bytes);
        if let Some(&known) = self.made.get(&hash)
            && self.get(known) == bytes
        {
            return known;
        }
        let text = self.add(bytes);
        self.made.insert(hash, text);
        text
    }

    /// Whether an operator may match the text.
    #[inline]
    pub(crate) fn may_match(&mut self, text: Text, filter: Filter, prefilter: &Prefilter) -> bool {
        let candidates = self.candidates(text, prefilter);
        filter.is_in(self.found.get(candidates))
    }

    /// Whether any rule of a screen may match the text.
    #[inline]
    pub(crate) fn passes(&mut self, text: Text, screens: &Screens, number: ScreenNumber) -> bool {
        let Entry { start, len, screened, .. } = &mut self.entries[text.index()];
        screened.may_match(screens, number, &self.bytes[*start..*start + *len])
    }

    /// The operators that may match the text.
    #[inline]
    pub(crate) fn candidates(&mut self, text: Text, prefilter: &Prefilter) -> Candidates {
        match self.entries[text.index()].bits.get() {
            Some(at) => Candidates(at as u32),
            None => self.scan(text, prefilter),
        }
    }

    /// The operators that may match something, as bits.
    #[inline]
    pub(crate) fn bits(&self, candidates: Candidates) -> &[u64] {
        self.found.get(candidates)
    }

    /// The operators that may match one of two things.
    #[inline]
    pub(crate) fn union(&mut self, one: Candidates, other: Candidates) -> Candidates {
        self.found.union(one, other)
    }

    #[inline(never)]
    fn scan(&mut self, text: Text, prefilter: &Prefilter) -> Candidates {
        let Entry { start, len, like, .. } = self.entries[text.index()];
        let candidates = match like.get() {
            Some(like) => self.candidates(Text(like as u32), prefilter),
            None => {
                let has = self.bytes_of(text);
                let text = &self.bytes[start..start + len];
                self.found.add_with(|bits| prefilter.scan(text, has, bits))
            }
        };
        self.entries[text.index()].bits = Place::at(candidates.0 as usize);
        candidates
    }
}

impl Text {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A hash of a text. That it can be foretold does no harm: texts that share one are made twice.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = bytes.as_chunks::<8>();
    let hash =
        words.iter().fold(bytes.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash = mix(hash, u64::from_le_bytes(last));
    hash ^ hash >> 29
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Collected;
    use crate::transform::Transformation::{Lowercase, RemoveWhitespace, Trim};

    #[test]
    fn texts_keep_their_bytes_while_others_come() {
        let mut texts = Texts::new(0);
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
        let unicode = UnicodeMap::default();
        let mut texts = Texts::new(0);
        let text = texts.add(b"A b ");
        let both = List::new(&[Lowercase, RemoveWhitespace]);
        let form = texts.transformed(text, &both, &unicode);
        assert_eq!(texts.get(form), b"ab");
        assert_eq!(texts.transformed(text, &both, &unicode), form);
        let lowered = texts.step(text, Lowercase, &unicode);
        assert_eq!(texts.get(lowered), b"a b ");
        assert_eq!(texts.transformed(text, &List::new(&[]), &unicode), text);
        let plain = texts.add(b"ab");
        assert_eq!(texts.transformed(plain, &both, &unicode), plain);
    }

    #[test]
    fn what_is_made_in_two_ways_is_one_text() {
        let unicode = UnicodeMap::default();
        let mut texts = Texts::new(0);
        let text = texts.add(b" A");
        let one = texts.transformed(text, &List::new(&[Lowercase, Trim]), &unicode);
        let other = texts.transformed(text, &List::new(&[RemoveWhitespace, Lowercase]), &unicode);
        assert_eq!((texts.get(one), one), (&b"a"[..], other));
    }

    #[test]
    fn a_scan_says_which_operators_are_possible() {
        let mut collected = Collected::default();
        let filter = collected.add(&[b"select".as_slice().into()]);
        let prefilter = collected.build();
        let mut texts = Texts::new(prefilter.words());
        let (with, without) = (texts.add(b"a Select"), texts.add(b"a choice"));
        for _ in 0..2 {
            assert!(texts.may_match(with, filter, &prefilter));
            assert!(!texts.may_match(without, filter, &prefilter));
        }
        let lowered = texts.step(with, Lowercase, &UnicodeMap::default());
        assert!(texts.may_match(lowered, filter, &prefilter));
    }
}
