//! The response to one request, on its way to the client: framing for the client's version, what
//! was sent for the log, and whether the connection goes on.

use std::io;
use std::ops::Range;

use bytes::{BufMut, Bytes};
use edgeproof_http1::{
    BodyLength, Fields, ResponseHead, Version, Written, chunk_start, put_last_chunk,
    put_response_head,
};
use tokio::io::AsyncWrite;

use crate::body::Sink;
use crate::firewall::{Decision, Gate, HeldBack, Inspection, OfPiece, OfResponse};
use crate::wire::Outgoing;
use crate::{hit, hop};
use edgeproof_mutant::{self as mutant, Mutant};

/// What the client got, for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'o> {
    pub(crate) status: u16,
    /// The field lines, as they were written.
    pub(crate) fields: Written<'o>,
    /// Octets of the body, framing not counted.
    pub(crate) body: u64,
}

/// A response whose final head is queued or written.
#[derive(Debug)]
pub(crate) struct Begun {
    status: u16,
    /// Where the connection keeps the head.
    head: Range<usize>,
    /// Bytes that the connection had written before it.
    after: u64,
    pub(crate) body: u64,
}

impl Begun {
    /// What was sent, read from the connection that sent it; `None` if that was nothing.
    pub(crate) fn sent<'o, W: AsyncWrite + Unpin>(&self, out: &'o Outgoing<W>) -> Option<Sent<'o>> {
        if out.written() == self.after {
            return None;
        }
        let fields = Written::of_head(out.kept(self.head.clone()));
        Some(Sent { status: self.status, fields, body: self.body })
    }
}

/// How the body's end is shown to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// There is no body, whatever the fields say.
    None,
    /// By Content-Length, or by the close of the connection.
    Plain,
    Chunked,
}

/// A response that is being sent.
pub(crate) struct Reply<'c, W> {
    out: &'c mut Outgoing<W>,
    version: Version,
    is_head: bool,
    /// Whether the connection carries another request afterwards.
    pub(crate) keep: bool,
    framing: Framing,
    begun: Option<Begun>,
    /// The rules that the response has to pass.
    gate: Option<Box<Gate>>,
    /// They let nobody answer.
    broken: bool,
}

impl<'c, W: AsyncWrite + Unpin> Reply<'c, W> {
    /// The response to a request of `version`, with or without (`is_head`) a body.
    pub(crate) fn new(
        out: &'c mut Outgoing<W>,
        version: Version,
        is_head: bool,
        keep: bool,
    ) -> Self {
        out.forget();
        let framing = Framing::None;
        Self { out, version, is_head, keep, framing, begun: None, gate: None, broken: false }
    }

    /// Lets the response through only as the rules agree.
    pub(crate) fn inspect(&mut self, inspection: Inspection) {
        self.gate = Some(Box::new(Gate::new(inspection)));
    }

    /// Takes back what is queued of a response of which the client has seen nothing yet. False if it has, or if the
    /// rules chose the response: no other answer is possible any more.
    pub(crate) fn take_back(&mut self) -> bool {
        let Some(begun) = &self.begun else { return true };
        let is_denial = self.gate.as_ref().is_some_and(|gate| gate.is_closed());
        if is_denial || self.out.written() != begun.after {
            return false;
        }
        self.begun = None;
        self.out.take_back();
        true
    }

    /// The connection, what was sent on it, and the rules that looked at it.
    pub(crate) fn into_parts(self) -> (&'c mut Outgoing<W>, Option<Begun>, Option<Box<Gate>>) {
        (self.out, self.begun, self.gate)
    }

    /// Queues an interim response; an HTTP/1.0 client does not know them (RFC 9110 §15.2).
    pub(crate) fn interim(&mut self, head: ResponseHead) {
        let knows = self.version == Version::Http11 || mutant::is(Mutant::Sends1xxTo10);
        if knows && !mutant::is(Mutant::Swallows1xx) {
            self.out.put(|out| put_response_head(out, &clean(head)));
        }
    }

