//! Deliberate bugs of the reference, one at a time: the scenarios' negative control.
//!
//! ```text
//! EDGEPROOF_MUTANT=ignores-vary ──▶ is(Mutant::IgnoresVary) ──▶ one `if` in the crate that has the rule
//! ```
//!
//! Without the cargo feature `mutants` every question is answered `false` at compile time, so that nothing
//! of this is in a normal build. Which scenario must catch which bug stands in the command line's
//! `tests/mutants.rs`.

#![forbid(unsafe_code)]

macro_rules! mutants {
    ($($(#[$doc:meta])* $mutant:ident = $name:literal,)*) => {
        /// A deliberate bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[$doc])* $mutant,)*
        }

        impl Mutant {
            /// Every bug with its name in `EDGEPROOF_MUTANT`.
            #[cfg(feature = "mutants")]
            pub const ALL: &[(Mutant, &str)] = &[$((Mutant::$mutant, $name),)*];
        }
    };
}

mutants! {
    // HTTP/1.1 codec
    /// A request with Content-Length and Transfer-Encoding passes.
    BothLengths = "accepts-both-lengths",
    /// A request line or field line may end in a lone LF.
    BareLf = "accepts-bare-lf",
    /// A request may have more than one Host.
    TwoHosts = "accepts-two-hosts",
    // proxy
    /// Fields of one connection are forwarded.
    KeepsHopByHop = "keeps-hop-by-hop",
    /// Fields named in Connection are forwarded.
    KeepsConnectionNamed = "keeps-connection-named",
    /// No Via is added.
    NoVia = "no-via",
    /// No X-Forwarded-For is added.
    NoForwardedFor = "no-forwarded-for",
    /// The trailers of a chunked response are lost.
    DropsTrailers = "drops-trailers",
    /// The origin's own authority is sent as Host.
    HostRewritten = "host-rewritten",
    /// The answer to HEAD has a body.
    HeadWithBody = "head-with-body",
    /// Interim responses are lost.
    Swallows1xx = "swallows-1xx",
    /// A connection to an origin is used again after its response broke off.
    PoolsBrokenConnection = "pools-broken-connection",
    /// A refused request has no line in the access log.
    NoLogFor400 = "no-log-for-400",
    // cache
    /// A stored response is used whatever the request's nominated fields say.
    IgnoresVary = "ignores-vary",
    /// A response from the store has no Age.
    ForgetsAge = "forgets-age",
    /// A stale response is used as a fresh one.
    ServesStale = "serves-stale",
    /// `no-store` is not seen.
    IgnoresNoStore = "ignores-no-store",
    /// `private` is not seen.
    IgnoresPrivate = "ignores-private",
    /// `s-maxage` is not seen.
    IgnoresSMaxage = "ignores-s-maxage",
    /// A response to a request with Authorization is stored like any other.
    IgnoresAuthorization = "ignores-authorization",
    /// `no-cache` in a request is not seen.
    IgnoresRequestNoCache = "ignores-request-no-cache",
    /// An unsafe request leaves what is stored.
    DoesNotInvalidate = "does-not-invalidate",
    /// A 304 does not update the stored fields.
    KeepsOldFieldsOn304 = "keeps-old-fields-on-304",
    /// If-None-Match never matches.
    WeakComparesNothing = "weak-compares-nothing",
    /// Every status is heuristically cacheable.
    HeuristicEverywhere = "heuristic-everywhere",
    /// Fields of one connection are stored.
    StoresHopByHop = "stores-hop-by-hop",
    /// Nothing is ever reused.
    NeverHits = "never-hits",
    /// `only-if-cached` is not seen.
    IgnoresOnlyIfCached = "ignores-only-if-cached",
    /// PURGE removes nothing.
    PurgesNothing = "purges-nothing",
    /// The policy for hosting stores responses with Set-Cookie.
    HostingStoresSetCookie = "hosting-stores-set-cookie",
    /// A site's TTL goes before an explicit lifetime.
    TtlOverridesExplicit = "ttl-overrides-explicit",
    /// Requests for the same thing at the same time all go to the origin.
    NeverCollapses = "never-collapses",
    /// Parts with the same weak entity tag are combined.
    CombinesWeakly = "combines-weakly",
    // cache: what is stored, parts, statuses
    // cache: reuse, validation, invalidation, conditions
    // cache: directives and other fields
    // access log
    /// A double quote inside a value is written as it is.
    LogsRawQuotes = "logs-raw-quotes",
    /// C0 controls and DEL are written as they are.
    LogsRawControls = "logs-raw-controls",
    /// A backslash is written as it is, so that `\x41` in a value reads as an escape.
    LogsRawBackslash = "logs-raw-backslash",
    /// Bytes from 0x80 on are written as they are.
    LogsRawHighBytes = "logs-raw-high-bytes",
    /// A missing value is written as nothing.
    MissingIsEmpty = "missing-is-empty",
    /// A value that is exactly `-` looks like a missing one.
    DashNotEscaped = "dash-not-escaped",
    /// Dialect 2018 writes durations with six decimals.
    DurationSixDecimalsIn2018 = "duration-six-decimals-in-2018",
    /// Dates are in UTC whatever the site's time zone.
    UtcAlways = "utc-always",
    /// Placeholder text that a client sent is expanded.
    ExpandsPlaceholdersAgain = "expands-placeholders-again",
}

/// Has this process the bug?
#[cfg(not(feature = "mutants"))]
#[inline(always)]
#[must_use]
pub const fn is(_: Mutant) -> bool {
    false
}

/// Has this process the bug? It is chosen once, by the environment variable `EDGEPROOF_MUTANT`.
///
/// # Panics
/// When the variable names no bug: a test that plays none would prove nothing.
#[cfg(feature = "mutants")]
#[must_use]
pub fn is(mutant: Mutant) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<Mutant>> = std::sync::OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("EDGEPROOF_MUTANT").ok()?;
        let found = Mutant::ALL.iter().find(|(_, known)| *known == name);
        Some(found.unwrap_or_else(|| panic!("EDGEPROOF_MUTANT={name} is no mutant")).0)
    }) == Some(mutant)
}
