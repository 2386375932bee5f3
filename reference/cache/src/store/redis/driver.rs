//! The thread that owns the connection: carries out what it is given, notices when Redis is in
//! trouble, and comes back to it.
//!
//! ```text
//!            ┌────────────────── connected ───────────────────┐
//!            │                                                ▼
//!        connecting ◀── broken, or no answer for long ──── serving
//!            │ ▲                                              │ ▲
//!            └─┘ again, later each time               no answer in time
//!                                                             ▼ │
//!                                                         listening ── answers in time again
//! ```
//!
//! Outside of `serving` nobody waits for anything: reads are misses, writes are dropped, and
//! removals are owed. They are made up for as soon as it serves again; until then reads of what they
//! cover are misses, and no others.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use redis::{Client, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::desk::{Debt, Desk, Failure, Shared, is_refusal, within};
use super::history::{self, History};
use super::link::{Change, Found, Link};
use super::missed::Removal;
use super::removing::Remover;

/// Time for a connection to be made and prepared.
const CONNECT: Duration = Duration::from_secs(1);
/// Time for a change, or for a step of a removal; more where reads have more.
const CHANGE: Duration = Duration::from_secs(1);
/// A connection without an answer for so long is given up.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first and the longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What the thread is asked to do, in order.
pub(super) enum Operation {
    Load { url: Box<[u8]>, answer: oneshot::Sender<Found> },
    Change(Waiting),
    Remove { removal: Removal, answer: Option<oneshot::Sender<usize>> },
}

/// A change, counted among the bytes that wait for as long as it lives.
pub(super) struct Waiting {
    change: Change,
    shared: Arc<Shared>,
}

impl Waiting {
    pub(super) fn new(change: Change, shared: &Arc<Shared>) -> Self {
        shared.waiting.fetch_add(change.size(), Ordering::Relaxed);
        Self { change, shared: Arc::clone(shared) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(self.change.size(), Ordering::Relaxed);
    }
}

/// The other side has gone: nothing will be asked any more.
struct Closed;

pub(super) struct Driver {
    pub(super) client: Client,
    /// Time for a read.
    pub(super) limit: Duration,
    pub(super) desk: Rc<Desk>,
    pub(super) operations: mpsc::UnboundedReceiver<Operation>,
    /// Dropped when it is connected for the first time.
    pub(super) connected: Option<std_mpsc::Sender<()>>,
}

impl Driver {
    /// Runs until the other side is dropped.
    pub(super) async fn run(mut self) {
        let Err(Closed) = self.keep_serving().await;
    }

    /// Connects and serves, again and again.
    async fn keep_serving(&mut self) -> Result<Infallible, Closed> {
        let mut pause = PAUSES.0;
        loop {
            let (client, known) = (self.client.clone(), self.desk.history());
            let failure = match self.meanwhile(within(CONNECT, prepared(&client, known))).await? {
                Ok((link, (history, is_kept))) => {
                    self.desk.begins_with(history, is_kept);
                    let connected = Instant::now();
                    let failure = self.serve(&link).await?;
                    if connected.elapsed() > PAUSES.1 {
                        pause = PAUSES.0;
                    }
                    failure
                }
                Err(failure) => failure,
            };
            self.desk.is_away(&failure);
            self.meanwhile(sleep(pause)).await?;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Waits for `work`; what is asked meanwhile is not done.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Closed> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                operation = self.operations.recv() => self.forgo(operation.ok_or(Closed)?),
            }
        }
    }

    fn forgo(&self, operation: Operation) {
        match operation {
            // Dropped, its answer is a miss.
            Operation::Load { .. } => {}
            Operation::Change(waiting) => drop(self.desk.debt_of(&waiting.change)),
            Operation::Remove { removal, .. } => self.desk.owe(removal),
        }
    }

    /// Carries out what is asked, until the connection is of no more use.
    async fn serve(&mut self, link: &Link) -> Result<Failure, Closed> {
        let hand = Hand { link: link.clone(), desk: Rc::clone(&self.desk), limit: self.limit };
        let mut hands = JoinSet::new();
        self.desk.is_back();
        self.connected = None;
        hands.spawn_local(hand.clone().pay_debts());
        let failure = loop {
            let done = tokio::select! {
                Some(done) = hands.join_next(), if !hands.is_empty() => done,
                operation = self.operations.recv() => {
                    let Some(operation) = operation else {
                        // What has been asked is carried out still, if that is quickly done.
                        let rest = async { while hands.join_next().await.is_some() {} };
                        let _ = timeout(CHANGE, rest).await;
                        return Err(Closed);
                    };
                    hands.spawn_local(hand.clone().perform(operation));
                    continue;
                }
            };
            match done {
                Ok(Err(Failure::Slow(limit))) => {
                    self.desk.is_away(&Failure::Slow(limit));
                    if let Err(failure) = self.listen(link).await? {
                        break failure;
                    }
                    // Others had to wait as long; that is over.
                    while hands.try_join_next().is_some() {}
                    self.desk.is_back();
                    hands.spawn_local(hand.clone().pay_debts());
                }
                Ok(Err(gone)) => break gone,
                // A panic would be a bug of ours, and costs one answer.
                Ok(Ok(())) | Err(_) => {}
            }
        };
        // Removals that are still under way are owed from here on.
        hands.shutdown().await;
        Ok(failure)
    }

