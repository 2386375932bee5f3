//! Response heads, read as a client reads them: strict about framing, tolerant elsewhere.

use bytes::{Buf, Bytes, BytesMut};

use crate::field_line::{self, Manner};
use crate::fields::Line;
use crate::lines::{Lines, TooLarge};
use crate::request_line::version;
use crate::{BodyLength, Error, Fields, Limits, Refused, Version, framing};

/// A response's head as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHead {
    /// The version.
    pub version: Version,
    /// The status, 100 to 999.
    pub status: u16,
    /// The reason phrase, often empty.
    pub reason: Bytes,
    /// The field lines.
    pub fields: Fields,
}

/// A response's head and where its body ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedResponse {
    /// The head as received; a folded line has its folds as spaces.
    pub head: ResponseHead,
    /// Where the body ends.
    pub body: BodyLength,
}

impl ParsedResponse {
    /// Whether the connection can carry another request once this body has ended.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        !matches!(self.body, BodyLength::UntilClose | BodyLength::Tunnel)
            && framing::is_persistent(self.head.version, &self.head.fields)
    }
}

/// Reads the responses to one request, interim ones (1xx) among them, from a growing buffer.
#[derive(Debug)]
pub struct ResponseParser {
    limits: Limits,
    method: Bytes,
    lines: Lines,
    status: Option<(Version, u16, std::ops::Range<usize>)>,
    fields: Vec<Line>,
    /// The end of the last field's value, where a fold would go on.
    last: std::ops::Range<usize>,
}

impl ResponseParser {
    /// A parser for the answers to a request with `method`: HEAD and CONNECT change what follows.
    #[must_use]
    pub fn new(limits: Limits, method: Bytes) -> Self {
        Self {
            limits,
            method,
            lines: Lines::default(),
            status: None,
            fields: Vec::new(),
            last: 0..0,
        }
    }

    /// Reads on in `buf`, as [`crate::RequestParser::parse`] does.
    ///
    /// # Errors
    /// The first rule broken; for a gateway that is a 502.
    pub fn parse(&mut self, buf: &mut BytesMut) -> Result<Option<ParsedResponse>, Refused> {
        let length = match self.read(buf) {
            Ok(Some(length)) => length,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.refused(error, buf)),
        };
        let head = Bytes::copy_from_slice(&buf[..length]);
        let Some((version, status, reason)) = self.status.take() else {
            return Err(self.refused(Error::BadStatusLine, &head));
        };
        let fields = Fields::parsed(head.clone(), std::mem::take(&mut self.fields));
        *self = Self::new(self.limits, std::mem::take(&mut self.method));
        match framing::of_response(version, status, &self.method, &fields) {
            Err(error) => {
                let end = memchr::memchr2(b'\r', b'\n', &head).unwrap_or(0);
                Err(Refused { error, line: head.slice(..end), fields: Box::new(fields) })
            }
            Ok(body) => {
                buf.advance(length);
                let reason = head.slice(reason);
                let head = ResponseHead { version, status, reason, fields };
                Ok(Some(ParsedResponse { head, body }))
            }
        }
    }

    fn read(&mut self, buf: &mut BytesMut) -> Result<Option<usize>, Error> {
        loop {
            let line = self.lines.next(buf, &self.limits).map_err(|which| match which {
                TooLarge::Line => Error::FieldLineTooLong,
                TooLarge::Head => Error::HeadTooLarge,
            })?;
            let Some(line) = line else {
                return Ok(None);
            };
            let content = line.content;
            match self.status {
                None => self.status = Some(status_line(buf, content)?),
                Some(_) if content.is_empty() => return Ok(Some(self.lines.at)),
                Some(_) if matches!(buf[content.start], b' ' | b'\t') => {
                    self.unfold(buf, content)?;
                }
                Some(_) => {
                    if self.fields.len() == self.limits.fields {
                        return Err(Error::TooManyFields);
                    }
                    let field = field_line::parse(buf, content, Manner::Tolerant)?;
                    self.last = field.value_range();
                    self.fields.push(field);
                }
            }
        }
    }

    /// Joins a folded line to the field before it: the line end becomes spaces (RFC 9112 §5.2).
    fn unfold(&mut self, buf: &mut [u8], content: std::ops::Range<usize>) -> Result<(), Error> {
        let Some(field) = self.fields.last_mut() else {
            return Err(Error::WhitespaceBeforeFields);
        };
        for byte in &mut buf[self.last.end..content.start] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        let value = field_line::value_range(buf, self.last.start..content.end);
        field_line::check_value(&buf[value.clone()], Manner::Tolerant)?;
        field.set_value_range(value.clone()).ok_or(Error::FieldLineTooLong)?;
        self.last = value;
        Ok(())
    }

    fn refused(&mut self, error: Error, buf: &[u8]) -> Refused {
        let read = Bytes::copy_from_slice(&buf[..buf.len().min(self.limits.head)]);
        let end = memchr::memchr2(b'\r', b'\n', &read).unwrap_or(read.len());
        let line = read.slice(..end.min(self.limits.line));
        let fields = Box::new(Fields::parsed(read, std::mem::take(&mut self.fields)));
        Refused { error, line, fields }
    }
}

/// `version SP status SP reason`; the last space may lack (RFC 9112 §4).
fn status_line(
    buf: &[u8],
    content: std::ops::Range<usize>,
) -> Result<(Version, u16, std::ops::Range<usize>), Error> {
    let line = &buf[content.clone()];
    let (start, rest) = line.split_at_checked("HTTP/1.1 200".len()).ok_or(Error::BadStatusLine)?;
    let version = version(&start[..8])?;
    let status = match start[8..] {
        [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => return Err(Error::BadStatusLine),
    };
    if !matches!(rest, [] | [b' ', ..]) || rest.iter().any(|byte| matches!(byte, b'\r' | 0)) {
        return Err(Error::BadStatusLine);
    }
    let reason = content.end - rest.len().saturating_sub(1)..content.end;
    Ok((version, status, reason))
}
