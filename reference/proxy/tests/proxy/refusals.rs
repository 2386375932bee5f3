//! Requests that are refused: the status, the close, and the line in the access log.

use crate::support::{OK, Origin, Proxy, field, status};

/// Sends bytes and gives the status, having checked that the connection is closed.
fn refused(proxy: &Proxy, request: &str) -> u16 {
    let text = proxy.exchange(request);
    let (head, _) = text.split_once("\r\n\r\n").expect("a whole head");
    assert_eq!(field(head, "connection"), Some("close"), "{text}");
    status(head)
}

#[test]
fn what_could_be_smuggled_is_refused_closed_and_logged() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::logging(origin.address, "{status} {request} {user_agent}", "");
    let with = |fields: &str| {
        format!(
            "POST /x HTTP/1.1\r\nHost: a.test\r\nUser-Agent: me\r\n{fields}\r\n\r\nGET /smuggled HTTP/1.1\r\n"
        )
    };
    for fields in [
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: +3",
        "Transfer-Encoding: chunked, identity",
        "X: a\r\n folded",
        "X : a",
        "X: a\nY: b",
        "X: a\rb",
        "X: a\0b",
        "Host: b.test",
    ] {
        assert_eq!(refused(&proxy, &with(fields)), 400, "{fields:?}");
    }
    assert_eq!(refused(&proxy, &with("Transfer-Encoding: gzip, chunked")), 501);
    assert_eq!(refused(&proxy, "GET /x HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(refused(&proxy, "GET /x HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
    assert_eq!(refused(&proxy, "GET /x HTTP/2.0\r\nHost: a.test\r\n\r\n"), 505);
    assert_eq!(refused(&proxy, "GET /x\r\n\r\n"), 400);
    assert!(origin.seen().is_empty());
    insta::assert_snapshot!(proxy.stop_and_read("a.log"), @r#"
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    400 POST\x20/x\x20HTTP/1.1 me
    501 POST\x20/x\x20HTTP/1.1 me
    "#);
    insta::assert_snapshot!(proxy.stop_and_read("other.log"), @r"
    400 GET\x20/x\x20HTTP/1.1 -
    400 GET\x20/x\x20HTTP/1.1 -
    505 GET\x20/x\x20HTTP/2.0 -
    400 GET\x20/x -
    ");
}

#[test]
fn both_lengths_are_refused_even_if_they_agree() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let request = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(refused(&proxy, request), 400);
    assert!(origin.seen().is_empty());
}

#[test]
fn a_broken_chunk_is_a_bad_request_even_in_mid_body() {
    let origin = Origin::scripted(|origin| {
        origin.request();
        origin.conn.rest();
    });
    let mut proxy = Proxy::logging(origin.address, "{status} {request}", "");
    let request =
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n";
    assert_eq!(refused(&proxy, request), 400);
    assert_eq!(proxy.stop_and_read("a.log"), "400 POST\\x20/\\x20HTTP/1.1\n");
}

#[test]
fn a_head_that_ends_in_the_middle_is_refused_and_logged() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::logging(origin.address, "{status} {request}", "");
    let mut client = proxy.client();
    client.send("GET /cut HTTP/1.1\r\nHost: a.test\r\nX-").end_writing();
    assert_eq!(status(&client.rest()), 400);
    assert_eq!(proxy.stop_and_read("a.log"), "400 GET\\x20/cut\\x20HTTP/1.1\n");
}

#[test]
fn a_request_for_no_site_is_misdirected_and_logged_elsewhere() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::logging(origin.address, "{status} {request_hostname}", "");
    let request = "GET / HTTP/1.1\r\nHost: c.test\r\n\r\n";
    assert_eq!(status(&proxy.client().send(request).response().0), 421);
    assert_eq!(proxy.stop_and_read("other.log"), "421 c.test\n");
    assert_eq!(proxy.stop_and_read("a.log"), "");
}

#[test]
fn the_golden_line_of_the_documents() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let mut proxy = Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [sandbox.alwaysdata.net]\n    upstream: http://{}\n    clock: {{ start: \"2018-07-16T12:04:07+02:00\" }}\n    access_log: {{ file: DIR/a.log }}\n",
        origin.address
    ));
    let request =
        "GET /wp/ HTTP/1.1\r\nHost: sandbox.alwaysdata.net\r\nUser-Agent: curl/7.47.0\r\n\r\n";
    proxy.client().send(request).response();
    insta::assert_snapshot!(proxy.stop_and_read("a.log"), @r#"sandbox.alwaysdata.net 127.0.0.1 - - [16/Jul/2018:12:04:07 +0200] "GET /wp/ HTTP/1.1" 200 5 "-" "curl/7.47.0""#);
}

#[test]
fn the_log_counts_the_body_that_was_sent() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
    );
    let format =
        "{status} {response_size} {protocol} {request_header:X-Q} {response_header:X-A} {duration}";
    let mut proxy = Proxy::logging(origin.address, format, "");
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\nX-Q: 1\r\nX-Q: 2\r\n\r\n").head();
    client.exactly("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n".len());
    assert_eq!(proxy.stop_and_read("a.log"), "200 7 http 1,\\x202 b 0.000000\n");
}
