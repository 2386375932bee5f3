//! Deliberate bugs, for the scenarios' negative control. Without the feature `mutants` every
//! question here is a constant `false` and no bug is compiled in.

/// A bug that this crate can be told to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A request with Content-Length and Transfer-Encoding passes.
    BothLengths,
    /// A request line or field line may end in a lone LF.
    BareLf,
    /// A request may have more than one Host.
    TwoHosts,
}

/// Whether the program runs as `mutant`, by the environment variable EDGEPROOF_MUTANT.
#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<Mutant>> =
        std::sync::LazyLock::new(|| match std::env::var("EDGEPROOF_MUTANT").ok()?.as_str() {
            "accepts-both-lengths" => Some(Mutant::BothLengths),
            "accepts-bare-lf" => Some(Mutant::BareLf),
            "accepts-two-hosts" => Some(Mutant::TwoHosts),
            _ => None,
        });
    *CHOSEN == Some(mutant)
}

/// Always false: this build has no mutants.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}
