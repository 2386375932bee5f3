//! Validating stored responses: the conditional request (RFC 9111 §4.3.1), and what its answer
//! changes (§4.3.3 to §4.3.5, §3.2).

use std::sync::Arc;

use edgeproof_http1::Fields;

use crate::{EntityTag, Facts, Response, Stored, sabotage, storing};
use edgeproof_mutant::{self as mutant, Mutant};

/// Makes a request ask whether `stored` is still current: its validators take the place of the
/// client's own, which are evaluated against the outcome (§4.3.2).
pub fn set_preconditions(request: &mut Fields, stored: &Stored) {
    request.remove("if-none-match");
    request.remove("if-modified-since");
    let fields = stored.fields();
    if let Some(etag) = fields.get("etag").filter(|_| stored.etag().is_some()) {
        request.push("If-None-Match", etag);
    }
    if stored.last_modified().is_some()
        && let Some(modified) = fields.get("last-modified")
    {
        request.push("If-Modified-Since", modified);
    }
    sabotage::conditions::own(request);
}

/// Which of the stored responses that could have been selected a 304 is about (§4.3.4), as
/// places in `stored`. `asked` is the one whose validators were sent.
#[must_use]
pub fn identified_by_304(
    stored: &[Arc<Stored>],
    asked: &Arc<Stored>,
    response: Response<'_>,
) -> Vec<usize> {
    let places = |holds: &dyn Fn(&Stored) -> bool| -> Vec<usize> {
        stored.iter().enumerate().filter(|(_, stored)| holds(stored)).map(|(at, _)| at).collect()
    };
    let new = response.fields.get("etag").and_then(EntityTag::parse);
    if let Some(new) = new.filter(|tag| !tag.is_weak()) {
        return places(&|stored| stored.etag().is_some_and(|old| old.matches_strongly(new)));
    }
    let modified = response.fields.get("last-modified");
    if new.is_some() || modified.is_some() {
        let same = places(&|stored| match new {
            Some(new) => stored.etag().is_some_and(|old| old.matches_weakly(new)),
            None => stored.fields().get("last-modified") == modified,
        });
        let recent = same.into_iter().max_by_key(|&at| stored[at].recency());
        return recent.into_iter().collect();
    }
    // No validator at all, though §15.4.5 of RFC 9110 asks for the ETag: only one response was
    // asked about, so that is the one.
    places(&|stored| std::ptr::eq(stored, &raw const **asked))
}

/// The fields of a stored response once a 304 or a HEAD has updated them (§3.2): what the newer
/// response has replaces what is stored under the same name, and the rest stays.
#[must_use]
pub fn updated_fields(stored: &Fields, newer: &Fields, facts: &Facts) -> Fields {
    if mutant::is(Mutant::KeepsOldFieldsOn304) {
        return stored.clone();
    }
    let replaces =
        |name: &[u8]| storing::is_kept(name, newer, &facts.directives) && !is_of_the_content(name);
    let kept = stored
        .iter()
        .filter(|(name, _)| !(is_excluded(name, facts) || newer.contains(*name) && replaces(name)));
    let added = newer.iter().filter(|(name, _)| replaces(name));
    let updated = sabotage::fields::updated(kept.chain(added).collect(), stored, facts);
    let updated = sabotage::storing::update(stored, newer, facts, updated);
    sabotage::reuse::updated_fields(updated, stored)
}

/// What a newer response now reserves for its own receiver may not stay from the older one.
fn is_excluded(name: &[u8], facts: &Facts) -> bool {
    facts.directives.private.names(name) || facts.directives.no_cache.names(name)
}

/// Fields on which the reading of the stored octets depends; they stay as they are (§3.2).
fn is_of_the_content(name: &[u8]) -> bool {
    storing::is_one_of(name, &["content-encoding", "content-range"])
}

/// The fields of a 304 that are for the one who asked, but not for the store: they go with the
/// answer to the request that was validated.
#[must_use]
pub fn fields_for_asker(newer: &Fields, facts: &Facts) -> Fields {
    newer
        .iter()
        .filter(|(name, _)| is_excluded(name, facts) && !storing::is_of_connection(name, newer))
        .collect()
}

/// Whether the response to a HEAD describes the stored response to a GET (§4.3.5); if not, that
/// one is stale from now on.
#[must_use]
pub fn head_agrees(stored: &Stored, head: &Fields) -> bool {
    let same = |name: &str| {
        head.get(name).is_none_or(|new| stored.fields().get(name).is_some_and(|old| old == new))
    };
    let length = || {
        head.get("content-length").is_none_or(|length| {
            std::str::from_utf8(length).ok().and_then(|length| length.parse().ok())
                == stored.complete_length()
        })
    };
    let found = same("etag") && same("last-modified") && length();
    sabotage::reuse::head_agrees(found, stored, head)
}

/// Whether a status tells that the origin failed, in the sense of `stale-if-error`
/// (RFC 5861 §4).
#[must_use]
pub fn is_failure(status: u16) -> bool {
    sabotage::fields::is_failure(matches!(status, 500 | 502 | 503 | 504), status)
}
