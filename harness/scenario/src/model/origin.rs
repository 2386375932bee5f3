//! The scripted origin: which request gets which answer.

use std::time::Duration;

use edgeproof_diagnostics::Span;

use super::{Template, Value};

/// `origin:` of a case.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A list of rules; the first that fits answers. A request that no rule fits gets a 404 and fails
    /// the case, since nobody said what should have happened.
    Rules(Vec<Rule>),
    /// `origin: { connection: refuse }`: nothing listens on the case's own port.
    Refuse,
    /// `origin: { connection: reset }`: every connection is reset on accept.
    Reset,
    /// `origin: { connection: stall }`: connections are accepted and never answered.
    Stall,
    /// `origin: reflect`: whatever comes is answered with an empty 200, and `POST /reflect` with what
    /// its content, a JSON document, asks for. With an answer of its own, which only a test of another
    /// format has, everything gets that.
    Reflect(Option<Box<Answer>>),
}

impl Default for Origin {
    fn default() -> Self {
        Origin::Rules(Vec::new())
    }
}

/// One rule: `on:` and `respond:`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which requests it answers.
    pub on: When,
    /// One answer, or a sequence of which the last repeats.
    pub respond: Vec<Answer>,
    /// Where it stands.
    pub span: Span,
}

/// `on: GET /doc`, or `on: { method, path, headers }`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct When {
    /// The method; any when absent. `GET` does not answer HEAD.
    pub method: Option<String>,
    /// The path with its query as it arrives at the origin (without the case's prefix); `*` at the end
    /// stands for any rest. Any path when absent.
    pub path: Option<String>,
    /// Field lines that the request must (or, with `absent`, must not) have.
    pub headers: Vec<(String, Value)>,
}

/// One answer of the origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The reason phrase; the registered one when absent.
    pub reason: Option<String>,
    /// Field lines in order, as written. Content-Length, Transfer-Encoding and Date are added by the
    /// origin unless they are named here (with `null` = not sent).
    pub headers: Vec<(String, FieldValue)>,
    /// The content.
    pub body: Body,
    /// Real time before the answer begins.
    pub delay: Option<Duration>,
    /// The case's clock is moved by this much before the answer begins (a slow page in virtual time).
    pub advance: Option<Duration>,
    /// Chunked coding, and in which pieces.
    pub chunking: Option<Chunking>,
    /// Trailer fields (implies chunked).
    pub trailers: Vec<(String, Template)>,
    /// 1xx answers before it.
    pub interim: Vec<Interim>,
    /// Where the answer breaks off.
    pub break_off: Option<Break>,
    /// Close the connection after the answer (`close: true`).
    pub close: bool,
    /// The whole answer as bytes instead of all the above (`raw:`), the connection closed after it.
    pub raw: Option<Template>,
}

impl Answer {
    /// An answer of a status and some content, with nothing else about it.
    #[must_use]
    pub fn plain(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            reason: None,
            headers: Vec::new(),
            body: Body::Bytes(Template::literal(body)),
            delay: None,
            advance: None,
            chunking: None,
            trailers: Vec::new(),
            interim: Vec::new(),
            break_off: None,
            close: false,
            raw: None,
        }
    }
}

/// The value of a field that the origin sends.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// Text.
    Text(Template),
    /// `{ date: -60s }`: an HTTP-date relative to the case's clock.
    Date(Date),
    /// `null`: the field that the origin would add is not sent.
    Omit,
}

/// A point in time relative to the case's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// Milliseconds after (or, negative, before) now.
    pub offset_ms: i64,
}

/// Content of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Text or bytes (`body: one`, `body: { base64: … }`).
    Bytes(Template),
    /// `body: { fill: abc, size: 55380 }`: a pattern repeated up to that many octets.
    Fill {
        /// What is repeated.
        pattern: Vec<u8>,
        /// How many octets in all.
        size: u64,
    },
    /// `body: { echo: request }`: the request as the origin read it, head and body (for what the origin saw).
    EchoRequest,
}

/// `chunked: true` or `chunked: [3, 5]` (sizes of the first pieces).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chunking {
    /// Sizes of the first chunks in octets; the rest is one chunk.
    pub sizes: Vec<usize>,
}

/// A 1xx answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Interim {
    /// 100 to 199, not 101.
    pub status: u16,
    /// Its field lines.
    pub headers: Vec<(String, Template)>,
}

/// `break: { after: 10, how: close }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Octets of the body that are still sent.
    pub after: u64,
    /// With a TCP reset instead of an orderly close.
    pub reset: bool,
}
