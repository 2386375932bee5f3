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
    /// Every Upgrade is passed on.
    TunnelsAnything = "tunnels-anything",
    /// No Via is added.
    NoVia = "no-via",
    /// No X-Forwarded-For is added.
    NoForwardedFor = "no-forwarded-for",
    /// Fields that pass for the proxy's own are forwarded: with underscores, and as trailers.
    KeepsLookalikes = "keeps-lookalikes",
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
    /// What came for a target that is spelled in another way than its key is stored like any other.
    StoresRespelled = "stores-respelled",
    /// A response that comes late replaces a more recent one.
    TakesLateResponses = "takes-late-responses",
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
    /// A number of seconds keeps only its lowest 32 bits.
    LifetimesWrap = "lifetimes-wrap",
    /// The response to an OPTIONS is stored like that to a GET.
    StoresOptions = "stores-options",
    /// The response to a HEAD is stored like that to a GET.
    StoresHead = "stores-head",
    /// The header fields of 1xx responses are added to those of the final one.
    Merges1xxFields = "merges-1xx-fields",
    /// A stored 206 answers requests without Range, as a 200.
    TakesPartForWhole = "takes-part-for-whole",
    /// A 304 to a condition of the client is stored like any final response.
    Stores304 = "stores-304",
    /// `must-understand` is not seen.
    IgnoresMustUnderstand = "ignores-must-understand",
    /// `must-understand` lifts no-store and does not ask whether the status is known.
    MustUnderstandBeatsNoStore = "must-understand-beats-no-store",
    /// `private` with field names takes no field out of what is stored.
    ForgetsPrivateNames = "forgets-private-names",
    /// A field whose name begins with x- is not stored.
    DropsUnknownFields = "drops-unknown-fields",
    /// Of a field with several lines only the first is stored.
    StoresFirstLineOnly = "stores-first-line-only",
    /// Set-Cookie is taken out before storing.
    StripsSetCookie = "strips-set-cookie",
    /// Trailer fields are stored among the header fields.
    MergesTrailers = "merges-trailers",
    /// An update adds the new lines of a field and leaves the old.
    AddsBesideOldLines = "adds-beside-old-lines",
    /// An update also takes what the Connection of the 304 names.
    TakesConnectionFieldsFrom304 = "takes-connection-fields-from-304",
    /// An update cuts the content to the Content-Length of the newer response.
    TakesLengthFrom304 = "takes-length-from-304",
    /// An update leaves out all fields whose name begins with Content-.
    OmitsContentFields = "omits-content-fields",
    /// Nothing of a response that broke off is stored.
    KeepsNoBrokenOff = "keeps-no-broken-off",
    /// No 206 is stored.
    KeepsNoParts = "keeps-no-parts",
    /// The unit in the Content-Range of a 206 is not looked at.
    IgnoresUnitOfParts = "ignores-unit-of-parts",
    /// An incomplete response is fetched anew as a whole.
    NeverCompletes = "never-completes",
    /// A response that broke off is stored as if it were complete.
    StoresWhatBrokeOff = "stores-what-broke-off",
    /// A range is cut to what the stored part holds of it, instead of going to the origin.
    AnswersBeyondParts = "answers-beyond-parts",
    /// A part from the store is sent with status 200.
    SendsPartsAs200 = "sends-parts-as-200",
    /// Parts are never put together.
    NeverCombines = "never-combines",
    /// Parts are put together if all have an entity tag, whichever.
    CombinesAnyTags = "combines-any-tags",
    /// Parts that have no validator at all are put together.
    CombinesWithoutValidator = "combines-without-validator",
    /// Parts are put together by equal Last-Modified, even of the same second as Date.
    CombinesByWeakDates = "combines-by-weak-dates",
    /// Parts are put together though octets between them are missing.
    ClosesGaps = "closes-gaps",
    /// What is put together keeps the fields of the older part.
    CombinedKeepsOldFields = "combined-keeps-old-fields",
    /// Only Authorization with the scheme Basic counts.
    AuthorizationOfBasicOnly = "authorization-of-basic-only",
    /// `proxy-revalidate` allows storing the response to a request with Authorization.
    ProxyRevalidateOpens = "proxy-revalidate-opens",
    /// The word public anywhere in Cache-Control counts as the directive.
    OpensByQuotedPublic = "opens-by-quoted-public",
    /// Range is ignored.
    IgnoresRanges = "ignores-ranges",
    /// Positions in Range wrap at 64 bits.
    RangeNumbersWrap = "range-numbers-wrap",
    /// Range on HEAD is honoured.
    RangeOfHead = "range-of-head",
    /// The unit in Range is not looked at.
    TakesAnyUnitForBytes = "takes-any-unit-for-bytes",
    /// A request with a Range in an unknown unit is answered with 504 without asking the origin.
    RefusesUnknownUnits = "refuses-unknown-units",
    /// Neither the number of ranges nor their overlap is limited.
    AnswersAnyNumberOfRanges = "answers-any-number-of-ranges",
    /// A malformed range is left out of the list, and the others are answered.
    SkipsMalformedRanges = "skips-malformed-ranges",
    /// A range of a stored response without content is a 206.
    PartOfNothing = "part-of-nothing",
    /// The last position of a range is taken for the first one behind it.
    RangeEndsEarly = "range-ends-early",
    /// A suffix range gives the first octets.
    SuffixFromTheStart = "suffix-from-the-start",
    /// A suffix longer than the whole is a 416.
    LongSuffixIsUnsatisfiable = "long-suffix-is-unsatisfiable",
    /// A range that ends beyond the end is a 416.
    EndBeyondIsUnsatisfiable = "end-beyond-is-unsatisfiable",
    /// The unit in Range is compared with case.
    RangeUnitCaseSensitive = "range-unit-case-sensitive",
    /// Ranges are cut out of stored responses of every status.
    RangeOfAnyStatus = "range-of-any-status",
    /// Range is evaluated before If-None-Match and If-Modified-Since.
    RangeBeforeCondition = "range-before-condition",
    /// If-Range is not looked at.
    IgnoresIfRange = "ignores-if-range",
    /// Ranges that overlap are answered with the whole.
    OverlapIsWhole = "overlap-is-whole",
    /// A Range that cannot be satisfied gets the whole with 200.
    UnsatisfiableIsWhole = "unsatisfiable-is-whole",
    /// A 206 of the origin in an unknown unit is answered with 502.
    RefusesStrangeParts = "refuses-strange-parts",
    /// Content-Range of a request is read as a Range.
    TakesContentRangeForRange = "takes-content-range-for-range",
    /// Content-Range of a part has * in place of the length.
    HidesCompleteLength = "hides-complete-length",
    /// Content-Range of a 206 is not checked against its own length nor the content.
    TrustsContentRange = "trusts-content-range",
    /// A 416 has no Content-Range.
    RefusalWithoutLength = "416-without-length",
    /// Only registered 2xx and 3xx invalidate what is stored.
    UnknownSuccessIsNone = "unknown-success-is-none",
    /// 1xx responses are also sent to HTTP/1.0 clients.
    Sends1xxTo10 = "sends-1xx-to-1-0",
    /// A second 1xx before a response is one too many.
    One1xxOnly = "one-1xx-only",
    /// A 206 is filed under the range of the request, not its Content-Range.
    FilesPartsAsAsked = "files-parts-as-asked",
    /// A 206 without Content-Range is stored like a 200.
    TakesMultipartForWhole = "takes-multipart-for-whole",
    /// A part from the store has only Date, Content-Type and Content-Range.
    PartsDropFields = "parts-drop-fields",
    /// A part that answers If-Range has all fields.
    RepeatsFieldsToIfRange = "repeats-fields-to-if-range",
    /// A part from the store lacks Content-Language and Last-Modified.
    PartsDropRepresentationFields = "parts-drop-representation-fields",
    /// A single part has no Content-Range.
    PartWithoutPlace = "part-without-place",
    /// Several parts come with the stored Content-Type.
    MultipartKeepsType = "multipart-keeps-type",
    /// The boundary in Content-Type is not the one in the content.
    MultipartStrangeBoundary = "multipart-strange-boundary",
    /// The header of several parts has the Content-Range of the first.
    MultipartWithPlaceInHeader = "multipart-with-place-in-header",
    /// The parts have no Content-Range.
    MultipartWithoutPlaces = "multipart-without-places",
    /// The parts have no Content-Type.
    MultipartWithoutTypes = "multipart-without-types",
    /// A single range is answered as multipart with one part.
    MultipartForOne = "multipart-for-one",
    /// The parts are sorted by position.
    MultipartSorted = "multipart-sorted",
    /// Parts that make up the whole are not made a 200.
    WholeUnionStays206 = "whole-union-stays-206",
    /// A 304 from the store lacks Expires.
    NotModifiedDropsExpires = "304-drops-expires",
    /// A 304 from the store lacks Vary.
    NotModifiedDropsVary = "304-drops-vary",
    /// A 304 from the store has all stored fields.
    DescribesContentIn304 = "describes-content-in-304",
    /// The client's conditions are not forwarded on a miss.
    DropsClientConditions = "drops-client-conditions",
    /// A 416 from the store has no content.
    RefusalWithoutText = "416-without-text",
    /// The proxy's own errors have no content.
    ErrorsWithoutWords = "errors-without-words",
    // cache: reuse, validation, invalidation, conditions
    /// The key ends before the query.
    IgnoresQueryInKey = "ignores-query-in-key",
    /// Every percent-encoding is decoded in the key.
    DecodesReservedInKey = "decodes-reserved-in-key",
    /// The key has no scheme.
    KeyWithoutScheme = "key-without-scheme",
    /// The key has no port.
    KeyWithoutPort = "key-without-port",
    /// The store answers whatever the method.
    AnswersAnyMethod = "answers-any-method",
    /// `no-cache` in a response is not seen.
    IgnoresNoCache = "ignores-no-cache",
    /// A response as old as its lifetime is fresh.
    FreshAtItsLifetime = "fresh-at-its-lifetime",
    /// The Age that a response brought along is stored, and sent beside the new one.
    KeepsOldAge = "keeps-old-age",
    /// Of several that fit, the one that arrived first is used.
    PrefersFirstStored = "prefers-first-stored",
    /// Of several that fit, the one that arrived last is used, whatever their Dates.
    PrefersLastStored = "prefers-last-stored",
    /// Only the first line of Vary is read.
    ReadsFirstVaryLine = "reads-first-vary-line",
    /// Only the last line of Vary is read.
    ReadsLastVaryLine = "reads-last-vary-line",
    /// `*` is known only where it is the whole first line of Vary.
    StarOnlyAlone = "star-only-alone",
    /// A nominated field that is absent matches an empty one.
    AbsentIsEmpty = "absent-is-empty",
    /// Nominated values are compared without regard to case.
    VaryWithoutCase = "vary-without-case",
    /// The members of nominated lists are compared without regard to order.
    VaryWithoutOrder = "vary-without-order",
    /// Weights in nominated values are dropped before comparing.
    VaryWithoutWeights = "vary-without-weights",
    /// Nominated values are compared as one text, put one after another.
    JoinsSelectingValues = "joins-selecting-values",
    /// A response without Vary is preferred by its Date like any other.
    DefaultGoesFirst = "default-goes-first",
    /// A response without Vary fits every request that no variant fits.
    DefaultFitsAll = "default-fits-all",
    /// Dates are read only in the case in which they are specified.
    DatesWithCase = "dates-with-case",
    /// Expires is taken for a second later than it says.
    ExpiresASecondLate = "expires-a-second-late",
    /// Expires is taken for a local time, five and a half hours ahead of GMT.
    ExpiresInLocalZone = "expires-in-local-zone",
    /// The zone of a date is not looked at.
    AcceptsAnyZone = "accepts-any-zone",
    /// Nothing gets a heuristic lifetime.
    NeverHeuristic = "never-heuristic",
    /// The heuristic lifetime counts where it is longer than the explicit one.
    HeuristicOverExplicit = "heuristic-over-explicit",
    /// The time between request and response is not added to Age.
    IgnoresDelay = "ignores-delay",
    /// `must-revalidate` is not seen.
    IgnoresMustRevalidate = "ignores-must-revalidate",
    /// `s-maxage` does not forbid to serve stale.
    IgnoresSMaxageStaleness = "ignores-s-maxage-staleness",
    /// `proxy-revalidate` is not seen.
    IgnoresProxyRevalidate = "ignores-proxy-revalidate",
    /// `no-cache` is not looked at when the origin cannot be asked.
    NoCacheGivesWayToErrors = "no-cache-gives-way-to-errors",
    /// A 5xx to a validation is always replaced by what is stored.
    CoversEveryFailure = "covers-every-failure",
    /// A 5xx to a validation makes what is stored fresh, as if it were a 304.
    FailureMakesFresh = "failure-makes-fresh",
    /// Only the first line of If-None-Match is read.
    ReadsFirstTagLine = "reads-first-tag-line",
    /// If-Modified-Since is not evaluated on what is stored.
    IgnoresIfModifiedSince = "ignores-if-modified-since",
    /// An If-Match is evaluated on what is stored.
    EvaluatesIfMatch = "evaluates-if-match",
    /// An If-Unmodified-Since is evaluated on what is stored.
    EvaluatesIfUnmodifiedSince = "evaluates-if-unmodified-since",
    /// Conditions of any method are evaluated on what is stored.
    ConditionsOfAnyMethod = "conditions-of-any-method",
    /// If-None-Match is evaluated on the response that just came for a miss.
    ConditionsOnAMiss = "conditions-on-a-miss",
    /// A 304 to the cache's own conditions goes to the client as it is.
    Passes304On = "passes-304-on",
    /// If-Modified-Since is not evaluated where no Last-Modified is stored.
    SinceNeedsLastModified = "since-needs-last-modified",
    /// Whatever a validation brings, the client gets what was stored.
    KeepsStoredOnFullAnswer = "keeps-stored-on-full-answer",
    /// A full answer to a validation is not stored.
    ForgetsFullAnswer = "forgets-full-answer",
    /// A 304 updates the response that was asked about, whatever tag it has.
    UpdatesByAny304 = "updates-by-any-304",
    /// A 304 updates every stored response of the URI.
    FreshensEveryVariant = "freshens-every-variant",
    /// A 304 updates only what its request could have selected.
    UpdatesSelectedOnly = "updates-selected-only",
    /// A 304 updates no Cache-Control.
    KeepsOldLifetimeOn304 = "keeps-old-lifetime-on-304",
    /// A HEAD that agrees with what is stored changes nothing.
    HeadNeverUpdates = "head-never-updates",
    /// A HEAD that differs from what is stored changes nothing.
    HeadNeverOutdates = "head-never-outdates",
    /// Last-Modified of a HEAD is not compared.
    HeadWithoutLastModified = "head-without-last-modified",
    /// Content-Length of a HEAD is not compared.
    HeadWithoutLength = "head-without-length",
    /// A HEAD makes what is stored young, but leaves its fields.
    HeadUpdatesAgeOnly = "head-updates-age-only",
    /// Only POST, PUT, DELETE and PATCH invalidate.
    InvalidatesByKnownMethods = "invalidates-by-known-methods",
    /// Only a 200 to an unsafe request invalidates.
    InvalidatesBy200Only = "invalidates-by-200-only",
    /// An unsafe request invalidates only the variant that it would select.
    InvalidatesOneVariant = "invalidates-one-variant",
    /// Location names nothing to invalidate.
    IgnoresLocation = "ignores-location",
    /// Content-Location names nothing to invalidate.
    IgnoresContentLocation = "ignores-content-location",
    /// The path of Location counts for the own origin, whatever host it names.
    InvalidatesOtherOrigins = "invalidates-other-origins",
    /// Two origins are compared by their hosts' names alone.
    OriginIsTheHost = "origin-is-the-host",
    /// If-None-Match compares strongly.
    ComparesTagsStrongly = "compares-tags-strongly",
    /// The cache never asks by If-None-Match.
    ValidatesByDateOnly = "validates-by-date-only",
    /// If-Modified-Since makes a 304 also beside an If-None-Match that matches nothing.
    EitherConditionWillDo = "either-condition-will-do",
    /// If-Modified-Since makes a 200 also beside an If-None-Match that matches.
    WantsBothConditions = "wants-both-conditions",
    /// An If-Modified-Since that is no date is taken for now.
    BadSinceIsNow = "bad-since-is-now",
    /// Of several If-Modified-Since lines the first counts.
    ReadsFirstSinceLine = "reads-first-since-line",
    /// Without Last-Modified the last change is before every If-Modified-Since.
    UnknownChangeIsOld = "unknown-change-is-old",
    /// A Last-Modified in the future is taken for now.
    CapsLastModifiedAtNow = "caps-last-modified-at-now",
    /// An If-Range that holds is answered by 304 where there is no Range.
    IfRangeWithoutRange = "if-range-without-range",
    /// If-Range compares tags weakly.
    IfRangeComparesWeakly = "if-range-compares-weakly",
    /// A date in If-Range holds unless it is before Last-Modified.
    IfRangeTakesLaterDates = "if-range-takes-later-dates",
    /// A date in If-Range holds also where Last-Modified is of the second of Date.
    IfRangeTakesWeakDates = "if-range-takes-weak-dates",
    /// If-Range never holds.
    IfRangeNeverHolds = "if-range-never-holds",
    /// Conditions are evaluated on a stored response of any status.
    ConditionsOnAnyStatus = "conditions-on-any-status",
    /// A site without a cache evaluates If-None-Match on the origin's answer.
    ConditionsWithoutACache = "conditions-without-a-cache",
    /// A site without a cache forwards no conditions.
    DropsConditions = "drops-conditions",
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
    /// What stands after a date is not looked at.
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
    /// The json preset writes bytes that are no UTF-8 as they are.
    JsonPassesBytes = "json-passes-bytes",
    /// Of several lines of one field only the first is logged.
    LogsFirstFieldLine = "logs-first-field-line",
    /// A date that was rendered once stands in all lines of its minute.
    KeepsDateForAMinute = "keeps-date-for-a-minute",
    /// The date of the request is that of its end.
    RequestTimeIsCompletion = "request-time-is-completion",
    /// The path is logged without its query.
    LogsPathWithoutQuery = "logs-path-without-query",
    /// The target is logged with its percent-encoding undone.
    LogsDecodedTarget = "logs-decoded-target",
    /// The size counts the framing of chunks.
    SizeCountsFraming = "size-counts-framing",
    /// Everybody's X-Forwarded-For is believed by the log.
    TrustsEveryForwardedFor = "trusts-every-forwarded-for",
    /// The first address of X-Forwarded-For is the client's.
    TakesFirstForwardedFor = "takes-first-forwarded-for",
    /// An answer from the cache has no line.
    NoLogForHits = "no-log-for-hits",
    /// A request that the firewall denies has no line.
    NoLogForBlocked = "no-log-for-blocked",
    /// The octets of an upgraded connection are not counted.
    NoOctetsOfUpgrades = "no-octets-of-upgrades",
    /// Every thousandth line is lost.
    LosesALineInAThousand = "loses-a-line-in-a-thousand",
    /// Every thousandth line is written twice.
    DoublesALineInAThousand = "doubles-a-line-in-a-thousand",
    /// Every thousandth line lacks its end.
    JoinsALineInAThousand = "joins-a-line-in-a-thousand",
    /// The log is never opened again.
    NeverReopensLogs = "never-reopens-logs",
    /// A log that was moved is opened again only when that is asked for.
    IgnoresMovedLogs = "ignores-moved-logs",
    /// What waits when the log is opened again is lost.
    LosesLinesAtReopening = "loses-lines-at-reopening",
    /// What cannot be written is forgotten.
    ForgetsUnwrittenLines = "forgets-unwritten-lines",
    /// Where the disk is full a request waits for it.
    WaitsForTheDisk = "waits-for-the-disk",
    /// A log that cannot be opened again takes no line.
    LosesLinesWithoutItsPlace = "loses-lines-without-its-place",
    // upstream processes
    /// Standard error is logged like standard output.
    UpstreamStderrUnmarked = "upstream-stderr-unmarked",
    /// What a process writes is logged as it is.
    UpstreamLogRaw = "upstream-log-raw",
    /// The beginning of a line waits for its end for ever.
    UpstreamKeepsPartialLines = "upstream-keeps-partial-lines",
    /// A process is never stopped for being idle.
    UpstreamNeverIdle = "upstream-never-idle",
    /// A request does not begin the idle time anew.
    UpstreamIdleWhileUsed = "upstream-idle-while-used",
    /// Requests that come during a start are refused.
    UpstreamRefusesWhileStarting = "upstream-refuses-while-starting",
    /// A process counts as ready before it listens.
    UpstreamReadyAtOnce = "upstream-ready-at-once",
    /// A process that failed is started again at once.
    UpstreamNoBackOff = "upstream-no-back-off",
    /// Each wait after a failure is as long as the first.
    UpstreamBackOffStays = "upstream-back-off-stays",
    /// A crash has no line in the log.
    UpstreamCrashUntold = "upstream-crash-untold",
    /// Who ignores SIGTERM lives on.
    UpstreamNeverKills = "upstream-never-kills",
    /// Only the process itself is stopped.
    UpstreamForgetsDescendants = "upstream-forgets-descendants",
    /// A process has the proxy's whole environment.
    UpstreamInheritsEnvironment = "upstream-inherits-environment",
    /// A process has no limits.
    UpstreamUnlimited = "upstream-unlimited",
    /// A process stays in the session of its keeper.
    UpstreamSharesSession = "upstream-shares-session",

    // firewall
    /// The engine panics on every request that has a body.
    EnginePanics = "engine-panics",
    /// What the quarantine keeps can be read by everybody.
    HeldForAll = "held-for-all",
    /// The quarantine keeps requests without their bodies.
    HeldWithoutBody = "held-without-body",
    /// The quarantine keeps the first request only.
    HoldsOnlyOne = "holds-only-one",
    /// Every transaction is in the audit log.
    AuditsAll = "audits-all",
    /// The audit log does not say which rules matched.
    AuditWithoutRules = "audit-without-rules",
    /// A line feed of the client stands in the audit log as it is.
    AuditRaw = "audit-raw",
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
