//! What a match does besides: variables set, collections asked for, controls changed.

use super::Transaction;
use super::dynamic::is_persistent;
use super::escape;
use super::number;
use super::texts::Text;
use super::value::Pair;
use crate::operator::leading_number;
use crate::rules::{Effect, Place, RuleSet, Sanitise};
use crate::seclang::{SetOperation, Template};
use crate::transaction::tx::Slot;
use crate::variable::Variable;

/// A variable to change.
#[derive(Clone, Copy)]
enum Named<'n> {
    Slot(Slot),
    Tx(&'n [u8]),
    Held(Variable, &'n [u8]),
}

impl Transaction {
    /// Carries out an effect.
    pub(super) fn carry_out(&mut self, rules: &RuleSet, effect: &Effect) {
        match effect {
            Effect::SetVar { place, operation } => self.set_var(rules, place, operation),
            Effect::Expire { place, seconds } => {
                let seconds = self.expanded_number(rules, seconds);
                let now = self.now.unix_seconds();
                self.with_named(rules, place, |this, named| {
                    if let Named::Held(variable, name) = named
                        && let Some(held) = this.variables.held_mut(variable)
                    {
                        held.expire(name, seconds, now);
                    }
                });
            }
            Effect::Deprecate { place, amount, seconds } => {
                let now = self.now.unix_seconds();
                self.with_named(rules, place, |this, named| {
                    if let Named::Held(variable, name) = named
                        && let Some(held) = this.variables.held_mut(variable)
                    {
                        held.deprecate(name, *amount, *seconds, now);
                    }
                });
            }
            Effect::InitCollection { collection, key } => {
                self.hold_collection(rules, *collection, key);
            }
            Effect::SetEnv { name, value } => self.set_env(rules, name, value.as_ref()),
            Effect::Control(control) => self.controls.apply(control),
            Effect::Sanitise(Sanitise::Matched) => {
                if let Some(matched) = self.variables.matched {
                    self.sanitise_value(rules, matched);
                }
            }
            Effect::Sanitise(sanitise) => self.sanitise(sanitise.clone()),
        }
    }

    /// Does something to a variable, its name expanded.
    fn with_named(
        &mut self,
        rules: &RuleSet,
        place: &Place,
        change: impl FnOnce(&mut Self, Named<'_>),
    ) {
        let (variable, template) = match place {
            Place::Slot(slot) => return change(self, Named::Slot(*slot)),
            Place::Member(variable, template) => (*variable, template),
        };
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        self.with_expanded(rules, template, &mut |text| escape::name(text, &mut name));
        match variable {
            Variable::Tx => change(self, Named::Tx(&name)),
            _ => change(self, Named::Held(variable, &name)),
        }
        self.name = name;
    }

    fn set_var(&mut self, rules: &RuleSet, place: &Place, operation: &SetOperation) {
        self.with_named(rules, place, |this, place| match operation {
            SetOperation::Set(value) => {
                let value = this.expanded_text(rules, value);
                this.store(rules, place, Some(value));
            }
            SetOperation::Delete => this.store(rules, place, None),
            SetOperation::Add(amount) => {
                let amount = this.expanded_number(rules, amount);
                this.add(rules, place, amount);
            }
            SetOperation::Subtract(amount) => {
                let amount = this.expanded_number(rules, amount);
                this.add(rules, place, amount.saturating_neg());
            }
        });
    }

    /// Sets a variable, or removes it.
    fn store(&mut self, rules: &RuleSet, place: Named<'_>, value: Option<Text>) {
        let Self { variables, texts, .. } = self;
        match place {
            Named::Slot(slot) => variables.tx.set(slot, value),
            Named::Tx(name) => variables.tx.set_named(name, value, &rules.names, texts),
            Named::Held(variable, name) => match (variables.held_mut(variable), value) {
                (Some(held), Some(value)) => held.set(name, texts.get(value)),
                (Some(held), None) => held.remove(name),
                (None, _) => {}
            },
        }
    }

    /// Adds to a variable; it never gets below 0.
    fn add(&mut self, rules: &RuleSet, place: Named<'_>, amount: i64) {
        let before = match place {
            Named::Slot(slot) => self.variables.tx.get(slot),
            Named::Tx(name) => self.variables.tx.get_named(name, &rules.names, &self.texts),
            Named::Held(variable, name) => {
                if let Some(held) = self.variables.held_mut(variable) {
                    held.add(name, amount);
                }
                return;
            }
        };
        let before = before.map_or(0, |text| leading_number(self.texts.get(text)));
        let after = before.saturating_add(amount).max(0);
        let after = self.texts.add_with(|out| number::write(after, out));
        self.store(rules, place, Some(after));
    }

    /// initcol, setsid, setuid, setrsc: asks for a collection, once a transaction.
    fn hold_collection(&mut self, rules: &RuleSet, collection: Variable, key: &Template) {
        let key = self.expanded(rules, key);
        let id = match collection {
            Variable::Session => Some(Variable::SessionId),
            Variable::User => Some(Variable::UserId),
            _ => None,
        };
        if let Some(id) = id {
            let text = self.texts.add(&key);
            self.variables.set(id, text);
        }
        if is_persistent(collection) && self.variables.held(collection).is_none() {
            let (now, timeout) = (self.now.unix_seconds(), rules.settings().collection_timeout);
            let held = self.collections.hold(collection, &key, now, timeout);
            self.variables.held.push(held);
        }
    }

    fn set_env(&mut self, rules: &RuleSet, name: &Template, value: Option<&Template>) {
        let name = self.expanded(rules, name);
        let value = value.map(|value| self.expanded(rules, value));
        let Self { variables, texts, .. } = self;
        variables.env.retain(|pair| texts.get(pair.name) != name);
        if let Some(value) = value {
            let (name, value) = (texts.add(&name), texts.add(&value));
            variables.env.push(Pair { name, value });
        }
    }
}
