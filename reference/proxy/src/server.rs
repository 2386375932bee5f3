//! The proxy as a whole: threads, listeners, reload, stop.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};

use crate::control::Control;
use crate::listener::{self, Key};
use crate::live::Live;
use crate::settings::Settings;
use crate::stats::Stats;
use crate::worker::{self, Command, Shared};

/// Why the proxy cannot start, or cannot take over a new configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener's address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {}: {message}", .path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// An access log cannot be opened.
    #[error(transparent)]
    Log(edgeproof_accesslog::OpenError),
    /// A firewall's rules have mistakes.
    #[error(transparent)]
    Rules(edgeproof_waf::seclang::Mistakes),
    /// A firewall's rule set is not there.
    #[error(transparent)]
    RuleSet(edgeproof_waf::CoreRuleSetError),
    /// A firewall's folder for what it keeps cannot be used.
    #[error(transparent)]
    Quarantine(edgeproof_waf::QuarantineError),
    /// The control socket cannot be made.
    #[error("cannot make the control socket {}: {source}", .path.display())]
    Control {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// A running proxy. Dropped, it stops as by [`Server::stop`].
pub struct Server {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    listeners: Vec<(Key, SocketAddr)>,
    control: Option<Control>,
}

impl Server {
    /// Starts all threads and listeners.
    ///
    /// # Errors
    /// An address, file or thread that cannot be had; nothing runs then.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        let live = Live::new(settings, None)?;
        let shared = Arc::new(Shared {
            live: watch::Sender::new(Arc::new(live)),
            stopping: watch::Sender::new(false),
            stats: Stats::default(),
            workers: Mutex::default(),
        });
        let mut server = Self { shared, threads: Vec::new(), listeners: Vec::new(), control: None };
        for number in 0..settings.threads.get() {
            server.start_worker(number)?;
        }
        server.listen(settings)?;
        if let Some(path) = &settings.control {
            server.control = Some(Control::start(path, Arc::clone(&server.shared))?);
        }
        Ok(server)
    }

    /// The addresses listened on, plain ones first, in the configuration's order.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(_, bound)| *bound).collect()
    }

    /// Takes over a new configuration: listeners that are in both stay open, connections go on,
    /// clocks, logs and caches that have not changed are kept. The number of threads and the
    /// control socket stay as they are.
    ///
    /// # Errors
    /// What cannot be had; the old configuration stays in place then.
    pub fn reload(&mut self, settings: &Settings) -> Result<(), StartError> {
        let live = Live::new(settings, Some(&self.shared.live.borrow()))?;
        self.listen(settings)?;
        let old = self.shared.live.send_replace(Arc::new(live));
        // A thread without requests holds on to the old configuration for as long as it has none.
        old.retire_processes(&self.shared.live.borrow());
        let wanted: HashSet<Key> = keys(settings).collect();
        self.listeners.retain(|(key, _)| {
            if !wanted.contains(key) {
                self.shared.tell(|| Command::Close(*key));
            }
            wanted.contains(key)
        });
        Ok(())
    }

    /// Opens the access logs' paths again, after they were moved away.
    pub fn reopen_logs(&self) {
        for writer in self.shared.live.borrow().writers() {
            writer.reopen();
        }
    }

    /// Stops: no new connections, requests in flight are finished within the limit.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stopping.send_replace(true);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
        let live = Arc::clone(&self.shared.live.borrow());
        if let Some(upstreams) = &live.upstreams {
            upstreams.close();
        }
        self.control = None;
    }

    fn start_worker(&mut self, number: usize) -> Result<(), StartError> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || worker::run(shared, receiver))
            .map_err(StartError::Thread)?;
        self.threads.push(thread);
        self.shared.workers().push(sender);
        Ok(())
    }

    /// Opens the listeners that are not open yet: all of them or none.
    fn listen(&mut self, settings: &Settings) -> Result<(), StartError> {
        let mut opened = Vec::new();
        for key in keys(settings) {
            if self.listeners.iter().any(|(open, _)| *open == key) {
                continue;
            }
            let fail = |source| StartError::Listen { address: key.address, source };
            let sockets = listener::bind(key.address, self.threads.len()).map_err(fail)?;
            let bound = match sockets.first() {
                Some(socket) => socket.local_addr().map_err(fail)?,
                None => key.address,
            };
            opened.push((key, bound, sockets));
        }
        for (key, bound, sockets) in opened {
            self.listeners.push((key, bound));
            for (worker, socket) in self.shared.workers().iter().zip(sockets) {
                // A worker that is gone could not serve it either.
                let _ = worker.send(Command::Listen(key, socket));
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn keys(settings: &Settings) -> impl Iterator<Item = Key> {
    let plain = settings.listen.iter().map(|&address| Key { address, tls: false });
    plain.chain(settings.tls.iter().map(|tls| Key { address: tls.listen, tls: true }))
}
