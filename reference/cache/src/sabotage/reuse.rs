//! Bugs in reuse, validation and invalidation (RFC 9111 §4).

use std::borrow::Cow;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use edgeproof_http1::Fields;
use edgeproof_mutant::{Mutant, is};

use crate::directives::Scope;
use crate::freshness::{Lifetime, Source};
use crate::key::{self, KeyBuf};
use crate::reuse::{Because, Decision};
use crate::store::{Held, Store};
use crate::vary::Selecting;
use crate::{
    DeltaSeconds, Facts, Forward, Fwd, Moment, Request, Response, ResponseDirectives, Stored,
    Times, age, date, invalidation, list, validation,
};

/// The key of a URI.
pub(crate) fn key(key: &mut KeyBuf) {
    if is(Mutant::IgnoresQueryInKey) {
        let query = key.iter().position(|&byte| byte == b'?');
        key.truncate(query.unwrap_or(key.len()));
    }
    if is(Mutant::DecodesReservedInKey) {
        let mut decoded = KeyBuf::new();
        let mut rest = &key[..];
        while let Some(&first) = rest.first() {
            let byte = key::encoded(rest);
            decoded.push(byte.unwrap_or(first));
            rest = &rest[if byte.is_some() { 3 } else { 1 }..];
        }
        *key = decoded;
    }
    // scheme://host:port/
    let host = |key: &KeyBuf| key.iter().position(|&byte| byte == b'/').map_or(0, |at| at + 2);
    if is(Mutant::KeyWithoutPort) {
        let start = host(key);
        let end = key[start..].iter().position(|&byte| byte == b'/').map_or(start, |at| start + at);
        if let Some(colon) = key[start..end].iter().rposition(|&byte| byte == b':') {
            key.drain(start + colon..end);
        }
    }
    if is(Mutant::KeyWithoutScheme) {
        key.drain(..host(key));
    }
}

/// What a request selects (§4, §4.1).
pub(crate) fn selected(
    found: Result<Arc<Stored>, Fwd>,
    request: &Request<'_>,
    held: &Held,
) -> Result<Arc<Stored>, Fwd> {
    let fitting =
        || held.variants.iter().filter(|stored| stored.selecting().matches(request.fields));
    let latest = || fitting().max_by_key(|stored| stored.recency());
    // New ones are put behind the others.
    let other = if is(Mutant::PrefersFirstStored) {
        fitting().next()
    } else if is(Mutant::PrefersLastStored) {
        fitting().last()
    } else if is(Mutant::DefaultGoesFirst) || is(Mutant::DefaultFitsAll) && found.is_err() {
        latest()
    } else {
        None
    };
    other.cloned().map_or(found, Ok)
}

/// Whether a response without Vary is for all.
pub(crate) fn fits_all() -> bool {
    is(Mutant::DefaultGoesFirst) || is(Mutant::DefaultFitsAll)
}

/// Whether Vary says that nobody knows by what a response varies.
pub(crate) fn varies_by_anything(found: bool, response: &Fields) -> bool {
    if is(Mutant::StarOnlyAlone) { response.get("vary") == Some(b"*") } else { found }
}

/// The names in Vary.
pub(crate) fn nominated(names: &mut Vec<Vec<u8>>, response: &Fields) {
    let mut lines = response.get_all("vary");
    let line = if is(Mutant::ReadsFirstVaryLine) {
        lines.next()
    } else if is(Mutant::ReadsLastVaryLine) {
        lines.last()
    } else {
        return;
    };
    let read = line.into_iter().flat_map(list::members).map(<[u8]>::to_ascii_lowercase);
    *names = read.collect();
}

/// Whether the nominated fields match.
pub(crate) fn matches(found: bool, selecting: &Selecting, request: &Fields) -> bool {
    type Value = Option<Vec<u8>>;
    let compare = |same: fn(&[(Value, Value)]) -> bool| {
        let ours = selecting.entries().map(|(_, value)| value.map(|(_, normal)| normal.to_vec()));
        same(&ours.zip(selecting.in_request(request)).collect::<Vec<_>>())
    };
    if is(Mutant::AbsentIsEmpty) {
        return compare(|pairs| {
            pairs.iter().all(|(a, b)| a.as_deref().unwrap_or(b"") == b.as_deref().unwrap_or(b""))
        });
    }
    if is(Mutant::VaryWithoutCase) {
        return compare(|pairs| {
            let lower = |value: &Value| value.as_ref().map(|text| text.to_ascii_lowercase());
            pairs.iter().all(|(a, b)| lower(a) == lower(b))
        });
    }
    if is(Mutant::VaryWithoutOrder) || is(Mutant::VaryWithoutWeights) {
        return compare(|pairs| pairs.iter().all(|(a, b)| unordered(a) == unordered(b)));
    }
    if is(Mutant::JoinsSelectingValues) {
        return compare(|pairs| {
            let (ours, theirs): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
            let join = |values: Vec<Value>| values.into_iter().flatten().flatten();
            join(ours).eq(join(theirs))
        });
    }
    found
}

