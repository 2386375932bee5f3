//! Upgrade: the connection becomes a tunnel if the origin agrees.

use crate::support::{Origin, Proxy, field, status};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";

#[test]
fn a_tunnel_carries_bytes_both_ways_and_is_logged_as_ws() {
    let origin = Origin::scripted(|origin| {
        let (head, _) = origin.request().unwrap();
        assert_eq!(field(&head, "upgrade"), Some("websocket"));
        assert_eq!(field(&head, "connection"), Some("Upgrade"));
        origin.conn.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi");
        let text = origin.conn.exactly(5);
        origin.conn.send(text.to_uppercase());
        assert_eq!(origin.conn.rest(), "bye");
        origin.conn.send("end");
    });
    let mut proxy = Proxy::logging(origin.address, "{status} {response_size} {protocol}", "");
    let mut client = proxy.client();
    // The first bytes of the tunnel may come together with the request.
    client.send(format!("{ASK}hel"));
    let head = client.head();
    assert_eq!((status(&head), field(&head, "connection")), (101, Some("Upgrade")));
    assert_eq!(field(&head, "upgrade"), Some("websocket"));
    assert_eq!(client.exactly(2), "hi");
    assert_eq!(client.send("lo").exactly(5), "HELLO");
    client.send("bye").end_writing();
    assert_eq!(client.rest(), "end");
    assert_eq!(proxy.stop_and_read("a.log"), "101 10 ws\n");
}

#[test]
fn an_origin_may_decline() {
    let proxy = Proxy::before(&Origin::answering(crate::support::OK));
    let mut client = proxy.client();
    for _ in 0..2 {
        assert_eq!(client.send(ASK).response().1, "ok");
    }
}

#[test]
fn without_connection_it_is_no_request_to_upgrade() {
    let origin = Origin::answering(crate::support::OK);
    Proxy::before(&origin).get("/", "Upgrade: websocket\r\n");
    assert_eq!(field(&origin.last(), "upgrade"), None);
}

/// Behind `h2c` requests would pass that neither the firewall nor the log sees.
#[test]
fn no_other_protocol_is_asked_for() {
    let origin = Origin::answering(crate::support::OK);
    let proxy = Proxy::before(&origin);
    for (line, protocols, asked) in [
        ("GET /", "h2c", None),
        ("GET /", "tls/1.0, h2c", None),
        ("GET /", "websocket2", None),
        ("POST /", "websocket", None),
        ("GET /", "h2c, WebSocket", Some("websocket")),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: {protocols}\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n"
        );
        assert_eq!(proxy.client().send(request).response().1, "ok");
        let seen = origin.last();
        assert_eq!(field(&seen, "upgrade"), asked, "{protocols}: {seen}");
        assert_eq!(field(&seen, "connection"), asked.map(|_| "Upgrade"), "{protocols}: {seen}");
        assert_eq!(field(&seen, "http2-settings"), None, "{protocols}: {seen}");
    }
    proxy.get("/", "HTTP2-Settings: AAMAAABkAAQ\r\n");
    assert_eq!(field(&origin.last(), "http2-settings"), None);
}

#[test]
fn an_origin_cannot_choose_another_protocol() {
    for protocols in ["h2c", "websocket, h2c"] {
        let origin = Origin::answering(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {protocols}\r\nConnection: Upgrade\r\n\r\nx"
        ));
        let proxy = Proxy::before(&origin);
        let (head, text) = proxy.client().send(ASK).response();
        assert_eq!(status(&head), 502, "{protocols}");
        assert!(text.contains("changed protocols"), "{text}");
    }
}
