//! A pattern as steps for the backtracking engine.

use super::syntax::{Appetite, Assertion, Look, Node, Repeat};
use crate::operator::byte_set::ByteSet;

/// A place in the text that is not known yet.
pub(super) const NONE: usize = usize::MAX;

/// One thing to do. Most go on with the step behind.
#[derive(Debug)]
pub(super) enum Step {
    /// Takes a byte of the set.
    Set(ByteSet),
    Assert(Assertion),
    /// Takes the text of a group again.
    Again {
        group: u32,
        fold: bool,
    },
    /// Goes on with the first, and with the second when that fails.
    Choose {
        first: usize,
        second: usize,
    },
    Goto(usize),
    /// Goes to the step if no byte was taken since the place was put down.
    GotoUnlessMoved {
        place: usize,
        step: usize,
    },
    /// Puts down where it is.
    Put {
        place: usize,
    },
    /// Ends a group: puts down where it started and ends.
    Close {
        group: u32,
    },
    /// Tries the steps behind, up to their end, by themselves; goes on with `next`.
    Part {
        around: Around,
        next: usize,
    },
    /// The end of the pattern or of a part.
    End,
}

/// What a part that is tried by itself is for.
#[derive(Debug)]
pub(super) enum Around {
    Atomic,
    Ahead {
        negative: bool,
    },
    /// The branches by their length and first step.
    Behind {
        negative: bool,
        branches: Vec<(usize, usize)>,
    },
}

/// A pattern as steps.
#[derive(Debug)]
pub(super) struct Steps {
    steps: Vec<Step>,
    groups: usize,
    /// The number of places that are put down.
    places: usize,
}

impl Steps {
    pub(super) fn new(node: &Node, groups: u32) -> Self {
        let groups = groups as usize;
        let mut steps = Self { steps: Vec::new(), groups, places: 3 * groups + 1 };
        steps.node(node);
        steps.push(Step::End);
        steps
    }

    pub(super) fn step(&self, step: usize) -> &Step {
        &self.steps[step]
    }

    /// How many places there are to put down.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    /// The place that `\K` puts down.
    pub(super) fn keep(&self) -> usize {
        3 * self.groups
    }

    /// The places of a group: where it opened last, where it started and ended when it last closed. So a group
    /// that refers to itself finds its text of the round before.
    pub(super) fn places_of(group: u32) -> [usize; 3] {
        let first = 3 * (group as usize - 1);
        [first, first + 1, first + 2]
    }

    /// Where a group was matched last.
    pub(super) fn extent(&self, group: usize, places: &[usize]) -> Option<(usize, usize)> {
        if group > self.groups {
            return None;
        }
        let [_, start, end] = Self::places_of(u32::try_from(group).ok()?);
        (places[end] != NONE).then(|| (places[start], places[end]))
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                self.push(Step::Set(*set));
            }
            Node::Assert(assertion) => {
                self.push(Step::Assert(*assertion));
            }
            Node::Concat(items) => items.iter().for_each(|item| self.node(item)),
            Node::Alternate(branches) => self.alternate(branches),
            Node::Repeat(repeat) if repeat.appetite == Appetite::Possessive => {
                self.part(Around::Atomic, |steps| steps.repeat(repeat));
            }
            Node::Repeat(repeat) => self.repeat(repeat),
            Node::Capture(group, node) => {
                let [open, ..] = Self::places_of(*group);
                self.push(Step::Put { place: open });
                self.node(node);
                self.push(Step::Close { group: *group });
            }
            Node::Atomic(node) => self.part(Around::Atomic, |steps| steps.node(node)),
            Node::Look(look) => self.look(look),
            Node::Backreference { group, fold } => {
                self.push(Step::Again { group: *group, fold: *fold });
            }
            Node::Keep => {
                let place = self.keep();
                self.push(Step::Put { place });
            }
        }
    }

    fn alternate(&mut self, branches: &[Node]) {
        let mut ends = Vec::new();
        let Some((last, others)) = branches.split_last() else { return };
        for branch in others {
            let choice = self.push(Step::End);
            self.node(branch);
            ends.push(self.push(Step::End));
            self.steps[choice] = Step::Choose { first: choice + 1, second: self.steps.len() };
        }
        self.node(last);
        for end in ends {
            self.steps[end] = Step::Goto(self.steps.len());
        }
    }

    /// A greedy or lazy repetition; a possessive one as if greedy.
    fn repeat(&mut self, repeat: &Repeat) {
        let Repeat { node, min, max, appetite } = repeat;
        let lazy = *appetite == Appetite::Lazy;
        let Some(max) = max else { return self.repeat_without_end(node, *min, lazy) };
        for _ in 0..*min {
            self.node(node);
        }
        let mut choices = Vec::new();
        for _ in *min..*max {
            choices.push(self.push(Step::End));
            self.node(node);
        }
        let behind = self.steps.len();
        for choice in choices {
            self.steps[choice] = Self::choose(choice + 1, behind, lazy);
        }
    }

    fn repeat_without_end(&mut self, node: &Node, min: u32, lazy: bool) {
        for _ in 1..min {
            self.node(node);
        }
        let choice_before = (min == 0).then(|| self.push(Step::End));
        let round = self.steps.len();
        // An empty round is the last.
        let check = node.is_nullable().then(|| {
            self.places += 1;
            let place = self.places - 1;
            self.push(Step::Put { place });
            place
        });
        self.node(node);
        let check = check.map(|place| (self.push(Step::End), place));
        let choice = self.push(Step::End);
        let behind = self.steps.len();
        self.steps[choice] = Self::choose(round, behind, lazy);
        if let Some((step, place)) = check {
            self.steps[step] = Step::GotoUnlessMoved { place, step: behind };
        }
        if let Some(before) = choice_before {
            self.steps[before] = Self::choose(round, behind, lazy);
        }
    }

    fn choose(round: usize, behind: usize, lazy: bool) -> Step {
        let (first, second) = if lazy { (behind, round) } else { (round, behind) };
        Step::Choose { first, second }
    }

    fn part(&mut self, around: Around, body: impl FnOnce(&mut Self)) {
        let part = self.push(Step::End);
        body(self);
        self.push(Step::End);
        self.steps[part] = Step::Part { around, next: self.steps.len() };
    }

    fn look(&mut self, look: &Look) {
        let negative = look.negative;
        if look.ahead {
            return self.part(Around::Ahead { negative }, |steps| steps.node(&look.node));
        }
        let part = self.push(Step::End);
        let alternatives = match &look.node {
            Node::Alternate(branches) => branches.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut branches = Vec::new();
        for branch in alternatives {
            // The parser lets only branches of one length pass.
            branches.push((branch.fixed_len().unwrap_or(0), self.steps.len()));
            self.node(branch);
            self.push(Step::End);
        }
        let next = self.steps.len();
        self.steps[part] = Step::Part { around: Around::Behind { negative, branches }, next };
    }
}
