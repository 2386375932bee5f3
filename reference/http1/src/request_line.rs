//! `method SP request-target SP HTTP-version` (RFC 9112 §3) and the four forms of a target.

use std::ops::Range;

use crate::grammar::is_token;
use crate::{Error, Version};

/// The form of a request's target (RFC 9112 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetForm {
    /// `/path?query`
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `host:port`, only with CONNECT
    Authority,
    /// `*`, only with OPTIONS
    Asterisk,
}

/// A request line: ranges into the buffer that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestLine {
    pub(crate) method: Range<usize>,
    pub(crate) target: Range<usize>,
    pub(crate) version: Version,
    pub(crate) form: TargetForm,
    /// The authority within an absolute-form or authority-form target.
    pub(crate) authority: Option<Range<usize>>,
    /// Path and query; empty where the target has none.
    pub(crate) path: Range<usize>,
}

/// Bytes of a target: visible ASCII except `#`, which starts a fragment and is never sent.
///
/// RFC 3986 also forbids `"<>\^{|}` and the backtick. They pass, as with other servers, because
/// old clients and attackers send them: the log and the firewall have to see them.
fn is_target_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && byte != b'#'
}

/// Reads the request line at `content` of `buf`.
pub(crate) fn parse(buf: &[u8], content: Range<usize>) -> Result<RequestLine, Error> {
    let line = &buf[content.clone()];
    if line.contains(&b'\r') {
        return Err(Error::BareCr);
    }
    let first = memchr::memchr(b' ', line).ok_or(Error::BadRequestLine)?;
    let last = memchr::memrchr(b' ', line).ok_or(Error::BadRequestLine)?;
    if !is_token(&line[..first]) {
        return Err(Error::BadMethod);
    }
    if first == last {
        return Err(Error::BadRequestLine);
    }
    let version = version(&line[last + 1..])?;
    let target = content.start + first + 1..content.start + last;
    if target.is_empty() || !buf[target.clone()].iter().all(|&byte| is_target_byte(byte)) {
        return Err(Error::BadTarget);
    }
    let method = content.start..content.start + first;
    let (form, authority, path) = form(&buf[method.clone()], buf, target.clone())?;
    Ok(RequestLine { method, target, version, form, authority, path })
}

/// `HTTP/` digit `.` digit; only major version 1 is spoken here (RFC 9110 §2.5).
pub(crate) fn version(text: &[u8]) -> Result<Version, Error> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Error::UnsupportedVersion)
        }
        _ => Err(Error::BadVersion),
    }
}

type Form = (TargetForm, Option<Range<usize>>, Range<usize>);

/// Which form `target` has, and where in it authority and path lie.
fn form(method: &[u8], buf: &[u8], target: Range<usize>) -> Result<Form, Error> {
    let text = &buf[target.clone()];
    let none = target.end..target.end;
    if method == b"CONNECT" {
        // The port is obligatory here (RFC 9112 §3.2.3).
        let port = memchr::memrchr(b':', text).ok_or(Error::BadTarget)?;
        return if text[0] == b'/' || text.len() == port + 1 {
            Err(Error::BadTarget)
        } else {
            Ok((TargetForm::Authority, Some(target), none))
        };
    }
    if text[0] == b'/' {
        return Ok((TargetForm::Origin, None, target));
    }
    if text == b"*" {
        return match method {
            b"OPTIONS" => Ok((TargetForm::Asterisk, None, none)),
            _ => Err(Error::BadTarget),
        };
    }
    let scheme_len = [&b"http://"[..], b"https://"]
        .iter()
        .find(|scheme| {
            text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .ok_or(Error::BadTarget)?
        .len();
    let start = target.start + scheme_len;
    let end = buf[start..target.end]
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .map_or(target.end, |at| start + at);
    Ok((TargetForm::Absolute, Some(start..end), end..target.end))
}
