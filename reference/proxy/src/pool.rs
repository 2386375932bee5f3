//! Connections to origins, kept for the next request; each thread has its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_upstream::{Endpoint, Lease};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use crate::backend;
use crate::gateway::{Gateway, To};
use crate::limits::Limits;
use crate::link::{Reading, Writing};
use crate::upstream::{Place, Protocol, Upstream};
use crate::wire::{Incoming, Outgoing};
use edgeproof_mutant::{self as mutant, Mutant};

/// A connection to an origin.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) incoming: Incoming<Reading>,
    pub(crate) out: Outgoing<Writing>,
    /// Whether it has carried a request before.
    pub(crate) reused: bool,
    /// What it is kept under.
    key: Arc<str>,
    /// The hold on a process that the proxy started, until its response has come.
    pub(crate) lease: Option<Lease>,
}

impl Connected {
    /// Connects to `upstream`.
    pub(crate) async fn new(upstream: &Upstream, limits: &Limits) -> io::Result<Self> {
        let key = upstream.key();
        let made = match upstream.place() {
            Place::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                Self::over_tcp(stream, Arc::clone(key))?
            }
            Place::Unix(path) => Self::over_unix(path, Arc::clone(key)).await?,
        };
        Ok(made.speaking(upstream.protocol(), limits, || To::Stderr(Arc::clone(key))))
    }

    /// Whether it leads to a process that the proxy started and that has ended.
    pub(crate) async fn process_has_ended(&self) -> bool {
        match &self.lease {
            Some(process) => backend::has_ended(process).await,
            None => false,
        }
    }

    /// Connects to a process that the proxy started.
    pub(crate) async fn to_process(
        lease: &Lease,
        protocol: &Protocol,
        limits: &Limits,
    ) -> io::Result<Self> {
        let made = match lease.endpoint() {
            Endpoint::Tcp(address) => {
                Self::over_tcp(TcpStream::connect(address).await?, lease.key().clone())?
            }
            Endpoint::Unix(path) => Self::over_unix(path, lease.key().clone()).await?,
        };
        Ok(made.speaking(protocol, limits, || To::Process(lease.errors())))
    }

    /// With a gateway in between if the other end does not speak HTTP.
    fn speaking(self, protocol: &Protocol, limits: &Limits, errors: impl FnOnce() -> To) -> Self {
        let Protocol::FastCgi(application) = protocol else { return self };
        let application = Arc::clone(application);
        let gateway = Gateway { application, limits: limits.clone(), errors: errors() };
        let (read, write) = gateway.open(self.incoming, self.out);
        Self::of(Reading::Gateway(read), Writing::Gateway(write), self.key)
    }

    fn over_tcp(stream: TcpStream, key: Arc<str>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok(Self::of(Reading::Tcp(read), Writing::Tcp(write), key))
    }

    async fn over_unix(path: &Path, key: Arc<str>) -> io::Result<Self> {
        let (read, write) = UnixStream::connect(path).await?.into_split();
        Ok(Self::of(Reading::Unix(read), Writing::Unix(write), key))
    }

    fn of(read: Reading, write: Writing, key: Arc<str>) -> Self {
        let (incoming, out) = (Incoming::new(read), Outgoing::new(write));
        Self { incoming, out, reused: false, key, lease: None }
    }

    /// Holds the process at its other end as long as this is in use.
    pub(crate) fn holding(self, lease: Lease) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// Whether the origin has neither closed the connection nor sent what nobody asked for.
    fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let Some(socket) = self.incoming.io.socket() else { return false };
        let peeked = socket.peek(&mut byte);
        self.incoming.buf.is_empty()
            && peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Idle connections kept to one origin.
const MOST_IDLE: usize = 64;
/// How long one is kept; below what origins commonly wait.
const KEPT: Duration = Duration::from_secs(30);

/// The idle connections, by what they are kept under (an origin's authority, a process); the youngest is used first.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<Arc<str>, Vec<Idle>>>,
}

/// A connection, and since when nobody uses it.
#[derive(Debug)]
struct Idle {
    since: Instant,
    connected: Connected,
}

impl Idle {
    fn is_usable(&self) -> bool {
        self.since.elapsed() < KEPT && self.connected.is_quiet()
    }
}

impl Pool {
    /// A kept connection that still seems alive.
    pub(crate) fn take(&self, key: &str) -> Option<Connected> {
        let mut idle = self.idle.borrow_mut();
        let kept = idle.get_mut(key)?;
        while let Some(one) = kept.pop() {
            if one.is_usable() || mutant::is(Mutant::PoolsBrokenConnection) {
                return Some(one.connected);
            }
        }
        None
    }

    /// Keeps a connection whose exchange has ended well.
    pub(crate) fn put(&self, mut connected: Connected) {
        connected.reused = true;
        connected.lease = None;
        let mut idle = self.idle.borrow_mut();
        if !idle.contains_key(&connected.key) {
            idle.insert(Arc::clone(&connected.key), Vec::new());
        }
        if let Some(kept) = idle.get_mut(&connected.key) {
            if kept.len() == MOST_IDLE {
                kept.remove(0);
            }
            kept.push(Idle { since: Instant::now(), connected });
        }
    }

    /// Closes what was kept too long or has been closed by the origin.
    pub(crate) fn prune(&self) {
        let mut idle = self.idle.borrow_mut();
        for kept in idle.values_mut() {
            kept.retain(Idle::is_usable);
        }
        idle.retain(|_, kept| !kept.is_empty());
    }
}
