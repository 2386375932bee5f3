//! Rules at work: the loop over a phase, a chain's links, a link's values.

use std::sync::Arc;

use super::number;
use super::texts::Text;
use super::value::{Key, Value};
use super::{LIMIT_REACHED, Transaction};
use crate::operator::{Captures, Outcome};
use crate::rules::{Gate, Link, Rule, RuleSet, Selection, Target, TargetRemoval};
use crate::seclang::{Mode, Phase};
use crate::transaction::tx::{CAPTURES, Slot};
use crate::variable::Variable;

/// What a rule came to.
pub(super) enum Ran {
    NoMatch,
    Match,
    /// It matched, and the phase ends here.
    Stopped,
}

impl Transaction {
    /// Runs the rules of a phase. Whatever they decide about the request is in the transaction
    /// afterwards.
    pub(super) fn run_phase(&mut self, phase: Phase) {
        let rules = Arc::clone(&self.rules);
        self.phase = Some(phase);
        self.seen.clear();
        self.variables.all_matched.clear();
        let list = rules.phase(phase);
        let gates = rules.gates(phase);
        let mut at = 0;
        while let Some(&gate) = gates.get(at) {
            at += 1;
            if let Gate::Prelude(number) = gate {
                if self.controls.mode == Mode::Off {
                    return;
                }
                at = self.take_over(&rules, &rules.preludes[number]);
                continue;
            }
            if !self.passes(&rules, gate) {
                continue;
            }
            let rule = &list[at - 1];
            if self.controls.removed.contains(rule.number) {
                continue;
            }
            if self.controls.mode == Mode::Off {
                return;
            }
            match self.run_rule(&rules, rule) {
                Ran::NoMatch => {}
                Ran::Stopped => break,
                Ran::Match => at = rule.skip_to.unwrap_or(at + rule.skip as usize),
            }
        }
        self.variables.all_matched.clear();
    }

    pub(super) fn run_rule(&mut self, rules: &RuleSet, rule: &Rule) -> Ran {
        self.current = Some(rule.number);
        let mut ran = Ran::NoMatch;
        for index in 0..rule.links.len() {
            ran = self.run_link(rules, rule, index);
            if !matches!(ran, Ran::Match) {
                break;
            }
        }
        self.variables.all_matched.clear();
        ran
    }

    /// Tries a link of a rule on each value of its targets.
    pub(super) fn run_link(&mut self, rules: &RuleSet, rule: &Rule, index: usize) -> Ran {
        let link = &rule.links[index];
        if index > 0 && !self.passes(rules, link.gate) || !self.has_bytes(rules, link) {
            return Ran::NoMatch;
        }
        if link.group.is_some() {
            return self.run_on_cells(rules, rule, index);
        }
        if let Some(slot) = link.slot {
            return self.run_on_slot(rules, rule, index, slot);
        }
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        for target in &link.targets {
            self.collect(rules, target, &mut values);
        }
        let removes = index == 0 && self.removes_from(rules, rule);
        let mut ran = Ran::NoMatch;
        for &value in &values {
            if removes && self.is_removed(rules, rule, value) {
                continue;
            }
            if self.try_value(rules, rule, index, value) {
                ran = Ran::Match;
            }
            if self.stopped {
                ran = Ran::Stopped;
                break;
            }
        }
        self.values = values;
        ran
    }

    /// The same for a link that looks at one variable of TX as it stands.
    fn run_on_slot(&mut self, rules: &RuleSet, rule: &Rule, index: usize, slot: Slot) -> Ran {
        let Some(text) = self.variables.tx.get(slot) else { return Ran::NoMatch };
        let value = Value { variable: Variable::Tx, key: Key::Slot(slot), text };
        if index == 0 && self.removes_from(rules, rule) && self.is_removed(rules, rule, value) {
            return Ran::NoMatch;
        }
        match self.try_form(rules, rule, index, value) {
            _ if self.stopped => Ran::Stopped,
            true => Ran::Match,
            false => Ran::NoMatch,
        }
    }

    /// The same for a link whose targets are all in cells.
    fn run_on_cells(&mut self, rules: &RuleSet, rule: &Rule, index: usize) -> Ran {
        let link = &rule.links[index];
        let removes = index == 0 && self.removes_from(rules, rule);
        let mut ran = Ran::NoMatch;
        for target in &link.targets {
            let Some(cell) = target.cell.filter(|&cell| self.cell_may_match(rules, link, cell))
            else {
                continue;
            };
            let row = self.row(rules, rules.cells.cell(cell).0);
            let forms = self.forms(rules, cell, row);
            for at in 0..row.len {
                let form = self.seen.form(forms, at);
                if link.gated && !self.text_may_match(rules, link, form) {
                    continue;
                }
                let value = self.seen.value(row, at);
                if target.is_choosy() && !self.is_chosen(rules, target, value)
                    || removes && self.is_removed(rules, rule, value)
                {
                    continue;
                }
                let matched = if link.multi_match {
                    self.try_value(rules, rule, index, value)
                } else {
                    self.try_form(rules, rule, index, Value { text: form, ..value })
                };
                if matched {
                    ran = Ran::Match;
                }
                if self.stopped {
                    return Ran::Stopped;
                }
            }
        }
        ran
    }

    /// Whether a value of a target's cell is one that is looked at.
    fn is_chosen(&self, rules: &RuleSet, target: &Target, value: Value) -> bool {
        let name = value.member_name(&self.texts, &rules.names);
        name.is_none_or(|name| target.takes(name))
    }

