//! Looks for many words at once (Aho and Corasick, 1975), ASCII case ignored.
//!
//! A state stands for the longest end of the text that begins a word. Its row says for each byte which state is next,
//! so that a text takes one step a byte however many words there are. Where words end does not matter here, only which
//! do; so a state has the marks of all words that end in it at once.
//!
//! Most texts hardly ever leave the states of the first few letters. These are numbered first, so that what is looked at
//! again and again is close together; states in which words end are numbered behind all others.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::operator::ByteSet;

/// The words, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Automaton {
    /// The words of a single byte. A text's bytes are known before it is looked at: these need no states.
    single: ByteSet,
    /// For each of these, which of `marks` it has.
    marks_of_single: Box<[u32]>,
    /// The column of each byte. Bytes that stand in no word share the first.
    columns: Box<[u8; 256]>,
    steps: Steps,
    /// From which state on words end in a state.
    marked: usize,
    /// For each of these, which of `marks` it has.
    marks_of: Box<[u32]>,
    /// Each list of marks that a state has: which 64 bits, and those of them to set.
    marks: Box<[Box<[Mark]>]>,
    /// How long the longest word is.
    longest: usize,
}

/// The rows of all states: which is next for each column.
#[derive(Debug)]
enum Steps {
    Narrow(Box<[[u16; NARROW]]>),
    Wide(Box<[[u32; 256]]>),
}

/// How many columns a narrow row has room for.
const NARROW: usize = 128;

/// The number of the next state.
trait Step: Copy {
    fn state(self) -> usize;
}

impl Step for u16 {
    fn state(self) -> usize {
        self.into()
    }
}

impl Step for u32 {
    fn state(self) -> usize {
        self as usize
    }
}

/// Bits to set: which word of 64, and those of it.
pub(crate) type Mark = (u32, u64);

/// In how many places a text is looked at at once, if it is not shorter than [`SHORT`] bytes.
const LANES: usize = 4;
const SHORT: usize = 12;

impl Automaton {
    /// One for these words, in lower case, each with the bits that it sets. None may be empty.
    pub(crate) fn new(words: &[(Box<[u8]>, Vec<Mark>)]) -> Self {
        let (columns, row) = columns(words);
        let mut builder = Builder::new(columns, row);
        let mut single: BTreeMap<u8, &[Mark]> = BTreeMap::new();
        for (word, marks) in words {
            match **word {
                [byte] => drop(single.insert(byte, marks)),
                _ => builder.add(word, marks),
            }
        }
        let longest = words.iter().map(|(word, _)| word.len()).max();
        builder.finish(&single, longest.unwrap_or_default())
    }

    /// Sets in `bits` the bits of all words that stand in the text, which is made of the bytes of `has`.
    pub(crate) fn scan(&self, text: &[u8], has: ByteSet, bits: &mut [u64]) {
        for byte in has.intersection(self.single).bytes() {
            self.mark(self.marks_of_single[usize::from(byte)], bits);
        }
        match &self.steps {
            Steps::Narrow(steps) => self.scan_by(steps, text, bits),
            Steps::Wide(steps) => self.scan_by(steps, text, bits),
        }
    }

    #[inline]
    fn scan_by<const ROW: usize>(&self, steps: &[[impl Step; ROW]], text: &[u8], bits: &mut [u64]) {
        if text.len() < SHORT {
            return self.scan_lanes(steps, [text], text.len(), bits);
        }
        // A step waits for the one before it, and that for memory: so the text is looked at in
        // several places at once. The places overlap by all but a byte of the longest word.
        let overlap = self.longest.saturating_sub(1).min(text.len());
        let step = (text.len() - overlap).div_ceil(LANES);
        let len = step + overlap;
        let last = text.len() - len;
        let lane = |lane: usize| &text[(lane * step).min(last)..];
        self.scan_lanes(steps, std::array::from_fn::<_, LANES, _>(lane), len, bits);
    }

