//! Matches what no automaton can: look-around, back-references, atomic groups that matter. Everything is tried in
//! PCRE's order until it matches or a number of steps is used up.
//!
//! There are engines for this to be had; those that were tried either take no bytes, or did not stay with PCRE (and
//! on their feet) when groups refer to themselves. A pattern is turned into steps, and a stack keeps what is left to
//! try, so that a long text takes no room on the thread's own stack. Only groups within each other do.

use super::linear::{Extents, Verdict};
use super::reduce::{beheaded, relaxed};
use super::steps::{Around, NONE, Step, Steps};
use super::syntax::{Assertion, Node};
use crate::operator::byte_set::ByteSet;

/// The steps that a search may take, and those more for each byte of the text.
const STEPS: usize = 1_000_000;
const STEPS_PER_BYTE: usize = 16;

/// The most there may be left to try at one time.
const HIGHEST: usize = 1 << 18;

/// The steps were not enough, or the memory for them.
#[derive(Debug)]
pub(super) struct LimitReached;

/// A pattern that needs backtracking.
pub(super) struct Backtracking {
    /// A laxer pattern that an automaton decides: where it does not match, nothing need be tried.
    guard: Verdict,
    verdict: Attempts,
    extents: Attempts,
    anchored: bool,
}

/// A pattern as what is tried at one place after the other.
struct Attempts {
    steps: Steps,
    /// The bytes that a match can start with; `None` if it can be empty.
    first: Option<ByteSet>,
}

impl Attempts {
    fn new(node: &Node, groups: u32) -> Self {
        let (first, empty) = first_bytes(node);
        Self { steps: Steps::new(node, groups), first: (!empty).then_some(first) }
    }
}

impl Backtracking {
    pub(super) fn new(
        node: &Node,
        groups: u32,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self {
            guard: Verdict::new(&relaxed(node))?,
            verdict: Attempts::new(&beheaded(node), groups),
            extents: Attempts::new(node, groups),
            anchored: node.is_anchored(),
        })
    }

    /// Whether any text of these bytes can match.
    pub(super) fn can_match(&self, bytes: ByteSet) -> bool {
        self.guard.can_match(bytes)
    }

    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, LimitReached> {
        self.search(&self.verdict, text).map(|found| found.is_some())
    }

    pub(super) fn locate(&self, text: &[u8]) -> Result<Option<Extents>, LimitReached> {
        self.search(&self.extents, text)
    }

    fn search(&self, what: &Attempts, text: &[u8]) -> Result<Option<Extents>, LimitReached> {
        if !self.guard.is_match(text).map_err(|_| LimitReached)? {
            return Ok(None);
        }
        let Attempts { steps, first } = what;
        let budget = STEPS.saturating_add(text.len().saturating_mul(STEPS_PER_BYTE));
        let places = vec![NONE; steps.places()];
        let mut search = Search { steps, text, budget, places, left: Vec::new() };
        let last = if self.anchored { 0 } else { text.len() };
        for start in 0..=last {
            let may_start = |first: ByteSet| text.get(start).is_some_and(|it| first.contains(*it));
            if !first.is_none_or(may_start) {
                continue;
            }
            if let Some(end) = search.run(0, start)? {
                return Ok(Some(search.extents(start, end)));
            }
        }
        Ok(None)
    }
}

/// What is left to do when what was tried fails.
enum Left {
    /// To go on at this step and byte.
    Try { step: usize, at: usize },
    /// To put a place back.
    Restore { place: usize, was: usize },
}

struct Search<'s> {
    steps: &'s Steps,
    text: &'s [u8],
    /// How many steps more may be taken.
    budget: usize,
    places: Vec<usize>,
    /// What a part that is tried by itself leaves lies on top of what is left around it.
    left: Vec<Left>,
}

