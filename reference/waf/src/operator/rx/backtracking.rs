//! Matches what no automaton can: look-around, back-references, atomic groups that matter. Everything is tried in
//! PCRE's order until it matches or a number of steps is used up.
//!
//! There are engines for this to be had; those that were tried either take no bytes, or did not stay with PCRE (and
//! on their feet) when groups refer to themselves. A pattern is turned into steps, and a stack keeps what is left to
//! try, so that a long text takes no room on the thread's own stack. Only groups within each other do.

use super::linear::{Extents, Verdict};
use super::reduce::relaxed;
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
    steps: Steps,
    /// The bytes that a match can start with; `None` if it can be empty.
    first: Option<ByteSet>,
    anchored: bool,
}

impl Backtracking {
    pub(super) fn new(
        node: &Node,
        groups: u32,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let (first, empty) = first_bytes(node);
        Ok(Self {
            guard: Verdict::new(&relaxed(node))?,
            steps: Steps::new(node, groups),
            first: (!empty).then_some(first),
            anchored: node.is_anchored(),
        })
    }

    /// Whether any text of these bytes can match.
    pub(super) fn can_match(&self, bytes: ByteSet) -> bool {
        self.guard.can_match(bytes)
    }

    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, LimitReached> {
        self.locate(text).map(|found| found.is_some())
    }

    pub(super) fn locate(&self, text: &[u8]) -> Result<Option<Extents>, LimitReached> {
        if !self.guard.is_match(text).map_err(|_| LimitReached)? {
            return Ok(None);
        }
        let left = STEPS.saturating_add(text.len().saturating_mul(STEPS_PER_BYTE));
        let mut search = Search { steps: &self.steps, text, left };
        let last = if self.anchored { 0 } else { text.len() };
        for start in 0..=last {
            let may_start = |first: ByteSet| text.get(start).is_some_and(|it| first.contains(*it));
            if !self.first.is_none_or(may_start) {
                continue;
            }
            let mut places = vec![NONE; self.steps.places()];
            if let Some(end) = search.run(0, start, &mut places)? {
                return Ok(Some(self.extents(start, end, &places)));
            }
        }
        Ok(None)
    }

    fn extents(&self, start: usize, end: usize, places: &[usize]) -> Extents {
        let mut extents: Extents = [None; _];
        let kept = places[self.steps.keep()];
        extents[0] = Some((if kept == NONE { start } else { kept }, end));
        for (group, extent) in extents.iter_mut().enumerate().skip(1) {
            *extent = self.steps.extent(group, places);
        }
        extents
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
    left: usize,
}

impl Search<'_> {
    /// Runs from a step to the end of its part, and says at which byte. Where that cannot be reached, `places` are
    /// as they were.
    fn run(
        &mut self,
        step: usize,
        at: usize,
        places: &mut [usize],
    ) -> Result<Option<usize>, LimitReached> {
        let mut left: Vec<Left> = Vec::new();
        let mut next = Some((step, at));
        loop {
            let (step, at) = match next {
                Some(here) => here,
                None => match left.pop() {
                    None => return Ok(None),
                    Some(Left::Try { step, at }) => (step, at),
                    Some(Left::Restore { place, was }) => {
                        places[place] = was;
                        continue;
                    }
                },
            };
            self.left = self.left.checked_sub(1).ok_or(LimitReached)?;
            if left.len() > HIGHEST {
                return Err(LimitReached);
            }
            next = match self.steps.step(step) {
                Step::End => return Ok(Some(at)),
                Step::Choose { first, second } => {
                    left.push(Left::Try { step: *second, at });
                    Some((*first, at))
                }
                Step::Put { place } => {
                    put(places, &mut left, *place, at);
                    Some((step + 1, at))
                }
                Step::Close { group } => {
                    let [open, start, end] = Steps::places_of(*group);
                    let opened = places[open];
                    put(places, &mut left, start, opened);
                    put(places, &mut left, end, at);
                    Some((step + 1, at))
                }
                Step::Goto(step) => Some((*step, at)),
                Step::GotoUnlessMoved { place, step: to } => {
                    Some((if places[*place] == at { *to } else { step + 1 }, at))
                }
                Step::Part { around, next } => {
                    let before = places.to_vec();
                    let end = self.part(around, step + 1, at, places)?;
                    for (place, was) in before.into_iter().enumerate() {
                        if places[place] != was {
                            left.push(Left::Restore { place, was });
                        }
                    }
                    end.map(|at| (*next, at))
                }
                other => self.width(other, at, places).map(|width| (step + 1, at + width)),
            };
        }
    }

    /// How many bytes a plain step takes here.
    fn width(&self, step: &Step, at: usize, places: &[usize]) -> Option<usize> {
        match step {
            Step::Set(set) => set.contains(*self.text.get(at)?).then_some(1),
            Step::Assert(assertion) => holds(*assertion, self.text, at).then_some(0),
            Step::Again { group, fold } => {
                let (start, end) = self.steps.extent(*group as usize, places)?;
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
        places: &mut [usize],
    ) -> Result<Option<usize>, LimitReached> {
        match around {
            Around::Atomic => self.run(body, at, places),
            Around::Ahead { negative: false } => Ok(self.run(body, at, places)?.map(|_| at)),
            Around::Ahead { negative: true } => {
                let found = self.run(body, at, &mut places.to_vec())?;
                Ok(found.is_none().then_some(at))
            }
            Around::Behind { negative, branches } => {
                for (len, body) in branches {
                    let Some(start) = at.checked_sub(*len) else { continue };
                    if *negative {
                        if self.run(*body, start, &mut places.to_vec())?.is_some() {
                            return Ok(None);
                        }
                    } else if self.run(*body, start, places)?.is_some() {
                        return Ok(Some(at));
                    }
                }
                Ok(negative.then_some(at))
            }
        }
    }
}

fn put(places: &mut [usize], left: &mut Vec<Left>, place: usize, at: usize) {
    left.push(Left::Restore { place, was: places[place] });
    places[place] = at;
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