    /// The same for several texts, as far as `len`.
    #[inline]
    fn scan_lanes<const N: usize, const ROW: usize>(
        &self,
        steps: &[[impl Step; ROW]],
        lanes: [&[u8]; N],
        len: usize,
        bits: &mut [u64],
    ) {
        let lanes = lanes.map(|lane| &lane[..len]);
        let mut states = [0; N];
        for at in 0..len {
            for (state, lane) in states.iter_mut().zip(lanes) {
                let column = usize::from(self.columns[usize::from(lane[at])]);
                // A row is as long as a power of two, and longer than there are columns.
                *state = steps[*state][column % ROW].state();
                if let Some(marked) = state.checked_sub(self.marked) {
                    self.mark(self.marks_of[marked], bits);
                }
            }
        }
    }

    /// Sets the bits of a list of marks.
    #[inline]
    fn mark(&self, marks: u32, bits: &mut [u64]) {
        for &(word, mask) in &self.marks[marks as usize] {
            bits[word as usize] |= mask;
        }
    }
}

/// The column of each byte, letters in both cases alike, and how many there are.
fn columns(words: &[(Box<[u8]>, Vec<Mark>)]) -> (Box<[u8; 256]>, usize) {
    let mut columns = Box::new([0; 256]);
    let mut count = 1;
    for &byte in words.iter().flat_map(|(word, _)| word) {
        if columns[usize::from(byte)] == 0 {
            // All 256 only if every byte stands in some word; upper case does in none.
            columns[usize::from(byte)] = count as u8;
            columns[usize::from(byte.to_ascii_uppercase())] = count as u8;
            count += 1;
        }
    }
    (columns, count)
}

struct Builder {
    columns: Box<[u8; 256]>,
    row: usize,
    /// A row of states for each state, in the order in which words brought them; 0 where there is no step yet.
    steps: Vec<u32>,
    /// The marks of each state.
    marks: Vec<Vec<Mark>>,
}

impl Builder {
    fn new(columns: Box<[u8; 256]>, row: usize) -> Self {
        Self { columns, row, steps: vec![0; row], marks: vec![Vec::new()] }
    }

    /// Adds the states of a word.
    fn add(&mut self, word: &[u8], marks: &[Mark]) {
        let mut state = 0;
        for byte in word {
            let at = state * self.row + usize::from(self.columns[usize::from(*byte)]);
            if self.steps[at] == 0 {
                self.steps[at] = u32::try_from(self.marks.len()).expect("words of a rule set");
                self.steps.resize(self.steps.len() + self.row, 0);
                self.marks.push(Vec::new());
            }
            state = self.steps[at] as usize;
        }
        merge(&mut self.marks[state], marks);
    }

    /// Fills in the steps that leave a word: they lead to where the longest end of it that begins
    /// another word would go on. Gives the states, those of fewer letters first.
    fn link(&mut self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.marks.len());
        // Each state with that end's.
        let mut left = VecDeque::from([(0, 0)]);
        while let Some((state, end)) = left.pop_front() {
            order.push(state);
            if state != 0 {
                let more = self.marks[end].clone();
                merge(&mut self.marks[state], &more);
            }
            for column in 0..self.row {
                let beside = if state == 0 { 0 } else { self.steps[end * self.row + column] };
                match &mut self.steps[state * self.row + column] {
                    none @ 0 => *none = beside,
                    next => left.push_back((*next as usize, beside as usize)),
                }
            }
        }
        order
    }

    /// Numbers the states and the lists of marks.
    fn finish(mut self, single: &BTreeMap<u8, &[Mark]>, longest: usize) -> Automaton {
        let (mut order, marked): (Vec<_>, Vec<_>) =
            self.link().into_iter().partition(|state| self.marks[*state].is_empty());
        let first_marked = order.len();
        order.extend(&marked);
        let mut number_of = vec![0; order.len()];
        for (number, &state) in order.iter().enumerate() {
            number_of[state] = number as u32;
        }
        let row_of = |state: &usize| self.steps[state * self.row..][..self.row].iter();
        let number = |state: &u32| number_of[*state as usize];
        let steps = if self.row <= NARROW && order.len() <= usize::from(u16::MAX) {
            let narrow = |state| padded(row_of(state).map(|next| number(next) as u16));
            Steps::Narrow(order.iter().map(narrow).collect())
        } else {
            Steps::Wide(order.iter().map(|state| padded(row_of(state).map(number))).collect())
        };
        let mut lists = Lists::default();
        let marks_of = marked.iter().map(|state| lists.number(&self.marks[*state])).collect();
        let mut marks_of_single: Box<[u32]> = Box::new([0; 256]);
        let mut single_bytes = ByteSet::EMPTY;
        for (&lower, marks) in single {
            for byte in [lower, lower.to_ascii_uppercase()] {
                single_bytes = single_bytes.union(ByteSet::of(&[byte]));
                marks_of_single[usize::from(byte)] = lists.number(marks);
            }
        }
        Automaton {
            single: single_bytes,
            marks_of_single,
            columns: self.columns,
            steps,
            marked: first_marked,
            marks_of,
            marks: lists.lists.into(),
            longest,
        }
    }
}

