//! Variables that are made when they are asked for: time, names of what matched, what other
//! transactions left, the rule itself.

use super::Transaction;
use super::value::Value;
use super::variables::full_name;
use crate::rules::{Rule, RuleSet, Selection, Target, spelled};
use crate::variable::Variable;

impl Transaction {
    /// Whether the values of a variable are made when they are asked for.
    pub(super) fn is_dynamic(&self, variable: Variable) -> bool {
        matches!(variable, Variable::Rule | Variable::MatchedVarsNames)
            || is_persistent(variable)
            || is_computed(variable)
    }

    /// Appends the values of such a variable.
    pub(super) fn collect_dynamic(
        &mut self,
        rules: &RuleSet,
        target: &Target,
        out: &mut Vec<Value>,
    ) {
        let variable = target.variable;
        if variable == Variable::MatchedVarsNames {
            self.collect_matched_names(rules, target, out);
        } else if is_persistent(variable) {
            self.collect_persistent(target, out);
        } else {
            let member = match &target.selection {
                Selection::Name(name) => Some(&name[..]),
                _ => None,
            };
            let mut text = Vec::new();
            if self.write_dynamic(rules, variable, member, &mut text) {
                out.push(Value::single(variable, self.texts.add(&text)));
            }
        }
    }

    fn collect_matched_names(&mut self, rules: &RuleSet, target: &Target, out: &mut Vec<Value>) {
        for at in 0..self.variables.all_matched.len() {
            let value = self.variables.all_matched[at];
            let name = full_name(&value, &self.texts, &rules.names);
            if target.takes_all() || target.takes(&name) {
                out.push(Value { text: self.texts.add(&name), ..value });
            }
        }
    }

    fn collect_persistent(&mut self, target: &Target, out: &mut Vec<Value>) {
        let Self { variables, texts, .. } = self;
        let Some(held) = variables.held(target.variable) else { return };
        for (name, value) in held.iter().filter(|(name, _)| target.takes(name)) {
            let (name, value) = (texts.add(name), texts.add(value));
            out.push(Value::member(target.variable, name, value));
        }
    }

    /// Appends the value of a variable that is computed, and says whether it has one.
    pub(super) fn write_dynamic(
        &self,
        rules: &RuleSet,
        variable: Variable,
        member: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> bool {
        let civil = || self.now.civil();
        let text = match variable {
            Variable::MatchedVarName => match &self.variables.matched {
                Some(matched) => {
                    matched.write_name(&self.texts, &rules.names, out);
                    return true;
                }
                None => return false,
            },
            Variable::Rule => {
                let current = self.current.map(|number| rules.rule(number));
                return current.is_some_and(|rule| write_rule(rule, member, out));
            }
            Variable::FullRequest => {
                self.write_full_request(out);
                return true;
            }
            Variable::FullRequestLength => {
                let mut whole = Vec::new();
                self.write_full_request(&mut whole);
                whole.len().to_string()
            }
            Variable::HighestSeverity => self.highest_severity.to_string(),
            Variable::Duration => {
                (self.now.unix_micros - self.started.unix_micros).max(0).to_string()
            }
            Variable::Time => civil().strftime("%Y%m%d%H%M%S").to_string(),
            Variable::TimeDay => format!("{:02}", civil().day()),
            Variable::TimeEpoch => self.now.unix_seconds().to_string(),
            Variable::TimeHour => format!("{:02}", civil().hour()),
            Variable::TimeMin => format!("{:02}", civil().minute()),
            Variable::TimeMon => format!("{:02}", civil().month()),
            Variable::TimeSec => format!("{:02}", civil().second()),
            Variable::TimeWday => civil().weekday().to_sunday_zero_offset().to_string(),
            Variable::TimeYear => format!("{:04}", civil().year()),
            _ => return false,
        };
        out.extend_from_slice(text.as_bytes());
        true
    }

    /// FULL_REQUEST: the request line, an empty line, the header fields and the body, as
    /// ModSecurity puts them together.
    fn write_full_request(&self, out: &mut Vec<u8>) {
        if let Some(line) = self.variables.single(Variable::RequestLine) {
            out.extend_from_slice(self.texts.get(line));
        }
        out.extend_from_slice(b"\n\n");
        for header in &self.variables.request_headers {
            out.extend_from_slice(self.texts.get(header.name));
            out.extend_from_slice(b": ");
            out.extend_from_slice(self.texts.get(header.value));
            out.push(b'\n');
        }
        out.push(b'\n');
        out.extend_from_slice(self.body.received(&self.texts));
    }
}

/// IP, GLOBAL, SESSION, USER, RESOURCE.
pub(super) fn is_persistent(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Ip | Variable::Global | Variable::Session | Variable::User | Variable::Resource
    )
}

/// Computed, and not a member of anything.
fn is_computed(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Duration
            | Variable::FullRequest
            | Variable::FullRequestLength
            | Variable::HighestSeverity
            | Variable::MatchedVarName
            | Variable::Time
            | Variable::TimeDay
            | Variable::TimeEpoch
            | Variable::TimeHour
            | Variable::TimeMin
            | Variable::TimeMon
            | Variable::TimeSec
            | Variable::TimeWday
            | Variable::TimeYear
    )
}

/// RULE.id and its siblings. `msg` and `logdata` are as written in the rule, macros included.
fn write_rule(rule: &Rule, member: Option<&[u8]>, out: &mut Vec<u8>) -> bool {
    let Some(member) = member.map(<[u8]>::to_ascii_lowercase) else { return false };
    let text = match &member[..] {
        b"id" => Some(rule.id.to_string()),
        b"rev" => rule.rev.as_deref().map(str::to_owned),
        b"ver" => rule.ver.as_deref().map(str::to_owned),
        b"severity" => rule.severity.map(|severity| (severity as u8).to_string()),
        b"maturity" => rule.maturity.map(|maturity| maturity.to_string()),
        b"accuracy" => rule.accuracy.map(|accuracy| accuracy.to_string()),
        b"msg" => rule.msg.as_ref().map(spelled),
        b"logdata" => rule.logdata.as_ref().map(spelled),
        _ => None,
    };
    let found = text.is_some();
    out.extend_from_slice(text.unwrap_or_default().as_bytes());
    found
}
