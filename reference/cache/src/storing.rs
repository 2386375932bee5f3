//! Which responses are stored (RFC 9111 §3), and what of them (§3.1).

use edgeproof_http1::Fields;

use crate::directives::Scope;
use crate::message::FINAL;
use crate::{
    Facts, Policy, Request, Response, ResponseDirectives, freshness, key, list, range, sabotage,
    vary,
};
use edgeproof_mutant::{self as mutant, Mutant};

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStored {
    /// Only responses to GET and HEAD are, and those to POST that are for GET.
    Method,
    /// The request has content, a precondition or another sign that its response is not simply
    /// the target's representation.
    Request,
    /// The status code is not final, or the cache does not understand it and has to.
    Status,
    /// A part of which it cannot be told where it belongs (§3.3).
    Part,
    /// `no-store` in the request or in the response (§5.2.1.5, §5.2.2.5).
    NoStore,
    /// `private` without field names (§5.2.2.7).
    Private,
    /// The request has Authorization, and nothing in the response allows storing (§3.5).
    Authorization,
    /// Neither an explicit lifetime nor a status code that allows a heuristic one (§3).
    NoLifetime,
    /// `Vary: *`: no request would ever match (§4.1).
    VaryAny,
    /// It could never be used: not fresh for a moment, and nothing to validate it by.
    Useless,
    /// Larger than the store takes.
    TooLarge,
    /// Refused by the policy `hosting`: Set-Cookie.
    SetCookie,
    /// Refused by the policy `hosting`: no Content-Type, or none of text.
    NoText,
    /// Refused by the policy `hosting`: neither ETag nor Last-Modified.
    NoValidator,
    /// Refused by the policy `hosting`: `no-transform`.
    NoTransform,
}

/// Decides whether a shared cache stores a response (RFC 9111 §3).
///
/// # Errors
/// The first reason found not to.
pub fn decide(
    request: &Request<'_>,
    response: Response<'_>,
    facts: &Facts,
    policy: Policy,
) -> Result<(), NotStored> {
    sabotage::storing::decision(
        request,
        response,
        facts,
        permitted(request, response, facts, policy),
    )
}

fn permitted(
    request: &Request<'_>,
    response: Response<'_>,
    facts: &Facts,
    policy: Policy,
) -> Result<(), NotStored> {
    let directives = &facts.directives;
    match request.method {
        b"GET" | b"HEAD" if request.has_content() => return Err(NotStored::Request),
        b"GET" | b"HEAD" => {}
        b"POST" if post_is_for_get(request, response, facts) => {}
        _ => return Err(NotStored::Method),
    }
    status(facts)?;
    if facts.status == 206 && range::of_part(response.fields).is_none() {
        return Err(NotStored::Part);
    }
    if is_no_store(facts) || request_is_no_store(request) {
        return Err(NotStored::NoStore);
    }
    if directives.private == Scope::Response && !mutant::is(Mutant::IgnoresPrivate) {
        return Err(NotStored::Private);
    }
    if request.fields.contains("authorization") && !allows_authorization(directives) {
        return Err(NotStored::Authorization);
    }
    if freshness::explicit(facts).is_none() && !freshness::is_heuristically_cacheable(facts) {
        return Err(NotStored::NoLifetime);
    }
    if vary::is_any(response.fields) {
        return Err(NotStored::VaryAny);
    }
    useful(facts, policy)?;
    match policy {
        Policy::Rfc9111 { .. } => Ok(()),
        Policy::Hosting { .. } => hosting(response.fields, facts),
    }
}

/// Whether the response to a POST is what a GET of the same target would bring: it says so by
/// Content-Location, and for how long (RFC 9110 §9.3.3).
fn post_is_for_get(request: &Request<'_>, response: Response<'_>, facts: &Facts) -> bool {
    let mut lines = response.fields.get_all("content-location");
    let (Some(location), None) = (lines.next(), lines.next()) else { return false };
    facts.status == 200
        && freshness::explicit(facts).is_some()
        && key::same_origin(request, location).is_some_and(|named| named == key::of(request))
}

fn status(facts: &Facts) -> Result<(), NotStored> {
    let storable = match facts.status {
        // An answer to a precondition or a range is none for the next request.
        304 | 412 | 416 => false,
        status if facts.directives.must_understand => is_understood(status),
        status => FINAL.contains(&status),
    };
    if storable { Ok(()) } else { Err(NotStored::Status) }
}

/// The status codes whose caching rules (RFC 9110 §15) this cache implements.
fn is_understood(status: u16) -> bool {
    matches!(status, 200..=206 | 300..=303 | 305 | 307 | 308 | 400..=411 | 413..=415 | 417 | 421
        | 422 | 426 | 500..=505)
}

