//! Texts: innocent, pieces of attacks, or both, in disguise or not.

use super::Generator;
use super::disguise::disguised;
use super::fragments::{ATTACKS, NAMES, WORDS};

impl Generator {
    /// A value, before it is encoded for its place.
    pub(super) fn text(&mut self) -> Vec<u8> {
        let mut text = match self.random.below(10) {
            0..3 => self.word(),
            3..7 => self.fragment(),
            7 => [self.fragment(), self.fragment()].concat(),
            8 => [self.word(), b" ".to_vec(), self.fragment(), b" ".to_vec(), self.word()].concat(),
            _ => [self.fragment(), self.some(6, |it| it.random.octet())].concat(),
        };
        for _ in 0..[0, 0, 0, 1, 1, 2][self.random.below(6)] {
            text = disguised(&text, &mut self.random);
        }
        text
    }

    pub(super) fn word(&mut self) -> Vec<u8> {
        self.random.pick(WORDS).as_bytes().to_vec()
    }

    pub(super) fn name(&mut self) -> Vec<u8> {
        match self.random.below(12) {
            0 => self.fragment(),
            _ => self.random.pick(NAMES).as_bytes().to_vec(),
        }
    }

    /// A piece of an attack, or a payload of the corpus.
    pub(super) fn fragment(&mut self) -> Vec<u8> {
        if !self.corpus.texts.is_empty() && self.random.one_in(2) {
            return self.random.pick(&self.corpus.texts).clone();
        }
        let class = self.random.pick(&ATTACKS);
        let fragment = self.random.pick(class).as_bytes();
        match self.random.below(8) {
            // A part of one: what a rule just does not match any more.
            0 if fragment.len() > 2 => {
                let from = self.random.below(fragment.len() - 1);
                let to = from + 1 + self.random.below(fragment.len() - from);
                fragment[from..to.min(fragment.len())].to_vec()
            }
            _ => fragment.to_vec(),
        }
    }
}
