//! sshd on this host: what its configuration says, and what it should say.
//!
//! ```text
//!  config, key_files, pattern_list      sshd_config(5) as text          also for the keys module
//!  daemon ──▶ program, arguments ─┐
//!  to_ask ──▶ connections ────────┴─▶ effective (sshd -T -C) ──▶ rules ──▶ Weakness
//!   └ choices ◀── addresses, texts: what tells Match blocks apart
//!  lent_key: for an sshd that takes none of its own
//!  in_force, permissions, moduli, shadowed: what sshd does not say of itself ─┘
//! ```

pub(crate) mod config;
pub(crate) mod key_files;
pub(crate) mod pattern_list;

mod addresses;
mod algorithms;
mod choices;
mod connection;
mod daemon;
mod effective;
mod examine;
mod finding;
mod in_force;
mod lent_key;
mod moduli;
mod permissions;
mod rules;
mod shadowed;
mod texts;
mod to_ask;

pub use examine::{Examined, Inquiry, NoSshd, SshdFindings, assert_sshd};
pub use finding::{Level, Source, Weakness};
pub use permissions::way_to;
