//! The HTTP/1.1 codec of the reference (RFC 9112), both directions, without I/O.
//!
//! ```text
//!  bytes ──► RequestParser / ResponseParser ──► head (Fields: raw ordered lines) + BodyLength
//!                  │ Refused: the rule broken, its section, the status, what could be read
//!  bytes ──► ChunkedDecoder ──► data …, trailers
//!  head  ──► put_request_head / put_response_head ──► bytes
//!  data  ──► chunk_start / CHUNK_END / put_last_chunk ──► bytes
//! ```
//!
//! Requests are read strictly wherever two readers could disagree about where a message ends or
//! where it goes; responses are strict about framing and as tolerant elsewhere as the RFC allows.
//! Field lines keep their order, their spelling and their duplicates: access logs, caches and
//! firewalls judge what was sent, not a tidied version of it.
//!
//! Left to others: sockets, time limits, what a hop may forward, what a field means.

#![forbid(unsafe_code)]

mod authority;
mod chunked;
mod error;
mod field_line;
mod fields;
mod framing;
mod grammar;
mod lines;
mod request;
mod request_line;
mod response;
mod write;
mod written;

pub use authority::Authority;
pub use chunked::{ChunkedDecoder, Piece};
pub use error::{Error, Refused};
pub use fields::{Fields, GetAll};
pub use framing::{BodyLength, has_connection_option, is_persistent};
pub use grammar::{is_token, list_items};
pub use lines::Limits;
pub use request::{ParsedRequest, RequestHead, RequestParser, TargetForm};
pub use response::{ParsedResponse, ResponseHead, ResponseParser};
pub use write::{
    CHUNK_END, ChunkStart, chunk_start, put_fields, put_last_chunk, put_request_head,
    put_request_line, put_response_head, put_status_line,
};
pub use written::Written;

/// The protocol version of a message. A higher minor version than 1 is read as 1.1
/// (RFC 9110 §6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    /// The version as it stands in a start line, such as `HTTP/1.1`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}
