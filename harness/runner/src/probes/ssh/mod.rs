//! What an SSH service says of itself, and what it lets others do.
//!
//! ```text
//! before encryption   talk ─ kexinit (lists) ─ exchange (host keys, group sizes)     our own reading
//! after it            extensions (server-sig-algs)                                   with ring
//! logging in          login ─ session (run, forward) ─ files (SFTP) ─ waiting        with russh
//! from outside        limits (many connections, many failures, other addresses)
//! ```
//!
//! The packets before encryption are read by our own few lines, since a client library only tells what both
//! sides agreed on, and knows nothing of groups that it would refuse.

mod exchange;
mod extensions;
mod files;
mod kexinit;
mod keys;
mod limits;
mod login;
mod session;
mod talk;
mod waiting;
mod wire;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use edgeproof_scenario::model::{Forwarding, SshClient};
use edgeproof_target::SshLogin;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Mutex, OnceCell};

use self::kexinit::KexInit;
use self::talk::Talk;
use crate::expect::Facts;

/// sshd delays answers to failed logins by some seconds.
const LONGEST: Duration = Duration::from_secs(15);
/// Many connections and the ban after them take longer.
const LONGEST_OF_MANY: Duration = Duration::from_secs(60);

/// One conversation at a time: a server drops unauthenticated connections beyond its MaxStartups, and
/// what we say of it must not depend on how many of us ask.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// What a server says of itself before a login. It is asked once, and only for what is looked at: dozens of cases
/// look at the same lists.
#[derive(Debug, Default)]
pub(crate) struct Known {
    lists: OnceCell<(Facts, KexInit)>,
    keys: OnceCell<Facts>,
    groups: OnceCell<Facts>,
    extensions: OnceCell<Facts>,
    methods: Mutex<BTreeMap<String, Facts>>,
}

impl Known {
    /// `ssh: handshake`: the banner and KEXINIT's lists; and, where these are looked at, what takes more
    /// connections.
    pub(crate) async fn handshake(
        &self,
        address: SocketAddr,
        looked_at: &[&str],
    ) -> Result<Facts, String> {
        let lists = || within(address, LONGEST, "a handshake", lists(address));
        let (told, theirs) = self.lists.get_or_try_init(lists).await?;
        let mut facts = told.clone();
        let is_looked_at = |prefix: &str| looked_at.iter().any(|key| key.starts_with(prefix));
        // Which algorithms there are is in KEXINIT already, and costs no further connection.
        if ["type", "bits", "rsa_", "fingerprints"]
            .iter()
            .any(|of| is_looked_at(&format!("host_key_{of}")))
        {
            let told = self.keys.get_or_try_init(async || {
                let mut facts = Facts::default();
                let asked = exchange::host_keys(address, theirs, &mut facts);
                within(address, LONGEST, "its host keys", asked).await.map(|()| facts)
            });
            facts.0.extend(told.await?.0.clone());
        }
        if is_looked_at("gex_") {
            let told = self.groups.get_or_try_init(async || {
                let mut facts = Facts::default();
                let asked = exchange::groups(address, theirs, &mut facts);
                within(address, LONGEST, "its groups", asked).await.map(|()| facts)
            });
            facts.0.extend(told.await?.0.clone());
        }
        if is_looked_at("signature_") {
            let told = self.extensions.get_or_try_init(async || {
                let mut facts = Facts::default();
                let asked = extensions::tell(address, theirs, &mut facts);
                within(address, LONGEST, "its extensions", asked).await.map(|()| facts)
            });
            facts.0.extend(told.await?.0.clone());
        }
        Ok(facts)
    }

    /// `ssh: { methods: USER }`: what is offered to the user after `none`.
    pub(crate) async fn methods(&self, address: SocketAddr, user: &str) -> Result<Facts, String> {
        let mut known = self.methods.lock().await;
        if let Some(facts) = known.get(user) {
            return Ok(facts.clone());
        }
        let asked = login::methods(address, user);
        let facts = within(address, LONGEST, "the authentication methods", asked).await?;
        known.insert(user.to_owned(), facts.clone());
        Ok(facts)
    }
}

async fn lists(address: SocketAddr) -> Result<(Facts, KexInit), String> {
    let mut talk = Talk::open(address, None).await?;
    let (_, lists) = talk.kexinit().await?;
    let mut facts = Facts::default();
    facts.set("banner", talk.banner.clone());
    if let Some(software) = kexinit::software(&talk.banner) {
        facts.set("software", software);
    }
    lists.tell(&mut facts);
    talk.end().await;
    Ok((facts, lists))
}

/// `ssh: { login: USER, password: … }`: is it accepted?
pub(crate) async fn password(
    address: SocketAddr,
    user: &str,
    password: &str,
) -> Result<Facts, String> {
    within(address, LONGEST, "a password's fate", login::password(address, user, password)).await
}

/// `ssh: { guess: USER, times, connections }`.
pub(crate) async fn guess(
    address: SocketAddr,
    user: &str,
    times: usize,
    connections: usize,
) -> Result<Facts, String> {
    let guessing = limits::guess(address, user, times, connections);
    within(address, LONGEST_OF_MANY, "what becomes of guesses", guessing).await
}

/// `ssh: { unfinished: N }`.
pub(crate) async fn unfinished(address: SocketAddr, connections: usize) -> Result<Facts, String> {
    let opening = async { Ok(limits::unfinished(address, connections).await) };
    within(address, LONGEST_OF_MANY, "how many may begin", opening).await
}

