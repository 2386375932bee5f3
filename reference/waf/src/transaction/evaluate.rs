//! Rules at work: the loop over a phase, a chain's links, a link's values.

use std::sync::Arc;

use super::Transaction;
use super::texts::Text;
use super::value::{Key, Value};
use crate::operator::{Captures, Outcome};
use crate::plan::{Filter, Needs, Pipeline};
use crate::rules::{Link, Rule, RuleSet, Selection, Target, TargetRemoval};
use crate::seclang::{Mode, Phase};
use crate::transaction::tx::{CAPTURES, Slot};
use crate::variable::Variable;

/// What a rule came to.
enum Ran {
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
        self.unions.clear();
        self.variables.all_matched.clear();
        let present = if rules.prefilters() { self.variables.present() } else { Needs::ALL };
        let list = rules.phase(phase);
        let (mut at, mut skip) = (0, 0);
        while let Some(rule) = list.get(at) {
            at += 1;
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if self.controls.mode == Mode::Off {
                return;
            }
            if self.controls.removed.contains(rule.number) || !rule.needs.meets(present) {
                continue;
            }
            match self.run_rule(&rules, rule) {
                Ran::NoMatch => {}
                Ran::Stopped => break,
                Ran::Match => match rule.skip_to {
                    Some(place) => at = place,
                    None => skip = rule.skip,
                },
            }
        }
        self.variables.all_matched.clear();
    }

    fn run_rule(&mut self, rules: &RuleSet, rule: &Rule) -> Ran {
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
    fn run_link(&mut self, rules: &RuleSet, rule: &Rule, index: usize) -> Ran {
        let link = &rule.links[index];
        if !self.may_match(rules, link) {
            return Ran::NoMatch;
        }
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        for target in &link.targets {
            self.collect(rules, target, &mut values);
        }
        if index == 0 {
            self.leave_out_removed(rules, rule, &mut values);
        }
        let mut ran = Ran::NoMatch;
        for &value in &values {
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

    /// Whether the link may match at all: false only where the prefilter rules its operator out
    /// for every value of its targets.
    fn may_match(&mut self, rules: &RuleSet, link: &Link) -> bool {
        let Some(filter) = link.filter else { return true };
        if link.multi_match || link.operator.as_ref().is_some_and(|operator| operator.negated) {
            return true;
        }
        link.targets.iter().any(|target| self.target_may_match(rules, link, target, filter))
    }

    fn target_may_match(
        &mut self,
        rules: &RuleSet,
        link: &Link,
        target: &Target,
        filter: Filter,
    ) -> bool {
        if target.count {
            return true;
        }
        if matches!(target.selection, Selection::All)
            && let Some(bits) = self.union(rules, target.variable, link.pipeline)
        {
            return filter.is_in(bits);
        }
        let mut values = std::mem::take(&mut self.values);
        values.clear();
        self.collect(rules, target, &mut values);
        let may = values.iter().any(|value| {
            let form = self.texts.transformed(
                value.text,
                link.pipeline,
                &rules.pipelines,
                rules.unicode(),
            );
            self.texts.may_match(form, filter, &rules.prefilter)
        });
        self.values = values;
        may
    }

    /// The operators that may match any value of a variable after these transformations. None for
    /// a variable that can change while rules run.
    fn union(&mut self, rules: &RuleSet, variable: Variable, pipeline: Pipeline) -> Option<&[u64]> {
        let Self { unions, variables, texts, .. } = self;
        if let Some(at) = unions.get(variable, pipeline) {
            return Some(unions.bits(at));
        }
        let steady = variables.steady(variable)?;
        let at = unions.add(variable, pipeline);
        for text in steady.texts() {
            let form = texts.transformed(text, pipeline, &rules.pipelines, rules.unicode());
            unions.merge(at, texts.candidates(form, &rules.prefilter));
        }
        Some(unions.bits(at))
    }

    /// Appends the values of a target.
    fn collect(&mut self, rules: &RuleSet, target: &Target, out: &mut Vec<Value>) {
        let before = out.len();
        if self.is_dynamic(target.variable) {
            self.collect_dynamic(rules, target, out);
        } else {
            self.variables.collect(target, &self.texts, &rules.names, out);
        }
        if target.count {
            let count = out.len() - before;
            out.truncate(before);
            let text = self.texts.add(count.to_string().as_bytes());
            out.push(Value { variable: target.variable, key: Key::None, text });
        }
    }

    /// Drops the values that ctl actions have taken from the rule.
    fn leave_out_removed(&self, rules: &RuleSet, rule: &Rule, values: &mut Vec<Value>) {
        for &number in &self.controls.removed_targets {
            let TargetRemoval { rules: affected, variable, selection } =
                &rules.target_removals[number];
            if affected.contains(rule.number) {
                values.retain(|value| {
                    let name = value.member_name(&self.texts, &rules.names);
                    let held = match name {
                        Some(name) => selection.holds(name),
                        None => matches!(selection, Selection::All),
                    };
                    value.variable != *variable || !held
                });
            }
        }
    }

    /// Runs a link's operator on a value, and on each of its forms with multiMatch, and does what
    /// follows from a match. Says whether there was one.
    fn try_value(&mut self, rules: &RuleSet, rule: &Rule, index: usize, value: Value) -> bool {
        let link = &rule.links[index];
        if !link.multi_match {
            let text = self.form(rules, value.text, link.pipeline);
            let holds = self.holds(rules, link, text);
            if holds {
                self.matched(rules, rule, index, Value { text, ..value });
            }
            return holds;
        }
        let (mut any, mut before) = (false, None);
        let beginnings = rules.pipelines.beginnings(link.pipeline);
        for pipeline in std::iter::once(Pipeline::RAW).chain(beginnings) {
            let text = self.form(rules, value.text, pipeline);
            if before.replace(text) != Some(text) && self.holds(rules, link, text) {
                any = true;
                self.matched(rules, rule, index, Value { text, ..value });
                if self.stopped {
                    break;
                }
            }
        }
        any
    }

    /// A text after transformations.
    fn form(&mut self, rules: &RuleSet, text: Text, pipeline: Pipeline) -> Text {
        self.texts.transformed(text, pipeline, &rules.pipelines, rules.unicode())
    }

    /// Whether the link's operator, negated where it is, holds for a text.
    fn holds(&mut self, rules: &RuleSet, link: &Link, text: Text) -> bool {
        let Some(operator) = &link.operator else { return true };
        if let Some(filter) = link.filter
            && !self.texts.may_match(text, filter, &rules.prefilter)
        {
            return operator.negated;
        }
        let mut captures = link.capture.then(Captures::default);
        let this = &*self;
        let outcome = operator.matches(
            this.texts.get(text),
            &|template, out| this.expand(rules, template, out),
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
            let captured = captures.get(self.texts.get(text), group).map(<[u8]>::to_vec);
            let captured = captured.map(|captured| self.texts.add(&captured));
            self.variables.tx.set(Slot::capture(group), captured);
        }
    }

    /// A pattern gave up: MSC_PCRE_LIMITS_EXCEEDED, as a variable and, as the recommended
    /// configuration looks for it, in TX.
    fn limit_reached(&mut self) {
        let one = self.texts.add(b"1");
        let rules = Arc::clone(&self.rules);
        self.variables.set(Variable::MscPcreLimitsExceeded, one);
        let name = b"MSC_PCRE_LIMITS_EXCEEDED";
        self.variables.tx.set_named(name, Some(one), &rules.names, &mut self.texts);
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
