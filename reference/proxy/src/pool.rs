//! Connections to origins, kept for the next request; each thread has its own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Instant;

use crate::upstream::Upstream;
use crate::wire::{Incoming, Outgoing};
use edgeproof_mutant::{self as mutant, Mutant};

/// A connection to an origin.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) incoming: Incoming<OwnedReadHalf>,
    pub(crate) out: Outgoing<OwnedWriteHalf>,
    /// Whether it has carried a request before.
    pub(crate) reused: bool,
}

impl Connected {
    /// Connects to `upstream`.
    pub(crate) async fn new(upstream: &Upstream) -> io::Result<Self> {
        let stream = TcpStream::connect(upstream.address()).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        Ok(Self { incoming: Incoming::new(read), out: Outgoing::new(write), reused: false })
    }

    /// Whether the origin has neither closed the connection nor sent what nobody asked for.
    fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let peeked = SockRef::from(self.incoming.io.as_ref()).peek(&mut byte);
        self.incoming.buf.is_empty()
            && peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Idle connections kept to one origin.
const MOST_IDLE: usize = 64;
/// How long one is kept; below what origins commonly wait.
const KEPT: Duration = Duration::from_secs(30);

/// The idle connections, by the origin's authority; the youngest is used first.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: RefCell<HashMap<String, Vec<(Instant, Connected)>>>,
}

impl Pool {
    /// A kept connection that still seems alive.
    pub(crate) fn take(&self, upstream: &Upstream) -> Option<Connected> {
        let mut idle = self.idle.borrow_mut();
        let kept = idle.get_mut(upstream.authority())?;
        while let Some((since, connected)) = kept.pop() {
            let usable = since.elapsed() < KEPT && connected.is_quiet();
            if usable || mutant::is(Mutant::PoolsBrokenConnection) {
                return Some(connected);
            }
        }
        None
    }

    /// Keeps a connection whose exchange has ended well.
    pub(crate) fn put(&self, upstream: &Upstream, mut connected: Connected) {
        connected.reused = true;
        let mut idle = self.idle.borrow_mut();
        if !idle.contains_key(upstream.authority()) {
            idle.insert(upstream.authority().to_owned(), Vec::new());
        }
        if let Some(kept) = idle.get_mut(upstream.authority()) {
            if kept.len() == MOST_IDLE {
                kept.remove(0);
            }
            kept.push((Instant::now(), connected));
        }
    }

    /// Closes what was kept too long or has been closed by the origin.
    pub(crate) fn prune(&self) {
        let mut idle = self.idle.borrow_mut();
        for kept in idle.values_mut() {
            kept.retain(|(since, connected)| since.elapsed() < KEPT && connected.is_quiet());
        }
        idle.retain(|_, kept| !kept.is_empty());
    }
}
