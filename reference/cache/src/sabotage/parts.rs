//! Bugs in ranges and in parts (RFC 9110 §14 and §15.3.7, RFC 9111 §§3.3 and 3.4).

use std::ops::Range;

use bytes::Bytes;
use edgeproof_http1::Fields;
use edgeproof_mutant::{Mutant, is};

use crate::content::Content;
use crate::range::{self, Part, Ranged, Spec};
use crate::{Form, Moment, Request, Stored};

/// What a request's Range asks for.
pub(crate) fn ranged(request: &Request<'_>, stored: &Stored, now: Moment, found: Ranged) -> Ranged {
    let whole = if stored.is_whole() { Ranged::Whole } else { Ranged::Missing };
    let has = |name: &str| request.fields.contains(name);
    match found {
        _ if is(Mutant::IgnoresRanges) => whole,
        Ranged::Unsatisfiable if is(Mutant::UnsatisfiableIsWhole) => whole,
        _ if is(Mutant::RangeOfHead) && request.method == b"HEAD" => {
            range::of(&Request { method: b"GET", ..*request }, stored, now)
        }
        _ if is(Mutant::TakesContentRangeForRange) && !has("range") => {
            let asked = request.fields.get("content-range").unwrap_or_default();
            let asked = asked.split(|&byte| byte == b'/').next().unwrap_or_default();
            let mut fields = request.fields.clone();
            fields.push("Range", String::from_utf8_lossy(asked).replace(' ', "="));
            range::of(&Request { fields: &fields, ..*request }, stored, now)
        }
        _ if is(Mutant::PartOfNothing) && has("range") && stored.complete_length() == Some(0) => {
            Ranged::Part(Part {
                content: Vec::new(),
                content_range: Some("bytes 0-0/0".into()),
                content_type: None,
                is_rest: false,
            })
        }
        found => found,
    }
}

/// Whether ranges are in bytes.
pub(crate) fn is_bytes(unit: &[u8], found: bool) -> bool {
    match found {
        true => !is(Mutant::RangeUnitCaseSensitive) || unit == b"bytes",
        false => is(Mutant::TakesAnyUnitForBytes),
    }
}

/// The most ranges that are answered.
pub(crate) fn most_ranges(found: usize) -> usize {
    if is(Mutant::AnswersAnyNumberOfRanges) { usize::MAX } else { found }
}

/// A position, or the octets of a suffix.
pub(crate) fn position(digits: &[u8], found: u64) -> u64 {
    if !is(Mutant::RangeNumbersWrap) {
        return found;
    }
    let add = |sum: u64, digit: &u8| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
    digits.iter().fold(0u64, add)
}

/// One of the ranges of a whole of so many octets.
pub(crate) fn spec(found: Spec, length: Option<u64>) -> Spec {
    let length = length.unwrap_or(u64::MAX);
    let nothing = Spec::From(u64::MAX);
    match found {
        Spec::FromTo(first, last) if is(Mutant::RangeEndsEarly) && first == last => nothing,
        Spec::FromTo(first, last) if is(Mutant::RangeEndsEarly) => Spec::FromTo(first, last - 1),
        Spec::FromTo(_, last) if is(Mutant::EndBeyondIsUnsatisfiable) && last >= length => nothing,
        Spec::Last(last) if is(Mutant::LongSuffixIsUnsatisfiable) && last > length => nothing,
        Spec::Last(last) if is(Mutant::SuffixFromTheStart) && last > 0 => Spec::FromTo(0, last - 1),
        found => found,
    }
}

/// The spans to answer; `asked` are those from before any were joined. None of them: the whole.
pub(crate) fn spans(
    stored: &Stored,
    asked: Vec<Range<u64>>,
    mut found: Vec<Range<u64>>,
) -> Vec<Range<u64>> {
    if is(Mutant::AnswersAnyNumberOfRanges) {
        return asked;
    }
    if is(Mutant::OverlapIsWhole) && asked != found {
        return Vec::new();
    }
    if is(Mutant::MultipartSorted) {
        found.sort_unstable_by_key(|span| span.start);
    }
    if is(Mutant::AnswersBeyondParts) {
        for span in &mut found {
            let pieces = stored.content().pieces();
            let there = pieces.map(|(start, bytes)| start..start + bytes.len() as u64);
            let held = |it: &Range<u64>| it.start < span.end && span.start < it.end;
            if let Some(piece) = there.into_iter().find(held) {
                *span = span.start.max(piece.start)..span.end.min(piece.end);
            }
        }
    }
    found
}

