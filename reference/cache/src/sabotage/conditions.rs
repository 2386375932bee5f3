//! Bugs in the evaluation of conditions (RFC 9111 §4.3.2, RFC 9110 §13).

use std::sync::Arc;

use edgeproof_http1::Fields;
use edgeproof_mutant::{Mutant, is};

use super::reuse::without;
use crate::range::Part;
use crate::vary::Selecting;
use crate::{
    EntityTag, Facts, Form, Forward, Fwd, Moment, Policy, Reply, Request, Response, Stored, Times,
    conditional, date, etag,
};

/// Why the store is not asked.
pub(crate) fn bypass(found: Option<Fwd>, request: &Request<'_>) -> Option<Fwd> {
    let has = |name: &str| request.fields.contains(name);
    let asked = match found {
        Some(Fwd::Method) => {
            let conditional = has("if-none-match") || has("if-modified-since");
            is(Mutant::AnswersAnyMethod) || is(Mutant::ConditionsOfAnyMethod) && conditional
        }
        Some(Fwd::Bypass) => {
            is(Mutant::EvaluatesIfMatch) && has("if-match")
                || is(Mutant::EvaluatesIfUnmodifiedSince) && has("if-unmodified-since")
        }
        _ => false,
    };
    found.filter(|_| !asked)
}

/// The form in which a stored response answers.
pub(crate) fn form(found: Option<Form>, request: &Request<'_>, stored: &Stored) -> Option<Form> {
    let fields = request.fields;
    if is(Mutant::ConditionsOfAnyMethod) && !matches!(request.method, b"GET" | b"HEAD") {
        return found.filter(|form| *form == Form::NotModified).map(|_| failed());
    }
    let other_tag = || {
        let named = fields.get("if-match").and_then(EntityTag::parse).zip(stored.etag());
        named.is_some_and(|(theirs, ours)| !ours.matches_strongly(theirs))
    };
    let changed_since = || {
        let since = fields.get("if-unmodified-since")?;
        Some(date::parse(since, stored.response_time())? < stored.last_modified()?)
    };
    let fails = is(Mutant::EvaluatesIfMatch) && other_tag()
        || is(Mutant::EvaluatesIfUnmodifiedSince) && changed_since() == Some(true);
    if fails { Some(failed()) } else { found }
}

/// A 412 in the guise of a part that says nothing of where it belongs; else there is none.
fn failed() -> Form {
    let content = bytes::Bytes::new();
    let content = vec![content];
    Form::Part(Part { content, content_range: None, content_type: None, is_rest: true })
}

/// The status of an answer with a part.
pub(crate) fn status_of_part(found: u16, part: &Part) -> u16 {
    let precondition = is(Mutant::ConditionsOfAnyMethod)
        || is(Mutant::EvaluatesIfMatch)
        || is(Mutant::EvaluatesIfUnmodifiedSince);
    if precondition && Form::Part(part.clone()) == failed() { 412 } else { found }
}

/// The answer to a request for which nothing was stored.
pub(crate) fn on_a_miss(
    forward: &Forward,
    request: &Request<'_>,
    response: Response<'_>,
    times: Times,
) -> Option<Reply> {
    if !is(Mutant::ConditionsOnAMiss) || forward.selected.is_some() || request.method != b"GET" {
        return None;
    }
    let facts = Facts::of(response, times);
    let policy = Policy::RFC9111;
    let new = Stored::new(response, Selecting::default(), &facts, policy, times.response);
    conditional::is_not_modified(request.fields, &new, times.response)
        .then(|| Reply::reused(Arc::new(new), Form::NotModified, times.response))
}

/// Whether the client has what is stored.
pub(crate) fn not_modified(found: bool, request: &Fields, stored: &Stored, now: Moment) -> bool {
    const TAGS: &str = "if-none-match";
    const SINCE: &str = "if-modified-since";
    let both = || request.contains(TAGS) && request.contains(SINCE);
    let only_since = || !request.contains(TAGS) && request.contains(SINCE);
    let since = || request.get(SINCE).and_then(|line| date::parse(line, now));
    let changed = stored.last_modified();
    let again = |request: &Fields| conditional::is_not_modified(request, stored, now);
    for (mutant, name) in [(Mutant::ReadsFirstTagLine, TAGS), (Mutant::ReadsFirstSinceLine, SINCE)]
    {
        if is(mutant) && request.get_all(name).count() > 1 {
            let mut read = request.clone();
            read.set(name, request.get(name).unwrap_or_default());
            return again(&read);
        }
    }
    if is(Mutant::EitherConditionWillDo) && both() {
        return found || again(&without(request, TAGS));
    }
    if is(Mutant::WantsBothConditions) && both() {
        return found && again(&without(request, TAGS));
    }
    if is(Mutant::ComparesTagsStrongly) && request.contains(TAGS) {
        let strongly = |ours: EntityTag<'_>| {
            let mut tags = request.get_all(TAGS).flat_map(etag::tags);
            tags.any(|tag| tag.matches_strongly(ours))
        };
        return found && (request.get(TAGS) == Some(b"*") || stored.etag().is_some_and(strongly));
    }
    if is(Mutant::IgnoresIfModifiedSince) && only_since() {
        return false;
    }
    if is(Mutant::BadSinceIsNow) && only_since() && since().is_none() {
        return changed.unwrap_or(stored.date()) <= now.second();
    }
    if is(Mutant::UnknownChangeIsOld) && only_since() && since().is_some() {
        return found || changed.is_none();
    }
    if is(Mutant::SinceNeedsLastModified) && only_since() {
        return found && changed.is_some();
    }
    if is(Mutant::IfRangeWithoutRange) && !request.contains("range") {
        let theirs = request.get("if-range").and_then(EntityTag::parse);
        let both = theirs.zip(stored.etag());
        return found || both.is_some_and(|(theirs, ours)| ours.matches_strongly(theirs));
    }
    found
}

/// Whether If-Range holds, or is not there (RFC 9110 §13.1.5).
pub(crate) fn if_range(found: bool, request: &Request<'_>, stored: &Stored, now: Moment) -> bool {
    let condition = request.fields.get("if-range").unwrap_or_default();
    let dates = || date::parse(condition, now).zip(stored.last_modified());
    if is(Mutant::IfRangeNeverHolds) {
        return found && condition.is_empty();
    }
    if is(Mutant::IfRangeComparesWeakly) {
        let tags = EntityTag::parse(condition).zip(stored.etag());
        return found || tags.is_some_and(|(theirs, ours)| ours.matches_weakly(theirs));
    }
    if is(Mutant::IfRangeTakesLaterDates) {
        return found || dates().is_some_and(|(since, changed)| since > changed);
    }
    if is(Mutant::IfRangeTakesWeakDates) {
        return found || dates().is_some_and(|(since, changed)| since == changed);
    }
    found
}

/// The cache's own conditions, in the request that asks by them (RFC 9111 §4.3.1).
pub(crate) fn own(request: &mut Fields) {
    if is(Mutant::ValidatesByDateOnly) {
        request.remove("if-none-match");
    }
}
