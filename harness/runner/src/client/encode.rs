//! Requests of a scenario as the octets that go on the wire. Nothing is added but Host and the framing.

use edgeproof_scenario::MissingVariable;
use edgeproof_scenario::model::{BodySpec, Framing, Request};
use jiff::Timestamp;

use super::{Outgoing, Piece};
use crate::variables::Variables;
use crate::wire::{Asked, Received, RequestReader};

/// Spells out a `send:`.
pub(crate) fn encode(
    request: &Request,
    variables: &Variables,
    now: Timestamp,
) -> Result<Outgoing, MissingVariable> {
    let method = variables.fill(&request.method, now)?;
    let mut head = [&method[..], b" ", &variables.fill(&request.target, now)?, b" "].concat();
    head.extend_from_slice(request.version.as_bytes());
    head.extend_from_slice(b"\r\n");
    let mut named = Vec::new();
    let mut lines = Vec::new();
    for (name, value) in &request.headers {
        let name = variables.fill(name, now)?;
        named.push(name.to_ascii_lowercase());
        if let Some(value) = value {
            lines.extend_from_slice(
                &[&name[..], b": ", &variables.fill(value, now)?, b"\r\n"].concat(),
            );
        }
    }
    let is_named = |name: &[u8]| named.iter().any(|known| known == name);
    if !is_named(b"host") {
        let host = variables.get("host").unwrap_or_default();
        head.extend_from_slice(&[b"Host: ", host, b"\r\n"].concat());
    }
    head.extend_from_slice(&lines);
    if request.expect_continue && !is_named(b"expect") {
        head.extend_from_slice(b"Expect: 100-continue\r\n");
    }
    let body = body(&request.body, variables, now)?;
    match request.framing {
        Framing::ContentLength if body.is_some() && !is_named(b"content-length") => {
            let size = size(body.as_ref());
            head.extend_from_slice(format!("Content-Length: {size}\r\n").as_bytes());
        }
        Framing::Chunked if !is_named(b"transfer-encoding") => {
            head.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        _ => {}
    }
    head.extend_from_slice(b"\r\n");
    let mut pieces = vec![Piece::Bytes(head)];
    if request.expect_continue {
        pieces.push(Piece::AwaitContinue);
    }
    pieces.extend(request.pause.map(Piece::Pause));
    match request.framing {
        Framing::Chunked => pieces.extend(chunked(request, body, variables, now)?),
        Framing::ContentLength | Framing::AsWritten => pieces.extend(body),
    }
    Ok(Outgoing {
        pieces,
        asked: vec![Asked::by(&method)],
        tls: request.tls,
        half_close: false,
        abort_after: request.abort_after,
        repeatable: is_idempotent(&method),
    })
}

/// Spells out a `raw:`; its answers are read by the methods that can be made out in it.
pub(crate) fn raw(bytes: Vec<u8>, answers: usize, tls: bool, half_close: bool) -> Outgoing {
    let asked = asked_in(&bytes, answers);
    let pieces = vec![Piece::Bytes(bytes)];
    Outgoing { pieces, asked, tls, half_close, abort_after: None, repeatable: false }
}

fn body(
    body: &BodySpec,
    variables: &Variables,
    now: Timestamp,
) -> Result<Option<Piece>, MissingVariable> {
    Ok(match body {
        BodySpec::None => None,
        BodySpec::Bytes(template) => Some(Piece::Bytes(variables.fill(template, now)?)),
        BodySpec::Fill { pattern, size } => {
            Some(Piece::Fill { pattern: pattern.clone(), size: *size })
        }
    })
}

fn size(piece: Option<&Piece>) -> u64 {
    match piece {
        Some(Piece::Bytes(bytes)) => bytes.len() as u64,
        Some(Piece::Fill { size, .. }) => *size,
        _ => 0,
    }
}

/// The content as chunks: one, or with a `pause` two halves with the pause between them.
fn chunked(
    request: &Request,
    body: Option<Piece>,
    variables: &Variables,
    now: Timestamp,
) -> Result<Vec<Piece>, MissingVariable> {
    let mut pieces = Vec::new();
    let parts = match (body, request.pause) {
        (Some(Piece::Bytes(bytes)), Some(_)) if bytes.len() > 1 => {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            vec![Piece::Bytes(first.to_vec()), Piece::Bytes(second.to_vec())]
        }
        (body, _) => body.into_iter().collect(),
    };
    for part in parts.into_iter().filter(|part| size(Some(part)) > 0) {
        if let (Some(pause), false) = (request.pause, pieces.is_empty()) {
            pieces.push(Piece::Pause(pause));
        }
        pieces.push(Piece::Bytes(format!("{:x}\r\n", size(Some(&part))).into_bytes()));
        pieces.push(part);
        pieces.push(Piece::Bytes(b"\r\n".to_vec()));
    }
    let mut end = b"0\r\n".to_vec();
    for (name, value) in &request.trailers {
        end.extend_from_slice(
            &[name.as_bytes(), b": ", &variables.fill(value, now)?, b"\r\n"].concat(),
        );
    }
    end.extend_from_slice(b"\r\n");
    pieces.push(Piece::Bytes(end));
    Ok(pieces)
}

/// RFC 9110 §9.2.2, and PURGE, which is idempotent wherever it is known.
fn is_idempotent(method: &[u8]) -> bool {
    let known: [&[u8]; 7] = [b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE", b"PURGE"];
    known.contains(&method)
}

/// Can the beginning of what was sent be read as so many requests and nothing else? Of requests whose framing is not
/// plain, nobody can say how many answers they get.
pub(super) fn asks_for(sent: &[u8], answers: usize) -> bool {
    let mut rest = sent;
    for _ in 0..answers {
        let Received::Head(length, head) = RequestReader::head(rest) else { return false };
        let mut content = RequestReader::content(&head);
        rest = &rest[length..];
        rest = &rest[content.take(rest)..];
        if !head.defects.is_empty() || content.is_broken() {
            return false;
        }
    }
    rest.iter().all(|b| matches!(b, b'\r' | b'\n'))
}

/// What the requests in the bytes ask for, as far as they can be told apart.
fn asked_in(bytes: &[u8], answers: usize) -> Vec<Asked> {
    let mut asked = Vec::with_capacity(answers);
    let mut rest = bytes;
    while asked.len() < answers {
        let start = rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(0);
        rest = &rest[start..];
        let method = rest.split(|b| *b == b' ').next().unwrap_or_default();
        asked.push(Asked::by(method));
        let Received::Head(length, head) = RequestReader::head(rest) else { break };
        let content = RequestReader::content(&head).take(&rest[length..]);
        rest = &rest[length + content..];
    }
    asked.resize(answers, Asked::default());
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelined_requests_are_told_apart() {
        let wire = b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\noneHEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        let heads: Vec<_> = asked_in(wire, 3).iter().map(|asked| asked.head).collect();
        assert_eq!(heads, [false, true, false]);
        assert!(asked_in(b"HEAD / HTTP/1.1\r\n bad", 2)[0].head);
        assert!(asks_for(wire, 3) && !asks_for(wire, 2) && !asks_for(wire, 4));
    }

    #[test]
    fn how_many_answers_come_is_known_of_plain_framing_only() {
        let known = |wire: &str| asks_for(wire.as_bytes(), 1);
        assert!(known(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"
        ));
        assert!(!known("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\none"));
        assert!(!known("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZ\r\n"));
        assert!(!known(
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ));
        assert!(!known("GET / HTTP/1.1\nHost: a\n\n"));
    }
}
