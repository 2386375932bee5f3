//! A service for this crate's own tests: `door ADDRESS [UNIX-SOCKET]` answers every request with 200,
//! and every connection to the socket by closing it. `door taken` ends as if its port were taken;
//! `door proxy --config FILE` prints the file without its comments and ends.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "taken") {
        eprintln!("bind: Address already in use");
        return ExitCode::from(98);
    }
    if args.first().is_some_and(|arg| arg == "proxy") {
        let text = std::fs::read_to_string(&args[2]).expect("the file is there");
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        lines.for_each(|line| println!("{line}"));
        return ExitCode::from(3);
    }
    let listener = TcpListener::bind(&args[0]).expect("the address is free");
    if let Some(path) = args.get(1) {
        let socket = UnixListener::bind(path).expect("the path is free");
        std::thread::spawn(move || socket.incoming().for_each(drop));
    }
    println!("door {} is open", args[0]);
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.read(&mut [0; 4096]);
        let _ =
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    ExitCode::SUCCESS
}
