//! Investigations of many hosts: signed actions over NATS, chosen by facts, and who answered.
//!
//! ```text
//!  asker                              nats-server                         agents
//!  Target ─ Directory ◀── presence ◀── (JetStream) ◀──────────────────── heartbeats
//!     │
//!  Order ── seal ──▶ action ─────────────────────────────────▶ admit ─ Target ─ Task (edgeproof-agent)
//!  Roll ◀── Parts ◀── answers ◀──────── (JetStream) ◀──────────────────── taken, done, refused, failed
//! ```
//!
//! Left to others: what is looked at, and how, on a host (`edgeproof-agent`). docs/fleet.md has the protocol.
#![forbid(unsafe_code)]

mod account;
mod admission;
mod agent;
mod answer;
mod asker;
mod cli;
mod envelope;
mod facts;
mod host;
mod id;
mod key;
mod memory;
mod nats;
mod presence;
mod roll;
mod stop;
pub mod subject;
mod target;
mod time;
mod trust;

pub use account::Accounts;
pub use admission::{Admitted, LONGEST, Refusal, SKEW, Seen, admit};
pub use agent::{Log, ServeError, Settings, Work, looking, serve};
pub use answer::{Answer, Done, MOST_PARTS, NoAnswer, PART, Parts, Refused};
pub use asker::{ALONG, AskError, FleetAsker, Followed, Question, Sent};
pub use cli::{agent_main, investigate_main};
pub use envelope::{Body, Malformed, NoOrder, Order, Sealed, seal};
pub use facts::{Fact, Facts};
pub use host::{facts, host_name};
pub use id::{Id, NoId};
pub use key::{KeyError, KeyFileError, PublicKey, SecretKey};
pub use memory::{Memory, MemoryError};
pub use nats::{Access, AccessError, Store, StoreError};
pub use presence::{Directory, Presence};
pub use roll::{Oddity, Roll, Tally};
pub use stop::Stop;
pub use target::Target;
pub use time::Moment;
pub use trust::{Asker, Trust};
