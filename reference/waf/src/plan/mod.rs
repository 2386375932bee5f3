//! What need not be done: transformations shared, operators and rules passed over that cannot
//! match.
//!
//! ```text
//!  value ──► Cells: each form of it once ──► Prefilter: one pass, a bit for each operator
//!  rule  ──► Needs: has any of its variables a value? ──► its bit set in one of its cells? ──► try it
//! ```
//!
//! Nothing here may change what rules do: a rule set without it fires the same rules
//! (`RuleSet::without_prefilter`).

mod cells;
mod needs;
mod pipelines;
mod prefilter;

pub(crate) use cells::{Cell, Cells, Members, Source};
pub(crate) use needs::Needs;
pub(crate) use pipelines::{List, Pipeline, Pipelines};
pub(crate) use prefilter::{Collected, Filter, Prefilter};
