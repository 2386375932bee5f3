//! The node agent: it looks at the host that it runs on and says what it found, never what is in a file.
//!
//! ```text
//!  words ──▶ cli ─┬─▶ task (MIG's JSON) ─▶ any of these ─▶ Outcome ──┤
//!                 ├─▶ file ──▶ Findings ────────────────────────┼──▶ report: MIG's lines, human, JSON
//!                 ├─▶ keys ──▶ KeyFindings ─────────────────────┤        exit code
//!                 ├─▶ integrity, manifest ──▶ Integrity ────────┤
//!                 ├─▶ sshd ──▶ SshdFindings ────────────────────┤
//!                 └─▶ netstat ──▶ Heard ────────────────────────┘
//! ```
//!
//! Left to others: who asks, and how the question came here.
#![forbid(unsafe_code)]

mod authorized;
mod cli;
mod file;
pub mod flags;
mod fnmatch;
mod integrity;
mod keys;
mod limits;
mod mode;
mod netstat;
mod pattern;
mod report;
mod root;
mod sshd;
mod task;
mod wildcard;

pub use authorized::{KeyOnLine, effective, key_on};
pub use cli::main;
pub use file::{
    AgeBound, Algorithm, Counts, CriterionError, Digest, Family, Findings, Found, Kind, Link,
    Options, Search, SearchError, SizeBound, Trouble, Unread, investigate, investigate_below,
};
pub use integrity::{
    Damaged, Fault, Hash, Integrity, Manifest, ManifestError, PackageError, Packages,
    check_packages, make_manifest,
};
pub use keys::{
    Account, Allowed, AllowedError, Key, KeyFindings, Scope, Strange, accounts, assert_keys,
};
pub use limits::{LimitError, Limits};
pub use netstat::{
    Heard, Hit, Interface, KnownError, KnownHosts, Mac, Neighbour, Network, Ports, Process,
    Protocol, Questions, Socket, TcpState,
};
pub use pattern::{Pattern, PatternError};
pub use report::{Format, escaped, is_hidden};
pub use root::read_below;
pub use sshd::{
    Examined, Inquiry, Level, NoSshd, Source, SshdFindings, Weakness, assert_sshd, way_to,
};
pub use task::{Module, Outcome, Task, TaskError, WordError, operation, real_root};
pub use wildcard::Wildcard;
