//! Instants, as the proxy hands them in: nothing in this crate reads a clock.

/// An instant in milliseconds since the Unix epoch.
///
/// HTTP's own dates have whole seconds; the milliseconds let a response of `max-age=1` live its
/// whole second whatever the fraction at which it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The instant `milliseconds` after the Unix epoch.
    #[must_use]
    pub const fn from_millisecond(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The instant `seconds` after the Unix epoch; saturates far beyond any date of HTTP.
    #[must_use]
    pub const fn from_second(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn second(self) -> i64 {
        self.millisecond().div_euclid(1000)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millisecond(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 where the clock went backwards.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.millisecond().saturating_sub(earlier.millisecond()).max(0)
    }
}

impl From<jiff::Timestamp> for Moment {
    fn from(timestamp: jiff::Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}
