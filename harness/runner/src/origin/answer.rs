//! An answer of the script as the octets that go out.

use edgeproof_scenario::MissingVariable;
use edgeproof_scenario::model::{Answer, Body, Break, Date, FieldValue};
use jiff::{SignedDuration, Timestamp};

use super::reason::reason;
use crate::filling::Filling;
use crate::http_date;
use crate::variables::Variables;
use crate::wire::ReadRequest;

/// What goes out, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// 1xx answers.
    pub(crate) interim: Vec<u8>,
    pub(crate) head: Vec<u8>,
    pub(crate) content: Planned,
    pub(crate) end: End,
}

/// Content on the wire, with its framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Planned {
    Bytes(Vec<u8>),
    /// Made while it is sent.
    Fill {
        pattern: Vec<u8>,
        size: u64,
    },
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    KeepOpen,
    Close,
    Reset,
    /// Another protocol from here on: everything is sent back.
    Echo,
}

/// Makes the octets of an answer to `request`, whose body is `body`.
pub(crate) fn plan(
    answer: &Answer,
    request: &ReadRequest,
    body: &[u8],
    variables: &Variables,
    now: Timestamp,
) -> Result<Plan, MissingVariable> {
    if let Some(raw) = &answer.raw {
        let raw = variables.fill(raw, now)?;
        let content = Planned::Bytes(Vec::new());
        return Ok(Plan { interim: Vec::new(), head: raw, content, end: End::Close });
    }
    let content = match &answer.body {
        Body::Bytes(template) => Planned::Bytes(variables.fill(template, now)?),
        Body::Fill { pattern, size } => Planned::Fill { pattern: pattern.clone(), size: *size },
        Body::EchoRequest => Planned::Bytes([&request.raw[..], body].concat()),
    };
    let framing = Framing::of(answer, request);
    let mut end = framing.end(answer, request);
    let head = head(answer, framing, content.size(), variables, now)?;
    let content = match framing {
        Framing::None => Planned::Bytes(Vec::new()),
        Framing::Plain | Framing::UntilClose => content.cut(answer.break_off),
        Framing::Chunked => Planned::Bytes(chunked(answer, &content.bytes(), variables, now)?),
    };
    if let (Some(stop), true) = (answer.break_off, framing != Framing::None) {
        end = if stop.reset { End::Reset } else { End::Close };
    }
    Ok(Plan { interim: interim(answer, request, variables, now)?, head, content, end })
}

impl Planned {
    fn size(&self) -> u64 {
        match self {
            Planned::Bytes(bytes) => bytes.len() as u64,
            Planned::Fill { size, .. } => *size,
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Planned::Bytes(bytes) => bytes,
            Planned::Fill { pattern, size } => Filling::all(&pattern, size),
        }
    }

    fn cut(self, stop: Option<Break>) -> Self {
        let Some(stop) = stop else { return self };
        match self {
            Planned::Bytes(mut bytes) => {
                bytes.truncate(usize::try_from(stop.after).unwrap_or(usize::MAX));
                Planned::Bytes(bytes)
            }
            Planned::Fill { pattern, size } => {
                Planned::Fill { pattern, size: size.min(stop.after) }
            }
        }
    }
}

/// How the content's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// The answer has no content, by its status or the request's method.
    None,
    Plain,
    Chunked,
    /// The case leaves both lengths out, or the request is HTTP/1.0 and knows no chunks.
    UntilClose,
}

impl Framing {
    fn of(answer: &Answer, request: &ReadRequest) -> Self {
        let wants_chunks = answer.chunking.is_some() || !answer.trailers.is_empty();
        if request.method == "HEAD" || matches!(answer.status, 101 | 204 | 304) {
            Framing::None
        } else if wants_chunks && request.minor >= 1 {
            Framing::Chunked
        } else if wants_chunks || (is_omitted(answer, "content-length") && !writes_own(answer)) {
            Framing::UntilClose
        } else {
            Framing::Plain
        }
    }

    fn end(self, answer: &Answer, request: &ReadRequest) -> End {
        if answer.status == 101 {
            End::Echo
        } else if answer.close || self == Framing::UntilClose || !request.is_persistent() {
            End::Close
        } else {
            End::KeepOpen
        }
    }
}

