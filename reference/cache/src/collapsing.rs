//! Which requests may wait for one another (RFC 9111 §4: one response for several requests that
//! are on their way at the same time).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::store::Landing;
use crate::{Forward, Moment, Request, RequestDirectives, Stored, reuse};
use edgeproof_mutant::{self as mutant, Mutant};

/// The name of the flight that a forwarded request belongs to: its URL and, as far as is known
/// by what the stored responses vary, its variant. `None` if it waits for nobody: it wants the
/// origin's own answer, or one that is of no use to others.
pub(crate) fn flight(request: &Request<'_>, forward: &Forward) -> Option<u64> {
    let wish = request.directives();
    let own = request.method != b"GET"
        || !forward.storable
        || request.fields.contains("range")
        || request.fields.contains("authorization")
        || wish != RequestDirectives::default()
        || mutant::is(Mutant::NeverCollapses);
    if own {
        return None;
    }
    let mut name = DefaultHasher::new();
    forward.held.hash.hash(&mut name);
    if let Some(latest) = forward.held.varying() {
        latest.selecting().in_request(request.fields).hash(&mut name);
    }
    Some(name.finish())
}

/// Whether others may wait for a request: not if it asks by the client's own conditions, as nothing is stored, and so
/// may be answered by a 304, which is of no use to them. It may wait for another itself.
pub(crate) fn may_lead(request: &Request<'_>, forward: &Forward) -> bool {
    let has = |name: &str| request.fields.contains(name);
    forward.selected.is_some() || !(has("if-none-match") || has("if-modified-since"))
}

/// What a stored response is to those who waited for it: of use only if it may be reused as it is.
pub(crate) fn landing(stored: &Stored, now: Moment) -> Landing {
    if !stored.is_whole() {
        return Landing::Barren;
    }
    match reuse::decide(stored, RequestDirectives::default(), now) {
        reuse::Decision::Fresh => Landing::Stored,
        _ => Landing::Barren,
    }
}

/// The same for a response that has just arrived.
pub(crate) fn landing_at_once(stored: &Stored) -> Landing {
    landing(stored, stored.response_time())
}
