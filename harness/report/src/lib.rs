//! Listens to a run's events and tells people and programs what happened.
//!
//! ```text
//!                ┌─▶ human      progress, failures with their exchange, a table
//!                ├─▶ json junit tap sarif github markdown html
//! Event ─▶ Run ──┤              one document each, made when the run ends
//!   │            ├─▶ waf-rates waf-chart   what a WAF detects, of one recording or several
//!   │            └─▶ Summary ─▶ ExitCode
//!   │                   ▲
//!   │                Baseline (a former run: json or events)
//!   └─▶ events (one JSON object a line) ─▶ replay ─▶ Event …
//! ```
//!
//! A [`Reporter`] takes events in the order of completion and writes results in file order.
//! [`reporter`] makes one for each [`Format`]; [`replay`] reads a recorded stream, from which every
//! format can be made later; [`Summary`] counts, and [`exit_code`] decides what the run is worth.
//!
//! Nothing here plays a case or reaches a verdict, opens a file or reads the environment: the
//! writer, the colours, the width and the terminal are the caller's to choose ([`Options`]).
//! What a report shows was written by scenarios full of attack payloads and by broken targets, so
//! every format first makes bytes that are no plain text visible and then escapes for its own syntax.
#![forbid(unsafe_code)]

mod again;
mod baseline;
mod events;
mod exit;
mod format;
mod github;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod number;
mod replay;
mod reporter;
mod run;
mod sarif;
mod summary;
mod tap;
mod trouble;
mod visible;
mod waf;

pub use baseline::{Baseline, BaselineError, Change, Difference, Scope};
pub use edgeproof_runner::event::{Level, LevelError};
pub use exit::{ExitCode, exit_code};
pub use format::{Format, FormatError, Output};
pub use replay::{ReplayError, replay};
pub use reporter::{Options, Reporter, Root, reporter};
pub use run::{Note, Outcome, Run, TargetFailure, TargetState, UnavailableTarget};
pub use summary::{Counts, FamilyCounts, LevelCounts, Summary, TargetCounts};
