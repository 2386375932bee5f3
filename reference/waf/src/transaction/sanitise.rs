//! What must not stand in the audit log.

use super::Transaction;
use super::value::Value;
use crate::rules::{RuleSet, Sanitise};
use crate::variable::Variable;

impl Transaction {
    /// Notes what to leave out.
    pub(super) fn sanitise(&mut self, sanitise: Sanitise) {
        if !self.sanitised.contains(&sanitise) {
            self.sanitised.push(sanitise);
        }
    }

    /// sanitiseMatched: the argument or the header field that just matched.
    pub(super) fn sanitise_value(&mut self, rules: &RuleSet, value: Value) {
        let Some(name) = value.member_name(&self.texts, &rules.names) else { return };
        let name = String::from_utf8_lossy(name).into();
        let sanitise = match value.variable {
            Variable::Args
            | Variable::ArgsNames
            | Variable::ArgsGet
            | Variable::ArgsGetNames
            | Variable::ArgsPost
            | Variable::ArgsPostNames => Sanitise::Argument(name),
            Variable::RequestHeaders | Variable::RequestHeadersNames => {
                Sanitise::RequestHeader(name)
            }
            Variable::ResponseHeaders | Variable::ResponseHeadersNames => {
                Sanitise::ResponseHeader(name)
            }
            _ => return,
        };
        self.sanitise(sanitise);
    }
}
