//! A connection to the target, plain or through TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::visible::quoted;

/// More than this is not read of what nobody asked for.
const MOST_UNASKED: usize = 64 * 1024;

/// The two kinds.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A connection and what was read from it but not yet used.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: Stream,
    pub(crate) tls: bool,
    /// Octets read beyond the last answer.
    pub(crate) unread: Vec<u8>,
    /// May another request go on it?
    pub(crate) reusable: bool,
    /// It carries another protocol since a 101.
    pub(crate) tunnel: bool,
    /// All that was sent has had its answer: what comes now was asked for by nobody.
    pub(crate) settled: bool,
    ended: bool,
}

impl Connection {
    pub(crate) fn new(stream: Stream, tls: bool) -> Self {
        let unread = Vec::new();
        Self { stream, tls, unread, reusable: true, tunnel: false, settled: true, ended: false }
    }

    /// Reads what there is into `unread`: how much, 0 at the end.
    pub(crate) async fn read(&mut self) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let read = self.stream.read_buf(&mut self.unread).await;
        self.ended = !matches!(read, Ok(size) if size > 0);
        read
    }

    pub(crate) fn has_ended(&mut self) {
        self.ended = true;
        self.reusable = false;
    }

    /// Has the other side neither closed nor reset it within that time? Octets that come meanwhile
    /// are kept; they mean that it is open.
    pub(crate) async fn is_open(&mut self, within: Duration) -> bool {
        match tokio::time::timeout(within, self.read()).await {
            Ok(Ok(size)) => size > 0,
            Ok(Err(_)) => false,
            Err(_) => true,
        }
    }

    /// What came without being asked for, of what was read; told once. Empty lines may come (RFC 9112 §9.2).
    pub(crate) fn take_unasked(&mut self) -> Option<String> {
        if !self.settled || self.unread.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            return None;
        }
        self.settled = false;
        let (count, start) = (self.unread.len(), &self.unread[..self.unread.len().min(200)]);
        Some(format!(
            "{count} octets came behind an answer that nobody asked for: {}",
            quoted(start)
        ))
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn say_the_end(&mut self) {
        // One that is broken is closed already.
        let _ = self.stream.shutdown().await;
    }

    /// Reads to the end, or until there is enough to tell; within a time of the caller's.
    pub(crate) async fn read_to_end(&mut self) {
        while self.unread.len() < MOST_UNASKED && matches!(self.read().await, Ok(1..)) {}
    }

    /// Closes the sending half, and all of it when the other side has closed or that time is over.
    pub(crate) async fn hang_up(mut self, within: Duration) {
        let ending = async {
            self.stream.shutdown().await?;
            while self.read().await? > 0 {
                self.unread.clear();
            }
            io::Result::Ok(())
        };
        // A connection that is broken or lasts is closed all the same.
        let _ = tokio::time::timeout(within, ending).await;
    }
}
