//! Ranges of a stored response (RFC 9110 §14).

use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use edgeproof_http1::Fields;

use crate::{EntityTag, Moment, Request, Stored, date, list, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// More ranges than this in one request are answered with everything: the multipart overhead
/// is otherwise a cheap way to make much out of little (RFC 9110 §17.15).
const MOST_RANGES: usize = 32;

/// A part of a stored response: 206 (Partial Content).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The content to send, in pieces: what is stored is not copied.
    pub content: Vec<Bytes>,
    /// The value of Content-Range, for a single part.
    pub content_range: Option<String>,
    /// The value of Content-Type in place of the stored one, for several parts.
    pub content_type: Option<String>,
    /// Whether the client asked with If-Range, and so has the fields of the whole already.
    pub is_rest: bool,
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
    /// Something that is not stored, or not known to be.
    Missing,
}

/// Evaluates Range and If-Range against a stored 200 (RFC 9110 §14.2, §13.1.5). A Range that is
/// malformed, in another unit, or of another method than GET is ignored.
#[must_use]
pub fn of(request: &Request<'_>, stored: &Stored, now: Moment) -> Ranged {
    let told = stored.is_whole() || request.method == b"HEAD" && stored.is_of_head();
    let whole = if told { Ranged::Whole } else { Ranged::Missing };
    let mut lines = request.fields.get_all("range");
    let (Some(range), None) = (lines.next(), lines.next()) else { return whole };
    let is_other = stored.status() != 200 && !mutant::is(Mutant::RangeOfAnyStatus);
    let holds =
        sabotage::conditions::if_range(if_range(request, stored, now), request, stored, now);
    if request.method != b"GET" || is_other || !holds {
        return whole;
    }
    let Some(specs) = parse(range) else { return whole };
    let length = stored.complete_length();
    let Some(mut spans) = specs.iter().map(|spec| spec.span(length)).collect::<Option<Vec<_>>>()
    else {
        return whole;
    };
    spans.retain(|span| span.start < span.end);
    if spans.is_empty() {
        // The last octets of nothing are all of it (§14.1.2), which no Content-Range can say.
        let all_of_nothing = specs.iter().any(|spec| matches!(spec, Spec::Last(1..)));
        return match all_of_nothing && length == Some(0) {
            true => whole,
            false => Ranged::Unsatisfiable,
        };
    }
    let spans = sabotage::parts::spans(stored, spans.clone(), apart(spans));
    if spans.is_empty() {
        return whole;
    }
    let slices = spans.iter().map(|span| stored.slice(span)).collect::<Option<Vec<_>>>();
    let Some(slices) = slices else { return Ranged::Missing };
    match spans.as_slice() {
        [single] if !mutant::is(Mutant::MultipartForOne) => Ranged::Part(Part {
            content: slices,
            content_range: Some(content_range(single, length)),
            content_type: None,
            is_rest: request.fields.contains("if-range"),
        }),
        several => Ranged::Part(Part {
            is_rest: request.fields.contains("if-range"),
            ..multipart(several, slices, stored)
        }),
    }
}

type Span = std::ops::Range<u64>;

/// If-Range compares strongly; a date has to be exactly Last-Modified, and that a second or
/// more older than the response (RFC 9110 §8.8.2.2).
fn if_range(request: &Request<'_>, stored: &Stored, now: Moment) -> bool {
    let Some(condition) = request.fields.get("if-range") else { return true };
    if mutant::is(Mutant::IgnoresIfRange) {
        return true;
    }
    if let Some(tag) = EntityTag::parse(condition) {
        let ours = stored.etag();
        return ours.is_some_and(|ours| ours.matches_strongly(tag));
    }
    date::parse(condition, now).is_some_and(|since| {
        stored.last_modified().is_some_and(|modified| modified == since && modified < stored.date())
    })
}

/// One range of a Range in bytes (RFC 9110 §14.1.2).
#[derive(Clone, Copy)]
pub(crate) enum Spec {
    /// From a position to another, which is the last one.
    FromTo(u64, u64),
    /// From a position to the end.
    From(u64),
    /// So many octets before the end.
    Last(u64),
}

/// The ranges of a Range in bytes. `None` if malformed.
fn parse(range: &[u8]) -> Option<Vec<Spec>> {
    let (unit, specs) = split_at_first(range, b'=')?;
    if !sabotage::parts::is_bytes(unit, unit.eq_ignore_ascii_case(b"bytes")) {
        return None;
    }
    let specs: Vec<_> = list::members(specs).collect();
    if specs.is_empty() || specs.len() > sabotage::parts::most_ranges(MOST_RANGES) {
        return None;
    }
    if mutant::is(Mutant::SkipsMalformedRanges) {
        return Some(specs.into_iter().filter_map(Spec::parse).collect());
    }
    specs.into_iter().map(Spec::parse).collect()
}

