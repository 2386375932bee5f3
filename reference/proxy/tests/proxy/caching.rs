//! The cache at its place: what clients see of it, what the origin no longer sees.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use crate::support::{Conn, Origin, Proxy, field, status};

fn proxy(origin: &Origin) -> Proxy {
    Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\ncontrol: unix:DIR/control.sock\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n    clock: {{ start: \"2018-07-16T12:04:07+02:00\" }}\n    cache: {{ size: 1MiB, purge_from: [127.0.0.1/32] }}\n    access_log: {{ file: DIR/a.log, format: '{{status}} {{response_size}}' }}\n",
        origin.address
    ))
}

fn control(proxy: &Proxy, path: &str, body: &str) -> String {
    let stream = UnixStream::connect(proxy.file("control.sock")).unwrap();
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    Conn::new(stream).send(request).response().1.trim_end().to_owned()
}

fn advance(proxy: &Proxy, milliseconds: u64) {
    control(proxy, "/sites/a.test/clock", &format!("{{\"advance_ms\": {milliseconds}}}"));
}

/// Counts its responses in their bodies; revalidates by ETag.
fn counting(fields: &'static str) -> Origin {
    Origin::scripted(move |origin| {
        while let Some((head, _)) = origin.request() {
            if field(&head, "if-none-match") == Some("\"v\"") {
                origin
                    .conn
                    .send(format!("HTTP/1.1 304 Not Modified\r\nETag: \"v\"\r\n{fields}\r\n"));
                continue;
            }
            let number = origin.number;
            origin.conn.send(format!(
                "HTTP/1.1 200 OK\r\nETag: \"v\"\r\n{fields}Content-Length: 2\r\n\r\n{number}!"
            ));
        }
    })
}

#[test]
fn a_fresh_response_is_reused_with_its_age() {
    let origin = counting("Cache-Control: max-age=60\r\nConnection: x\r\n");
    let mut proxy = proxy(&origin);
    let (first, _) = proxy.get("/", "");
    assert!(
        field(&first, "cache-status")
            .is_some_and(|it| it.contains("fwd=uri-miss") && it.contains("stored")),
        "{first}"
    );
    advance(&proxy, 30_000);
    let (head, body) = proxy.get("/", "");
    insta::assert_snapshot!(head.replace('\r', ""), @r#"
    HTTP/1.1 200 OK
    ETag: "v"
    Cache-Control: max-age=60
    Date: Mon, 16 Jul 2018 10:04:07 GMT
    Age: 30
    Cache-Status: edgeproof; hit; ttl=30
    Via: 1.1 edgeproof
    Content-Length: 2
    "#);
    assert_eq!((body.as_str(), origin.seen().len()), ("1!", 1));
    advance(&proxy, 31_000);
    let (head, body) = proxy.get("/", "");
    assert_eq!((status(&head), body.as_str(), origin.seen().len()), (200, "1!", 2));
    assert_eq!(field(&origin.last(), "if-none-match"), Some("\"v\""));
    assert_eq!(proxy.stop_and_read("a.log"), "200 2\n200 2\n200 2\n");
}

#[test]
fn a_client_that_has_it_gets_a_304_from_the_store() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let proxy = proxy(&origin);
    proxy.get("/", "");
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\nIf-None-Match: \"v\"\r\n\r\n");
    let head = client.head();
    assert_eq!((status(&head), field(&head, "etag")), (304, Some("\"v\"")));
    assert_eq!(field(&head, "content-length"), None);
    client.send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let head = client.head();
    assert_eq!((status(&head), field(&head, "content-length")), (200, Some("2")));
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn only_if_cached_is_never_forwarded() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let (head, _) = proxy(&origin).get("/", "Cache-Control: only-if-cached\r\n");
    assert_eq!(status(&head), 504);
    assert_eq!(field(&head, "cache-status"), None);
    assert!(origin.seen().is_empty());
}

#[test]
fn unsafe_methods_invalidate_with_and_without_a_body() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let proxy = proxy(&origin);
    for unsafe_request in [
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx",
        "DELETE / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ] {
        proxy.get("/", "");
        let before = origin.seen().len();
        proxy.get("/", "");
        assert_eq!(origin.seen().len(), before, "the twin: reused");
        proxy.client().send(unsafe_request).response();
        proxy.get("/", "");
        assert_eq!(origin.seen().len(), before + 2, "{unsafe_request}");
    }
}

#[test]
fn a_response_that_breaks_off_is_not_stored() {
    let origin = Origin::scripted(|origin| {
        origin.request();
        let body = if origin.number == 1 { "abc" } else { "abcdef" };
        origin.conn.send(format!(
            "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 6\r\n\r\n{body}"
        ));
    });
    let proxy = proxy(&origin);
    proxy.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    for _ in 0..2 {
        assert_eq!(proxy.get("/", "").1, "abcdef");
    }
    assert_eq!(origin.seen().len(), 2);
}

