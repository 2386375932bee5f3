//! What must hold. Each line under `expect:` is one [`Assertion`] with its own place in the file, so that
//! a failure points at it.

use std::fmt;
use std::time::Duration;

use edgeproof_diagnostics::Span;

use super::Template;

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// The line that says so.
    pub span: Span,
    /// Its path in the file: `steps[1].expect.headers.age` (known failures name it).
    pub path: String,
    /// What is compared.
    pub check: Check,
}

/// The comparisons.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// `status:` of the final answer.
    Status(Status),
    /// `reason:` phrase.
    Reason(Value),
    /// `version:` `HTTP/1.1`.
    Version(Value),
    /// `headers: { NAME: … }`.
    Header(String, Value),
    /// `trailers: { NAME: … }`.
    Trailer(String, Value),
    /// `body:`.
    Body(Value),
    /// `interim:` the status codes of the 1xx answers, in order.
    Interim(Vec<u16>),
    /// `complete:` is the answer's framing whole (false: cut off)? `None`, `any`: either may be.
    Complete(Option<bool>),
    /// `connection:` after the answer: `open` (true), or `closed` (false), also by a reset.
    ConnectionOpen(bool),
    /// `no_answer: true`: the target said nothing and closed.
    NoAnswer(bool),
    /// `answered:` did an answer come whose head can be read? (false: silence, a reset, or what is not
    /// HTTP/1)
    Answered(bool),
    /// `answer:` the whole answer as it came, head and content, up to 64 KiB.
    Answer(Value),
    /// `answers:` the status codes of all answers to `raw` or in `parallel`, in order (parallel: sorted).
    Answers(Vec<u16>),
    /// `time:` from the first byte sent to the last byte read.
    Time {
        /// At least.
        above: Option<Duration>,
        /// At most.
        below: Option<Duration>,
    },
    /// `origin_requests:` that the case's origin has had since the case began.
    OriginRequests(Count),
    /// `origin_connections:` that the case's requests came on.
    OriginConnections(Count),
    /// `origin_saw:` of the last request (or `all: true`: of every one).
    OriginSaw(OriginCheck),
    /// `access_log:` lines of this case.
    AccessLog(LogCheck),
    /// `waf_log:` lines of this case.
    WafLog(LogCheck),
    /// `upstream_log:` lines about the site's command.
    UpstreamLog(LogCheck),
    /// `waf_rules:` of this case.
    WafRules(RulesCheck),
    /// `files: { PATH: … }`.
    File(Template, FileCheck),
    /// `processes:` of the target whose command line matches the regex.
    Processes {
        /// The regex over the command line.
        matching: Template,
        /// How many.
        count: Count,
    },
    /// `ssh: { KEY: … }`: what a probe of the SSH service told, such as `banner`, `kex`, `methods`.
    Ssh(String, Value),
    /// `config: { DIRECTIVE: … }`: a line of the effective configuration, lower-case.
    SshConfig(String, Value),
    /// `load: { KEY: … }`: requests, errors, non_2xx of the last load.
    Load(String, Count),
}

/// `status: 200`, `[200, 206]`, `2xx`, `{ not: 200 }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// One of these.
    OneOf(Vec<u16>),
    /// Any of the class 1 to 5.
    Class(u8),
    /// None of these.
    NoneOf(Vec<u16>),
}

impl Status {
    /// Whether a status code is such a one.
    pub fn holds(&self, found: u16) -> bool {
        match self {
            Status::OneOf(codes) => codes.contains(&found),
            Status::Class(class) => found / 100 == u16::from(*class),
            Status::NoneOf(codes) => !codes.contains(&found),
        }
    }
}

/// `200 or 206`, `2xx`, `anything but 200`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |codes: &[u16]| {
            let codes: Vec<_> = codes.iter().map(ToString::to_string).collect();
            codes.join(" or ")
        };
        match self {
            Status::OneOf(codes) => f.write_str(&list(codes)),
            Status::Class(class) => write!(f, "{class}xx"),
            Status::NoneOf(codes) => write!(f, "anything but {}", list(codes)),
        }
    }
}

