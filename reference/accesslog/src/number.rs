//! Numbers as text, without an allocation.

use std::time::Duration;

/// A rendered number.
pub(crate) struct Number {
    // Right-aligned: 20 digits of a u64, a point, six decimals.
    digits: [u8; 27],
    start: usize,
}

impl Number {
    /// A whole number.
    pub(crate) fn integer(value: u64) -> Self {
        let mut number = Self { digits: [0; 27], start: 27 };
        number.prepend(value, 1);
        number
    }

    /// Seconds with three or six decimals. The rest is cut off, not rounded: a duration is never
    /// overstated.
    pub(crate) fn seconds(duration: Duration, decimals: Decimals) -> Self {
        let mut number = Self { digits: [0; 27], start: 27 };
        match decimals {
            Decimals::Three => number.prepend(duration.subsec_millis().into(), 3),
            Decimals::Six => number.prepend(duration.subsec_micros().into(), 6),
        }
        number.start -= 1;
        number.digits[number.start] = b'.';
        number.prepend(duration.as_secs(), 1);
        number
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }

    fn prepend(&mut self, mut value: u64, least: usize) {
        let end = self.start;
        while value > 0 || end - self.start < least {
            self.start -= 1;
            self.digits[self.start] = b'0' + u8::try_from(value % 10).unwrap_or(0);
            value /= 10;
        }
    }
}

/// How many decimals a duration has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decimals {
    /// Milliseconds: dialect 2018.
    Three,
    /// Microseconds: the current dialect.
    Six,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: &Number) -> &str {
        std::str::from_utf8(number.as_bytes()).unwrap()
    }

    #[test]
    fn the_largest_values_fit() {
        assert_eq!(text(&Number::integer(u64::MAX)), "18446744073709551615");
        assert_eq!(text(&Number::integer(0)), "0");
        let longest = Number::seconds(Duration::MAX, Decimals::Six);
        assert_eq!(text(&longest), "18446744073709551615.999999");
    }

    #[test]
    fn decimals_are_cut_not_rounded() {
        let duration = Duration::from_nanos(1_999_999_999);
        assert_eq!(text(&Number::seconds(duration, Decimals::Three)), "1.999");
        assert_eq!(text(&Number::seconds(duration, Decimals::Six)), "1.999999");
        assert_eq!(text(&Number::seconds(Duration::from_micros(7), Decimals::Six)), "0.000007");
    }
}
