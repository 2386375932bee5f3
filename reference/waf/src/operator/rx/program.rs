//! Turns a pattern into a nondeterministic automaton, for the engines of regex-automata.
//!
//! It is written from its end to its start, so that every state knows what follows it. A possessive repetition of
//! a set of bytes fits in: it is a greedy one behind which no byte of the set may come next, as it would have been
//! taken. So a state is made for a place in the pattern together with the bytes that are barred there. Where the
//! pattern ends while bytes are barred, one byte more is looked at: then the end that is found first, not that of
//! the groups, is one too far.

use std::cell::RefCell;
use std::collections::HashMap;

use regex_automata::nfa::thompson::{self, Builder, NFA, Transition};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use smallvec::SmallVec;

use super::syntax::{Appetite, Assertion, Node, Repeat};
use crate::operator::byte_set::ByteSet;

/// Why an automaton was not built; boxed, as it is large and hardly ever there.
pub(super) type BuildError = Box<thompson::BuildError>;

/// An automaton that finds the pattern read from left to right, without its groups.
pub(super) fn forward(node: &Node) -> Result<NFA, BuildError> {
    Compiler::default().finish(node)
}

/// One that keeps the extent of the groups.
pub(super) fn with_groups(node: &Node) -> Result<NFA, BuildError> {
    Compiler { groups: true, ..Compiler::default() }.finish(node)
}

/// One that reads the pattern from right to left, from where it ends to where it starts. The pattern has no
/// possessive repetitions.
pub(super) fn backward(node: &Node) -> Result<NFA, BuildError> {
    let mut compiler = Compiler { backward: true, ..Compiler::default() };
    compiler.builder.set_reverse(true);
    compiler.finish(&reversed(node))
}

/// What follows a piece of the pattern: the state that goes on, where the given bytes may not come next.
trait Next {
    fn enter(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError>;
}

#[derive(Default)]
struct Compiler {
    builder: Builder,
    groups: bool,
    backward: bool,
    /// States that take a byte, by what they take and where they lead: equal ends of alternatives are shared.
    steps: HashMap<(ByteSet, StateID), StateID>,
}

impl Compiler {
    fn finish(mut self, node: &Node) -> Result<NFA, BuildError> {
        self.builder.set_utf8(false);
        self.builder.start_pattern()?;
        let end = End { found: self.builder.add_match()?, groups: self.groups };
        let mut start = self.state(node, ByteSet::EMPTY, &Once::new(&end))?;
        if self.groups {
            start = self.builder.add_capture_start(start, 0, None)?;
        }
        self.builder.finish_pattern(start)?;
        // Before the pattern any bytes may stand, as few as can be.
        let anywhere = self.builder.add_union(Vec::new())?;
        let skip = self.builder.add_range(Transition { start: 0, end: 255, next: anywhere })?;
        self.builder.patch(anywhere, start)?;
        self.builder.patch(anywhere, skip)?;
        Ok(self.builder.build(start, anywhere)?)
    }

    /// The state that matches `node`, then `next`.
    fn state(
        &mut self,
        node: &Node,
        barred: ByteSet,
        next: &dyn Next,
    ) -> Result<StateID, BuildError> {
        match node {
            Node::Set(set) => {
                let to = next.enter(self, ByteSet::EMPTY)?;
                self.step(set.without(barred), to)
            }
            Node::Assert(assertion) => {
                // Behind the end nothing comes that could be barred.
                let ends = *assertion == Assertion::End;
                let to = next.enter(self, if ends { ByteSet::EMPTY } else { barred })?;
                let look = look(*assertion);
                let look = if self.backward { look.reversed() } else { look };
                Ok(self.builder.add_look(to, look)?)
            }
            Node::Concat(items) => Steps::new(Kind::Sequence(items), next).build(self, barred),
            Node::Repeat(repeat) => Steps::new(Kind::Rounds(repeat), next).build(self, barred),
            Node::Alternate(branches) => {
                let next = Once::new(next);
                let branches = branches.iter().map(|branch| self.state(branch, barred, &next));
                let branches = branches.collect::<Result<Vec<_>, _>>()?;
                Ok(self.builder.add_union(branches)?)
            }
            Node::Capture(group, node) if self.groups => {
                let inner = self.state(node, barred, &Close { group: *group, next })?;
                Ok(self.builder.add_capture_start(inner, *group, None)?)
            }
            Node::Capture(_, node) | Node::Atomic(node) => self.state(node, barred, next),
            // Look-around and its like never come here: `needs_backtracking` has sorted them out.
            Node::Empty | Node::Look(_) | Node::Backreference { .. } | Node::Keep => {
                next.enter(self, barred)
            }
        }
    }

