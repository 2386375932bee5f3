//! The two messages as the cache sees them: borrowed, as received.

use std::ops::RangeInclusive;

use edgeproof_http1::Fields;

use crate::{EntityTag, Moment, RequestDirectives, ResponseDirectives, age, date, sabotage};

/// A URI scheme that HTTP is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`, port 80
    Http,
    /// `https`, port 443
    Https,
}

impl Scheme {
    pub(crate) const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Http => b"http://",
            Self::Https => b"https://",
        }
    }

    pub(crate) const fn default_port(self) -> &'static [u8] {
        match self {
            Self::Http => b"80",
            Self::Https => b"443",
        }
    }
}

/// A request, as received from the client: its fields before any that the proxy adds or removes.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, case-sensitive.
    pub method: &'a [u8],
    /// How the client reached the site.
    pub scheme: Scheme,
    /// Host, or the authority of an absolute-form target.
    pub authority: &'a [u8],
    /// Path and query (origin-form, RFC 9112 §3.2.1).
    pub target: &'a [u8],
    /// The header fields.
    pub fields: &'a Fields,
}

impl Request<'_> {
    /// The request's cache directives.
    #[must_use]
    pub fn directives(&self) -> RequestDirectives {
        RequestDirectives::of(self.fields)
    }

    /// Whether the method is safe (RFC 9110 §9.2.1, and those registered as safe elsewhere). One
    /// that is not known counts as unsafe (RFC 9111 §4.4).
    #[must_use]
    pub fn is_safe(&self) -> bool {
        const SAFE: [&[u8]; 9] = [
            b"GET",
            b"HEAD",
            b"OPTIONS",
            b"TRACE",
            b"PRI",
            b"PROPFIND",
            b"QUERY",
            b"REPORT",
            b"SEARCH",
        ];
        SAFE.contains(&self.method)
    }

    /// Whether content comes with the request. That of a GET means nothing to a cache key, so
    /// such a request goes round the cache: an origin that reads it could be made to poison it.
    pub(crate) fn has_content(&self) -> bool {
        self.fields.contains("transfer-encoding")
            || self.fields.get_all("content-length").any(|length| length != b"0")
    }
}

/// A final response, as received from the origin.
#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub fields: &'a Fields,
}

/// When a response was asked for and when its header section had arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// `request_time` of RFC 9111 §4.2.3
    pub request: Moment,
    /// `response_time` of RFC 9111 §4.2.3
    pub response: Moment,
}

impl Times {
    /// Both at one instant.
    #[must_use]
    pub const fn at(moment: Moment) -> Self {
        Self { request: moment, response: moment }
    }
}

/// What a cache wants to know of a response, read from its fields once.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The status code.
    pub status: u16,
    /// The cache directives.
    pub directives: ResponseDirectives,
    /// Expires, in seconds since the epoch; an invalid one lies in the past (RFC 9111 §5.3).
    pub expires: Option<i64>,
    /// Date, in seconds since the epoch; the time of arrival where there is no valid one
    /// (RFC 9110 §6.6.1).
    pub date: i64,
    /// Last-Modified, if valid.
    pub last_modified: Option<i64>,
    /// Whether there is a valid ETag.
    pub has_etag: bool,
    /// `corrected_initial_age` in milliseconds (RFC 9111 §4.2.3).
    pub initial_age: i64,
}

impl Facts {
    /// Reads the facts of a response.
    #[must_use]
    pub fn of(response: Response<'_>, times: Times) -> Self {
        let fields = response.fields;
        let read = |name| fields.get(name).map(|value| date::parse(value, times.response));
        let date = read("date").flatten().unwrap_or(times.response.second());
        let age = age::value(fields).unwrap_or_default();
        let directives = ResponseDirectives::of(fields);
        let expires = read("expires").filter(|_| !directives.targeted);
        let expires = expires.map(|expires| expires.unwrap_or(i64::MIN));
        let facts = Self {
            status: response.status,
            directives,
            expires: sabotage::fields::expires(expires),
            date,
            last_modified: read("last-modified").flatten(),
            has_etag: fields.get("etag").and_then(EntityTag::parse).is_some(),
            initial_age: age::initial_millis(age, date, times.request, times.response),
        };
        sabotage::reuse::facts(sabotage::storing::facts(facts), response, times)
    }

    /// Whether the response can be validated later.
    #[must_use]
    pub const fn has_validator(&self) -> bool {
        self.has_etag || self.last_modified.is_some()
    }
}

/// The status codes of final responses (RFC 9110 §15).
pub(crate) const FINAL: RangeInclusive<u16> = 200..=599;
