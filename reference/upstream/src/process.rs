//! An upstream's process as requests see it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::journal::Stream;
use crate::machine::{Action, Event, Machine, Refusal, State, Verdict};
use crate::{Endpoint, Journal, Settings};

/// What the driver is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Spawn,
    Stop,
    End,
}

/// Where a running process listens.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    /// A name that no other process had or will have.
    key: Arc<str>,
    pid: i32,
    /// It no longer runs.
    ended: watch::Sender<bool>,
}

/// What requests, driver and control socket share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) journal: Journal,
    inner: Mutex<Inner>,
    orders: mpsc::UnboundedSender<Order>,
    /// Something changed that may change when it is idle.
    pub(crate) changed: Notify,
    /// It will never run again, and nothing of it is left.
    pub(crate) over: watch::Sender<bool>,
}

struct Inner {
    machine: Machine,
    place: Option<Arc<Place>>,
    waiting: Vec<oneshot::Sender<Result<Arc<Place>, Refusal>>>,
    /// The driver waits for `changed`, since no idle time runs.
    watching: bool,
}

impl Shared {
    pub(crate) fn new(
        settings: Settings,
        journal: Journal,
        orders: mpsc::UnboundedSender<Order>,
    ) -> Self {
        let machine = Machine::new(settings.idle, journal.clock().now().timestamp());
        let inner =
            Mutex::new(Inner { machine, place: None, waiting: Vec::new(), watching: false });
        let over = watch::Sender::new(false);
        Self { settings, journal, inner, orders, changed: Notify::new(), over }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere leaves it whole: no change needs two steps that can fail.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the machine what happened, and does what it decides.
    pub(crate) fn feed(&self, event: Event) {
        self.feed_to(self.lock(), event);
    }

    fn feed_to(&self, mut inner: MutexGuard<'_, Inner>, event: Event) {
        let actions = inner.machine.handle(event, self.journal.clock().now().timestamp());
        if !matches!(inner.machine.state, State::Running { .. })
            && let Some(place) = inner.place.take()
        {
            place.ended.send_replace(true);
        }
        self.act(&mut inner, actions);
        drop(inner);
        self.changed.notify_one();
    }

    /// The process accepts connections.
    pub(crate) fn ready(&self, endpoint: &Endpoint) {
        let mut inner = self.lock();
        let pid = inner.machine.pid().unwrap_or_default();
        let key = format!("{endpoint} {pid} {}", inner.machine.starts).into();
        let ended = watch::Sender::new(false);
        inner.place = Some(Arc::new(Place { endpoint: endpoint.clone(), key, pid, ended }));
        self.feed_to(inner, Event::Ready);
    }

    /// When it will be idle. `None`: not before `changed` says so.
    pub(crate) fn idle_at(&self) -> Option<jiff::Timestamp> {
        let mut inner = self.lock();
        let at = inner.machine.idle_at();
        inner.watching = at.is_none();
        at
    }

    fn act(&self, inner: &mut Inner, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Note(note) => self.journal.note(&note, &self.settings.command),
                Action::Serve => {
                    if let Some(place) = inner.place.clone() {
                        inner.answer(&Ok(place));
                    }
                }
                Action::Refuse(refusal) => inner.answer(&Err(refusal)),
                Action::Spawn => self.order(Order::Spawn),
                Action::Stop => self.order(Order::Stop),
                Action::Ended => self.order(Order::End),
            }
        }
    }

    fn order(&self, order: Order) {
        // A driver that is gone has nothing left to look after.
        let _ = self.orders.send(order);
    }

    fn done(&self) {
        let mut inner = self.lock();
        let actions = inner.machine.handle(Event::Done, self.journal.clock().now().timestamp());
        let tell = inner.machine.in_flight == 0 && std::mem::take(&mut inner.watching);
        self.act(&mut inner, actions);
        drop(inner);
        if tell {
            self.changed.notify_one();
        }
    }
}

