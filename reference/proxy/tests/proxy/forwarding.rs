//! What reaches the origin and what comes back.

use crate::support::{Conn, OK, Origin, Proxy, field, status};

#[test]
fn a_request_goes_through_and_says_where_it_came_from() {
    let origin = Origin::answering("HTTP/1.1 200 Fine\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok");
    let proxy =
        Proxy::with(origin.address, "    clock: { start: \"2018-07-16T12:04:07+02:00\" }", "");
    let (head, body) = proxy.get("/p?q=%20", "X-Forwarded-For: 10.0.0.9\r\n");
    assert_eq!(body, "ok");
    insta::assert_snapshot!(head.replace('\r', ""), @r"
    HTTP/1.1 200 Fine
    X-A: 1
    Content-Length: 2
    Date: Mon, 16 Jul 2018 10:04:07 GMT
    Via: 1.1 edgeproof
    ");
    insta::assert_snapshot!(origin.last().replace('\r', ""), @r#"
    GET /p?q=%20 HTTP/1.1
    Host: a.test
    X-Forwarded-For: 10.0.0.9, 127.0.0.1
    X-Forwarded-Proto: http
    X-Real-IP: 127.0.0.1
    Forwarded: for=127.0.0.1;host="a.test";proto=http
    Via: 1.1 edgeproof
    "#);
}

#[test]
fn an_upstream_prefix_stands_before_the_path() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\nsites: [{{ upstream: \"http://{}/c12/\" }}]",
        origin.address
    ));
    proxy.get("/doc", "");
    assert!(origin.last().starts_with("GET /c12/doc HTTP/1.1\r\n"));
}

#[test]
fn an_absolute_target_decides_host_and_path() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let request = "GET http://A.test:81/x HTTP/1.1\r\nHost: other.test\r\n\r\n";
    let (head, _) = proxy.client().send(request).response();
    assert_eq!(status(&head), 200);
    let seen = origin.last();
    assert!(seen.starts_with("GET /x HTTP/1.1\r\n"), "{seen}");
    assert_eq!(field(&seen, "host"), Some("A.test:81"));
}

#[test]
fn hosts_choose_the_site() {
    let (one, two) = (Origin::answering(OK), Origin::answering(OK));
    let proxy = Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n  - hosts: [b.test, \"[::1]\"]\n    upstream: http://{}\n",
        one.address, two.address
    ));
    let ask = |host: &str| {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        status(&proxy.client().send(request).response().0)
    };
    assert_eq!(ask("A.TEST.:8080"), 200);
    assert_eq!((one.seen().len(), two.seen().len()), (1, 0));
    assert_eq!((ask("b.test"), ask("[::1]:80")), (200, 200));
    assert_eq!((one.seen().len(), two.seen().len()), (1, 2));
    assert_eq!(ask("c.test"), 421);
    let old = proxy.client().send("GET / HTTP/1.0\r\n\r\n").response().0;
    assert_eq!(status(&old), 421);
}

#[test]
fn options_trace_and_connect() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let ask = |line: &str, fields: &str| {
        proxy.client().send(format!("{line} HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n")).response().0
    };
    assert_eq!(status(&ask("OPTIONS *", "")), 200);
    assert!(origin.last().starts_with("OPTIONS * HTTP/1.1\r\n"));
    ask("OPTIONS /", "Max-Forwards: 3\r\n");
    assert_eq!(field(&origin.last(), "max-forwards"), Some("2"));
    let own = ask("OPTIONS /", "Max-Forwards: 0\r\n");
    assert!(status(&own) == 200 && field(&own, "allow").is_some());
    assert_eq!(status(&ask("TRACE /", "")), 405);
    let refused = ask("CONNECT a.test:80", "");
    assert_eq!((status(&refused), field(&refused, "connection")), (405, Some("close")));
    assert_eq!(origin.seen().len(), 2);
}

#[test]
fn a_trusted_peer_says_who_the_client_is() {
    let origin = Origin::answering(OK);
    let site = "    trusted_peers: [127.0.0.1, 10.0.0.0/8]";
    let proxy = Proxy::with(origin.address, site, "");
    proxy.get("/", "X-Forwarded-For: 6.6.6.6, 203.0.113.7, 10.1.2.3\r\n");
    assert_eq!(field(&origin.last(), "x-real-ip"), Some("203.0.113.7"));
    let untrusting = Proxy::before(&origin);
    untrusting.get("/", "X-Forwarded-For: 203.0.113.7\r\nX-Real-IP: 203.0.113.7\r\n");
    assert_eq!(field(&origin.last(), "x-real-ip"), Some("127.0.0.1"));
}

/// Programs behind CGI, WSGI and Rack see `X_Real_IP` and `X-Real-IP` as one variable.
#[test]
fn nobody_else_says_who_the_client_is() {
    let origin = Origin::answering(OK);
    let said = "X_Real_IP: 6.6.6.6\r\nx-forwarded_for: 6.6.6.6\r\nX_Forwarded_Host: evil\r\nTransfer_Encoding: chunked\r\n\
        X_Other: 1\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nx-forwarded-prefix: /evil\r\nX-Forwarded-Proto: evil\r\n";
    Proxy::before(&origin).get("/", said);
    insta::assert_snapshot!(origin.last().replace('\r', ""), @r#"
    GET / HTTP/1.1
    Host: a.test
    X_Other: 1
    X-Forwarded-For: 127.0.0.1
    X-Forwarded-Proto: http
    X-Real-IP: 127.0.0.1
    Forwarded: for=127.0.0.1;host="a.test";proto=http
    Via: 1.1 edgeproof
    "#);
    // Who is trusted tells what it knows of the connection before it.
    Proxy::with(origin.address, "    trusted_peers: [127.0.0.1]", "").get("/", said);
    let seen = origin.last();
    assert_eq!(field(&seen, "x-forwarded-host"), Some("evil"));
    assert_eq!(field(&seen, "x-forwarded-port"), Some("1"));
    assert_eq!(field(&seen, "x-real-ip"), Some("127.0.0.1"));
    assert!(!seen.contains("6.6.6.6"), "{seen}");
}

#[test]
fn connections_persist_on_both_sides_and_requests_can_be_pipelined() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let mut client = proxy.client();
    let one = "GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc";
    client.send(one).send("GET /3 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    for _ in 0..3 {
        assert_eq!(client.response().1, "ok");
    }
    assert_eq!(client.rest(), "");
    let paths: Vec<_> = origin.seen().iter().map(|head| head[..7].trim_end().to_owned()).collect();
    assert_eq!(paths, ["GET /1", "POST /2", "GET /3"]);
    assert_eq!(origin.connections(), 1);
}

#[test]
fn an_old_client_is_kept_only_if_it_asks() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let closed = proxy.exchange("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
    assert!(closed.ends_with("ok") && closed.contains("Connection: close\r\n"), "{closed}");
    let mut client = proxy.client();
    for _ in 0..2 {
        client.send("GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n");
        assert_eq!(field(&client.response().0, "connection"), Some("keep-alive"));
    }
}

#[test]
fn an_unreachable_origin_is_a_bad_gateway() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::with(free, "", "");
    let mut client = proxy.client();
    for _ in 0..2 {
        let (head, body) = client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
        assert_eq!(status(&head), 502);
        assert_eq!(body, "502 Bad Gateway: the origin cannot be reached\n");
    }
}

#[test]
fn head_has_the_fields_and_no_body() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    let proxy = Proxy::before(&origin);
    let mut client: Conn = proxy.client();
    client.send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_eq!(field(&client.head(), "content-length"), Some("5"));
    client.send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 200"));
}
