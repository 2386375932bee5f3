//! Plays cases against a target and emits events.
//!
//! ```text
//! scenario::Case ─┐                       ┌─ client (raw HTTP/1.1) ─▶ target ─▶ scripted origin ─┐
//!                 ├─▶ schedule ─▶ player ─┼─ probes: log lines, files, processes, ssh            ├─▶ Event
//! target::Target ─┘                       └─ clock: control, faketime, backdate, wait            ─┘
//! ```
//!
//! Every verdict is reached here; how it is shown is the reporters' business, who know only [`event`].

#![forbid(unsafe_code)]

pub mod event;

mod client;
mod clock;
mod expect;
mod filling;
mod http_date;
mod interrupt;
mod locking;
mod logs;
mod origin;
mod payload;
mod player;
mod probes;
mod schedule;
mod surface;
mod variables;
mod visible;
mod wire;

pub use interrupt::Interrupts;
pub use schedule::{Fired, Pair, PairError, RunError, RunOptions, Shot, run};
