//! Request heads, read as a server reads them: strictly.

use bytes::{Bytes, BytesMut};

use crate::field_line::{self, Manner};
use crate::fields::Line;
use crate::lines::{Lines, TooLarge};
use crate::request_line::{self, RequestLine};
use crate::{Authority, BodyLength, Error, Fields, Limits, Refused, Version, framing};
use edgeproof_mutant::{self as mutant, Mutant};

pub use crate::request_line::TargetForm;

/// A request's head as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHead {
    /// The method, case kept.
    pub method: Bytes,
    /// The raw target.
    pub target: Bytes,
    /// The version.
    pub version: Version,
    /// The field lines.
    pub fields: Fields,
}

/// A request's head together with what had to be decided to accept it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRequest {
    /// The head as received.
    pub head: RequestHead,
    /// The request line as sent, without its end: a version such as HTTP/1.2, which is read as 1.1, stands only
    /// here.
    pub line: Bytes,
    /// The form of the target.
    pub form: TargetForm,
    /// Host and port of an absolute-form or authority-form target, else of Host
    /// (RFC 9112 §3.2.2). `None` only in HTTP/1.0.
    pub authority: Option<Authority>,
    /// Path and query in origin-form (`*` for the asterisk-form, empty for the authority-form).
    pub path: Bytes,
    /// Where the body ends.
    pub body: BodyLength,
}

impl ParsedRequest {
    /// The version as sent, such as `HTTP/1.1`.
    #[must_use]
    pub fn sent_version(&self) -> &[u8] {
        &self.line[self.line.len() - VERSION..]
    }

    /// Whether the client lets the connection go on after this exchange.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        framing::is_persistent(self.head.version, &self.head.fields)
    }
}

/// Octets of a version.
const VERSION: usize = "HTTP/1.1".len();

/// Reads request heads one after another from a growing buffer.
#[derive(Debug)]
pub struct RequestParser {
    limits: Limits,
    lines: Lines,
    line: Option<RequestLine>,
    fields: Vec<Line>,
}

impl RequestParser {
    /// A parser that refuses what exceeds `limits`.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, lines: Lines::default(), line: None, fields: Vec::new() }
    }

    /// Reads on in `buf`, which must begin where it began at the last call that gave `None` and
    /// hold at least the same bytes. A complete head is taken off the front of `buf`, whose memory
    /// it shares; `None` asks for more bytes.
    ///
    /// # Errors
    /// The first rule broken. Nothing after it can be trusted: the connection has to close.
    pub fn parse(&mut self, buf: &mut BytesMut) -> Result<Option<ParsedRequest>, Refused> {
        let length = match self.read(buf) {
            Ok(Some(length)) => length,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.refused(error, buf)),
        };
        // What was read into is the head's, and free again when that is.
        let head = if length == buf.len() { std::mem::take(buf) } else { buf.split_to(length) };
        let head = head.freeze();
        let parsed = self.head(&head);
        let limits = self.limits;
        *self = Self::new(limits);
        parsed.map(Some)
    }

    /// Whether any byte of the next head other than empty lines has been read.
    #[must_use]
    pub fn has_begun(&self, buf: &[u8]) -> bool {
        self.line.is_some() || buf[self.lines.at.min(buf.len())..].iter().any(|&b| b > b' ')
    }

    /// Reads lines until the empty one: the head's length if it is there.
    fn read(&mut self, buf: &[u8]) -> Result<Option<usize>, Error> {
        loop {
            if self.line.is_none() {
                begins_well(buf, self.lines.at)?;
            }
            let too_large = |which, first| match (which, first) {
                (_, true) => Error::RequestLineTooLong,
                (TooLarge::Line, false) => Error::FieldLineTooLong,
                (TooLarge::Head, false) => Error::HeadTooLarge,
            };
            let first = self.line.is_none();
            let line = self.lines.next(buf, &self.limits).map_err(|it| too_large(it, first))?;
            let Some(line) = line else {
                return Ok(None);
            };
            if line.bare_lf && !mutant::is(Mutant::BareLf) {
                return Err(Error::BareLf);
            }
            match (&self.line, line.content) {
                // RFC 9112 §2.2: empty lines before a request are ignored.
                (None, content) if content.is_empty() => {}
                (None, content) => self.line = Some(request_line::parse(buf, content)?),
                (Some(_), content) if content.is_empty() => return Ok(Some(self.lines.at)),
                (Some(_), content) => {
                    let field = self.field(buf, content)?;
                    if self.fields.is_empty() {
                        self.fields.reserve(USUAL_FIELDS);
                    }
                    self.fields.push(field);
                }
            }
        }
    }

    fn field(&self, buf: &[u8], content: std::ops::Range<usize>) -> Result<Line, Error> {
        if self.fields.len() == self.limits.fields {
            return Err(Error::TooManyFields);
        }
        if matches!(buf[content.start], b' ' | b'\t') {
            let first = self.fields.is_empty();
            return Err(if first { Error::WhitespaceBeforeFields } else { Error::ObsFold });
        }
        field_line::parse(buf, content, Manner::Strict)
    }

    /// The head of which all lines have been read, checked as a whole.
    fn head(&mut self, head: &Bytes) -> Result<ParsedRequest, Refused> {
        let Some(line) = self.line.take() else {
            return Err(self.refused(Error::BadRequestLine, head));
        };
        let fields = Fields::parsed(head.clone(), std::mem::take(&mut self.fields));
        let sent = head.slice(line.method.start..line.target.end + 1 + VERSION);
        let refuse =
            |error, fields| Refused { error, line: sent.clone(), fields: Box::new(fields) };
        let authority = match authority(head, &line, &fields) {
            Ok(authority) => authority,
            Err(error) => return Err(refuse(error, fields)),
        };
        let body = match framing::of_request(line.version, &fields) {
            Ok(body) => body,
            Err(error) => return Err(refuse(error, fields)),
        };
        Ok(ParsedRequest {
            line: sent,
            form: line.form,
            authority,
            path: path(head, &line),
            body,
            head: RequestHead {
                method: method(head, &line),
                target: head.slice(line.target),
                version: line.version,
                fields,
            },
        })
    }

    /// What was read of a head of which no more comes, for a log; `buf` as at the last call of
    /// [`RequestParser::parse`].
    #[must_use]
    pub fn incomplete(&mut self, buf: &[u8]) -> Refused {
        self.refused(Error::Incomplete, buf)
    }

    /// What could be read of a request that breaks off with `error`.
    fn refused(&mut self, error: Error, buf: &[u8]) -> Refused {
        let read = Bytes::copy_from_slice(&buf[..buf.len().min(self.limits.head)]);
        let empty = read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let end = memchr::memchr(b'\n', &read[empty..]).map_or(read.len(), |lf| empty + lf);
        let line = read.slice(empty..end.min(empty.saturating_add(self.limits.line)));
        let line = match &line[..] {
            [rest @ .., b'\r'] => line.slice(..rest.len()),
            _ => line,
        };
        let fields = Box::new(Fields::parsed(read, std::mem::take(&mut self.fields)));
        Refused { error, line, fields }
    }
}

