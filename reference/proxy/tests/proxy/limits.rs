//! Limits of size and time, each with its status.

use std::time::{Duration, Instant};

use crate::support::{OK, Origin, Proxy, field, status};

fn limited(origin: &Origin, limits: &str) -> Proxy {
    Proxy::logging(origin.address, "{status} {request}", &format!("limits: {{ {limits} }}"))
}

#[test]
fn sizes() {
    let origin = Origin::answering(OK);
    let proxy = limited(&origin, "head: 200B, fields: 4, body: 10B");
    let ask = |request: &str| status(&proxy.exchange(request));
    let long = "x".repeat(200);
    assert_eq!(ask(&format!("GET /{long} HTTP/1.1\r\nHost: a.test\r\n\r\n")), 414);
    assert_eq!(ask(&format!("GET / HTTP/1.1\r\nHost: a.test\r\nX: {long}\r\n\r\n")), 431);
    assert_eq!(ask("GET / HTTP/1.1\r\nHost: a.test\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n"), 431);
    assert_eq!(ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 11\r\n\r\n"), 413);
    assert!(origin.seen().is_empty());
    let chunked = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    let never = Origin::scripted(|origin| {
        origin.request();
        origin.conn.rest();
    });
    let proxy = limited(&never, "body: 10B");
    assert_eq!(status(&proxy.exchange(&format!("{chunked}b\r\n01234567890\r\n0\r\n\r\n"))), 413);
}

#[test]
fn a_head_that_does_not_come_is_timed_out_and_logged() {
    let origin = Origin::answering(OK);
    let mut proxy = limited(&origin, "header_timeout: 50ms");
    let text = proxy.exchange("GET /slow HTTP/1.1\r\nHost: a.test\r\nX-");
    assert_eq!((status(&text), field(&text, "connection")), (408, Some("close")));
    assert_eq!(proxy.stop_and_read("a.log"), "408 GET\\x20/slow\\x20HTTP/1.1\n");
}

/// The seconds in a log's only column, line by line.
fn durations(proxy: &mut Proxy) -> Vec<f64> {
    proxy.stop_and_read("a.log").lines().map(|line| line.parse().unwrap()).collect()
}

fn timing(origin: &Origin, limits: &str) -> Proxy {
    let site = "    access_log: { file: DIR/a.log, format: '{duration}' }";
    Proxy::with(
        origin.address,
        site,
        &format!("limits: {{ {limits} }}\naccess_log: {{ file: DIR/other.log }}"),
    )
}

#[test]
fn a_head_that_does_not_come_has_taken_its_time() {
    let mut proxy = timing(&Origin::answering(OK), "header_timeout: 50ms");
    assert_eq!(status(&proxy.exchange("GET /slow HTTP/1.1\r\nHost: a.test\r\nX-")), 408);
    let taken = durations(&mut proxy);
    assert!(taken.len() == 1 && taken[0] >= 0.05, "{taken:?}");
}

/// The time runs from the first octet: what a connection was idle before does not count.
#[test]
fn a_request_takes_as_long_as_its_head() {
    const WAIT: Duration = Duration::from_millis(200);
    let mut proxy = timing(&Origin::answering(OK), "header_timeout: 10s");
    let busy = |proxy: &Proxy| {
        // For no site, and so in another log. What was sent before it has been read once it is over.
        let other =
            || proxy.exchange("GET / HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n");
        other();
        let since = Instant::now();
        while since.elapsed() < WAIT {
            other();
        }
    };
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\n");
    busy(&proxy);
    client.send("Host: a.test\r\n\r\n").response();
    busy(&proxy);
    let since = Instant::now();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
    let own = since.elapsed();
    let taken = durations(&mut proxy);
    assert!(taken[0] >= WAIT.as_secs_f64(), "{taken:?}");
    assert!(taken[1] < (own + WAIT / 2).as_secs_f64(), "{taken:?} {own:?}");
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let origin = Origin::answering(OK);
    let mut proxy = limited(&origin, "idle_timeout: 50ms");
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
    assert_eq!(client.rest(), "");
    assert_eq!(proxy.client().rest(), "");
    assert_eq!(proxy.stop_and_read("a.log").lines().count(), 1);
}

#[test]
fn a_body_that_does_not_come_is_timed_out() {
    let origin = Origin::scripted(|origin| {
        origin.conn.head();
        origin.conn.rest();
    });
    let mut proxy = limited(&origin, "client_timeout: 50ms");
    let text = proxy.exchange("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nab");
    assert_eq!(status(&text), 408);
    assert_eq!(proxy.stop_and_read("a.log"), "408 POST\\x20/\\x20HTTP/1.1\n");
}

#[test]
fn a_client_that_does_not_read_is_given_up() {
    const SIZE: usize = 64 << 20;
    let origin = Origin::scripted(|origin| {
        origin.request();
        origin.conn.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        let part = [b'x'; 65536];
        while std::io::Write::write_all(&mut origin.conn.stream, &part).is_ok() {}
    });
    let limits = "limits: { client_timeout: 50ms }";
    let mut proxy = Proxy::logging(origin.address, "{status} {response_size}", limits);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").head();
    let log = proxy.stop_and_read("a.log");
    let size = log.trim_end().strip_prefix("200 ").unwrap();
    assert!(size.parse::<usize>().unwrap() < SIZE, "{log}");
}

#[test]
fn an_origin_that_does_not_answer_is_timed_out() {
    let silent = Origin::scripted(|origin| {
        origin.request();
        origin.conn.rest();
    });
    let proxy = limited(&silent, "upstream_timeout: 50ms");
    let mut client = proxy.client();
    for request in [
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx",
    ] {
        assert_eq!(status(&client.send(request).response().0), 504, "{request}");
    }
}

#[test]
fn an_origin_that_stops_in_mid_body_breaks_the_response() {
    let stalling = Origin::scripted(|origin| {
        origin.request();
        origin.conn.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        origin.conn.rest();
    });
    let mut proxy = limited(&stalling, "upstream_timeout: 200ms");
    let text = proxy.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(text.starts_with("HTTP/1.1 200") && !text.ends_with("0123456789"), "{text}");
    assert_eq!(proxy.stop_and_read("a.log"), "200 GET\\x20/\\x20HTTP/1.1\n");
}
