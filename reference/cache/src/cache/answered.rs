//! What an origin's answer does to the store: it is stored, or updates, invalidates or outdates what is there.

use std::sync::Arc;

use super::selection::form;
use super::{Cache, Received};
use crate::store::{Held, Landing};
use crate::vary::Selecting;
use crate::writer::Extent;
use crate::{
    CacheStatus, EntityTag, Facts, Forward, Moment, Reply, Request, Response, Stored, Times,
    Writer, collapsing, invalidation, partial, reuse, sabotage, storing, validation,
};
use edgeproof_mutant::{self as mutant, Mutant};

impl Cache {
    /// A 304 to the cache's own preconditions (RFC 9111 §4.3.4): updates what it is about.
    pub(super) fn validated(
        &self,
        mut forward: Forward,
        request: &Request<'_>,
        response: Response<'_>,
        cache_status: CacheStatus,
        times: Times,
    ) -> Received {
        let Some(asked) = forward.selected.take() else { return Received::Again(forward) };
        let candidates = candidates(&forward.held, request, &asked, response);
        let mut current: Option<Arc<Stored>> = None;
        let identified = validation::identified_by_304(&candidates, &asked, response);
        for at in sabotage::reuse::identified(identified, candidates.len()) {
            let old = &candidates[at];
            let asker = Arc::ptr_eq(old, &asked).then_some(request);
            let new = Arc::new(old.updated(response, asker, self.policy, times));
            self.put_update(&forward.key, request, old, &new);
            // The one asked about comes first, and answers.
            current.get_or_insert(new);
        }
        let Some(current) = current else {
            return Received::Again(forward.without_conditions());
        };
        let Some(form) = form(request, &current, times.response) else {
            return Received::Again(forward.without_conditions());
        };
        forward.land(collapsing::landing(&current, times.response));
        let for_asker = validation::fields_for_asker(response.fields, &Facts::of(response, times));
        Received::Reply(Reply::validated(current, form, cache_status, for_asker, times.response))
    }

    /// Puts an updated response in the place of the old one, if it may be stored. One that its
    /// origin now forbids to store goes; one that may not be kept for the sake of this request
    /// (Authorization, no-store) leaves the old as it was.
    fn put_update(&self, key: &[u8], request: &Request<'_>, old: &Arc<Stored>, new: &Arc<Stored>) {
        use storing::NotStored::{NoStore, Private, VaryAny};
        match new.may_be_stored(request, self.policy) {
            Ok(()) => self.store.replace(key, old, new),
            Err(NoStore) if request.directives().no_store => {}
            Err(Private) if mutant::is(Mutant::Private304IsKept) => {
                self.store.replace(key, old, new);
            }
            Err(NoStore | Private | VaryAny) => self.store.discard(key, old),
            Err(_) => {}
        }
    }

    /// A 200 to a HEAD updates the stored responses that it agrees with and outdates the others
    /// (RFC 9111 §4.3.5).
    pub(super) fn update_by_head(
        &self,
        forward: &Forward,
        request: &Request<'_>,
        response: Response<'_>,
        times: Times,
    ) {
        if mutant::is(Mutant::DoesNotInvalidate) {
            return;
        }
        let of_get =
            forward.held.variants.iter().filter(|stored| {
                stored.status() == 200 && stored.selecting().matches(request.fields)
            });
        for old in of_get {
            let agrees = validation::head_agrees(old, response.fields);
            if sabotage::reuse::ignores_head(agrees) {
                continue;
            }
            if agrees {
                let head = sabotage::reuse::head_fields(response.fields);
                let head = Response { fields: &head, ..response };
                let new = Arc::new(old.updated(head, Some(request), self.policy, times));
                self.put_update(&forward.key, request, old, &new);
            } else {
                self.store.replace(&forward.key, old, &Arc::new(old.marked_outdated()));
            }
        }
    }

    /// Begins to store a response, if it may be; if not, what it supersedes goes.
    pub(super) fn begin(
        &self,
        mut forward: Forward,
        request: &Request<'_>,
        response: Response<'_>,
        times: Times,
    ) -> Option<Writer> {
        if !forward.storable
            || request.method == b"HEAD" && is_stored_by_get(&forward, request)
            || forward.conditional && mutant::is(Mutant::ForgetsFullAnswer)
        {
            return None;
        }
        let facts = Facts::of(response, times);
        if let Err(reason) = storing::decide(request, response, &facts, self.policy) {
            self.drop_superseded(&forward, request, response, reason);
            forward.land(Landing::Barren);
            return None;
        }
        if request.method == b"POST" {
            // It has just removed what was stored: what it brings is newer.
            forward.held.since = self.store.since(&forward.key)?;
        }
        let part = match partial::part(&forward.held, request, response) {
            Ok(part) => part,
            Err(partial::Useless) => {
                forward.land(Landing::Barren);
                return None;
            }
        };
        let head = match part.as_ref().and_then(|part| part.base.as_ref()) {
            Some(base) => base.updated(response, Some(request), self.policy, times),
            None => {
                let selecting = selecting(&forward.held, request, response);
                Stored::new(response, selecting, &facts, self.policy, times.response)
            }
        };
        let extent = match part {
            Some(part) => Extent::Part(part),
            None if request.method == b"HEAD" => Extent::Head(content_length(response)),
            None => Extent::Whole(content_length(response)),
        };
        Writer::new(Arc::clone(&self.store), forward, request, head, extent)
    }

