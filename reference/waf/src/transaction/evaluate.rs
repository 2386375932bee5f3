//! Rules at work: the loop over a phase, a chain's links, a link's values.

use std::sync::Arc;

use super::Transaction;
use super::number;
use super::seen::Row;
use super::texts::Text;
use super::value::{Key, Value};
use crate::operator::{ByteSet, Captures, Outcome};
use crate::plan::{Cell, Filter, Needs, Source};
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
        self.seen.clear();
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
        if link.targets.iter().all(|target| target.cell.is_some()) {
            return self.run_on_cells(rules, rule, index);
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

    /// The same for a link whose targets are all in cells.
    fn run_on_cells(&mut self, rules: &RuleSet, rule: &Rule, index: usize) -> Ran {
        let link = &rule.links[index];
        let removes = index == 0 && self.removes_from(rules, rule);
        let mut ran = Ran::NoMatch;
        for target in &link.targets {
            let Some(cell) = target.cell else { continue };
            let row = self.source(rules, rules.cells.cell(cell).0);
            let forms = self.forms(rules, cell);
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

    /// Whether the link may match at all: false only where there are no values, or where the
    /// prefilter rules its operator out for all of them.
    #[inline]
    fn may_match(&mut self, rules: &RuleSet, link: &Link) -> bool {
        link.targets.iter().any(|target| match target.cell {
            None => true,
            Some(cell) => self.cell_may_match(rules, link, cell),
        })
    }

    #[inline]
    fn cell_may_match(&mut self, rules: &RuleSet, link: &Link, cell: Cell) -> bool {
        if !link.gated || link.filter == Filter::ANY && link.bytes.is_empty() {
            return self.source(rules, rules.cells.cell(cell).0).len > 0;
        }
        if link.filter != Filter::ANY {
            let bits = match self.seen.bits(cell) {
                Some(bits) => bits,
                None => self.find_bits(rules, cell),
            };
            if !link.filter.is_in(bits) {
                return false;
            }
        }
        link.bytes.is_empty() || {
            let has = self.seen.bytes(cell);
            link.bytes_allow(has.unwrap_or_else(|| self.find_bytes(rules, cell)))
        }
    }

    /// Whether the link's operator may match a text.
    #[inline]
    fn text_may_match(&mut self, rules: &RuleSet, link: &Link, text: Text) -> bool {
        let in_filter =
            link.filter == Filter::ANY || self.texts.may_match(text, link.filter, &rules.prefilter);
        in_filter && (link.bytes.is_empty() || link.bytes_allow(self.texts.bytes_of(text)))
    }

    /// The values of a source.
    #[inline]
    fn source(&mut self, rules: &RuleSet, source: Source) -> Row {
        match self.seen.source(source) {
            Some(row) => row,
            None => {
                let (variable, members) = rules.cells.source(source);
                let Self { seen, variables, texts, .. } = self;
                seen.set_source(source, |out| {
                    variables.collect_steady(variable, members, texts, out);
                })
            }
        }
    }

    /// Where the transformed values of a cell are.
    #[inline]
    fn forms(&mut self, rules: &RuleSet, cell: Cell) -> u32 {
        match self.seen.forms(cell) {
            Some(forms) => forms,
            None => {
                let (source, pipeline) = rules.cells.cell(cell);
                let row = self.source(rules, source);
                let list = rules.pipelines.list(pipeline);
                let Self { seen, texts, .. } = self;
                seen.set_forms(cell, row, |text| texts.transformed(text, list, rules.unicode()))
            }
        }
    }

    /// The operators that may match one of a cell's values.
    fn find_bits(&mut self, rules: &RuleSet, cell: Cell) -> &[u64] {
        let row = self.source(rules, rules.cells.cell(cell).0);
        let forms = self.forms(rules, cell);
        let Self { seen, texts, .. } = self;
        let (bits, forms) = seen.add_bits(cell, forms, row.len);
        for &form in forms {
            for (word, more) in bits.iter_mut().zip(texts.candidates(form, &rules.prefilter)) {
                *word |= more;
            }
        }
        bits
    }

    /// The bytes that a cell's values have.
    fn find_bytes(&mut self, rules: &RuleSet, cell: Cell) -> ByteSet {
        let row = self.source(rules, rules.cells.cell(cell).0);
        let forms = self.forms(rules, cell);
        let Self { seen, texts, .. } = self;
        let forms = seen.forms_at(forms, row.len).iter();
        let has = forms.fold(ByteSet::EMPTY, |has, &form| has.union(texts.bytes_of(form)));
        seen.set_bytes(cell, has);
        has
    }

    /// Whether a value of a target's cell is one that is looked at.
    fn is_chosen(&self, rules: &RuleSet, target: &Target, value: Value) -> bool {
        let name = value.member_name(&self.texts, &rules.names);
        name.is_none_or(|name| target.takes(name))
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
        for &step in list.steps() {
            if self.stopped {
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
        if link.filter != Filter::ANY && !self.texts.may_match(text, link.filter, &rules.prefilter)
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
