//! Which requests are read, and which rule each refused one broke.

use bytes::BytesMut;
use edgeproof_http1::{
    BodyLength, Error, Limits, ParsedRequest, Refused, RequestParser, TargetForm, Version,
};

fn parse(text: &[u8]) -> Result<Option<ParsedRequest>, Refused> {
    RequestParser::new(Limits::default()).parse(&mut BytesMut::from(text))
}

fn accept(text: &str) -> ParsedRequest {
    parse(text.as_bytes()).unwrap().expect("a complete head")
}

fn error(text: &[u8]) -> Error {
    parse(text).map(|head| panic!("{text:?} gave {head:?}")).unwrap_err().error
}

#[test]
fn a_plain_request_is_read() {
    let request =
        accept("GET /a?b=c HTTP/1.1\r\nHost: a.test:8080\r\nX-Empty:\r\nx: \t y z \t\r\n\r\n");
    assert_eq!(request.form, TargetForm::Origin);
    assert_eq!(request.head.version, Version::Http11);
    assert_eq!((&request.head.method[..], &request.path[..]), (&b"GET"[..], &b"/a?b=c"[..]));
    let authority = request.authority.as_ref().unwrap();
    assert_eq!((authority.host(), authority.port()), (&b"a.test"[..], Some(8080)));
    assert_eq!(request.body, BodyLength::Empty);
    insta::assert_compact_debug_snapshot!(request.head.fields, @"[Host: a.test:8080, X-Empty: , x: y z]");
}

/// RFC 9110 §6.2: it is understood as 1.1. Whoever judges the request sees what was sent.
#[test]
fn a_later_minor_version_is_read_as_1_1_and_kept_as_sent() {
    let request = accept("\r\nGET /a HTTP/1.2\r\nHost: a.test\r\n\r\n");
    assert_eq!(request.head.version, Version::Http11);
    assert_eq!(request.line, "GET /a HTTP/1.2");
    assert_eq!(request.sent_version(), b"HTTP/1.2");
}

#[test]
fn pipelined_requests_come_one_by_one() {
    let mut parser = RequestParser::new(Limits::default());
    let mut buf =
        BytesMut::from("\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET");
    assert_eq!(parser.parse(&mut buf).unwrap().unwrap().path, "/1");
    assert_eq!(parser.parse(&mut buf).unwrap().unwrap().path, "/2");
    assert_eq!(parser.parse(&mut buf).unwrap(), None);
    assert_eq!(&buf[..], b"GET");
}

