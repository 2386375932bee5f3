//! From nodes to cases.
//!
//! ```text
//! Node ──file──▶ a node a case ──splice──▶ its includes put in ──rows──▶ one binding a row ──▶ Case
//! ```
//!
//! A binding reads on after a mistake, with a stand-in for what it could not read; a case with a
//! mistake is never handed on.

mod case;
mod check;
mod fields;
mod file;
mod journey;
mod json;
mod origin;
mod regex;
mod request;
mod rows;
mod scalar;
mod scope;
mod site;
mod splice;
mod ssh;
mod step;
mod text;
mod vacuous;
mod value;
mod verb;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use edgeproof_diagnostics::{Diagnostic, Diagnostics, Span, Spanned};

pub(crate) use file::{Files, bind_source};
pub use regex::compile_regex;

use crate::ability::ABILITIES;
use scope::Scope;

/// What one case's binding knows while it reads.
pub(crate) struct Binder<'a> {
    diagnostics: &'a Diagnostics,
    /// The columns of this row of `each`.
    columns: &'a [(String, Vec<u8>)],
    used_columns: RefCell<BTreeSet<String>>,
    scope: RefCell<Scope>,
    needs: RefCell<Vec<Spanned<String>>>,
    /// Names of the loads measured so far.
    loads: RefCell<Vec<String>>,
    assertions: Cell<usize>,
    /// How many `parallel` and `repeat` stand round the present place.
    rounds: Cell<usize>,
}

impl<'a> Binder<'a> {
    fn new(diagnostics: &'a Diagnostics, columns: &'a [(String, Vec<u8>)]) -> Self {
        Self {
            diagnostics,
            columns,
            used_columns: RefCell::default(),
            scope: RefCell::default(),
            needs: RefCell::default(),
            loads: RefCell::default(),
            assertions: Cell::new(0),
            rounds: Cell::new(0),
        }
    }

    /// Reports a mistake. Always None.
    fn report<T>(&self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// Reports a mistake at a place. Always None.
    fn reject<T>(&self, span: &Span, message: impl Into<String>) -> Option<T> {
        self.report(Diagnostic::error(message).at(&span.first_line()))
    }

    /// The target must declare this.
    fn need(&self, need: &str, span: &Span) {
        debug_assert!(ABILITIES.iter().any(|(known, _)| *known == need), "`{need}` is not known");
        let mut needs = self.needs.borrow_mut();
        if !needs.iter().any(|known| known.value == need) {
            needs.push(Spanned::new(need.to_owned(), span.first_line()));
        }
    }

    fn column(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.columns.iter().find(|(column, _)| column == name);
        if found.is_some() {
            self.used_columns.borrow_mut().insert(name.to_owned());
        }
        found.map(|(_, value)| value.as_slice())
    }
}
