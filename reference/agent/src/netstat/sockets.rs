//! Sockets of TCP and UDP (proc_pid_net(5)).

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::owners::Process;

/// A transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What the kernel calls a socket's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TcpState {
    /// It waits for peers; of UDP: it takes datagrams of anybody.
    Listening,
    /// It has a peer, in one of TCP's other states, or is a UDP socket with a fixed peer.
    Connected(&'static str),
}

/// A socket that listens or has a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Socket {
    /// Its transport.
    pub protocol: Protocol,
    /// What it does.
    pub state: TcpState,
    /// Its own end. An IPv4 address mapped into IPv6 is an IPv4 address here.
    pub local: SocketAddr,
    /// The other end; unspecified for one that listens.
    pub peer: SocketAddr,
    /// The kernel's number of it; 0 for one that no process has any more.
    pub inode: u64,
    /// Whose it is; empty where that could not be seen.
    pub owners: Vec<Process>,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

/// Reads the tables of this network namespace. A kernel without IPv6 has no tables of it.
pub(super) fn read(proc: &Path) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for (name, protocol) in [
        ("tcp", Protocol::Tcp),
        ("tcp6", Protocol::Tcp),
        ("udp", Protocol::Udp),
        ("udp6", Protocol::Udp),
    ] {
        let file = proc.join("self/net").join(name);
        match std::fs::read_to_string(&file) {
            Ok(text) => sockets.extend(table(&text, protocol, &file)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.ends_with('6') => {}
            Err(error) => return Err(named(&file, &error)),
        }
    }
    sockets.sort();
    Ok(sockets)
}

fn named(file: &Path, error: &dyn fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", file.display()))
}

fn table(text: &str, protocol: Protocol, file: &Path) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let (local, peer, number, inode) =
            fields(line).ok_or_else(|| named(file, &"a line is not of the known form"))?;
        if let Some(state) = state(protocol, number, peer) {
            sockets.push(Socket { protocol, state, local, peer, inode, owners: Vec::new() });
        }
    }
    Ok(sockets)
}

fn fields(line: &str) -> Option<(SocketAddr, SocketAddr, u8, u64)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (local, peer) = (end(words.next()?)?, end(words.next()?)?);
    let number = u8::from_str_radix(words.next()?, 16).ok()?;
    Some((local, peer, number, words.nth(5)?.parse().ok()?))
}

/// `0100007F:0016`: words of 32 bits in the machine's order, and a port.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        Some(u32::from_str_radix(address.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes())
    };
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let octets: [u8; 16] = words.as_flattened().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(octets)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// What a socket does; none for one that neither listens nor has a peer.
fn state(protocol: Protocol, number: u8, peer: SocketAddr) -> Option<TcpState> {
    let connected = match (protocol, number) {
        (Protocol::Tcp, 10) => return Some(TcpState::Listening),
        (Protocol::Udp, 7) => return peer.ip().is_unspecified().then_some(TcpState::Listening),
        (_, 1) => "established",
        (_, 2) => "syn-sent",
        (_, 3 | 12) => "syn-received",
        (_, 4) => "fin-wait-1",
        (_, 5) => "fin-wait-2",
        (_, 6) => "time-wait",
        (_, 8) => "close-wait",
        (_, 9) => "last-ack",
        (_, 11) => "closing",
        _ => return None,
    };
    (!peer.ip().is_unspecified()).then_some(TcpState::Connected(connected))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";

    fn read(lines: &str, protocol: Protocol) -> Vec<String> {
        let sockets = table(&format!("{HEAD}{lines}"), protocol, Path::new("t")).expect("a table");
        let text = |socket: &Socket| match socket.state {
            TcpState::Listening => format!("{} {}", socket.local, socket.inode),
            TcpState::Connected(state) => {
                format!("{} {} {state} {}", socket.local, socket.peer, socket.inode)
            }
        };
        sockets.iter().map(text).collect()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn only_what_listens_or_has_a_peer() {
        let rest = "00000000:00000000 00:00000000 00000000     0        0";
        let lines = format!(
            "   0: 0100007F:0016 00000000:0000 0A {rest} 77 1 0 100 0\n\
             \x20  1: 0100007F:0016 0200007F:C000 01 {rest} 78 1 0 100 0\n\
             \x20  2: 0100007F:0017 00000000:0000 07 {rest} 79 1 0 100 0\n\
             \x20  3: 0000000000000000FFFF00000100007F:0016 0000000000000000FFFF00000200007F:0001 06 {rest} 0 1\n\
             \x20  4: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A {rest} 80 1\n"
        );
        assert_eq!(
            read(&lines, Protocol::Tcp),
            [
                "127.0.0.1:22 77",
                "127.0.0.1:22 127.0.0.2:49152 established 78",
                "127.0.0.1:22 127.0.0.2:1 time-wait 0",
                "[::1]:80 80"
            ]
        );
        let lines = format!(
            "  12: 00000000:0035 00000000:0000 07 {rest} 5 2 0 0\n\
             \x20 13: 0100007F:9000 0100007F:0035 01 {rest} 6 2 0 0\n"
        );
        let is = ["0.0.0.0:53 5", "127.0.0.1:36864 127.0.0.1:53 established 6"];
        assert_eq!(read(&lines, Protocol::Udp), is);
    }

    #[test]
    fn a_line_of_another_form_is_said() {
        for line in ["0: 0100007F", "0: 01:0016 00000000:0000 0A 0 0 0 0 0 7", "x"] {
            assert!(table(&format!("{HEAD}{line}\n"), Protocol::Tcp, Path::new("t")).is_err());
        }
    }
}
