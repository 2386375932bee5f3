//! What stands behind a site: servers that take turns, or a process that the proxy starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use edgeproof_upstream::{Lease, Process};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::limits::Limits;
use crate::pool::Connected;
use crate::upstream::{Protocol, Upstream};
use crate::worker::Worker;

/// A site's upstream at work.
pub(crate) enum Backend {
    Urls(Balancer),
    Process(Arc<Process>, Protocol),
}

impl Backend {
    /// What is put before a request's path; see [`Upstream::prefix`].
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Urls(balancer) => balancer.first().prefix(),
            Self::Process(..) => "",
        }
    }

    /// The host for a request that names none.
    pub(crate) fn authority(&self) -> &str {
        match self {
            Self::Urls(balancer) => balancer.first().host(),
            Self::Process(..) => "localhost",
        }
    }

    /// A connection: a kept one, or with `fresh` always a new one. A process that does not run is started,
    /// and one of several servers that cannot be reached is left alone for a while.
    pub(crate) async fn connect(
        &self,
        worker: &Worker,
        limits: &Limits,
        fresh: bool,
    ) -> Result<Connected, Failure> {
        match self {
            Self::Urls(balancer) => balancer.connect(worker, limits, fresh).await,
            Self::Process(process, protocol) => {
                let lease = process.lease().await?;
                if !fresh && let Some(kept) = kept(worker, lease.key()) {
                    return Ok(kept.holding(lease));
                }
                match to_process(worker, limits, &lease, protocol).await {
                    // It has ended, and that is not known yet: who asks then learns what comes next.
                    Err(Failure::Unreachable) if has_ended(&lease).await => {}
                    made => return Ok(made?.holding(lease)),
                }
                let lease = process.lease().await?;
                let made = to_process(worker, limits, &lease, protocol).await?;
                Ok(made.holding(lease))
            }
        }
    }
}

/// How long the end of a process that takes no connections, or ends them, may take to be known.
const TOLD: Duration = Duration::from_secs(1);

/// Whether a process that does not answer has ended.
pub(crate) async fn has_ended(process: &Lease) -> bool {
    timeout(TOLD, process.ended()).await.is_ok()
}

async fn to_process(
    worker: &Worker,
    limits: &Limits,
    lease: &Lease,
    protocol: &Protocol,
) -> Result<Connected, Failure> {
    made(worker, limits, Connected::to_process(lease, protocol, limits)).await
}

fn kept(worker: &Worker, key: &str) -> Option<Connected> {
    let connected = worker.pool.take(key)?;
    worker.stats().upstream_reused.one();
    Some(connected)
}

async fn made(
    worker: &Worker,
    limits: &Limits,
    connect: impl Future<Output = std::io::Result<Connected>>,
) -> Result<Connected, Failure> {
    match timeout(limits.upstream_connect_timeout, connect).await {
        Ok(Ok(connected)) => {
            worker.stats().upstream_made.one();
            Ok(connected)
        }
        Ok(Err(_)) => Err(Failure::Unreachable),
        Err(_) => Err(Failure::ConnectTimeout),
    }
}

/// How long a server that could not be reached is asked only where no other can be.
const LEFT_ALONE: Duration = Duration::from_secs(10);

/// Servers that take turns.
pub(crate) struct Balancer {
    servers: Vec<Server>,
    turn: AtomicUsize,
    began: Instant,
}

struct Server {
    url: Upstream,
    /// Milliseconds since the balancer began until which it is left alone; 0: it is well.
    avoided_until: AtomicU64,
}

impl Balancer {
    /// `urls` are at least one.
    pub(crate) fn new(urls: &[Upstream]) -> Self {
        let server = |url: &Upstream| Server { url: url.clone(), avoided_until: AtomicU64::new(0) };
        let servers = urls.iter().map(server).collect();
        Self { servers, turn: AtomicUsize::new(0), began: Instant::now() }
    }

    fn first(&self) -> &Upstream {
        &self.servers[0].url
    }

    async fn connect(
        &self,
        worker: &Worker,
        limits: &Limits,
        fresh: bool,
    ) -> Result<Connected, Failure> {
        if let [only] = &self.servers[..] {
            return only.connect(worker, limits, fresh).await;
        }
        let now = milliseconds(self.began.elapsed());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut failure = Failure::Unreachable;
        for server in in_turn(&self.servers, turn, |server| server.is_well(now)) {
            match server.connect(worker, limits, fresh).await {
                Ok(connected) => {
                    server.avoided_until.store(0, Ordering::Relaxed);
                    return Ok(connected);
                }
                Err(other) => {
                    let until = milliseconds(self.began.elapsed() + LEFT_ALONE);
                    server.avoided_until.store(until, Ordering::Relaxed);
                    failure = other;
                }
            }
        }
        Err(failure)
    }
}

impl Server {
    fn is_well(&self, now: u64) -> bool {
        self.avoided_until.load(Ordering::Relaxed) <= now
    }

    async fn connect(
        &self,
        worker: &Worker,
        limits: &Limits,
        fresh: bool,
    ) -> Result<Connected, Failure> {
        if !fresh && let Some(kept) = kept(worker, self.url.key()) {
            return Ok(kept);
        }
        made(worker, limits, Connected::new(&self.url, limits)).await
    }
}

/// All of `servers`, from the one whose turn it is, those that are well first.
fn in_turn<T>(servers: &[T], turn: usize, is_well: impl Fn(&T) -> bool) -> Vec<&T> {
    let (before, from) = servers.split_at(turn % servers.len());
    let mut order: Vec<&T> = from.iter().chain(before).collect();
    order.sort_by_key(|server| !is_well(server));
    order
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::in_turn;

    #[test]
    fn each_has_its_turn_and_who_is_unwell_comes_last() {
        let turns = |turn| {
            let order = in_turn(&["a", "b", "c"], turn, |it| *it != "b");
            order.into_iter().copied().collect::<String>()
        };
        assert_eq!([turns(0), turns(1), turns(2), turns(3)], ["acb", "cab", "cab", "acb"]);
        assert_eq!(in_turn(&["a", "b"], 1, |_| false), [&"b", &"a"]);
    }
}
