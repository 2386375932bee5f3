//! What a search may ask of a file beside patterns: its size, its age, its digests.

use std::str::FromStr;
use std::time::Duration;

/// A criterion that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CriterionError {
    /// Not a size.
    #[error("`{0}` is no size: expected `<10m`, `>1k` or `968`; units are k, m, g, t (of 1024)")]
    Size(String),
    /// Not an age.
    #[error("`{0}` is no age: expected `<90d` (younger) or `>1h` (older); units are s, m, h, d")]
    Age(String),
    /// Not a digest.
    #[error("`{0}` is no {1} digest: expected {2} hexadecimal digits")]
    Digest(String, &'static str, &'static str),
}

/// On which side of a limit a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Less,
    More,
    Exactly,
}

fn side(text: &str) -> (Side, &str) {
    match text.as_bytes().first() {
        Some(b'<') => (Side::Less, &text[1..]),
        Some(b'>') => (Side::More, &text[1..]),
        _ => (Side::Exactly, text),
    }
}

/// A bound of a file's size: `<10m`, `>1k`, or exactly so many octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeBound {
    side: Side,
    octets: u64,
}

impl SizeBound {
    /// Whether a file of so many octets is within.
    pub fn holds(self, octets: u64) -> bool {
        match self.side {
            Side::Less => octets < self.octets,
            Side::More => octets > self.octets,
            Side::Exactly => octets == self.octets,
        }
    }
}

impl FromStr for SizeBound {
    type Err = CriterionError;

    fn from_str(text: &str) -> Result<Self, CriterionError> {
        let wrong = || CriterionError::Size(text.to_owned());
        let (side, number) = side(text);
        let (digits, unit) = number_and_unit(number).ok_or_else(wrong)?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1u64 << 40,
            _ => return Err(wrong()),
        };
        let octets = digits.checked_mul(factor).ok_or_else(wrong)?;
        Ok(Self { side, octets })
    }
}

/// A bound of the time since a file was changed: `<90d` is younger, `>1h` is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeBound {
    side: Side,
    age: Duration,
}

impl AgeBound {
    /// Whether a file changed so many seconds before now is within. A time to come is younger than anything.
    pub fn holds(self, seconds: i64) -> bool {
        let age = i64::try_from(self.age.as_secs()).unwrap_or(i64::MAX);
        match self.side {
            Side::Less => seconds < age,
            Side::More | Side::Exactly => seconds > age,
        }
    }
}

impl FromStr for AgeBound {
    type Err = CriterionError;

    fn from_str(text: &str) -> Result<Self, CriterionError> {
        let wrong = || CriterionError::Age(text.to_owned());
        let (side, number) = side(text);
        if side == Side::Exactly {
            return Err(wrong());
        }
        let (digits, unit) = number_and_unit(number).ok_or_else(wrong)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let age = Duration::from_secs(digits.checked_mul(seconds).ok_or_else(wrong)?);
        Ok(Self { side, age })
    }
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// How a digest is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// MD5
    Md5,
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
    /// SHA3-224
    Sha3With224,
    /// SHA3-256
    Sha3With256,
    /// SHA3-384
    Sha3With384,
    /// SHA3-512
    Sha3With512,
}

/// The families of digests that a search may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `md5`
    Md5,
    /// `sha1`
    Sha1,
    /// `sha2`, also called `sha256`: the length says which of SHA-256, SHA-384 and SHA-512.
    Sha2,
    /// `sha3`: the length says which.
    Sha3,
}

/// A digest that a file may have, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    algorithm: Algorithm,
    hex: Box<str>,
}

impl Digest {
    /// Reads a digest of a family.
    ///
    /// # Errors
    /// Other characters than hexadecimal digits, or a length that the family does not have.
    pub fn new(family: Family, text: &str) -> Result<Self, CriterionError> {
        let hex = text.to_ascii_lowercase();
        let algorithm = match (family, hex.len()) {
            (Family::Md5, 32) => Some(Algorithm::Md5),
            (Family::Sha1, 40) => Some(Algorithm::Sha1),
            (Family::Sha2, 64) => Some(Algorithm::Sha256),
            (Family::Sha2, 96) => Some(Algorithm::Sha384),
            (Family::Sha2, 128) => Some(Algorithm::Sha512),
            (Family::Sha3, 56) => Some(Algorithm::Sha3With224),
            (Family::Sha3, 64) => Some(Algorithm::Sha3With256),
            (Family::Sha3, 96) => Some(Algorithm::Sha3With384),
            (Family::Sha3, 128) => Some(Algorithm::Sha3With512),
            _ => None,
        };
        let (name, lengths) = match family {
            Family::Md5 => ("MD5", "32"),
            Family::Sha1 => ("SHA-1", "40"),
            Family::Sha2 => ("SHA-2", "64, 96 or 128"),
            Family::Sha3 => ("SHA-3", "56, 64, 96 or 128"),
        };
        match algorithm {
            Some(algorithm) if hex.bytes().all(|octet| octet.is_ascii_hexdigit()) => {
                Ok(Self { algorithm, hex: hex.into() })
            }
            _ => Err(CriterionError::Digest(text.to_owned(), name, lengths)),
        }
    }

    /// How it is made.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// In lower-case hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}
