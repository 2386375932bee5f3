//! How a rule is called and what it does: its actions and those of its phase's default action, the
//! later of two counting.

use super::draft::DraftLink;
use super::rule::{Disruptive, Rule};
use crate::seclang::Action;

/// Puts in what the first link of a rule says.
pub(super) fn describe(rule: &mut Rule, link: &DraftLink) {
    let mut tags = Vec::new();
    for action in &*link.defaults {
        take(rule, &action.value, &Disruptive::Pass, &mut tags);
    }
    let inherited = rule.disruptive.clone();
    for action in &link.actions {
        take(rule, &action.value, &inherited, &mut tags);
    }
    rule.tags = tags.into();
}

fn take(
    rule: &mut Rule,
    action: &Action,
    inherited: &Disruptive,
    tags: &mut Vec<crate::seclang::Template>,
) {
    match action {
        Action::Msg(msg) => rule.msg = Some(msg.clone()),
        Action::LogData(data) => rule.logdata = Some(data.clone()),
        Action::Tag(tag) => tags.push(tag.clone()),
        Action::Ver(ver) => rule.ver = Some(ver.as_str().into()),
        Action::Rev(rev) => rule.rev = Some(rev.as_str().into()),
        Action::Severity(severity) => rule.severity = Some(*severity),
        Action::Maturity(maturity) => rule.maturity = Some(*maturity),
        Action::Accuracy(accuracy) => rule.accuracy = Some(*accuracy),
        Action::Log => rule.log = true,
        Action::NoLog => (rule.log, rule.auditlog) = (false, false),
        Action::AuditLog => rule.auditlog = true,
        Action::NoAuditLog => rule.auditlog = false,
        Action::Pass => rule.disruptive = Disruptive::Pass,
        Action::Block => rule.disruptive = inherited.clone(),
        Action::Deny => rule.disruptive = Disruptive::Deny,
        Action::Drop => rule.disruptive = Disruptive::Drop,
        Action::Redirect(location) => rule.disruptive = Disruptive::Redirect(location.clone()),
        Action::Allow(kind) => rule.disruptive = Disruptive::Allow(*kind),
        Action::Status(status) => rule.status = Some(*status),
        Action::Skip(count) => rule.skip = *count,
        _ => {}
    }
}
