//! The store in Redis: shared by proxies, kept over restarts, bounded by the `maxmemory` of Redis
//! itself.
//!
//! Nothing that happens to Redis is an error to a client. A read that is not answered in time is a
//! miss, and as long as Redis is slow or gone nothing asks it; what cannot be stored is not.
//! Removals alone are never dropped: those that could not be carried out are later, and until then
//! nothing is read of what they cover.
//!
//! All of a proxy's threads share one connection, which a thread of its own holds: what they ask is
//! pipelined, and carried out in the order in which it was asked. So who has seen a response end
//! finds it stored, though nobody waited for its storing.
//!
//! One Redis (or Valkey, from version 6 on), or what looks like one; a cluster would need all keys
//! of a URL in one slot.

mod claims;
mod desk;
mod driver;
mod history;
mod link;
mod missed;
mod names;
mod notices;
mod record;
mod removing;
mod scripts;

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use redis::{Client, IntoConnectionInfo};
use smallvec::SmallVec;
use tokio::sync::{mpsc, oneshot};

use super::MOST_VARIANTS;
use crate::Stored;
use crate::store::{Pattern, Stats};
use claims::Claims;
pub use desk::Warn;
use desk::{Desk, Shared};
use driver::{Driver, Operation, Waiting};
use history::History;
use link::{Change, Found, Identity, What};
use missed::Removal;
use record::{Record, Variant};

/// Bytes that a busy network brings in a millisecond.
const PER_MILLISECOND: usize = 80 << 10;

/// The largest content that is stored, whatever the time for a read.
const MOST_CONTENT: usize = 32 << 20;

/// Room for the fields of the responses of one URL, beside their contents.
const ROOM_FOR_FIELDS: usize = 64 << 10;

/// Bytes of responses that wait for a Redis that is slower than the origins.
const MOST_WAITING: usize = 2 * MOST_CONTENT;

/// The time for a read, if nothing else is said; after it the request is forwarded.
const TIMEOUT: Duration = Duration::from_millis(50);

/// How long a proxy's start waits for the first connection.
const START: Duration = Duration::from_secs(1);

/// Where a Redis is, and what is expected of it.
#[derive(Clone)]
pub struct RedisSettings {
    client: Client,
    timeout: Duration,
}

/// Not the address of a Redis.
#[derive(Debug, thiserror::Error)]
#[error(
    "no address of a Redis: {0}; it is like redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or \
         redis+unix:///PATH[?db=DB]"
)]
pub struct RedisAddressError(String);

impl RedisSettings {
    /// The Redis at a URL: `redis://127.0.0.1:6379/0`, `redis+unix:///run/redis.sock?db=0`.
    ///
    /// # Errors
    /// If it is none, or one that asks for TLS.
    pub fn at(url: &str) -> Result<Self, RedisAddressError> {
        let fault = |error: redis::RedisError| RedisAddressError(error.to_string());
        if ["rediss:", "valkeys:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(RedisAddressError("TLS is not supported".to_owned()));
        }
        let info = url.into_connection_info().map_err(fault)?;
        Ok(Self { client: Client::open(info).map_err(fault)?, timeout: TIMEOUT })
    }

    /// With another time for a read than 50 ms.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The address without user and password.
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://{}", self.client.get_connection_info().addr())
    }
}

/// Without the password.
impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedisSettings({}, {:?})", self.address(), self.timeout)
    }
}

impl Eq for RedisSettings {}

impl PartialEq for RedisSettings {
    fn eq(&self, other: &Self) -> bool {
        let info = |settings: &Self| {
            let info = settings.client.get_connection_info();
            let redis = info.redis_settings();
            let word = |word: Option<&str>| word.map(ToOwned::to_owned);
            let login = (word(redis.username()), word(redis.password()));
            (info.addr().clone(), redis.db(), login)
        };
        self.timeout == other.timeout && info(self) == info(other)
    }
}

/// A purge that the store could not carry out, and makes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cache's store does not answer: what matches is removed as soon as it does, and until then \
         this proxy answers none of it from there"
)]
pub struct PurgeOwed;

/// How a Redis does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedisStats {
    /// Whether it is asked at present.
    pub reachable: bool,
    /// How often it was found slow or gone.
    pub outages: u64,
    /// Reads that were asked for and not answered, or not in time.
    pub unanswered: u64,
    /// Entries that were no stored response of ours, and dropped.
    pub corrupted: u64,
    /// Responses that it did not take, for want of memory mostly.
    pub refused: u64,
    /// Removals that it is owed.
    pub owed: usize,
}

