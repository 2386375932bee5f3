//! Deliberate bugs, each behind its name: the negative control of the scenarios. A build without
//! the feature `mutants` contains none of them.

/// A deliberate bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    IgnoresVary,
    ForgetsAge,
    ServesStale,
    IgnoresNoStore,
    IgnoresPrivate,
    IgnoresSMaxage,
    IgnoresAuthorization,
    IgnoresRequestNoCache,
    DoesNotInvalidate,
    KeepsOldFieldsOn304,
    WeakComparesNothing,
    HeuristicEverywhere,
    StoresHopByHop,
    NeverHits,
    IgnoresOnlyIfCached,
    PurgesNothing,
    HostingStoresSetCookie,
    TtlOverridesExplicit,
}

/// Whether this process plays `mutant`: never, without the feature.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_mutant: Mutant) -> bool {
    false
}

/// Whether this process plays `mutant`, chosen at its start by the environment variable
/// `EDGEPROOF_MUTANT`. Names that this crate does not know belong to others and are ignored.
#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<Mutant>> = std::sync::OnceLock::new();
    *CHOSEN.get_or_init(|| named(&std::env::var("EDGEPROOF_MUTANT").ok()?)) == Some(mutant)
}

#[cfg(feature = "mutants")]
fn named(name: &str) -> Option<Mutant> {
    Some(match name {
        "ignores-vary" => Mutant::IgnoresVary,
        "forgets-age" => Mutant::ForgetsAge,
        "serves-stale" => Mutant::ServesStale,
        "ignores-no-store" => Mutant::IgnoresNoStore,
        "ignores-private" => Mutant::IgnoresPrivate,
        "ignores-s-maxage" => Mutant::IgnoresSMaxage,
        "ignores-authorization" => Mutant::IgnoresAuthorization,
        "ignores-request-no-cache" => Mutant::IgnoresRequestNoCache,
        "does-not-invalidate" => Mutant::DoesNotInvalidate,
        "keeps-old-fields-on-304" => Mutant::KeepsOldFieldsOn304,
        "weak-compares-nothing" => Mutant::WeakComparesNothing,
        "heuristic-everywhere" => Mutant::HeuristicEverywhere,
        "stores-hop-by-hop" => Mutant::StoresHopByHop,
        "never-hits" => Mutant::NeverHits,
        "ignores-only-if-cached" => Mutant::IgnoresOnlyIfCached,
        "purges-nothing" => Mutant::PurgesNothing,
        "hosting-stores-set-cookie" => Mutant::HostingStoresSetCookie,
        "ttl-overrides-explicit" => Mutant::TtlOverridesExplicit,
        _ => return None,
    })
}
