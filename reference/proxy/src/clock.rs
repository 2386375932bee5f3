//! A site's clock: the machine's, or a virtual one that stands still until it is told to move.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use tokio::sync::Notify;

/// Which clock a site has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockSettings {
    /// The machine's clock, shown in this zone.
    Real(TimeZone),
    /// A virtual clock that begins at this instant, shown in its zone.
    Virtual(Zoned),
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self::Real(TimeZone::system())
    }
}

/// The clock that gives a site's cache, log and Date fields their time.
#[derive(Debug)]
pub(crate) enum Clock {
    Real(TimeZone),
    Virtual { zone: TimeZone, now: Mutex<Zoned>, moved: Notify },
}

/// A clock that is the machine's cannot be moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClockError {
    #[error("the site's clock is the machine's, which is not for this program to move")]
    Real,
    #[error("no instant that can be written down lies there")]
    OutOfRange,
}

impl Clock {
    pub(crate) fn new(settings: &ClockSettings) -> Self {
        match settings {
            ClockSettings::Real(zone) => Self::Real(zone.clone()),
            ClockSettings::Virtual(start) => Self::Virtual {
                zone: start.time_zone().clone(),
                now: Mutex::new(start.clone()),
                moved: Notify::new(),
            },
        }
    }

    pub(crate) fn now(&self) -> Zoned {
        match self {
            Self::Real(zone) => Timestamp::now().to_zoned(zone.clone()),
            Self::Virtual { now, .. } => lock(now).clone(),
        }
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        match self {
            Self::Real(_) => Timestamp::now(),
            Self::Virtual { now, .. } => lock(now).timestamp(),
        }
    }

    /// When it was that something began which has taken so long.
    pub(crate) fn ago(&self, took: Duration) -> Timestamp {
        self.before(self.timestamp(), took)
    }

    /// The same, seen from `now`. A virtual clock has stood still meanwhile.
    pub(crate) fn before(&self, now: Timestamp, took: Duration) -> Timestamp {
        match self {
            Self::Real(_) if !took.is_zero() => now.checked_sub(took).unwrap_or(now),
            _ => now,
        }
    }

    /// The zone that its time is shown in, which never changes.
    pub(crate) fn zone(&self) -> &TimeZone {
        match self {
            Self::Real(zone) | Self::Virtual { zone, .. } => zone,
        }
    }

    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self, Self::Virtual { .. })
    }

    /// Moves a virtual clock forward, or back; gives the new time.
    pub(crate) fn advance(&self, by: SignedDuration) -> Result<Zoned, ClockError> {
        self.change(|now| now.checked_add(by).ok())
    }

    /// Sets a virtual clock, its zone kept; gives the new time.
    pub(crate) fn set(&self, to: Timestamp) -> Result<Zoned, ClockError> {
        self.change(|now| Some(to.to_zoned(now.time_zone().clone())))
    }

    fn change(&self, next: impl FnOnce(&Zoned) -> Option<Zoned>) -> Result<Zoned, ClockError> {
        let Self::Virtual { now, moved, .. } = self else {
            return Err(ClockError::Real);
        };
        let mut now = lock(now);
        *now = next(&now).ok_or(ClockError::OutOfRange)?;
        moved.notify_waiters();
        Ok(now.clone())
    }
}

impl edgeproof_upstream::Clock for Clock {
    fn now(&self) -> Zoned {
        Clock::now(self)
    }

    fn reaches(&self, instant: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                // Listens before it looks, so that no move comes between.
                let moved = match self {
                    Self::Virtual { moved, .. } => Some(moved.notified()),
                    Self::Real(_) => None,
                };
                let left = instant.duration_since(self.timestamp());
                match (Duration::try_from(left), moved) {
                    (Err(_) | Ok(Duration::ZERO), _) => return,
                    (Ok(_), Some(moved)) => moved.await,
                    // The machine's clock may be set meanwhile: it is asked again.
                    (Ok(left), None) => tokio::time::sleep(left.min(LOOK_AGAIN)).await,
                }
            }
        })
    }
}

/// How long a wait trusts that nobody sets the machine's clock.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

fn lock(now: &Mutex<Zoned>) -> MutexGuard<'_, Zoned> {
    now.lock().unwrap_or_else(PoisonError::into_inner)
}

/// RFC 3339 with the zone's offset, milliseconds only where there are any.
pub(crate) fn rfc3339(time: &Zoned) -> String {
    let milliseconds = time.strftime("%.3f").to_string();
    let fraction = if milliseconds == ".000" || milliseconds == "000" { "" } else { "%.3f" };
    time.strftime(&format!("%Y-%m-%dT%H:%M:%S{fraction}%:z")).to_string()
}

/// An IMF-fixdate (RFC 9110 §5.6.7); written anew only when the second changes.
pub(crate) fn http_date(time: Timestamp) -> [u8; 29] {
    thread_local! {
        static LAST: std::cell::Cell<(i64, [u8; 29])> = const { std::cell::Cell::new((i64::MIN, [0; 29])) };
    }
    let second = time.as_second();
    let (last, text) = LAST.get();
    if last == second {
        return text;
    }
    let text = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let bytes: [u8; 29] = text.as_bytes().try_into().unwrap_or(*b"Thu, 01 Jan 1970 00:00:00 GMT");
    LAST.set((second, bytes));
    bytes
}
