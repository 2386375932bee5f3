//! What an SSH service says of itself: its banner and lists, its host keys, and how one may log in.
//!
//! The banner and the first packet are read by our own few lines, since a client library only tells what
//! both sides agreed on. What comes after the key exchange is asked through russh.

mod kexinit;
mod login;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::expect::Facts;

/// sshd delays answers to failed logins by some seconds.
const LONGEST: Duration = Duration::from_secs(15);
const LONGEST_BANNER: usize = 64 * 1024;
const OURS: &[u8] = b"SSH-2.0-edgeproof\r\n";

/// `ssh: handshake`: banner, KEXINIT lists, strict key exchange, host keys.
pub(crate) async fn handshake(address: SocketAddr) -> Result<Facts, String> {
    let mut facts = within(address, "a handshake", first_words(address)).await?;
    within(address, "its host keys", login::host_keys(address, &mut facts)).await?;
    Ok(facts)
}

/// `ssh: { methods: USER }`: what is offered to the user after `none`.
pub(crate) async fn methods(address: SocketAddr, user: &str) -> Result<Facts, String> {
    within(address, "the authentication methods", login::methods(address, user)).await
}

/// `ssh: { login: USER, password: … }`: is it accepted?
pub(crate) async fn password(
    address: SocketAddr,
    user: &str,
    password: &str,
) -> Result<Facts, String> {
    within(address, "a password's fate", login::password(address, user, password)).await
}

async fn within<T>(
    address: SocketAddr,
    what: &str,
    probe: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    match tokio::time::timeout(LONGEST, probe).await {
        Ok(result) => result.map_err(|why| format!("{address} did not tell {what}: {why}")),
        Err(_) => Err(format!("{address} did not tell {what} within {LONGEST:?}")),
    }
}

/// A connection from an address of its own: sshd punishes a source for logins that lead to nothing
/// (PerSourcePenalties), and one probe must not spoil the next. All of 127.0.0.0/8 is this machine.
async fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let failed = |error: std::io::Error| format!("cannot connect: {error}");
    let IpAddr::V4(target) = address.ip() else {
        return TcpStream::connect(address).await.map_err(failed);
    };
    let socket = TcpSocket::new_v4().map_err(failed)?;
    if target.is_loopback() {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) + (std::process::id() << 10);
        let source = Ipv4Addr::from(0x7f40_0000 | (number & 0x003f_ffff).max(1));
        socket.bind((source, 0).into()).map_err(failed)?;
    }
    socket.connect(address).await.map_err(failed)
}

async fn first_words(address: SocketAddr) -> Result<Facts, String> {
    let mut stream = connect(address).await?;
    stream.write_all(OURS).await.map_err(|error| error.to_string())?;
    let mut unread = Vec::new();
    let mut facts = Facts::default();
    let banner = loop {
        if let Some((banner, length)) = kexinit::banner(&unread) {
            unread.drain(..length);
            break banner;
        }
        more(&mut stream, &mut unread).await?;
    };
    facts.set("banner", banner);
    loop {
        if let Some(lists) = kexinit::parse(&unread)? {
            lists.tell(&mut facts);
            return Ok(facts);
        }
        more(&mut stream, &mut unread).await?;
    }
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Result<(), String> {
    if unread.len() > LONGEST_BANNER {
        return Err("it talks without end before its first packet".to_owned());
    }
    match stream.read_buf(unread).await {
        Ok(0) => Err(format!("it closed after saying {}", crate::visible::quoted(unread))),
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
