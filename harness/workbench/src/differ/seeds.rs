//! What cases give the generator to start from: whole requests, and the payloads of tables.

use edgeproof_scenario::model::{Action, Case, Step};

use super::request::{Body, Content, Framing, Request};

/// A longer request is no seed: making it smaller takes a copy for each step.
const LONGEST: usize = 16 * 1024;

/// Requests and payloads that others wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corpus {
    /// Whole requests, to be changed.
    pub(super) requests: Vec<Request>,
    /// Payloads, to be put anywhere.
    pub(super) texts: Vec<Vec<u8>>,
}

impl Corpus {
    /// Of the raw requests of cases (every test of the ftw format has some) and the values of their rows.
    pub fn of(cases: &[Case]) -> Self {
        let mut corpus = Self::default();
        for case in cases {
            corpus.requests.extend(case.steps.iter().filter_map(seed));
            corpus.texts.extend(case.row.iter().map(|(_, value)| value.clone()));
        }
        corpus.requests.retain(|request| request.wire().len() <= LONGEST);
        corpus.texts.retain(|text| !text.is_empty() && text.len() <= 2048);
        corpus
    }

    /// How many requests and payloads it has.
    pub fn len(&self) -> usize {
        self.requests.len() + self.texts.len()
    }

    /// Is there nothing in it?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn seed(step: &Step) -> Option<Request> {
    let Action::Raw { bytes, .. } = &step.action else { return None };
    // What is known only when it is played is no seed.
    read(&bytes.as_literal()?)
}

/// The structure of a request that is more or less well-formed. Its framing becomes right.
fn read(wire: &[u8]) -> Option<Request> {
    let end = memmem(wire, b"\r\n\r\n")?;
    let (head, content) = (&wire[..end], &wire[end + 4..]);
    let mut lines = split(head, b"\r\n").into_iter();
    let line = lines.next()?;
    let first = line.iter().position(|octet| *octet == b' ')?;
    let last = line.iter().rposition(|octet| *octet == b' ').filter(|last| *last > first)?;
    let (path, query) = target(&line[first + 1..last]);
    let mut request = Request {
        method: line[..first].to_vec(),
        path,
        query,
        version: line[last + 1..].to_vec(),
        host: None,
        usual: false,
        fields: Vec::new(),
        cookies: Vec::new(),
        body: Body { kind: None, content: Content::Nothing },
        framing: Framing::Length,
    };
    for line in lines {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let (name, value) = (line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec());
        match name.to_ascii_lowercase().as_slice() {
            b"connection" | b"content-length" => {}
            b"transfer-encoding" => return None,
            b"host" if request.host.is_none() => request.host = Some(value),
            b"content-type" if request.body.kind.is_none() => request.body.kind = Some(value),
            b"cookie" if request.cookies.is_empty() => request.cookies = split(&value, b"; "),
            _ => request.fields.push((name, value)),
        }
    }
    if !content.is_empty() {
        let between = between(request.body.kind.as_deref().unwrap_or_default());
        request.body.content = Content::Pieces { pieces: split(content, between), between };
    }
    Some(request)
}

fn target(target: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    match target.iter().position(|octet| *octet == b'?') {
        Some(at) => (target[..at].to_vec(), split(&target[at + 1..], b"&")),
        None => (target.to_vec(), Vec::new()),
    }
}

/// Where a content of that type can be cut.
fn between(kind: &[u8]) -> &'static [u8] {
    let kind = String::from_utf8_lossy(kind).to_ascii_lowercase();
    match () {
        () if kind.contains("multipart") => b"\r\n",
        () if kind.contains("json") => b",",
        () if kind.contains("xml") => b">",
        () => b"&",
    }
}

fn split(text: &[u8], by: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = memmem(rest, by) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + by.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

fn memmem(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_and_written_again() {
        let wire = b"POST /a?b=1&c HTTP/1.1\r\nHost: h\r\nX: y\r\nCookie: d=2; e=3\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n--x\r\n\r\n--";
        let request = read(wire).unwrap();
        assert_eq!(request.wire(), wire);
        assert_eq!(request.query, [b"b=1".to_vec(), b"c".to_vec()]);
        let Content::Pieces { pieces, .. } = &request.body.content else { panic!("pieces") };
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn what_has_no_structure_is_no_seed() {
        for wire in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            assert_eq!(read(wire), None, "{}", String::from_utf8_lossy(wire));
        }
    }
}
