//! Bugs in reading directives and other fields (RFC 9111 §5, RFC 9213, RFC 9211, RFC 5861, RFC 8246).

use std::borrow::Cow;

use bytes::BytesMut;
use edgeproof_http1::Fields;
use edgeproof_mutant::{Mutant, is};
use sfv::{BareItem, Item};

use crate::directives::{Argument, Scope, directives};
use crate::reuse::{Because, Decision};
use crate::{
    CacheStatus, DeltaSeconds, Facts, Fwd, Request, RequestDirectives, ResponseDirectives, storing,
};

/// All names that any directive of requests or responses has.
const KNOWN: [&[u8]; 16] = [
    b"max-age",
    b"s-maxage",
    b"no-cache",
    b"private",
    b"no-store",
    b"no-transform",
    b"must-revalidate",
    b"proxy-revalidate",
    b"must-understand",
    b"public",
    b"immutable",
    b"stale-while-revalidate",
    b"stale-if-error",
    b"min-fresh",
    b"max-stale",
    b"only-if-cached",
];

/// One directive with its argument, of a Cache-Control line.
pub(crate) fn directive<'a>(
    mut name: &'a [u8],
    mut argument: Argument<'a>,
) -> (&'a [u8], Argument<'a>) {
    if is(Mutant::MatchesNamePrefixes) {
        let known = KNOWN.iter().find(|known| {
            name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
        });
        name = &name[..known.map_or(name.len(), |known| known.len())];
    }
    if is(Mutant::DirectivesWithCase) && name.iter().any(u8::is_ascii_uppercase) {
        name = b"unknown";
    }
    // What stood in quotes has been copied out of them.
    if is(Mutant::QuotedNumbersAreInvalid)
        && matches!(&argument, Argument::Value(Cow::Owned(text)) if DeltaSeconds::parse(text).is_some())
    {
        argument = Argument::Malformed;
    }
    (name, argument)
}

/// The directives of a response.
pub(crate) fn response_directives(
    mut found: ResponseDirectives,
    fields: &Fields,
) -> ResponseDirectives {
    if is(Mutant::ReadsFirstCacheControlLine) && !found.targeted {
        found = ResponseDirectives::read(fields.get_all("cache-control").take(1));
    }
    if is(Mutant::IgnoresPublic) {
        found.public = false;
    }
    if is(Mutant::KeepsNoCacheFields) && found.no_cache != Scope::Response {
        found.no_cache = Scope::Absent;
    }
    if is(Mutant::QualifiedNoCacheIsPlain) && found.no_cache != Scope::Absent {
        found.no_cache = Scope::Response;
    }
    if is(Mutant::QualifiedPrivateIsPlain) && found.private != Scope::Absent {
        found.private = Scope::Response;
    }
    windows(&mut found);
    lifetimes(&mut found, fields);
    if found.targeted {
        beside_targeted(&mut found, fields);
    }
    found
}

fn windows(found: &mut ResponseDirectives) {
    let forever = |window: &mut Option<DeltaSeconds>| *window = window.map(|_| DeltaSeconds::MAX);
    if is(Mutant::IgnoresStaleWhileRevalidate) {
        found.stale_while_revalidate = None;
    }
    if is(Mutant::StaleWhileRevalidateForever) {
        forever(&mut found.stale_while_revalidate);
    }
    if is(Mutant::IgnoresStaleIfError) {
        found.stale_if_error = None;
    }
    if is(Mutant::StaleIfErrorForever) {
        forever(&mut found.stale_if_error);
    }
}

fn lifetimes(found: &mut ResponseDirectives, fields: &Fields) {
    let number = |name: &[u8]| {
        let mut all = fields.get_all("cache-control").flat_map(directives);
        all.find_map(|(other, argument)| other.eq_ignore_ascii_case(name).then_some(argument)).map(
            |argument| match argument {
                Argument::Value(text) => DeltaSeconds::parse(&text),
                Argument::Absent | Argument::Malformed => None,
            },
        )
    };
    if is(Mutant::InvalidMaxAgeIsAbsent) && number(b"max-age") == Some(None) {
        found.max_age = None;
    }
    if is(Mutant::ImmutableNeverStale) && number(b"immutable").is_some() {
        found.max_age = Some(DeltaSeconds::MAX);
    }
    if is(Mutant::ImmutableArgumentIsLifetime)
        && let Some(Some(seconds)) = number(b"immutable")
    {
        found.max_age = Some(seconds);
    }
    if is(Mutant::IgnoresTargetedMaxAge) && found.targeted {
        found.max_age = None;
    }
}

