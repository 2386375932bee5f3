//! What a site wants of its cache.

use crate::DeltaSeconds;

/// A site's cache policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Everything the RFCs allow, reused as far as they allow.
    Rfc9111 {
        /// The lifetime of a storable response that has no explicit one, in place of the
        /// heuristic.
        ttl: Option<DeltaSeconds>,
    },
    /// Safer for sites that never thought of caches: see [`crate::storing::NotStored`] for what
    /// is refused beyond the RFC.
    Hosting {
        /// The lifetime of a response that has no explicit one.
        ttl: DeltaSeconds,
    },
}

impl Policy {
    /// The RFC alone.
    pub const RFC9111: Self = Self::Rfc9111 { ttl: None };

    /// The site's TTL, if one is set.
    #[must_use]
    pub const fn ttl(self) -> Option<DeltaSeconds> {
        match self {
            Self::Rfc9111 { ttl } => ttl,
            Self::Hosting { ttl } => Some(ttl),
        }
    }
}
