//! delta-seconds (RFC 9111 §1.2.2).

use std::num::NonZeroU32;

use crate::sabotage;

/// A non-negative number of seconds, at most 2^31: larger ones saturate there, as the RFC asks.
///
/// Held as one more than it is, so that one that may be missing takes no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeltaSeconds(NonZeroU32);

impl Default for DeltaSeconds {
    fn default() -> Self {
        Self::ZERO
    }
}

impl DeltaSeconds {
    /// No time at all.
    pub const ZERO: Self = Self(NonZeroU32::MIN);
    /// 2^31, which stands for "or more".
    pub const MAX: Self = Self(NonZeroU32::MIN.saturating_add(1 << 31));

    /// `seconds`, brought into the range: negative ones become 0, large ones 2^31.
    #[must_use]
    pub fn saturating(seconds: i64) -> Self {
        let within = seconds.clamp(0, i64::from(Self::MAX.seconds()));
        u32::try_from(within)
            .map_or(Self::MAX, |seconds| Self(NonZeroU32::MIN.saturating_add(seconds)))
    }

    /// Parses `1*DIGIT`; anything else (a sign, a fraction, white space, nothing) is `None`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let value = text.iter().fold(0u64, |sum, digit| {
            (sum * 10 + u64::from(digit - b'0')).min(u64::from(Self::MAX.seconds()))
        });
        let value = sabotage::storing::seconds(text, value);
        i64::try_from(value).ok().map(Self::saturating)
    }

    /// The number of seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0.get() - 1
    }

    /// The number of milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.seconds() as i64 * 1000
    }
}
