//! Reading a rule's actions.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Span, Spanned, suggest};

use super::ctl::ctl;
use super::value::{number, one_of};
use super::variables::{deprecate_var, expire_var, init_col, set_env, set_var, xmlns};
use super::{Action, AllowKind, Phase, Severity};
use crate::seclang::list::{Item, items};
use crate::seclang::template::Template;
use crate::seclang::text::Text;
use crate::transform::Transformation;

/// The actions of a rule as far as they could be read.
#[derive(Debug, Default)]
pub(in crate::seclang) struct ActionList {
    pub(in crate::seclang) actions: Vec<Spanned<Action>>,
    /// Names of the actions that could not be read; they are there, so nobody should miss them.
    unread: Vec<String>,
    /// The list broke off: what it holds is not known.
    pub(in crate::seclang) broken: bool,
}

impl ActionList {
    /// Where the first action of this kind was written.
    pub(in crate::seclang) fn find(&self, is: impl Fn(&Action) -> bool) -> Option<&Span> {
        self.actions.iter().find(|it| is(&it.value)).map(|it| &it.span)
    }

    /// Whether an action of this name is there, or may be.
    pub(in crate::seclang) fn may_have(&self, name: &str, is: impl Fn(&Action) -> bool) -> bool {
        self.broken
            || self.find(is).is_some()
            || self.unread.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Whether one could not be read.
    pub(in crate::seclang) fn has_unread(&self) -> bool {
        self.broken || !self.unread.is_empty()
    }
}

/// What an action does with its value.
#[derive(Clone, Copy)]
enum Reading {
    /// It has none.
    Bare(Action0),
    /// It needs one.
    Value(fn(&Text, &Diagnostics) -> Option<Action>),
    /// It may have one.
    Either(Action0, fn(&Text, &Diagnostics) -> Option<Action>),
    /// This engine has not got it, and why.
    Refused(&'static str),
}

/// An action without a value.
type Action0 = fn() -> Action;

use Reading::{Bare, Either, Refused, Value};

const CONTENT: &str = "bodies are inspected, never rewritten";

/// Every action.
const ACTIONS: [(&str, Reading); 47] = [
    ("accuracy", Value(|it, to| number(it, 0..=9, "the accuracy", to).map(Action::Accuracy))),
    ("allow", Either(|| Action::Allow(AllowKind::All), allow)),
    ("append", Refused(CONTENT)),
    ("auditlog", Bare(|| Action::AuditLog)),
    ("block", Bare(|| Action::Block)),
    ("capture", Bare(|| Action::Capture)),
    ("chain", Bare(|| Action::Chain)),
    ("ctl", Value(|it, to| ctl(it, to).map(Action::Ctl))),
    ("deny", Bare(|| Action::Deny)),
    ("deprecatevar", Value(deprecate_var)),
    ("drop", Bare(|| Action::Drop)),
    ("exec", Refused("rules start no programs")),
    ("expirevar", Value(expire_var)),
    ("id", Value(|it, to| number(it, 1..=ID_MAX, "the id of a rule", to).map(Action::Id))),
    ("initcol", Value(init_col)),
    ("log", Bare(|| Action::Log)),
    ("logdata", Value(|it, to| Template::read(it, to).map(Action::LogData))),
    ("maturity", Value(|it, to| number(it, 0..=9, "the maturity", to).map(Action::Maturity))),
    ("msg", Value(|it, to| Template::read(it, to).map(Action::Msg))),
    ("multiMatch", Bare(|| Action::MultiMatch)),
    ("noauditlog", Bare(|| Action::NoAuditLog)),
    ("nolog", Bare(|| Action::NoLog)),
    ("pass", Bare(|| Action::Pass)),
    ("pause", Value(|it, to| Template::read(it, to).map(Action::Pause))),
    ("phase", Value(|it, to| phase(it, to).map(Action::Phase))),
    ("prepend", Refused(CONTENT)),
    ("proxy", Refused("whom a request goes to is the proxy's business, not a rule's")),
    ("redirect", Value(|it, to| Template::read(it, to).map(Action::Redirect))),
    ("rev", Value(|it, _| Some(Action::Rev(own(it))))),
    ("sanitiseArg", Value(|it, _| Some(Action::SanitiseArg(own(it))))),
    ("sanitiseMatched", Bare(|| Action::SanitiseMatched)),
    ("sanitiseMatchedBytes", Either(|| bytes(0, 0), matched_bytes)),
    ("sanitiseRequestHeader", Value(|it, _| Some(Action::SanitiseRequestHeader(own(it))))),
    ("sanitiseResponseHeader", Value(|it, _| Some(Action::SanitiseResponseHeader(own(it))))),
    ("setenv", Value(set_env)),
    ("setrsc", Value(|it, to| Template::read(it, to).map(Action::SetRsc))),
    ("setsid", Value(|it, to| Template::read(it, to).map(Action::SetSid))),
    ("setuid", Value(|it, to| Template::read(it, to).map(Action::SetUid))),
    ("setvar", Value(set_var)),
    ("severity", Value(|it, to| severity(it, to).map(Action::Severity))),
    ("skip", Value(|it, to| number(it, 1..=u32::MAX, "how many to skip", to).map(Action::Skip))),
    ("skipAfter", Value(|it, _| Some(Action::SkipAfter(own(it))))),
    (
        "status",
        Value(|it, to| number(it, 200..=599, "a final status code", to).map(Action::Status)),
    ),
    ("t", Value(transformation)),
    ("tag", Value(|it, to| Template::read(it, to).map(Action::Tag))),
    ("ver", Value(|it, _| Some(Action::Ver(own(it))))),
    ("xmlns", Value(xmlns)),
];

/// The greatest id of a rule, as in ModSecurity.
const ID_MAX: u64 = i64::MAX as u64;

/// Reads a list of actions.
pub(in crate::seclang) fn actions(text: &Text, diagnostics: &Diagnostics) -> ActionList {
    let mut list = ActionList::default();
    let Some(items) = items(text, diagnostics) else {
        list.broken = true;
        return list;
    };
    let mut before: Option<&Item> = None;
    for item in &items {
        match action(item, before, diagnostics) {
            Some(action) => list.actions.push(item.whole.hold(action)),
            None => list.unread.push(item.name.as_str().to_owned()),
        }
        before = Some(item);
    }
    list
}

fn action(item: &Item, before: Option<&Item>, diagnostics: &Diagnostics) -> Option<Action> {
    let written = item.name.as_str();
    let told = |diagnostic| {
        diagnostics.push(diagnostic);
        None
    };
    let known = ACTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&british(written)));
    let Some((name, reading)) = known else { return told(unknown(item, before)) };
    match (reading, &item.value) {
        (Refused(why), _) => told(
            Diagnostic::error(format!("the action {name} is not supported"))
                .at(&item.name.span())
                .with_note(*why),
        ),
        (Bare(action) | Either(action, _), None) => Some(action()),
        (Value(read) | Either(_, read), Some(value)) => read(value, diagnostics),
        (Bare(_), Some(value)) => told(
            Diagnostic::error(format!("the action {name} has no value"))
                .label(&value.span(), "take this away")
                .context(&item.name.span(), "in this action"),
        ),
        (Value(_), None) => told(
            Diagnostic::error(format!("the action {name} needs a value"))
                .at(&item.name.span())
                .help(format!("it is written {name}:VALUE")),
        ),
    }
}

