//! The clock of a case: how its time is moved, and what time it is.
//!
//! ```text
//! ClockKind of the target + Case ─choose─▶ Way ─▶ CaseClock: now, advance
//! ```

mod case_clock;
mod control;
mod way;

pub(crate) use case_clock::{CaseClock, ClockError, SharedFaketime};
pub(crate) use control::ControlSocket;
pub(crate) use way::{Way, choose, moves};