    /// Appends the values of a target.
    pub(super) fn collect(&mut self, rules: &RuleSet, target: &Target, out: &mut Vec<Value>) {
        let before = out.len();
        if self.is_dynamic(target.variable) {
            self.collect_dynamic(rules, target, out);
        } else {
            self.variables.collect(target, &self.texts, &rules.names, out);
        }
        if target.count {
            let count = out.len() - before;
            out.truncate(before);
            let text = self.texts.add_with(|out| number::write(count as i64, out));
            out.push(Value { variable: target.variable, key: Key::None, text });
        }
    }

    /// Whether ctl actions have taken anything from the rule.
    fn removes_from(&self, rules: &RuleSet, rule: &Rule) -> bool {
        let mut removals = self.controls.removed_targets.iter();
        removals.any(|&number| rules.target_removals[number].rules.contains(rule.number))
    }

    /// Whether ctl actions have taken the value from the rule.
    fn is_removed(&self, rules: &RuleSet, rule: &Rule, value: Value) -> bool {
        self.controls.removed_targets.iter().any(|&number| {
            let TargetRemoval { rules: affected, variable, selection } =
                &rules.target_removals[number];
            affected.contains(rule.number)
                && value.variable == *variable
                && match value.member_name(&self.texts, &rules.names) {
                    Some(name) => selection.holds(name),
                    None => matches!(selection, Selection::All),
                }
        })
    }

    /// Runs a link's operator on a value after its transformations, and after each of them with
    /// multiMatch, and does what follows from a match. Says whether there was one.
    fn try_value(&mut self, rules: &RuleSet, rule: &Rule, index: usize, value: Value) -> bool {
        let link = &rule.links[index];
        let list = rules.pipelines.list(link.pipeline);
        let mut text = value.text;
        if !link.multi_match {
            text = self.texts.transformed(text, list, rules.unicode());
            return self.try_form(rules, rule, index, Value { text, ..value });
        }
        let mut any = self.try_form(rules, rule, index, value);
        if self.texts.unchanged_by(text).contain(list.set()) {
            return any;
        }
        let negated = link.operator.as_ref().is_none_or(|operator| operator.negated);
        let least = if negated { 0 } else { link.shortest };
        for &step in list.steps() {
            if self.stopped || list.falls_short(step, self.texts.get(text).len(), least) {
                break;
            }
            let after = self.texts.step(text, step, rules.unicode());
            if after != text {
                any |= self.try_form(rules, rule, index, Value { text: after, ..value });
            }
            text = after;
        }
        any
    }

    /// The same for a value that is transformed already.
    fn try_form(&mut self, rules: &RuleSet, rule: &Rule, index: usize, value: Value) -> bool {
        let holds = self.holds(rules, &rule.links[index], value.text);
        if holds {
            self.matched(rules, rule, index, value);
        }
        holds
    }

    /// Whether the link's operator, negated where it is, holds for a text.
    fn holds(&mut self, rules: &RuleSet, link: &Link, text: Text) -> bool {
        let Some(operator) = &link.operator else { return true };
        if link.asks_first() && !self.text_may_match(rules, link, text) {
            return operator.negated;
        }
        let mut captures = link.capture.then(Captures::default);
        let this = &*self;
        let outcome = operator.matches(
            this.texts.get(text),
            &|template, use_it| this.with_expanded(rules, template, use_it),
            captures.as_mut(),
        );
        match outcome {
            Outcome::Match => {
                if let Some(captures) = captures {
                    self.capture(text, &captures);
                }
                !operator.negated
            }
            Outcome::NoMatch => operator.negated,
            Outcome::LimitReached => {
                self.limit_reached();
                operator.negated
            }
        }
    }

    /// Puts captured groups into TX:0 to TX:9, where there are any; the others are removed then.
    fn capture(&mut self, text: Text, captures: &Captures) {
        if captures.is_empty() {
            return;
        }
        for group in 0..CAPTURES {
            let captured = match captures.place(group) {
                Some(place) => Some(self.texts.part(text, place)),
                None => captures.get(b"", group).map(|captured| self.texts.add(captured)),
            };
            self.variables.tx.set(Slot::capture(group), captured);
        }
    }

    /// A pattern gave up: MSC_PCRE_LIMITS_EXCEEDED, as a variable and, as the recommended
    /// configuration looks for it, in TX.
    fn limit_reached(&mut self) {
        let one = self.texts.add(b"1");
        let rules = Arc::clone(&self.rules);
        self.variables.set(Variable::MscPcreLimitsExceeded, one);
        self.variables.tx.set_named(LIMIT_REACHED, Some(one), &rules.names, &mut self.texts);
    }

    /// All that follows from a value that matches: what the link does there and then, and, where
    /// it is the last of its rule, what the rule does to the request.
    fn matched(&mut self, rules: &RuleSet, rule: &Rule, index: usize, value: Value) {
        let last = index + 1 == rule.links.len();
        self.variables.matched = Some(value);
        self.variables.all_matched.push(value);
        if let Some(severity) = rule.severity.filter(|_| last) {
            self.highest_severity = self.highest_severity.min(severity.number());
        }
        for effect in &rule.links[index].effects {
            self.carry_out(rules, effect);
        }
        if last {
            self.conclude(rules, rule, value);
        }
    }
}
