//! What a rule that matched does to the request, and says about it.

use super::Transaction;
use super::outcome::{Did, Match, Verdict};
use super::value::Value;
use crate::rules::{Disruptive, Rule, RuleSet};
use crate::seclang::{AllowKind, Mode, Phase, Template};

/// How many matches are kept in full. Beyond that only the first of each rule is.
const LISTED: usize = 1000;
/// How much of a value is kept for logs.
const SHOWN: usize = 4096;

impl Transaction {
    /// The last link of a rule matched a value.
    pub(super) fn conclude(&mut self, rules: &RuleSet, rule: &Rule, value: Value) {
        self.fired.push(rule.number);
        self.relevant |= rule.auditlog;
        let (did, verdict) = self.decide(rules, rule);
        if rule.log || rule.auditlog {
            self.note(rules, rule, value, did);
        }
        match did {
            Did::Warn => {}
            Did::Allow => self.stopped = true,
            Did::Deny(_) | Did::Drop | Did::Redirect(_) => {
                self.stopped = true;
                self.verdict = verdict;
            }
        }
    }

    /// What the rule does, which is nothing where the engine only detects, and when all is over.
    fn decide(&mut self, rules: &RuleSet, rule: &Rule) -> (Did, Verdict) {
        if self.controls.mode != Mode::On || self.phase == Some(Phase::Logging) {
            return (Did::Warn, Verdict::Pass);
        }
        let id = rule.id;
        match &rule.disruptive {
            Disruptive::Pass => (Did::Warn, Verdict::Pass),
            Disruptive::Deny => {
                let status = rule.status.unwrap_or(403);
                (Did::Deny(status), Verdict::Deny { status, rule: id })
            }
            Disruptive::Drop => (Did::Drop, Verdict::Drop { rule: id }),
            Disruptive::Redirect(location) => {
                let status = rule.status.filter(|status| matches!(status, 301..=303 | 307 | 308));
                let status = status.unwrap_or(302);
                let location = self.expanded(rules, location);
                (Did::Redirect(status), Verdict::Redirect { status, location, rule: id })
            }
            Disruptive::Allow(kind) => {
                self.allowed = match kind {
                    AllowKind::Phase => self.allowed,
                    AllowKind::Request | AllowKind::All => Some(*kind),
                };
                (Did::Allow, Verdict::Pass)
            }
        }
    }

    /// Keeps the match for the logs.
    fn note(&mut self, rules: &RuleSet, rule: &Rule, value: Value, did: Did) {
        if self.matches.len() >= LISTED && self.noted.contains(rule.number) {
            self.unlisted += 1;
            return;
        }
        self.noted.insert(rule.number);
        let text = |template: &Option<Template>| {
            template.as_ref().map(|template| self.expanded(rules, template)).unwrap_or_default()
        };
        let mut variable = Vec::new();
        value.write_name(&self.texts, &rules.names, &mut variable);
        let shown = self.texts.get(value.text);
        let noted = Match {
            rule: rule.id,
            phase: rule.phase,
            message: text(&rule.msg),
            data: text(&rule.logdata),
            tags: rule.tags.iter().map(|tag| self.expanded(rules, tag)).collect(),
            severity: rule.severity,
            ver: rule.ver.clone(),
            rev: rule.rev.clone(),
            maturity: rule.maturity,
            accuracy: rule.accuracy,
            file: rule.span.source().path().into(),
            line: rule.span.position().line,
            variable,
            value: shown[..shown.len().min(SHOWN)].to_vec(),
            did,
            log: rule.log,
            auditlog: rule.auditlog,
        };
        self.matches.push(noted);
    }
}