    /// Waits until a slow Redis answers in time again.
    async fn listen(&mut self, link: &Link) -> Result<Result<(), Failure>, Closed> {
        loop {
            let asked = Instant::now();
            match self.meanwhile(within(PATIENCE, link.clone().ping())).await? {
                Ok(()) if asked.elapsed() <= self.limit => return Ok(Ok(())),
                Ok(()) => self.desk.is_away(&Failure::Slow(self.limit)),
                Err(failure) => return Ok(Err(failure)),
            }
        }
    }
}

/// A connection that has been tried, and the history of removals as it goes on.
async fn prepared(client: &Client, known: Option<History>) -> RedisResult<(Link, (History, bool))> {
    let link = Link::open(client).await?;
    let begun = link.clone().query(&history::beginning(known)).await?;
    Ok((link, history::begun(begun)?))
}

/// Who carries out one operation.
#[derive(Clone)]
struct Hand {
    link: Link,
    desk: Rc<Desk>,
    /// Time for a read.
    limit: Duration,
}

impl Hand {
    async fn perform(self, operation: Operation) -> Result<(), Failure> {
        match operation {
            // Dropped, its answer is a miss.
            Operation::Load { url, .. } if self.desk.owes(&url) => Ok(()),
            Operation::Load { url, answer } => {
                let loaded = self.load(&url).await;
                if loaded.is_err() {
                    self.desk.shared.counters.unanswered.fetch_add(1, Ordering::Relaxed);
                }
                // Who asked may have lost patience.
                let _ = answer.send(loaded?);
                Ok(())
            }
            Operation::Change(waiting) => self.change(&waiting.change).await,
            Operation::Remove { removal, answer } => self.remove(removal, answer).await,
        }
    }

    async fn load(&self, url: &[u8]) -> Result<Found, Failure> {
        let known = self.desk.history();
        let found = within(self.limit, self.link.clone().load(url)).await?;
        match found.history {
            Some(now) if known.is_none_or(|known| now.follows(known)) => self.desk.has_come_to(now),
            // What was removed may be there again.
            _ => return Err(Failure::Forgetful),
        }
        Ok(found)
    }

    /// Time for all but a read.
    fn patience(&self) -> Duration {
        self.limit.max(CHANGE)
    }

    async fn change(self, change: &Change) -> Result<(), Failure> {
        let debt = self.desk.debt_of(change);
        let rest = if self.desk.takes_writes() { None } else { change.without_record() };
        if rest.is_some() {
            self.desk.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
        }
        let change = rest.as_ref().unwrap_or(change);
        match within(self.patience(), self.link.clone().change(change)).await {
            Ok(changed) => {
                if changed && change.record().is_some() {
                    self.desk.has_taken();
                }
            }
            // Full, it has removed what is superseded; that it refuses all changes is another matter.
            Err(Failure::Gone(error))
                if is_refusal(&error) && (debt.is_none() || error.code() == Some("OOM")) =>
            {
                self.desk.has_refused(&error);
            }
            Err(failure) => return Err(failure),
        }
        if let Some(debt) = debt {
            debt.settle();
        }
        Ok(())
    }

    async fn remove(
        self,
        removal: Removal,
        answer: Option<oneshot::Sender<usize>>,
    ) -> Result<(), Failure> {
        let count = self.carry_out(Debt::of(removal, &self.desk)).await?;
        match answer {
            // Who asked may have lost patience.
            Some(answer) => drop(answer.send(count)),
            None => {
                let invalidated = &self.desk.shared.counters.invalidated;
                invalidated.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Carries out the removals that are owed.
    async fn pay_debts(self) -> Result<(), Failure> {
        while let Some(debt) = Debt::next(&self.desk) {
            self.carry_out(debt).await?;
        }
        Ok(())
    }

    async fn carry_out(&self, debt: Debt) -> Result<usize, Failure> {
        let (link, desk) = (self.link.clone(), Rc::clone(&self.desk));
        let mut remover = Remover { link, step: self.patience(), desk };
        let count = remover.remove(&debt.removal).await?;
        debt.settle();
        Ok(count)
    }
}
