//! Actions that change collections: `setvar`, `expirevar`, `deprecatevar`, `initcol`, `setenv`.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, suggest};

use super::Action;
use super::value::number;
use crate::seclang::template::Template;
use crate::seclang::text::Text;
use crate::variable::Variable;

/// A collection that rules can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// The transaction's own.
    Tx,
    /// Persistent, shared by all.
    Global,
    /// Persistent, of a client address.
    Ip,
    /// Persistent, of a resource.
    Resource,
    /// Persistent, of a session.
    Session,
    /// Persistent, of a user.
    User,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Tx, Self::Global, Self::Ip, Self::Resource, Self::Session, Self::User];

    /// The variable by which rules look at it.
    pub fn variable(self) -> Variable {
        match self {
            Self::Tx => Variable::Tx,
            Self::Global => Variable::Global,
            Self::Ip => Variable::Ip,
            Self::Resource => Variable::Resource,
            Self::Session => Variable::Session,
            Self::User => Variable::User,
        }
    }
}

/// A change of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetVar {
    /// The collection.
    pub collection: Collection,
    /// The variable in it; looked up without regard to case.
    pub name: Template,
    /// What becomes of it.
    pub operation: SetOperation,
}

/// What `setvar` does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SetOperation {
    /// `=`: sets the value. A variable without `=` is set to 1.
    Set(Template),
    /// `=+`: adds a number.
    Add(Template),
    /// `=-`: takes a number away.
    Subtract(Template),
    /// `!`: removes it.
    Delete,
}

/// `tx.name=value`, `tx.name=+1`, `!tx.name`.
pub(super) fn set_var(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let delete = text.as_str().starts_with('!');
    let text = text.from(usize::from(delete));
    let (target, value) = match text.split_at(|it| it == '=') {
        Some((target, value)) => (target, Some(value)),
        None => (text, None),
    };
    if let (true, Some(value)) = (delete, &value) {
        diagnostics.push(
            Diagnostic::error("a variable is either removed (!) or set (=)").at(&value.span()),
        );
        return None;
    }
    let variable = variable(&target, diagnostics);
    let operation = match &value {
        _ if delete => Some(SetOperation::Delete),
        None => Template::parse("1").ok().map(SetOperation::Set),
        Some(value) => operation(value, diagnostics),
    };
    let (collection, name) = variable?;
    Some(Action::SetVar(SetVar { collection, name, operation: operation? }))
}

fn operation(value: &Text, diagnostics: &Diagnostics) -> Option<SetOperation> {
    let read = |value: &Text| Template::read(value, diagnostics);
    match value.as_str().as_bytes().first() {
        Some(b'+') => read(&value.from(1)).map(SetOperation::Add),
        Some(b'-') => read(&value.from(1)).map(SetOperation::Subtract),
        _ => read(value).map(SetOperation::Set),
    }
}

/// `ip.name=seconds`.
pub(super) fn expire_var(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let (target, value) = assignment(text, "ip.name=60", diagnostics)?;
    let variable = variable(&target, diagnostics);
    let seconds = Template::read(&value, diagnostics)?;
    if seconds.literal().is_some() {
        number(&value, 0..=u64::from(u32::MAX), "a time in seconds", diagnostics)?;
    }
    let (collection, name) = variable?;
    Some(Action::ExpireVar { collection, name, seconds })
}

/// `session.name=amount/seconds`.
pub(super) fn deprecate_var(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let (target, value) = assignment(text, "session.name=60/300", diagnostics)?;
    let variable = variable(&target, diagnostics);
    let Some((amount, seconds)) = value.split_at(|it| it == '/') else {
        diagnostics.push(
            Diagnostic::error("the time is missing")
                .at(&value.span())
                .help("an amount and the seconds in which it is taken away: 60/300"),
        );
        return None;
    };
    let amount = number(&amount, 0..=u64::from(u32::MAX), "an amount", diagnostics);
    let seconds = number(&seconds, 1..=u64::from(u32::MAX), "a time in seconds", diagnostics);
    let (collection, name) = variable?;
    Some(Action::DeprecateVar { collection, name, amount: amount?, seconds: seconds? })
}

/// `ip=%{REMOTE_ADDR}`.
pub(super) fn init_col(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let (name, key) = assignment(text, "ip=%{REMOTE_ADDR}", diagnostics)?;
    let collection = collection(&name, &Collection::ALL[1..], diagnostics);
    let key = Template::read(&key, diagnostics)?;
    Some(Action::InitCol { collection: collection?, key })
}

/// `name=value`, `name`, `!name`.
pub(super) fn set_env(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let (name, value) = match text.split_at(|it| it == '=') {
        _ if text.as_str().starts_with('!') => (text.from(1), None),
        Some((name, value)) => (name, Some(Template::read(&value, diagnostics)?)),
        None => (text.clone(), Some(Template::parse("1").ok()?)),
    };
    if name.is_empty() {
        diagnostics.push(Diagnostic::error("the variable's name is missing").at(&text.span()));
        return None;
    }
    Some(Action::SetEnv { name: Template::read(&name, diagnostics)?, value })
}

/// `prefix=uri`.
pub(super) fn xmlns(text: &Text, diagnostics: &Diagnostics) -> Option<Action> {
    let (prefix, uri) =
        assignment(text, "soap=http://schemas.xmlsoap.org/soap/envelope/", diagnostics)?;
    let own = |text: &Text| text.as_str().to_owned();
    Some(Action::Xmlns { prefix: own(&prefix), uri: own(&uri) })
}

/// The two sides of the first `=`.
fn assignment(text: &Text, example: &str, diagnostics: &Diagnostics) -> Option<(Text, Text)> {
    let sides =
        text.split_at(|it| it == '=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    if sides.is_none() {
        diagnostics.push(
            Diagnostic::error("a name, `=` and a value are expected")
                .at(&text.span())
                .help(format!("such as {example}")),
        );
    }
    sides
}

/// `collection.name`.
fn variable(text: &Text, diagnostics: &Diagnostics) -> Option<(Collection, Template)> {
    let (holder, name) = match text.split_at(|it| it == '.') {
        Some((holder, name)) if !name.is_empty() => (holder, name),
        _ => {
            diagnostics.push(
                Diagnostic::error("a collection, a dot and a name are expected")
                    .at(&text.span())
                    .help("such as tx.anomaly_score"),
            );
            return None;
        }
    };
    let collection = collection(&holder, &Collection::ALL, diagnostics);
    let name = Template::read(&name, diagnostics)?;
    Some((collection?, name))
}

fn collection(
    text: &Text,
    allowed: &[Collection],
    diagnostics: &Diagnostics,
) -> Option<Collection> {
    let written = text.as_str();
    let name = |it: &Collection| it.variable().name();
    let found = allowed.iter().find(|it| name(it).eq_ignore_ascii_case(written));
    if found.is_none() {
        let (message, help) = match Variable::named(written) {
            Some(known) => (format!("{} cannot be changed by rules", known.name()), None),
            None => (
                format!("unknown collection `{written}`"),
                suggest(written, allowed.iter().map(name)),
            ),
        };
        let help = help.map_or_else(
            || format!("it is one of {}", allowed.iter().map(name).collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        diagnostics.push(Diagnostic::error(message).at(&text.span()).help(help));
    }
    found.copied()
}
