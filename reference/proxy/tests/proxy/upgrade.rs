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
