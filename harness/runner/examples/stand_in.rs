//! A stand-in for a target and for its supervisor, for this crate's own tests:
//!
//! - `stand_in supervise …` is a supervisor;
//! - `stand_in waf LISTEN UPSTREAM LOG` and `stand_in blind-waf …` do the same and write to the log, after the
//!   answer, a line for each `rule=N` in the request, and one for the field X-CRS-Test, as ModSecurity does;
//!   the first with the client's address, the second without. `/simple` gets an answer without a head, and
//!   for `/linger` they write when the client has closed;
//! - `stand_in serve LISTEN UPSTREAM LOG` passes every request on to the upstream, one connection each,
//!   and writes a line `HOST REQUEST-LINE` to its log after the answer. A request for `/die` ends it with
//!   status 9, one for `/hang` is never answered and one for `/mute` closed upon, one for `/twice` gets two lines. When the client of `/late`
//!   has closed, the origin is asked for the same once more, and when that of `/last` has, it ends with status 9; behind one for `/smuggle` goes another to the
//!   origin, for a host that is nobody's.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "supervise") {
        return edgeproof_target::supervisor::main(std::env::args_os().skip(2));
    }
    let [kind, listen, upstream, log] = &args[..] else { return ExitCode::FAILURE };
    let listener = TcpListener::bind(listen).expect("the address is free");
    for client in listener.incoming().flatten() {
        let (kind, upstream, log) = (kind.clone(), upstream.clone(), log.clone());
        std::thread::spawn(move || serve(client, &kind, &upstream, &log));
    }
    ExitCode::SUCCESS
}

/// One request; whatever goes wrong closes the connection.
fn serve(mut client: TcpStream, kind: &str, upstream: &str, log: &str) -> Option<()> {
    // Asked now: a connection that both sides have closed has no peer any more.
    let address = client.peer_addr().ok()?.ip().to_string();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        client.read_exact(&mut octet).ok()?;
        head.push(octet[0]);
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let line = text.lines().next()?;
    let host = text.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or("-");
    if line.contains("/die") {
        eprintln!("stand-in: told to die");
        std::process::exit(9);
    }
    if line.contains("/hang") {
        let _ = client.read(&mut [0]);
        return None;
    }
    if line.contains("/mute") {
        return None;
    }
    if line.contains("/simple") {
        return client.write_all(b"as in the old days\n").ok();
    }
    let mut origin = TcpStream::connect(upstream).ok()?;
    let closing = text.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    if line.contains("/smuggle") {
        let behind = "GET /admin HTTP/1.1\r\nHost: victim.test\r\nConnection: close\r\n\r\n";
        origin.write_all(format!("{text}{behind}").as_bytes()).ok()?;
    } else {
        origin.write_all(closing.as_bytes()).ok()?;
    }
    let mut content = vec![0; content_length(&text)];
    client.read_exact(&mut content).ok()?;
    origin.write_all(&content).ok()?;
    let mut answer = Vec::new();
    origin.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    client.shutdown(Shutdown::Write).ok()?;
    if ["/linger", "/late", "/last"].iter().any(|path| line.contains(path)) {
        client.read_to_end(&mut Vec::new()).ok()?;
    }
    if line.contains("/last") {
        std::process::exit(9);
    }
    if line.contains("/late") {
        let mut again = TcpStream::connect(upstream).ok()?;
        again.write_all(closing.as_bytes()).ok()?;
        again.read_to_end(&mut Vec::new()).ok()?;
    }
    let lines = match kind {
        "serve" => format!("{host} {line}\n").repeat(if line.contains("/twice") { 2 } else { 1 }),
        _ => waf_lines(&text, line, if kind == "waf" { &address } else { "somebody" }),
    };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).ok()?;
    file.write_all(lines.as_bytes()).ok()
}

fn content_length(head: &str) -> usize {
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// What a WAF has to say of a request.
fn waf_lines(head: &str, line: &str, client: &str) -> String {
    let uri = line.split(' ').nth(1).unwrap_or("-");
    let warning = |id: &str, what: &str| {
        format!("[client {client}] WAF: Warning. [id \"{id}\"] [msg \"{what}\"] [uri \"{uri}\"]\n")
    };
    if let Some(mark) = head.lines().find_map(|line| line.strip_prefix("X-CRS-Test: ")) {
        return warning("999999", &format!("X-CRS-Test {mark}"));
    }
    let rules = head.split("rule=").skip(1);
    rules
        .map(|rest| {
            warning(rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("0"), "found")
        })
        .collect()
}