#[test]
fn an_absolute_target_decides_over_host() {
    let request = accept("GET http://b.test:81/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_eq!(request.form, TargetForm::Absolute);
    assert_eq!(request.authority.unwrap().as_bytes(), "b.test:81");
    assert_eq!(request.path, "/x?y");
    let path = |target: &str, method: &str| {
        accept(&format!("{method} {target} HTTP/1.1\r\nHost: a.test\r\n\r\n")).path
    };
    assert_eq!(path("HTTP://b.test", "GET"), "/");
    assert_eq!(path("https://b.test?q", "GET"), "/?q");
    assert_eq!(path("http://b.test", "OPTIONS"), "*");
    assert_eq!(path("*", "OPTIONS"), "*");
    assert_eq!(path("b.test:443", "CONNECT"), "");
}

#[test]
fn targets_may_have_bytes_beyond_ascii() {
    let request = accept("GET /\u{e4}?\u{2460}=<\u{3002}> HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(request.path, "/\u{e4}?\u{2460}=<\u{3002}>");
}

#[test]
fn hosts_take_the_forms_of_uri_host() {
    for host in ["a", "A.b-c_d~e", "127.0.0.1:80", "[::1]", "[::1]:8080", "a:", "%41b", "a,b;c=d"] {
        accept(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    }
    for host in [
        "", ":80", "a:b", "a:99999", "a:123456", "[::1", "::1", "u@a", "a/b", "a b", "%4", "ä",
        "[x]", "a?b", "a%00", "a%1Fb", "%7f",
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(error(text.as_bytes()), Error::BadHost, "{host}");
    }
}

#[test]
fn body_lengths_of_requests() {
    let body = |fields: &str| accept(&format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")).body;
    assert_eq!(body("Content-Length: 0\r\n"), BodyLength::Length(0));
    assert_eq!(body("content-length: 0042\r\n"), BodyLength::Length(42));
    assert_eq!(body("Transfer-Encoding: Chunked\r\n"), BodyLength::Chunked);
    assert_eq!(body("Transfer-Encoding: , chunked ,\r\n"), BodyLength::Chunked);
}

#[test]
fn persistence_follows_version_and_connection() {
    let keeps = |line: &str, fields: &str| {
        accept(&format!("GET / {line}\r\nHost: a\r\n{fields}\r\n")).is_persistent()
    };
    assert!(keeps("HTTP/1.1", "") && !keeps("HTTP/1.0", ""));
    assert!(keeps("HTTP/1.0", "Connection: foo, Keep-Alive\r\n"));
    assert!(!keeps("HTTP/1.1", "Connection: a\r\nConnection: b , CLOSE\r\n"));
}

#[test]
fn every_refusal_names_its_rule() {
    let with = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes();
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n").into_bytes();
    let cases = [
        (b" GET / HTTP/1.1\r\n".to_vec(), Error::LeadingWhitespace),
        (b"\t".to_vec(), Error::LeadingWhitespace),
        (b"\r\n GET".to_vec(), Error::LeadingWhitespace),
        (b"\x16\x03\x01\x02\x00".to_vec(), Error::BadMethod),
        (line("GET"), Error::BadRequestLine),
        (line("GET /"), Error::BadRequestLine),
        (line("G@T / HTTP/1.1"), Error::BadMethod),
        (line("GET  / HTTP/1.1"), Error::BadTarget),
        (line("GET /a b HTTP/1.1"), Error::BadTarget),
        (line("GET /a\tb HTTP/1.1"), Error::BadTarget),
        (line("GET /#x HTTP/1.1"), Error::BadTarget),
        (line("GET /\u{7f} HTTP/1.1"), Error::BadTarget),
        (line("GET a HTTP/1.1"), Error::BadTarget),
        (line("GET * HTTP/1.1"), Error::BadTarget),
        (line("GET ftp://a/ HTTP/1.1"), Error::BadTarget),
        (line("GET http:///x HTTP/1.1"), Error::BadTarget),
        (line("GET http://u@a/ HTTP/1.1"), Error::BadTarget),
        (line("CONNECT a HTTP/1.1"), Error::BadTarget),
        (line("CONNECT / HTTP/1.1"), Error::BadTarget),
        (line("GET / HTTP/1.1 "), Error::BadVersion),
        (line("GET / http/1.1"), Error::BadVersion),
        (line("GET / HTTP/1"), Error::BadVersion),
        (line("GET / HTTP/11.1"), Error::BadVersion),
        (line("GET / HTTP/2.0"), Error::UnsupportedVersion),
        (line("GET / HTTP/3.0"), Error::UnsupportedVersion),
        (line("GET / HTTP/0.9"), Error::BadVersion),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n".to_vec(), Error::BareLf),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n".to_vec(), Error::BareLf),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n".to_vec(), Error::BareLf),
        (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Error::BareCr),
        (with("X: a\rb\r\n"), Error::BareCr),
        (with("X\r: a\r\n"), Error::BareCr),
        (with("X: a\r\r\n"), Error::BareCr),
        (with("X: a\0b\r\n"), Error::ControlInValue),
        (with("X: a\x1b[0m\r\n"), Error::ControlInValue),
        (with("X: a\x7fb\r\n"), Error::ControlInValue),
        (b"GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n".to_vec(), Error::WhitespaceBeforeFields),
        (with("X: a\r\n b\r\n"), Error::ObsFold),
        (with("X: a\r\n\t\r\n"), Error::ObsFold),
        (with("X : a\r\n"), Error::SpaceBeforeColon),
        (with("X\t: a\r\n"), Error::SpaceBeforeColon),
        (with("X\r\n"), Error::NoColon),
        (with(": a\r\n"), Error::BadFieldName),
        (with("X Y: a\r\n"), Error::BadFieldName),
        (with("X\0: a\r\n"), Error::BadFieldName),
        (with("\u{e4}: a\r\n"), Error::BadFieldName),
        (b"GET / HTTP/1.1\r\nX: a\r\n\r\n".to_vec(), Error::NoHost),
        (b"GET http://a/ HTTP/1.1\r\n\r\n".to_vec(), Error::NoHost),
        (with("host: a\r\n"), Error::SeveralHosts),
        (with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), Error::BothLengths),
        (with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), Error::BothLengths),
        (with("Content-Length: 5\r\nContent-Length: 6\r\n"), Error::SeveralContentLengths),
        (with("Content-Length: 5\r\nContent-Length: 5\r\n"), Error::SeveralContentLengths),
        (with("Content-Length: 5, 5\r\n"), Error::SeveralContentLengths),
        (with("Content-Length:\r\n"), Error::BadContentLength),
        (with("Content-Length: +5\r\n"), Error::BadContentLength),
        (with("Content-Length: -5\r\n"), Error::BadContentLength),
        (with("Content-Length: 0x5\r\n"), Error::BadContentLength),
        (with("Content-Length: 5 5\r\n"), Error::BadContentLength),
        (with("Content-Length: 18446744073709551616\r\n"), Error::BadContentLength),
        (
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            Error::TransferEncodingInHttp10,
        ),
        (with("Transfer-Encoding: xchunked\r\n"), Error::UnknownTransferCoding),
        (with("Transfer-Encoding: gzip, chunked\r\n"), Error::UnknownTransferCoding),
        (with("Transfer-Encoding: \"chunked\"\r\n"), Error::UnknownTransferCoding),
        (with("Transfer-Encoding: chunked;q=1\r\n"), Error::UnknownTransferCoding),
        (with("Transfer-Encoding: chunked, identity\r\n"), Error::ChunkedNotFinal),
        (with("Transfer-Encoding: identity\r\n"), Error::ChunkedNotFinal),
        (with("Transfer-Encoding:\r\n"), Error::ChunkedNotFinal),
        (with("Transfer-Encoding: chunked, chunked\r\n"), Error::ChunkedTwice),
        (with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), Error::ChunkedTwice),
    ];
    for (text, rule) in cases {
        assert_eq!(error(&text), rule, "{}", text.escape_ascii());
    }
}

