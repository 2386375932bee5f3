//! What need not be done: transformations shared, operators and rules passed over that cannot
//! match.
//!
//! ```text
//!  value ──► Cells: each form of it once ──► Prefilter: one pass, a bit for each operator
//!  rule  ──► Group of cells: is there any value? the rule's bit set for one of them?
//!        ──► Screen: does a value match any of the rules that stand here? ──► try it
//! ```
//!
//! Nothing here may change what rules do: a rule set without it fires the same rules
//! (`RuleSet::without_prefilter`).

mod automaton;
mod cells;
mod pipelines;
mod prefilter;
mod screens;
mod variable_set;

pub(crate) use cells::{Cell, Cells, Group, Members, Source};
pub(crate) use pipelines::{List, Pipeline, Pipelines};
pub(crate) use prefilter::{Collected, Filter, Prefilter};
pub(crate) use screens::{ScreenNumber, Screened, Screens};
pub(crate) use variable_set::{VariableSet, is_steady};