/// The responses of one URL.
type Variants = SmallVec<[Arc<Stored>; 1]>;

/// A moment in the history of a Redis's removals; `None` if Redis did not say: nothing is stored then.
pub(crate) type Since = Option<History>;

/// What was found under a key.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) variants: Variants,
    pub(crate) since: Since,
}

/// Responses by key, in a Redis.
pub(crate) struct Redis {
    operations: mpsc::UnboundedSender<Operation>,
    shared: Arc<Shared>,
    claims: Claims,
    most_content: usize,
    hits: AtomicU64,
    forwards: AtomicU64,
    purged: AtomicU64,
}

impl Redis {
    /// Begins to use a Redis. One that does not answer is no error: it is waited for while the
    /// proxy does without it.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn start(settings: &RedisSettings, warn: Warn) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (operations, receiver) = mpsc::unbounded_channel();
        let (connected, first) = std_mpsc::channel();
        let (client, limit) = (settings.client.clone(), settings.timeout);
        let (address, desk_shared) = (settings.address(), Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("redis".to_owned()).spawn(move || {
            let desk = Rc::new(Desk::new(address, desk_shared, warn));
            let connected = Some(connected);
            let driver = Driver { client, limit, desk, operations: receiver, connected };
            tokio::task::LocalSet::new().block_on(&runtime, driver.run());
        })?;
        // The sender is dropped as soon as there is a connection.
        let _ = first.recv_timeout(START);
        let milliseconds = usize::try_from(limit.as_millis()).unwrap_or(usize::MAX);
        let most_content = milliseconds.saturating_mul(PER_MILLISECOND).min(MOST_CONTENT);
        let (claims, hits, forwards, purged) = Default::default();
        Ok(Self { operations, shared, claims, most_content, hits, forwards, purged })
    }

    /// The largest content that is stored: what comes within the time for a read. The responses
    /// of one URL together stay below it too, as they are read at once.
    pub(crate) const fn most_content(&self) -> usize {
        self.most_content
    }

    /// What is held under a key; nothing, if Redis does not say so in time.
    pub(crate) async fn load(&self, key: &[u8]) -> Loaded {
        let nothing = Loaded { variants: Variants::new(), since: None };
        if !self.shared.reachable.load(Ordering::Acquire) {
            return nothing;
        }
        let (answer, found) = oneshot::channel();
        self.ask(Operation::Load { url: key.into(), answer });
        let Ok(found) = found.await else { return nothing };
        Loaded { since: found.history, variants: self.read(key, found) }
    }

    /// Reads the records; what is none is dropped.
    fn read(&self, key: &[u8], found: Found) -> Variants {
        let Some(records) = found.variants else {
            self.clear(key, Vec::new(), 1);
            return Variants::new();
        };
        let (mut variants, mut unreadable) = (Variants::new(), Vec::new());
        for (name, bytes) in records {
            match record::decode(bytes) {
                Ok((digest, stored)) => variants.push(self.claims.shared(key, digest, stored)),
                Err(_) => unreadable.push(name),
            }
        }
        if !unreadable.is_empty() {
            let count = unreadable.len() as u64;
            self.clear(key, unreadable, count);
        }
        variants
    }

    fn clear(&self, key: &[u8], variants: Vec<Vec<u8>>, count: u64) {
        self.shared.counters.corrupted.fetch_add(count, Ordering::Relaxed);
        self.change(key, What::Clear(variants));
    }

    /// Puts a response under a key in place of those that it supersedes among the ones loaded.
    /// Says whether Redis was told to: not if it is too large or Redis cannot keep up, nor if it
    /// is not known whether the key was removed meanwhile. Redis itself refuses if it was.
    pub(crate) fn put(
        &self,
        key: &[u8],
        new: &Stored,
        loaded: &[Arc<Stored>],
        since: Since,
        supersedes: impl Fn(&Stored) -> bool,
    ) -> bool {
        let Some(since) = since else { return false };
        let superseded = self.leaving(new, loaded, supersedes);
        superseded.iter().for_each(|old| self.claims.superseded(key, old));
        let recency = superseded.iter().map(|old| old.recency());
        let latest = recency.fold(new.recency(), Ord::max);
        let superseded = superseded.iter().map(|old| Variant::of(old.selecting())).collect();
        let most_bytes = self.most_content + ROOM_FOR_FIELDS;
        let record = Record::of(new);
        let what = What::Put { record, since, superseded, latest, most_bytes };
        let reachable = self.shared.reachable.load(Ordering::Acquire);
        if !reachable || new.content().stored_length() > self.most_content {
            self.forgo(&Change { url: key.into(), what });
            return false;
        }
        self.change(key, what)
    }

