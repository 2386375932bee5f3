//! Durations and sizes as people write them: `10s`, `1h30m`, `64MiB`.

use std::time::Duration;

use thiserror::Error;

/// Longest accepted duration; adding it to any present instant stays far from overflow.
const LONGEST: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// Units of time in nanoseconds, longest first.
const TIMES: [(&str, u128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Units of size in octets.
const SIZES: [(&str, u128); 11] = [
    ("", 1),
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

/// Why a text is not a duration or a size.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// It is not numbers with units.
    #[error("expected {expected}, found `{found}`")]
    Malformed {
        /// What a right one looks like.
        expected: &'static str,
        /// The text.
        found: String,
    },
    /// A number without its unit.
    #[error("`{found}` lacks a unit, such as `{found}s`")]
    NoUnit {
        /// The text.
        found: String,
    },
    /// A unit that does not exist.
    #[error("unknown unit `{unit}` in `{found}`: use {known}")]
    UnknownUnit {
        /// The text.
        found: String,
        /// The unit found.
        unit: String,
        /// The units there are.
        known: &'static str,
    },
    /// `5s 1h`, `1m1m`.
    #[error("the units in `{found}` must go from long to short, each once, as in `1h30m`")]
    Order {
        /// The text.
        found: String,
    },
    /// More than can be handled.
    #[error("`{found}` is too large")]
    TooLarge {
        /// The text.
        found: String,
    },
    /// `1.5B`.
    #[error("`{found}` is not a whole number of octets")]
    Fraction {
        /// The text.
        found: String,
    },
}

/// Reads `10s`, `500ms`, `1.5h`, `1h30m`; units are ns, us, ms, s, m, h and d. Only `0` may go
/// without a unit. At most 1000 years; parts below a nanosecond are dropped.
///
/// # Errors
/// Says what is wrong with the text, and what a right one looks like.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let found = || text.to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut nanoseconds = 0_u128;
    let mut shortest = u128::MAX;
    while !rest.is_empty() || shortest == u128::MAX {
        let malformed =
            || QuantityError::Malformed { expected: "a duration such as `10s`", found: found() };
        let (number, unit, after) = number_and_unit(rest).ok_or_else(malformed)?;
        if unit.is_empty() && after.is_empty() {
            return Err(QuantityError::NoUnit { found: found() });
        }
        if unit.is_empty() {
            return Err(malformed());
        }
        let Some((_, size)) = TIMES.into_iter().find(|(name, _)| *name == unit) else {
            return Err(QuantityError::UnknownUnit {
                found: found(),
                unit: unit.to_owned(),
                known: "ns, us, ms, s, m, h or d",
            });
        };
        if size >= shortest {
            return Err(QuantityError::Order { found: found() });
        }
        let part = number.times(size).map(|(whole, _)| whole);
        nanoseconds = part
            .and_then(|part| nanoseconds.checked_add(part))
            .filter(|sum| *sum <= LONGEST.as_nanos())
            .ok_or_else(|| QuantityError::TooLarge { found: found() })?;
        shortest = size;
        rest = after;
    }
    // The bound above keeps the seconds within 64 bits; the remainder is below 10^9.
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
    let below = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    Ok(Duration::new(seconds, below))
}

/// Reads `512`, `10KB`, `64MiB`, `1.5GiB` as octets: KB, MB, GB, TB are powers of 1000, KiB, MiB,
/// GiB, TiB powers of 1024.
///
/// # Errors
/// Says what is wrong with the text, and what a right one looks like.
pub fn parse_size(text: &str) -> Result<u64, QuantityError> {
    let found = || text.to_owned();
    let Some((number, unit, "")) = number_and_unit(text) else {
        let expected = "a size such as `64MiB`";
        return Err(QuantityError::Malformed { expected, found: found() });
    };
    let Some((_, size)) = SIZES.into_iter().find(|(name, _)| *name == unit) else {
        return Err(QuantityError::UnknownUnit {
            found: found(),
            unit: unit.to_owned(),
            known: "B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024)",
        });
    };
    match number.times(size) {
        Some((_, false)) => Err(QuantityError::Fraction { found: found() }),
        Some((octets, true)) => {
            u64::try_from(octets).map_err(|_| QuantityError::TooLarge { found: found() })
        }
        None => Err(QuantityError::TooLarge { found: found() }),
    }
}

/// A decimal number without sign or exponent: `digits` is `scale` powers of ten too large.
struct Decimal {
    digits: Option<u128>,
    scale: u32,
}

impl Decimal {
    /// The product's whole part, and whether that is all of it; None if it is too large.
    fn times(&self, factor: u128) -> Option<(u128, bool)> {
        let product = self.digits?.checked_mul(factor)?;
        let divisor = 10_u128.checked_pow(self.scale)?;
        Some((product / divisor, product % divisor == 0))
    }
}

/// Splits `1.5h30m` into 1.5, `h` and `30m`.
fn number_and_unit(text: &str) -> Option<(Decimal, &str, &str)> {
    let (whole, mut rest) = split_while(text, |byte| byte.is_ascii_digit());
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = split_while(after, |byte| byte.is_ascii_digit());
        if fraction.is_empty() {
            return None;
        }
    }
    if whole.is_empty() {
        return None;
    }
    let (unit, rest) = split_while(rest, |byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    let decimal = Decimal {
        digits: format!("{whole}{fraction}").parse().ok(),
        scale: u32::try_from(fraction.len()).unwrap_or(u32::MAX),
    };
    Some((decimal, unit, rest))
}

fn split_while(text: &str, belongs: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len());
    text.split_at(end)
}
