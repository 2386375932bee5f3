//! Bodies on their way: lengths, chunks, trailers, interim responses, and messages that break off.

use crate::support::{Origin, Proxy, field, status};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 5\r\nContent-Length: 9\r\n\r\n";

#[test]
fn a_chunked_response_keeps_its_trailers() {
    let proxy = Proxy::before(&Origin::answering(CHUNKED));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    let head = client.head();
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
    assert_eq!(field(&head, "trailer"), Some("X-Sum"));
    assert_eq!(client.rest(), "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
}

#[test]
fn an_old_client_gets_no_chunks() {
    let proxy = Proxy::before(&Origin::answering(CHUNKED));
    let text = proxy.exchange("GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n");
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!((body, field(head, "transfer-encoding")), ("abcde", None));
    assert_eq!(field(head, "connection"), Some("close"));
}

#[test]
fn a_response_until_close_becomes_chunked() {
    let origin = Origin::scripted(|origin| {
        origin.request();
        origin.conn.send("HTTP/1.0 200 OK\r\n\r\nhello");
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    assert_eq!(field(&client.head(), "via"), Some("1.0 edgeproof"));
    assert_eq!(client.rest(), "5\r\nhello\r\n0\r\n\r\n");
}

#[test]
fn request_bodies_keep_their_framing() {
    let origin = Origin::scripted(|origin| {
        while let Some((head, body)) = origin.request() {
            let body = match field(&head, "transfer-encoding") {
                Some(_) => {
                    let mut all = String::new();
                    while !all.ends_with("0\r\nX-T: 1\r\n\r\n") {
                        all += &origin.conn.exactly(1);
                    }
                    all
                }
                None => body,
            };
            origin
                .conn
                .send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhe").send("llo");
    assert_eq!(client.response().1, "hello");
    assert_eq!(field(&origin.last(), "content-length"), Some("5"));
    client.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("3;ext\r\nabc\r\n0\r\nX-T: 1\r\nHost: evil\r\nX-Real-IP: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n\r\n");
    assert_eq!(client.response().1, "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
    assert_eq!(field(&origin.last(), "content-length"), None);
}

#[test]
fn interim_responses_are_passed_on_and_an_expectation_waits() {
    let origin = Origin::scripted(|origin| {
        let head = origin.conn.head();
        assert_eq!(field(&head, "expect"), Some("100-continue"));
        origin.conn.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nConnection: x\r\n\r\n");
        origin.conn.send("HTTP/1.1 100 Continue\r\n\r\n");
        let body = origin.conn.exactly(3);
        origin.conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}"));
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    client.send(
        "PUT / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    );
    assert_eq!(client.head(), "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.send("abc").response().1, "abc");
}

#[test]
fn any_number_of_interim_responses_is_passed_on() {
    const MANY: usize = 1000;
    const EARLY: &str = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let proxy =
        Proxy::before(&Origin::answering(format!("{}{}", EARLY.repeat(MANY), crate::support::OK)));
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    for _ in 0..MANY {
        assert_eq!(status(&client.head()), 103);
    }
    assert_eq!(client.response().1, "ok");
}

#[test]
fn an_old_client_sees_no_interim_response() {
    let proxy = Proxy::before(&Origin::answering(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ));
    assert!(proxy.exchange("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").starts_with("HTTP/1.1 200"));
}

#[test]
fn an_unknown_expectation_fails() {
    let origin = Origin::answering(crate::support::OK);
    let proxy = Proxy::before(&origin);
    assert_eq!(status(&proxy.get("/", "Expect: magic\r\n").0), 417);
    assert!(origin.seen().is_empty());
}

#[test]
fn a_final_answer_may_come_before_the_body() {
    let origin = Origin::scripted(|origin| {
        origin.conn.head();
        origin.conn.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        origin.conn.rest();
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    client.send(
        "PUT / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    );
    let (head, body) = client.response();
    assert_eq!((status(&head), body.as_str()), (403, "no"));
    assert_eq!(field(&head, "connection"), Some("close"));
    assert_eq!(client.rest(), "");
}

/// What a client sees of a response that the origin breaks off.
fn broken(response: &'static str, request: &str) -> String {
    let origin = Origin::scripted(move |origin| {
        origin.request();
        origin.conn.send(response);
    });
    Proxy::before(&origin).exchange(request)
}

#[test]
fn a_response_that_breaks_off_is_seen_to_be_broken() {
    let new = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let short = broken("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", new);
    assert!(!short.ends_with("0123456789") && short.contains("Content-Length: 10"), "{short}");
    let chunks = broken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", new);
    assert!(!chunks.contains("0\r\n\r\n"), "{chunks}");
}

#[test]
fn a_response_that_breaks_off_resets_a_client_that_waits_for_the_close() {
    let origin = Origin::scripted(|origin| {
        origin.request();
        origin.conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
    let mut all = Vec::new();
    let error = std::io::Read::read_to_end(&mut client.stream, &mut all).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn responses_that_cannot_be_read_are_bad_gateways() {
    for (response, rule) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "more than one"),
        ("HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "control"),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "without being asked"),
        ("nonsense\r\n\r\n", "status line"),
        ("", "closed"),
    ] {
        let text = broken(response, "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{response:?}: {text}");
        assert!(text.contains(rule), "{response:?}: {text}");
    }
}

/// What turns out to be broken while the client has seen nothing of it is told in whole (RFC 9110 §15.6.3).
#[test]
fn a_body_that_cannot_be_read_from_its_start_is_a_bad_gateway() {
    const CHUNKS: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (start, cache) in [("", ""), ("3\r\nabc\r\n", ""), ("", "    cache: {}\n")] {
        let origin = Origin::answering(format!(
            "{}{start}ZZ\r\n",
            CHUNKS.replace("\r\n\r\n", "\r\nCache-Control: max-age=9\r\n\r\n")
        ));
        let site = format!(
            "{cache}    access_log: {{ file: DIR/a.log, format: '{{status}} {{response_size}}' }}"
        );
        let mut proxy = Proxy::with(origin.address, &site, "");
        let mut client = proxy.client();
        let size = {
            let (head, text) = client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
            assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
            assert!(!head.contains("chunked") && text.contains("cannot be read"), "{head}{text}");
            text.len()
        };
        // The connection goes on.
        assert_eq!(
            status(&client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response().0),
            502
        );
        drop(client);
        let line = format!("502 {size}\n");
        assert_eq!(proxy.stop_and_read("a.log"), line.repeat(2));
    }
}

#[test]
fn equal_lengths_become_one() {
    let proxy = Proxy::before(&Origin::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\ncontent-length: 2\r\n\r\nok",
    ));
    let (head, body) = proxy.get("/", "");
    assert_eq!((field(&head, "content-length"), body.as_str()), (Some("2"), "ok"));
}

#[test]
fn large_bodies_stream_both_ways() {
    const SIZE: usize = 8 << 20;
    let origin = Origin::scripted(|origin| {
        let head = origin.conn.head();
        assert_eq!(field(&head, "content-length"), Some(SIZE.to_string().as_str()));
        origin.conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        // Echoed while it comes: neither side can hold it all back.
        for _ in 0..SIZE / 65536 {
            let part = origin.conn.exactly(65536);
            origin.conn.send(part);
        }
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    let mut writer = client.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        use std::io::Write;
        write!(writer, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {SIZE}\r\n\r\n")
            .unwrap();
        let body: String = (0..SIZE / 8).map(|number| format!("{number:08}")).collect();
        writer.write_all(body.as_bytes()).unwrap();
    });
    let body = client.response().1;
    sending.join().unwrap();
    assert_eq!(body.len(), SIZE);
    assert!(
        body.starts_with("0000000000000001") && body.ends_with(&format!("{:08}", SIZE / 8 - 1))
    );
}
