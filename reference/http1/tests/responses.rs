//! How responses of origins are read: framing strictly, the rest as the RFC allows.

use bytes::BytesMut;
use edgeproof_http1::{BodyLength, Error, Limits, ParsedResponse, ResponseParser};

fn parse(method: &'static str, text: &str) -> Result<ParsedResponse, Error> {
    ResponseParser::new(Limits::default(), method.into())
        .parse(&mut BytesMut::from(text))
        .map(|head| head.expect("a complete head"))
        .map_err(|refused| refused.error)
}

fn body(method: &'static str, status: u16, fields: &str) -> Result<BodyLength, Error> {
    parse(method, &format!("HTTP/1.1 {status} X\r\n{fields}\r\n")).map(|response| response.body)
}

#[test]
fn interim_and_final_heads_follow_each_other() {
    let mut parser = ResponseParser::new(Limits::default(), "GET".into());
    let mut buf =
        BytesMut::from("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\n\r\nx");
    let interim = parser.parse(&mut buf).unwrap().unwrap();
    assert_eq!((interim.head.status, &interim.head.reason[..]), (103, &b"Early Hints"[..]));
    let last = parser.parse(&mut buf).unwrap().unwrap();
    assert_eq!((last.head.status, &last.head.reason[..]), (200, &b""[..]));
    assert_eq!(&buf[..], b"x");
}

#[test]
fn body_lengths_of_responses() {
    let length = "Content-Length: 5\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(body("GET", 200, length), Ok(BodyLength::Length(5)));
    assert_eq!(body("GET", 200, chunked), Ok(BodyLength::Chunked));
    assert_eq!(body("GET", 200, ""), Ok(BodyLength::UntilClose));
    for status in [100, 103, 204, 304] {
        assert_eq!(body("GET", status, length), Ok(BodyLength::Empty), "{status}");
    }
    assert_eq!(body("HEAD", 200, length), Ok(BodyLength::Empty));
    assert_eq!(body("HEAD", 200, chunked), Ok(BodyLength::Empty));
    assert_eq!(body("GET", 101, ""), Ok(BodyLength::Tunnel));
    assert_eq!(body("CONNECT", 200, ""), Ok(BodyLength::Tunnel));
    assert_eq!(body("CONNECT", 403, length), Ok(BodyLength::Length(5)));
    assert_eq!(
        body("GET", 200, "Content-Length: 5\r\ncontent-length: 5, 5\r\n"),
        Ok(BodyLength::Length(5))
    );
}

#[test]
fn unclear_framing_is_an_error() {
    let both = "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n";
    assert_eq!(body("GET", 200, both), Err(Error::BothLengths));
    assert_eq!(body("HEAD", 200, both), Err(Error::BothLengths));
    assert_eq!(body("GET", 200, "Content-Length: 5, 6\r\n"), Err(Error::SeveralContentLengths));
    assert_eq!(body("GET", 200, "Content-Length: x\r\n"), Err(Error::BadContentLength));
    assert_eq!(body("GET", 200, "Transfer-Encoding: gzip\r\n"), Err(Error::ChunkedNotFinal));
    let old = parse("GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(old.unwrap_err(), Error::TransferEncodingInHttp10);
}

#[test]
fn what_the_rfc_lets_pass_is_read() {
    let text = "HTTP/1.1 200 OK\nA : 1\r\nB: x\r\n  y\r\n\tz\r\nC: \x1b\r\nD:\r\n e\r\n\r\n";
    let response = parse("GET", text).unwrap();
    insta::assert_compact_debug_snapshot!(response.head.fields, @r"[A: 1, B: x    y  \tz, C: \x1b, D: e]");
}

#[test]
fn what_it_does_not_let_pass_is_refused() {
    let with =
        |fields: &str| parse("GET", &format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).unwrap_err();
    assert_eq!(with("A: a\0b\r\n"), Error::ControlInValue);
    assert_eq!(with("A: a\rb\r\n"), Error::BareCr);
    assert_eq!(with("A B: c\r\n"), Error::BadFieldName);
    assert_eq!(with("A\r\n"), Error::NoColon);
    assert_eq!(with(" A: b\r\n"), Error::WhitespaceBeforeFields);
    assert_eq!(with("A: a\r\n b\0\r\n"), Error::ControlInValue);
    for line in [
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 099 X",
        "ICY 200 OK and more",
        "HTTP/1.1  200 OK",
    ] {
        let error = parse("GET", &format!("{line}\r\n\r\n")).unwrap_err();
        assert!(matches!(error, Error::BadStatusLine | Error::BadVersion), "{line}: {error}");
    }
    assert_eq!(parse("GET", "HTTP/2.0 200 OK\r\n\r\n").unwrap_err(), Error::UnsupportedVersion);
}

#[test]
fn persistence() {
    let keeps = |text: &str| parse("GET", text).unwrap().is_persistent();
    assert!(keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    assert!(!keeps("HTTP/1.1 200 OK\r\n\r\n"));
    assert!(!keeps("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    assert!(!keeps("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
}