#[test]
fn rules_have_a_section_and_a_status() {
    let said = |error: Error| format!("{} {} {error}", error.status(), error.section());
    insta::assert_snapshot!(
        [
            Error::BothLengths,
            Error::RequestLineTooLong,
            Error::TooManyFields,
            Error::UnknownTransferCoding,
            Error::UnsupportedVersion,
        ].map(said).join("\n"), @r"
    400 RFC 9112 §6.3 both Content-Length and Transfer-Encoding
    414 RFC 9112 §3 the request line is too long
    431 RFC 6585 §5 there are too many field lines
    501 RFC 9112 §6.1 a transfer coding that is not understood
    505 RFC 9110 §15.6.6 the major version is not 1
    ");
}

#[test]
fn limits_are_kept_to_the_byte() {
    let limits = Limits { line: 20, head: 60, fields: 2 };
    let parse = |text: &str| {
        RequestParser::new(limits).parse(&mut BytesMut::from(text)).map(|head| head.is_some())
    };
    let broken = |text: &str| parse(text).map_err(|refused| refused.error);
    assert_eq!(broken("GET /2345678 HTTP/1.0\r\n\r\n"), Err(Error::RequestLineTooLong));
    assert_eq!(broken("GET /234567 HTTP/1.0\r\n\r\n"), Ok(true));
    assert_eq!(broken("GET /23456789012345678"), Err(Error::RequestLineTooLong));
    assert_eq!(broken("GET / HTTP/1.0\r\nA: 34567890123456789\r\n\r\n"), Ok(true));
    assert_eq!(broken("GET / HTTP/1.0\r\nA: 345678901234567890"), Err(Error::FieldLineTooLong));
    assert_eq!(broken("GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\n"), Err(Error::TooManyFields));
    let long = "GET / HTTP/1.0\r\nA: 3456789012345678\r\nB: 34567890123456789";
    assert_eq!(broken(long), Ok(false));
    assert_eq!(broken(&format!("{long}\r\n\r\n")), Err(Error::HeadTooLarge));
}

#[test]
fn a_refused_request_leaves_what_could_be_read() {
    let refused =
        parse(b"GET /x?y HTTP/1.1\r\nHost: a\r\nUser-Agent: curl\r\nBad : 1\r\n").unwrap_err();
    assert_eq!(refused.line, "GET /x?y HTTP/1.1");
    assert_eq!(refused.method(), Some(&b"GET"[..]));
    assert_eq!(refused.target(), Some(&b"/x?y"[..]));
    assert_eq!(refused.version(), Some(&b"HTTP/1.1"[..]));
    insta::assert_compact_debug_snapshot!(refused.fields, @"[Host: a, User-Agent: curl]");

    let refused = parse(b"\r\nGET /a b\r\n").unwrap_err();
    assert_eq!(refused.line, "GET /a b");
    assert_eq!(refused.target(), Some(&b"/a b"[..]));
    let mut parser = RequestParser::new(Limits::default());
    let mut buf = BytesMut::from("GET /cut HTTP/1.1\r\nHost: a\r\nX-");
    assert_eq!(parser.parse(&mut buf), Ok(None));
    let refused = parser.incomplete(&buf);
    assert_eq!((refused.error, refused.target()), (Error::Incomplete, Some(&b"/cut"[..])));
    insta::assert_compact_debug_snapshot!(refused.fields, @"[Host: a]");

    let refused = parse(b"POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").unwrap_err();
    assert_eq!((refused.line.as_ref(), refused.fields.len()), (&b"POST / HTTP/1.1"[..], 2));
}