/// The whole length that Content-Range tells.
pub(crate) fn length_told(found: Option<u64>) -> Option<u64> {
    found.filter(|_| !is(Mutant::HidesCompleteLength))
}

/// What an answer adds to the stored fields.
pub(crate) fn added(form: &Form, mut found: Fields) -> Fields {
    match form {
        Form::Unsatisfiable if is(Mutant::RefusalWithoutLength) => {
            found.remove("content-range");
        }
        Form::Part(part) if part.content_range.is_some() && is(Mutant::PartWithoutPlace) => {
            found.remove("content-range");
        }
        Form::Part(Part { content_type: Some(media), .. }) => {
            if is(Mutant::MultipartWithPlaceInHeader) {
                found.push("Content-Range", "bytes 0-1/20");
            }
            if is(Mutant::MultipartStrangeBoundary) {
                found.set("Content-Type", format!("{media}-of-another"));
            }
            if is(Mutant::MultipartKeepsType) {
                found.set("Content-Type", "text/plain");
            }
        }
        _ => {}
    }
    found
}

/// The status of an answer from the store.
pub(crate) fn status(found: u16) -> u16 {
    if is(Mutant::SendsPartsAs200) && found == 206 { 200 } else { found }
}

/// The content of a 416.
pub(crate) fn refusal(found: &'static [u8]) -> &'static [u8] {
    if is(Mutant::RefusalWithoutText) { b"" } else { found }
}

/// Whether a part is of the stored representation.
pub(crate) fn is_same(stored: &Stored, part: &Fields, found: bool) -> bool {
    let modified = stored.fields().get("last-modified");
    let tagged = (stored.fields().contains("etag"), part.contains("etag"));
    found && !is(Mutant::NeverCombines)
        || is(Mutant::CombinesAnyTags) && tagged == (true, true)
        || tagged == (false, false)
            && modified == part.get("last-modified")
            && match modified {
                None => is(Mutant::CombinesWithoutValidator),
                Some(_) => is(Mutant::CombinesByWeakDates),
            }
}

/// Where a part belongs, and the length of the whole.
pub(crate) fn place(
    request: &Request<'_>,
    found: (Range<u64>, Option<u64>),
) -> (Range<u64>, Option<u64>) {
    let asked = || {
        let range = std::str::from_utf8(request.fields.get("range")?).ok()?;
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some(first.parse().ok()?..last.parse::<u64>().ok()? + 1)
    };
    match asked().filter(|_| is(Mutant::FilesPartsAsAsked)) {
        Some(span) => (span, found.1),
        None => found,
    }
}

/// What is missing of a stored response, if it may be asked for.
pub(crate) fn missing(found: Option<Range<u64>>) -> Option<Range<u64>> {
    found.filter(|_| !is(Mutant::NeverCompletes))
}

/// The content with a part that has arrived.
pub(crate) fn with_part(part: Bytes, found: Content) -> Content {
    if is(Mutant::TakesPartForWhole) { Content::Whole(part) } else { found }
}

/// What the response to a HEAD says of the content.
pub(crate) fn of_head(found: Content) -> Content {
    if is(Mutant::StoresHead) { Content::Whole(Bytes::new()) } else { found }
}

/// What pieces are together, if that is all of it.
pub(crate) fn whole(content: &Content, whole: Option<Bytes>) -> Option<Bytes> {
    let several = content.pieces().count() > 1;
    if is(Mutant::WholeUnionStays206) && several {
        return None;
    }
    if is(Mutant::ClosesGaps) && several {
        return Some(content.pieces().flat_map(|(_, bytes)| bytes.clone()).collect());
    }
    whole
}
