//! Reads a target's condition: the part of SQL that MIG's targets use.

use std::cmp::Ordering;
use std::ops::Range;

use edgeproof_agent::Wildcard;
use edgeproof_diagnostics::{Diagnostic, Source, suggest};
use regex::RegexBuilder;

use super::expression::Expression;
use super::token::{Kind, Token, tokens};
use crate::facts::Fact;

/// Conditions within conditions, so that no text exhausts the stack.
const DEPTH: usize = 50;
const COLUMNS: [&str; 6] = ["name", "status", "mode", "version", "environment", "tags"];
const OPERATORS: &str = "=, <>, <, <=, >, >=, LIKE, ILIKE, GLOB, ~, ~*, IN or IS NULL";

/// Reads a whole text.
pub(super) fn parse(source: &Source) -> Result<Expression, Diagnostic> {
    let mut parser = Parser { source, tokens: tokens(source)?, at: 0, depth: 0 };
    let expression = parser.either()?;
    match parser.kind() {
        Kind::End => Ok(expression),
        Kind::Sign(")") => Err(parser.wrong("this `)` closes nothing")),
        _ => Err(parser.wrong("expected AND, OR or the end")),
    }
}

struct Parser<'s> {
    source: &'s Source,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn kind(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.at].at.clone()
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn wrong(&self, message: impl Into<String>) -> Diagnostic {
        self.wrong_at(self.place(), message)
    }

    fn wrong_at(&self, at: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source.span(at))
    }

    /// Takes a key word, in either case.
    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.kind(), Kind::Word(found) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.kind(), Kind::Sign(found) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn either(&mut self) -> Result<Expression, Diagnostic> {
        let mut left = self.both()?;
        while self.word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Expression, Diagnostic> {
        let mut left = self.one()?;
        while self.word("and") {
            left = Expression::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Expression, Diagnostic> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.wrong(format!("more than {DEPTH} conditions within each other")));
        }
        let opened = self.place();
        let expression = if self.word("not") {
            Expression::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let inner = self.either()?;
            if !self.sign(")") {
                let open = self.source.span(opened);
                return Err(self.wrong("expected AND, OR or `)`").context(&open, "opened here"));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// `FACT OPERATOR VALUE`
    fn condition(&mut self) -> Result<Expression, Diagnostic> {
        let fact = self.fact()?;
        if self.word("is") {
            let not = self.word("not");
            if !self.word("null") {
                return Err(self.wrong("expected NULL"));
            }
            return Ok(turned(Expression::IsNull(fact), not));
        }
        let not = self.word("not");
        if self.word("in") {
            return Ok(turned(Expression::In(fact, self.list()?), not));
        }
        for (word, kind) in [("like", "LIKE"), ("ilike", "ILIKE"), ("glob", "GLOB")] {
            if self.word(word) {
                return Ok(turned(Expression::Like(fact, self.pattern(kind)?), not));
            }
        }
        if not {
            return Err(self.wrong("expected LIKE, ILIKE, GLOB or IN after NOT"));
        }
        for (sign, ignores_case, not) in
            [("~", false, false), ("~*", true, false), ("!~", false, true), ("!~*", true, true)]
        {
            if self.sign(sign) {
                return Ok(turned(Expression::Regex(fact, self.regex(ignores_case)?), not));
            }
        }
        self.comparison(fact)
    }

    fn comparison(&mut self, fact: Fact) -> Result<Expression, Diagnostic> {
        use Ordering::{Equal, Greater, Less};
        let orders: &'static [Ordering] = match self.kind() {
            Kind::Sign("=") => &[Equal],
            Kind::Sign("<>" | "!=") => &[Less, Greater],
            Kind::Sign("<") => &[Less],
            Kind::Sign("<=") => &[Less, Equal],
            Kind::Sign(">") => &[Greater],
            Kind::Sign(">=") => &[Greater, Equal],
            _ => return Err(self.wrong(format!("expected {OPERATORS}"))),
        };
        self.next();
        if let Kind::Number(number) = *self.kind() {
            self.next();
            return Ok(Expression::Number(fact, orders, number));
        }
        let (text, at) = self.text()?;
        if let (Fact::Status, "online" | "offline") | (Fact::Mode, "daemon") =
            (&fact, text.as_str())
        {
        } else if matches!(fact, Fact::Status) {
            return Err(self
                .wrong_at(at, format!("no agent has the status '{text}'"))
                .help("it is 'online' or 'offline'"));
        } else if matches!(fact, Fact::Mode) {
            return Err(self
                .wrong_at(at, format!("no agent has the mode '{text}'"))
                .help("it is 'daemon'"));
        }
        Ok(Expression::Text(fact, orders, text))
    }

    /// `name`, `environment->>'ident'`, with `agents.` before it or without.
    fn fact(&mut self) -> Result<Fact, Diagnostic> {
        let Token { kind, at } = self.next();
        let Kind::Word(word) = kind else {
            self.at -= usize::from(kind != Kind::End);
            let message = match kind {
                Kind::End => {
                    "expected a condition: name, status, mode, version, environment or tags"
                }
                _ => "expected a fact: name, status, mode, version, environment or tags",
            };
            return Err(self.wrong_at(at, message));
        };
        if word.eq_ignore_ascii_case("agents") && self.sign(".") {
            return self.fact();
        }
        match word.to_ascii_lowercase().as_str() {
            "name" => Ok(Fact::Name),
            "status" => Ok(Fact::Status),
            "mode" => Ok(Fact::Mode),
            "version" => Ok(Fact::Version),
            "environment" => Ok(Fact::Environment(self.key(&word, "ident")?)),
            "tags" => Ok(Fact::Tag(self.key(&word, "role")?)),
            "and" | "or" => Err(self.wrong_at(at, format!("expected a condition before {word}"))),
            other => {
                let help = match suggest(other, COLUMNS) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("facts are {}", COLUMNS.join(", ")),
                };
                Err(self.wrong_at(at, format!("agents have no `{word}`")).help(help))
            }
        }
    }

    /// `->>'KEY'`
    fn key(&mut self, column: &str, example: &str) -> Result<String, Diagnostic> {
        if self.sign("->") {
            self.at -= 1;
            let error = self.wrong("`->` answers JSON, which is compared with no text");
            return Err(error.help(format!("write {column}->>'{example}'")));
        }
        if !self.sign("->>") {
            let error = self.wrong(format!("expected ->>: `{column}` has many values"));
            return Err(error.help(format!("write {column}->>'{example}'")));
        }
        Ok(self.text()?.0)
    }

    fn text(&mut self) -> Result<(String, Range<usize>), Diagnostic> {
        let Token { kind, at } = self.next();
        match kind {
            Kind::Text(text) => Ok((text, at)),
            Kind::Word(word) => Err(self
                .wrong_at(at, "expected a text in single quotes")
                .help(format!("write '{word}'"))),
            _ => Err(self.wrong_at(at, "expected a text in single quotes")),
        }
    }

    fn pattern(&mut self, kind: &str) -> Result<Wildcard, Diagnostic> {
        let (text, at) = self.text()?;
        match kind {
            "GLOB" => Ok(Wildcard::glob(&text, true)),
            _ => Wildcard::like(&text, kind == "ILIKE").ok_or_else(|| {
                let message = "the pattern ends with a `\\` that has nothing behind it";
                self.wrong_at(at, message).help("a backslash itself is written twice")
            }),
        }
    }

    fn regex(&mut self, ignores_case: bool) -> Result<regex::Regex, Diagnostic> {
        let (text, at) = self.text()?;
        let built =
            RegexBuilder::new(&text).case_insensitive(ignores_case).size_limit(1 << 20).build();
        built.map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.wrong_at(at, format!("no regular expression: {reason}"))
        })
    }

    /// `('a', 'b')`
    fn list(&mut self) -> Result<Vec<String>, Diagnostic> {
        if !self.sign("(") {
            return Err(self.wrong("expected `(` and texts: IN ('a', 'b')"));
        }
        let mut texts = Vec::new();
        loop {
            texts.push(self.text()?.0);
            if self.sign(")") {
                return Ok(texts);
            }
            if !self.sign(",") {
                return Err(self.wrong("expected `,` or `)`"));
            }
        }
    }
}

fn turned(expression: Expression, not: bool) -> Expression {
    if not { Expression::Not(Box::new(expression)) } else { expression }
}