/// `no-store`, unless `must-understand` stands beside it and the status code is understood
/// (RFC 9111 §5.2.2.3), which [`status`] has made sure of.
fn is_no_store(facts: &Facts) -> bool {
    facts.directives.no_store
        && !facts.directives.must_understand
        && !mutant::is(Mutant::IgnoresNoStore)
}

fn request_is_no_store(request: &Request<'_>) -> bool {
    request.directives().no_store && !mutant::is(Mutant::IgnoresNoStore)
}

/// RFC 9111 §3.5
fn allows_authorization(directives: &ResponseDirectives) -> bool {
    directives.public
        || directives.must_revalidate
        || directives.s_maxage.is_some()
        || mutant::is(Mutant::IgnoresAuthorization)
}

/// Storing what can never be reused only pushes out what can.
fn useful(facts: &Facts, policy: Policy) -> Result<(), NotStored> {
    let lifetime = freshness::lifetime(facts, policy).seconds;
    let directives = &facts.directives;
    let ever_unvalidated = directives.no_cache != Scope::Response
        && (lifetime.millis() > facts.initial_age
            || directives.stale_while_revalidate.is_some()
            || directives.stale_if_error.is_some());
    if ever_unvalidated || facts.has_validator() { Ok(()) } else { Err(NotStored::Useless) }
}

/// What the policy `hosting` refuses beyond the RFC.
fn hosting(fields: &Fields, facts: &Facts) -> Result<(), NotStored> {
    if fields.contains("set-cookie") && !mutant::is(Mutant::HostingStoresSetCookie) {
        Err(NotStored::SetCookie)
    } else if !fields.get("content-type").is_some_and(is_text) {
        Err(NotStored::NoText)
    } else if !facts.has_validator() {
        Err(NotStored::NoValidator)
    } else if facts.directives.no_transform {
        Err(NotStored::NoTransform)
    } else {
        Ok(())
    }
}

/// Whether a Content-Type is text or a format written in text.
fn is_text(content_type: &[u8]) -> bool {
    let end = content_type.iter().position(|&byte| byte == b';').unwrap_or(content_type.len());
    let essence = list::trim(&content_type[..end]).to_ascii_lowercase();
    match essence.as_slice() {
        b"application/ecmascript"
        | b"application/graphql"
        | b"application/javascript"
        | b"application/json"
        | b"application/sql"
        | b"application/toml"
        | b"application/x-javascript"
        | b"application/x-ndjson"
        | b"application/x-sh"
        | b"application/x-yaml"
        | b"application/xml"
        | b"application/yaml" => true,
        other => {
            other.starts_with(b"text/")
                || [&b"+json"[..], b"+xml", b"+yaml"].iter().any(|suffix| other.ends_with(suffix))
        }
    }
}

/// The field lines of a response that a shared cache stores (RFC 9111 §3.1): not those of one
/// connection (RFC 9110 §7.6.1) or one proxy, not those that `private` or `no-cache` name, not
/// Age, Content-Length, Warning and a part's Content-Range, which the cache makes itself or drops. A
/// Date is added where there is no valid one (RFC 9110 §6.6.1).
#[must_use]
pub fn stored_fields(fields: &Fields, facts: &Facts) -> Fields {
    let is_part = facts.status == 206;
    let kept = fields.iter().filter(|(name, _)| {
        is_kept(name, fields, &facts.directives)
            && !(is_part && name.eq_ignore_ascii_case(b"content-range"))
    });
    // A fresh list: the received one holds on to the buffer it was read into.
    let mut stored: Fields = kept.collect();
    let valid = stored.get("date").is_some_and(|date| {
        crate::date::parse(date, crate::Moment::from_second(facts.date)).is_some()
    });
    if !valid {
        stored.set("Date", crate::date::format(facts.date));
    }
    sabotage::storing::stored_fields(stored)
}

pub(crate) fn is_kept(name: &[u8], fields: &Fields, directives: &ResponseDirectives) -> bool {
    !is_one_of(name, &MADE_BY_THE_CACHE)
        && !name.eq_ignore_ascii_case(b"warning")
        && (mutant::is(Mutant::StoresHopByHop) || !is_of_connection(name, fields))
        && !directives.private.names(name)
        && !directives.no_cache.names(name)
}

const MADE_BY_THE_CACHE: [&str; 2] = ["age", "content-length"];

const OF_CONNECTIONS: [&str; 11] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field of this name is in no stored response, whatever else is: a second one beside what
/// each answer brings with it would break the message apart.
pub(crate) fn is_never_kept(name: &[u8]) -> bool {
    is_one_of(name, &MADE_BY_THE_CACHE) || is_one_of(name, &OF_CONNECTIONS)
}

/// Whether a field is about one connection or one proxy only.
pub(crate) fn is_of_connection(name: &[u8], fields: &Fields) -> bool {
    is_one_of(name, &OF_CONNECTIONS)
        || fields
            .get_all("connection")
            .flat_map(list::members)
            .any(|listed| listed.eq_ignore_ascii_case(name))
}

pub(crate) fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}
