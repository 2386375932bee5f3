//! A stored response as bytes: what one field of a hash in Redis holds.
//!
//! ```text
//!   0  magic      8 bytes
//!   8  version    2
//!  10  digest    16   XXH3 over all that follows
//!  26  numbers        status, flags, source of the lifetime, moments, windows
//!      fields         count, then for each line: length and text of name and value
//!      trailers       the same
//!      selecting      count, then name, value as sent, value in normal form
//!      pieces         whole or not, length of the whole, count, then start and length of each
//!      content        the pieces one after another, to the end
//! ```
//!
//! All numbers are little-endian. The digest tells accidents, not malice: who may write to the
//! Redis may say what the proxy answers. What is decoded is still checked for all that would break
//! a message apart.

mod reading;
#[cfg(test)]
mod tests;
mod writing;

use std::time::Duration;

use xxhash_rust::xxh3::Xxh3;

use crate::stored::Parts;
use crate::vary::Selecting;
use crate::{DeltaSeconds, Stored};
pub(crate) use reading::decode;

const MAGIC: [u8; 8] = *b"edgprf\r\n";

/// The version of the format. It also stands in the names of the keys, so that two versions of the
/// proxy can share a Redis.
pub(super) const VERSION: u16 = 1;

const DIGEST_AT: usize = MAGIC.len() + 2;
const DIGEST_LEN: usize = 16;
const PAYLOAD_AT: usize = DIGEST_AT + DIGEST_LEN;

/// What tells a record from any other.
pub(super) type Digest = [u8; DIGEST_LEN];

/// Where the digest lies in a record, as Lua counts: from 1, both ends included.
pub(super) const DIGEST_IN_LUA: (usize, usize) = (DIGEST_AT + 1, PAYLOAD_AT);

/// Where the arrival (ms) and the Date (s) of the response lie, as Lua counts: 64 bits each, little-endian.
pub(super) const ARRIVAL_IN_LUA: usize = PAYLOAD_AT + 4 + 1;
pub(super) const DATE_IN_LUA: usize = ARRIVAL_IN_LUA + 16;

const ALWAYS_VALIDATED: u8 = 1;
const NEVER_STALE: u8 = 1 << 1;
const OUTDATED: u8 = 1 << 2;
const LAST_MODIFIED: u8 = 1 << 3;
const WHILE_REVALIDATE: u8 = 1 << 4;
const IF_ERROR: u8 = 1 << 5;
const ALL_FLAGS: u8 = (1 << 6) - 1;

const NO_VALUE: u8 = 0;
const NORMAL_ONLY: u8 = 1;
const WITH_LINE: u8 = 2;

const WHOLE: u8 = 0;
const PART: u8 = 1;
const PART_OF_UNKNOWN: u8 = 2;

/// How long a response outlives its usefulness without the origin: with a validator a 304 makes it
/// new, and any may be of help when the origin is gone (RFC 9111 §4.2.4).
const VALIDATOR_KEPT: Duration = Duration::from_secs(24 * 3600);
const OTHERS_KEPT: Duration = Duration::from_secs(3600);

/// How long a response is worth its memory from its storing on: while it is fresh, while its stale
/// windows last (RFC 5861), and while it can be validated.
fn time_to_live(parts: &Parts, has_validator: bool) -> Duration {
    let window = |window: Option<DeltaSeconds>| window.unwrap_or_default().millis();
    let fresh = parts.lifetime.seconds.millis().saturating_sub(parts.initial_age).max(0);
    let stale = window(parts.stale_while_revalidate).max(window(parts.stale_if_error));
    let kept = if has_validator { VALIDATOR_KEPT } else { OTHERS_KEPT };
    kept + Duration::from_millis(fresh.saturating_add(stale).unsigned_abs())
}

/// A response ready to be written.
#[derive(Debug)]
pub(super) struct Record {
    /// How long it is to be kept.
    pub(super) time_to_live: Duration,
    /// The name of its variant.
    pub(super) variant: Variant,
    /// What tells it from any other response that was ever stored.
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
}

impl Record {
    pub(super) fn of(stored: &Stored) -> Self {
        let parts = stored.parts();
        let bytes = writing::encode(&parts);
        let mut digest = [0; DIGEST_LEN];
        digest.copy_from_slice(&bytes[DIGEST_AT..PAYLOAD_AT]);
        let time_to_live = time_to_live(&parts, stored.has_validator());
        Self { time_to_live, variant: Variant::of(&parts.selecting), digest, bytes }
    }
}

/// The name of a variant among those of its key: the same for requests that select the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant(pub(super) String);

impl Variant {
    pub(super) fn of(selecting: &Selecting) -> Self {
        let mut hash = Xxh3::new();
        for (name, value) in selecting.entries() {
            let normal = value.map(|(_, normal)| normal);
            for text in [Some(name), normal] {
                // A length no text has stands for a field that was absent.
                let length = text.map_or(u64::MAX, |text| text.len() as u64);
                hash.update(&length.to_le_bytes());
                hash.update(text.unwrap_or_default());
            }
        }
        Self(format!("{:032x}", hash.digest128()))
    }
}
