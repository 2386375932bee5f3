//! Requests as the origin reads them: tolerant, since what the target makes of a request is what is tested.

use super::content::{Content, Framing};
use super::head::{Fields, Head, LONGEST_HEAD};

/// A request as far as its head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReadRequest {
    pub(crate) method: String,
    /// As it arrived.
    pub(crate) target: String,
    /// 0 or 1: the minor version.
    pub(crate) minor: u8,
    pub(crate) fields: Fields,
    /// The head's octets.
    pub(crate) raw: Vec<u8>,
    /// Contradictions in its framing.
    pub(crate) defects: Vec<String>,
    pub(crate) framing: Framing,
}

impl ReadRequest {
    /// May another request follow on the connection?
    pub(crate) fn is_persistent(&self) -> bool {
        match self.minor {
            0 => self.fields.lists("connection", "keep-alive"),
            _ => !self.fields.lists("connection", "close"),
        }
    }

    /// Does the sender wait for 100 (Continue)?
    pub(crate) fn expects_continue(&self) -> bool {
        self.minor == 1
            && self.framing != Framing::Empty
            && self.fields.lists("expect", "100-continue")
    }
}

/// What the reader found at the front of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Received {
    /// Not yet a whole head.
    Partial,
    /// A head of so many octets.
    Head(usize, Box<ReadRequest>),
    /// Not a request of HTTP/1.
    Malformed(String),
}

/// Reads request heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestReader;

impl RequestReader {
    pub(crate) fn head(input: &[u8]) -> Received {
        let Some(head) = Head::read(input) else {
            return if input.len() > LONGEST_HEAD {
                Received::Malformed("its head has no end".to_owned())
            } else {
                Received::Partial
            };
        };
        let Some((method, target, minor)) = request_line(&head.start) else {
            let line = crate::visible::quoted(&head.start);
            return Received::Malformed(format!("its first line is no request line: {line}"));
        };
        let (framing, mut defects) = framing(&head.fields);
        defects.extend(head.defects);
        let raw = input[..head.length].to_vec();
        let fields = head.fields;
        let request = ReadRequest { method, target, minor, fields, raw, defects, framing };
        Received::Head(head.length, Box::new(request))
    }

    pub(crate) fn content(request: &ReadRequest) -> Content {
        Content::new(request.framing)
    }
}

/// RFC 9112 §3. A target may hold anything but the spaces round it.
fn request_line(line: &[u8]) -> Option<(String, String, u8)> {
    let text = String::from_utf8_lossy(line);
    let (method, rest) = text.split_once(' ')?;
    let (target, version) = rest.rsplit_once(' ')?;
    let minor = match version {
        "HTTP/1.0" => 0,
        "HTTP/1.1" => 1,
        _ => return None,
    };
    (!method.is_empty() && !target.is_empty())
        .then(|| (method.to_owned(), target.to_owned(), minor))
}

fn framing(fields: &Fields) -> (Framing, Vec<String>) {
    let mut defects = Vec::new();
    let length = fields.content_length();
    let chunked = fields.is_chunked();
    if chunked && fields.lines("content-length").next().is_some() {
        defects.push("the request has both Content-Length and Transfer-Encoding".to_owned());
    }
    let framing = match length {
        _ if chunked => Framing::Chunked,
        Ok(Some(length)) => Framing::Length(length),
        Ok(None) => Framing::Empty,
        Err(why) => {
            defects.push(why);
            Framing::Empty
        }
    };
    (framing, defects)
}
