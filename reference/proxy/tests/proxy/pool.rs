//! Kept connections to origins: reused, and replaced when they turn out to be dead.

use crate::support::{Origin, Proxy, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx";

/// Answers one request on the first connection, then reads the second and closes; later
/// connections answer.
fn dies_once() -> Origin {
    Origin::scripted(|origin| {
        let mut answered = 0;
        while origin.request().is_some() {
            answered += 1;
            if origin.number == 1 && answered == 2 {
                return;
            }
            origin
                .conn
                .send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", origin.number));
        }
    })
}

#[test]
fn a_safe_request_on_a_dead_connection_is_repeated_on_a_new_one() {
    let origin = dies_once();
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    assert_eq!(client.send(GET).response().1, "1");
    assert_eq!(client.send(GET).response().1, "2");
    assert_eq!((origin.connections(), origin.seen().len()), (2, 3));
}

#[test]
fn an_unsafe_request_is_never_repeated() {
    let origin = dies_once();
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    assert_eq!(client.send(GET).response().1, "1");
    assert_eq!(status(&client.send(POST).response().0), 502);
    assert_eq!((origin.connections(), origin.seen().len()), (1, 2));
}

#[test]
fn a_request_on_a_new_connection_is_never_repeated() {
    let origin = Origin::scripted(|origin| {
        origin.request();
    });
    let proxy = Proxy::before(&origin);
    assert_eq!(status(&proxy.get("/", "").0), 502);
    assert_eq!(origin.seen().len(), 1);
}

#[test]
fn a_connection_that_the_origin_has_closed_is_not_used() {
    let (closed, is_closed) = std::sync::mpsc::channel();
    let origin = Origin::scripted(move |origin| {
        origin.request();
        origin.conn.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
        origin.conn.end_writing();
        closed.send(()).unwrap();
        // Were it used again, the request would be seen here.
        origin.request();
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    for _ in 0..3 {
        assert_eq!(client.send(GET).response().1, "x");
        is_closed.recv().unwrap();
    }
    assert_eq!((origin.connections(), origin.seen().len()), (3, 3));
}

#[test]
fn a_connection_with_a_broken_response_is_not_used_again() {
    let origin = Origin::scripted(|origin| {
        while origin.request().is_some() {
            origin.conn.send(if origin.number == 1 {
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
            } else {
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
            });
        }
    });
    let proxy = Proxy::before(&origin);
    assert!(proxy.client().send(GET).response().1.contains("cannot be read"));
    assert_eq!(proxy.get("/", "").1, "good");
}

#[test]
fn bytes_after_a_response_spoil_the_connection() {
    let origin = Origin::scripted(|origin| {
        while origin.request().is_some() {
            origin.conn.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        }
    });
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    for _ in 0..2 {
        assert_eq!(client.send(GET).response().1, "ok");
    }
    assert_eq!(origin.connections(), 2);
}
