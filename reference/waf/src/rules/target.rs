//! What a rule looks at: a variable, and which of its members.

use super::members::Members;
use crate::plan::{self, Cell};
use crate::transaction::{Names, Slot};
use crate::variable::Variable;

/// What a link looks at.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) variable: Variable,
    pub(crate) selection: Selection,
    /// How many there are, in place of what they are (`&ARGS`).
    pub(crate) count: bool,
    /// What is left out of it (`!ARGS:x`).
    pub(crate) except: Vec<Selection>,
    /// Where its values are, transformed as its link wants them. None where they can change while
    /// rules run.
    pub(crate) cell: Option<Cell>,
}

/// Which members of a collection.
#[derive(Debug)]
pub(crate) enum Selection {
    All,
    /// Those of one name.
    Name(Box<[u8]>),
    /// The variable of TX in a slot.
    Slot(Slot),
    /// Those whose names match.
    Pattern(Members),
    /// The values that an XPath finds, by its number among those of the rule set.
    Path(usize),
}

impl Target {
    /// All of a variable.
    pub(crate) fn whole(variable: Variable) -> Self {
        Self { variable, selection: Selection::All, count: false, except: Vec::new(), cell: None }
    }

    /// Whether a member of that name is looked at.
    pub(crate) fn takes(&self, name: &[u8]) -> bool {
        self.selection.holds(name) && !self.except.iter().any(|except| except.holds(name))
    }

    /// Whether a variable of TX may be looked at whose name stands in the rules.
    pub(crate) fn takes_slots(&self) -> bool {
        !matches!(&self.selection, Selection::Pattern(members) if !members.hold_slots())
    }

    /// Whether the variable of TX in that slot is looked at.
    pub(crate) fn takes_slot(&self, slot: Slot, names: &Names) -> bool {
        let held = |selection: &Selection| selection.holds_slot(slot, names);
        held(&self.selection) && !self.except.iter().any(held)
    }

    /// Which values its cell has: those that are looked at, and perhaps others.
    pub(crate) fn members(&self) -> plan::Members {
        match &self.selection {
            Selection::All | Selection::Slot(_) | Selection::Pattern(_) => plan::Members::All,
            Selection::Name(name) => plan::Members::Name(name.to_ascii_lowercase().into()),
            Selection::Path(path) => plan::Members::Path(*path),
        }
    }

    /// Whether its cell has values that are not looked at.
    pub(crate) fn is_choosy(&self) -> bool {
        matches!(self.selection, Selection::Pattern(_)) || !self.except.is_empty()
    }

    /// Whether nothing of it is looked at.
    pub(crate) fn is_nothing(&self) -> bool {
        self.except.iter().any(|except| match (except, &self.selection) {
            (Selection::All, _) => true,
            (Selection::Path(hidden), Selection::Path(path)) => hidden == path,
            _ => false,
        })
    }

    /// Whether all members are looked at.
    pub(crate) fn takes_all(&self) -> bool {
        matches!(self.selection, Selection::All) && self.except.is_empty()
    }
}

impl Selection {
    /// Whether a member of that name is one of them.
    pub(crate) fn holds(&self, name: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Name(wanted) => wanted.eq_ignore_ascii_case(name),
            Self::Pattern(members) => members.hold(name),
            Self::Slot(_) | Self::Path(_) => false,
        }
    }

    fn holds_slot(&self, slot: Slot, names: &Names) -> bool {
        match self {
            Self::Slot(wanted) => *wanted == slot,
            Self::Pattern(members) => members.hold_slot(slot),
            Self::All | Self::Name(_) | Self::Path(_) => self.holds(names.name(slot)),
        }
    }
}
