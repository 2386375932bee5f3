//! Cache-Status (RFC 9211): how the cache handled a request.

use std::fmt;

use crate::sabotage;
use edgeproof_mutant::{self as mutant, Mutant};

/// Why a request was forwarded (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fwd {
    /// The cache was not to handle this request.
    Bypass,
    /// The method has to be forwarded.
    Method,
    /// Nothing is stored for the URI.
    UriMiss,
    /// What is stored for the URI does not match the request's selecting fields.
    VaryMiss,
    /// A fresh response was stored, but the request's directives did not allow its use.
    Request,
    /// The stored response is stale.
    Stale,
    /// Only a part of what was asked for is stored.
    Partial,
}

impl Fwd {
    /// The token of RFC 9211.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Request => "request",
            Self::Stale => "stale",
            Self::Partial => "partial",
        }
    }
}

/// This cache's member of the Cache-Status list; its `Display` is the member. A response that
/// has the field already gets the member appended after those of the caches nearer to the origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStatus {
    pub(crate) hit: bool,
    pub(crate) ttl: Option<i64>,
    pub(crate) fwd: Option<Fwd>,
    pub(crate) fwd_status: Option<u16>,
    pub(crate) stored: bool,
    /// Whether waiting for another request brought the answer; `None` if there was no waiting.
    pub(crate) collapsed: Option<bool>,
}

impl CacheStatus {
    /// Answered from the store, with so many seconds of freshness left (negative if stale).
    pub(crate) fn hit(ttl: i64) -> Self {
        Self { hit: true, ttl: Some(ttl), ..Self::default() }
    }

    /// Forwarded.
    pub(crate) fn forwarded(fwd: Fwd) -> Self {
        Self { fwd: Some(fwd), ..Self::default() }
    }

    /// The seconds of freshness left, if this is a hit and nothing else is to be said of it.
    #[must_use]
    pub fn plain_hit(&self) -> Option<i64> {
        sabotage::fields::plain_hit(self.ttl.filter(|&ttl| *self == Self::hit(ttl)))
    }
}

impl fmt::Display for CacheStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name_has_a_space = mutant::is(Mutant::CacheStatusNameHasASpace);
        f.write_str(if name_has_a_space { "edge proof" } else { "edgeproof" })?;
        let shown = sabotage::fields::cache_status(*self);
        if shown.hit {
            f.write_str("; hit")?;
        }
        if let Some(fwd) = shown.fwd {
            write!(f, "; fwd={}", fwd.token())?;
        }
        if let Some(status) = shown.fwd_status {
            write!(f, "; fwd-status={status}")?;
        }
        if let Some(ttl) = shown.ttl {
            write!(f, "; ttl={ttl}")?;
        }
        if shown.stored {
            f.write_str("; stored")?;
        }
        match shown.collapsed {
            Some(true) => f.write_str("; collapsed")?,
            Some(false) => f.write_str("; collapsed=?0")?,
            None => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_hit_says_hit_and_ttl_and_no_more() {
        let hit = CacheStatus::hit(30);
        assert_eq!(
            (hit.plain_hit(), hit.to_string().as_str()),
            (Some(30), "edgeproof; hit; ttl=30")
        );
        let more = [
            CacheStatus { stored: true, ..hit },
            CacheStatus { fwd: Some(Fwd::Stale), ..hit },
            CacheStatus { hit: false, ..hit },
        ];
        assert!(more.iter().all(|status| status.plain_hit().is_none()));
    }
}