/// The spelling of the manual's first editions.
fn british(name: &str) -> String {
    match name.get(..8) {
        Some(start) if start.eq_ignore_ascii_case("sanitize") => format!("sanitise{}", &name[8..]),
        _ => name.to_owned(),
    }
}

fn unknown(item: &Item, before: Option<&Item>) -> Diagnostic {
    let written = item.name.as_str();
    if written.is_empty() {
        return Diagnostic::error("the name of an action is missing").at(&item.whole.span());
    }
    let near = suggest(written, ACTIONS.iter().map(|(name, _)| *name));
    let help = near.map(|near| format!("did you mean `{near}`?")).or_else(|| {
        // `msg:two words`: the second one is taken for an action.
        let cut = before.filter(|it| it.value.is_some() && !it.quoted)?;
        let name = cut.name.as_str();
        Some(format!("a value with blanks or commas stands in single quotes: {name}:'…'"))
    });
    Diagnostic::error(format!("unknown action `{written}`")).at(&item.name.span()).maybe_help(help)
}

fn own(text: &Text) -> String {
    text.as_str().to_owned()
}

fn allow(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let words = [("phase", AllowKind::Phase), ("request", AllowKind::Request)];
    one_of(text, &words, diagnostics).map(Action::Allow)
}

fn phase(text: &Text, diagnostics: &Diagnostics) -> Option<Phase> {
    let words = [
        ("request", Phase::RequestBody),
        ("response", Phase::ResponseBody),
        ("logging", Phase::Logging),
    ];
    let written = text.as_str();
    let named = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(written)).map(|it| it.1);
    let found =
        named.or_else(|| Phase::ALL.into_iter().find(|one| one.number().to_string() == written));
    if found.is_none() {
        diagnostics.push(
            Diagnostic::error(format!("there is no phase `{written}`"))
                .at(&text.span())
                .help("it is 1 to 5, or one of request (2), response (4) and logging (5)"),
        );
    }
    found
}

fn severity(text: &Text, diagnostics: &Diagnostics) -> Option<Severity> {
    let written = text.as_str();
    if let Some(one) = Severity::ALL.into_iter().find(|one| one.number().to_string() == written) {
        return Some(one);
    }
    one_of(text, &Severity::ALL.map(|one| (one.name(), one)), diagnostics)
}

fn transformation(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let written = text.as_str();
    if written.eq_ignore_ascii_case("none") {
        return Some(Action::TransformNone);
    }
    let found = Transformation::named(written);
    if found.is_none() {
        let names = Transformation::names().chain(["none"]);
        diagnostics.push(
            Diagnostic::error(format!("unknown transformation `{written}`"))
                .at(&text.span())
                .maybe_help(suggest(written, names).map(|near| format!("did you mean `{near}`?"))),
        );
    }
    found.map(Action::Transform)
}

fn bytes(first: u32, last: u32) -> Action {
    Action::SanitiseMatchedBytes { first, last }
}

/// `first/last`.
fn matched_bytes(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let read = |it: &Text| number(it, 0..=u32::MAX, "how many bytes stay", diagnostics);
    match text.split_at(|it| it == '/') {
        Some((first, last)) => {
            let (first, last) = (read(&first), read(&last));
            Some(bytes(first?, last?))
        }
        None => Some(bytes(read(text)?, 0)),
    }
}
