//! What a message loses and gains on its way through (RFC 9110 §7.6).

use edgeproof_http1::{Fields, Version, list_items};

use crate::forwarded;
use edgeproof_mutant::{self as mutant, Mutant};

/// Fields of one connection (RFC 9110 §7.6.1, and RFC 7540 §3.2.1 for what came with `Upgrade: h2c`), and those by which
/// a client and its proxy authenticate to each other (§11.7).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Fields that Connection must not take away: what routes and frames a message, and what tells
/// the origin where it came from.
const NOT_REMOVABLE: [&str; 8] = [
    "content-length",
    "forwarded",
    "host",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Fields that a trailer section may not bring (RFC 9110 §6.5.1): framing, routing, controls and conditions of the
/// request, authentication, control of the response.
const NOT_IN_TRAILERS: [&str; 27] = [
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "te",
    "trailer",
    "vary",
    "www-authenticate",
];

fn is_one_of(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}

/// The names in Connection that are removed with it.
fn named(fields: &Fields) -> impl Iterator<Item = &[u8]> {
    fields
        .get_all("connection")
        .flat_map(list_items)
        .filter(|name| !is_one_of(name, &NOT_REMOVABLE))
}

/// Whether Connection names other fields than those that are of one connection anyway.
pub(crate) fn connection_names_others(fields: &Fields) -> bool {
    named(fields).any(|name| !is_one_of(name, &HOP_BY_HOP) && !name.eq_ignore_ascii_case(b"close"))
}

/// Removes what Connection names, and leaves the fields of one connection.
pub(crate) fn strip_named(fields: &mut Fields) {
    if mutant::is(Mutant::KeepsConnectionNamed) {
        return;
    }
    let named: Vec<Vec<u8>> = named(fields).map(<[u8]>::to_vec).collect();
    fields.retain(|name, _| {
        is_one_of(name, &HOP_BY_HOP) || !named.iter().any(|other| name.eq_ignore_ascii_case(other))
    });
}

/// Removes the fields of one connection and those that Connection names.
pub(crate) fn strip(fields: &mut Fields) {
    if mutant::is(Mutant::KeepsHopByHop) {
        // Framing is never forwarded as it came, not even by a mutant.
        fields.remove("transfer-encoding");
        return;
    }
    strip_named(fields);
    fields.retain(|name, _| !is_one_of(name, &HOP_BY_HOP));
}

/// Removes fields whose names have an underscore and pass for one that this proxy sends or removes: CGI and what follows
/// it (RFC 3875 §4.1.18; WSGI, Rack) make one variable of both.
pub(crate) fn strip_lookalikes(fields: &mut Fields) {
    if mutant::is(Mutant::KeepsLookalikes) {
        return;
    }
    fields.retain(|name, _| {
        let Some(name) = folded(name) else { return true };
        !is_one_of(&name, &HOP_BY_HOP)
            && !is_one_of(&name, &NOT_REMOVABLE)
            && !forwarded::is_word_of_a_proxy(&name)
    });
}

/// A name with an underscore in lower case, with `-` in its place.
fn folded(name: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'_', name)?;
    Some(
        name.iter()
            .map(|&byte| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() })
            .collect(),
    )
}

/// The trailers of which a recipient may make use: no word of a proxy is among them, which some recipients would take
/// for one of the head.
pub(crate) fn clean_trailers(trailers: &mut Fields) {
    strip_lookalikes(trailers);
    trailers.retain(|name, _| {
        !is_one_of(name, &HOP_BY_HOP)
            && !is_one_of(name, &NOT_IN_TRAILERS)
            && (mutant::is(Mutant::KeepsLookalikes)
                || !forwarded::is_word_of_a_proxy(&name.to_ascii_lowercase()))
    });
}

/// Adds this hop to Via, with the version in which the message came (RFC 9110 §7.6.3).
pub(crate) fn add_via(fields: &mut Fields, received: Version) {
    if mutant::is(Mutant::NoVia) {
        return;
    }
    let hop = match received {
        Version::Http10 => "1.0 edgeproof",
        Version::Http11 => "1.1 edgeproof",
    };
    append(fields, "Via", hop);
}

/// Adds an element to a list field; the lines that are there become one with it.
pub(crate) fn append(fields: &mut Fields, name: &str, element: &str) {
    let mut all: Vec<&[u8]> = fields.get_all(name).filter(|value| !value.is_empty()).collect();
    if all.is_empty() {
        return fields.set(name, element);
    }
    all.push(element.as_bytes());
    let joined = all.join(&b", "[..]);
    fields.set(name, joined);
}
