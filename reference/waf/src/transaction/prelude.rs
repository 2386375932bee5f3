//! Rules that come to the same for every request.
//!
//! A rule set begins with its defaults: rules that look at nothing but variables of TX which rules before them have
//! set, and set others. As long as nothing else touches TX, such rules need not run for each request: they run once,
//! when the rules are loaded, and a transaction takes over what they came to.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use super::evaluate::Ran;
use super::tx::{CAPTURES, Slot};
use super::{Connection, Moment, Transaction};
use crate::plan::Pipeline;
use crate::rules::{
    Control, Disruptive, Effect, Link, Place, Rule, RuleNumber, RuleSet, Selection, Target,
};
use crate::seclang::{Mode, Phase, Piece, SetOperation, Template};
use crate::variable::Variable;

/// What rules come to that follow one another in phase 1.
#[derive(Debug)]
pub(crate) struct Prelude {
    /// Where they stand.
    places: Range<usize>,
    fired: Box<[RuleNumber]>,
    set: Box<[(Slot, Box<[u8]>)]>,
}

impl Prelude {
    /// Those of a rule set, found by running it.
    pub(crate) fn all_of(rules: &Arc<RuleSet>) -> Vec<Self> {
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let ends = Connection { client: nobody, server: nobody };
        let mut run = Transaction::new(rules, &Arc::default(), ends, "", Moment::utc(0));
        run.phase = Some(Phase::RequestHeaders);
        // That the rules are off, or only detect, does not change what they come to.
        run.controls.mode = Mode::On;
        let list = rules.phase(Phase::RequestHeaders);
        let (mut all, mut at) = (Vec::new(), 0);
        while let Some(rule) = list.get(at) {
            if is_first_constant(rules, rule) {
                let (prelude, next) = run.prelude(rules, list, at);
                all.extend(prelude);
                match next {
                    Some(next) => at = next,
                    None => break,
                }
            } else if leaves_alone(rule) {
                at += 1;
            } else {
                break;
            }
        }
        all
    }

    /// Where its rules stand in phase 1.
    pub(crate) fn places(&self) -> Range<usize> {
        self.places.clone()
    }
}

impl Transaction {
    /// Runs the rules from a place on that come to the same each time. Gives what they came to, if to anything, and
    /// the place behind them; that one only where it is known what happens there.
    fn prelude(
        &mut self,
        rules: &RuleSet,
        list: &[Rule],
        start: usize,
    ) -> (Option<Prelude>, Option<usize>) {
        let before = self.fired.len();
        let (mut found, mut without_last) = (None, None);
        let mut end = start;
        while let Some(rule) = list.get(end).filter(|rule| is_first_constant(rules, rule)) {
            let is_quiet = is_constant(rules, rule);
            let ran = match is_quiet {
                true => self.run_rule(rules, rule),
                false => self.run_link(rules, rule, 0),
            };
            end += 1;
            if matches!(ran, Ran::Match | Ran::Stopped) {
                if !is_quiet {
                    return (found, None);
                }
                without_last = found.replace(self.came_to(rules, start..end, before));
            }
        }
        // What matched last shows in MATCHED_VAR. For a SecAction that is known, any other has to run for it.
        let last = self.fired[before..].last();
        match last.and_then(|number| rules.rule(*number).links.last()) {
            Some(link) if link.operator.is_some() => (without_last, Some(end)),
            _ => (found, Some(end)),
        }
    }

    /// What rules have come to that stand in these places and fired after so many others.
    fn came_to(&self, rules: &RuleSet, places: Range<usize>, before: usize) -> Prelude {
        let fired: Box<[RuleNumber]> = self.fired[before..].into();
        let links = fired.iter().flat_map(|number| &rules.rule(*number).links);
        let mut slots = Vec::new();
        for effect in links.flat_map(|link| &link.effects) {
            if let Effect::SetVar { place: Place::Slot(slot), .. } = effect
                && !slots.contains(slot)
            {
                slots.push(*slot);
            }
        }
        let value = |slot| Some((slot, self.texts.get(self.variables.tx.get(slot)?).into()));
        let set = slots.into_iter().filter_map(value).collect();
        Prelude { places, fired, set }
    }