    fn step(&mut self, set: ByteSet, next: StateID) -> Result<StateID, BuildError> {
        if let Some(known) = self.steps.get(&(set, next)) {
            return Ok(*known);
        }
        let transitions: Vec<_> =
            set.ranges().map(|(start, end)| Transition { start, end, next }).collect();
        let state = match transitions.as_slice() {
            [] => self.builder.add_fail()?,
            [one] => self.builder.add_range(*one)?,
            _ => self.builder.add_sparse(transitions)?,
        };
        self.steps.insert((set, next), state);
        Ok(state)
    }
}

/// The pattern's end.
struct End {
    found: StateID,
    /// Whether the extent of the whole is kept.
    groups: bool,
}

impl Next for End {
    fn enter(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError> {
        let mut state = self.found;
        if !barred.is_empty() {
            let other = compiler.step(barred.complement(), state)?;
            let none = compiler.builder.add_look(state, Look::End)?;
            state = compiler.builder.add_union(vec![other, none])?;
        }
        if self.groups {
            state = compiler.builder.add_capture_end(state, 0)?;
        }
        Ok(state)
    }
}

/// States by what is barred before them; nearly always nothing is.
type Memo = SmallVec<[(ByteSet, StateID); 1]>;

fn recall(memo: &RefCell<Memo>, barred: ByteSet) -> Option<StateID> {
    memo.borrow().iter().find(|(key, _)| *key == barred).map(|(_, state)| *state)
}

/// A continuation that several pieces share.
struct Once<'n> {
    next: &'n dyn Next,
    memo: RefCell<Memo>,
}

impl<'n> Once<'n> {
    fn new(next: &'n dyn Next) -> Self {
        Self { next, memo: RefCell::default() }
    }
}

impl Next for Once<'_> {
    fn enter(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError> {
        if let Some(known) = recall(&self.memo, barred) {
            return Ok(known);
        }
        let state = self.next.enter(compiler, barred)?;
        self.memo.borrow_mut().push((barred, state));
        Ok(state)
    }
}

/// The end of a group whose extent is kept.
struct Close<'n> {
    group: u32,
    next: &'n dyn Next,
}

impl Next for Close<'_> {
    fn enter(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError> {
        let to = self.next.enter(compiler, barred)?;
        Ok(compiler.builder.add_capture_end(to, self.group)?)
    }
}

/// A chain of places: between the items of a sequence, or between the rounds of a repetition.
struct Steps<'n> {
    kind: Kind<'n>,
    /// The state at each place. A place is looked up here before a state is made for it.
    places: Vec<RefCell<Memo>>,
    /// One round of a repetition without end, which leads to the last place.
    round: RefCell<Memo>,
    next: Once<'n>,
}

