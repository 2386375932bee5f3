//! The age of a response (RFC 9111 §4.2.3) and the Age field (§5.1).

use edgeproof_http1::Fields;

use crate::{DeltaSeconds, Moment, sabotage};

/// The value of a response's Age field, `None` if there is none: the first line counts, and one
/// that is no non-negative integer (a list is none either) makes the response as old as can be
/// said, and so stale (RFC 9111 §5.1).
#[must_use]
pub fn value(fields: &Fields) -> Option<DeltaSeconds> {
    let line = fields.get("age")?;
    let age = DeltaSeconds::parse(line).unwrap_or(DeltaSeconds::MAX);
    sabotage::fields::age(Some(age), fields)
}

/// `corrected_initial_age` in milliseconds (RFC 9111 §4.2.3).
///
/// `date` is the response's Date in seconds since the epoch. It has whole seconds, so it is
/// compared with the whole second of the response's arrival: a fraction would age every response
/// by up to a second before its time.
#[must_use]
pub fn initial_millis(
    age: DeltaSeconds,
    date: i64,
    request_time: Moment,
    response_time: Moment,
) -> i64 {
    let apparent_age = DeltaSeconds::saturating(response_time.second().saturating_sub(date));
    let response_delay = response_time.millis_since(request_time);
    let corrected_age_value = age.millis().saturating_add(response_delay);
    apparent_age.millis().max(corrected_age_value)
}

/// `current_age` in milliseconds (RFC 9111 §4.2.3).
#[must_use]
pub fn current_millis(initial: i64, response_time: Moment, now: Moment) -> i64 {
    initial.saturating_add(now.millis_since(response_time))
}
