//! Macros and their values.

use super::Transaction;
use super::dynamic::is_persistent;
use super::texts::Text;
use crate::operator::leading_number;
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

    /// Calls back with a template, its macros replaced by their values.
    pub(super) fn with_expanded(
        &self,
        rules: &RuleSet,
        template: &Template,
        use_it: &mut dyn FnMut(&[u8]),
    ) {
        if let Some(text) = self.only_variable(rules, template) {
            return use_it(self.texts.get(text));
        }
        let mut out = self.expansion.take();
        out.clear();
        self.expand(rules, template, &mut out);
        use_it(&out);
        self.expansion.replace(out);
    }

    /// The same as a text: that of a variable itself, where the template is nothing else.
    pub(super) fn expanded_text(&mut self, rules: &RuleSet, template: &Template) -> Text {
        if let Some(text) = self.only_variable(rules, template) {
            return text;
        }
        let mut out = self.expansion.take();
        out.clear();
        self.expand(rules, template, &mut out);
        let text = self.texts.add(&out);
        self.expansion.replace(out);
        text
    }

    /// The value of the variable of TX that is all of the template.
    fn only_variable(&self, rules: &RuleSet, template: &Template) -> Option<Text> {
        match template.pieces() {
            [Piece::Macro { variable: Variable::Tx, selector: Some(name) }] => {
                self.variables.tx.get_named(name.as_bytes(), &rules.names, &self.texts)
            }
            _ => None,
        }
    }

    /// The number that a template begins with.
    pub(super) fn expanded_number(&self, rules: &RuleSet, template: &Template) -> i64 {
        let mut value = 0;
        self.with_expanded(rules, template, &mut |text| value = leading_number(text));
        value
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
            (Variable::Tx, Some(name)) => variables.tx.get_named(name, &rules.names, texts),
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
