//! Fields of one connection go no further (RFC 9110 §7.6.1).

use crate::support::{Origin, Proxy, field};

#[test]
fn they_are_removed_from_requests() {
    let origin = Origin::answering(crate::support::OK);
    let proxy = Proxy::before(&origin);
    proxy.get(
        "/",
        "Connection: keep-alive, X-One , host, Content-Length\r\nconnection: x-two\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\n\
         Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nUpgrade: h2c\r\n",
    );
    let seen = origin.last();
    for name in [
        "connection",
        "x-one",
        "x-two",
        "keep-alive",
        "te",
        "proxy-connection",
        "proxy-authorization",
        "upgrade",
    ] {
        assert_eq!(field(&seen, name), None, "{seen}");
    }
    assert_eq!(field(&seen, "x-three"), Some("3"));
    assert_eq!(field(&seen, "host"), Some("a.test"));
}

#[test]
fn they_are_removed_from_responses() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nConnection: X-One, keep-alive\r\nX-One: 1\r\nX-Two: 2\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: x\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
    );
    let (head, _) = Proxy::before(&origin).get("/", "");
    for name in ["connection", "x-one", "keep-alive", "proxy-authenticate", "upgrade"] {
        assert_eq!(field(&head, name), None, "{head}");
    }
    assert_eq!(field(&head, "x-two"), Some("2"));
}

#[test]
fn via_is_added_after_what_is_there() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nVia: 1.0 far\r\nContent-Length: 0\r\n\r\n");
    let (head, _) = Proxy::before(&origin).get("/", "Via: 1.0 near\r\n");
    assert_eq!(field(&head, "via"), Some("1.0 far, 1.1 edgeproof"));
    assert_eq!(field(&origin.last(), "via"), Some("1.0 near, 1.1 edgeproof"));
}
