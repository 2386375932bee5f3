//! `uri-host [":" port]` (RFC 3986 §3.2.2), as in Host and in an absolute-form target.

use bytes::Bytes;

/// A host and an optional port, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    text: Bytes,
    host_len: usize,
    port: Option<u16>,
}

impl Authority {
    /// Reads `text`; `None` if it is not a non-empty `uri-host [":" port]` (user information and
    /// an empty host are refused, RFC 9110 §4.2.1, §4.2.4).
    #[must_use]
    pub fn parse(text: Bytes) -> Option<Self> {
        let host_len = match text.first()? {
            b'[' => ip_literal(&text)?,
            _ => reg_name(&text)?,
        };
        let port = match &text[host_len..] {
            [] | [b':'] => None,
            [b':', digits @ ..] if digits.len() <= 5 => {
                Some(u16::try_from(crate::grammar::decimal(digits)?).ok()?)
            }
            _ => return None,
        };
        Some(Self { text, host_len, port })
    }

    /// The host as written, brackets of an IPv6 address included.
    #[must_use]
    pub fn host(&self) -> &[u8] {
        &self.text[..self.host_len]
    }

    /// The port, if one is written.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Host and port as written.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.text
    }
}

/// The bytes of a reg-name that need no percent-encoding.
static REG_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9'
            | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=');
        byte += 1;
    }
    table
};

/// The length of the reg-name or IPv4 address at the start of `text`, if there is one.
fn reg_name(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += match byte {
            _ if REG_NAME[usize::from(byte)] => 1,
            b'%' if text.get(at + 1..at + 3).is_some_and(is_encoded_character) => 3,
            _ => break,
        };
    }
    (at > 0).then_some(at)
}

/// Whether the two bytes behind a `%` encode what a host name can hold: no control character.
fn is_encoded_character(digits: &[u8]) -> bool {
    let control = matches!(digits, [b'0' | b'1', _] | [b'7', b'f' | b'F']);
    digits.iter().all(u8::is_ascii_hexdigit) && !control
}

/// The length of the bracketed IPv6 address at the start of `text`, if there is one.
fn ip_literal(text: &[u8]) -> Option<usize> {
    let end = memchr::memchr(b']', text)?;
    let inner = std::str::from_utf8(&text[1..end]).ok()?;
    inner.parse::<std::net::Ipv6Addr>().ok()?;
    Some(end + 1)
}
