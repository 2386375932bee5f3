//! SecLang: what is read, what is a mistake and how it is told, and that what is printed reads back.

mod includes;
mod mistakes;
mod properties;
mod reading;
mod rule_sets;

use std::path::Path;

use edgeproof_diagnostics::{Source, Span, Spanned};
use edgeproof_waf::seclang::{Directive, Mistakes, Program, RuleText, Target, parse_text};

/// Reads a text that names no files.
fn read(text: &str) -> Result<Program, Mistakes> {
    parse_text(&Source::new("rules.conf", text), Path::new("/nonexistent"))
}

/// The directives of a text without mistakes, at no place.
fn directives(text: &str) -> Vec<Directive> {
    bare(&read(text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes}")))
}

/// Directives that can be compared: all at one place.
fn bare(program: &Program) -> Vec<Directive> {
    program.directives.iter().map(|directive| without_place(&directive.value)).collect()
}

fn nowhere() -> Span {
    Source::new("", "").span(0..0)
}

fn here<T>(value: T) -> Spanned<T> {
    Spanned::new(value, nowhere())
}

fn all_here<T: Clone>(list: &[Spanned<T>]) -> Vec<Spanned<T>> {
    list.iter().map(|one| here(one.value.clone())).collect()
}

fn without_place(directive: &Directive) -> Directive {
    let replaced = |target: &Option<Spanned<Target>>| target.clone().map(|one| here(one.value));
    let mut directive = directive.clone();
    match &mut directive {
        Directive::Rule(RuleText { targets, operator, actions }) => {
            *targets = all_here(targets);
            *operator = here(operator.value.clone());
            *actions = all_here(actions);
        }
        Directive::Action(actions)
        | Directive::DefaultAction(actions)
        | Directive::UpdateActionById { actions, .. } => *actions = all_here(actions),
        Directive::UpdateTargetById { targets, replaced: instead, .. }
        | Directive::UpdateTargetByTag { targets, replaced: instead, .. }
        | Directive::UpdateTargetByMsg { targets, replaced: instead, .. } => {
            *targets = all_here(targets);
            *instead = replaced(instead);
        }
        _ => (),
    }
    directive
}

/// A program as text again.
fn printed(program: &Program) -> String {
    program.directives.iter().map(|directive| format!("{}\n", directive.value)).collect()
}
