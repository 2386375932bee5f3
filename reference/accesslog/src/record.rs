//! What is known of one request when it is over.

use std::time::Duration;

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// An instant, and the time zone in which the log shows it.
#[derive(Clone, Copy, Debug)]
pub struct When<'a> {
    /// The instant.
    pub timestamp: Timestamp,
    /// The site's time zone.
    pub zone: &'a TimeZone,
}

impl<'a> From<&'a Zoned> for When<'a> {
    fn from(zoned: &'a Zoned) -> Self {
        Self { timestamp: zoned.timestamp(), zone: zoned.time_zone() }
    }
}

/// One request, as the log sees it. Everything but the moment of completion may be missing.
///
/// Bytes are as they came over the wire, neither decoded nor checked; the log escapes them. Start
/// from [`Record::at`] and fill in what there is:
///
/// ```
/// use edgeproof_accesslog::Record;
/// let now: jiff::Zoned = "2018-07-16T12:04:07+02:00[Europe/Paris]".parse()?;
/// let record = Record { status: Some(200), client_ip: Some(b"127.0.0.1"), ..Record::at(&now) };
/// # assert_eq!(record.status, Some(200));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// The client's address: the peer's, or what a trusted peer says.
    pub client_ip: Option<&'a [u8]>,
    /// The address at the other end of the connection.
    pub peer_ip: Option<&'a [u8]>,
    /// `http`, `https` or `ws`.
    pub protocol: Option<&'a [u8]>,
    /// The TLS version, as `TLSv1.3`.
    pub ssl_version: Option<&'a [u8]>,
    /// What the logs of one request have in common: UNIQUE_ID of a firewall's rules.
    pub unique_id: Option<&'a [u8]>,
    /// The first line of the request, as received.
    pub request: Option<&'a [u8]>,
    /// The host asked for.
    pub request_hostname: Option<&'a [u8]>,
    /// The method.
    pub request_method: Option<&'a [u8]>,
    /// The path with its query.
    pub request_path: Option<&'a [u8]>,
    /// The protocol in the request line, as `HTTP/1.1`.
    pub request_protocol: Option<&'a [u8]>,
    /// The request's header fields.
    pub request_fields: &'a dyn Fields,
    /// The response's header fields, as they were sent.
    pub response_fields: &'a dyn Fields,
    /// When the request was received.
    pub received: Option<When<'a>>,
    /// When the request was over.
    pub completion: When<'a>,
    /// How long that took.
    pub duration: Option<Duration>,
    /// Octets of the response's body, without the header.
    pub response_size: Option<u64>,
    /// The status sent.
    pub status: Option<u16>,
}

impl<'a> Record<'a> {
    /// A request that was over at `completion` and of which nothing else is known yet.
    pub fn at(completion: impl Into<When<'a>>) -> Self {
        Self {
            client_ip: None,
            peer_ip: None,
            protocol: None,
            ssl_version: None,
            unique_id: None,
            request: None,
            request_hostname: None,
            request_method: None,
            request_path: None,
            request_protocol: None,
            request_fields: &NoFields,
            response_fields: &NoFields,
            received: None,
            completion: completion.into(),
            duration: None,
            response_size: None,
            status: None,
        }
    }
}

/// Header fields to look up by name.
///
/// `referer` and `user_agent` are looked up here too. Several lines of one name are logged as one
/// value, joined by `, ` (RFC 9110 §5.2).
pub trait Fields {
    /// Calls `see` with the value of each field line named `name` (without regard to case), in the
    /// order of the message.
    fn each<'s>(&'s self, name: &str, see: &mut dyn FnMut(&'s [u8]));
}

/// No header fields at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFields;

impl Fields for NoFields {
    fn each<'s>(&'s self, _name: &str, _see: &mut dyn FnMut(&'s [u8])) {}
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Fields for &[(N, V)] {
    fn each<'s>(&'s self, name: &str, see: &mut dyn FnMut(&'s [u8])) {
        for (found, value) in *self {
            if found.as_ref().eq_ignore_ascii_case(name.as_bytes()) {
                see(value.as_ref());
            }
        }
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Fields for Vec<(N, V)> {
    fn each<'s>(&'s self, name: &str, see: &mut dyn FnMut(&'s [u8])) {
        for (found, value) in self {
            if found.as_ref().eq_ignore_ascii_case(name.as_bytes()) {
                see(value.as_ref());
            }
        }
    }
}
