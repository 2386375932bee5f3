//! How many removals a Redis has seen, by which it is told whether a response was asked for before
//! one, and whether Redis has forgotten some.
//!
//! One hash without a time to live holds it, so that it is not evicted under any `volatile-…` policy and
//! always the most recently used key under `allkeys-lru`. It is bounded: the marks of removals stand in
//! so many buckets, of which URLs share one by chance. That costs a response that could have been
//! stored, and never stores one that may not.
//!
//! ```text
//! epoch     a number of its own for each history that was begun
//! count     removals so far
//! all       number of the last removal of everything
//! o0…o1023  number of the last removal of many URLs of an origin, by the origin's hash
//! u0…u1023  number of the last removal of just a URL, by its hash
//! ```
//!
//! A Redis that was restored from an older state says a lower count than it did, one that lost the
//! hash none or another epoch. What was removed may be there again then: everything is removed.

use std::hash::{BuildHasher, RandomState};

use redis::{Cmd, RedisResult, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::names;
use super::scripts::{BEGIN, evaluate};
use crate::store::pattern::origin_of;

/// Marks for URLs, and as many for origins.
const BUCKETS: u64 = 1024;

/// A moment in the history of removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    pub(super) epoch: u64,
    pub(super) count: u64,
}

impl History {
    /// What the fields `epoch` and `count` say.
    pub(super) fn of(epoch: &Value, count: &Value) -> Option<Self> {
        Some(Self { epoch: number(epoch)?, count: number(count)? })
    }

    /// Whether all removals of an earlier moment are among its own.
    pub(super) const fn follows(self, earlier: Self) -> bool {
        self.epoch == earlier.epoch && self.count >= earlier.count
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// The question for the history: two fields, see [`History::of`].
pub(super) fn question() -> Cmd {
    Cmd::new().arg("HMGET").arg(names::removals()).arg("epoch").arg("count").take()
}

/// Has the history continued, or begins another one. `known` is what was last known of it.
pub(super) fn beginning(known: Option<History>) -> Cmd {
    let epoch = RandomState::new().hash_one(0).to_string();
    let known_epoch = known.map_or_else(String::new, |known| known.epoch.to_string());
    let known_count = known.map_or(0, |known| known.count).to_string();
    let arguments = [epoch.as_bytes(), known_epoch.as_bytes(), known_count.as_bytes()];
    evaluate(BEGIN, &[names::removals()], &arguments)
}

/// What became of [`beginning`]: the history now, and whether that is the one there was.
pub(super) fn begun((epoch, count, is_kept): (Value, Value, bool)) -> RedisResult<(History, bool)> {
    let history = History::of(&epoch, &count);
    let history =
        history.ok_or((redis::ErrorKind::UnexpectedReturnType, "no count of removals"))?;
    Ok((history, is_kept))
}

/// The field that marks a removal of just this URL.
pub(super) fn mark_of_url(url: &[u8]) -> String {
    format!("u{}", xxh3_64(url) % BUCKETS)
}

/// The field that marks a removal of many URLs of the origin of this one, or of such a prefix; of
/// everything, if it has none.
pub(super) fn mark_of_origin(url: &[u8]) -> String {
    match origin_of(url) {
        b"" => "all".to_owned(),
        origin => format!("o{}", xxh3_64(origin) % BUCKETS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_follows_those_before_it_in_its_own_history() {
        let at = |epoch, count| History { epoch, count };
        assert!(at(1, 5).follows(at(1, 5)) && at(1, 6).follows(at(1, 5)));
        assert!(!at(1, 4).follows(at(1, 5)) && !at(2, 6).follows(at(1, 5)));
    }

    #[test]
    fn what_is_no_number_is_no_history() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let (epoch, count) = (text("18446744073709551615"), text("7"));
        assert_eq!(History::of(&epoch, &count), Some(History { epoch: u64::MAX, count: 7 }));
        for other in [Value::Nil, text(""), text("-1"), text("seven"), Value::Int(-1)] {
            assert_eq!(History::of(&epoch, &other), None, "{other:?}");
            assert_eq!(History::of(&other, &count), None, "{other:?}");
        }
    }

    #[test]
    fn marks_are_few() {
        assert_eq!(mark_of_origin(b""), "all");
        assert_eq!(mark_of_origin(b"http://a.test/b"), mark_of_origin(b"http://a.test/c*"));
        for at in 0..10_000 {
            let url = format!("http://{at}.test/");
            for mark in [mark_of_url(url.as_bytes()), mark_of_origin(url.as_bytes())] {
                let bucket: u64 = mark[1..].parse().expect("a number");
                assert!(bucket < BUCKETS, "{mark}");
            }
        }
    }
}
