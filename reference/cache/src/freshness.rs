//! The freshness lifetime of a response (RFC 9111 §4.2.1 and §4.2.2).

use crate::{DeltaSeconds, Facts, Policy, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// Where a lifetime comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// s-maxage, max-age or Expires: the origin's word.
    Explicit,
    /// The site's TTL.
    Site,
    /// A tenth of the time since Last-Modified.
    Heuristic,
    /// Nothing says anything: the lifetime is 0.
    Nothing,
}

/// How long a response is fresh, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// `freshness_lifetime`
    pub seconds: DeltaSeconds,
    /// Who says so.
    pub source: Source,
}

/// The status codes that are heuristically cacheable (RFC 9110 §15.1).
const HEURISTIC: [u16; 12] = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

/// Whether a response without explicit lifetime may be given one (RFC 9111 §4.2.2): its status
/// says so, or `public` does.
#[must_use]
pub fn is_heuristically_cacheable(facts: &Facts) -> bool {
    HEURISTIC.contains(&facts.status)
        || facts.directives.public
        || mutant::is(Mutant::HeuristicEverywhere)
}

/// The lifetime that the origin states, for a shared cache (RFC 9111 §4.2.1).
#[must_use]
pub fn explicit(facts: &Facts) -> Option<DeltaSeconds> {
    let s_maxage = facts.directives.s_maxage.filter(|_| !mutant::is(Mutant::IgnoresSMaxage));
    let expires =
        || facts.expires.map(|at| DeltaSeconds::saturating(at.saturating_sub(facts.date)));
    let found = s_maxage.or(facts.directives.max_age).or_else(expires);
    sabotage::fields::explicit(found, facts)
}

/// The lifetime under a site's policy.
#[must_use]
pub fn lifetime(facts: &Facts, policy: Policy) -> Lifetime {
    if mutant::is(Mutant::TtlOverridesExplicit)
        && let Some(seconds) = policy.ttl()
    {
        return Lifetime { seconds, source: Source::Site };
    }
    if let Some(seconds) = explicit(facts) {
        return Lifetime { seconds, source: Source::Explicit };
    }
    if is_heuristically_cacheable(facts) {
        if let Some(seconds) = policy.ttl() {
            return Lifetime { seconds, source: Source::Site };
        }
        if let Some(modified) = facts.last_modified {
            let since = facts.date.saturating_sub(modified).max(0);
            let seconds = DeltaSeconds::saturating(since / 10);
            return Lifetime { seconds, source: Source::Heuristic };
        }
    }
    Lifetime { seconds: DeltaSeconds::ZERO, source: Source::Nothing }
}
