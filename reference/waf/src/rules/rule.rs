//! A rule as it runs: targets resolved, transformations and literals shared, chains folded.

use std::ops::Range;

use edgeproof_diagnostics::Span;
use smallvec::SmallVec;

use super::target::{Selection, Target};
use crate::operator::{ByteSet, NumberTest, Operator};
use crate::plan::{Filter, Group, Pipeline, ScreenNumber};
use crate::seclang::{
    AllowKind, AuditMode, AuditPartsChange, Mode, Phase, Processor, SetOperation, Severity,
    Template,
};
use crate::transaction::Slot;
use crate::variable::Variable;

/// A rule, or a chain of them, which is one rule.
#[derive(Debug)]
pub struct Rule {
    pub(crate) number: RuleNumber,
    pub(crate) id: u64,
    pub(crate) phase: Phase,
    pub(crate) links: Box<[Link]>,
    pub(crate) disruptive: Disruptive,
    pub(crate) status: Option<u16>,
    pub(crate) msg: Option<Template>,
    pub(crate) logdata: Option<Template>,
    pub(crate) tags: Box<[Template]>,
    pub(crate) severity: Option<Severity>,
    pub(crate) ver: Option<Box<str>>,
    pub(crate) rev: Option<Box<str>>,
    pub(crate) maturity: Option<u8>,
    pub(crate) accuracy: Option<u8>,
    pub(crate) log: bool,
    pub(crate) auditlog: bool,
    pub(crate) skip: u32,
    /// Where in its phase to go on after a match.
    pub(crate) skip_to: Option<usize>,
    pub(crate) span: Span,
}

impl Rule {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When it runs.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Where it is written.
    #[must_use]
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// The place of a rule among all rules of a rule set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuleNumber(pub(crate) u32);

/// What a match does to the request.
#[derive(Clone, Debug)]
pub(crate) enum Disruptive {
    Pass,
    Deny,
    Drop,
    Redirect(Template),
    Allow(AllowKind),
}

/// One rule of a chain, or the only one.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) targets: Box<[Target]>,
    /// None: SecAction, which always matches.
    pub(crate) operator: Option<Operator>,
    /// The variable of TX that it looks at as it stands, if that is all: so do half of all rules
    /// that are tried.
    pub(crate) slot: Option<Slot>,
    /// The cells of its targets. None where one of them has none.
    pub(crate) group: Option<Group>,
    /// The operator's.
    pub(crate) filter: Filter,
    /// Sets of bytes of each of which a value that the operator matches has one.
    pub(crate) bytes: SmallVec<[ByteSet; 2]>,
    /// No value is shorter that the operator matches, in bytes.
    pub(crate) shortest: usize,
    /// What is asked of a value first, for this link and others.
    pub(crate) screen: Option<ScreenNumber>,
    /// Whether the link holds for no value that the operator does not match as it stands.
    pub(crate) gated: bool,
    pub(crate) gate: Gate,
    pub(crate) pipeline: Pipeline,
    pub(crate) multi_match: bool,
    pub(crate) capture: bool,
    pub(crate) effects: Box<[Effect]>,
}

/// What must hold for a link to be tried at all. Those of rules' first links stand apart from the rules, close
/// together, as most rules are passed over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gate {
    /// Nothing.
    Open,
    /// This rule and some behind it come to the same each time: to the prelude of that number.
    Prelude(usize),
    /// A group has values, and the prefilter rules the operator out for none of them.
    Cells { group: Group, filter: Filter },
    /// A variable of TX is set and, where the operator compares numbers, its number is such a one.
    Slot { slot: Slot, test: Option<NumberTest> },
}

impl Gate {
    pub(crate) fn of(rule: &Rule) -> Self {
        rule.links.first().map_or(Self::Open, |link| link.gate)
    }
}

impl Link {
    /// Whether it is only asked for each text whether the operator may match it: its gate says nothing of that, as a
    /// negated operator holds for what it does not match, and multiMatch looks at texts that are in no cell.
    #[inline]
    pub(crate) fn asks_first(&self) -> bool {
        !self.gated && self.group.is_some()
    }

    /// Whether the operator may match values whose bytes are among these.
    #[inline]
    pub(crate) fn bytes_allow(&self, has: ByteSet) -> bool {
        self.bytes.iter().all(|set| set.meets(has))
    }
}

/// What a match of a link does besides.
#[derive(Debug)]
pub(crate) enum Effect {
    SetVar {
        place: Place,
        operation: SetOperation,
    },
    Expire {
        place: Place,
        seconds: Template,
    },
    /// So much less in so many seconds.
    Deprecate {
        place: Place,
        amount: i64,
        seconds: i64,
    },
    InitCollection {
        collection: Variable,
        key: Template,
    },
    /// No value: it is removed.
    SetEnv {
        name: Template,
        value: Option<Template>,
    },
    Control(Control),
    Sanitise(Sanitise),
}

/// A variable to change.
#[derive(Debug)]
pub(crate) enum Place {
    /// One of TX with a name that stands in the rule.
    Slot(Slot),
    /// A collection's, its name to be expanded.
    Member(Variable, Template),
}

/// A change to how the rest of the transaction is handled (ctl).
#[derive(Debug)]
pub(crate) enum Control {
    RuleEngine(Mode),
    /// These rules do not run.
    RemoveRules(RuleBits),
    /// What some rules do not look at, by numbers among those of the rule set.
    RemoveTargets(Range<usize>),
    RequestBodyAccess(bool),
    RequestBodyLimit(u64),
    ResponseBodyAccess(bool),
    ResponseBodyLimit(u64),
    RequestBodyProcessor(Processor),
    ForceRequestBodyVariable(bool),
    AuditEngine(AuditMode),
    AuditLogParts(AuditPartsChange),
}

/// What a ctl action takes from rules.
#[derive(Debug)]
pub(crate) struct TargetRemoval {
    pub(crate) rules: RuleBits,
    pub(crate) variable: Variable,
    pub(crate) selection: Selection,
}

/// What must not stand in an audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sanitise {
    /// The arguments of that name.
    Argument(Box<str>),
    /// The request's header fields of that name.
    RequestHeader(Box<str>),
    /// The response's header fields of that name.
    ResponseHeader(Box<str>),
    /// The value that matched.
    Matched,
}

/// A set of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleBits(Vec<u64>);

impl RuleBits {
    pub(crate) fn insert(&mut self, RuleNumber(number): RuleNumber) {
        let word = number as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    #[inline]
    pub(crate) fn contains(&self, RuleNumber(number): RuleNumber) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 != 0)
    }

    /// Adds the rules of another set.
    pub(crate) fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_rules_hold_what_was_put_in() {
        let (mut left, mut right) = (RuleBits::default(), RuleBits::default());
        assert!(!left.contains(RuleNumber(0)));
        left.insert(RuleNumber(3));
        right.insert(RuleNumber(64));
        right.insert(RuleNumber(700));
        left.extend(&right);
        let held: Vec<_> = (0..1000).filter(|&number| left.contains(RuleNumber(number))).collect();
        assert_eq!(held, [3, 64, 700]);
        right.extend(&left);
        assert_eq!(left, right);
    }
}