/// A row, filled up.
fn padded<S: Copy + Default, const ROW: usize>(steps: impl Iterator<Item = S>) -> [S; ROW] {
    let mut row = [S::default(); ROW];
    row.iter_mut().zip(steps).for_each(|(place, step)| *place = step);
    row
}

/// Lists of marks, each kept once.
#[derive(Default)]
struct Lists {
    lists: Vec<Box<[Mark]>>,
    numbers: HashMap<Box<[Mark]>, u32>,
}

impl Lists {
    /// The number of a list.
    fn number(&mut self, marks: &[Mark]) -> u32 {
        if let Some(&known) = self.numbers.get(marks) {
            return known;
        }
        let number = self.lists.len() as u32;
        self.lists.push(marks.into());
        self.numbers.insert(marks.into(), number);
        number
    }
}

/// Adds marks to a list, one for each word of 64 bits.
fn merge(marks: &mut Vec<Mark>, more: &[Mark]) {
    for &(word, bits) in more {
        match marks.binary_search_by_key(&word, |mark| mark.0) {
            Ok(at) => marks[at].1 |= bits,
            Err(at) => marks.insert(at, (word, bits)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn automaton(words: &[&str]) -> Automaton {
        let marked = |(at, word): (usize, &&str)| {
            (word.as_bytes().into(), vec![(at as u32 / 64, 1 << (at % 64))])
        };
        Automaton::new(&words.iter().enumerate().map(marked).collect::<Vec<_>>())
    }

    fn found(words: &[&str], text: &str) -> Vec<usize> {
        let mut bits = vec![0; words.len().div_ceil(64)];
        automaton(words).scan(text.as_bytes(), ByteSet::in_text(text.as_bytes()), &mut bits);
        (0..words.len()).filter(|at| bits[at / 64] >> (at % 64) & 1 != 0).collect()
    }

    #[test]
    fn words_are_found_within_each_other_and_in_any_case() {
        let words = ["she", "he", "hers", "e", "\u{e9}"];
        assert_eq!(found(&words, "uSHers"), [0, 1, 2, 3]);
        assert!(found(&words, "his").is_empty());
        assert_eq!(found(&words, "h\u{e9}"), [4]);
        assert!(found(&words, "\u{c9}").is_empty());
        assert!(found(&[], "x").is_empty());
    }

    #[test]
    fn more_words_than_small_steps_can_number_are_found() {
        let words: Vec<_> = (0..9000).map(|at| format!("{:05x}-{at:04}", at * 7919)).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let Steps::Wide(steps) = &automaton(&words).steps else { panic!("few states") };
        assert!(steps.len() > 1 << 16);
        let text = format!("{} {}-{} {}", words[8999], words[1], words[4711], &words[5][1..]);
        assert_eq!(found(&words, &text), [1, 4711, 8999]);
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_is_there(
            words in prop::collection::btree_set("[ab-]{1,4}", 0..80),
            text in "[abAB-]{0,70}",
        ) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let lower = text.to_ascii_lowercase();
            let there: Vec<_> = (0..words.len()).filter(|at| lower.contains(words[*at])).collect();
            prop_assert_eq!(found(&words, &text), there);
        }
    }
}
