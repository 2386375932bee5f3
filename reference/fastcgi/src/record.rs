//! Records: what goes over a connection that carries one request (FastCGI 1.0 §3.3, §5).

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Variables;

const VERSION: u8 = 1;
/// One connection carries one request.
const REQUEST_ID: u16 = 1;
const HEADER: usize = 8;
/// The most that a record holds and that needs no padding to be a multiple of eight.
const MOST: usize = 0xfff8;

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// Octets of an end's body.
const END_BODY: u16 = 8;

/// The role of one that answers requests.
const RESPONDER: u16 = 1;

fn put_header(out: &mut Vec<u8>, kind: u8, length: usize) {
    out.put_u8(VERSION);
    out.put_u8(kind);
    out.put_u16(REQUEST_ID);
    // Nothing longer than `MOST` is ever put into one record.
    out.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
    out.put_u16(0);
}

/// Begins a request; the server closes the connection after it.
pub fn put_begin(out: &mut Vec<u8>) {
    put_header(out, BEGIN_REQUEST, 8);
    out.put_u16(RESPONDER);
    out.put_slice(&[0; 6]);
}

/// Puts all variables, and their end.
pub fn put_variables(out: &mut Vec<u8>, variables: &Variables) {
    put_stream(out, PARAMS, variables.encoded());
    put_header(out, PARAMS, 0);
}

/// Puts a part of the request's body, or its end if `data` is empty.
pub fn put_stdin(out: &mut Vec<u8>, data: &[u8]) {
    match data {
        [] => put_header(out, STDIN, 0),
        data => put_stream(out, STDIN, data),
    }
}

fn put_stream(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    for part in data.chunks(MOST) {
        put_header(out, kind, part.len());
        out.put_slice(part);
    }
}

/// Something that the application sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A part of its standard output: head, then body. Empty at its end.
    Output(Bytes),
    /// A part of its standard error. Empty at its end.
    Error(Bytes),
    /// The request is over.
    End {
        /// What the application returned, 0 for success.
        status: u32,
        /// What the server says.
        outcome: Outcome,
    },
}

/// How a request ended for the server (FastCGI 1.0 §5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was served.
    Complete,
    /// It was refused: no second request at a time on a connection, no more room, or no such role.
    Refused,
}

/// Why what comes cannot be read as FastCGI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The first octet of a record.
    #[error("a record of FastCGI version {0}: only 1 is known")]
    Version(u8),
    /// A record that no application sends to a web server.
    #[error("a record of type {0}, which no application sends")]
    Kind(u8),
    /// A record of a request that was never made.
    #[error("a record of request {0}: only 1 was made")]
    Request(u16),
    /// The end's body is fixed.
    #[error("an end of {0} octets: it has 8")]
    End(u16),
}

/// Reads records one after another from a growing buffer. What belongs to a stream is given as soon as it is
/// there, without waiting for the rest of its record.
#[derive(Debug, Default)]
pub struct RecordReader {
    open: Option<Open>,
    /// Octets between the last record and the next.
    padding: usize,
}

/// A record whose header has been read.
#[derive(Debug)]
struct Open {
    kind: u8,
    left: usize,
    padding: usize,
}

impl RecordReader {
    /// Takes the next answer off the front of `buf`; `None` asks for more bytes.
    ///
    /// # Errors
    /// What is no record of an application. Nothing after it can be trusted.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Answer>, RecordError> {
        let skipped = self.padding.min(buf.len());
        buf.advance(skipped);
        self.padding -= skipped;
        let mut open = match self.open.take() {
            Some(open) => open,
            None if buf.len() < HEADER => return Ok(None),
            None => header(buf)?,
        };
        let is_end = open.kind == END_REQUEST;
        let missing = if is_end { buf.len() < open.left } else { open.left > 0 && buf.is_empty() };
        if missing {
            self.open = Some(open);
            return Ok(None);
        }
        let part = buf.split_to(open.left.min(buf.len())).freeze();
        open.left -= part.len();
        let kind = open.kind;
        match open.left {
            0 => self.padding = open.padding,
            _ => self.open = Some(open),
        }
        Ok(Some(match kind {
            END_REQUEST => end(part),
            STDERR => Answer::Error(part),
            _ => Answer::Output(part),
        }))
    }
}

fn header(buf: &mut BytesMut) -> Result<Open, RecordError> {
    let (version, kind) = (buf.get_u8(), buf.get_u8());
    let (request, length) = (buf.get_u16(), buf.get_u16());
    let padding = buf.get_u8().into();
    buf.advance(1);
    match (version, kind) {
        (VERSION, STDOUT | STDERR | END_REQUEST) if request != REQUEST_ID => {
            Err(RecordError::Request(request))
        }
        (VERSION, END_REQUEST) if length != END_BODY => Err(RecordError::End(length)),
        (VERSION, STDOUT | STDERR | END_REQUEST) => Ok(Open { kind, left: length.into(), padding }),
        (VERSION, _) => Err(RecordError::Kind(kind)),
        _ => Err(RecordError::Version(version)),
    }
}

/// The end of a request: the application's status, the server's outcome, three reserved octets.
fn end(mut body: Bytes) -> Answer {
    let status = body.get_u32();
    let outcome = if body.get_u8() == 0 { Outcome::Complete } else { Outcome::Refused };
    Answer::End { status, outcome }
}
