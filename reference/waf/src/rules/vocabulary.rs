//! The names, paths and variables that rules speak of, gathered before rules are compiled.

use super::draft::{Draft, DraftLink, Drafts};
use crate::body::xml::XPath;
use crate::plan::VariableSet;
use crate::seclang::{Action, Ctl, Piece, Selector, SetOperation, Target, Template};
use crate::transaction::Names;
use crate::variable::Variable;

/// What rules speak of.
#[derive(Debug)]
pub(super) struct Vocabulary {
    /// The names of TX.
    pub(super) names: Names,
    /// The XPaths, with how they are written.
    pub(super) paths: Vec<(String, XPath)>,
    /// The variables that are looked at or written into texts.
    pub(super) used: VariableSet,
}

impl Vocabulary {
    /// That of these rules.
    pub(super) fn of(drafts: &Drafts) -> Self {
        let mut vocabulary =
            Self { names: Names::new(), paths: Vec::new(), used: VariableSet::NONE };
        for link in drafts.rules.iter().flat_map(|rule: &Draft| &rule.links) {
            vocabulary.take_link(link);
        }
        vocabulary
    }

    /// The number of a path. None where it is no path.
    pub(super) fn path(&self, written: &str) -> Option<usize> {
        self.paths.iter().position(|(known, _)| known == written)
    }

    fn take_link(&mut self, link: &DraftLink) {
        for target in &link.targets {
            self.take_target(&target.value);
        }
        if let Some(operator) = &link.operator {
            self.take_template(&Template::parse_pattern(&operator.value.argument));
        }
        for action in link.all() {
            self.take_action(&action.value);
        }
    }

    fn take_target(&mut self, target: &Target) {
        self.used.insert(target.variable);
        match &target.selector {
            Selector::Name(name) if target.variable == Variable::Tx => {
                self.names.intern(name);
            }
            Selector::XPath(written) if self.path(written).is_none() => {
                // A path that is none is told when the rule is compiled.
                if let Ok(path) = XPath::parse(written) {
                    self.paths.push((written.clone(), path));
                }
            }
            _ => {}
        }
    }

    fn take_template(&mut self, template: &Template) {
        for piece in template.pieces() {
            let Piece::Macro { variable, selector } = piece else { continue };
            self.used.insert(*variable);
            if let (Variable::Tx, Some(name)) = (variable, selector) {
                self.names.intern(name.as_bytes());
            }
        }
    }

    fn take_action(&mut self, action: &Action) {
        match action {
            Action::SetVar(set) => {
                if let (Variable::Tx, Some(name)) = (set.collection.variable(), set.name.literal())
                {
                    self.names.intern(name.as_bytes());
                }
                self.take_template(&set.name);
                match &set.operation {
                    SetOperation::Set(value)
                    | SetOperation::Add(value)
                    | SetOperation::Subtract(value) => self.take_template(value),
                    SetOperation::Delete => {}
                }
            }
            Action::Msg(template)
            | Action::LogData(template)
            | Action::Tag(template)
            | Action::Redirect(template)
            | Action::SetSid(template)
            | Action::SetUid(template)
            | Action::SetRsc(template)
            | Action::InitCol { key: template, .. } => self.take_template(template),
            Action::ExpireVar { name, seconds, .. } => {
                self.take_template(name);
                self.take_template(seconds);
            }
            Action::SetEnv { name, value } => {
                self.take_template(name);
                if let Some(value) = value {
                    self.take_template(value);
                }
            }
            Action::Ctl(
                Ctl::RuleRemoveTargetById { targets, .. }
                | Ctl::RuleRemoveTargetByTag { targets, .. }
                | Ctl::RuleRemoveTargetByMsg { targets, .. },
            ) => {
                for target in targets {
                    self.take_target(target);
                }
            }
            _ => {}
        }
    }
}
