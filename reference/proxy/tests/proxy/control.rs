//! The control socket, as `curl --unix-socket` would use it.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use crate::support::{Conn, OK, Origin, Proxy, status};

fn proxy(origin: &Origin) -> Proxy {
    Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\ncontrol: unix:DIR/control.sock\nsites:\n  - hosts: [a.test]\n    upstream: http://{0}\n    clock: {{ start: \"2018-07-16T12:04:07+02:00\" }}\n    access_log: {{ file: DIR/a.log }}\n  - hosts: [real.test]\n    upstream: http://{0}\n    clock: {{ zone: UTC }}\n",
        origin.address
    ))
}

/// Status and JSON of an answer.
fn ask(proxy: &Proxy, line: &str, body: &str) -> (u16, String) {
    let stream = UnixStream::connect(proxy.file("control.sock")).unwrap();
    let request =
        format!("{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (head, json) = Conn::new(stream).send(request).response();
    (status(&head), json.trim_end().to_owned())
}

#[test]
fn only_the_owner_may_use_it_and_it_goes_with_the_proxy() {
    let mut proxy = proxy(&Origin::answering(OK));
    let path = proxy.file("control.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(ask(&proxy, "GET /ready", ""), (200, r#"{"ready":true}"#.to_owned()));
    proxy.server = None;
    assert!(!path.exists());
}

#[test]
fn a_virtual_clock_stands_still_until_it_is_moved() {
    let proxy = proxy(&Origin::answering(OK));
    let date = || {
        let (head, _) = proxy.get("/", "");
        crate::support::field(&head, "date").unwrap().to_owned()
    };
    assert_eq!((date(), date()), (date(), "Mon, 16 Jul 2018 10:04:07 GMT".to_owned()));
    let clock = "POST /sites/a.test/clock";
    let moved = [
        ask(&proxy, "GET /sites/a.test/clock", ""),
        ask(&proxy, clock, r#"{"advance_ms": 30500}"#),
        ask(&proxy, clock, r#"{"advance_ms": -500}"#),
        ask(&proxy, clock, r#"{"set": "2026-01-01T00:00:00Z"}"#),
    ];
    insta::assert_debug_snapshot!(moved.map(|(status, json)| format!("{status} {json}")), @r#"
    [
        "200 {\"now\":\"2018-07-16T12:04:07+02:00\",\"virtual\":true}",
        "200 {\"now\":\"2018-07-16T12:04:37.500+02:00\",\"virtual\":true}",
        "200 {\"now\":\"2018-07-16T12:04:37+02:00\",\"virtual\":true}",
        "200 {\"now\":\"2026-01-01T02:00:00+02:00\",\"virtual\":true}",
    ]
    "#);
    assert_eq!(date(), "Thu, 01 Jan 2026 00:00:00 GMT");
}

#[test]
fn mistakes_are_named() {
    let proxy = proxy(&Origin::answering(OK));
    let clock = "POST /sites/a.test/clock";
    for (line, body, expected) in [
        ("POST /sites/real.test/clock", r#"{"advance_ms": 1}"#, 409),
        ("GET /sites/other.test/clock", "", 404),
        (clock, r#"{"advance_ms": "1"}"#, 400),
        (clock, r#"{"advance_ms": 1, "set": "2026-01-01T00:00:00Z"}"#, 400),
        (clock, r#"{"set": "tomorrow"}"#, 400),
        (clock, r#"{"advance_ms": 9223372036854775807}"#, 400),
        (clock, "[]", 400),
        (clock, "nonsense", 400),
        ("DELETE /sites/a.test/clock", "", 405),
        ("POST /ready", "", 405),
        ("GET /purge", "", 405),
        ("POST /purge", r#"{"host": "a.test"}"#, 400),
        ("POST /purge", r#"{"host": "a.test", "path": "/"}"#, 409),
        ("GET /", "", 404),
        ("GET /elsewhere", "", 404),
    ] {
        let (status, json) = ask(&proxy, line, body);
        assert!(status == expected && json.starts_with(r#"{"error":""#), "{line}: {status} {json}");
    }
    let (status, json) = ask(&proxy, "GET /sites/real.test/clock", "");
    assert!(status == 200 && json.ends_with(r#"+00:00","virtual":false}"#), "{json}");
}

#[test]
fn a_flush_waits_for_the_lines_of_what_was_answered() {
    let proxy = proxy(&Origin::answering(OK));
    let mut client = proxy.client();
    for number in 1..=20 {
        client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
        assert_eq!(ask(&proxy, "POST /logs/flush", "").0, 200);
        let log = std::fs::read_to_string(proxy.file("a.log")).unwrap();
        assert_eq!(log.lines().count(), number);
    }
}

#[test]
fn a_log_that_cannot_be_written_holds_up_no_other() {
    let origin = Origin::answering(OK);
    let site = |name: &str| {
        format!(
            "  - hosts: [{name}.test]\n    upstream: http://{}\n    access_log: {{ file: DIR/{name}.log }}\n",
            origin.address
        )
    };
    // The one that cannot be written comes first.
    let proxy = Proxy::from_yaml(&format!(
        "listen: [\"127.0.0.1:0\"]\ncontrol: unix:DIR/control.sock\nsites:\n{}{}",
        site("b"),
        site("a")
    ));
    let full = proxy.file("b.log");
    std::fs::remove_file(&full).unwrap();
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    let mut client = proxy.client();
    for host in ["b.test", "a.test"] {
        client.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).response();
    }
    let (status, json) = ask(&proxy, "POST /logs/flush", "");
    assert!(status == 503 && json.contains("b.log") && !json.contains("a.log"), "{status} {json}");
    assert_eq!(std::fs::read_to_string(proxy.file("a.log")).unwrap().lines().count(), 1);
}

#[test]
fn counts() {
    let proxy = proxy(&Origin::answering(OK));
    let mut client = proxy.client();
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").response();
    }
    proxy.exchange("GET / HTTP/1.1\r\n\r\n");
    let (_, json) = ask(&proxy, "GET /stats", "");
    let stats: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&stats["requests"], &stats["responses"]["2xx"]), (&3.into(), &2.into()));
    assert_eq!((&stats["responses"]["4xx"], &stats["connections"]), (&1.into(), &2.into()));
    assert_eq!((&stats["upstream"]["made"], &stats["upstream"]["reused"]), (&1.into(), &1.into()));
    let lines = ["written", "queued", "lost"].map(|name| stats["log"][name].as_u64().unwrap());
    assert_eq!(lines.iter().sum::<u64>(), 2);
}