#[derive(Clone, Copy)]
enum Kind<'n> {
    Sequence(&'n [Node]),
    Rounds(&'n Repeat),
}

/// A place in a chain, as what follows the piece before it.
struct Place<'s, 'n> {
    steps: &'s Steps<'n>,
    index: usize,
}

impl Next for Place<'_, '_> {
    fn enter(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError> {
        self.steps.at(compiler, self.index, barred)
    }
}

impl<'n> Steps<'n> {
    fn new(kind: Kind<'n>, next: &'n dyn Next) -> Self {
        let last = match kind {
            Kind::Sequence(items) => items.len(),
            Kind::Rounds(repeat) => match repeat.max {
                Some(max) => max as usize,
                // The last place is where a round leads to. Where a round can be empty that is not the place
                // before the first, so that an empty round is made once, as in PCRE.
                None if repeat.min == 0 => usize::from(repeat.node.is_nullable()),
                None => repeat.min as usize,
            },
        };
        let places = vec![RefCell::default(); last + 1];
        Self { kind, places, round: RefCell::default(), next: Once::new(next) }
    }

    fn build(&self, compiler: &mut Compiler, barred: ByteSet) -> Result<StateID, BuildError> {
        // From the last place to the first, so that none of these calls goes deep.
        for index in (1..self.places.len()).rev() {
            self.at(compiler, index, ByteSet::EMPTY)?;
        }
        self.at(compiler, 0, barred)
    }

    fn at(
        &self,
        compiler: &mut Compiler,
        index: usize,
        barred: ByteSet,
    ) -> Result<StateID, BuildError> {
        if let Some(known) = recall(&self.places[index], barred) {
            return Ok(known);
        }
        let state = match self.kind {
            Kind::Sequence(items) => match items.get(index) {
                Some(item) => {
                    let next = Place { steps: self, index: index + 1 };
                    compiler.state(item, barred, &next)?
                }
                None => self.next.enter(compiler, barred)?,
            },
            Kind::Rounds(repeat) => {
                let done = u32::try_from(index).unwrap_or(u32::MAX);
                if done < repeat.min {
                    self.round_from(compiler, repeat, index, barred)?
                } else if repeat.max == Some(done) {
                    self.next.enter(compiler, barred)?
                } else {
                    return self.choice(compiler, repeat, index, barred);
                }
            }
        };
        self.places[index].borrow_mut().push((barred, state));
        Ok(state)
    }

    /// The state that makes a round behind `done` rounds.
    fn round_from(
        &self,
        compiler: &mut Compiler,
        repeat: &Repeat,
        done: usize,
        barred: ByteSet,
    ) -> Result<StateID, BuildError> {
        let last = self.places.len() - 1;
        if repeat.max.is_some() || done + 1 < last {
            return compiler.state(&repeat.node, barred, &Place { steps: self, index: done + 1 });
        }
        // Of a repetition without end there is one last round, however it is come to.
        if let Some(known) = recall(&self.round, barred) {
            return Ok(known);
        }
        let round = compiler.state(&repeat.node, barred, &Place { steps: self, index: last })?;
        self.round.borrow_mut().push((barred, round));
        Ok(round)
    }

    /// The state that makes a round or goes on. It is put down before the round is made, which may lead to it.
    fn choice(
        &self,
        compiler: &mut Compiler,
        repeat: &Repeat,
        done: usize,
        barred: ByteSet,
    ) -> Result<StateID, BuildError> {
        let choice = compiler.builder.add_union(Vec::new())?;
        self.places[done].borrow_mut().push((barred, choice));
        let round = self.round_from(compiler, repeat, done, barred)?;
        let behind = match (repeat.appetite, &repeat.node) {
            (Appetite::Possessive, Node::Set(set)) => barred.union(*set),
            _ => barred,
        };
        let leave = self.next.enter(compiler, behind)?;
        let lazy = repeat.appetite == Appetite::Lazy;
        for state in if lazy { [leave, round] } else { [round, leave] } {
            compiler.builder.patch(choice, state)?;
        }
        Ok(choice)
    }
}

fn look(assertion: Assertion) -> Look {
    match assertion {
        Assertion::Start => Look::Start,
        // The second never comes here: `needs_backtracking` has sorted it out.
        Assertion::End | Assertion::EndOrLastLineFeed => Look::End,
        Assertion::LineStart => Look::StartLF,
        Assertion::LineEnd => Look::EndLF,
        Assertion::WordBoundary => Look::WordAscii,
        Assertion::NoWordBoundary => Look::WordAsciiNegate,
    }
}

/// The pattern's pieces from right to left; conditions are turned round where their states are made.
fn reversed(node: &Node) -> Node {
    match node {
        Node::Concat(items) => Node::Concat(items.iter().rev().map(reversed).collect()),
        Node::Alternate(branches) => Node::Alternate(branches.iter().map(reversed).collect()),
        Node::Repeat(repeat) => {
            let node = reversed(&repeat.node);
            Node::Repeat(Box::new(Repeat { node, ..**repeat }))
        }
        Node::Capture(group, node) => Node::Capture(*group, Box::new(reversed(node))),
        Node::Atomic(node) => Node::Atomic(Box::new(reversed(node))),
        Node::Empty
        | Node::Set(_)
        | Node::Assert(_)
        | Node::Look(_)
        | Node::Backreference { .. }
        | Node::Keep => node.clone(),
    }
}
