//! Deliberate bugs, each of which a named scenario must catch.
//!
//! Without the cargo feature `mutants` every question is answered `false` at compile time, so that
//! nothing of this is in a normal build. With it, `EDGEPROOF_MUTANT` names the one bug to have.

/// A deliberate bug of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "mutants"), allow(dead_code))]
pub(crate) enum Mutant {
    /// A double quote inside a value is written as it is.
    LogsRawQuotes,
    /// C0 controls and DEL are written as they are.
    LogsRawControls,
    /// A backslash is written as it is, so that `\x41` in a value reads as an escape.
    LogsRawBackslash,
    /// Bytes from 0x80 on are written as they are.
    LogsRawHighBytes,
    /// A missing value is written as nothing.
    MissingIsEmpty,
    /// A value that is exactly `-` looks like a missing one.
    DashNotEscaped,
    /// Dialect 2018 writes durations with six decimals.
    DurationSixDecimalsIn2018,
    /// Dates are in UTC whatever the site's time zone.
    UtcAlways,
    /// Placeholder text that a client sent is expanded.
    ExpandsPlaceholdersAgain,
}

/// Whether this process carries `mutant`.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn is(_mutant: Mutant) -> bool {
    false
}

/// Whether this process carries `mutant`.
#[cfg(feature = "mutants")]
pub(crate) fn is(mutant: Mutant) -> bool {
    use std::sync::OnceLock;
    static CHOSEN: OnceLock<Option<Mutant>> = OnceLock::new();
    *CHOSEN.get_or_init(|| std::env::var("EDGEPROOF_MUTANT").ok().and_then(|name| named(&name)))
        == Some(mutant)
}

#[cfg(feature = "mutants")]
fn named(name: &str) -> Option<Mutant> {
    Some(match name {
        "logs-raw-quotes" => Mutant::LogsRawQuotes,
        "logs-raw-controls" => Mutant::LogsRawControls,
        "logs-raw-backslash" => Mutant::LogsRawBackslash,
        "logs-raw-high-bytes" => Mutant::LogsRawHighBytes,
        "missing-is-empty" => Mutant::MissingIsEmpty,
        "dash-not-escaped" => Mutant::DashNotEscaped,
        "duration-six-decimals-in-2018" => Mutant::DurationSixDecimalsIn2018,
        "utc-always" => Mutant::UtcAlways,
        "expands-placeholders-again" => Mutant::ExpandsPlaceholdersAgain,
        // Another crate's mutant.
        _ => return None,
    })
}
