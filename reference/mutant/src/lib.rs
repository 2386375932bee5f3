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
    /// Of several Age lines the last counts.
    ReadsLastAge = "reads-last-age",
    /// An Age that is no number counts as 0.
    InvalidAgeIsZero = "invalid-age-is-zero",
    /// A forwarded request has no Cache-Control.
    DropsCacheControlToOrigin = "drops-cache-control-to-origin",
    /// A response from the store has no Cache-Control.
    DropsCacheControlFromStore = "drops-cache-control-from-store",
    /// A response is stored with the directives that the cache knows, without the others.
    DropsUnknownDirectives = "drops-unknown-directives",
    /// `max-age` in a request is not seen.
    IgnoresRequestMaxAge = "ignores-request-max-age",
    /// `min-fresh` is not seen.
    IgnoresMinFresh = "ignores-min-fresh",
    /// `max-stale` is not seen.
    IgnoresMaxStale = "ignores-max-stale",
    /// `max-stale` accepts any staleness, whatever its number.
    MaxStaleWithoutLimit = "max-stale-without-limit",
    /// Pragma in a request is not seen.
    IgnoresPragma = "ignores-pragma",
    /// `only-if-cached` is answered with whatever is stored, stale or not.
    OnlyIfCachedTakesAnything = "only-if-cached-takes-anything",
    /// Where a stored response may not be used stale, the client gets the proxy's own 502.
    Answers502For504 = "answers-502-for-504",
    /// Fields that no-cache names are stored and sent like any other.
    KeepsNoCacheFields = "keeps-no-cache-fields",
    /// `no-cache` with field names counts as no-cache without.
    QualifiedNoCacheIsPlain = "qualified-no-cache-is-plain",
    /// A stored field that a 304's private or no-cache names stays.
    KeepsFieldsNamedLater = "keeps-fields-named-later",
    /// `private` with field names counts as private without.
    QualifiedPrivateIsPlain = "qualified-private-is-plain",
    /// A 304 that says private updates the stored response, which stays.
    Private304IsKept = "private-304-is-kept",
    /// White space at the end of a text is cut off when it is stored.
    TrimsContent = "trims-content",
    /// `public` is not seen.
    IgnoresPublic = "ignores-public",
    /// A comma within a quoted string separates directives.
    QuotedCommasSeparate = "quoted-commas-separate",
    /// A directive is known by the beginning of its name.
    MatchesNamePrefixes = "matches-name-prefixes",
    /// A backslash in a quoted string is a character like any other.
    UnescapesNothing = "unescapes-nothing",
    /// Directives are known only in lower case.
    DirectivesWithCase = "directives-with-case",
    /// Only the first line of Cache-Control is read.
    ReadsFirstCacheControlLine = "reads-first-cache-control-line",
    /// An empty member ends the list.
    StopsAtEmptyMember = "stops-at-empty-member",
    /// A number of seconds in quotes is none.
    QuotedNumbersAreInvalid = "quoted-numbers-are-invalid",
    /// A max-age that is no number counts as absent.
    InvalidMaxAgeIsAbsent = "invalid-max-age-is-absent",
    /// An Expires that is no date counts as absent.
    InvalidExpiresIsAbsent = "invalid-expires-is-absent",
    /// What stands after the date in Expires is not looked at.
    LenientDates = "lenient-dates",
    /// Expires decides where max-age stands beside it.
    ExpiresOverMaxAge = "expires-over-max-age",
    /// Expires decides where s-maxage stands beside it.
    ExpiresOverSMaxage = "expires-over-s-maxage",
    /// `stale-while-revalidate` is not seen.
    IgnoresStaleWhileRevalidate = "ignores-stale-while-revalidate",
    /// Within stale-while-revalidate the stale response is served and nobody asks the origin.
    NeverRefreshes = "never-refreshes",
    /// Within stale-while-revalidate each request makes a validation of its own.
    RefreshesEveryTime = "refreshes-every-time",
    /// The validation in the background keeps the client's conditions and ranges.
    RefreshesWithClientFields = "refreshes-with-client-fields",
    /// The validation in the background is a HEAD where the client's request was one.
    RefreshesByHead = "refreshes-by-head",
    /// The validation in the background has no conditions.
    RefreshesUnconditionally = "refreshes-unconditionally",
    /// The window of stale-while-revalidate has no end.
    StaleWhileRevalidateForever = "stale-while-revalidate-forever",
    /// `stale-if-error` in a response is not seen.
    IgnoresStaleIfError = "ignores-stale-if-error",
    /// `stale-if-error` in a request is not seen.
    IgnoresRequestStaleIfError = "ignores-request-stale-if-error",
    /// The window of stale-if-error has no end.
    StaleIfErrorForever = "stale-if-error-forever",
    /// `stale-if-error` covers 4xx as well.
    EveryStatusIsAnError = "every-status-is-an-error",
    /// A response with immutable stays fresh for ever.
    ImmutableNeverStale = "immutable-never-stale",
    /// The number behind immutable takes the place of max-age.
    ImmutableArgumentIsLifetime = "immutable-argument-is-lifetime",
    /// A request with If-None-Match is forwarded although what is stored is fresh.
    ForwardsConditions = "forwards-conditions",
    /// The proxy's own errors get a member of Cache-Status.
    CacheStatusOnOwnAnswers = "cache-status-on-own-answers",
    /// This cache's member replaces those of the caches nearer to the origin.
    CacheStatusReplaces = "cache-status-replaces",
    /// This cache's member is stored with the response.
    StoresOwnCacheStatus = "stores-own-cache-status",
    /// This cache's name is written with a space and without quotes.
    CacheStatusNameHasASpace = "cache-status-name-has-a-space",
    /// A hit says fwd=uri-miss as well.
    HitWithFwd = "hit-with-fwd",
    /// Whatever the reason, fwd is uri-miss.
    AlwaysUriMiss = "always-uri-miss",
    /// `fwd-status` is not said.
    NoFwdStatus = "no-fwd-status",
    /// `ttl` is not said.
    NoTtl = "no-ttl",
    /// `ttl` of what is stale is 0.
    TtlNeverNegative = "ttl-never-negative",
    /// `collapsed` is not said.
    NoCollapsed = "no-collapsed",
    /// `stored` is said of every response that is forwarded.
    AlwaysStored = "always-stored",
    /// CDN-Cache-Control is not seen.
    IgnoresCdnCacheControl = "ignores-cdn-cache-control",
    /// `no-store`, private and no-cache of Cache-Control count beside CDN-Cache-Control.
    CacheControlBesideTargeted = "cache-control-beside-targeted",
    /// `public`, s-maxage and must-revalidate of Cache-Control allow to store what answers
    /// Authorization, beside CDN-Cache-Control too.
    CacheControlOpensAuthorization = "cache-control-opens-authorization",
    /// Expires counts beside CDN-Cache-Control where that has a lifetime too.
    ExpiresBesideTargeted = "expires-beside-targeted",
    /// CDN-Cache-Control is read by the parser of Cache-Control.
    TargetedReadAsCacheControl = "targeted-read-as-cache-control",
    /// An empty CDN-Cache-Control counts, with no directive.
    EmptyTargetedCounts = "empty-targeted-counts",
    /// Only the first line of CDN-Cache-Control is read.
    ReadsFirstTargetedLine = "reads-first-targeted-line",
    /// A String counts as an Integer if it is one inside.
    TargetedStringsAreNumbers = "targeted-strings-are-numbers",
    /// A Decimal counts as the Integer before its point.
    TargetedDecimalsAreCut = "targeted-decimals-are-cut",
    /// A member with a parameter is not read.
    TargetedParametersVoid = "targeted-parameters-void",
    /// Of a member that stands twice the first counts.
    FirstTargetedDuplicate = "first-targeted-duplicate",
    /// Every field whose name ends in -Cache-Control counts as targeted at this cache.
    TargetedNamesAnything = "targeted-names-anything",
    /// Fields whose names end in -Cache-Control are not passed on, but for CDN-Cache-Control.
    DropsForeignTargeted = "drops-foreign-targeted",
    /// `max-age` in CDN-Cache-Control is not seen.
    IgnoresTargetedMaxAge = "ignores-targeted-max-age",
    /// CDN-Cache-Control is not passed on.
    RemovesCdnCacheControl = "removes-cdn-cache-control",
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
