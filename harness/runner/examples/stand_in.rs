//! A stand-in for a target and for its supervisor, for this crate's own tests:
//!
//! - `stand_in supervise …` is a supervisor;
//! - `stand_in serve LISTEN UPSTREAM LOG` passes every request on to the upstream, one connection each,
//!   and writes a line `HOST REQUEST-LINE` to its log after the answer. A request for `/die` ends it with
//!   status 9, one for `/hang` is never answered, one for `/twice` gets two lines.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "supervise") {
        return edgeproof_target::supervisor::main(std::env::args_os().skip(2));
    }
    let [_, listen, upstream, log] = &args[..] else { return ExitCode::FAILURE };
    let listener = TcpListener::bind(listen).expect("the address is free");
    for client in listener.incoming().flatten() {
        let (upstream, log) = (upstream.clone(), log.clone());
        std::thread::spawn(move || serve(client, &upstream, &log));
    }
    ExitCode::SUCCESS
}

/// One request; whatever goes wrong closes the connection.
fn serve(mut client: TcpStream, upstream: &str, log: &str) -> Option<()> {
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
    let mut origin = TcpStream::connect(upstream).ok()?;
    origin.write_all(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).ok()?;
    let mut answer = Vec::new();
    origin.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()?;
    client.shutdown(Shutdown::Write).ok()?;
    let lines = format!("{host} {line}\n").repeat(if line.contains("/twice") { 2 } else { 1 });
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(log).ok()?;
    file.write_all(lines.as_bytes()).ok()
}
