//! Durations as text, without an allocation.

use std::str::FromStr;
use std::time::Duration;

/// A duration in seconds, rendered.
pub(crate) struct Seconds {
    // Right-aligned: 20 digits of a u64, a point, six decimals.
    digits: [u8; 27],
    start: usize,
}

impl Seconds {
    /// Seconds with three or six decimals. The rest is cut off, not rounded: a duration is never
    /// overstated.
    pub(crate) fn of(duration: Duration, decimals: Decimals) -> Self {
        let mut text = Self { digits: [b'0'; 27], start: 27 };
        match decimals {
            Decimals::Three => text.prepend(duration.subsec_millis().into(), 3),
            Decimals::Six => text.prepend(duration.subsec_micros().into(), 6),
        }
        text.start -= 1;
        text.digits[text.start] = b'.';
        text.prepend(duration.as_secs(), 1);
        text
    }

    /// The text.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start..]
    }

    /// Puts a number in front of what is there, with leading zeros up to `least` digits.
    fn prepend(&mut self, value: u64, least: usize) {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value).as_bytes();
        self.digits[self.start - text.len()..self.start].copy_from_slice(text);
        self.start -= text.len().max(least);
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

impl Decimals {
    /// Whether a duration may look like this.
    pub(crate) fn may_write(self, text: &[u8]) -> bool {
        let decimals = match self {
            Self::Three => 3,
            Self::Six => 6,
        };
        let Some(point) = text.len().checked_sub(decimals + 1) else { return false };
        let (whole, fraction) = text.split_at(point);
        is_whole::<u64>(whole)
            && fraction[0] == b'.'
            && fraction[1..].iter().all(u8::is_ascii_digit)
    }
}

/// Whether a whole number of that type may look like this.
pub(crate) fn is_whole<N: FromStr>(text: &[u8]) -> bool {
    let leads = matches!(text, [b'0'] | [b'1'..=b'9', ..]);
    leads && std::str::from_utf8(text).is_ok_and(|text| text.parse::<N>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(duration: Duration, decimals: Decimals) -> String {
        String::from_utf8(Seconds::of(duration, decimals).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn the_longest_duration_fits() {
        assert_eq!(text(Duration::MAX, Decimals::Six), "18446744073709551615.999999");
    }

    #[test]
    fn decimals_are_cut_not_rounded() {
        let duration = Duration::from_nanos(1_999_999_999);
        assert_eq!(text(duration, Decimals::Three), "1.999");
        assert_eq!(text(duration, Decimals::Six), "1.999999");
    }

    #[test]
    fn leading_zeros_stay() {
        assert_eq!(text(Duration::from_micros(7), Decimals::Six), "0.000007");
        assert_eq!(text(Duration::from_secs(1), Decimals::Three), "1.000");
        assert_eq!(text(Duration::from_millis(1_020), Decimals::Six), "1.020000");
    }
}
