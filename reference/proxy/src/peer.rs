//! Who is at the other end of a client's connection.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};

use crate::stream::Stream;
use crate::wire::{Incoming, Outgoing};

/// The peer of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) ip: IpAddr,
    ip_text: Box<str>,
    pub(crate) port: u16,
    /// The proxy's end of the connection.
    pub(crate) local: SocketAddr,
    /// The TLS version, such as `TLSv1.3`; `None` for plain HTTP.
    pub(crate) tls: Option<&'static str>,
}

impl Peer {
    pub(crate) fn new(from: SocketAddr, local: SocketAddr, tls: Option<&'static str>) -> Self {
        let ip = from.ip().to_canonical();
        Self { ip, ip_text: ip.to_string().into_boxed_str(), port: from.port(), local, tls }
    }

    /// The address as text, which each of its requests has in its log line.
    pub(crate) fn ip_text(&self) -> &str {
        &self.ip_text
    }
}

/// A client's connection.
pub(crate) struct Client<R, W> {
    pub(crate) incoming: Incoming<R>,
    pub(crate) out: Outgoing<W>,
    pub(crate) peer: Peer,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Client<R, W> {
    pub(crate) fn new(read: R, write: W, peer: Peer) -> Self {
        Self { incoming: Incoming::new(read), out: Outgoing::new(write), peer }
    }
}

/// A writing half that can be closed so that the client sees a broken message, even one whose end
/// is the close of the connection.
pub(crate) trait Breakable: AsyncWrite + Unpin {
    /// Closes it without an orderly end.
    fn break_off(self);
    /// Closes it in order, without waiting for the client.
    fn leave(self) -> impl Future<Output = ()>;
    /// Lets what is written from here on wait for the connection's end, which then goes with it: one packet less.
    fn wait_for_end(&self);
}

impl Breakable for WriteHalf<tokio_rustls::server::TlsStream<Stream>> {
    fn break_off(self) {
        // A TLS connection closed without close_notify counts as truncated (RFC 8446 §6.1).
        drop(self);
    }

    async fn leave(mut self) {
        // close_notify; a client that is gone already needs none.
        let _ = self.shutdown().await;
    }

    fn wait_for_end(&self) {
        // What ends it is written later.
    }
}