/// Field lines for which there is room from the start.
const USUAL_FIELDS: usize = 16;

/// Refuses at once what cannot become a request, such as a TLS handshake on a plain port.
fn begins_well(buf: &[u8], at: usize) -> Result<(), Error> {
    match buf.get(at) {
        None | Some(b'\r' | b'\n') => Ok(()),
        Some(b' ' | b'\t') => Err(Error::LeadingWhitespace),
        Some(&byte) if crate::grammar::is_tchar(byte) => Ok(()),
        Some(_) => Err(Error::BadMethod),
    }
}

/// Whom the request is for. Host must be there once and well formed even where the target decides.
fn authority(
    head: &Bytes,
    line: &RequestLine,
    fields: &Fields,
) -> Result<Option<Authority>, Error> {
    let mut hosts = fields.get_all("host");
    let host = match hosts.next() {
        None if line.version == Version::Http11 => return Err(Error::NoHost),
        None => None,
        Some(host) => Some(Authority::parse(head.slice_ref(host)).ok_or(Error::BadHost)?),
    };
    if hosts.next().is_some() && !mutant::is(Mutant::TwoHosts) {
        return Err(Error::SeveralHosts);
    }
    match &line.authority {
        Some(range) => {
            Authority::parse(head.slice(range.clone())).ok_or(Error::BadTarget).map(Some)
        }
        None => Ok(host),
    }
}

/// The path in origin-form: an absolute-form target may lack it (RFC 9112 §3.2.1, §3.2.4).
fn path(head: &Bytes, line: &RequestLine) -> Bytes {
    match &head[line.path.clone()] {
        [] if line.form == TargetForm::Authority => Bytes::new(),
        [] if line.form == TargetForm::Asterisk || &head[line.method.clone()] == b"OPTIONS" => {
            Bytes::from_static(b"*")
        }
        [] => Bytes::from_static(b"/"),
        [b'?', ..] => [b"/", &head[line.path.clone()]].concat().into(),
        _ => head.slice(line.path.clone()),
    }
}

/// The method; the everyday ones without a count of the shared buffer.
fn method(head: &Bytes, line: &RequestLine) -> Bytes {
    match &head[line.method.clone()] {
        b"GET" => Bytes::from_static(b"GET"),
        b"HEAD" => Bytes::from_static(b"HEAD"),
        b"POST" => Bytes::from_static(b"POST"),
        _ => head.slice(line.method.clone()),
    }
}
