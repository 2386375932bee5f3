//! What the operations on one Redis have in common: whether it can be reached, what has been
//! counted, what is owed to it, and what the log is told.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind};
use tokio::time::timeout;

use super::history::History;
use super::link::Change;
use super::missed::{Missed, Removal};
use super::notices::Trouble;

/// Takes a line for the log.
pub type Warn = Box<dyn Fn(&str) + Send>;

/// How long no response is sent to a Redis that has refused a response, for want of memory mostly.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// What both sides of the thread's door see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Whether it makes sense to ask.
    pub(super) reachable: AtomicBool,
    /// Bytes of changes that wait or are on their way.
    pub(super) waiting: AtomicUsize,
    pub(super) counters: Counters,
}

/// What has happened.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) stored: AtomicU64,
    pub(super) invalidated: AtomicU64,
    pub(super) unanswered: AtomicU64,
    pub(super) corrupted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) outages: AtomicU64,
    pub(super) owed: AtomicUsize,
}

/// Why an operation failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer in time.
    Slow(Duration),
    /// No connection, or one that is of no use.
    Gone(RedisError),
    /// It has forgotten removals.
    Forgetful,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Slow(limit) => write!(f, "no answer within {} ms", limit.as_millis()),
            Self::Gone(error) => write!(f, "{error}"),
            Self::Forgetful => f.write_str("it has forgotten what was removed"),
        }
    }
}

/// Waits for an answer no longer than `limit`.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = RedisResult<T>>,
) -> Result<T, Failure> {
    match timeout(limit, work).await {
        Ok(done) => done.map_err(Failure::Gone),
        Err(_) => Err(Failure::Slow(limit)),
    }
}

pub(super) struct Desk {
    pub(super) shared: Arc<Shared>,
    address: String,
    warn: Warn,
    reach: RefCell<Trouble>,
    writes: RefCell<Trouble>,
    writes_again: Cell<Option<Instant>>,
    missed: RefCell<Missed>,
    history: Cell<Option<History>>,
}

impl Desk {
    pub(super) fn new(address: String, shared: Arc<Shared>, warn: Warn) -> Self {
        Self {
            shared,
            address,
            warn,
            reach: RefCell::default(),
            writes: RefCell::default(),
            writes_again: Cell::new(None),
            missed: RefCell::default(),
            history: Cell::new(None),
        }
    }

    /// Nothing is to be asked for now, because of this.
    pub(super) fn is_away(&self, failure: &Failure) {
        if self.shared.reachable.swap(false, Ordering::AcqRel) {
            self.shared.counters.outages.fetch_add(1, Ordering::Relaxed);
        }
        if self.reach.borrow_mut().is_there(Instant::now()) {
            let address = &self.address;
            (self.warn)(&format!("cache store {address}: {failure}; going on without it"));
        }
    }

    /// It can be asked.
    pub(super) fn is_back(&self) {
        self.shared.reachable.store(true, Ordering::Release);
        if let Some(away) = self.reach.borrow_mut().is_over(Instant::now()) {
            let (address, seconds) = (&self.address, away.as_secs_f64());
            (self.warn)(&format!("cache store {address}: back after {seconds:.1} s"));
        }
    }

    /// Whether a response may be sent for storing.
    pub(super) fn takes_writes(&self) -> bool {
        self.writes_again.get().is_none_or(|again| Instant::now() >= again)
    }

    /// A response was not taken.
    pub(super) fn has_refused(&self, error: &RedisError) {
        self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        self.writes_again.set(Some(now + REFUSED_FOR));
        if self.writes.borrow_mut().is_there(now) {
            let address = &self.address;
            (self.warn)(&format!("cache store {address}: {error}; storing nothing"));
        }
    }

    /// A response was taken.
    pub(super) fn has_taken(&self) {
        self.shared.counters.stored.fetch_add(1, Ordering::Relaxed);
        self.writes_again.set(None);
        if self.writes.borrow_mut().is_over(Instant::now()).is_some() {
            (self.warn)(&format!("cache store {}: storing again", self.address));
        }
    }

    /// How far the history of removals is known to have come.
    pub(super) fn history(&self) -> Option<History> {
        self.history.get()
    }

    /// Redis has said how far it has come; answers may overtake each other.
    pub(super) fn has_come_to(&self, history: History) {
        if self.history.get().is_none_or(|known| history.follows(known)) {
            self.history.set(Some(history));
        }
    }

    /// Redis has begun to serve with this history, which may not be the one that was known: what was
    /// removed may be there again.
    pub(super) fn begins_with(&self, history: History, is_kept: bool) {
        let known = self.history.replace(Some(history));
        if known.is_some_and(|known| !is_kept || !history.follows(known)) {
            self.owe(Removal::Everything);
        }
    }

    /// A removal could not be carried out: nothing is read of what it covers until it is.
    pub(super) fn owe(&self, removal: Removal) {
        self.missed.borrow_mut().add(removal);
        self.count_owed();
    }

    /// What is owed if a change is not made: what leaves by it may not come back.
    pub(super) fn debt_of(self: &Rc<Self>, change: &Change) -> Option<Debt> {
        change.removes().then(|| Debt::of(Removal::Url(change.url.clone()), self))
    }

    /// Whether a removal is owed that covers this URL.
    pub(super) fn owes(&self, url: &[u8]) -> bool {
        self.missed.borrow().covers(url)
    }

    fn count_owed(&self) {
        let owed = self.missed.borrow().len();
        self.shared.counters.owed.store(owed, Ordering::Relaxed);
    }
}

/// A removal that is to be carried out: dropped before it is settled, it is owed.
pub(super) struct Debt {
    desk: Rc<Desk>,
    pub(super) removal: Rc<Removal>,
    is_settled: bool,
}

impl Debt {
    /// One that is not owed yet.
    pub(super) fn of(removal: Removal, desk: &Rc<Desk>) -> Self {
        Self { desk: Rc::clone(desk), removal: Rc::new(removal), is_settled: false }
    }

    /// The next one that is owed.
    pub(super) fn next(desk: &Rc<Desk>) -> Option<Self> {
        let removal = desk.missed.borrow_mut().begin()?;
        Some(Self { desk: Rc::clone(desk), removal, is_settled: false })
    }

    /// It has been carried out.
    pub(super) fn settle(mut self) {
        self.is_settled = true;
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        self.desk.missed.borrow_mut().ended(&self.removal);
        if !self.is_settled {
            self.desk.owe(Removal::clone(&self.removal));
        }
        self.desk.count_owed();
    }
}

/// Whether the server answered, and its answer is about the command alone and not about its own
/// state: the connection is sound.
pub(super) fn is_refusal(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => {
            !matches!(kind, ServerErrorKind::BusyLoading | ServerErrorKind::NoScript)
        }
        // OOM, MISCONF, NOREPLICAS: names that the library has no variant for.
        ErrorKind::Extension => true,
        _ => false,
    }
}