/// What Cache-Control and Expires say beside CDN-Cache-Control.
fn beside_targeted(found: &mut ResponseDirectives, fields: &Fields) {
    let others = ResponseDirectives::read(fields.get_all("cache-control"));
    if is(Mutant::CacheControlOpensAuthorization) {
        found.public |= others.public || others.must_revalidate || others.s_maxage.is_some();
    }
    if is(Mutant::CacheControlBesideTargeted) {
        found.no_store |= others.no_store;
        let wider = |own: &mut Scope, other: Scope| {
            if *own == Scope::Absent {
                *own = other;
            }
        };
        wider(&mut found.private, others.private);
        wider(&mut found.no_cache, others.no_cache);
    }
    if is(Mutant::ExpiresBesideTargeted) && fields.contains("expires") {
        found.max_age = None;
        found.targeted = false;
    }
}

/// The directives of a request.
pub(crate) fn request_directives(
    mut found: RequestDirectives,
    fields: &Fields,
) -> RequestDirectives {
    if is(Mutant::IgnoresRequestMaxAge) {
        found.max_age = None;
    }
    if is(Mutant::IgnoresMinFresh) {
        found.min_fresh = None;
    }
    if is(Mutant::IgnoresMaxStale) {
        found.max_stale = None;
    }
    if is(Mutant::MaxStaleWithoutLimit) {
        found.max_stale = found.max_stale.map(|_| DeltaSeconds::MAX);
    }
    if is(Mutant::IgnoresPragma) && !fields.contains("cache-control") {
        found.no_cache = false;
    }
    if is(Mutant::IgnoresRequestStaleIfError) {
        found.stale_if_error = None;
    }
    found
}

/// The directives of CDN-Cache-Control.
pub(crate) fn targeted(
    mut found: Option<ResponseDirectives>,
    fields: &Fields,
    read: fn(&[&[u8]]) -> Option<ResponseDirectives>,
) -> Option<ResponseDirectives> {
    let lines: Vec<&[u8]> = fields.get_all("cdn-cache-control").collect();
    let as_cache_control =
        || ResponseDirectives { targeted: true, ..ResponseDirectives::read(lines.iter().copied()) };
    if is(Mutant::IgnoresCdnCacheControl) {
        found = None;
    }
    if is(Mutant::TargetedReadAsCacheControl) {
        found = (!lines.is_empty()).then(as_cache_control);
    }
    if is(Mutant::EmptyTargetedCounts) && lines == [b""] {
        found = Some(as_cache_control());
    }
    if is(Mutant::ReadsFirstTargetedLine) {
        found = lines.first().and_then(|line| read(&[*line]));
    }
    if is(Mutant::FirstTargetedDuplicate)
        && let Some(found) = &mut found
        && lines.iter().copied().flat_map(directives).filter(|it| it.0 == b"max-age").count() > 1
    {
        found.max_age = as_cache_control().max_age;
    }
    if is(Mutant::TargetedNamesAnything) {
        let named = |name: &[u8]| name.to_ascii_lowercase().ends_with(b"-cache-control");
        let lines: Vec<_> = fields.iter().filter(|line| named(line.0)).map(|line| line.1).collect();
        found = (!lines.is_empty()).then(|| read(&lines)).flatten();
    }
    found
}

/// The value of a member of CDN-Cache-Control.
pub(crate) fn targeted_argument(
    found: Option<Argument<'static>>,
    item: &Item,
) -> Option<Argument<'static>> {
    let text = |text: String| Some(Argument::Value(Cow::Owned(text.into_bytes())));
    match &item.bare_item {
        BareItem::String(value) if is(Mutant::TargetedStringsAreNumbers) => {
            text(value.as_str().to_owned())
        }
        BareItem::Decimal(value) if is(Mutant::TargetedDecimalsAreCut) => {
            text(value.to_string().split('.').next().unwrap_or_default().to_owned())
        }
        _ if is(Mutant::TargetedParametersVoid) && !item.params.is_empty() => None,
        _ => found,
    }
}

/// The value of Age.
pub(crate) fn age(found: Option<DeltaSeconds>, fields: &Fields) -> Option<DeltaSeconds> {
    let lines: Vec<_> = fields.get_all("age").map(DeltaSeconds::parse).collect();
    match (lines.first(), lines.last()) {
        (Some(None), _) if is(Mutant::InvalidAgeIsZero) => Some(DeltaSeconds::ZERO),
        (_, Some(Some(last))) if is(Mutant::ReadsLastAge) => Some(*last),
        _ => found,
    }
}

/// Expires; one that is invalid lies in the past.
pub(crate) fn expires(found: Option<i64>) -> Option<i64> {
    found.filter(|at| *at != i64::MIN || !is(Mutant::InvalidExpiresIsAbsent))
}

/// The lifetime that the origin states.
pub(crate) fn explicit(found: Option<DeltaSeconds>, facts: &Facts) -> Option<DeltaSeconds> {
    let over = match facts.directives.s_maxage {
        Some(_) => is(Mutant::ExpiresOverSMaxage),
        None => is(Mutant::ExpiresOverMaxAge),
    };
    match facts.expires {
        Some(at) if over => Some(DeltaSeconds::saturating(at.saturating_sub(facts.date))),
        _ => found,
    }
}

