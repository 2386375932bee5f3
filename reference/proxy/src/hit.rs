//! The head of a response from the store, written straight from there.

use std::io::Write;

use edgeproof_cache::Reply;
use edgeproof_http1::{Fields, Version, Written, put_fields, put_status_line};

use crate::hop;
use crate::reply::reason;
use edgeproof_mutant::{self as mutant, Mutant};

/// Puts the whole head: what is stored, what this answer adds, and how the connection goes on. With
/// `trailers` the content is chunked, and they are announced (RFC 9110 §6.6.2).
pub(crate) fn put_head(
    out: &mut Vec<u8>,
    reply: &Reply,
    trailers: &Fields,
    connection: Option<&str>,
) {
    let status = reply.status();
    put_status_line(out, Version::Http11, status, reason(status).as_bytes());
    let stored = reply.stored().fields();
    if reply.is_as_stored() && !reply.stored().has_via() {
        // The usual hit: the lines are sent as they lie there.
        out.extend_from_slice(stored.as_bytes());
        put_age_and_status(out, reply);
        if !mutant::is(Mutant::NoVia) {
            out.extend_from_slice(b"Via: 1.1 edgeproof\r\n");
        }
    } else {
        // Via becomes one line with those of the hops before.
        let mut own = Vec::new();
        put_age_and_status(&mut own, reply);
        let mut fields: Fields = reply.fields().collect();
        fields.extend(Written::new(&own).iter());
        hop::add_via(&mut fields, Version::Http11);
        put_fields(out, &fields);
    }
    if !trailers.is_empty() {
        for (name, _) in trailers.iter() {
            out.extend_from_slice(b"Trailer: ");
            out.extend_from_slice(name);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    } else if let Some(length) = reply.content_length() {
        put_number(out, "Content-Length: ", length);
    }
    if let Some(option) = connection {
        out.extend_from_slice(b"Connection: ");
        out.extend_from_slice(option.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

fn put_age_and_status(out: &mut Vec<u8>, reply: &Reply) {
    if let Some(age) = reply.age() {
        put_number(out, "Age: ", age.seconds().into());
    }
    let status = reply.cache_status();
    match status.plain_hit().and_then(|ttl| u64::try_from(ttl).ok()) {
        // What nearly every hit says, without the machinery for the rest.
        Some(ttl) => put_number(out, "Cache-Status: edgeproof; hit; ttl=", ttl),
        None => {
            // Writing to memory does not fail.
            let _ = write!(out, "Cache-Status: {status}\r\n");
        }
    }
}

/// A line whose value is a number.
fn put_number(out: &mut Vec<u8>, name: &str, number: u64) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b"\r\n");
}
