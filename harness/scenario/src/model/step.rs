//! What happens in a case, step by step.

use std::time::Duration;

use edgeproof_diagnostics::Span;

use super::{Assertion, JourneySpec, SshProbe, Template};

/// One step: an action, and what must hold after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it stands.
    pub span: Span,
    /// What is done.
    pub action: Action,
    /// Which client (connection) does it: steps of one name share a kept-alive connection. `main` if not said.
    pub client: String,
    /// What must hold afterwards.
    pub expect: Vec<Assertion>,
    /// What is remembered for later steps.
    pub capture: Vec<Capture>,
}

/// The verbs.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `send:` one request, and read its answer.
    Send(Request),
    /// `raw:` bytes exactly as they stand, and read whatever comes (one answer, or `answers: N`).
    Raw {
        /// The bytes.
        bytes: Template,
        /// How many final answers to read before the step ends.
        answers: usize,
        /// Through TLS.
        tls: bool,
        /// Shut the sending half afterwards.
        half_close: bool,
    },
    /// `advance:` the clock.
    Advance(Duration),
    /// `parallel:` N clients do the same steps, let go together.
    Parallel {
        /// How many; `{{index}}` counts them from 0.
        clients: usize,
        /// What each does.
        steps: Vec<Step>,
    },
    /// `repeat:` the steps so many times, one after another; `{{index}}` counts from 0.
    Repeat {
        /// How many times.
        times: usize,
        /// What is repeated.
        steps: Vec<Step>,
    },
    /// `poll:` the step again and again until all of `until` holds.
    Poll {
        /// What is tried.
        step: Box<Step>,
        /// What ends it.
        until: Vec<Assertion>,
        /// Real time between two tries.
        every: Duration,
        /// Real time after which it is a failure.
        within: Duration,
    },
    /// `ssh:` look at the target's SSH service.
    Ssh(SshProbe),
    /// `load:` requests under load, measured.
    Load(LoadSpec),
    /// `journey:` users who do several things one after another, measured.
    Journey(JourneySpec),
    /// `ratio:` of two measured loads, reported as a figure.
    Ratio(Ratio),
    /// `log:` something befalls the file of the access log.
    Log(LogAct),
    /// `close:` the client's connection.
    Close,
    /// Only `expect:`.
    Look,
}

/// What befalls the file of the case's access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAct {
    /// It is moved aside, and the target told to open its logs again. Its lines still count.
    Rotate,
    /// It is moved aside, and nobody is told.
    Move,
    /// It is removed with all its lines, and nobody is told.
    Remove,
    /// From now on it lies on a disk without room, and the target is told to open its logs again.
    FillDisk,
    /// The disk has room again, and the target is told to open its logs again.
    FreeDisk,
    /// From now on it cannot be opened, since a folder lies in its place, and the target is told to open its
    /// logs again.
    Bar,
    /// It can be opened again, and the target is told so.
    Unbar,
}

impl LogAct {
    /// Whether the target is told to open its logs again.
    #[must_use]
    pub fn is_told(self) -> bool {
        !matches!(self, Self::Move | Self::Remove)
    }

    /// Every act with its word.
    pub const WORDS: [(&str, Self); 7] = [
        ("rotate", Self::Rotate),
        ("move", Self::Move),
        ("remove", Self::Remove),
        ("fill-disk", Self::FillDisk),
        ("free-disk", Self::FreeDisk),
        ("bar", Self::Bar),
        ("unbar", Self::Unbar),
    ];
}

impl Step {
    /// The sum of the `advance` steps in it.
    pub fn total_advance(&self) -> Duration {
        match &self.action {
            Action::Advance(by) => *by,
            Action::Parallel { steps, .. } => steps.iter().map(Step::total_advance).sum(),
            Action::Repeat { times, steps } => {
                steps.iter().map(Step::total_advance).sum::<Duration>()
                    * u32::try_from(*times).unwrap_or(u32::MAX)
            }
            Action::Poll { step, .. } => step.total_advance(),
            _ => Duration::ZERO,
        }
    }
}

/// `send:` as a line (`GET /doc`) or in full.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Template,
    /// The request-target as it goes on the wire.
    pub target: Template,
    /// `HTTP/1.1` (default) or `HTTP/1.0`.
    pub version: String,
    /// Field lines in order. Host is put first unless named here; `null` leaves it out.
    pub headers: Vec<(Template, Option<Template>)>,
    /// The content.
    pub body: BodySpec,
    /// How the content's length is told.
    pub framing: Framing,
    /// Trailer fields (chunked only).
    pub trailers: Vec<(String, Template)>,
    /// Through the target's TLS listener.
    pub tls: bool,
    /// Send the head, wait for 100 (Continue) or a final answer, then the content.
    pub expect_continue: bool,
    /// Real time between the head and the content, or between pieces of the content.
    pub pause: Option<Duration>,
    /// Close the connection after so many octets of the answer's content (an aborting client).
    pub abort_after: Option<u64>,
}

/// The content of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum BodySpec {
    /// None.
    None,
    /// Bytes (`body: text`, `body: { base64: … }`).
    Bytes(Template),
    /// `body: { fill: abc, size: 1MiB }`.
    Fill {
        /// What is repeated.
        pattern: Vec<u8>,
        /// How many octets in all.
        size: u64,
    },
}

/// How a request's content is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Content-Length when there is content.
    ContentLength,
    /// Transfer-Encoding: chunked.
    Chunked,
    /// Neither is added: the case writes its own.
    AsWritten,
}

/// `capture: { etag: { header: etag } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The variable.
    pub name: String,
    /// Where the value comes from.
    pub from: CaptureFrom,
    /// A regex whose first group (or whole match) is taken.
    pub matches: Option<String>,
    /// May the value be empty? What later steps look for with an empty one is everywhere.
    pub may_be_empty: bool,
    /// Where it stands.
    pub span: Span,
}

/// What a capture reads.
#[derive(Debug, Clone, PartialEq)]
pub enum CaptureFrom {
    /// A field of the answer.
    Header(String),
    /// The answer's content.
    Body,
    /// What a JSON pointer (RFC 6901) leads to in the answer's content.
    Json(String),
    /// The answer's status code.
    Status,
    /// The last access-log line of the case.
    AccessLog,
    /// A field of the last request that the origin saw.
    OriginHeader(String),
    /// The request-target that the answer, a redirect, leads to; its Location is resolved against the
    /// target of the request that it answers. Only of a test of another format.
    RedirectTarget {
        /// That request's target.
        from: Template,
    },
    /// The host, with its port, that a redirect leads to. Only of a test of another format.
    RedirectHost {
        /// Where its Location names none.
        otherwise: String,
    },
    /// The line `Cookie: …`, with its end, of the cookies that the answer sets and that were captured
    /// under this name before; nothing where there is none. Only of a test of another format.
    CookieLine,
}

/// `load: { name, send, requests, … }`: a closed loop of clients.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSpec {
    /// The name under which its figures are reported.
    pub name: String,
    /// The request.
    pub request: Request,
    /// Clients at a time.
    pub concurrency: usize,
    /// Requests in each shot.
    pub requests: u64,
    /// The most real time of a shot.
    pub time_limit: Duration,
    /// How many shots.
    pub shots: usize,
    /// Kept-alive connections.
    pub keep_alive: bool,
}

/// `ratio: { name: factor, of: rps, numerator: cached, denominator: uncached }`: a figure made of two
/// others.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// The figure's name.
    pub name: String,
    /// `rps` or `mean`.
    pub of: String,
    /// The load that is divided.
    pub numerator: String,
    /// The load that it is divided by.
    pub denominator: String,
}
