//! A thread that serves: a runtime, listening sockets and an origin pool of its own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::{interval, timeout};

use crate::listener::{self, Key, Listener};
use crate::live::Live;
use crate::pool::Pool;
use crate::stats::Stats;
use crate::wire::Room;

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) live: watch::Sender<Arc<Live>>,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) stats: Stats,
    /// The workers' ends to be told things.
    pub(crate) workers: Mutex<Vec<mpsc::UnboundedSender<Command>>>,
}

impl Shared {
    /// Tells every worker; one that is gone needs no telling.
    pub(crate) fn tell(&self, command: impl Fn() -> Command) {
        for worker in self.workers().iter() {
            let _ = worker.send(command());
        }
    }

    pub(crate) fn workers(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Command>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends once every response that has been written by now has its log line handed over: a
    /// worker does both without a pause between them, and looks at its commands only in pauses.
    pub(crate) async fn settled(&self) {
        let mut waiting = Vec::new();
        for worker in self.workers().iter() {
            let (done, is_done) = oneshot::channel();
            if worker.send(Command::Settle(done)).is_ok() {
                waiting.push(is_done);
            }
        }
        for is_done in waiting {
            // An error means that the worker has ended, and with it all it did.
            let _ = is_done.await;
        }
    }
}

/// What the server tells its workers.
pub(crate) enum Command {
    /// Serve on this socket.
    Listen(Key, std::net::TcpListener),
    /// Stop accepting on that address.
    Close(Key),
    /// Answer once whatever was being done when this came is done.
    Settle(oneshot::Sender<()>),
}

/// The configuration last seen, so that a request needs no lock that threads share.
struct Latest {
    receiver: watch::Receiver<Arc<Live>>,
    live: Arc<Live>,
}

impl Latest {
    fn updated(&mut self) -> &mut Self {
        if self.receiver.has_changed().unwrap_or(false) {
            self.live = Arc::clone(&self.receiver.borrow_and_update());
        }
        self
    }
}

/// A worker, as its connections see it.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    pub(crate) pool: Pool,
    room: Room,
    live: RefCell<Latest>,
    stopping: watch::Receiver<bool>,
    connections: Cell<usize>,
    emptied: Notify,
}

impl Worker {
    fn new(shared: Arc<Shared>) -> Self {
        let mut receiver = shared.live.subscribe();
        let live = Arc::clone(&receiver.borrow_and_update());
        let mut stopping = shared.stopping.subscribe();
        let is_stopping = *stopping.borrow();
        if is_stopping {
            stopping.mark_changed();
        }
        Self {
            shared,
            pool: Pool::default(),
            room: Room::default(),
            live: RefCell::new(Latest { receiver, live }),
            stopping,
            connections: Cell::new(0),
            emptied: Notify::new(),
        }
    }

    /// The configuration now.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.borrow_mut().updated().live)
    }

    /// Puts the configuration now in the place of one that may be older.
    pub(crate) fn renew(&self, live: &mut Arc<Live>) {
        let latest = &mut *self.live.borrow_mut();
        if !Arc::ptr_eq(live, &latest.updated().live) {
            *live = Arc::clone(&latest.live);
        }
    }

    /// Where connections read to.
    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.shared.stats
    }

    pub(crate) fn is_stopping(&self) -> bool {
        // Nothing else than a stop ever changes it; an error means that the server is gone, which
        // is a stop too.
        self.stopping.has_changed().unwrap_or(true)
    }

    /// Ends once the proxy is stopping.
    pub(crate) async fn stopped(&self) {
        // An error means that the server is gone, which is a stop too.
        let _ = self.stopping.clone().wait_for(|stopping| *stopping).await;
    }

    /// Runs a connection's future as a task that a stop waits for.
    pub(crate) fn spawn(self: &Rc<Self>, serve: impl Future<Output = ()> + 'static) {
        let worker = Rc::clone(self);
        worker.connections.set(worker.connections.get() + 1);
        // Awaited as it is, it would have its place in the task twice.
        let serve = Box::pin(serve);
        spawn_local(async move {
            serve.await;
            worker.connections.set(worker.connections.get() - 1);
            worker.emptied.notify_waiters();
        });
    }

    /// Waits until no connection is left.
    async fn drained(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.connections.get() == 0 {
                return;
            }
            emptied.await;
        }
    }
}

/// Runs a worker until the proxy stops. Requests in flight are finished within the stop's limit;
/// what is left then is dropped.
pub(crate) fn run(
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, serve(Rc::new(Worker::new(shared)), commands));
    Ok(())
}

async fn serve(worker: Rc<Worker>, mut commands: mpsc::UnboundedReceiver<Command>) {
    const PRUNE: Duration = Duration::from_secs(10);
    let mut prune = interval(PRUNE);
    let mut listeners: HashMap<Key, Rc<Notify>> = HashMap::new();
    let mut accepting = JoinSet::new();
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(Command::Listen(key, socket)) => {
                    let Ok(socket) = Listener::new(socket) else { continue };
                    let close = Rc::new(Notify::new());
                    listeners.insert(key, Rc::clone(&close));
                    let worker = Rc::clone(&worker);
                    accepting.spawn_local(async move {
                        listener::accept(&worker, &socket, key, &close).await;
                    });
                }
                Some(Command::Close(key)) => {
                    if let Some(close) = listeners.remove(&key) {
                        close.notify_one();
                    }
                }
                Some(Command::Settle(done)) => {
                    // Who asked may have lost patience.
                    let _ = done.send(());
                }
                None => break,
            },
            _ = prune.tick() => worker.pool.prune(),
            () = worker.stopped() => break,
        }
    }
    for close in listeners.values() {
        close.notify_one();
    }
    let limit = worker.live().limits.stop_timeout;
    let finished = async {
        // Who has just connected is still served.
        while accepting.join_next().await.is_some() {}
        worker.drained().await;
    };
    // What is not over by then is dropped with the runtime.
    let _ = timeout(limit, finished).await;
}