fn unordered(value: &Option<Vec<u8>>) -> Option<Vec<&[u8]>> {
    let mut members: Vec<_> = list::members(value.as_deref()?).collect();
    if is(Mutant::VaryWithoutWeights) {
        for member in &mut members {
            *member = member.split(|&byte| byte == b';').next().unwrap_or_default();
        }
    }
    members.sort_unstable();
    Some(members)
}

/// A date that was read (§4.2).
pub(crate) fn date(found: Option<i64>, text: &[u8], now: Moment) -> Option<i64> {
    if is(Mutant::DatesWithCase) && !text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    if is(Mutant::LenientDates) && text.len() > 29 {
        return found.or_else(|| date::parse(&text[..29], now));
    }
    if is(Mutant::AcceptsAnyZone) && found.is_none() && text.len() > 3 && !text.ends_with(b"GMT") {
        return date::parse(&[&text[..text.len() - 3], b"GMT"].concat(), now);
    }
    found
}

/// What a response says of itself.
pub(crate) fn facts(mut facts: Facts, response: Response<'_>, times: Times) -> Facts {
    let now = times.response;
    if is(Mutant::ExpiresASecondLate) {
        facts.expires = facts.expires.map(|at| at.saturating_add(1));
    }
    if is(Mutant::ExpiresInLocalZone) {
        facts.expires = facts.expires.map(|at| at.saturating_sub(5 * 3600 + 1800));
    }
    if is(Mutant::CapsLastModifiedAtNow) {
        facts.last_modified = facts.last_modified.map(|at| at.min(now.second()));
    }
    if is(Mutant::IgnoresDelay) {
        let age = age::value(response.fields).unwrap_or_default();
        facts.initial_age = age::initial_millis(age, facts.date, now, now);
    }
    if is(Mutant::IgnoresNoCache) {
        facts.directives.no_cache = Scope::Absent;
    }
    facts
}

/// The lifetime that is stored (§4.2.1, §4.2.2).
pub(crate) fn lifetime(found: Lifetime, facts: &Facts) -> Lifetime {
    if is(Mutant::NeverHeuristic) && found.source == Source::Heuristic {
        return Lifetime { seconds: DeltaSeconds::ZERO, source: Source::Nothing };
    }
    if is(Mutant::HeuristicOverExplicit)
        && let Some(modified) = facts.last_modified
    {
        let seconds = DeltaSeconds::saturating((facts.date - modified) / 10);
        return Lifetime { seconds: seconds.max(found.seconds), ..found };
    }
    found
}

/// Whether a response may never be used stale (§4.2.4).
pub(crate) fn never_stale(found: bool, directives: &ResponseDirectives) -> bool {
    let must = directives.must_revalidate && !is(Mutant::IgnoresMustRevalidate);
    let proxies = directives.proxy_revalidate && !is(Mutant::IgnoresProxyRevalidate);
    let shared = directives.s_maxage.is_some() && !is(Mutant::IgnoresSMaxageStaleness);
    found && (must || proxies || shared)
}

/// The fields that are stored.
pub(crate) fn stored_fields(mut found: Fields, response: Response<'_>) -> Fields {
    if is(Mutant::KeepsOldAge) {
        found.extend(response.fields.get_all("age").map(|age| ("Age", age)));
    }
    found
}

/// What may be done with a stored response.
pub(crate) fn decision(found: Decision, stored: &Stored, now: Moment) -> Decision {
    let at_edge = || stored.age(now) == stored.lifetime().seconds && !stored.is_always_validated();
    let stale = found == Decision::Validate(Because::Stale);
    if is(Mutant::FreshAtItsLifetime) && stale && at_edge() { Decision::Fresh } else { found }
}

/// Whether a stored response may answer in place of an error.
pub(crate) fn replaces_error(found: bool, stored: &Stored, disconnected: bool) -> bool {
    let every = is(Mutant::CoversEveryFailure) || is(Mutant::KeepsStoredOnFullAnswer);
    let no_cache = stored.is_always_validated() && !stored.is_never_stale();
    found || every && !disconnected || is(Mutant::NoCacheGivesWayToErrors) && no_cache
}

/// The origin's answer as the cache takes it (§4.3.3).
pub(crate) fn answer<'a>(response: Response<'a>, forward: &Forward) -> Response<'a> {
    if is(Mutant::FailureMakesFresh) && forward.conditional && response.status >= 500 {
        return Response { status: 304, ..response };
    }
    if is(Mutant::KeepsStoredOnFullAnswer) && forward.conditional && response.status != 304 {
        return Response { status: 503, ..response };
    }
    response
}

