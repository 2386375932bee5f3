//! Ranges of a stored complete response (RFC 9110 §14).

use bytes::Bytes;

use crate::{EntityTag, Moment, Request, Stored, date, list};

/// More ranges than this in one request are answered with everything: the multipart overhead
/// is otherwise a cheap way to make much out of little (RFC 9110 §17.15).
const MOST_RANGES: usize = 32;

/// A part of a stored response: 206 (Partial Content).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The content to send.
    pub content: Bytes,
    /// The value of Content-Range, for a single part.
    pub content_range: Option<String>,
    /// The value of Content-Type in place of the stored one, for several parts.
    pub content_type: Option<String>,
}

/// What a request's Range asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// Everything: there is no Range, or it is to be ignored.
    Whole,
    /// One or more parts.
    Part(Part),
    /// Nothing that exists: 416 (Range Not Satisfiable).
    Unsatisfiable,
}

/// Evaluates Range and If-Range against a stored 200 (RFC 9110 §14.2, §13.1.5). A Range that is
/// malformed, in another unit, or of another method than GET is ignored.
#[must_use]
pub fn of(request: &Request<'_>, stored: &Stored, now: Moment) -> Ranged {
    let mut lines = request.fields.get_all("range");
    let (Some(range), None) = (lines.next(), lines.next()) else { return Ranged::Whole };
    if request.method != b"GET" || stored.status() != 200 || !if_range(request, stored, now) {
        return Ranged::Whole;
    }
    let length = stored.body().len();
    let Some(mut ranges) = parse(range, length) else { return Ranged::Whole };
    ranges.retain(|range| range.start < range.end);
    match ranges.as_slice() {
        [] => Ranged::Unsatisfiable,
        [single] => Ranged::Part(Part {
            content: stored.body().slice(single.clone()),
            content_range: Some(content_range(single, length)),
            content_type: None,
        }),
        several if overlap(several) => Ranged::Whole,
        several => Ranged::Part(multipart(several, stored)),
    }
}

type Span = std::ops::Range<usize>;

/// If-Range compares strongly; a date has to be exactly Last-Modified, and that a second or
/// more older than the response (RFC 9110 §8.8.2.2).
fn if_range(request: &Request<'_>, stored: &Stored, now: Moment) -> bool {
    let Some(condition) = request.fields.get("if-range") else { return true };
    if let Some(tag) = EntityTag::parse(condition) {
        let ours = stored.fields().get("etag").and_then(EntityTag::parse);
        return ours.is_some_and(|ours| ours.matches_strongly(tag));
    }
    date::parse(condition, now).is_some_and(|since| {
        stored.last_modified().is_some_and(|modified| modified == since && modified < stored.date())
    })
}

/// The ranges of a Range in bytes, an unsatisfiable one as an empty span. `None` if malformed.
fn parse(range: &[u8], length: usize) -> Option<Vec<Span>> {
    let equals = range.iter().position(|&byte| byte == b'=')?;
    if !range[..equals].eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let specs: Vec<_> = list::members(&range[equals + 1..]).collect();
    if specs.is_empty() || specs.len() > MOST_RANGES {
        return None;
    }
    specs.into_iter().map(|spec| span(spec, length)).collect()
}

fn span(spec: &[u8], length: usize) -> Option<Span> {
    let dash = spec.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (number(&spec[..dash])?, number(&spec[dash + 1..])?);
    match (first, last) {
        (None, None) => None,
        (None, Some(suffix)) => Some(length.saturating_sub(suffix)..length),
        (Some(first), None) => Some(first.min(length)..length),
        (Some(first), Some(last)) if first > last => None,
        (Some(first), Some(last)) => Some(first.min(length)..last.saturating_add(1).min(length)),
    }
}

/// A number that may be left out; one beyond all lengths saturates.
fn number(digits: &[u8]) -> Option<Option<usize>> {
    if digits.is_empty() {
        return Some(None);
    }
    let value = digits.iter().try_fold(0usize, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    });
    value.map(Some)
}

fn overlap(spans: &[Span]) -> bool {
    let mut sorted: Vec<_> = spans.iter().collect();
    sorted.sort_unstable_by_key(|span| span.start);
    sorted.windows(2).any(|pair| pair[1].start < pair[0].end)
}

fn content_range(span: &Span, length: usize) -> String {
    format!("bytes {}-{}/{length}", span.start, span.end - 1)
}

/// The value of Content-Range in a 416 (RFC 9110 §14.4).
pub(crate) fn unsatisfied(stored: &Stored) -> String {
    format!("bytes */{}", stored.body().len())
}

/// Several parts as multipart/byteranges (RFC 9110 §14.6).
fn multipart(spans: &[Span], stored: &Stored) -> Part {
    let body = stored.body();
    let boundary = boundary(body);
    let content_type = stored.fields().get("content-type");
    let mut content = Vec::new();
    for span in spans {
        content.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        if let Some(content_type) = content_type {
            content.extend_from_slice(b"Content-Type: ");
            content.extend_from_slice(content_type);
            content.extend_from_slice(b"\r\n");
        }
        let range = content_range(span, body.len());
        content.extend_from_slice(format!("Content-Range: {range}\r\n\r\n").as_bytes());
        content.extend_from_slice(&body[span.clone()]);
    }
    content.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    Part {
        content: content.into(),
        content_range: None,
        content_type: Some(format!("multipart/byteranges; boundary={boundary}")),
    }
}

/// A boundary that the content does not contain.
fn boundary(body: &[u8]) -> String {
    (0u64..)
        .map(|attempt| format!("edgeproof-part-{attempt:08x}"))
        .find(|candidate| !body.windows(candidate.len()).any(|w| w == candidate.as_bytes()))
        .unwrap_or_default()
}
