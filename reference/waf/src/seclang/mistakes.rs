//! All that is wrong with a set of rules.

use std::fmt;

use edgeproof_diagnostics::{Colour, Diagnostic, Diagnostics};

/// More than this many mistakes nobody reads.
const SHOWN_MAX: usize = 100;

/// What is wrong, file by file, in the order of the lines; at least one mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Diagnostic>);

impl Mistakes {
    /// These, if there are any.
    pub fn of(diagnostics: Diagnostics) -> Option<Self> {
        let all = diagnostics.into_vec();
        (!all.is_empty()).then_some(Self(all))
    }

    /// Each of them.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The text for people: each mistake, an empty line between them, how many there are at the end. Of a great many,
    /// as when a file is no rule file at all, only the first are shown.
    pub fn render(&self, colour: Colour) -> String {
        let shown = Diagnostics::new();
        shown.extend(self.0.iter().take(SHOWN_MAX).cloned());
        let mut text = shown.render(colour);
        if let Some(more) = self.0.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            text.push_str(&format!("and {more} more\n"));
        }
        text
    }
}

impl From<Diagnostic> for Mistakes {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl IntoIterator for Mistakes {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Shows as rendered without colour.
impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.render(Colour::Never).trim_end())
    }
}

impl std::error::Error for Mistakes {}
