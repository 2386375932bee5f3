//! Clients that a server should end: `closed`, and `closed_after` in seconds.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use edgeproof_scenario::model::SshClient;
use edgeproof_target::SshLogin;
use russh::ChannelMsg;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::talk::Talk;
use super::{login, session};
use crate::expect::Facts;

/// A session with traffic: else it might be ended for its idleness, and not because its client is gone. Not too much: sshd
/// asks a client only after a whole ClientAliveInterval in which nothing happened, the session's output included
/// (OpenSSH's serverloop.c, `wait_until_can_do_something`: the time runs anew with every event, from 9.2 to 10.5).
const CHATTY: &str = "while :; do echo .; sleep 2; done";
/// One without.
const QUIET: &str = "exec sleep 3600";

/// Waits until the server ends that client.
pub(super) async fn wait(
    address: SocketAddr,
    client: &SshClient,
    key: Option<&SshLogin>,
    within: Duration,
) -> Result<Facts, String> {
    let key = || key.ok_or("the target has no key of the test's own");
    let began = Instant::now();
    let closed = match client {
        SshClient::Stranger => {
            let mut talk = Talk::open(address, None).await?;
            tokio::time::timeout(within, talk.outlast()).await.is_ok()
        }
        SshClient::Silent { user } => silent(address, user, key()?, within).await?,
        SshClient::Quiet { user } => quiet(address, user, key()?, within).await?,
    };
    let mut facts = Facts::default();
    facts.set("closed", closed.to_string());
    if closed {
        facts.set("closed_after", format!("{:.1}", began.elapsed().as_secs_f64()));
    }
    Ok(facts)
}

async fn silent(
    address: SocketAddr,
    user: &str,
    key: &SshLogin,
    within: Duration,
) -> Result<bool, String> {
    let mute = Mute {
        stream: super::connect_from(address, None).await?,
        muted: Arc::default(),
        ended: Arc::default(),
    };
    let (muted, ended) = (Arc::clone(&mute.muted), Arc::clone(&mute.ended));
    let mut connection = login::over(mute).await?;
    if !login::with_key(&mut connection, user, &key.private_key).await? {
        return Err(format!("the key of the test's own does not log in {user}"));
    }
    let mut channel = connection.channel_open_session().await.map_err(|error| error.to_string())?;
    channel.exec(true, CHATTY).await.map_err(|error| error.to_string())?;
    // Its first output: it runs, and from here on nothing is said to the server any more.
    while !matches!(channel.wait().await, Some(ChannelMsg::Data { .. }) | None) {}
    muted.store(true, Ordering::SeqCst);
    let until_the_end = async { while channel.wait().await.is_some() {} };
    let _ = tokio::time::timeout(within, until_the_end).await;
    Ok(ended.load(Ordering::SeqCst))
}

async fn quiet(
    address: SocketAddr,
    user: &str,
    key: &SshLogin,
    within: Duration,
) -> Result<bool, String> {
    let connection = session::required(address, key, user).await?;
    let mut channel = connection.channel_open_session().await.map_err(|error| error.to_string())?;
    channel.exec(true, QUIET).await.map_err(|error| error.to_string())?;
    let until_the_end = async { while channel.wait().await.is_some() {} };
    Ok(tokio::time::timeout(within, until_the_end).await.is_ok())
}

/// A connection over which, once muted, nothing goes out any more, as if the client's machine hung.
struct Mute {
    stream: TcpStream,
    muted: Arc<AtomicBool>,
    /// Has the server ended it?
    ended: Arc<AtomicBool>,
}

impl AsyncRead for Mute {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let is_end = match &read {
            Poll::Ready(Ok(())) => buffer.filled().len() == before,
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        };
        if is_end {
            self.ended.store(true, Ordering::SeqCst);
        }
        read
    }
}

impl AsyncWrite for Mute {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.muted.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(octets.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
