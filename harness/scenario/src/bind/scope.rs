//! Variables: which are known where, which are never captured, which are captured for nothing.

use edgeproof_diagnostics::{Diagnostic, Source, Span, suggest};

use super::Binder;

/// The variables that the runner always knows.
pub(crate) const BUILTINS: [&str; 8] =
    ["host", "authority", "token", "now", "index", "dir", "audit", "held"];

/// The variables of one case.
#[derive(Debug, Default)]
pub(super) struct Scope {
    captured: Vec<Captured>,
    /// Uses of what was not captured yet.
    unknown: Vec<(String, Span)>,
}

#[derive(Debug)]
struct Captured {
    name: String,
    span: Span,
    used: bool,
    /// By a user of a journey that is over: nobody else knows it.
    gone: bool,
}

impl Binder<'_> {
    /// A placeholder names a variable.
    pub(super) fn variable(&self, name: &str, span: &Span) {
        if name == "index" && self.rounds.get() == 0 {
            let message = "`index` counts the rounds of `parallel` and `repeat` and the users of `journey`; there is none here";
            self.report::<()>(Diagnostic::error(message).at(span));
        }
        if BUILTINS.contains(&name) {
            return;
        }
        let mut scope = self.scope.borrow_mut();
        let mut known = false;
        for captured in scope.captured.iter_mut().filter(|it| it.name == name && !it.gone) {
            captured.used = true;
            known = true;
        }
        if !known {
            scope.unknown.push((name.to_owned(), span.clone()));
        }
    }

    /// A step captures a variable for the later ones.
    pub(super) fn captured(&self, name: &str, span: &Span) {
        if BUILTINS.contains(&name) || self.column(name).is_some() {
            let what = if BUILTINS.contains(&name) { "always known" } else { "a column of `each`" };
            let message = format!("`{name}` is {what}: capture under another name");
            self.report::<()>(Diagnostic::error(message).at(span));
            return;
        }
        let captured =
            Captured { name: name.to_owned(), span: span.clone(), used: false, gone: false };
        self.scope.borrow_mut().captured.push(captured);
    }

    /// What is captured from here on is a user's own, and `{{index}}` counts users; the mark is for
    /// [`Binder::leave_journey`].
    pub(super) fn enter_journey(&self) -> usize {
        self.rounds.set(self.rounds.get() + 1);
        self.scope.borrow().captured.len()
    }

    /// Nobody knows any more what was captured since then.
    pub(super) fn leave_journey(&self, mark: usize) {
        self.rounds.set(self.rounds.get() - 1);
        for captured in &mut self.scope.borrow_mut().captured[mark..] {
            captured.gone = true;
        }
    }

    /// After the whole case: reports what was used and never captured, and what was captured and
    /// never used (in the case's own file: a fragment serves several cases).
    pub(super) fn close_scope(&self, own: &Source) {
        let scope = self.scope.take();
        for (name, span) in &scope.unknown {
            self.report::<()>(self.unknown_variable(&scope, name, span));
        }
        for captured in &scope.captured {
            let later = scope.unknown.iter().any(|(name, _)| *name == captured.name);
            if !captured.used && !later && captured.span.source() == own {
                let message = format!("`{}` is captured and never used", captured.name);
                self.report::<()>(Diagnostic::warning(message).at(&captured.span));
            }
        }
    }

    fn unknown_variable(&self, scope: &Scope, name: &str, span: &Span) -> Diagnostic {
        if let Some(later) = scope.captured.iter().find(|captured| captured.name == name) {
            let (message, captured) = match later.gone {
                true => {
                    ("is known only to users of a journey", "captured here, by each for itself")
                }
                false => ("is captured only later", "captured here, for later steps"),
            };
            return Diagnostic::error(format!("`{name}` {message}"))
                .label(span, "used here")
                .context(&later.span, captured);
        }
        let columns = self.columns.iter().map(|(name, _)| name.as_str());
        let captured = scope.captured.iter().map(|captured| captured.name.as_str());
        let known: Vec<&str> = columns.chain(captured).chain(BUILTINS).collect();
        let help = match suggest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here are `{}`", known.join("`, `")),
        };
        Diagnostic::error(format!("the variable `{name}` is never captured")).at(span).help(help)
    }
}
