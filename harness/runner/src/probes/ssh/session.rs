//! What somebody who has logged in may do, in fact.

use std::net::SocketAddr;
use std::time::Duration;

use edgeproof_scenario::model::Forwarding;
use edgeproof_target::SshLogin;
use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::login::{self, AnyKey};
use crate::expect::Facts;

/// What is not forwarded is not waited for longer.
const TO_COME_THROUGH: Duration = Duration::from_secs(3);
/// More of a command's output is not looked at.
const MOST_OUTPUT: usize = 64 * 1024;
const SAID: &[u8] = b"edgeproof";
/// All of 127.0.0.0/8 is the server itself, but what listens on 127.0.0.1 alone does not hear this one.
const ANOTHER_ADDRESS: &str = "127.0.0.2";

/// A session of that user by the harness's key, or `None` where the key is not accepted.
async fn logged_in(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
) -> Result<Option<Handle<AnyKey>>, String> {
    let mut session = login::open(address, None).await?;
    let accepted = login::with_key(&mut session, user, &key.private_key).await?;
    Ok(accepted.then_some(session))
}

/// The same where nothing can be told without a login.
pub(super) async fn required(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
) -> Result<Handle<AnyKey>, String> {
    let session = logged_in(address, key, user).await?;
    session.ok_or_else(|| format!("the key of the test's own does not log in {user}"))
}

/// `accepted`; and where the key is, `output` and `exit` of the command.
pub(super) async fn run(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    command: &str,
) -> Result<Facts, String> {
    let mut facts = Facts::default();
    let session = logged_in(address, key, user).await?;
    facts.set("accepted", session.is_some().to_string());
    let Some(session) = session else { return Ok(facts) };
    let mut channel = session.channel_open_session().await.map_err(|error| error.to_string())?;
    channel.exec(true, command).await.map_err(|error| error.to_string())?;
    let mut output = Vec::new();
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Data { data } if output.len() < MOST_OUTPUT => output.extend(&data[..]),
            ChannelMsg::ExitStatus { exit_status } => facts.set("exit", exit_status.to_string()),
            ChannelMsg::ExitSignal { .. } => facts.set("exit", "signal"),
            _ => {}
        }
    }
    let output = output.strip_suffix(b"\n").unwrap_or(&output).to_vec();
    facts.set("output", output);
    Ok(facts)
}

/// `forwarded`: did octets come through, or, of what needs a program at the other end, was it granted?
pub(super) async fn forward(
    address: SocketAddr,
    key: &SshLogin,
    user: &str,
    kind: Forwarding,
) -> Result<Facts, String> {
    let session = required(address, key, user).await?;
    let trying = async {
        match kind {
            Forwarding::Local => local(&session).await,
            Forwarding::Socket => socket(&session).await,
            Forwarding::Remote => remote(&session, "127.0.0.1", "127.0.0.1").await,
            Forwarding::Gateway => remote(&session, "0.0.0.0", ANOTHER_ADDRESS).await,
            Forwarding::Agent | Forwarding::X11 => granted(&session, kind).await,
        }
    };
    // What does not come through in time is not forwarded.
    let forwarded = tokio::time::timeout(TO_COME_THROUGH, trying).await.unwrap_or(Ok(false))?;
    let mut facts = Facts::default();
    facts.set("forwarded", forwarded.to_string());
    Ok(facts)
}

/// A listener here plays what the server could reach and the client could not.
async fn local(session: &Handle<AnyKey>) -> Result<bool, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    let opened =
        session.channel_open_direct_tcpip("127.0.0.1", u32::from(port), "127.0.0.1", 1).await;
    let Ok(channel) = opened else { return Ok(false) };
    let (mut accepted, _) = listener.accept().await.map_err(|error| error.to_string())?;
    comes_through(channel, &mut accepted).await
}

async fn socket(session: &Handle<AnyKey>) -> Result<bool, String> {
    // Any user of the server must be able to connect to it.
    let folder = tempfile::Builder::new()
        .prefix("edgeproof-ssh-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
        .tempdir()
        .map_err(|error| error.to_string())?;
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).map_err(|error| error.to_string())?;
    let open_to_all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&path, open_to_all).map_err(|error| error.to_string())?;
    let opened = session.channel_open_direct_streamlocal(path.display().to_string()).await;
    let Ok(channel) = opened else { return Ok(false) };
    let (mut accepted, _) = listener.accept().await.map_err(|error| error.to_string())?;
    comes_through(channel, &mut accepted).await
}

async fn comes_through<S: tokio::io::AsyncRead + Unpin>(
    channel: Channel<Msg>,
    other_end: &mut S,
) -> Result<bool, String> {
    let mut stream = channel.into_stream();
    let mut heard = [0; SAID.len()];
    if stream.write_all(SAID).await.is_err() || stream.flush().await.is_err() {
        return Ok(false);
    }
    Ok(other_end.read_exact(&mut heard).await.is_ok() && heard == SAID)
}

/// Does the server listen at `bind`, for those who come to `reached_at`? Only sshd itself greets nobody: that
/// the connection is taken is enough.
async fn remote(session: &Handle<AnyKey>, bind: &str, reached_at: &str) -> Result<bool, String> {
    let Ok(port) = session.tcpip_forward(bind, 0).await else { return Ok(false) };
    let port = u16::try_from(port).map_err(|_| format!("it listens on the port {port}"))?;
    Ok(TcpStream::connect((reached_at, port)).await.is_ok())
}

/// Agent and X11 need a client's program at the other end: that the server grants them is what counts.
async fn granted(session: &Handle<AnyKey>, kind: Forwarding) -> Result<bool, String> {
    let mut channel = session.channel_open_session().await.map_err(|error| error.to_string())?;
    let asked = match kind {
        Forwarding::Agent => channel.agent_forward(true).await,
        _ => {
            let cookie = "00112233445566778899aabbccddeeff";
            channel.request_x11(true, false, "MIT-MAGIC-COOKIE-1", cookie, 0).await
        }
    };
    asked.map_err(|error| error.to_string())?;
    Ok(is_granted(&mut channel).await)
}

/// Is the last request granted?
pub(super) async fn is_granted(channel: &mut Channel<Msg>) -> bool {
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Success => return true,
            ChannelMsg::Failure | ChannelMsg::Close => return false,
            _ => {}
        }
    }
    false
}
