//! The listener that all cases share, and the way from a request to its case.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::case::CaseOrigin;
use super::{connection, matching};
use crate::locking::lock;
use crate::wire::ReadRequest;

/// Connections are numbered over all listeners.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// The next connection's number.
pub(crate) fn next_connection() -> u64 {
    CONNECTIONS.fetch_add(1, Ordering::Relaxed)
}

/// Cases by prefix and by host.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    by_id: Mutex<HashMap<String, Arc<CaseOrigin>>>,
    by_host: Mutex<HashMap<String, Arc<CaseOrigin>>>,
    /// Those whose site is for any host: what belongs to nobody else is theirs.
    for_any: Mutex<Vec<Arc<CaseOrigin>>>,
    unrouted: Mutex<Vec<Vec<u8>>>,
}

impl Routes {
    /// The case that a request belongs to, and its path there: by its prefix, else by its Host, else by
    /// a host name anywhere in the head (a Host that the target mangled still says whose it is).
    pub(crate) fn find(
        &self,
        request: &ReadRequest,
        path: &str,
    ) -> Option<(Arc<CaseOrigin>, String)> {
        if let Some((id, rest)) = matching::split_prefix(path)
            && let Some(case) = lock(&self.by_id).get(id)
        {
            return Some((Arc::clone(case), rest.to_owned()));
        }
        let host = request.fields.joined("host").unwrap_or_default();
        let host = String::from_utf8_lossy(&host).to_ascii_lowercase();
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let by_host = lock(&self.by_host).get(name).cloned();
        let case = by_host
            .or_else(|| self.named_in(&request.raw))
            .or_else(|| lock(&self.for_any).last().cloned())?;
        Some((case, path.to_owned()))
    }

    /// The case whose host name stands somewhere in the bytes.
    pub(crate) fn named_in(&self, bytes: &[u8]) -> Option<Arc<CaseOrigin>> {
        let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
        let hosts = lock(&self.by_host);
        hosts
            .iter()
            .find(|(host, _)| text.contains(host.as_str()))
            .map(|(_, case)| Arc::clone(case))
    }

    /// Remembers that a request could not be given to a case, unless it may well be one of those whose
    /// requests nobody tells apart.
    pub(crate) fn note_unrouted(&self, head: &[u8]) {
        let mut unrouted = lock(&self.unrouted);
        if unrouted.len() < 64 && lock(&self.for_any).is_empty() {
            unrouted.push(head[..head.len().min(1024)].to_vec());
        }
    }
}

/// The running origin. Dropping it closes the listener.
#[derive(Debug)]
pub(crate) struct OriginServer {
    address: SocketAddr,
    routes: Arc<Routes>,
    accepting: JoinHandle<()>,
}

impl OriginServer {
    /// Listens on `address` (port 0: any free one).
    pub(crate) async fn start(address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let routes = Arc::new(Routes::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&routes)));
        Ok(Self { address, routes, accepting })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn register(&self, case: &Arc<CaseOrigin>) {
        if case.is_for_any_host() {
            lock(&self.routes.for_any).push(Arc::clone(case));
            return;
        }
        lock(&self.routes.by_id).insert(case.id.clone(), Arc::clone(case));
        lock(&self.routes.by_host).insert(case.host.to_ascii_lowercase(), Arc::clone(case));
    }

    pub(crate) fn remove(&self, case: &CaseOrigin) {
        if case.is_for_any_host() {
            lock(&self.routes.for_any).retain(|known| !std::ptr::eq(Arc::as_ptr(known), case));
            return;
        }
        lock(&self.routes.by_id).remove(&case.id);
        lock(&self.routes.by_host).remove(&case.host.to_ascii_lowercase());
    }

    /// Requests that belong to no case, since the last time this was asked.
    pub(crate) fn take_unrouted(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *lock(&self.routes.unrouted))
    }
}

impl Drop for OriginServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, routes: Arc<Routes>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it, the second small write of an answer waits for the other side.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection::serve(stream, next_connection(), Arc::clone(&routes)));
            }
            // Out of descriptors: the cases at hand must end before there are more.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}
