//! Deliberate bugs, for the scenarios' negative control. Without the feature `mutants` every
//! question here is a constant `false` and no bug is compiled in.

/// A bug that this crate can be told to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Fields of one connection are forwarded.
    KeepsHopByHop,
    /// Fields named in Connection are forwarded.
    KeepsConnectionNamed,
    /// No Via is added.
    NoVia,
    /// No X-Forwarded-For is added.
    NoForwardedFor,
    /// The trailers of a chunked response are lost.
    DropsTrailers,
    /// The origin's own authority is sent as Host.
    HostRewritten,
    /// The answer to HEAD has a body.
    HeadWithBody,
    /// Interim responses are lost.
    Swallows1xx,
    /// A connection to an origin is used again after its response broke off.
    PoolsBrokenConnection,
    /// A refused request has no line in the access log.
    NoLogFor400,
}

/// Whether the program runs as `mutant`, by the environment variable EDGEPROOF_MUTANT.
#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<Mutant>> =
        std::sync::LazyLock::new(|| Mutant::named(&std::env::var("EDGEPROOF_MUTANT").ok()?));
    *CHOSEN == Some(mutant)
}

/// Always false: this build has no mutants.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}

#[cfg(feature = "mutants")]
impl Mutant {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "keeps-hop-by-hop" => Self::KeepsHopByHop,
            "keeps-connection-named" => Self::KeepsConnectionNamed,
            "no-via" => Self::NoVia,
            "no-forwarded-for" => Self::NoForwardedFor,
            "drops-trailers" => Self::DropsTrailers,
            "host-rewritten" => Self::HostRewritten,
            "head-with-body" => Self::HeadWithBody,
            "swallows-1xx" => Self::Swallows1xx,
            "pools-broken-connection" => Self::PoolsBrokenConnection,
            "no-log-for-400" => Self::NoLogFor400,
            _ => return None,
        })
    }
}
