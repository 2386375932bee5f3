//! Request collapsing (RFC 9111 §4): of the requests that miss the same thing at the same time, one
//! goes to the origin, and the others wait for what it brings.
//!
//! ```text
//!   first  ── Lead ──▶ origin ──▶ Landing::Stored ──▶ the others look again, and hit
//!   others ── Wait ─────────┘ ├─▶ Landing::Barren ──▶ all others go to the origin at once
//!                             ├─▶ Landing::Failed ──▶ the same, but for those whom a stale answer will do
//!                             └─▶ broken off ───────▶ one of the others leads, the rest wait on
//! ```
//!
//! A URL whose last answer was of no use to others is remembered as barren: its requests do not wait
//! for each other again until an answer is stored.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::Fwd;

/// Barren URLs remembered; a newer one takes the place of an older one with the same low bits.
const BARREN: usize = 4096;

/// What a leader's request brought for those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// A stored response that is fresh.
    Stored,
    /// Nothing that others could use.
    Barren,
    /// The origin's failure.
    Failed(Failure),
}

/// How an origin failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It answered with an error.
    Answered,
    /// It could not be asked, or did not answer.
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Flying,
    Landed(Landing),
    Broken,
}

/// How often a request may still wait for another one, and what it missed when it waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    waits: u8,
    waited: Option<Fwd>,
    failed: Option<Failure>,
}

impl Turn {
    /// A request that has not waited yet. It may wait twice: once without knowing by what the
    /// response varies, and once for its own variant.
    pub const FIRST: Self = Self { waits: 2, waited: None, failed: None };

    /// A request that waits for no other.
    pub const ALONE: Self = Self { waits: 0, waited: None, failed: None };

    /// A request that has been forwarded already, for what was missing of a stored response.
    pub const COMPLETED: Self = Self { waits: 0, waited: Some(Fwd::Partial), failed: None };

    /// Whether what is missing of a stored response may be asked for.
    pub(crate) fn may_complete(self) -> bool {
        self != Self::COMPLETED
    }

    /// What was missed when it waited, if it did.
    pub(crate) const fn waited(self) -> Option<Fwd> {
        self.waited
    }

    /// How the origin failed the one that it waited for, if it did.
    pub(crate) const fn failed(self) -> Option<Failure> {
        self.failed
    }

    pub(crate) const fn may_wait(self) -> bool {
        self.waits > 0
    }
}

/// The requests on their way to origins.
pub(crate) struct Flights {
    flying: Mutex<HashMap<u64, watch::Receiver<Phase>>>,
    barren: Box<[AtomicU64]>,
}

impl Default for Flights {
    fn default() -> Self {
        let barren = (0..BARREN).map(|_| AtomicU64::new(0)).collect();
        Self { flying: Mutex::default(), barren }
    }
}

/// Whose turn it is.
pub(crate) enum Joined {
    /// This request's: it goes to the origin for all.
    Lead(Takeoff),
    /// Another's: this one waits.
    Wait(Wait),
    /// Everybody's for himself.
    Alone,
}

impl Flights {
    /// Joins the flight named `flight` for the URL whose hash is `url`.
    pub(crate) fn join(self: &Arc<Self>, url: u64, flight: u64, turn: Turn, fwd: Fwd) -> Joined {
        if self.place(url).load(Ordering::Relaxed) == url {
            return Joined::Alone;
        }
        match self.flying().entry(flight) {
            Entry::Occupied(flying) => {
                Joined::Wait(Wait { phase: flying.get().clone(), turn, fwd })
            }
            Entry::Vacant(vacant) => {
                let (phase, receiver) = watch::channel(Phase::Flying);
                vacant.insert(receiver);
                Joined::Lead(Takeoff { flights: Arc::clone(self), url, flight, phase })
            }
        }
    }

    /// Waits for the flight named `flight`, if there is one.
    pub(crate) fn wait(&self, flight: u64, turn: Turn, fwd: Fwd) -> Joined {
        match self.flying().get(&flight) {
            Some(flying) => Joined::Wait(Wait { phase: flying.clone(), turn, fwd }),
            None => Joined::Alone,
        }
    }

    /// An answer for this URL was stored.
    pub(crate) fn is_fertile(&self, url: u64) {
        // Only a barren one has to be forgotten.
        let _ = self.place(url).compare_exchange(url, 0, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn place(&self, url: u64) -> &AtomicU64 {
        &self.barren[url as usize % BARREN]
    }

    fn flying(&self) -> MutexGuard<'_, HashMap<u64, watch::Receiver<Phase>>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to go to the origin for all who wait; dropped before it lands, the next one has it.
pub(crate) struct Takeoff {
    flights: Arc<Flights>,
    url: u64,
    flight: u64,
    phase: watch::Sender<Phase>,
}

impl std::fmt::Debug for Takeoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Takeoff").field("flight", &self.flight).finish_non_exhaustive()
    }
}

impl Takeoff {
    /// Lets go all who wait.
    pub(crate) fn land(self, landing: Landing) {
        if landing == Landing::Barren {
            self.flights.place(self.url).store(self.url, Ordering::Relaxed);
        }
        self.phase.send_replace(Phase::Landed(landing));
    }
}

impl Drop for Takeoff {
    fn drop(&mut self) {
        self.flights.flying().remove(&self.flight);
        self.phase.send_if_modified(|phase| {
            let broken = *phase == Phase::Flying;
            if broken {
                *phase = Phase::Broken;
            }
            broken
        });
    }
}

/// A request that waits for another one's answer.
#[derive(Debug)]
pub struct Wait {
    phase: watch::Receiver<Phase>,
    turn: Turn,
    fwd: Fwd,
}

impl Wait {
    /// Ends when the other request's answer is there or will not come; gives the turn for the
    /// next [`crate::Cache::lookup`]. A caller that loses patience looks up with [`Turn::ALONE`].
    pub async fn over(mut self) -> Turn {
        let phase = self.phase.wait_for(|phase| *phase != Phase::Flying).await;
        // An error would mean a leader that is gone without a word, which its drop rules out.
        let phase = phase.map_or(Phase::Broken, |phase| *phase);
        let (waits, failed) = match phase {
            Phase::Landed(Landing::Stored) => (self.turn.waits - 1, None),
            Phase::Landed(Landing::Barren) => (0, None),
            Phase::Landed(Landing::Failed(failure)) => (0, Some(failure)),
            Phase::Broken | Phase::Flying => (self.turn.waits, None),
        };
        Turn { waits, waited: Some(self.fwd), failed }
    }
}
