//! Macros and their values.

use super::Transaction;
use super::dynamic::is_persistent;
use crate::rules::RuleSet;
use crate::seclang::{Piece, Template};
use crate::variable::Variable;

impl Transaction {
    /// A template with its macros replaced by their values.
    pub(super) fn expanded(&self, rules: &RuleSet, template: &Template) -> Vec<u8> {
        let mut out = Vec::new();
        self.expand(rules, template, &mut out);
        out
    }

    /// Appends a template, its macros replaced by their values. What has no value is nothing.
    pub(super) fn expand(&self, rules: &RuleSet, template: &Template, out: &mut Vec<u8>) {
        for piece in template.pieces() {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Macro { variable, selector } => {
                    let member = selector.as_ref().map(String::as_bytes);
                    self.write_variable(rules, *variable, member, out);
                }
            }
        }
    }

    /// Appends the value of a variable; the first where there are several.
    fn write_variable(
        &self,
        rules: &RuleSet,
        variable: Variable,
        member: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) {
        let (texts, variables) = (&self.texts, &self.variables);
        let text = match (variable, member) {
            (Variable::Tx, Some(name)) => variables.tx.get_named(name, &rules.names),
            (Variable::Tx, None) => variables.tx.iter().next().map(|(_, text)| text),
            (Variable::Xml, _) => variables.xml.iter().flatten().next().copied(),
            (Variable::MatchedVars | Variable::MatchedVarsNames, _) => {
                if let Some(first) = variables.all_matched.first() {
                    match variable {
                        Variable::MatchedVars => out.extend_from_slice(texts.get(first.text)),
                        _ => first.write_name(texts, &rules.names, out),
                    }
                }
                return;
            }
            _ if is_persistent(variable) => {
                let held = variables.held(variable);
                let value = held.and_then(|held| match member {
                    Some(name) => held.get(name),
                    None => held.iter().next().map(|(_, value)| value),
                });
                return out.extend_from_slice(value.unwrap_or_default());
            }
            _ if self.is_dynamic(variable) => {
                self.write_dynamic(rules, variable, member, out);
                return;
            }
            _ => variables.first(variable, member, texts),
        };
        if let Some(text) = text {
            out.extend_from_slice(texts.get(text));
        }
    }
}
