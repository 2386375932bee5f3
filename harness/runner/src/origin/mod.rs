//! The scripted origin: one listener for all cases, and leased ports for cases about the connection itself.
//!
//! ```text
//! target ─▶ listener ─▶ route (prefix /~ID/, else Host) ─▶ CaseOrigin: rule ─▶ answer ─▶ octets
//!                        │                                  └─ record of what the origin saw
//!                        └─ else a case whose site is for any host: reflect ─▶ answer
//! ```

mod answer;
mod case;
mod connection;
mod lease;
mod matching;
mod reason;
mod reflect;
mod server;

pub(crate) use case::{CaseOrigin, Record};
pub(crate) use lease::Lease;
pub(crate) use server::OriginServer;

/// Paths that begin so are the harness's own marks in a log: answered with 204 and never recorded.
pub(crate) const MARKER: &str = "/edgeproof-marker-";
