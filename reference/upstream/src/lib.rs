//! Upstream processes: a command that the proxy starts when somebody asks for its site, and stops
//! when nobody has for a while.
//!
//! ```text
//!  request ─ Process::lease() ─▶ Machine (decides) ──actions──▶ driver (does)
//!               ▲    │ waits                ▲                      │ socket: job, stop
//!               └────┴── address ───────────┴──── events ──────────┤ ◀── reports
//!                                                                  ▼
//!                       Journal ◀── lines ── stdout, stderr ── keeper ──▶ the command ──▶ its children
//! ```
//!
//! - `machine` is the state machine: events in, actions out, no I/O and no clock.
//! - `driver` does what it says: one task a process, all on the thread of a [`Supervisor`].
//! - [`keeper`] is the small process between: a subreaper with a socket that closes with the proxy, so
//!   that nothing of the command outlives the proxy, not even its SIGKILL.
//! - [`Journal`] is the log: the lines of the processes and of what was done with them.
//!
//! Back-off and idle time go by the clock that the site brings ([`Clock`]); the limits of a start
//! and of a stop wait for real processes and are the machine's.
#![forbid(unsafe_code)]

mod clock;
mod command;
mod driver;
mod endpoint;
mod journal;
pub mod keeper;
mod lines;
mod machine;
mod note;
mod output;
mod port;
mod process;
mod settings;
mod supervisor;

pub use clock::Clock;
pub use command::{CommandError, CommandLine};
pub use endpoint::Endpoint;
pub use journal::Journal;
pub use machine::Refusal;
pub use process::{Errors, Lease, Process, Status};
pub use settings::{Listen, Privileges, PrivilegesError, Resources, Settings};
pub use supervisor::Supervisor;