/// `ssh: { reach: ADDRESS, knock: [PORT] }`.
pub(crate) async fn reach(
    address: SocketAddr,
    from: Ipv4Addr,
    knock: &[u16],
) -> Result<Facts, String> {
    within(address, LONGEST, "who reaches it", limits::reach(address, from, knock)).await
}

/// `ssh: { wait: CLIENT, … }`. Others may ask meanwhile: it is one client, and it only waits.
pub(crate) async fn wait(
    address: SocketAddr,
    client: &SshClient,
    key: Option<&SshLogin>,
    within: Duration,
) -> Result<Facts, String> {
    let waited = waiting::wait(address, client, key, within).await;
    waited.map_err(|why| format!("{address} did not tell when it ends a client: {why}"))
}

/// `ssh: { run: COMMAND, as: USER }`.
pub(crate) async fn run(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    command: &str,
) -> Result<Facts, String> {
    within(address, LONGEST, "what a command does", session::run(address, key, user, command)).await
}

/// `ssh: { forward: KIND, as: USER }`.
pub(crate) async fn forward(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    kind: Forwarding,
) -> Result<Facts, String> {
    let asked = session::forward(address, key, user, kind);
    within(address, LONGEST, "what it forwards", asked).await
}

/// `ssh: { files: FOLDER, as: USER }`.
pub(crate) async fn files(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    folder: &str,
) -> Result<Facts, String> {
    within(address, LONGEST, "its files", files::list(address, key, user, folder)).await
}

async fn within<T>(
    address: SocketAddr,
    longest: Duration,
    what: &str,
    probe: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let _turn = ONE_AT_A_TIME.lock().await;
    match tokio::time::timeout(longest, probe).await {
        Ok(result) => result.map_err(|why| format!("{address} did not tell {what}: {why}")),
        Err(_) => Err(format!("{address} did not tell {what} within {longest:?}")),
    }
}

/// An address of this machine that nothing else connects from, where the server is on this machine: sshd
/// punishes a source for logins that lead to nothing (PerSourcePenalties), and one probe must not spoil the
/// next. All of 127.0.0.0/8 is this machine.
fn source(address: SocketAddr) -> Option<Ipv4Addr> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_here = address.is_ipv4() && address.ip().is_loopback();
    is_here.then(|| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) + (std::process::id() << 10);
        Ipv4Addr::from(0x7f40_0000 | (number & 0x003f_ffff).max(1))
    })
}

/// A connection from that address, or one of [`source`]. What we say goes out at once: packets that wait for each
/// other's acknowledgement (RFC 896, RFC 1122 §4.2.3.2) would cost 40 ms a handshake.
async fn connect_from(address: SocketAddr, from: Option<Ipv4Addr>) -> Result<TcpStream, String> {
    let connecting = async {
        let stream = match address.ip() {
            IpAddr::V4(_) => {
                let socket = TcpSocket::new_v4()?;
                if let Some(from) = from.or_else(|| source(address)) {
                    socket.bind((from, 0).into())?;
                }
                socket.connect(address).await?
            }
            IpAddr::V6(_) => TcpStream::connect(address).await?,
        };
        stream.set_nodelay(true)?;
        std::io::Result::Ok(stream)
    };
    connecting.await.map_err(|error| format!("cannot connect: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use russh::MethodKind;
    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::private::Ed25519Keypair;
    use russh::server::{Auth, Config, Handler};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
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
            max_auth_attempts: 4,
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
        let facts = Known::default()
            .handshake(server().await, &["host_key_type", "signature_algorithms"])
            .await
            .unwrap();
        assert!(told(&facts, "banner").starts_with("SSH-2.0-"));
        assert!(told(&facts, "kex").contains("curve25519-sha256"));
        assert!(!told(&facts, "kex").contains("kex-strict"));
        assert_eq!(told(&facts, "strict_kex"), "true");
        assert_eq!(told(&facts, "host_key_algorithms"), "ssh-ed25519");
        assert_eq!(told(&facts, "host_key_type"), "ssh-ed25519");
        assert_eq!(told(&facts, "host_key_bits"), "256");
        assert!(told(&facts, "host_key_fingerprints").starts_with("SHA256:"));
        assert!(told(&facts, "software").starts_with("russh"));
        // Encrypted, and read all the same.
        assert!(told(&facts, "signature_algorithms").contains("ssh-ed25519"));
        assert_eq!(told(&facts, "gex_groups"), "", "not looked at");
    }

    #[tokio::test]
    async fn methods_and_passwords_are_told_for_each_user() {
        let address = server().await;
        let facts = Known::default().methods(address, "anybody").await.unwrap();
        assert_eq!(
            (told(&facts, "methods"), told(&facts, "accepted")),
            ("publickey,password".into(), "false".into())
        );
        let facts = Known::default().methods(address, "open").await.unwrap();
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
    async fn keys_are_offered_until_the_server_hangs_up() {
        let address = server().await;
        let attempts =
            async |times| told(&guess(address, "x", times, 1).await.unwrap(), "attempts");
        assert_eq!(attempts(2).await, "2");
        // The one on which it hangs up counts.
        assert_eq!(attempts(9).await, "5");
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
        let why = Known::default().handshake(address, &[]).await.unwrap_err();
        assert!(why.ends_with(r#"it closed after saying "Not allowed at this time\r\n""#), "{why}");
    }
}
