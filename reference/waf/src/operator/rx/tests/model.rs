//! Matching as simply as can be, by trying everything in the order that PCRE does: what the engines are held to.

use std::cell::Cell;

use crate::operator::rx::syntax::{Appetite, Assertion, Look, Node, Repeat};

pub(super) type Groups = Vec<Option<(usize, usize)>>;

type Next<'n> = &'n mut dyn FnMut(usize, &mut Groups) -> bool;

pub(super) struct Model<'t> {
    text: &'t [u8],
    steps: Cell<u32>,
}

/// It took too long to say.
#[derive(Debug)]
pub(super) struct TooSlow;

impl<'t> Model<'t> {
    /// The first match and its groups.
    pub(super) fn find(
        node: &Node,
        groups: u32,
        text: &'t [u8],
    ) -> Result<Option<Groups>, TooSlow> {
        let model = Self { text, steps: Cell::new(20_000) };
        for start in 0..=text.len() {
            let mut found = vec![None; groups as usize + 1];
            let mut end = 0;
            let matched = model.run(node, start, &mut found, &mut |at, _| {
                end = at;
                true
            });
            if model.steps.get() == 0 {
                return Err(TooSlow);
            }
            if matched {
                found[0] = Some((start, end));
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn run(&self, node: &Node, at: usize, groups: &mut Groups, next: Next<'_>) -> bool {
        let Some(left) = self.steps.get().checked_sub(1) else { return false };
        self.steps.set(left);
        match node {
            Node::Empty | Node::Keep => next(at, groups),
            Node::Set(set) => {
                self.text.get(at).is_some_and(|byte| set.contains(*byte)) && next(at + 1, groups)
            }
            Node::Assert(assertion) => self.holds(*assertion, at) && next(at, groups),
            Node::Concat(items) => self.sequence(items, at, groups, next),
            Node::Alternate(branches) => {
                branches.iter().any(|branch| self.run(branch, at, groups, next))
            }
            Node::Repeat(repeat) if repeat.appetite == Appetite::Possessive => {
                let found =
                    self.first(groups, |groups, keep| self.rounds(repeat, 0, at, groups, keep));
                found && next(self.end(groups), groups)
            }
            Node::Repeat(repeat) => self.rounds(repeat, 0, at, groups, next),
            Node::Capture(group, node) => {
                let group = *group as usize;
                self.run(node, at, groups, &mut |end, groups| {
                    let before = groups[group].replace((at, end));
                    let matched = next(end, groups);
                    if !matched {
                        groups[group] = before;
                    }
                    matched
                })
            }
            Node::Atomic(node) => {
                let found = self.first(groups, |groups, keep| self.run(node, at, groups, keep));
                found && next(self.end(groups), groups)
            }
            Node::Look(look) => self.look(look, at, groups) && next(at, groups),
            Node::Backreference { group, fold } => {
                let Some((start, end)) = groups[*group as usize] else { return false };
                let (text, here) = (&self.text[start..end], &self.text[at..]);
                let same = match here.get(..text.len()) {
                    Some(here) if *fold => here.eq_ignore_ascii_case(text),
                    Some(here) => here == text,
                    None => false,
                };
                same && next(at + text.len(), groups)
            }
        }
    }

    fn sequence(&self, items: &[Node], at: usize, groups: &mut Groups, next: Next<'_>) -> bool {
        match items {
            [] => next(at, groups),
            [first, rest @ ..] => {
                self.run(first, at, groups, &mut |at, groups| self.sequence(rest, at, groups, next))
            }
        }
    }

    fn rounds(
        &self,
        repeat: &Repeat,
        done: u32,
        at: usize,
        groups: &mut Groups,
        next: Next<'_>,
    ) -> bool {
        if done < repeat.min {
            return self.run(&repeat.node, at, groups, &mut |at, groups| {
                self.rounds(repeat, done + 1, at, groups, next)
            });
        }
        let lazy = repeat.appetite == Appetite::Lazy;
        if lazy && next(at, groups) {
            return true;
        }
        let more = repeat.max.is_none_or(|max| done < max)
            && self.run(&repeat.node, at, groups, &mut |end, groups| {
                // An empty round ends the repetition.
                if end == at {
                    next(end, groups)
                } else {
                    self.rounds(repeat, done + 1, end, groups, next)
                }
            });
        more || !lazy && next(at, groups)
    }

    /// Runs until the first success and keeps its groups; where it ends is put down as group 0.
    fn first(&self, groups: &mut Groups, run: impl FnOnce(&mut Groups, Next<'_>) -> bool) -> bool {
        let mut found = groups.clone();
        let mut kept = None;
        run(&mut found, &mut |end, groups| {
            let mut groups = groups.clone();
            groups[0] = Some((end, end));
            kept = Some(groups);
            true
        });
        match kept {
            Some(kept) => *groups = kept,
            None => return false,
        }
        true
    }

    fn end(&self, groups: &Groups) -> usize {
        groups[0].map_or(0, |(end, _)| end)
    }

    fn look(&self, look: &Look, at: usize, groups: &mut Groups) -> bool {
        let starts = if look.ahead { at..=at } else { 0..=at };
        for start in starts {
            let mut inside = groups.clone();
            let found = self.first(&mut inside, |groups, keep| {
                self.run(&look.node, start, groups, &mut |end, groups| {
                    (look.ahead || end == at) && keep(end, groups)
                })
            });
            if found {
                // What a negative one captured is forgotten: it failed.
                if !look.negative {
                    *groups = inside;
                }
                return !look.negative;
            }
        }
        look.negative
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let text = self.text;
        let word = |byte: Option<&u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        };
        let boundary = word(at.checked_sub(1).and_then(|at| text.get(at))) != word(text.get(at));
        match assertion {
            Assertion::Start => at == 0,
            Assertion::End => at == text.len(),
            Assertion::EndOrLastLineFeed => at == text.len() || text[at..] == *b"\n",
            Assertion::LineStart => at == 0 || at < text.len() && text[at - 1] == b'\n',
            Assertion::LineEnd => at == text.len() || text[at] == b'\n',
            Assertion::WordBoundary => boundary,
            Assertion::NoWordBoundary => !boundary,
        }
    }
}
