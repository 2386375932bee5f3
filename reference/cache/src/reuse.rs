//! When a stored response may answer a request without asking the origin (RFC 9111 §4).

use crate::{DeltaSeconds, Moment, RequestDirectives, Stored, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// What may be done with the selected stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is fresh, and the client has nothing against it.
    Fresh,
    /// It is stale, and the client takes it all the same (`max-stale`).
    Stale,
    /// It is stale; it may answer while somebody validates it (RFC 5861 §3).
    StaleWhileRevalidate,
    /// It has to be validated first.
    Validate(Because),
}

/// Why a stored response has to be validated first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It is stale, or always to be validated (`no-cache`).
    Stale,
    /// It is fresh, but the request's directives ask for more.
    Request,
}

/// Decides how a stored response with matching key and selecting fields may be used.
#[must_use]
pub fn decide(stored: &Stored, wish: RequestDirectives, now: Moment) -> Decision {
    let age = stored.current_age_millis(now);
    let lifetime = stored.lifetime().seconds.millis();
    if stored.is_always_validated() {
        return Decision::Validate(Because::Stale);
    }
    let fresh = (lifetime > age && !stored.is_outdated()) || mutant::is(Mutant::ServesStale);
    let because = if fresh { Because::Request } else { Because::Stale };
    if wish.no_cache && !mutant::is(Mutant::IgnoresRequestNoCache) || is_too_old(wish, age) {
        return Decision::Validate(because);
    }
    if wish.min_fresh.is_some_and(|least| lifetime - age < least.millis()) {
        return Decision::Validate(because);
    }
    if fresh {
        return Decision::Fresh;
    }
    // Staleness without a number (§4.3.5) is no number of seconds that anybody allowed.
    if stored.is_outdated() || stored.is_never_stale() {
        return Decision::Validate(Because::Stale);
    }
    let within = |allowed: Option<DeltaSeconds>| {
        allowed.is_some_and(|allowed| {
            allowed == DeltaSeconds::MAX || age - lifetime <= allowed.millis()
        })
    };
    if within(wish.max_stale) {
        Decision::Stale
    } else if wish.max_age.is_none() && within(stored.stale_while_revalidate()) {
        Decision::StaleWhileRevalidate
    } else {
        Decision::Validate(Because::Stale)
    }
}

/// The request directive max-age (§5.2.1.1). 0 is how clients say "reload": nothing stored is
/// young enough for it, not even what arrived within the same instant.
fn is_too_old(wish: RequestDirectives, age: i64) -> bool {
    wish.max_age.is_some_and(|most| most == DeltaSeconds::ZERO || age > most.millis())
}

/// Whether a stored response may answer although its origin could not be asked or answered with
/// an error (RFC 9111 §4.2.4).
///
/// `stale-if-error` (RFC 5861 §4), of the response or else of the request, is the limit where
/// there is one. Without any, a cache that is cut off from its origin may serve what is stale,
/// but an origin that does answer has its error forwarded.
#[must_use]
pub fn may_replace_error(
    stored: &Stored,
    wish: RequestDirectives,
    disconnected: bool,
    now: Moment,
) -> bool {
    let found = covers(stored, wish, disconnected, now);
    sabotage::reuse::replaces_error(found, stored, disconnected)
}

fn covers(stored: &Stored, wish: RequestDirectives, disconnected: bool, now: Moment) -> bool {
    if stored.is_always_validated() || stored.is_never_stale() || stored.is_outdated() {
        return false;
    }
    let staleness = stored.current_age_millis(now) - stored.lifetime().seconds.millis();
    if staleness <= 0 && !wish.no_cache && wish.max_age.is_none() {
        return true;
    }
    match stored.stale_if_error().or(wish.stale_if_error) {
        Some(limit) => staleness <= limit.millis(),
        None => disconnected,
    }
}
