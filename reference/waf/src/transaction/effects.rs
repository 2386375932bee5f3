//! What a match does besides: variables set, collections asked for, controls changed.

use super::Transaction;
use super::dynamic::is_persistent;
use super::escape;
use super::number;
use super::value::Pair;
use crate::rules::{Effect, Place, RuleSet, Sanitise};
use crate::seclang::{SetOperation, Template};
use crate::transaction::tx::Slot;
use crate::variable::Variable;

/// A variable to change, its name expanded.
enum Named {
    Slot(Slot),
    Tx(Vec<u8>),
    Held(Variable, Vec<u8>),
}

impl Transaction {
    /// Carries out an effect.
    pub(super) fn carry_out(&mut self, rules: &RuleSet, effect: &Effect) {
        match effect {
            Effect::SetVar { place, operation } => self.set_var(rules, place, operation),
            Effect::Expire { place, seconds } => {
                let seconds = number::leading(&self.expanded(rules, seconds));
                let now = self.now.unix_seconds();
                if let Named::Held(variable, name) = self.named(rules, place)
                    && let Some(held) = self.variables.held_mut(variable)
                {
                    held.expire(&name, seconds, now);
                }
            }
            Effect::Deprecate { place, amount, seconds } => {
                let now = self.now.unix_seconds();
                if let Named::Held(variable, name) = self.named(rules, place)
                    && let Some(held) = self.variables.held_mut(variable)
                {
                    held.deprecate(&name, *amount, *seconds, now);
                }
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

    fn named(&self, rules: &RuleSet, place: &Place) -> Named {
        let name = |template| {
            let mut name = Vec::new();
            escape::name(&self.expanded(rules, template), &mut name);
            name
        };
        match place {
            Place::Slot(slot) => Named::Slot(*slot),
            Place::Member(Variable::Tx, template) => Named::Tx(name(template)),
            Place::Member(variable, template) => Named::Held(*variable, name(template)),
        }
    }

    fn set_var(&mut self, rules: &RuleSet, place: &Place, operation: &SetOperation) {
        let place = self.named(rules, place);
        match operation {
            SetOperation::Set(value) if value.literal().is_some() => {
                self.store(rules, &place, value.literal().map(str::as_bytes));
            }
            SetOperation::Set(value) => {
                let value = self.expanded(rules, value);
                self.store(rules, &place, Some(&value));
            }
            SetOperation::Delete => self.store(rules, &place, None),
            SetOperation::Add(amount) => {
                let amount = number::leading(&self.expanded(rules, amount));
                self.add(rules, &place, amount);
            }
            SetOperation::Subtract(amount) => {
                let amount = number::leading(&self.expanded(rules, amount));
                self.add(rules, &place, amount.saturating_neg());
            }
        }
    }

    /// Sets a variable, or removes it.
    fn store(&mut self, rules: &RuleSet, place: &Named, value: Option<&[u8]>) {
        let Self { variables, texts, .. } = self;
        match place {
            Named::Slot(slot) => {
                let text = value.map(|value| texts.add(value));
                variables.tx.set(*slot, text);
            }
            Named::Tx(name) => {
                let text = value.map(|value| texts.add(value));
                variables.tx.set_named(name, text, &rules.names, texts);
            }
            Named::Held(variable, name) => match (variables.held_mut(*variable), value) {
                (Some(held), Some(value)) => held.set(name, value),
                (Some(held), None) => held.remove(name),
                (None, _) => {}
            },
        }
    }

    /// Adds to a variable; it never gets below 0.
    fn add(&mut self, rules: &RuleSet, place: &Named, amount: i64) {
        let before = match place {
            Named::Slot(slot) => self.variables.tx.get(*slot),
            Named::Tx(name) => self.variables.tx.get_named(name, &rules.names),
            Named::Held(variable, name) => {
                if let Some(held) = self.variables.held_mut(*variable) {
                    held.add(name, amount);
                }
                return;
            }
        };
        let before = before.map_or(0, |text| number::leading(self.texts.get(text)));
        let after = number::text(before.saturating_add(amount).max(0));
        self.store(rules, place, Some(&after));
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