/// Is the field left out with `null`?
fn is_omitted(answer: &Answer, name: &str) -> bool {
    answer
        .headers
        .iter()
        .any(|(known, value)| known.eq_ignore_ascii_case(name) && *value == FieldValue::Omit)
}

/// Does the case write a transfer coding of its own?
fn writes_own(answer: &Answer) -> bool {
    answer.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && *value != FieldValue::Omit
    })
}

fn head(
    answer: &Answer,
    framing: Framing,
    size: u64,
    variables: &Variables,
    now: Timestamp,
) -> Result<Vec<u8>, MissingVariable> {
    let phrase = answer.reason.as_deref().unwrap_or_else(|| reason(answer.status));
    let mut head = format!("HTTP/1.1 {} {phrase}\r\n", answer.status).into_bytes();
    let is_named =
        |name: &str| answer.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !is_named("date") && answer.status != 101 {
        line(&mut head, "Date", http_date::format(now).as_bytes());
    }
    for (name, value) in &answer.headers {
        match value {
            FieldValue::Text(text) => line(&mut head, name, &variables.fill(text, now)?),
            FieldValue::Date(date) => line(&mut head, name, date_text(*date, now).as_bytes()),
            FieldValue::Omit => {}
        }
    }
    let chunks = answer.chunking.is_some() || !answer.trailers.is_empty();
    match framing {
        Framing::Chunked if !is_named("transfer-encoding") => {
            line(&mut head, "Transfer-Encoding", b"chunked");
        }
        Framing::Plain if !is_named("content-length") && !is_named("transfer-encoding") => {
            line(&mut head, "Content-Length", size.to_string().as_bytes());
        }
        // The answer to HEAD says what GET's would (RFC 9110 §9.3.2).
        Framing::None if !matches!(answer.status, 101 | 204 | 304) => {
            if chunks && !is_named("transfer-encoding") {
                line(&mut head, "Transfer-Encoding", b"chunked");
            } else if !chunks && !is_named("content-length") {
                line(&mut head, "Content-Length", size.to_string().as_bytes());
            }
        }
        _ => {}
    }
    head.extend_from_slice(b"\r\n");
    Ok(head)
}

fn line(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    head.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
}

fn date_text(date: Date, now: Timestamp) -> String {
    let offset = SignedDuration::from_millis(date.offset_ms);
    http_date::format(now.saturating_add(offset).unwrap_or(now))
}

fn interim(
    answer: &Answer,
    request: &ReadRequest,
    variables: &Variables,
    now: Timestamp,
) -> Result<Vec<u8>, MissingVariable> {
    let mut bytes = Vec::new();
    // RFC 9110 §15.2: a server must not send 1xx to an HTTP/1.0 client.
    for interim in answer.interim.iter().filter(|_| request.minor >= 1) {
        let status = interim.status;
        bytes.extend_from_slice(format!("HTTP/1.1 {status} {}\r\n", reason(status)).as_bytes());
        for (name, value) in &interim.headers {
            line(&mut bytes, name, &variables.fill(value, now)?);
        }
        bytes.extend_from_slice(b"\r\n");
    }
    Ok(bytes)
}

/// The content as chunks, cut where the answer breaks off: the size line then promises more than comes.
fn chunked(
    answer: &Answer,
    content: &[u8],
    variables: &Variables,
    now: Timestamp,
) -> Result<Vec<u8>, MissingVariable> {
    let mut left = answer.break_off.map_or(u64::MAX, |stop| stop.after);
    let mut bytes = Vec::with_capacity(content.len() + 64);
    let mut rest = content;
    let sizes = answer.chunking.iter().flat_map(|chunking| chunking.sizes.iter().copied());
    for size in sizes.chain([usize::MAX]) {
        let (chunk, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        if chunk.is_empty() {
            continue;
        }
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        let sent = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        bytes.extend_from_slice(&chunk[..sent]);
        left -= sent as u64;
        if sent < chunk.len() {
            return Ok(bytes);
        }
        bytes.extend_from_slice(b"\r\n");
    }
    if answer.break_off.is_some() {
        return Ok(bytes);
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, value) in &answer.trailers {
        line(&mut bytes, name, &variables.fill(value, now)?);
    }
    bytes.extend_from_slice(b"\r\n");
    Ok(bytes)
}
