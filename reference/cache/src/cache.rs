//! The front door: what a proxy calls, in the order in which things happen to a request.

use std::sync::Arc;

use crate::forward::Claim;
use crate::key::{self, KeyBuf};
use crate::range::{self, Ranged};
use crate::reuse::{self, Because, Decision};
use crate::store::{Failure, Held, Joined, Landing, Pattern, Purge, Stats, Store, Turn, Wait};
use crate::vary::Selecting;
use crate::writer::Extent;
use crate::{
    CacheStatus, Facts, Form, Forward, Fwd, Moment, Policy, Reply, Request, Response, Scheme,
    Stored, Times, Writer, collapsing, conditional, invalidation, partial, sabotage, storing,
    validation,
};
use edgeproof_mutant::{self as mutant, Mutant};

/// A site's cache: its policy, over a store that sites share.
#[derive(Clone)]
pub struct Cache {
    store: Arc<Store>,
    policy: Policy,
}

/// What to do with a request.
#[derive(Debug)]
pub enum Lookup {
    /// Answer it from the store.
    Reply(Reply),
    /// Forward it.
    Forward(Forward),
    /// Another request is on its way for the same thing: wait for it, then look up again.
    Wait(Wait),
    /// Answer 504 (Gateway Timeout): the client wants no other answer than a stored one, and
    /// there is none (RFC 9111 §5.2.1.7). An answer that is not based on a stored one has no Cache-Status
    /// member (RFC 9211 §2).
    OnlyIfCached,
}

/// What to do with a response.
pub enum Received {
    /// Answer with a stored response instead: the origin's 304 made it current, or the origin's
    /// error is covered by it.
    Reply(Reply),
    /// Send the origin's response on, and feed its content to the writer, if there is one.
    Pass {
        /// Stores the response while it streams.
        writer: Option<Box<Writer>>,
        /// This cache's member of Cache-Status.
        cache_status: CacheStatus,
        /// What may be sent instead, if the response breaks off before anything of it was sent.
        stand_in: Option<Box<Reply>>,
    },
    /// The response is what was missing of a stored one: feed its content to the writer, then look
    /// up again, with [`Turn::COMPLETED`].
    Complete(Box<Writer>),
    /// The response is about something that is not stored: forward the request once more.
    Again(Forward),
}

/// What to do when the origin could not be asked.
#[derive(Debug)]
pub enum Failed {
    /// Answer with a stored response instead.
    Reply(Box<Reply>),
    /// Answer 504: the stored response may not be used unvalidated (RFC 9111 §5.2.2.2).
    GatewayTimeout,
    /// The cache has nothing to say; answer with the proxy's own error.
    NoHelp,
}