    /// Takes over what the rules of a prelude come to. Gives the place behind them.
    pub(super) fn take_over(&mut self, rules: &RuleSet, prelude: &Prelude) -> usize {
        for (slot, value) in &prelude.set {
            let text = self.texts.add(value);
            self.variables.tx.set(*slot, Some(text));
        }
        self.fired.extend_from_slice(&prelude.fired);
        self.current = prelude.fired.last().copied();
        // As SecAction leaves it.
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        self.collect(rules, &Target::whole(Variable::RemoteAddr), &mut values);
        self.variables.matched = values.pop();
        self.values = values;
        prelude.places.end
    }
}

/// Whether a rule comes to the same for every request if its TX is the same, and does nothing besides that would not be
/// found in TX.
fn is_constant(rules: &RuleSet, rule: &Rule) -> bool {
    // A chain may be given up after its first effects.
    let [link] = &*rule.links else { return false };
    let is_quiet = !rule.log && !rule.auditlog && rule.severity.is_none();
    let passes = matches!(rule.disruptive, Disruptive::Pass);
    let goes_on = rule.skip == 0 && rule.skip_to.is_none();
    let sets = link.effects.iter().all(|effect| is_constant_effect(rules, effect));
    is_quiet && passes && goes_on && sets && is_constant_test(rules, link)
}

/// The same, or the rule's first link always says the same, which may be no.
fn is_first_constant(rules: &RuleSet, rule: &Rule) -> bool {
    let is_test = |link: &Link| link.effects.is_empty() && is_constant_test(rules, link);
    is_constant(rules, rule) || rule.links.first().is_some_and(is_test)
}

/// Whether a link compares numbers that stand in TX, or nothing at all.
fn is_constant_test(rules: &RuleSet, link: &Link) -> bool {
    let Some(operator) = &link.operator else {
        return !link.capture && link.pipeline == Pipeline::RAW;
    };
    let is_known = |target: &Target| match target.selection {
        Selection::Slot(slot) => is_rules_own(rules, slot) && target.except.is_empty(),
        _ => false,
    };
    operator.number_test().is_some() && !link.capture && link.targets.iter().all(is_known)
}

fn is_constant_effect(rules: &RuleSet, effect: &Effect) -> bool {
    let Effect::SetVar { place: Place::Slot(slot), operation } = effect else { return false };
    let value = match operation {
        SetOperation::Delete => return false,
        SetOperation::Set(value) | SetOperation::Add(value) | SetOperation::Subtract(value) => {
            value
        }
    };
    is_rules_own(rules, *slot) && is_constant_text(rules, value)
}

fn is_constant_text(rules: &RuleSet, template: &Template) -> bool {
    template.pieces().iter().all(|piece| match piece {
        Piece::Text(_) => true,
        Piece::Macro { variable: Variable::Tx, selector: Some(name) } => {
            rules.names.get(name.as_bytes()).is_some_and(|slot| is_rules_own(rules, slot))
        }
        Piece::Macro { .. } => false,
    })
}

/// Whether only effects set the variable: captures and a limit that was reached set others.
fn is_rules_own(rules: &RuleSet, slot: Slot) -> bool {
    slot.index() >= CAPTURES && !rules.names.name(slot).eq_ignore_ascii_case(super::LIMIT_REACHED)
}

/// Whether a rule has no part in what the rules behind it find in TX, nor in whether they run, but by ending the phase.
fn leaves_alone(rule: &Rule) -> bool {
    let is_apart = |effect: &Effect| match effect {
        Effect::SetVar { place, .. }
        | Effect::Expire { place, .. }
        | Effect::Deprecate { place, .. } => {
            matches!(place, Place::Member(variable, _) if *variable != Variable::Tx)
        }
        Effect::Control(Control::RemoveRules(_) | Control::RemoveTargets(_)) => false,
        Effect::Control(_)
        | Effect::InitCollection { .. }
        | Effect::SetEnv { .. }
        | Effect::Sanitise(_) => true,
    };
    let links = rule.links.iter().all(|link| !link.capture && link.effects.iter().all(is_apart));
    links && rule.skip == 0 && rule.skip_to.is_none()
}
