//! `method SP request-target SP HTTP-version` (RFC 9112 §3) and the four forms of a target.

use std::ops::Range;

use crate::grammar::{is_tchar, is_token};
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

/// Bytes of a target: visible ASCII except `#`, which starts a fragment and is never sent, and
/// bytes from 0x80 on.
///
/// RFC 3986 forbids the latter, and `"<>\^{|}` and the backtick. They pass, as with other servers,
/// because old clients and attackers send them: the log and the firewall have to see them.
static TARGET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0x21;
    while byte <= 0xff {
        table[byte] = byte != b'#' as usize && byte != 0x7f;
        byte += 1;
    }
    table
};

fn is_target_byte(byte: u8) -> bool {
    TARGET[usize::from(byte)]
}

/// Reads the request line at `content` of `buf`.
pub(crate) fn parse(buf: &[u8], content: Range<usize>) -> Result<RequestLine, Error> {
    let line = &buf[content.clone()];
    let Some((first, last, version)) = parts(line) else { return Err(mistake(line)) };
    let target = content.start + first + 1..content.start + last;
    let method = content.start..content.start + first;
    let (form, authority, path) = form(&buf[method.clone()], buf, target.clone())?;
    Ok(RequestLine { method, target, version, form, authority, path })
}

/// Where the two spaces of a well-formed line are, and the version after them.
fn parts(line: &[u8]) -> Option<(usize, usize, Version)> {
    let first = line.iter().position(|&byte| !is_tchar(byte))?;
    let target = &line[first + 1..];
    let last = first + 1 + target.iter().position(|&byte| !is_target_byte(byte))?;
    let well_formed = first > 0 && line[first] == b' ' && last > first + 1 && line[last] == b' ';
    let version = version(&line[last + 1..]).ok()?;
    well_formed.then_some((first, last, version))
}

/// The first rule that a line breaks which has not those parts.
fn mistake(line: &[u8]) -> Error {
    if line.contains(&b'\r') {
        return Error::BareCr;
    }
    let spaces = memchr::memchr(b' ', line).zip(memchr::memrchr(b' ', line));
    let Some((first, last)) = spaces else { return Error::BadRequestLine };
    if !is_token(&line[..first]) {
        return Error::BadMethod;
    }
    if first == last {
        return Error::BadRequestLine;
    }
    version(&line[last + 1..]).err().unwrap_or(Error::BadTarget)
}

/// `HTTP/` digit `.` digit; only major version 1 is spoken here (RFC 9110 §2.5). A major version 0
/// is none at all: HTTP/0.9 had no version in its request line.
pub(crate) fn version(text: &[u8]) -> Result<Version, Error> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'1'..=b'9', b'.', b'0'..=b'9'] => {
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
