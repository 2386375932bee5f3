//! Matches in time linear in the text: a lazily built deterministic automaton, and for the extent of groups the
//! engines that follow the nondeterministic one.
//!
//! A deterministic state is made when a text first leads to it and kept in a cache of bounded size. When that is
//! full it is emptied and filled anew; that costs time but never fails, so there is no other engine to fall back to.

use std::panic::{RefUnwindSafe, UnwindSafe};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{NFA, State, Transition, backtrack, pikevm};
use regex_automata::util::pool::Pool;
use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Anchored, Input, MatchError, MatchKind};

use super::program::{self, BuildError};
use super::syntax::{Appetite, Node, Pattern};
use crate::operator::byte_set::ByteSet;

/// The most memory that one automaton's states take, for each thread that runs it at the same time, in bytes.
/// Automata that need more to work at all get that. The widest patterns of the Core Rule Set, on texts mixed at random,
/// come back to their states within this much, and make them anew all the time within a quarter of it, which takes
/// thirty times as long; most patterns never need a tenth.
const CACHE: usize = 1024 * 1024;

/// How many groups are of interest, the whole match among them.
const GROUPS: usize = 10;

/// Where a match and its groups start and end.
pub(super) type Extents = [Option<(usize, usize)>; GROUPS];

/// Those of a match of a whole text, without groups.
pub(super) fn whole(text: &[u8]) -> Extents {
    let mut extents = [None; GROUPS];
    extents[0] = Some((0, text.len()));
    extents
}

/// Says whether a text matches.
pub(super) struct Verdict {
    automaton: Automaton,
    anchored: Anchored,
}

impl Verdict {
    pub(super) fn new(node: &Node) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let automaton = Automaton::new(program::forward(node)?, MatchKind::LeftmostFirst)?;
        let anchored = if node.is_anchored() { Anchored::Yes } else { Anchored::No };
        Ok(Self { automaton, anchored })
    }

    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, MatchError> {
        let input = Input::new(text).anchored(self.anchored).earliest(true);
        Ok(self.automaton.forward(&input)?.is_some())
    }

    /// Whether the pattern is looked for at the text's start alone.
    pub(super) fn is_anchored(&self) -> bool {
        self.anchored == Anchored::Yes
    }

    /// Whether any text of these bytes can match, if conditions on places are met.
    pub(super) fn can_match(&self, bytes: ByteSet) -> bool {
        let nfa = self.automaton.dfa.get_nfa();
        let takes = |step: &Transition| ByteSet::range(step.start, step.end).meets(bytes);
        let mut seen = vec![false; nfa.states().len()];
        let mut left = vec![nfa.start_anchored()];
        while let Some(state) = left.pop() {
            if std::mem::replace(&mut seen[state.as_usize()], true) {
                continue;
            }
            match nfa.state(state) {
                State::Match { .. } => return true,
                State::ByteRange { trans } => left.extend(takes(trans).then_some(trans.next)),
                State::Sparse(steps) => {
                    let taken = steps.transitions.iter().filter(|step| takes(step));
                    left.extend(taken.map(|step| step.next));
                }
                State::Dense(_) => return true,
                State::Look { next, .. } | State::Capture { next, .. } => left.push(*next),
                State::Union { alternates } => left.extend(alternates.iter()),
                State::BinaryUnion { alt1, alt2 } => left.extend([alt1, alt2]),
                State::Fail => {}
            }
        }
        false
    }

    /// Where the match ends that PCRE would find.
    fn end(&self, text: &[u8]) -> Result<Option<usize>, MatchError> {
        self.automaton.forward(&Input::new(text).anchored(self.anchored))
    }
}

/// Says where a match and its groups are.
pub(super) struct Locator {
    /// Finds where a match starts from where it ends; there is none for patterns with possessive repetitions.
    back: Option<Automaton>,
    /// For patterns with groups, and those that cannot be read backward.
    groups: Option<Groups>,
    anchored: Anchored,
}

