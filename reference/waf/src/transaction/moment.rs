//! An instant as rules see it, through TIME_* and the life of collections.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// An instant with the offset of the local time that TIME, TIME_HOUR and the like show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Microseconds since 1970-01-01 00:00 UTC.
    pub unix_micros: i64,
    /// Local time less UTC, in seconds.
    pub utc_offset: i32,
}

impl Moment {
    /// An instant in UTC, in whole seconds since 1970-01-01.
    #[must_use]
    pub const fn utc(unix_seconds: i64) -> Self {
        Self { unix_micros: unix_seconds.saturating_mul(1_000_000), utc_offset: 0 }
    }

    /// Whole seconds since 1970-01-01 00:00 UTC, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.unix_micros.div_euclid(1_000_000)
    }

    /// The local date and time. What lies beyond the years that a calendar has is 1970.
    pub(crate) fn civil(self) -> DateTime {
        let offset = Offset::from_seconds(self.utc_offset).unwrap_or(Offset::UTC);
        let timestamp = Timestamp::from_second(self.unix_seconds()).unwrap_or_default();
        offset.to_datetime(timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_their_local_date() {
        let at =
            |seconds, utc_offset| Moment { utc_offset, ..Moment::utc(seconds) }.civil().to_string();
        assert_eq!(at(1_531_555_461, 7200), "2018-07-14T10:04:21");
        assert_eq!(at(951_782_400, -1), "2000-02-28T23:59:59");
        assert_eq!(at(-1, 0), "1969-12-31T23:59:59");
        assert_eq!(at(i64::MAX, 0), "1970-01-01T00:00:00");
        assert_eq!(Moment { unix_micros: -1, utc_offset: 0 }.unix_seconds(), -1);
    }
}