impl Cache {
    /// A cache with a site's policy over a store.
    #[must_use]
    pub fn new(store: Arc<Store>, policy: Policy) -> Self {
        Self { store, policy }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Decides how to handle a request. `turn` is [`Turn::FIRST`], or what a wait ended with.
    pub async fn lookup(&self, request: &Request<'_>, turn: Turn, now: Moment) -> Lookup {
        let lookup = self.look(request, turn, now).await;
        if let Lookup::Forward(forward) = &lookup {
            self.store.count_forward(&forward.held);
        }
        lookup
    }

    async fn look(&self, request: &Request<'_>, turn: Turn, now: Moment) -> Lookup {
        let key = key::of(request);
        let bypass = sabotage::conditions::bypass(bypass(request), request);
        if let Some(fwd) = sabotage::storing::bypass(request, bypass) {
            return Lookup::Forward(Forward::past(&key, fwd));
        }
        let held = self.store.load(&key).await;
        let forward = match self.consult(request, &key, held, turn, now) {
            Lookup::Forward(forward) if turn.may_wait() => forward,
            decided => return decided,
        };
        let Some(flight) = collapsing::flight(request, &forward) else {
            return Lookup::Forward(forward);
        };
        match self.store.flights().join(forward.held.hash, flight, turn, forward.fwd) {
            Joined::Alone => Lookup::Forward(forward),
            Joined::Wait(wait) => Lookup::Wait(wait),
            Joined::Lead(takeoff) => {
                // The one who led before may have landed since the store was asked.
                let held = self.store.load(&key).await;
                match self.consult(request, &key, held, turn, now) {
                    Lookup::Forward(forward) => Lookup::Forward(forward.leading(takeoff)),
                    answered => {
                        takeoff.land(Landing::Stored);
                        answered
                    }
                }
            }
        }
    }

    /// Decides by what is held.
    fn consult(
        &self,
        request: &Request<'_>,
        key: &KeyBuf,
        held: Held,
        turn: Turn,
        now: Moment,
    ) -> Lookup {
        let wish = request.directives();
        let only_if_cached = wish.only_if_cached && !mutant::is(Mutant::IgnoresOnlyIfCached)
            || sabotage::storing::refuses(request);
        let forward = |held, fwd| {
            if only_if_cached {
                return Lookup::OnlyIfCached;
            }
            Lookup::Forward(Forward::new(key, held, fwd).after(turn))
        };
        let selected = match sabotage::reuse::selected(select(request, &held), request, &held) {
            Ok(selected) => selected,
            Err(fwd) => return forward(held, fwd),
        };
        let decision = sabotage::fields::decision(reuse::decide(&selected, wish, now), request);
        let decision = sabotage::reuse::decision(decision, &selected, now);
        let Some(form) = form(request, &selected, now) else {
            let completed = matches!(decision, Decision::Fresh) && turn.may_complete();
            return match forward(held, Fwd::Partial) {
                Lookup::Forward(forward) if completed && may_be_completed(request, &selected) => {
                    Lookup::Forward(forward.completing(selected))
                }
                other => other,
            };
        };
        let fwd = match decision {
            Decision::Fresh | Decision::Stale => {
                self.store.count_hit(&held);
                return Lookup::Reply(Reply::reused(selected, form, now).after(turn));
            }
            Decision::StaleWhileRevalidate => {
                self.store.count_hit(&held);
                let reply = Reply::reused(Arc::clone(&selected), form, now).after(turn);
                let Some(claim) = Claim::of(&selected) else { return Lookup::Reply(reply) };
                let refresh = Forward::new(key, held, Fwd::Stale).validating(selected);
                return Lookup::Reply(reply.with_refresh(refresh.claiming(claim)));
            }
            Decision::Validate(Because::Stale) => {
                // The one that it waited for has just learnt that the origin fails.
                if let Some(failure) = turn.failed()
                    && reuse::may_replace_error(&selected, wish, failure == Failure::Silent, now)
                {
                    return Lookup::Reply(Reply::reused(selected, form, now).after(turn));
                }
                Fwd::Stale
            }
            Decision::Validate(Because::Request) => Fwd::Request,
        };
        match forward(held, fwd) {
            Lookup::Forward(forward) => Lookup::Forward(forward.validating(selected)),
            refused => refused,
        }
    }

    /// Takes the origin's final response to a forwarded request: updates, invalidates, begins to
    /// store, and says what to answer. `request` is the client's, as it was for the lookup.
    #[must_use]
    pub fn received(
        &self,
        forward: Forward,
        request: &Request<'_>,
        response: Response<'_>,
        times: Times,
    ) -> Received {
        let cache_status =
            CacheStatus { fwd_status: Some(response.status), ..forward.cache_status() };
        let response = sabotage::reuse::answer(response, &forward);
        self.invalidate(request, response);
        if forward.conditional && response.status == 304 && !mutant::is(Mutant::Passes304On) {
            return self.validated(forward, request, response, cache_status, times);
        }
        if let Some(stored) = &forward.selected
            && validation::is_failure(response.status)
            && reuse::may_replace_error(stored, request.directives(), false, times.response)
            && let Some(form) = form(request, stored, times.response)
        {
            let reply = Reply::reused(Arc::clone(stored), form, times.response);
            forward.land(Landing::Failed(Failure::Answered));
            return Received::Reply(reply.in_place_of_failure(cache_status));
        }
        if request.method == b"HEAD" && response.status == 200 {
            self.update_by_head(&forward, request, response, times);
        }
        if let Some(stored) = forward.completing.as_ref().filter(|_| response.status < 500)
            && response.status != 200
        {
            if !partial::completes(stored, response) {
                return Received::Again(forward.without_conditions());
            }
            let again = Forward::new(&forward.key, forward.held.clone(), forward.fwd);
            return match self.begin(forward, request, response, times) {
                Some(writer) => Received::Complete(Box::new(writer)),
                None => Received::Again(again),
            };
        }
        if let Some(reply) = sabotage::conditions::on_a_miss(&forward, request, response, times) {
            return Received::Reply(reply);
        }
        let stand_in = stand_in(&forward, request, response, times.response);
        let writer = self.begin(forward, request, response, times);
        let cache_status = CacheStatus { stored: writer.is_some(), ..cache_status };
        Received::Pass { writer: writer.map(Box::new), cache_status, stand_in }
    }

    /// Says what to answer when no response could be had from the origin.
    #[must_use]
    pub fn failed(&self, forward: Forward, request: &Request<'_>, now: Moment) -> Failed {
        let cache_status = forward.cache_status();
        let selected = forward.selected.clone();
        // Those who wait shall not fail one after another.
        forward.land(Landing::Failed(Failure::Silent));
        match &selected {
            Some(stored)
                if reuse::may_replace_error(stored, request.directives(), true, now)
                    && let Some(form) = form(request, stored, now) =>
            {
                let reply = Reply::reused(Arc::clone(stored), form, now);
                Failed::Reply(Box::new(reply.in_place_of_failure(cache_status)))
            }
            Some(stored) if stored.is_never_stale() && !mutant::is(Mutant::Answers502For504) => {
                Failed::GatewayTimeout
            }
            _ => Failed::NoHelp,
        }
    }

    /// A 304 to the cache's own preconditions (RFC 9111 §4.3.4): updates what it is about.
    fn validated(
        &self,
        mut forward: Forward,
        request: &Request<'_>,
        response: Response<'_>,
        cache_status: CacheStatus,
        times: Times,
    ) -> Received {
        let Some(asked) = forward.selected.take() else { return Received::Again(forward) };
        let candidates = candidates(&forward.held, request, &asked);
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
        let request = Request { method: b"GET", ..*request };
        match new.may_be_stored(&request, self.policy) {
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
    fn update_by_head(
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
    fn begin(
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
    fn invalidate(&self, request: &Request<'_>, response: Response<'_>) {
        if !mutant::is(Mutant::DoesNotInvalidate) {
            for key in invalidation::keys(request, response) {
                if !sabotage::reuse::invalidates_one(&self.store, &key, request) {
                    self.store.invalidate(&key);
                }
            }
        }
    }

    /// Removes stored responses by the target of a PURGE, however a client reached them: a site's
    /// own applications purge over `http` what the world reads over `https`. Says how many that
    /// were, variants counted.
    pub async fn purge(&self, request: &Request<'_>, purge: Purge) -> usize {
        let mut removed = 0;
        for scheme in [Scheme::Http, Scheme::Https] {
            let request = Request { scheme, ..*request };
            removed += self.store.purge(&Pattern::new(purge, &request)).await;
        }
        removed
    }

    /// What the store holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.store.stats()
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

/// The stored response that a request selects (RFC 9111 §4.1), or how it misses.
fn select(request: &Request<'_>, held: &Held) -> Result<Arc<Stored>, Fwd> {
    if held.variants.is_empty() || mutant::is(Mutant::NeverHits) {
        return Err(Fwd::UriMiss);
    }
    // Where some say by what they vary, one that forgot to is not known to be for this request.
    let varies = held.varying().is_some();
    held.variants
        .iter()
        .filter(|stored| varies != stored.selecting().is_empty())
        .filter(|stored| stored.selecting().matches(request.fields))
        .max_by_key(|stored| stored.recency())
        .map(Arc::clone)
        .ok_or(Fwd::VaryMiss)
}

/// The stored responses that a 304 may be about, `asked` first: those that the request could have
/// selected, and all with the same strong entity tag (RFC 9111 §4.3.4).
fn candidates(held: &Held, request: &Request<'_>, asked: &Arc<Stored>) -> Vec<Arc<Stored>> {
    let same_tag = |stored: &Stored| {
        stored.etag().zip(asked.etag()).is_some_and(|(tag, ours)| tag.matches_strongly(ours))
    };
    let others = held.variants.iter().filter(|stored| {
        !Arc::ptr_eq(stored, asked)
            && (stored.selecting().matches(request.fields) || same_tag(stored))
    });
    let found = std::iter::once(asked).chain(others).cloned().collect();
    sabotage::reuse::candidates(found, held, request)
}

/// Why the store is not asked at all.
fn bypass(request: &Request<'_>) -> Option<Fwd> {
    if !matches!(request.method, b"GET" | b"HEAD") {
        return Some(Fwd::Method);
    }
    let around = request.has_content() || request.fields.contains("upgrade");
    (around || conditional::is_for_origin(request.fields)).then_some(Fwd::Bypass)
}

/// Whether the answer to a GET is stored that the request selects: that to a HEAD only updates it.
fn is_stored_by_get(forward: &Forward, request: &Request<'_>) -> bool {
    let mut variants = forward.held.variants.iter();
    variants.any(|stored| !stored.is_of_head() && stored.selecting().matches(request.fields))
}

/// Whether what is missing of a stored response may be asked for in this request's place.
fn may_be_completed(request: &Request<'_>, stored: &Stored) -> bool {
    let preconditions = ["range", "if-none-match", "if-modified-since"];
    request.method == b"GET"
        && !preconditions.iter().any(|name| request.fields.contains(*name))
        && partial::missing(stored).is_some()
}

/// The largest response that is held back until it is whole, where a stale one could stand in for
/// it.
const HELD_BACK: u64 = 1 << 20;

/// The stale response that may answer if the origin's breaks off (RFC 9111 §4.2.4).
fn stand_in(
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

/// The form in which a stored response answers a request: the client's preconditions go before
/// its ranges (RFC 9110 §13.2.2). `None` if it cannot, for something is missing of it.
fn form(request: &Request<'_>, stored: &Stored, now: Moment) -> Option<Form> {
    let found = match sabotage::parts::ranged(request, stored, now, range::of(request, stored, now))
    {
        Ranged::Missing => None,
        ranged
            if conditional::is_not_modified(request.fields, stored, now)
                && !(mutant::is(Mutant::RangeBeforeCondition) && ranged != Ranged::Whole) =>
        {
            Some(Form::NotModified)
        }
        Ranged::Whole => Some(Form::Whole),
        Ranged::Part(part) => Some(Form::Part(part)),
        Ranged::Unsatisfiable => Some(Form::Unsatisfiable),
    };
    sabotage::conditions::form(found, request, stored)
}

/// The content's length, where Content-Length frames it (RFC 9112 §6.3).
fn content_length(response: Response<'_>) -> Option<u64> {
    if response.fields.contains("transfer-encoding") || matches!(response.status, 204 | 205) {
        return None;
    }
    std::str::from_utf8(response.fields.get("content-length")?).ok()?.parse().ok()
}
