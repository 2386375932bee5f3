//! Which stored response answers a request, and in which form.

use std::sync::Arc;

use crate::range::{self, Ranged};
use crate::store::Held;
use crate::{Form, Fwd, Moment, Request, Stored, conditional, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// The stored response that a request selects (RFC 9111 §4.1), or how it misses.
pub(super) fn select(request: &Request<'_>, held: &Held) -> Result<Arc<Stored>, Fwd> {
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

/// The form in which a stored response answers a request: the client's preconditions go before
/// its ranges (RFC 9110 §13.2.2). `None` if it cannot, for something is missing of it.
pub(super) fn form(request: &Request<'_>, stored: &Stored, now: Moment) -> Option<Form> {
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