    /// Queues the final head. `fields` have lost what belongs to another connection; framing and
    /// Connection are added here, from the length that the body has.
    pub(crate) fn start(&mut self, status: u16, reason: Bytes, fields: Fields, length: BodyLength) {
        let has_content =
            !self.is_bodyless(status) && !length.is_nothing() && length != BodyLength::Tunnel;
        let verdict =
            self.gate.as_mut().map(|gate| gate.head(status, &reason, fields.iter(), has_content));
        match (verdict, &mut self.gate) {
            (Some(OfResponse::Hold), Some(gate)) => {
                gate.hold(HeldBack { status, reason, fields, length, body: Vec::new() });
            }
            (Some(OfResponse::Decided(decision)), _) if decision != Decision::Pass => {
                self.replace(decision);
            }
            _ => self.put_head(status, reason, fields, length),
        }
    }

    /// Whether a response of this status has no body here, whatever its fields say.
    fn is_bodyless(&self, status: u16) -> bool {
        self.is_head || matches!(status, 100..=199 | 204 | 304)
    }

    fn put_head(&mut self, status: u16, reason: Bytes, mut fields: Fields, length: BodyLength) {
        self.framing = self.frame(status, &mut fields, length);
        if length == BodyLength::Tunnel {
            fields.push("Connection", "Upgrade");
        } else if let Some(option) = self.connection() {
            fields.push("Connection", option);
        }
        let head = ResponseHead { version: Version::Http11, status, reason, fields };
        self.begin(status, |out| put_response_head(out, &clean(head)));
    }

    /// Queues the final head of a response from the store.
    pub(crate) fn start_stored(&mut self, stored: &edgeproof_cache::Reply) {
        let status = stored.status();
        let bodyless = self.is_head || stored.content_length().is_none();
        if let Some(gate) = &mut self.gate {
            let phrase = reason(status).as_bytes();
            let decision = match gate.head(status, phrase, stored.fields(), !bodyless) {
                OfResponse::Hold => match &stored.body()[..] {
                    [one] => gate.whole(one),
                    pieces => gate.whole(&pieces.concat()),
                },
                OfResponse::Decided(decision) => decision,
            };
            if decision != Decision::Pass {
                return self.replace(decision);
            }
        }
        // Only the chunked coding has a place for trailers.
        let mut trailers = Fields::new();
        if !bodyless && self.version == Version::Http11 && !stored.trailers().is_empty() {
            trailers.clone_from(stored.trailers());
            hop::clean_trailers(&mut trailers);
        }
        self.framing = match (bodyless, trailers.is_empty()) {
            (true, _) => Framing::None,
            (false, true) => Framing::Plain,
            (false, false) => Framing::Chunked,
        };
        let connection = self.connection();
        self.begin(status, |out| hit::put_head(out, stored, &trailers, connection));
    }

