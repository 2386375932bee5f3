//! One request through the codec and the engine, and the backend's answer back.

use std::sync::Arc;

use bytes::BytesMut;
use edgeproof_http1::{
    BodyLength, ChunkedDecoder, Limits, ParsedRequest, Piece, Refused, RequestParser,
};
use edgeproof_waf::{Collections, Connection, Match, Moment, RequestLine, RuleSet, Transaction};

use crate::backend;

/// What came of a request.
pub(crate) struct Played {
    /// None: no answer that a client of HTTP/1 could read.
    pub(crate) status: Option<u16>,
    pub(crate) matches: Vec<Match>,
    /// The ids of all rules that fired.
    pub(crate) fired: Vec<u64>,
}

/// Sends the bytes as a request.
pub(crate) fn play(rules: &Arc<RuleSet>, collections: &Arc<Collections>, request: &[u8]) -> Played {
    let ends =
        Connection { client: ([127, 0, 0, 1], 40_000).into(), server: ([127, 0, 0, 1], 80).into() };
    let now = Moment::utc(1_790_000_000);
    let mut transaction = Transaction::new(rules, collections, ends, "aGVsbG8tMTIz", now);
    let mut buffer = BytesMut::from(request);
    let status = match RequestParser::new(Limits::default()).parse(&mut buffer) {
        Ok(Some(parsed)) => serve(&mut transaction, &parsed, buffer, first_line(request)),
        Ok(None) => {
            let refused = RequestParser::new(Limits::default()).incomplete(&buffer);
            refuse(&mut transaction, &refused)
        }
        Err(refused) => refuse(&mut transaction, &refused),
    };
    let outcome = transaction.finish();
    Played { status, matches: outcome.matches, fired: outcome.fired }
}

fn first_line(request: &[u8]) -> &[u8] {
    let end = request.windows(2).position(|pair| pair == b"\r\n");
    &request[..end.unwrap_or(request.len())]
}

fn serve(
    transaction: &mut Transaction,
    parsed: &ParsedRequest,
    buffer: BytesMut,
    line: &[u8],
) -> Option<u16> {
    let head = &parsed.head;
    let line = RequestLine {
        line,
        method: Some(&head.method),
        target: Some(&head.target),
        version: Some(head.version.as_str().as_bytes()),
    };
    transaction.request(line, head.fields.iter());
    let Some(body) = body(&parsed.body, buffer) else { return answer(transaction, 400, &[]) };
    transaction.request_body(&body);
    transaction.request_end();
    let path = parsed.path.split(|&byte| byte == b'?').next().unwrap_or_default();
    let backend::Answer { status, headers, body } = backend::answer(&head.method, path, &body);
    let borrowed: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    transaction.response(b"HTTP/1.1", status, b"", borrowed);
    transaction.response_body(&body);
    transaction.response_end();
    Some(status)
}

/// The body, if it is all there.
fn body(length: &BodyLength, mut buffer: BytesMut) -> Option<Vec<u8>> {
    match length {
        BodyLength::Chunked => {
            let mut decoder = ChunkedDecoder::request(Limits::default());
            let mut body = Vec::new();
            loop {
                match decoder.decode(&mut buffer).ok()?? {
                    Piece::Data(data) => body.extend_from_slice(&data),
                    Piece::End(_) => return Some(body),
                }
            }
        }
        BodyLength::Length(length) => {
            let length = usize::try_from(*length).ok()?;
            (buffer.len() >= length).then(|| buffer[..length].to_vec())
        }
        _ => Some(Vec::new()),
    }
}

/// The codec refuses the request: rules see as much of it as could be read.
fn refuse(transaction: &mut Transaction, refused: &Refused) -> Option<u16> {
    let line = RequestLine {
        line: &refused.line,
        method: refused.method(),
        target: refused.target(),
        version: refused.version(),
    };
    transaction.request(line, refused.fields.iter());
    answer(transaction, refused.error.status(), &refused.line)
}

/// The codec's own answer. Without a version in the request line there is none in HTTP/1.
fn answer(transaction: &mut Transaction, status: u16, line: &[u8]) -> Option<u16> {
    transaction.response(b"HTTP/1.1", status, b"", []);
    transaction.response_end();
    let simple = line.iter().filter(|&&byte| byte == b' ').count() == 2 && line.ends_with(b" ");
    (!simple).then_some(status)
}
