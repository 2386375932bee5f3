//! The HTTP/1.1 codec of the reference (RFC 9112), both directions, without I/O.
//!
//! ```text
//!  bytes ──► RequestParser / ResponseParser ──► head (Fields: raw ordered lines) + BodyLength
//!                  │ Refused: the rule broken, its section, the status, what could be read
//!  bytes ──► ChunkedDecoder ──► data …, trailers
//!  head  ──► put_request_head / put_response_head ──► bytes
//! ```
//!
//! Requests are read strictly wherever two readers could disagree about where a message ends or
//! where it goes; responses are strict about framing and as tolerant elsewhere as the RFC allows.
//! Field lines keep their order, their spelling and their duplicates: access logs, caches and
//! firewalls judge what was sent, not a tidied version of it.
//!
//! Left to others: sockets, time limits, what a hop may forward, what a field means.

#![forbid(unsafe_code)]

mod fields;
mod grammar;

pub use fields::{Fields, GetAll};