impl Spec {
    fn parse(text: &[u8]) -> Option<Self> {
        let (first, last) = split_at_first(text, b'-')?;
        match (number(first)?, number(last)?) {
            (None, None) => None,
            (None, Some(last)) => Some(Self::Last(last)),
            (Some(first), None) => Some(Self::From(first)),
            (Some(first), Some(last)) => (first <= last).then_some(Self::FromTo(first, last)),
        }
    }

    /// The octets that it means, an unsatisfiable one as an empty span. `None` if that cannot be
    /// told without the representation's length.
    fn span(self, length: Option<u64>) -> Option<Span> {
        Some(match (sabotage::parts::spec(self, length), length) {
            (Self::FromTo(first, last), None) => first..last.saturating_add(1),
            (_, None) => return None,
            (Self::FromTo(first, last), Some(length)) => {
                first.min(length)..last.saturating_add(1).min(length)
            }
            (Self::From(first), Some(length)) => first.min(length)..length,
            (Self::Last(last), Some(length)) => length.saturating_sub(last)..length,
        })
    }
}

/// A number that may be left out; one beyond all lengths saturates.
fn number(digits: &[u8]) -> Option<Option<u64>> {
    if digits.is_empty() {
        return Some(None);
    }
    let value = digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    });
    value.map(|value| Some(sabotage::parts::position(digits, value)))
}

/// Which octets a 206 with a single part has, by its Content-Range (RFC 9110 §14.4), and how many
/// there are in all, where it says so.
#[must_use]
pub(crate) fn of_part(response: &Fields) -> Option<(Span, Option<u64>)> {
    let mut lines = response.get_all("content-range");
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let (unit, rest) = split_at_first(line, b' ')?;
    let is_bytes = unit.eq_ignore_ascii_case(b"bytes");
    if !(is_bytes || mutant::is(Mutant::IgnoresUnitOfParts)) {
        return None;
    }
    let (place, length) = split_at_first(rest, b'/')?;
    let Spec::FromTo(first, last) = Spec::parse(place)? else { return None };
    let length = match length {
        b"*" => None,
        digits => Some(number(digits)??),
    };
    let end = last.checked_add(1)?;
    let within =
        length.is_none_or(|length| end <= length || mutant::is(Mutant::TrustsContentRange));
    within.then_some((first..end, length))
}

/// What stands before the first `byte`, and what after it.
fn split_at_first(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&other| other == byte)?;
    Some((&text[..at], &text[at + 1..]))
}

/// The spans as they were asked for, or where any of them overlap, in order and joined: nobody
/// gets more octets than there are (RFC 9110 §15.3.7.2).
fn apart(spans: Vec<Span>) -> Vec<Span> {
    let mut sorted = spans.clone();
    sorted.sort_unstable_by_key(|span| span.start);
    if sorted.windows(2).all(|pair| pair[1].start >= pair[0].end) {
        return spans;
    }
    let mut joined: Vec<Span> = Vec::new();
    for span in sorted {
        match joined.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

fn content_range(span: &Span, length: Option<u64>) -> String {
    let (first, last) = (span.start, span.end - 1);
    match sabotage::parts::length_told(length) {
        Some(length) => format!("bytes {first}-{last}/{length}"),
        None => format!("bytes {first}-{last}/*"),
    }
}

/// The value of Content-Range in a 416 (RFC 9110 §14.4).
pub(crate) fn unsatisfied(stored: &Stored) -> String {
    stored
        .complete_length()
        .map_or_else(|| "bytes */*".into(), |length| format!("bytes */{length}"))
}

/// Several parts as multipart/byteranges (RFC 9110 §14.6).
fn multipart(spans: &[Span], slices: Vec<Bytes>, stored: &Stored) -> Part {
    let boundary = boundary();
    let content_type = stored.fields().get("content-type");
    let mut content = Vec::new();
    for (span, slice) in spans.iter().zip(slices) {
        let mut head = format!("\r\n--{boundary}\r\n").into_bytes();
        if let Some(content_type) =
            content_type.filter(|_| !mutant::is(Mutant::MultipartWithoutTypes))
        {
            head.extend_from_slice(b"Content-Type: ");
            head.extend_from_slice(content_type);
            head.extend_from_slice(b"\r\n");
        }
        let range = content_range(span, stored.complete_length());
        if !mutant::is(Mutant::MultipartWithoutPlaces) {
            head.extend_from_slice(format!("Content-Range: {range}\r\n").as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        content.extend([head.into(), slice]);
    }
    content.push(format!("\r\n--{boundary}--\r\n").into());
    Part {
        content,
        content_range: None,
        is_rest: false,
        content_type: Some(format!("multipart/byteranges; boundary={boundary}")),
    }
}

/// A boundary that none of the parts contains: 128 bits by chance, which nobody who wrote the content could foretell.
fn boundary() -> String {
    let chance = || RandomState::new().hash_one(());
    format!("edgeproof-part-{:016x}{:016x}", chance(), chance())
}
