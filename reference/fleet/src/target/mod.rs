//! Whom an action is for: a condition over facts, as MIG has it, or a list of hosts and tags.
//!
//! ```text
//! status='online' AND environment->>'ident' LIKE 'Debian%'      a condition
//! web*.example.net,db1,tag:role=cache                           a list: one of them is enough
//! all
//! ```

mod expression;
mod parse;
mod token;

use std::fmt;

use edgeproof_agent::Wildcard;
use edgeproof_diagnostics::{Diagnostic, Source};

use crate::facts::{Fact, Facts};
use expression::Expression;

/// Octets of a target; more is no condition that a person wrote.
const MOST: usize = 16 << 10;

/// Chooses agents by their facts.
#[derive(Clone, Debug)]
pub struct Target {
    text: String,
    expression: Expression,
}

impl Target {
    /// Reads a target.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let source = Source::new("target", text);
        if text.len() > MOST {
            let message = format!("a target of more than {MOST} octets");
            return Err(Diagnostic::error(message).at(&source.span(0..0)));
        }
        let expression = match is_list(text) {
            true => list(&source)?,
            false => parse::parse(&source)?,
        };
        Ok(Self { text: text.to_owned(), expression })
    }

    /// Whether an agent is meant. As in SQL a condition about a fact that the agent lacks chooses nobody.
    pub fn takes(&self, facts: &Facts) -> bool {
        self.expression.answer(facts) == Some(true)
    }

    /// Facts that are asked for and that none of these agents has: most likely misspelt.
    pub fn unknown<'t>(&'t self, agents: &[&Facts]) -> Vec<&'t Fact> {
        let mut asked = Vec::new();
        self.expression.facts(&mut asked);
        asked.sort();
        asked.dedup();
        asked.retain(|fact| agents.iter().all(|facts| facts.get(fact).is_none()));
        asked
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A list has none of the signs of a condition.
fn is_list(text: &str) -> bool {
    let text = text.trim();
    let is_condition = |item: &str| item.contains('=') && !item.starts_with("tag:");
    !text.is_empty()
        && text.split(',').all(|item| {
            !is_condition(item.trim())
                && !item.trim().contains(|c: char| c.is_whitespace() || "'\"()<>!~".contains(c))
        })
}

/// `all`, host globs, `tag:KEY`, `tag:KEY=VALUE`, with commas between.
fn list(source: &Source) -> Result<Expression, Diagnostic> {
    let mut whole: Option<Expression> = None;
    let mut at = 0;
    for written in source.text().split(',') {
        let item = written.trim();
        let start = at + (written.len() - written.trim_start().len());
        let span = source.span(start..start + item.len());
        at += written.len() + 1;
        let one = match item.strip_prefix("tag:") {
            None if item.is_empty() => {
                return Err(Diagnostic::error("expected a host").at(&span));
            }
            None if item == "all" => Expression::All,
            None if item == "local" => {
                return Err(Diagnostic::error("`local` is this host, which no fleet has")
                    .at(&span)
                    .help("`edgeproof agent` investigates this host"));
            }
            None => match item.chars().find(|c| !c.is_alphanumeric() && !"._*?-:".contains(*c)) {
                Some(strange) => {
                    let message = format!("`{strange}` is in no host's name");
                    return Err(Diagnostic::error(message)
                        .at(&span)
                        .help("hosts are written web1,db*; tags tag:role=web"));
                }
                None => Expression::Like(Fact::Name, Wildcard::glob(item, true)),
            },
            Some(tag) => match tag.split_once('=') {
                Some(("", _)) | None if tag.is_empty() || tag.starts_with('=') => {
                    return Err(Diagnostic::error("expected a tag's name after `tag:`").at(&span));
                }
                Some((key, value)) => Expression::Text(
                    Fact::Tag(key.to_owned()),
                    &[std::cmp::Ordering::Equal],
                    value.to_owned(),
                ),
                None => Expression::Not(Box::new(Expression::IsNull(Fact::Tag(tag.to_owned())))),
            },
        };
        whole = Some(match whole {
            None => one,
            Some(before) => Expression::Or(Box::new(before), Box::new(one)),
        });
    }
    whole.ok_or_else(|| Diagnostic::error("expected a target").at(&source.span(0..0)))
}

#[cfg(test)]
mod tests;
