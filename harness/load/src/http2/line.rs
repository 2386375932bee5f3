//! One connection, opened when it is first needed and again when it has ended.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Mutex;

use crate::connection::Broken;
use crate::endpoint::{Address, Endpoint};

/// What a connection and each of its streams may hold back before they wait for us: as much as a browser
/// allows, so that the figures are the server's.
const CONNECTION_WINDOW: u32 = 16 << 20;
const STREAM_WINDOW: u32 = 4 << 20;

/// The place for a connection.
pub(super) struct Line<'a> {
    endpoint: &'a Endpoint,
    received: Arc<AtomicU64>,
    /// Who opens, so that others wait for it instead of opening more.
    opening: Mutex<()>,
    current: RefCell<Option<Lane>>,
    opened: Cell<u64>,
}

/// What one client has of a connection.
#[derive(Clone)]
pub(super) struct Lane {
    /// Which of the line's connections it is of.
    number: u64,
    pub(super) sender: SendRequest<Bytes>,
}

impl<'a> Line<'a> {
    pub(super) fn new(endpoint: &'a Endpoint, received: Arc<AtomicU64>) -> Self {
        let (opening, current, opened) = (Mutex::new(()), RefCell::new(None), Cell::new(0));
        Self { endpoint, received, opening, current, opened }
    }

    /// A lane of the connection that there is, or of a new one; and when that stood, for who opened it.
    pub(super) async fn lane(&self) -> Result<(Lane, Option<Instant>), Broken> {
        let _only_one = self.opening.lock().await;
        if let Some(lane) = self.current.borrow().as_ref() {
            return Ok((lane.clone(), None));
        }
        let sender = self.open().await.map_err(|_| Broken::Connect)?;
        self.opened.set(self.opened.get() + 1);
        let lane = Lane { number: self.opened.get(), sender };
        *self.current.borrow_mut() = Some(lane.clone());
        Ok((lane, Some(Instant::now())))
    }

    /// That connection carries no more requests: the next who asks opens another.
    pub(super) fn has_ended(&self, lane: &Lane) {
        self.current.borrow_mut().take_if(|current| current.number == lane.number);
    }

    async fn open(&self) -> io::Result<SendRequest<Bytes>> {
        let plain: Box<dyn Wire> = match &self.endpoint.address {
            Address::Tcp(address) => {
                let socket = TcpStream::connect(address).await?;
                socket.set_nodelay(true)?;
                Box::new(socket)
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let wire: Box<dyn Wire> = match &self.endpoint.tls {
            None => plain,
            Some(tls) => Box::new(tls.over_http2(plain).await?),
        };
        let wire = Counted { wire, received: Arc::clone(&self.received) };
        let (sender, connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(wire)
            .await
            .map_err(io::Error::other)?;
        // Its end is told to whoever has a request on it.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// A socket, or TLS on one.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Counts what is read.
struct Counted {
    wire: Box<dyn Wire>,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.wire).poll_read(context, buffer);
        self.received.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }
}
