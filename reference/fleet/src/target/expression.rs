//! A target's condition, and whether an agent's facts fit it.

use std::cmp::Ordering;

use edgeproof_agent::Wildcard;
use regex::Regex;

use crate::facts::{Fact, Facts};

/// A condition. As in SQL its answer is true, false or, where a fact has no value, unknown (`None`).
#[derive(Clone, Debug)]
pub(super) enum Expression {
    /// All hosts.
    All,
    /// Both.
    And(Box<Expression>, Box<Expression>),
    /// One of them.
    Or(Box<Expression>, Box<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A fact against a text: which orders are true.
    Text(Fact, &'static [Ordering], String),
    /// A fact that is a number, against another.
    Number(Fact, &'static [Ordering], f64),
    /// LIKE, ILIKE, GLOB.
    Like(Fact, Wildcard),
    /// `~`, `~*`
    Regex(Fact, Regex),
    /// IN (…)
    In(Fact, Vec<String>),
    /// IS NULL: never unknown.
    IsNull(Fact),
}

impl Expression {
    /// The answer for an agent.
    pub(super) fn answer(&self, facts: &Facts) -> Option<bool> {
        match self {
            Self::All => Some(true),
            Self::And(a, b) => match (a.answer(facts), b.answer(facts)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(a, b) => match (a.answer(facts), b.answer(facts)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::Not(inner) => inner.answer(facts).map(|answer| !answer),
            Self::Text(fact, orders, text) => {
                facts.get(fact).map(|value| orders.contains(&value.cmp(text)))
            }
            Self::Number(fact, orders, number) => {
                let value: f64 = facts.get(fact)?.parse().ok()?;
                value.partial_cmp(number).map(|order| orders.contains(&order))
            }
            Self::Like(fact, pattern) => facts.get(fact).map(|value| pattern.fits(value)),
            Self::Regex(fact, regex) => facts.get(fact).map(|value| regex.is_match(value)),
            Self::In(fact, texts) => {
                facts.get(fact).map(|value| texts.iter().any(|text| text == value))
            }
            Self::IsNull(fact) => Some(facts.get(fact).is_none()),
        }
    }

    /// Every fact that it asks for.
    pub(super) fn facts<'e>(&'e self, into: &mut Vec<&'e Fact>) {
        match self {
            Self::All => {}
            Self::And(a, b) | Self::Or(a, b) => {
                a.facts(into);
                b.facts(into);
            }
            Self::Not(inner) => inner.facts(into),
            Self::Text(fact, ..)
            | Self::Number(fact, ..)
            | Self::Like(fact, _)
            | Self::Regex(fact, _)
            | Self::In(fact, _)
            | Self::IsNull(fact) => into.push(fact),
        }
    }
}
