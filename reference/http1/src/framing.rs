//! Where a message's body ends (RFC 9112 §6.3), and whether its connection goes on (§9.3).

use crate::grammar::{decimal, list_items};
use crate::{Error, Fields, Version};
use edgeproof_mutant::{self as mutant, Mutant};

/// How the length of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    Empty,
    /// So many bytes, as Content-Length says.
    Length(u64),
    /// The chunked coding ends it.
    Chunked,
    /// The close of the connection ends it; only in responses.
    UntilClose,
    /// The connection stops being HTTP: 101, or 2xx to CONNECT.
    Tunnel,
}

impl BodyLength {
    /// Whether it is known beforehand that no byte comes.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        matches!(self, Self::Empty | Self::Length(0))
    }
}

/// Whether Connection has the option `option` (lower case; case ignored).
#[must_use]
pub fn has_connection_option(fields: &Fields, option: &str) -> bool {
    fields
        .get_all("connection")
        .flat_map(list_items)
        .any(|item| item.eq_ignore_ascii_case(option.as_bytes()))
}

/// Whether the connection persists after this message (RFC 9112 §9.3).
#[must_use]
pub fn is_persistent(version: Version, fields: &Fields) -> bool {
    if has_connection_option(fields, "close") {
        return false;
    }
    version == Version::Http11 || has_connection_option(fields, "keep-alive")
}

/// The body length of a request; whatever two readers could take differently is refused.
pub(crate) fn of_request(version: Version, fields: &Fields) -> Result<BodyLength, Error> {
    let mut lengths = fields.get_all("content-length");
    let length = lengths.next();
    if fields.contains("transfer-encoding") {
        if length.is_some() && !mutant::is(Mutant::BothLengths) {
            return Err(Error::BothLengths);
        }
        if version == Version::Http10 {
            return Err(Error::TransferEncodingInHttp10);
        }
        return only_chunked(fields).map(|()| BodyLength::Chunked);
    }
    let Some(length) = length else {
        return Ok(BodyLength::Empty);
    };
    if lengths.next().is_some() || length.contains(&b',') {
        return Err(Error::SeveralContentLengths);
    }
    decimal(length).map(BodyLength::Length).ok_or(Error::BadContentLength)
}

/// The body length of a response to a request with `method`.
pub(crate) fn of_response(
    version: Version,
    status: u16,
    method: &[u8],
    fields: &Fields,
) -> Result<BodyLength, Error> {
    let coded = fields.contains("transfer-encoding");
    if coded && fields.contains("content-length") {
        return Err(Error::BothLengths);
    }
    match status {
        101 => return Ok(BodyLength::Tunnel),
        200..=299 if method == b"CONNECT" => return Ok(BodyLength::Tunnel),
        100..=199 | 204 | 304 => return Ok(BodyLength::Empty),
        _ if method == b"HEAD" => return Ok(BodyLength::Empty),
        _ => {}
    }
    if coded {
        if version == Version::Http10 {
            return Err(Error::TransferEncodingInHttp10);
        }
        return only_chunked(fields).map(|()| BodyLength::Chunked);
    }
    agreed_length(fields).map(|length| length.map_or(BodyLength::UntilClose, BodyLength::Length))
}

/// The one value of all Content-Lengths: a repeated equal one is allowed here (RFC 9112 §6.3,
/// item 5).
fn agreed_length(fields: &Fields) -> Result<Option<u64>, Error> {
    let mut agreed = None;
    for value in fields.get_all("content-length") {
        for item in value.split(|&byte| byte == b',') {
            let length = decimal(crate::grammar::trim_ows(item)).ok_or(Error::BadContentLength)?;
            if agreed.is_some_and(|other| other != length) {
                return Err(Error::SeveralContentLengths);
            }
            agreed = Some(length);
        }
    }
    Ok(agreed)
}

/// Holds if the transfer codings are `chunked` and nothing else.
fn only_chunked(fields: &Fields) -> Result<(), Error> {
    const KNOWN: [&str; 6] = ["gzip", "x-gzip", "deflate", "compress", "x-compress", "identity"];
    let codings: Vec<&[u8]> = fields.get_all("transfer-encoding").flat_map(list_items).collect();
    let is = |coding: &[u8], name: &str| coding.eq_ignore_ascii_case(name.as_bytes());
    if let [only] = codings[..]
        && is(only, "chunked")
    {
        return Ok(());
    }
    let known = |coding: &[u8]| is(coding, "chunked") || KNOWN.iter().any(|name| is(coding, name));
    let chunked = codings.iter().filter(|coding| is(coding, "chunked")).count();
    match codings.last() {
        _ if !codings.iter().all(|coding| known(coding)) => Err(Error::UnknownTransferCoding),
        _ if chunked > 1 => Err(Error::ChunkedTwice),
        Some(last) if is(last, "chunked") => Err(Error::UnknownTransferCoding),
        _ => Err(Error::ChunkedNotFinal),
    }
}
