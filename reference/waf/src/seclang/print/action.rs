//! Actions.

use std::fmt::{self, Display, Formatter};

use super::quotes::{on_off, quoted, ranges, value, worded};
use crate::seclang::action::{
    Action, AllowKind, AuditMode, AuditPartsChange, Collection, Ctl, Mode, SetOperation, SetVar,
};
use crate::seclang::target::Target;
use crate::seclang::template::Template;

impl Action {
    /// The name as the manual writes it.
    pub fn name(&self) -> &'static str {
        parts(self).0
    }
}

impl Display for Action {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (name, text) = parts(self);
        match text {
            Some(text) => write!(formatter, "{name}:{text}"),
            None => formatter.write_str(name),
        }
    }
}

impl Display for Ctl {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (name, text) = match self {
            Self::RuleEngine(mode) => ("ruleEngine", worded(&Mode::WORDS, *mode).to_owned()),
            Self::RuleRemoveById(ids) => ("ruleRemoveById", ranges(ids)),
            Self::RuleRemoveByTag(tag) => ("ruleRemoveByTag", tag.clone()),
            Self::RuleRemoveByMsg(msg) => ("ruleRemoveByMsg", msg.clone()),
            Self::RuleRemoveTargetById { ids, targets } => {
                ("ruleRemoveTargetById", removal(&ranges(ids), targets))
            }
            Self::RuleRemoveTargetByTag { tag, targets } => {
                ("ruleRemoveTargetByTag", removal(tag, targets))
            }
            Self::RuleRemoveTargetByMsg { msg, targets } => {
                ("ruleRemoveTargetByMsg", removal(msg, targets))
            }
            Self::RequestBodyAccess(on) => ("requestBodyAccess", on_off(*on).to_owned()),
            Self::RequestBodyLimit(limit) => ("requestBodyLimit", limit.to_string()),
            Self::ResponseBodyAccess(on) => ("responseBodyAccess", on_off(*on).to_owned()),
            Self::ResponseBodyLimit(limit) => ("responseBodyLimit", limit.to_string()),
            Self::RequestBodyProcessor(one) => ("requestBodyProcessor", one.name().to_owned()),
            Self::ForceRequestBodyVariable(on) => {
                ("forceRequestBodyVariable", on_off(*on).to_owned())
            }
            Self::AuditEngine(mode) => ("auditEngine", worded(&AuditMode::WORDS, *mode).to_owned()),
            Self::AuditLogParts(change) => ("auditLogParts", change.to_string()),
            Self::DebugLogLevel(level) => ("debugLogLevel", level.to_string()),
        };
        write!(formatter, "{name}={text}")
    }
}

impl Display for AuditPartsChange {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(parts) => parts.fmt(formatter),
            Self::Add(parts) => write!(formatter, "+{parts}"),
            Self::Remove(parts) => write!(formatter, "-{parts}"),
        }
    }
}

impl Display for SetVar {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (name, variable) = (&self.name, of(self.collection));
        match &self.operation {
            SetOperation::Set(value) => write!(formatter, "{variable}.{name}={value}"),
            SetOperation::Add(value) => write!(formatter, "{variable}.{name}=+{value}"),
            SetOperation::Subtract(value) => write!(formatter, "{variable}.{name}=-{value}"),
            SetOperation::Delete => write!(formatter, "!{variable}.{name}"),
        }
    }
}

/// The name of an action and its value as it is written behind the colon.
fn parts(action: &Action) -> (&'static str, Option<String>) {
    let text = |name, text: &str| (name, Some(quoted(text)));
    let template = |name, template: &Template| (name, Some(quoted(&template.to_string())));
    let short = |name, text: &dyn Display| (name, Some(value(&text.to_string())));
    let own = |name, text: String| (name, Some(quoted(&text)));
    match action {
        Action::Id(id) => short("id", id),
        Action::Phase(phase) => short("phase", &phase.number()),
        Action::Chain => ("chain", None),
        Action::Capture => ("capture", None),
        Action::MultiMatch => ("multiMatch", None),
        Action::Msg(msg) => template("msg", msg),
        Action::LogData(data) => template("logdata", data),
        Action::Tag(tag) => template("tag", tag),
        Action::Ver(version) => text("ver", version),
        Action::Rev(revision) => text("rev", revision),
        Action::Severity(severity) => text("severity", severity.name()),
        Action::Maturity(number) => short("maturity", number),
        Action::Accuracy(number) => short("accuracy", number),
        Action::Log => ("log", None),
        Action::NoLog => ("nolog", None),
        Action::AuditLog => ("auditlog", None),
        Action::NoAuditLog => ("noauditlog", None),
        Action::Pass => ("pass", None),
        Action::Block => ("block", None),
        Action::Deny => ("deny", None),
        Action::Drop => ("drop", None),
        Action::Allow(AllowKind::All) => ("allow", None),
        Action::Allow(AllowKind::Phase) => short("allow", &"phase"),
        Action::Allow(AllowKind::Request) => short("allow", &"request"),
        Action::Redirect(place) => template("redirect", place),
        Action::Status(status) => short("status", status),
        Action::Skip(rules) => short("skip", rules),
        Action::SkipAfter(marker) => short("skipAfter", marker),
        Action::Transform(transformation) => short("t", &transformation.name()),
        Action::TransformNone => short("t", &"none"),
        Action::SetVar(change) => text("setvar", &change.to_string()),
        Action::Ctl(ctl) => short("ctl", ctl),
        Action::Pause(time) => short("pause", time),
        Action::ExpireVar { collection, name, seconds } => {
            own("expirevar", format!("{}.{name}={seconds}", of(*collection)))
        }
        Action::DeprecateVar { collection, name, amount, seconds } => {
            own("deprecatevar", format!("{}.{name}={amount}/{seconds}", of(*collection)))
        }
        Action::InitCol { collection, key } => own("initcol", format!("{}={key}", of(*collection))),
        Action::SetSid(name) => own("setsid", name.to_string()),
        Action::SetUid(name) => own("setuid", name.to_string()),
        Action::SetRsc(name) => own("setrsc", name.to_string()),
        Action::SetEnv { name, value: Some(value) } => own("setenv", format!("{name}={value}")),
        Action::SetEnv { name, value: None } => own("setenv", format!("!{name}")),
        Action::SanitiseArg(name) => own("sanitiseArg", name.clone()),
        Action::SanitiseMatchedBytes { first, last } => {
            own("sanitiseMatchedBytes", format!("{first}/{last}"))
        }
        Action::SanitiseRequestHeader(name) => own("sanitiseRequestHeader", name.clone()),
        Action::SanitiseResponseHeader(name) => own("sanitiseResponseHeader", name.clone()),
        Action::Xmlns { prefix, uri } => own("xmlns", format!("{prefix}={uri}")),
        Action::SanitiseMatched => ("sanitiseMatched", None),
    }
}

/// The name of a collection as rules write it.
fn of(collection: Collection) -> String {
    collection.variable().name().to_lowercase()
}

fn removal(rules: &str, targets: &[Target]) -> String {
    let targets: Vec<_> = targets.iter().map(Target::to_string).collect();
    format!("{rules};{}", targets.join(","))
}
