//! How large and how slow things may be.

use std::time::Duration;

/// The limits of all listeners and sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head or a trailer section, of clients and origins.
    pub head: usize,
    /// Field lines of a head or a trailer section.
    pub fields: usize,
    /// Bytes of a request's body.
    pub body: u64,
    /// From the first byte of a request to the end of its head; also for a TLS handshake.
    pub header_timeout: Duration,
    /// How long a client's connection may be idle between requests, and before the first, where it
    /// begins when the connection is accepted: at its first bytes, or after a second or two of silence.
    pub idle_timeout: Duration,
    /// How long a client may let its request's body, or its reading of the response, stand still.
    pub client_timeout: Duration,
    /// For a connection to an origin to come about.
    pub upstream_connect_timeout: Duration,
    /// How long an exchange with an origin, or a tunnel, may stand still.
    pub upstream_timeout: Duration,
    /// How long a stop waits for requests in flight.
    pub stop_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 32 << 10,
            fields: 100,
            body: 1 << 30,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            client_timeout: Duration::from_secs(60),
            upstream_connect_timeout: Duration::from_secs(5),
            upstream_timeout: Duration::from_secs(60),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The codec's part of them; one line may be as long as the head.
    pub(crate) fn of_heads(&self) -> edgeproof_http1::Limits {
        edgeproof_http1::Limits { line: self.head, head: self.head, fields: self.fields }
    }
}
