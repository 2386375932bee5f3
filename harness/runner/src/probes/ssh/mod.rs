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
use tokio::sync::Mutex;

use crate::expect::Facts;

/// sshd delays answers to failed logins by some seconds.
const LONGEST: Duration = Duration::from_secs(15);
const LONGEST_BANNER: usize = 64 * 1024;
const OURS: &[u8] = b"SSH-2.0-edgeproof\r\n";

/// One conversation at a time: a server drops unauthenticated connections beyond its MaxStartups, and
/// what we say of it must not depend on how many of us ask.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// `ssh: handshake`: banner, KEXINIT lists, strict key exchange; and, where they are asked about, the
/// host keys, which take a key exchange for each.
pub(crate) async fn handshake(address: SocketAddr, with_keys: bool) -> Result<Facts, String> {
    let mut facts = within(address, "a handshake", first_words(address)).await?;
    if with_keys {
        within(address, "its host keys", login::host_keys(address, &mut facts)).await?;
    }
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
    let _turn = ONE_AT_A_TIME.lock().await;
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
            farewell(stream).await;
            return Ok(facts);
        }
        more(&mut stream, &mut unread).await?;
    }
}

/// Ends a conversation and waits, for a bounded time, until the server has ended it too, so that it no
/// longer counts among those that have not logged in.
async fn farewell(mut stream: TcpStream) {
    let mut rest = [0; 1024];
    let ended = async {
        stream.shutdown().await?;
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // A reset is an end too, and a server that keeps talking is left.
    let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use russh::MethodKind;
    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::private::Ed25519Keypair;
    use russh::server::{Auth, Config, Handler};
    use tokio::net::TcpListener;

    use super::*;

    /// Lets `weak` in with an empty password, and `open` with nothing at all.
    struct Weak;

    impl Handler for Weak {
        type Error = russh::Error;

        async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
            Ok(if user == "open" { Auth::Accept } else { Auth::reject() })
        }

        async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
            Ok(if (user, password) == ("weak", "") { Auth::Accept } else { Auth::reject() })
        }
    }

    /// A scripted SSH server on loopback.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut methods = russh::MethodSet::empty();
        methods.push(MethodKind::PublicKey);
        methods.push(MethodKind::Password);
        let config = Arc::new(Config {
            methods,
            keys: vec![PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]))],
            auth_rejection_time: Duration::ZERO,
            ..Config::default()
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let config = Arc::clone(&config);
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, Weak).await {
                        let _ = session.await;
                    }
                });
            }
        });
        address
    }

    fn told(facts: &Facts, key: &str) -> String {
        let values = facts.0.get(key).map(|values| values.join(&b","[..]));
        String::from_utf8(values.unwrap_or_default()).unwrap()
    }

    #[tokio::test]
    async fn a_handshake_tells_the_banner_the_lists_and_the_host_key() {
        let facts = handshake(server().await, true).await.unwrap();
        assert!(told(&facts, "banner").starts_with("SSH-2.0-"));
        assert!(told(&facts, "kex").contains("curve25519-sha256"));
        assert!(!told(&facts, "kex").contains("kex-strict"));
        assert_eq!(told(&facts, "strict_kex"), "true");
        assert_eq!(told(&facts, "host_key_algorithms"), "ssh-ed25519");
        assert_eq!(told(&facts, "host_key_type"), "ssh-ed25519");
        assert_eq!(told(&facts, "host_key_bits"), "256");
    }

    #[tokio::test]
    async fn methods_and_passwords_are_told_for_each_user() {
        let address = server().await;
        let facts = methods(address, "anybody").await.unwrap();
        assert_eq!(
            (told(&facts, "methods"), told(&facts, "accepted")),
            ("publickey,password".into(), "false".into())
        );
        let facts = methods(address, "open").await.unwrap();
        assert_eq!(
            (told(&facts, "methods"), told(&facts, "accepted")),
            ("none".into(), "true".into())
        );
        let accepted = |facts: &Facts| told(facts, "accepted");
        assert_eq!(accepted(&password(address, "weak", "").await.unwrap()), "true");
        assert_eq!(accepted(&password(address, "weak", "x").await.unwrap()), "false");
        assert_eq!(accepted(&password(address, "root", "").await.unwrap()), "false");
    }

    #[tokio::test]
    async fn what_is_no_ssh_server_is_said_to_be_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read_u8().await;
            let _ = stream.write_all(b"Not allowed at this time\r\n").await;
            let _ = stream.shutdown().await;
            // Kept until the other side has read it: a reset could overtake it.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        });
        let why = handshake(address, true).await.unwrap_err();
        assert!(why.ends_with(r#"it closed after saying "Not allowed at this time\r\n""#), "{why}");
    }
}
