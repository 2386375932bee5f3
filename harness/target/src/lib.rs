//! An implementation under test: what it is, whether it can be had here, how it starts, and how it
//! ends whatever happens to the harness.
//!
//! ```text
//! target.yaml ──load──▶ TargetSpec ──available?──▶ start(sites) ──▶ RunningTarget ──▶ runner
//!                          │                        │ stage: work folder, ports, certificates,
//!                          │                        │        keys, clock file, rendered configuration
//!                          │                        └ process │ container, each under a supervisor
//!                          └ expresses(site)?  known_failures
//! ```
//!
//! A vendor writes such a folder (`ci/targets/README.md`) and touches no Rust.
//!
//! Left to others: clients, origin and clocks (the runner decides when time moves; this crate only says
//! how), and what a verdict is.

#![forbid(unsafe_code)]

mod certificates;
mod container;
mod engine;
mod expresses;
mod faketime;
mod image;
mod known;
mod leftovers;
mod log_reader;
mod ports;
mod programs;
mod ready;
mod render;
mod requirements;
mod running;
mod service;
mod site;
pub mod spec;
mod ssh_keys;
mod stage;
mod start;
mod supervised;
pub mod supervisor;
mod version;
mod work_folder;

pub use expresses::Expresses;
pub use faketime::Faketime;
pub use known::{Failed, KnownFailure, KnownFailures, Listed};
pub use log_reader::{Escapes, LineFields, LineReader};
pub use nix::sys::signal::Signal;
pub use render::RenderError;
pub use requirements::Unavailable;
pub use running::{Died, RunningTarget, SshLogin, SshdPaths};
pub use service::ServiceName;
pub use site::SiteRequest;
pub use spec::{ClockKind, TargetSpec, UrlError};
pub use stage::LogFile;
pub use start::{StartError, StartOptions};
