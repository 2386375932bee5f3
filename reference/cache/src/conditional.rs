//! The client's own preconditions, evaluated against a stored response (RFC 9111 §4.3.2).

use edgeproof_http1::Fields;

use crate::{Moment, Stored, date, etag, sabotage, storing};
use edgeproof_mutant::{self as mutant, Mutant};

/// Whether the client has what is stored already, so that a 304 answers it.
///
/// If-None-Match goes first and, where present, alone (RFC 9110 §13.2.2); it compares weakly.
/// Only a stored 200 has preconditions evaluated.
#[must_use]
pub fn is_not_modified(request: &Fields, stored: &Stored, now: Moment) -> bool {
    let found = if stored.status() != 200 && !mutant::is(Mutant::ConditionsOnAnyStatus) {
        false
    } else if request.contains("if-none-match") {
        !mutant::is(Mutant::WeakComparesNothing) && if_none_match(request, stored)
    } else {
        if_modified_since(request, stored, now)
    };
    sabotage::conditions::not_modified(found, request, stored, now)
}

/// More than one member is none (RFC 9110 §13.1.3).
fn if_modified_since(request: &Fields, stored: &Stored, now: Moment) -> bool {
    let mut lines = request.get_all("if-modified-since");
    let (Some(line), None) = (lines.next(), lines.next()) else { return false };
    let since = date::parse(line, now);
    since.is_some_and(|since| stored.last_modified().unwrap_or(stored.date()) <= since)
}

fn if_none_match(request: &Fields, stored: &Stored) -> bool {
    let ours = stored.etag();
    request.get_all("if-none-match").any(|line| {
        crate::list::trim(line) == b"*"
            || ours.is_some_and(|ours| etag::tags(line).any(|tag| tag.matches_weakly(ours)))
    })
}

/// Whether a request has preconditions that only the origin can evaluate (RFC 9110 §13.1.1,
/// §13.1.4).
#[must_use]
pub fn is_for_origin(request: &Fields) -> bool {
    request.contains("if-match") || request.contains("if-unmodified-since")
}

/// Whether a field belongs in a 304 (RFC 9110 §15.4.5): those that it must have, and
/// Last-Modified where no ETag says the same better.
#[must_use]
pub fn is_in_not_modified(name: &[u8], has_etag: bool) -> bool {
    storing::is_one_of(
        name,
        &["cache-control", "content-location", "date", "etag", "expires", "vary"],
    ) || (!has_etag && name.eq_ignore_ascii_case(b"last-modified"))
}