impl Inner {
    fn answer(&mut self, answer: &Result<Arc<Place>, Refusal>) {
        for waiting in self.waiting.drain(..) {
            // One that no longer waits needs no answer.
            let _ = waiting.send(answer.clone());
        }
    }
}

/// A command and whatever process there is of it. Dropped, it is stopped as soon as no request needs it.
pub struct Process {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

/// What a process is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `stopped`, `starting`, `running`, `stopping`, `backing-off` or `closed`.
    pub state: &'static str,
    /// Its number, while there is one.
    pub pid: Option<i32>,
    /// Where it listens, while it runs.
    pub endpoint: Option<Endpoint>,
    /// Starts so far.
    pub starts: u64,
    /// Ends so far that nobody asked for, failed starts among them.
    pub crashes: u64,
    /// Requests that use it or wait for it.
    pub in_flight: usize,
}

impl Process {
    /// What it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Its log.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Gets hold of the process for one request. If there is none it is started, and this waits.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn lease(&self) -> Result<Lease, Refusal> {
        let (verdict, place, answer) = {
            let now = self.shared.journal.clock().now().timestamp();
            let mut inner = self.shared.lock();
            let (verdict, actions) = inner.machine.wanted(now);
            self.shared.act(&mut inner, actions);
            let (waiting, answer) = oneshot::channel();
            if verdict == Verdict::Wait {
                inner.waiting.push(waiting);
            }
            (verdict, inner.place.clone(), answer)
        };
        if let Verdict::Refuse(refusal) = verdict {
            return Err(refusal);
        }
        // From here on it counts, also if whoever asks goes away.
        let claim = Claim(Arc::clone(&self.shared));
        let place = match (verdict, place) {
            (Verdict::Serve, Some(place)) => place,
            // An error means that it was dropped unanswered: the proxy is ending.
            _ => answer.await.unwrap_or(Err(Refusal::Closing))?,
        };
        Ok(Lease { place, claim })
    }

    /// Stops it as soon as no request needs it, for good.
    pub fn retire(&self) {
        self.shared.feed(Event::Retire);
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let inner = self.shared.lock();
        let machine = &inner.machine;
        let (state, runs) = match machine.state {
            State::Stopped => ("stopped", false),
            State::Starting { .. } => ("starting", false),
            State::Running { .. } => ("running", true),
            State::Stopping { .. } => ("stopping", false),
            State::BackingOff { .. } => ("backing-off", false),
            State::Closed => ("closed", false),
        };
        let endpoint = inner.place.as_ref().filter(|_| runs).map(|place| place.endpoint.clone());
        Status {
            state,
            pid: machine.pid(),
            endpoint,
            starts: machine.starts,
            crashes: machine.crashes,
            in_flight: machine.in_flight,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.retire();
    }
}

/// A request's hold on a process, which is not idle as long as this lives.
#[derive(Debug)]
pub struct Lease {
    place: Arc<Place>,
    claim: Claim,
}

/// Where lines of a process's standard error go.
#[derive(Debug, Clone)]
pub struct Errors {
    journal: Journal,
    pid: i32,
}

impl Errors {
    /// Writes a line down, given without its end.
    pub fn line(&self, text: &[u8]) {
        self.journal.batch(self.pid, Stream::Err).line(text);
    }
}

impl Lease {
    /// Where to connect to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.place.endpoint
    }

    /// What connections to this very process may be kept under.
    #[must_use]
    pub fn key(&self) -> &Arc<str> {
        &self.place.key
    }

    /// Waits until this very process no longer runs, as far as is known.
    pub async fn ended(&self) {
        // An error means that whoever looked after it is gone too.
        let _ = self.place.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// The log for what this process says on a standard error of another way than its own: that of FastCGI.
    #[must_use]
    pub fn errors(&self) -> Errors {
        Errors { journal: self.claim.0.journal.clone(), pid: self.place.pid }
    }
}

struct Claim(Arc<Shared>);

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.done();
    }
}
