//! The front door: what a proxy calls, in the order in which things happen to a request.

mod answered;
mod selection;

use std::sync::Arc;

use selection::{form, select};

use crate::forward::Claim;
use crate::key::{self, KeyBuf};
use crate::reuse::{self, Because, Decision};
use crate::store::{Failure, Held, Joined, Landing, Pattern, Purge, Stats, Store, Turn, Wait};
use crate::{
    CacheStatus, Forward, Fwd, Moment, Policy, PurgeOwed, Reply, Request, Response, Scheme, Stored,
    Times, Writer, collapsing, conditional, partial, sabotage, validation,
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
            // Nothing else than the store may answer it (RFC 9111 §5.2.1.7), and the store does not.
            if fwd == Fwd::Bypass && request.directives().only_if_cached {
                return Lookup::OnlyIfCached;
            }
            return Lookup::Forward(Forward::past(&key, fwd).of_target(request.target));
        }
        let held = self.store.load(&key).await;
        let forward = match self.consult(request, &key, held, turn, now) {
            Lookup::Forward(forward) if turn.may_wait() => forward,
            decided => return decided,
        };
        let Some(flight) = collapsing::flight(request, &forward) else {
            return Lookup::Forward(forward);
        };
        let flights = self.store.flights();
        let joined = match collapsing::may_lead(request, &forward) {
            true => flights.join(forward.held.hash, flight, turn, forward.fwd),
            false => flights.wait(flight, turn, forward.fwd),
        };
        match joined {
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
            Lookup::Forward(Forward::new(key, held, fwd).after(turn).of_target(request.target))
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
                Lookup::Forward(forward)
                    if completed && self.may_be_completed(request, &selected) =>
                {
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
                let refresh = Forward::new(key, held, Fwd::Stale).of_target(request.target);
                let refresh = refresh.validating(selected);
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

    /// Whether what is missing of a stored response may be asked for in this request's place, and the whole kept.
    fn may_be_completed(&self, request: &Request<'_>, stored: &Stored) -> bool {
        let preconditions = ["range", "if-none-match", "if-modified-since"];
        let fits = stored
            .complete_length()
            .and_then(|length| usize::try_from(length).ok())
            .is_some_and(|length| length <= self.store.limits().object);
        request.method == b"GET"
            && !preconditions.iter().any(|name| request.fields.contains(*name))
            && partial::missing(stored).is_some()
            && fits
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
        let stand_in = answered::stand_in(&forward, request, response, times.response);
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

    /// Removes stored responses by the target of a PURGE, however a client reached them: a site's
    /// own applications purge over `http` what the world reads over `https`. Says how many that
    /// were, variants counted.
    ///
    /// # Errors
    /// If the store could not carry it out, and owes it.
    pub async fn purge(&self, request: &Request<'_>, purge: Purge) -> Result<usize, PurgeOwed> {
        let pattern = |scheme| Pattern::new(purge, &Request { scheme, ..*request });
        let (http, https) = (pattern(Scheme::Http), pattern(Scheme::Https));
        let (http, https) = tokio::join!(self.store.purge(&http), self.store.purge(&https));
        Ok(http? + https?)
    }

    /// What the store holds and has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.store.stats()
    }
}

/// Why the store is not asked at all.
fn bypass(request: &Request<'_>) -> Option<Fwd> {
    if !matches!(request.method, b"GET" | b"HEAD") {
        return Some(Fwd::Method);
    }
    let around = request.has_content() || request.fields.contains("upgrade");
    (around || conditional::is_for_origin(request.fields)).then_some(Fwd::Bypass)
}