    /// What Connection says about the time after this response, where that needs saying.
    fn connection(&self) -> Option<&'static str> {
        match self.version {
            _ if !self.keep => Some("close"),
            Version::Http10 => Some("keep-alive"),
            Version::Http11 => None,
        }
    }

    fn begin(&mut self, status: u16, put: impl FnOnce(&mut Vec<u8>)) {
        // Interim responses are written before.
        let after = self.out.written();
        let head = self.out.put_kept(put);
        if self.is_head && mutant::is(Mutant::HeadWithBody) {
            self.out.put(|out| out.put_slice(b"a body"));
        }
        self.begun = Some(Begun { status, head, after, body: 0 });
    }

    /// The rules do not agree: another answer in the response's place.
    fn replace(&mut self, decision: Decision) {
        let Some(gate) = &mut self.gate else { return };
        gate.close();
        let Decision::Answer { status, location } = decision else {
            self.broken = true;
            return;
        };
        let (fields, text) = gate.inspection().denial(status, location);
        let (reason, fields, body) = own(status, fields, &text);
        self.put_head(status, reason, fields, BodyLength::Length(body.len() as u64));
        self.put_data(body);
    }

    /// Sends what was held back, if the rules agree.
    fn release(&mut self, decision: Decision, held: HeldBack) {
        if decision != Decision::Pass {
            return self.replace(decision);
        }
        let HeldBack { status, reason, fields, length, body } = held;
        self.put_head(status, reason, fields, length);
        for piece in body {
            self.put_data(piece);
        }
    }

    /// Chooses the framing (RFC 9112 §6.3) and says so in the fields.
    fn frame(&mut self, status: u16, fields: &mut Fields, length: BodyLength) -> Framing {
        match length {
            // What HEAD and 304 say about the length is about another response (RFC 9110 §8.6).
            _ if self.is_bodyless(status) => {
                if matches!(status, 100..=199 | 204) {
                    fields.remove("content-length");
                }
                Framing::None
            }
            BodyLength::Empty => {
                fields.set("Content-Length", "0");
                Framing::Plain
            }
            BodyLength::Length(length) => {
                let mut lines = fields.get_all("content-length");
                let text = length.to_string();
                if lines.next() != Some(text.as_bytes()) || lines.next().is_some() {
                    fields.set("Content-Length", text);
                }
                Framing::Plain
            }
            BodyLength::Chunked | BodyLength::UntilClose => {
                fields.remove("content-length");
                if self.version == Version::Http11 {
                    fields.push("Transfer-Encoding", "chunked");
                    Framing::Chunked
                } else {
                    self.keep = false;
                    Framing::Plain
                }
            }
            BodyLength::Tunnel => Framing::Plain,
        }
    }

    /// Queues a whole response of the proxy's own, `text` as its body.
    pub(crate) fn answer(&mut self, status: u16, fields: Fields, text: &str) {
        let (reason, fields, body) = own(status, fields, text);
        self.start(status, reason, fields, BodyLength::Length(body.len() as u64));
        self.data(body);
    }

    /// Writes the response, all of which is queued.
    pub(crate) async fn flush_whole(&mut self) -> io::Result<()> {
        if !self.broken {
            self.out.end_follows();
        }
        self.flush().await
    }

    fn put_data(&mut self, data: Bytes) {
        if self.framing == Framing::None || data.is_empty() {
            return;
        }
        if let Some(begun) = &mut self.begun {
            begun.body += data.len() as u64;
        }
        if self.framing == Framing::Chunked {
            if let Some(begun) =
                self.begun.as_mut().filter(|_| mutant::is(Mutant::SizeCountsFraming))
            {
                begun.body += chunk_start(data.len()).as_ref().len() as u64 + 2;
            }
            self.out.chunk(data);
        } else {
            self.out.data(data);
        }
    }
}

impl<W: AsyncWrite + Unpin> Sink for Reply<'_, W> {
    fn data(&mut self, data: Bytes) {
        match &mut self.gate {
            None => self.put_data(data),
            Some(gate) => match gate.piece(data) {
                OfPiece::Send(data) => self.put_data(data),
                OfPiece::Nothing => {}
                OfPiece::Decided(decision, held) => self.release(decision, held),
            },
        }
    }

    fn end(&mut self, mut trailers: Fields) {
        match self.gate.as_mut().map(|gate| gate.end()) {
            None | Some(OfPiece::Send(_)) => {}
            Some(OfPiece::Decided(Decision::Pass, held)) => self.release(Decision::Pass, held),
            Some(OfPiece::Decided(decision, _)) => return self.replace(decision),
            Some(OfPiece::Nothing) => return,
        }
        if self.framing != Framing::Chunked {
            return;
        }
        hop::clean_trailers(&mut trailers);
        if mutant::is(Mutant::DropsTrailers) {
            trailers = Fields::new();
        }
        self.out.put(|out| put_last_chunk(out, &trailers));
    }

    fn queued(&self) -> usize {
        self.out.queued()
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.out.flush().await
    }
}

/// The parts of a response of the proxy's own: reason, fields, body.
fn own(status: u16, mut fields: Fields, text: &str) -> (Bytes, Fields, Bytes) {
    fields.push("Content-Type", "text/plain; charset=utf-8");
    let mut body = Bytes::from(format!("{text}\n"));
    if mutant::is(Mutant::ErrorsWithoutWords) {
        body.clear();
    }
    (Bytes::from_static(reason(status).as_bytes()), fields, body)
}

/// The head with a phrase that may be sent: an origin's own may hold octets that none has (RFC 9112
/// §4), which say nothing to a client but perhaps something to a terminal.
fn clean(head: ResponseHead) -> ResponseHead {
    let is_phrase = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    match head.reason.iter().all(is_phrase) {
        true => head,
        false => ResponseHead { reason: reason(head.status).into(), ..head },
    }
}

/// The reason phrases of the registered statuses (RFC 9110 §15, RFC 6585), for the proxy's own
/// answers and those from its store; an origin's own phrase is sent on.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