impl Locator {
    pub(super) fn new(pattern: &Pattern) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let possessive = pattern.node.any(&|node| match node {
            Node::Repeat(repeat) => repeat.appetite == Appetite::Possessive,
            _ => false,
        });
        let back = if possessive {
            None
        } else {
            Some(Automaton::new(program::backward(&pattern.node)?, MatchKind::All)?)
        };
        let needs_groups = pattern.groups > 0 || possessive;
        let groups = needs_groups.then(|| Groups::new(&pattern.node)).transpose()?;
        let anchored = if pattern.node.is_anchored() { Anchored::Yes } else { Anchored::No };
        Ok(Self { back, groups, anchored })
    }

    /// The extents of the match that `verdict`, of the same pattern, found in `text`.
    pub(super) fn locate(
        &self,
        verdict: &Verdict,
        text: &[u8],
    ) -> Result<Option<Extents>, MatchError> {
        let Some(end) = verdict.end(text)? else { return Ok(None) };
        let mut extents = [None; GROUPS];
        let input = match &self.back {
            None => Input::new(text).range(..end).anchored(self.anchored),
            Some(back) => {
                let input = Input::new(text).range(..end).anchored(Anchored::Yes);
                let start = back.backward(&input)?.unwrap_or(end);
                extents[0] = Some((start, end));
                Input::new(text).range(start..end).anchored(Anchored::Yes)
            }
        };
        if let Some(groups) = &self.groups {
            groups.locate(&input, &mut extents)?;
        }
        Ok(Some(extents))
    }
}

/// A deterministic automaton with its states so far, one set for each thread that uses it at the same time.
struct Automaton {
    dfa: DFA,
    caches: Pool<Cache, NewCache>,
}

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;

impl Automaton {
    fn new(nfa: NFA, kind: MatchKind) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let config =
            DFA::config().match_kind(kind).cache_capacity(CACHE).skip_cache_capacity_check(true);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa)?;
        let fresh = dfa.clone();
        let caches = Pool::new(Box::new(move || fresh.create_cache()) as NewCache);
        Ok(Self { dfa, caches })
    }

    /// Where the match ends.
    fn forward(&self, input: &Input<'_>) -> Result<Option<usize>, MatchError> {
        let found = self.dfa.try_search_fwd(&mut self.caches.get(), input)?;
        Ok(found.map(|end| end.offset()))
    }

    /// Where the match that ends at the input's end starts.
    fn backward(&self, input: &Input<'_>) -> Result<Option<usize>, MatchError> {
        let found = self.dfa.try_search_rev(&mut self.caches.get(), input)?;
        Ok(found.map(|start| start.offset()))
    }
}

/// Finds where groups start and end.
struct Groups {
    /// Faster, but its memory grows with the text.
    short: backtrack::BoundedBacktracker,
    long: pikevm::PikeVM,
}

impl Groups {
    fn new(node: &Node) -> Result<Self, BuildError> {
        let nfa = program::with_groups(node)?;
        let short = backtrack::BoundedBacktracker::builder().build_from_nfa(nfa.clone())?;
        Ok(Self { short, long: pikevm::PikeVM::builder().build_from_nfa(nfa)? })
    }

    fn locate(&self, input: &Input<'_>, extents: &mut Extents) -> Result<(), MatchError> {
        let mut slots: [Option<NonMaxUsize>; 2 * GROUPS] = [None; 2 * GROUPS];
        if input.get_span().len() <= self.short.max_haystack_len() {
            let mut cache = self.short.create_cache();
            self.short.try_search_slots(&mut cache, input, &mut slots)?;
        } else {
            self.long.search_slots(&mut self.long.create_cache(), input, &mut slots);
        }
        for (extent, slot) in extents.iter_mut().zip(slots.chunks_exact(2)) {
            if let [Some(start), Some(end)] = slot {
                *extent = Some((start.get(), end.get()));
            }
        }
        Ok(())
    }
}