/// Whether a stored response may be used for a request.
pub(crate) fn decision(found: Decision, request: &Request<'_>) -> Decision {
    if is(Mutant::OnlyIfCachedTakesAnything) && request.directives().only_if_cached {
        return Decision::Stale;
    }
    if is(Mutant::ForwardsConditions) && request.fields.contains("if-none-match") {
        return Decision::Validate(Because::Request);
    }
    found
}

/// Whether a stored response is to be validated in the background by the one who asks.
pub(crate) fn claim(found: bool) -> bool {
    (found || is(Mutant::RefreshesEveryTime)) && !is(Mutant::NeverRefreshes)
}

/// Whether a status is a failure that a stale response may cover.
pub(crate) fn is_failure(found: bool, status: u16) -> bool {
    found || (400..500).contains(&status) && is(Mutant::EveryStatusIsAnError)
}

/// The fields of a request that is about to be forwarded.
pub(crate) fn prepared(fields: &mut Fields, in_the_background: bool) {
    if is(Mutant::DropsCacheControlToOrigin) {
        fields.remove("cache-control");
    }
    if is(Mutant::RefreshesUnconditionally) && in_the_background {
        fields.remove("if-none-match");
        fields.remove("if-modified-since");
    }
}

/// The fields of a stored response after an update; `stored` are those before.
pub(crate) fn updated(mut found: Fields, stored: &Fields, facts: &Facts) -> Fields {
    if is(Mutant::KeepsFieldsNamedLater) {
        let named = |name: &[u8]| {
            facts.directives.private.names(name) || facts.directives.no_cache.names(name)
        };
        found.extend(stored.iter().filter(|(name, _)| named(name)));
    }
    found
}

/// The fields that are stored.
pub(crate) fn stored(fields: &Fields) -> Cow<'_, Fields> {
    let without = |name: &str| {
        let mut fields = fields.clone();
        fields.remove(name);
        Cow::Owned(fields)
    };
    if is(Mutant::DropsCacheControlFromStore) {
        return without("cache-control");
    }
    if is(Mutant::CacheStatusReplaces) {
        return without("cache-status");
    }
    if is(Mutant::StoresOwnCacheStatus) {
        let mut fields = fields.clone();
        fields.push("Cache-Status", "edgeproof; fwd=uri-miss; stored");
        return Cow::Owned(fields);
    }
    if is(Mutant::DropsUnknownDirectives) {
        return Cow::Owned(known_directives(fields));
    }
    Cow::Borrowed(fields)
}

fn known_directives(fields: &Fields) -> Fields {
    let is_known = |member: &&[u8]| {
        let name = member.split(|&byte| byte == b'=').next().unwrap_or_default();
        KNOWN[..13].iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    let line = |(name, value): (&[u8], &[u8])| {
        if !storing::is_one_of(name, &["cache-control"]) {
            return (name.to_vec(), value.to_vec());
        }
        let members: Vec<&[u8]> = crate::list::members(value).filter(is_known).collect();
        (name.to_vec(), members.join(&b", "[..]))
    };
    fields.iter().map(line).collect()
}

/// The content that is stored.
pub(crate) fn content(mut body: BytesMut) -> BytesMut {
    if is(Mutant::TrimsContent) {
        body.truncate(body.trim_ascii_end().len());
    }
    body
}

/// What Cache-Status shows.
pub(crate) fn cache_status(mut shown: CacheStatus) -> CacheStatus {
    if is(Mutant::HitWithFwd) && shown.hit {
        shown.fwd = Some(Fwd::UriMiss);
    }
    if is(Mutant::AlwaysUriMiss) {
        shown.fwd = shown.fwd.map(|_| Fwd::UriMiss);
    }
    if is(Mutant::NoFwdStatus) {
        shown.fwd_status = None;
    }
    if is(Mutant::NoTtl) {
        shown.ttl = None;
    }
    if is(Mutant::TtlNeverNegative) {
        shown.ttl = shown.ttl.map(|ttl| ttl.max(0));
    }
    if is(Mutant::NoCollapsed) {
        shown.collapsed = None;
    }
    if is(Mutant::AlwaysStored) {
        shown.stored = shown.fwd.is_some();
    }
    shown
}

/// The seconds of freshness that a hit says and nothing else: no hit is so plain if a bug shows in one.
pub(crate) fn plain_hit(found: Option<i64>) -> Option<i64> {
    let shows = [Mutant::CacheStatusNameHasASpace, Mutant::HitWithFwd, Mutant::NoTtl];
    found.filter(|_| !shows.into_iter().any(is))
}
