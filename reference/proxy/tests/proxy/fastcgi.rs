//! FastCGI applications that do what PHP does not.

use nix::sys::signal::Signal;

use crate::life::Process;
use crate::support::{Conn, Origin, Proxy, status};

const OUTPUT: u8 = 6;
const END: u8 = 3;

fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[1, kind, 0, 1, length[0], length[1], 3, 0], content, &[0; 3]].concat()
}

fn end(outcome: u8) -> Vec<u8> {
    record(END, &[0, 0, 0, 0, outcome, 0, 0, 0])
}

fn head() -> Vec<u8> {
    record(OUTPUT, b"Content-Type: a/b\r\n\r\n")
}

/// A site whose application sends these bytes as soon as it is connected to, and reads nothing.
fn sending(bytes: Vec<u8>) -> Proxy {
    let origin = Origin::scripted(move |origin| {
        origin.conn.send(&bytes);
        origin.conn.end_writing();
        // What it was sent lies there unread as long as the client waits.
        origin.conn.rest();
    });
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    upstream: fastcgi://{}\n",
        origin.address
    );
    Proxy::from_yaml(&text)
}

fn get(proxy: &Proxy) -> (u16, String) {
    let mut client = Conn::connect(proxy.address);
    client.send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
    let head = client.head();
    (status(&head), client.rest())
}

#[test]
fn an_answer_before_the_body_is_read_is_passed_on() {
    let part = record(OUTPUT, &[b'x'; 50_000]);
    let head = head();
    let proxy = sending([head, part.repeat(40), end(0)].concat());
    let mut client = Conn::connect(proxy.address);
    client.send(
        "POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\nonly the beginning",
    );
    assert_eq!(status(&client.head()), 200);
    assert_eq!(client.rest().len(), 2_000_000);
}

#[test]
fn a_server_that_is_full_is_a_503_and_a_broken_one_a_502() {
    assert_eq!(get(&sending(end(2))).0, 503);
    let head = head();
    for (broken, what) in [
        (end(0), "an end without an answer"),
        (head[..20].to_vec(), "half a record"),
        ([&record(OUTPUT, b"no head\r\n\r\n")[..], &end(0)].concat(), "no head"),
        (b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), "HTTP"),
        ([&record(11, b"?")[..], &end(0)].concat(), "a record of an unknown type"),
    ] {
        assert_eq!(get(&sending(broken)).0, 502, "{what}");
    }
}

/// The reason stands on the proxy's standard error, where the application runs already.
#[test]
fn an_answer_that_ends_too_early_is_told_from_a_connection_that_closes() {
    let short = record(OUTPUT, b"Content-Type: a\r\nContent-Length: 4\r\n\r\nabc");
    for (sent, what) in [
        (end(0), "it ended an answer that had no head"),
        ([short, end(0)].concat(), "it ended an answer 1 octets before the Content-Length"),
        (head(), "it closed the connection in the middle of an answer"),
    ] {
        let origin = Origin::scripted(move |origin| {
            origin.conn.send(&sent);
            origin.conn.end_writing();
            origin.conn.rest();
        });
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c.yaml");
        let text = format!(
            "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    upstream: fastcgi://{}\n",
            origin.address
        );
        std::fs::write(&path, text).unwrap();
        let mut process = Process::start(&path);
        let said = process.said();
        let address = said.strip_prefix("listening on ").unwrap().trim_end().parse().unwrap();
        Conn::connect(address).send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").rest();
        // So that what is missing is not waited for.
        process.signal(Signal::SIGTERM);
        process.complained(what);
    }
}

#[test]
fn what_is_more_or_less_than_its_length_is_not_passed_as_whole() {
    let answer = |body: &[u8]| {
        let output = [b"Content-Type: a\r\nContent-Length: 4\r\n\r\n", body].concat();
        get(&sending([record(OUTPUT, &output), end(0)].concat()))
    };
    assert_eq!(answer(b"four and more"), (200, "four".to_owned()));
    // Where nothing of it has been sent on yet, the client can still be told.
    let (status, body) = answer(b"few");
    assert!(status == 502 || (status, body.as_str()) == (200, "few"), "{status} {body}");
}
