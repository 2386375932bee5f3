//! The cache key: method GET and the target URI (RFC 9111 §2), and the resolution of references
//! to it.

use smallvec::SmallVec;

use crate::{Request, Scheme, sabotage};

/// A key being looked up; the usual length needs no allocation.
pub(crate) type KeyBuf = SmallVec<[u8; 256]>;

/// The target URI of a request in its normal form (RFC 9110 §4.2.3, RFC 3986 §6.2.2): scheme and
/// host in lower case, no default port, `/` for an empty path, percent-encoding only where it is
/// needed and in upper case.
pub(crate) fn of(request: &Request<'_>) -> KeyBuf {
    of_parts(request.scheme, request.authority, request.target)
}

pub(crate) fn of_parts(scheme: Scheme, authority: &[u8], target: &[u8]) -> KeyBuf {
    let mut key = KeyBuf::new();
    push_origin(&mut key, scheme, authority);
    if !target.starts_with(b"/") {
        key.push(b'/');
    }
    push_normalised(&mut key, target);
    sabotage::reuse::key(&mut key);
    key
}

/// Scheme and authority in normal form: what two URIs of one origin share (RFC 9110 §4.3.1).
fn origin(scheme: Scheme, authority: &[u8]) -> KeyBuf {
    let mut key = KeyBuf::new();
    push_origin(&mut key, scheme, authority);
    key
}

/// Appends the same.
fn push_origin(key: &mut KeyBuf, scheme: Scheme, authority: &[u8]) {
    key.extend_from_slice(scheme.prefix());
    let (host, port) = split_port(authority);
    let start = key.len();
    key.extend_from_slice(host);
    key[start..].make_ascii_lowercase();
    if !port.is_empty() && port != scheme.default_port() {
        key.push(b':');
        key.extend_from_slice(port);
    }
}

/// Host and port of an authority; userinfo is no part of an origin.
fn split_port(authority: &[u8]) -> (&[u8], &[u8]) {
    if memchr::memchr2(b'@', b':', authority).is_none() {
        return (authority, b"");
    }
    let at = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
    let authority = &authority[at..];
    match memchr::memrchr(b':', authority) {
        Some(colon) if authority[colon + 1..].iter().all(u8::is_ascii_digit) => {
            (&authority[..colon], &authority[colon + 1..])
        }
        _ => (authority, b""),
    }
}

/// Appends `text` with the percent-encodings of unreserved characters decoded and the others in
/// upper case: both are the same URI (RFC 3986 §6.2.2.1 and §6.2.2.2).
pub(crate) fn push_normalised(key: &mut KeyBuf, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        key.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        match encoded(rest) {
            Some(byte) if is_unreserved(byte) => {
                key.push(byte);
                rest = &rest[3..];
            }
            Some(_) => {
                key.extend(rest[..3].iter().map(u8::to_ascii_uppercase));
                rest = &rest[3..];
            }
            None => {
                key.push(b'%');
                rest = &rest[1..];
            }
        }
    }
    key.extend_from_slice(rest);
}

/// Whether a target encodes what need not be encoded. By its key it is the same URI, and what is stored of that answers
/// it. But some origins tell such URIs apart, and what they say to `/%61bout` must not be what others get of `/about`.
pub(crate) fn is_respelled(target: &[u8]) -> bool {
    memchr::memchr_iter(b'%', target).any(|at| encoded(&target[at..]).is_some_and(is_unreserved))
}

/// RFC 3986 §2.3
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// The byte that the percent-encoding at the start of `text` stands for.
pub(crate) fn encoded(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The key that `reference`, found in a response to `request`, points at, if it is of the same
/// origin (RFC 9111 §4.4, RFC 3986 §5.2).
pub(crate) fn same_origin(request: &Request<'_>, reference: &[u8]) -> Option<KeyBuf> {
    let end = reference.iter().position(|&byte| byte == b'#').unwrap_or(reference.len());
    let reference = &reference[..end];
    let (scheme, rest) = match scheme_of(reference) {
        None => (request.scheme, reference),
        Some((scheme, rest)) => (scheme?, rest),
    };
    let Some(rest) = rest.strip_prefix(b"//") else {
        // `http:path` is no absolute URI of HTTP.
        let target = (rest.len() == reference.len()).then(|| resolve(request.target, rest))?;
        return Some(of_parts(request.scheme, request.authority, &target));
    };
    let end = rest.iter().position(|byte| b"/?".contains(byte)).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if origin(scheme, authority) != origin(request.scheme, request.authority) {
        return None;
    }
    Some(of_parts(scheme, authority, &without_dots(target)))
}

/// The scheme of a reference that has one (`None` within if it is not HTTP's), and the rest.
fn scheme_of(reference: &[u8]) -> Option<(Option<Scheme>, &[u8])> {
    let colon = reference.iter().position(|byte| b":/?".contains(byte))?;
    if reference[colon] != b':' || !reference[0].is_ascii_alphabetic() {
        return None;
    }
    let scheme = match reference[..colon].to_ascii_lowercase().as_slice() {
        b"http" => Some(Scheme::Http),
        b"https" => Some(Scheme::Https),
        _ => None,
    };
    Some((scheme, &reference[colon + 1..]))
}

/// Resolves a reference without scheme and authority against a target.
fn resolve(base: &[u8], reference: &[u8]) -> Vec<u8> {
    let query = base.iter().position(|&byte| byte == b'?').unwrap_or(base.len());
    let path = &base[..query];
    match reference.first() {
        None => base.to_vec(),
        Some(b'/') => without_dots(reference),
        Some(b'?') => [path, reference].concat(),
        Some(_) => {
            let directory = path.iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
            without_dots(
                &[b"/", path[..directory].strip_prefix(b"/").unwrap_or(b""), reference].concat(),
            )
        }
    }
}

/// Removes the segments `.` and `..` from the path of a target (RFC 3986 §5.2.4).
fn without_dots(target: &[u8]) -> Vec<u8> {
    let query = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
    let (path, query) = target.split_at(query);
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut parts = path.strip_prefix(b"/").unwrap_or(path).split(|&byte| byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            b"." | b".." => {
                if part == b".." {
                    segments.pop();
                }
                if last {
                    segments.push(b"");
                }
            }
            _ => segments.push(part),
        }
    }
    [b"/", segments.join(&b'/').as_slice(), query].concat()
}