    /// The resource has a newer response than the stored one, and the newer one is not stored:
    /// the older must not come back in its place. An answer for one user says nothing about
    /// what the others get, and neither does a failure.
    fn drop_superseded(
        &self,
        forward: &Forward,
        request: &Request<'_>,
        response: Response<'_>,
        reason: storing::NotStored,
    ) {
        let says_nothing = request.method != b"GET"
            || request.directives().no_store
            || reason == storing::NotStored::Authorization
            || matches!(response.status, 206 | 304 | 412 | 416 | 500..);
        if let Some(stored) = forward.selected.as_ref().filter(|_| !says_nothing) {
            self.store.discard(&forward.key, stored);
        }
    }

    /// Removes what an unsafe request made invalid (RFC 9111 §4.4).
    pub(super) fn invalidate(&self, request: &Request<'_>, response: Response<'_>) {
        if !mutant::is(Mutant::DoesNotInvalidate) {
            for key in invalidation::keys(request, response) {
                if !sabotage::reuse::invalidates_one(&self.store, &key, request) {
                    self.store.invalidate(&key);
                }
            }
        }
    }
}

/// The request's fields by which a response is selected later on: those that it nominates, or if it
/// forgot to, those that the latest one of the same URL nominates (RFC 9111 §4.1).
fn selecting(held: &Held, request: &Request<'_>, response: Response<'_>) -> Selecting {
    let own = Selecting::of(response.fields, request.fields);
    match held.varying().filter(|_| own.is_empty() && !sabotage::reuse::fits_all()) {
        Some(latest) => latest.selecting().read_again(request.fields),
        None => own,
    }
}

/// The stored responses that a 304 may be about, `asked` first: those that the request could have
/// selected, and if it names a strong entity tag, all that share that of `asked` (RFC 9111 §4.3.4).
fn candidates(
    held: &Held,
    request: &Request<'_>,
    asked: &Arc<Stored>,
    response: Response<'_>,
) -> Vec<Arc<Stored>> {
    let named = response.fields.get("etag").and_then(EntityTag::parse);
    let is_strong = named.is_some_and(|tag| !tag.is_weak());
    let same_tag = |stored: &Stored| {
        let tags = stored.etag().zip(asked.etag());
        is_strong && tags.is_some_and(|(tag, ours)| tag.matches_strongly(ours))
    };
    let others = held.variants.iter().filter(|stored| {
        !Arc::ptr_eq(stored, asked)
            && (stored.selecting().matches(request.fields) || same_tag(stored))
    });
    let found = std::iter::once(asked).chain(others).cloned().collect();
    sabotage::reuse::candidates(found, held, request)
}

/// Whether the answer to a GET is stored that the request selects: that to a HEAD only updates it.
fn is_stored_by_get(forward: &Forward, request: &Request<'_>) -> bool {
    let mut variants = forward.held.variants.iter();
    variants.any(|stored| !stored.is_of_head() && stored.selecting().matches(request.fields))
}

/// The largest response that is held back until it is whole, where a stale one could stand in for
/// it.
const HELD_BACK: u64 = 1 << 20;

/// The stale response that may answer if the origin's breaks off (RFC 9111 §4.2.4).
pub(super) fn stand_in(
    forward: &Forward,
    request: &Request<'_>,
    response: Response<'_>,
    now: Moment,
) -> Option<Box<Reply>> {
    let stored = forward.selected.as_ref()?;
    let short = content_length(response).is_some_and(|length| (1..=HELD_BACK).contains(&length));
    if !short || !reuse::may_replace_error(stored, request.directives(), true, now) {
        return None;
    }
    let reply = Reply::reused(Arc::clone(stored), form(request, stored, now)?, now);
    Some(Box::new(reply.in_place_of_failure(forward.cache_status())))
}

/// The content's length, where Content-Length frames it (RFC 9112 §6.3).
fn content_length(response: Response<'_>) -> Option<u64> {
    if response.fields.contains("transfer-encoding") || matches!(response.status, 204 | 205) {
        return None;
    }
    std::str::from_utf8(response.fields.get("content-length")?).ok()?.parse().ok()
}
