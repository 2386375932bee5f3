//! One connection, opened when it is first needed and again when it has ended.

use std::cell::{Cell, Ref, RefCell};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Mutex;
use tokio_util::io::InspectReader;

use crate::connection::Broken;
use crate::endpoint::{Address, Endpoint};
use crate::worker::AGAIN;

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
    /// Why it could not be opened, the last time.
    error: RefCell<Option<io::Error>>,
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
        Self { endpoint, received, opening, current, opened, error: RefCell::new(None) }
    }

    /// A lane of the connection that there is, or of a new one; and when that stood, for who opened it.
    pub(super) async fn lane(&self) -> Result<(Lane, Option<Instant>), Broken> {
        let _only_one = self.opening.lock().await;
        if let Some(lane) = self.current.borrow().as_ref() {
            return Ok((lane.clone(), None));
        }
        let sender = self.open().await.map_err(|error| {
            *self.error.borrow_mut() = Some(error);
            Broken::Connect
        })?;
        self.opened.set(self.opened.get() + 1);
        let lane = Lane { number: self.opened.get(), sender };
        *self.current.borrow_mut() = Some(lane.clone());
        Ok((lane, Some(Instant::now())))
    }

    /// Why no connection could be opened, the last time.
    pub(super) fn error(&self) -> Ref<'_, Option<io::Error>> {
        self.error.borrow()
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
            Address::Unix(path) => Box::new(queued(path).await?),
        };
        let wire: Box<dyn Wire> = match &self.endpoint.tls {
            None => plain,
            Some(tls) => Box::new(tls.over_http2(plain).await?),
        };
        let received = Arc::clone(&self.received);
        let wire = InspectReader::new(wire, move |octets: &[u8]| {
            received.fetch_add(octets.len() as u64, Ordering::Relaxed);
        });
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

/// Connects, and tries again where the server's queue is full (connect(2)).
async fn queued(path: &Path) -> io::Result<UnixStream> {
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

/// A socket, or TLS on one.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}