/// How a value is compared. Several lines of one field are one value joined by `, ` (RFC 9110 §5.3),
/// except for `count` and `lines`. A list of SSH names is joined by `,`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar, or `{ equals: … }`.
    Equals(Template),
    /// `{ not: … }`: present or not, but not equal.
    Not(Template),
    /// `{ matches: REGEX }` (bytes; unanchored; `{{host|regex}}` puts a variable in). It is known to be
    /// a right regex once its variables are put in with the `regex` filter.
    Matches(Template),
    /// `{ not_matches: REGEX }`.
    NotMatches(Template),
    /// `{ contains: … }`.
    Contains(Template),
    /// `{ not_contains: … }`; holds also when there is none.
    NotContains(Template),
    /// `{ absent: true }`.
    Absent,
    /// `{ present: true }`.
    Present,
    /// `{ count: 2 }`: so many field lines.
    Count(Count),
    /// `{ lines: [a, b] }`: exactly these field lines, in order.
    Lines(Vec<Template>),
    /// `{ between: [30, 32] }`: a number.
    Between(f64, f64),
    /// `{ size: 55380 }`: octets.
    Size(Count),
    /// `{ date: { between: [-1s, 1s] } }`: an HTTP-date, relative to the case's clock, in milliseconds.
    DateBetween(i64, i64),
    /// `{ includes: [a, b] }`: list members that must be there (comma-separated lists).
    Includes(Vec<Template>),
    /// `{ excludes: [a, b] }`: list members that must not.
    Excludes(Vec<Template>),
    /// `{ only: [a, b] }`: no member but these, and at least one.
    Only(Vec<Template>),
    /// `{ first: a }`: the first member.
    First(Template),
    /// `{ one_of: [a, b] }`: equal to one of them.
    OneOf(Vec<Template>),
    /// Several that must all hold (`{ matches: a, not_contains: b }`).
    All(Vec<Value>),
}

/// `3`, or `{ between: [1, 2] }`, `{ at_least: 1 }`, `{ at_most: 4 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

impl Count {
    /// Does it hold?
    pub fn holds(self, n: u64) -> bool {
        (self.min..=self.max).contains(&n)
    }
}

/// `origin_saw:`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OriginCheck {
    /// Every request instead of the last.
    pub all: bool,
    /// `method`.
    pub method: Option<Value>,
    /// `path`: with its query, without the case's prefix.
    pub path: Option<Value>,
    /// `headers`.
    pub headers: Vec<(String, Value)>,
    /// `body`.
    pub body: Option<Value>,
    /// `trailers`.
    pub trailers: Vec<(String, Value)>,
}

/// `access_log:`, `waf_log:` and `upstream_log:`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogCheck {
    /// `count`: how many lines the case has in all.
    pub count: Option<Count>,
    /// `line`: the last line.
    pub line: Option<Value>,
    /// `any`: at least one line.
    pub any: Option<Value>,
    /// `none`: no line.
    pub none: Option<Value>,
    /// `every`: each line (and at least one).
    pub every: Option<Value>,
    /// `fields`: what the last line says, by the variables of the log's format, as the target's own
    /// notation is read. A variable that the line shows as missing is absent.
    pub fields: Vec<(String, Value)>,
    /// `distinct`: no two lines are the same.
    pub distinct: bool,
}

/// `waf_rules:` which rules the case's lines of the WAF's log tell of, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RulesCheck {
    /// `includes`: each of these.
    pub includes: Vec<u64>,
    /// `excludes`: none of these.
    pub excludes: Vec<u64>,
    /// `only`: none but these, and at least one.
    pub only: Vec<u64>,
}

/// `files: { PATH: … }`; the path may use `{{dir}}`, the target's work folder. With `*` as its last part it stands
/// for every file of a folder: each must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileCheck {
    /// `exists`.
    pub exists: Option<bool>,
    /// `count`: how many there are.
    pub count: Option<Count>,
    /// `mode` as `ls` prints its digits: `0600`.
    pub mode: Option<u32>,
    /// `content`.
    pub content: Option<Value>,
}