#[test]
fn stale_is_better_than_an_unreachable_origin() {
    let origin = Origin::scripted(|origin| {
        if origin.number == 1 {
            origin.request();
            origin.conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    let proxy = proxy(&origin);
    proxy.get("/", "");
    advance(&proxy, 61_000);
    let (head, body) = proxy.get("/", "");
    assert_eq!((status(&head), body.as_str(), field(&head, "age")), (200, "ok", Some("61")));
    assert_eq!(status(&proxy.get("/other", "").0), 502);
}

#[test]
fn a_stale_response_may_be_refreshed_in_the_background() {
    let origin = counting("Cache-Control: max-age=1, stale-while-revalidate=60\r\n");
    let proxy = proxy(&origin);
    proxy.get("/", "");
    advance(&proxy, 2_000);
    let (head, _) = proxy.get("/", "");
    assert_eq!(field(&head, "age"), Some("2"));
    // The refresh is over once a reply has no age of its own any more.
    while field(&proxy.get("/", "").0, "age") != Some("0") {}
    assert_eq!(origin.seen().len(), 2);
}

fn purge(proxy: &Proxy, path: &str, fields: &str) -> (u16, String) {
    let request = format!("PURGE {path} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
    let (head, body) = proxy.client().send(request).response();
    (status(&head), body)
}

#[test]
fn purges_from_allowed_addresses() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let proxy = proxy(&origin);
    let fill = || ["/a/1", "/a/2", "/b"].map(|path| proxy.get(path, ""));
    fill();
    assert_eq!(purge(&proxy, "/b", ""), (200, "1 removed\n".to_owned()));
    assert_eq!(purge(&proxy, "/b", "").0, 404);
    assert_eq!(purge(&proxy, "/a", "X-Cache-Purge-Match: startswith\r\n").1, "2 removed\n");
    fill();
    assert_eq!(purge(&proxy, "/a/*", "X-Cache-Purge-Match: wildcard\r\n").1, "2 removed\n");
    assert_eq!(purge(&proxy, "/b", "X-Cache-Purge-Match: regex\r\n").0, 400);
    assert_eq!(origin.seen().len(), 6);
    assert_eq!(
        control(&proxy, "/purge", r#"{"host": "a.test", "path": "/", "match": "startswith"}"#),
        r#"{"removed":1}"#
    );
    let stats: serde_json::Value = serde_json::from_str(&control(&proxy, "/stats", "")).unwrap();
    assert_eq!((&stats["cache"]["hits"], &stats["cache"]["misses"]), (&0.into(), &6.into()));
}

#[test]
fn a_purge_that_a_store_which_is_away_owes_is_no_404() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let proxy = Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\ncontrol: unix:DIR/control.sock\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n    cache: {{ store: \"redis+unix:///DIR/absent.sock\", purge_from: [127.0.0.1/32] }}\n",
        origin.address
    ));
    let request = "PURGE /b HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let (head, body) = proxy.client().send(request).response();
    assert_eq!((status(&head), field(&head, "retry-after")), (503, Some("5")));
    assert!(body.contains("removed as soon as it does"), "{body}");
    let answer = control(&proxy, "/purge", r#"{"host": "a.test", "path": "/b"}"#);
    assert!(answer.contains("removed as soon as it does"), "{answer}");
    let stats: serde_json::Value = serde_json::from_str(&control(&proxy, "/stats", "")).unwrap();
    assert_eq!(stats["cache"]["redis"][0]["owed"], 2, "{stats}");
}

#[test]
fn purges_from_elsewhere_are_forbidden() {
    let origin = counting("Cache-Control: max-age=60\r\n");
    let proxy = Proxy::with(origin.address, "    cache: { purge_from: [10.0.0.0/8] }", "");
    proxy.get("/", "");
    assert_eq!(purge(&proxy, "/", "").0, 403);
    proxy.get("/", "");
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn a_post_whose_client_broke_off_before_an_interim_answer_removes_what_is_stored() {
    let moments = Arc::new(Barrier::new(2));
    let gone = Arc::clone(&moments);
    let origin = Origin::scripted(move |origin| {
        while let Some((head, _)) = origin.request() {
            let number = origin.number;
            if head.starts_with("POST") {
                gone.wait();
                gone.wait();
                origin.conn.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
            } else {
                origin.conn.send(format!(
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1\r\nConnection: close\r\n\r\n{number}"
                ));
                return;
            }
        }
    });
    let proxy = proxy(&origin);
    assert_eq!(proxy.get("/", "").1, "1");
    let mut leaving = proxy.client();
    leaving.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx");
    moments.wait();
    socket2::SockRef::from(&leaving.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(leaving);
    moments.wait();
    // The origin's answer is on its way; if it is never seen, the test ends at its limit.
    let end = Instant::now() + Duration::from_secs(5);
    while proxy.get("/", "").1 == "1" {
        assert!(Instant::now() < end, "what is stored outlived the POST");
    }
}

#[test]
fn the_whole_is_asked_for_where_what_is_missing_breaks_off_too() {
    let origin = Origin::scripted(|origin| {
        let Some((head, _)) = origin.request() else { return };
        let fields = "ETag: \"v\"\r\nCache-Control: max-age=60\r\n";
        origin.conn.send(match (origin.number, field(&head, "range")) {
            (1, _) => format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 6\r\n\r\nab"),
            (_, Some("bytes=2-5")) => format!(
                "HTTP/1.1 206 Partial Content\r\n{fields}Content-Range: bytes 2-5/6\r\nContent-Length: 4\r\n\r\nc"
            ),
            _ => format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 6\r\n\r\nabcdef"),
        });
    });
    let proxy = proxy(&origin);
    proxy.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    let (head, body) = proxy.get("/", "");
    assert_eq!((status(&head), body.as_str(), origin.seen().len()), (200, "abcdef", 3), "{head}");
}
