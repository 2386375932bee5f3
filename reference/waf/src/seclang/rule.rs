//! `SecRule`, `SecAction` and `SecDefaultAction`, and what must hold for their actions together.

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Span, Spanned};

use super::action::{Action, ActionList, actions};
use super::directive::{Directive, RuleText};
use super::operator::operator;
use super::setting::arity;
use super::target::targets;
use super::words::Statement;

/// What the rule before says about this one.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// It is no part of a chain, or begins one.
    First,
    /// It follows in the chain that was announced here.
    Follower(Span),
    /// The rule before could not be read: it may have announced a chain.
    Unknown,
}

/// A rule as far as it could be read, and whether it announces another.
pub(super) struct Read {
    pub(super) directive: Option<Spanned<Directive>>,
    pub(super) next: Place,
}

/// Reads a `SecRule`.
pub(super) fn rule(statement: &Statement, place: &Place, diagnostics: &Diagnostics) -> Read {
    let before = diagnostics.len();
    if !arity("SecRule", statement, 2, 3, diagnostics) {
        return Read { directive: None, next: Place::Unknown };
    }
    let [looked_at, compared, rest @ ..] = statement.arguments.as_slice() else {
        return Read { directive: None, next: Place::Unknown };
    };
    let targets = targets(looked_at, diagnostics);
    let operator = operator(compared, diagnostics);
    let list = rest.first().map(|it| actions(it, diagnostics)).unwrap_or_default();
    let next = check(&list, statement, place, diagnostics);
    let sound = diagnostics.len() == before;
    let directive = operator.filter(|_| sound).map(|operator| {
        let rule = RuleText { targets, operator, actions: list.actions };
        Spanned::new(Directive::Rule(rule), statement.span.clone())
    });
    Read { directive, next }
}

/// Reads a `SecAction`.
pub(super) fn action(statement: &Statement, place: &Place, diagnostics: &Diagnostics) -> Read {
    let before = diagnostics.len();
    let sound = arity("SecAction", statement, 1, 1, diagnostics);
    let Some(text) = statement.arguments.first().filter(|_| sound) else {
        return Read { directive: None, next: Place::Unknown };
    };
    let list = actions(text, diagnostics);
    let next = check(&list, statement, place, diagnostics);
    let sound = diagnostics.len() == before;
    let directive =
        sound.then(|| Spanned::new(Directive::Action(list.actions), statement.span.clone()));
    Read { directive, next }
}

/// Reads a `SecDefaultAction`.
pub(super) fn default_action(
    statement: &Statement,
    diagnostics: &Diagnostics,
) -> Option<Spanned<Directive>> {
    let before = diagnostics.len();
    if !arity("SecDefaultAction", statement, 1, 1, diagnostics) {
        return None;
    }
    let list = actions(statement.arguments.first()?, diagnostics);
    twice(&list, diagnostics);
    for Spanned { value: action, span } in &list.actions {
        if is_metadata(action) || skips(action) || is_chain(action) {
            let message =
                format!("`{}` cannot be a default: it belongs to one rule", action.name());
            diagnostics.push(Diagnostic::error(message).at(span));
        }
    }
    let name = statement.name.span();
    if !list.may_have("phase", is_phase) {
        diagnostics.push(
            Diagnostic::error("a default action needs its phase")
                .at(&name)
                .help("add phase:1 or another"),
        );
    }
    // `block` leaves the decision to the default action.
    let decides = |it: &Action| it.is_disruptive() && *it != Action::Block;
    if !list.has_unread() && list.find(decides).is_none() {
        diagnostics.push(
            Diagnostic::error("a default action needs a disruptive action")
                .at(&name)
                .help("add pass, deny, drop, allow or redirect"),
        );
    }
    let sound = diagnostics.len() == before;
    sound.then(|| Spanned::new(Directive::DefaultAction(list.actions), statement.span.clone()))
}

/// Tells what an update of a rule's actions cannot change.
pub(super) fn check_update(list: &ActionList, diagnostics: &Diagnostics) -> Option<()> {
    let fixed = |it: &&Spanned<Action>| is_id(&it.value) || is_chain(&it.value);
    let mut sound = Some(());
    for Spanned { value: action, span } in list.actions.iter().filter(fixed) {
        let message = format!("an update cannot change a rule's {}", action.name());
        diagnostics.push(Diagnostic::error(message).at(span));
        sound = None;
    }
    sound
}

/// Tells what is missing or too much, and says what the rule announces.
fn check(
    list: &ActionList,
    statement: &Statement,
    place: &Place,
    diagnostics: &Diagnostics,
) -> Place {
    twice(list, diagnostics);
    match place {
        Place::Follower(chain) => follower(list, chain, diagnostics),
        Place::Unknown => (),
        Place::First if list.may_have("id", is_id) => (),
        Place::First => diagnostics.push(
            Diagnostic::error("the rule has no id")
                .at(&statement.name.span())
                .help("add id:NUMBER to its actions, a number that no other rule has"),
        ),
    }
    match list.find(is_chain) {
        Some(chain) => Place::Follower(chain.clone()),
        None if list.has_unread() => Place::Unknown,
        None => Place::First,
    }
}

/// What a chain is called, when it runs and what it leads to, its first rule says.
fn follower(list: &ActionList, chain: &Span, diagnostics: &Diagnostics) {
    for Spanned { value: action, span } in &list.actions {
        let rates = matches!(action, Action::Severity(_) | Action::LogData(_));
        let says_what = is_metadata(action) || rates || is_phase(action);
        if says_what || skips(action) || action.is_disruptive() {
            let message = format!("`{}` belongs to the first rule of a chain", action.name());
            diagnostics
                .push(Diagnostic::error(message).at(span).context(chain, "the chain goes on here"));
        }
    }
}

/// Tells of a second id or phase.
fn twice(list: &ActionList, diagnostics: &Diagnostics) {
    for is in [is_id, is_phase] {
        let mut found = list.actions.iter().filter(|it| is(&it.value));
        let Some(first) = found.next() else { continue };
        let name = first.value.name();
        for again in found {
            diagnostics.push(
                Diagnostic::error(format!("a second {name} in one rule"))
                    .label(&again.span, "again here")
                    .context(&first.span, "first here"),
            );
        }
    }
}

fn is_id(action: &Action) -> bool {
    matches!(action, Action::Id(_))
}

fn is_phase(action: &Action) -> bool {
    matches!(action, Action::Phase(_))
}

fn is_chain(action: &Action) -> bool {
    matches!(action, Action::Chain)
}

fn skips(action: &Action) -> bool {
    matches!(action, Action::Skip(_) | Action::SkipAfter(_))
}

/// Whether it says what a rule is called. Severity and logdata can also be defaults.
fn is_metadata(action: &Action) -> bool {
    matches!(
        action,
        Action::Id(_)
            | Action::Rev(_)
            | Action::Msg(_)
            | Action::Ver(_)
            | Action::Maturity(_)
            | Action::Accuracy(_)
    )
}