/// The stored responses that a 304 may be about (§4.3.4).
pub(crate) fn candidates(
    mut found: Vec<Arc<Stored>>,
    held: &Held,
    request: &Request<'_>,
) -> Vec<Arc<Stored>> {
    if is(Mutant::UpdatesSelectedOnly) {
        found.retain(|stored| stored.selecting().matches(request.fields));
    }
    if is(Mutant::FreshensEveryVariant) {
        let asked = found.swap_remove(0);
        found = held.variants.iter().filter(|old| !Arc::ptr_eq(old, &asked)).cloned().collect();
        found.insert(0, asked);
    }
    found
}

/// Those of so many that a 304 is about; the first is the one that was asked about.
pub(crate) fn identified(found: Vec<usize>, candidates: usize) -> Vec<usize> {
    if is(Mutant::UpdatesByAny304) {
        return vec![0];
    }
    if is(Mutant::FreshensEveryVariant) { (0..candidates).collect() } else { found }
}

/// The fields of a stored response that was updated (§3.2).
pub(crate) fn updated_fields(mut found: Fields, stored: &Fields) -> Fields {
    if is(Mutant::KeepsOldLifetimeOn304) {
        found.remove("cache-control");
        found.extend(stored.get_all("cache-control").map(|line| ("Cache-Control", line)));
    }
    found
}

/// Whether a HEAD is about what is stored (§4.3.5).
pub(crate) fn head_agrees(found: bool, stored: &Stored, head: &Fields) -> bool {
    let forgotten = [
        (Mutant::HeadWithoutLastModified, "last-modified"),
        (Mutant::HeadWithoutLength, "content-length"),
    ];
    for (mutant, name) in forgotten {
        if is(mutant) && head.contains(name) {
            return validation::head_agrees(stored, &without(head, name));
        }
    }
    found
}

/// Whether a HEAD has no consequences.
pub(crate) fn ignores_head(agrees: bool) -> bool {
    is(if agrees { Mutant::HeadNeverUpdates } else { Mutant::HeadNeverOutdates })
}

/// What a HEAD brings.
pub(crate) fn head_fields(fields: &Fields) -> Cow<'_, Fields> {
    if is(Mutant::HeadUpdatesAgeOnly) { Cow::Owned(Fields::new()) } else { Cow::Borrowed(fields) }
}

/// The keys that a response to an unsafe request invalidates (§4.4).
pub(crate) fn invalidated(
    mut found: Vec<KeyBuf>,
    request: &Request<'_>,
    response: Response<'_>,
) -> Vec<KeyBuf> {
    let known: [&[u8]; 4] = [b"POST", b"PUT", b"DELETE", b"PATCH"];
    if is(Mutant::InvalidatesByKnownMethods) && !known.contains(&request.method)
        || is(Mutant::InvalidatesBy200Only) && response.status != 200
        || found.is_empty()
    {
        return Vec::new();
    }
    let forgotten = [
        (Mutant::IgnoresLocation, "location"),
        (Mutant::IgnoresContentLocation, "content-location"),
    ];
    for (mutant, name) in forgotten {
        if is(mutant) && response.fields.contains(name) {
            let fields = without(response.fields, name);
            return invalidation::keys(request, Response { fields: &fields, ..response });
        }
        let alike = |authority| {
            is(Mutant::InvalidatesOtherOrigins)
                || is(Mutant::OriginIsTheHost) && host(authority) == host(request.authority)
        };
        let named = response.fields.get(name).and_then(authority_and_path);
        if let Some((_, path)) = named.filter(|(authority, _)| alike(authority)) {
            found.push(key::of_parts(request.scheme, request.authority, path));
        }
    }
    found
}

fn authority_and_path(reference: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = reference.windows(2).position(|two| two == b"//")? + 2;
    let length = reference[start..].iter().position(|&byte| byte == b'/')?;
    Some(reference[start..].split_at(length))
}

fn host(authority: &[u8]) -> &[u8] {
    authority.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// Removes only what an unsafe request would have selected, and says whether it did.
pub(crate) fn invalidates_one(store: &Store, key: &[u8], request: &Request<'_>) -> bool {
    if !is(Mutant::InvalidatesOneVariant) {
        return false;
    }
    let load = pin!(store.load(key));
    // In memory it is there at once.
    let Poll::Ready(held) = load.poll(&mut Context::from_waker(Waker::noop())) else {
        return false;
    };
    for stored in held.variants.iter().filter(|old| old.selecting().matches(request.fields)) {
        store.discard(key, stored);
    }
    true
}

/// The fields without those of one name.
pub(super) fn without(fields: &Fields, name: &str) -> Fields {
    let mut fields = fields.clone();
    fields.remove(name);
    fields
}
