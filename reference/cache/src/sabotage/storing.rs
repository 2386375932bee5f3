//! Bugs in what is stored and in statuses (RFC 9111 §3, RFC 9110 §15).

use edgeproof_http1::{Fields, Written};
use edgeproof_mutant::{Mutant, is};

use crate::content::Content;
use crate::directives::Scope;
use crate::key::KeyBuf;
use crate::storing::{NotStored, is_one_of};
use crate::{Facts, Form, Fwd, Request, Response};

/// The value of some digits, at most 2^31.
pub(crate) fn seconds(digits: &[u8], value: u64) -> u64 {
    if !is(Mutant::LifetimesWrap) {
        return value;
    }
    let add = |sum: u32, digit: &u8| sum.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'));
    u64::from(digits.iter().fold(0u32, add))
}

/// Why the cache is not asked.
pub(crate) fn bypass(request: &Request<'_>, found: Option<Fwd>) -> Option<Fwd> {
    found.filter(|_| !(is(Mutant::StoresOptions) && request.method == b"OPTIONS"))
}

/// Whether a request gets no other answer than what is stored.
pub(crate) fn refuses(request: &Request<'_>) -> bool {
    let strange = |range: &[u8]| !range.starts_with(b"bytes");
    is(Mutant::RefusesUnknownUnits) && request.fields.get("range").is_some_and(strange)
}

/// What a cache wants to know of a response.
pub(crate) fn facts(mut facts: Facts) -> Facts {
    let directives = &mut facts.directives;
    if is(Mutant::IgnoresMustUnderstand) {
        directives.must_understand = false;
    }
    if is(Mutant::ForgetsPrivateNames) && directives.private != Scope::Response {
        directives.private = Scope::Absent;
    }
    facts
}

/// Whether a response is stored.
pub(crate) fn decision(
    request: &Request<'_>,
    response: Response<'_>,
    facts: &Facts,
    found: Result<(), NotStored>,
) -> Result<(), NotStored> {
    let directives = &facts.directives;
    let of = |name: &str| request.fields.get(name).unwrap_or_default();
    let says_public = || {
        let mut lines = response.fields.get_all("cache-control");
        lines.any(|line| line.windows(6).any(|word| word == b"public"))
    };
    let overlooked = match found {
        Ok(()) if is(Mutant::KeepsNoParts) && facts.status == 206 => return Err(NotStored::Part),
        Ok(()) => false,
        Err(NotStored::Method) => is(Mutant::StoresOptions) && request.method == b"OPTIONS",
        Err(NotStored::Status) => {
            is(Mutant::Stores304) && facts.status == 304
                || is(Mutant::MustUnderstandBeatsNoStore) && directives.no_store
        }
        Err(NotStored::Part) => takes_for_whole(response),
        Err(NotStored::Authorization) => {
            is(Mutant::AuthorizationOfBasicOnly) && !of("authorization").starts_with(b"Basic ")
                || is(Mutant::ProxyRevalidateOpens) && directives.proxy_revalidate
                || is(Mutant::OpensByQuotedPublic) && says_public()
        }
        Err(_) => false,
    };
    if overlooked { Ok(()) } else { found }
}

/// Whether a 206 is stored as a 200 that has everything.
pub(crate) fn takes_for_whole(response: Response<'_>) -> bool {
    is(Mutant::TakesMultipartForWhole) && !response.fields.contains("content-range")
}

/// The fields that are stored.
pub(crate) fn stored_fields(mut found: Fields) -> Fields {
    if is(Mutant::DropsUnknownFields) {
        found.retain(|name, _| !name.to_ascii_lowercase().starts_with(b"x-"));
    }
    if is(Mutant::StripsSetCookie) {
        found.remove("set-cookie");
    }
    if is(Mutant::StoresFirstLineOnly) {
        let mut seen = Vec::new();
        found.retain(|name, _| {
            let name = name.to_ascii_lowercase();
            let first = !seen.contains(&name);
            seen.push(name);
            first
        });
    }
    found
}

/// The header of a stored response that has trailers.
pub(crate) fn with_trailers(fields: Box<[u8]>, trailers: &Fields) -> Box<[u8]> {
    if !is(Mutant::MergesTrailers) {
        return fields;
    }
    let mut merged = Written::new(&fields).to_fields();
    merged.extend(trailers.iter());
    merged.to_written()
}

/// The fields of a stored response once a newer one has updated them.
pub(crate) fn update(stored: &Fields, newer: &Fields, facts: &Facts, mut found: Fields) -> Fields {
    if is(Mutant::CombinedKeepsOldFields) && facts.status == 206 {
        return stored.clone();
    }
    let of_content = |name: &[u8]| name.to_ascii_lowercase().starts_with(b"content-");
    let mut put = |from: &Fields, of: &dyn Fn(&[u8]) -> bool| {
        found.retain(|name, _| !of(name));
        found.extend(from.iter().filter(|(name, _)| of(name)));
    };
    if is(Mutant::OmitsContentFields) {
        put(stored, &of_content);
    }
    if is(Mutant::TakesConnectionFieldsFrom304) {
        let named: Vec<_> = newer.get_all("connection").flat_map(crate::list::members).collect();
        put(newer, &|name| named.iter().any(|it| it.eq_ignore_ascii_case(name)));
    }
    if is(Mutant::AddsBesideOldLines) {
        let older = stored.iter().filter(|(name, _)| {
            newer.contains(*name) && !is_one_of(name, &["date", "etag", "cache-control"])
        });
        return older.chain(found.iter()).collect();
    }
    found
}

/// The content of a stored response once a newer one has updated it.
pub(crate) fn updated_content(newer: Response<'_>, found: Content) -> Content {
    let length = || -> Option<usize> {
        std::str::from_utf8(newer.fields.get("content-length")?).ok()?.parse().ok()
    };
    match (&found, length()) {
        (Content::Whole(bytes), Some(length))
            if is(Mutant::TakesLengthFrom304) && length < bytes.len() =>
        {
            Content::Whole(bytes.slice(..length))
        }
        _ => found,
    }
}

/// The keys that an unsafe request invalidates.
pub(crate) fn invalidated(response: Response<'_>, found: Vec<KeyBuf>) -> Vec<KeyBuf> {
    let registered = matches!(response.status, 200..=208 | 226 | 300..=305 | 307 | 308);
    if is(Mutant::UnknownSuccessIsNone) && !registered { Vec::new() } else { found }
}

/// The fields of a request that is forwarded.
pub(crate) fn prepared(validates: bool, fields: &mut Fields) {
    if is(Mutant::DropsClientConditions) && !validates {
        fields.remove("if-none-match");
        fields.remove("if-modified-since");
    }
}

/// Whether a stored field is sent in this form of answer.
pub(crate) fn is_sent(form: &Form, name: &[u8], found: bool) -> bool {
    let among = |names: &[&str]| is_one_of(name, names);
    match form {
        Form::NotModified => {
            found
                && !(is(Mutant::NotModifiedDropsExpires) && among(&["expires"])
                    || is(Mutant::NotModifiedDropsVary) && among(&["vary"]))
                || is(Mutant::DescribesContentIn304)
        }
        Form::Part(part) => {
            found
                && (!is(Mutant::PartsDropFields) || among(&["date", "content-type"]))
                && !(is(Mutant::PartsDropRepresentationFields)
                    && among(&["content-language", "last-modified"]))
                || is(Mutant::RepeatsFieldsToIfRange)
                    && part.is_rest
                    && !(part.content_type.is_some() && among(&["content-type"]))
        }
        Form::Whole | Form::Unsatisfiable => found,
    }
}