impl Search<'_> {
    fn extents(&self, start: usize, end: usize) -> Extents {
        let mut extents: Extents = [None; _];
        let kept = self.places[self.steps.keep()];
        extents[0] = Some((if kept == NONE { start } else { kept }, end));
        for (group, extent) in extents.iter_mut().enumerate().skip(1) {
            *extent = self.steps.extent(group, &self.places);
        }
        extents
    }

    /// Runs from a step to the end of its part, and says at which byte. Where that cannot be reached, places and what
    /// is left are as they were.
    fn run(&mut self, step: usize, at: usize) -> Result<Option<usize>, LimitReached> {
        let base = self.left.len();
        let mut next = Some((step, at));
        loop {
            let (step, at) = match next {
                Some(here) => here,
                None if self.left.len() == base => return Ok(None),
                None => match self.left.pop() {
                    Some(Left::Try { step, at }) => (step, at),
                    Some(Left::Restore { place, was }) => {
                        self.places[place] = was;
                        continue;
                    }
                    None => return Ok(None),
                },
            };
            self.budget = self.budget.checked_sub(1).ok_or(LimitReached)?;
            if self.left.len() > HIGHEST {
                return Err(LimitReached);
            }
            next = match self.steps.step(step) {
                Step::End => return Ok(Some(at)),
                Step::Choose { first, second } => {
                    self.left.push(Left::Try { step: *second, at });
                    Some((*first, at))
                }
                Step::Put { place } => {
                    self.put(*place, at);
                    Some((step + 1, at))
                }
                Step::Close { group } => {
                    let [open, start, end] = Steps::places_of(*group);
                    self.put(start, self.places[open]);
                    self.put(end, at);
                    Some((step + 1, at))
                }
                Step::Goto(step) => Some((*step, at)),
                Step::GotoUnlessMoved { place, step: to } => {
                    Some((if self.places[*place] == at { *to } else { step + 1 }, at))
                }
                Step::Part { around, next } => {
                    self.part(around, step + 1, at)?.map(|at| (*next, at))
                }
                other => self.width(other, at).map(|width| (step + 1, at + width)),
            };
        }
    }

    fn put(&mut self, place: usize, at: usize) {
        self.left.push(Left::Restore { place, was: self.places[place] });
        self.places[place] = at;
    }

    /// How many bytes a plain step takes here.
    fn width(&self, step: &Step, at: usize) -> Option<usize> {
        match step {
            Step::Set(set) => set.contains(*self.text.get(at)?).then_some(1),
            Step::Assert(assertion) => holds(*assertion, self.text, at).then_some(0),
            Step::Again { group, fold } => {
                let (start, end) = self.steps.extent(*group as usize, &self.places)?;
                let text = &self.text[start..end];
                let here = self.text.get(at..at + text.len())?;
                let same = if *fold { here.eq_ignore_ascii_case(text) } else { here == text };
                same.then_some(text.len())
            }
            _ => None,
        }
    }

    /// Where to go on behind a part that is tried by itself.
    fn part(
        &mut self,
        around: &Around,
        body: usize,
        at: usize,
    ) -> Result<Option<usize>, LimitReached> {
        match around {
            Around::Atomic => self.once(body, at),
            Around::Ahead { negative: false } => Ok(self.once(body, at)?.map(|_| at)),
            Around::Ahead { negative: true } => Ok((!self.can_run(body, at)?).then_some(at)),
            Around::Behind { negative, branches } => {
                for (len, body) in branches {
                    let Some(start) = at.checked_sub(*len) else { continue };
                    if *negative {
                        if self.can_run(*body, start)? {
                            return Ok(None);
                        }
                    } else if self.once(*body, start)?.is_some() {
                        return Ok(Some(at));
                    }
                }
                Ok(negative.then_some(at))
            }
        }
    }

    /// Runs a part that is not entered again: of what it leaves to try only the places to put back stay.
    fn once(&mut self, body: usize, at: usize) -> Result<Option<usize>, LimitReached> {
        let base = self.left.len();
        let end = self.run(body, at)?;
        let mut kept = base;
        for index in base..self.left.len() {
            if let Left::Restore { .. } = self.left[index] {
                self.left.swap(kept, index);
                kept += 1;
            }
        }
        self.left.truncate(kept);
        Ok(end)
    }

    /// Whether a part matches here. Nothing of it stays.
    fn can_run(&mut self, body: usize, at: usize) -> Result<bool, LimitReached> {
        let base = self.left.len();
        let end = self.run(body, at)?;
        for left in self.left.drain(base..).rev() {
            if let Left::Restore { place, was } = left {
                self.places[place] = was;
            }
        }
        Ok(end.is_some())
    }
}

fn holds(assertion: Assertion, text: &[u8], at: usize) -> bool {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|it| it.is_ascii_alphanumeric() || *it == b'_');
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let here = text.get(at);
    match assertion {
        Assertion::Start => before.is_none(),
        Assertion::End => here.is_none(),
        Assertion::EndOrLastLineFeed => text[at..].is_empty() || text[at..] == *b"\n",
        Assertion::LineStart => before.is_none() || before == Some(&b'\n') && here.is_some(),
        Assertion::LineEnd => here.is_none_or(|byte| *byte == b'\n'),
        Assertion::WordBoundary => is_word(before) != is_word(here),
        Assertion::NoWordBoundary => is_word(before) == is_word(here),
    }
}

/// The bytes that a match can start with, and whether it can be empty.
fn first_bytes(node: &Node) -> (ByteSet, bool) {
    match node {
        Node::Set(set) => (*set, false),
        Node::Empty | Node::Assert(_) | Node::Look(_) | Node::Keep => (ByteSet::EMPTY, true),
        Node::Backreference { .. } => (ByteSet::ALL, true),
        Node::Capture(_, node) | Node::Atomic(node) => first_bytes(node),
        Node::Repeat(repeat) => {
            let (first, empty) = first_bytes(&repeat.node);
            (first, empty || repeat.min == 0)
        }
        Node::Alternate(branches) => branches
            .iter()
            .map(first_bytes)
            .fold((ByteSet::EMPTY, false), |(all, any), one| (all.union(one.0), any || one.1)),
        Node::Concat(items) => {
            let mut all = ByteSet::EMPTY;
            for item in items {
                let (first, empty) = first_bytes(item);
                all = all.union(first);
                if !empty {
                    return (all, false);
                }
            }
            (all, true)
        }
    }
}