    /// The variants that make room for a new one: those it supersedes, and the oldest of the
    /// others as far as there would be too many or too much.
    fn leaving<'l>(
        &self,
        new: &Stored,
        loaded: &'l [Arc<Stored>],
        supersedes: impl Fn(&Stored) -> bool,
    ) -> Vec<&'l Arc<Stored>> {
        let (mut leaving, mut staying): (Vec<_>, Vec<_>) =
            loaded.iter().partition(|stored| supersedes(stored));
        staying.sort_by_key(|stored| std::cmp::Reverse(stored.recency()));
        let mut bytes = new.content().stored_length();
        let fits = staying.iter().take(MOST_VARIANTS - 1).take_while(|stored| {
            bytes += stored.content().stored_length();
            bytes <= self.most_content
        });
        leaving.extend(staying[fits.count()..].iter().copied());
        leaving
    }

    /// Puts a response in the place of another, if that is still there.
    pub(crate) fn replace(&self, key: &[u8], old: &Arc<Stored>, new: &Stored) {
        self.claims.superseded(key, old);
        let old = Identity::from(Record::of(old));
        self.change(key, What::Replace { old, record: Record::of(new) });
    }

    /// Removes a response, if it is still there.
    pub(crate) fn discard(&self, key: &[u8], old: &Stored) {
        self.change(key, What::Discard(Identity::from(Record::of(old))));
    }

    /// Removes every response of a key.
    pub(crate) fn invalidate(&self, key: &[u8]) {
        self.ask(Operation::Remove { removal: Removal::Url(key.into()), answer: None });
    }

    /// Removes what matches; says how many responses that were.
    ///
    /// # Errors
    /// If Redis is away: then it is made up for when it is back.
    pub(crate) async fn purge(&self, pattern: &Pattern) -> Result<usize, PurgeOwed> {
        let (answer, count) = oneshot::channel();
        let removal = match pattern.exact() {
            Some(url) => Removal::Url(url.into()),
            None => Removal::Matching(Box::new(pattern.clone())),
        };
        self.ask(Operation::Remove { removal, answer: Some(answer) });
        let count = count.await.map_err(|_| PurgeOwed)?;
        self.purged.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    pub(crate) fn count_hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_forward(&self) {
        self.forwards.fetch_add(1, Ordering::Relaxed);
    }

    /// Says whether Redis is told to make all of it, or only to remove what is older.
    fn change(&self, key: &[u8], what: What) -> bool {
        let change = Change { url: key.into(), what };
        let room = MOST_WAITING.saturating_sub(self.shared.waiting.load(Ordering::Relaxed));
        let takes = change.record().is_none() || change.size() <= room;
        if takes {
            self.ask(Operation::Change(Waiting::new(change, &self.shared)));
        } else {
            self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
            self.forgo(&change);
        }
        takes
    }

    /// Stores nothing, but removes what would have been superseded.
    fn forgo(&self, change: &Change) {
        if let Some(rest) = change.without_record().filter(|_| change.removes()) {
            self.ask(Operation::Change(Waiting::new(rest, &self.shared)));
        }
    }

    fn ask(&self, operation: Operation) {
        // The other side ends after this one only; a panic there makes every read a miss.
        let _ = self.operations.send(operation);
    }

    /// What it has done, and how it does.
    pub(crate) fn stats(&self) -> Stats {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.shared.counters;
        let redis = RedisStats {
            reachable: self.shared.reachable.load(Ordering::Relaxed),
            outages: count(&counters.outages),
            unanswered: count(&counters.unanswered),
            corrupted: count(&counters.corrupted),
            refused: count(&counters.refused),
            owed: counters.owed.load(Ordering::Relaxed),
        };
        Stats {
            hits: count(&self.hits),
            forwards: count(&self.forwards),
            stored: count(&counters.stored),
            invalidated: count(&counters.invalidated),
            purged: count(&self.purged),
            redis: Some(redis),
            ..Stats::default()
        }
    }
}
