//! Looks for many words at once (Aho and Corasick, 1975), ASCII case ignored.
//!
//! A state stands for the longest end of the text that begins a word. Its row says for each byte which state is next,
//! so that a text takes one step a byte however many words there are. Where words end does not matter here, only which
//! do; so a state has the marks of all words that end in it at once.

use std::collections::{HashMap, VecDeque};

/// The words, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Automaton {
    /// The column of each byte. Bytes that stand in no word share the first.
    columns: Box<[u8; 256]>,
    /// The rows of all states. Each has a step for every column and, at its end, the number of its
    /// marks. A step is where the next row starts, with [`MARKED`] where that has any.
    steps: Box<[u32]>,
    /// How long a row is.
    row: usize,
    /// Each list of marks that a state has: which 64 bits, and those of them to set.
    marks: Box<[Box<[Mark]>]>,
    /// How long the longest word is.
    longest: usize,
}

/// Bits to set: which word of 64, and those of it.
pub(crate) type Mark = (u32, u64);

/// In how many places a text is looked at at once, if it is not shorter than [`SHORT`] bytes.
const LANES: usize = 4;
const SHORT: usize = 12;

/// Whether words end in the state that a step leads to.
const MARKED: u32 = 1 << 31;

impl Automaton {
    /// One for these words, in lower case, each with the bits that it sets. None may be empty.
    pub(crate) fn new(words: &[(Box<[u8]>, Vec<Mark>)]) -> Self {
        let (columns, count) = columns(words);
        let mut builder = Builder::new(columns, count + 1);
        for (word, marks) in words {
            builder.add(word, marks);
        }
        builder.link();
        let longest = words.iter().map(|(word, _)| word.len()).max();
        builder.finish(longest.unwrap_or_default())
    }

    /// Sets in `bits` the bits of all words that stand in the text.
    pub(crate) fn scan(&self, text: &[u8], bits: &mut [u64]) {
        if text.len() < SHORT {
            return self.scan_lanes([text], bits);
        }
        // A step waits for the one before it, and that for memory: so the text is looked at in
        // several places at once. The places overlap by all but a byte of the longest word.
        let overlap = self.longest.saturating_sub(1).min(text.len());
        let step = (text.len() - overlap).div_ceil(LANES);
        let len = step + overlap;
        let last = text.len() - len;
        self.scan_lanes(
            std::array::from_fn::<_, LANES, _>(|lane| &text[(lane * step).min(last)..][..len]),
            bits,
        );
    }

    /// The same for parts of a text that are as long as each other.
    #[inline]
    fn scan_lanes<const N: usize>(&self, lanes: [&[u8]; N], bits: &mut [u64]) {
        let mut states = [0; N];
        for at in 0..lanes[0].len() {
            for (state, lane) in states.iter_mut().zip(lanes) {
                let column = usize::from(self.columns[usize::from(lane[at])]);
                let step = self.steps[*state + column];
                *state = (step & !MARKED) as usize;
                if step & MARKED != 0 {
                    self.mark(*state, bits);
                }
            }
        }
    }

    /// Sets the bits of the words that end in a state.
    fn mark(&self, state: usize, bits: &mut [u64]) {
        let marks = self.steps[state + self.row - 1] as usize;
        for &(word, mask) in &self.marks[marks] {
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
    /// As in the automaton, but for the marks; 0 where there is no step yet.
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
            let at = state + usize::from(self.columns[usize::from(*byte)]);
            if self.steps[at] == 0 {
                self.steps[at] = u32::try_from(self.steps.len()).expect("words of a rule set");
                self.steps.resize(self.steps.len() + self.row, 0);
                self.marks.push(Vec::new());
            }
            state = self.steps[at] as usize;
        }
        merge(&mut self.marks[state / self.row], marks);
    }

    /// Fills in the steps that leave a word: they lead to where the longest end of it that begins
    /// another word would go on.
    fn link(&mut self) {
        // Each state with that end's, the shorter ones first.
        let mut left = VecDeque::from([(0, 0)]);
        while let Some((state, end)) = left.pop_front() {
            if state != 0 {
                let more = self.marks[end / self.row].clone();
                merge(&mut self.marks[state / self.row], &more);
            }
            for column in 0..self.row - 1 {
                let beside = if state == 0 { 0 } else { self.steps[end + column] };
                match self.steps[state + column] {
                    0 => self.steps[state + column] = beside,
                    next => left.push_back((next as usize, beside as usize)),
                }
            }
        }
    }

    /// Numbers the lists of marks, and says in each step whether there are any where it leads.
    fn finish(mut self, longest: usize) -> Automaton {
        let mut lists: Vec<Box<[Mark]>> = Vec::new();
        let mut numbers: HashMap<Box<[Mark]>, u32> = HashMap::new();
        for (state, marks) in self.marks.iter().enumerate() {
            let number = *numbers.entry(marks.as_slice().into()).or_insert_with(|| {
                lists.push(marks.as_slice().into());
                lists.len() as u32 - 1
            });
            self.steps[state * self.row + self.row - 1] = number;
        }
        for row in self.steps.chunks_exact_mut(self.row) {
            let (_, steps) = row.split_last_mut().expect("a row has its number");
            for step in
                steps.iter_mut().filter(|step| !self.marks[**step as usize / self.row].is_empty())
            {
                *step |= MARKED;
            }
        }
        Automaton {
            columns: self.columns,
            steps: self.steps.into(),
            row: self.row,
            marks: lists.into(),
            longest,
        }
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

    fn found(words: &[&str], text: &str) -> Vec<usize> {
        let marked = |(at, word): (usize, &&str)| {
            (word.as_bytes().into(), vec![(at as u32 / 64, 1 << (at % 64))])
        };
        let words: Vec<_> = words.iter().enumerate().map(marked).collect();
        let mut bits = vec![0; words.len().div_ceil(64)];
        Automaton::new(&words).scan(text.as_bytes(), &mut bits);
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
