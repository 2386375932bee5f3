//! Partial responses: which are stored, and what becomes of them together (RFC 9111 §3.3 and §3.4,
//! RFC 9110 §15.3.7.3).

use std::ops::Range;
use std::sync::Arc;

use edgeproof_http1::Fields;

use crate::content::Content;
use crate::store::Held;
use crate::{EntityTag, Request, Response, Stored, range, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// Of a response that is not to be stored: something better is, of which nobody can say whether it
/// is of the same representation.
#[derive(Debug)]
pub(crate) struct Useless;

/// Where a 206 belongs; `None` for every other response.
pub(crate) fn part(
    held: &Held,
    request: &Request<'_>,
    response: Response<'_>,
) -> Result<Option<Part>, Useless> {
    if response.status != 206 || sabotage::storing::takes_for_whole(response) {
        return Ok(None);
    }
    let place = range::of_part(response.fields).ok_or(Useless)?;
    let (span, length) = sabotage::parts::place(request, place);
    match joining(held, request, response) {
        Joining::Not => Err(Useless),
        Joining::Alone => Ok(Some(Part { span, length, base: None })),
        Joining::With(base) => Ok(Some(Part { span, length, base: Some(base) })),
    }
}

/// What a 206 is to what is stored.
enum Joining {
    /// It is stored by itself, in place of older representations.
    Alone,
    /// It is of the same representation as this one.
    With(Arc<Stored>),
    /// It is not stored.
    Not,
}

/// Compares a 206 with the stored responses that its request selects. Only the same strong validator
/// makes parts of one whole.
fn joining(held: &Held, request: &Request<'_>, part: Response<'_>) -> Joining {
    let new = part.fields.get("etag").and_then(EntityTag::parse);
    let mut joining = Joining::Alone;
    let matching = held.variants.iter().filter(|stored| stored.selecting().matches(request.fields));
    for stored in matching.filter(|stored| stored.status() == 200) {
        if is_same(stored, part.fields) {
            return Joining::With(Arc::clone(stored));
        }
        let differs = stored.etag().zip(new).is_some_and(|(old, new)| !old.matches_weakly(new));
        if stored.is_whole() && !differs {
            joining = Joining::Not;
        }
    }
    joining
}

/// Whether a 206 with these fields is of the representation that is stored: the strong validator is
/// the same (RFC 9110 §8.8.1).
fn is_same(stored: &Stored, part: &Fields) -> bool {
    let new = part.get("etag").and_then(EntityTag::parse);
    let same = match (stored.etag(), new) {
        (Some(old), Some(new)) => {
            old.matches_strongly(new)
                || mutant::is(Mutant::CombinesWeakly) && old.matches_weakly(new)
        }
        (None, None) => {
            strong_date(stored).is_some_and(|date| part.get("last-modified") == Some(date))
        }
        _ => false,
    };
    sabotage::parts::is_same(stored, part, same)
}

/// Last-Modified where it is a strong validator: the response was made a second or more later
/// (RFC 9110 §8.8.2.2).
fn strong_date(stored: &Stored) -> Option<&[u8]> {
    stored.last_modified().filter(|&modified| modified < stored.date())?;
    stored.fields().get("last-modified")
}

/// What makes sure that what is asked for is of the stored representation: the value for If-Range.
pub(crate) fn strong_validator(stored: &Stored) -> Option<&[u8]> {
    match stored.etag() {
        Some(etag) => stored.fields().get("etag").filter(|_| !etag.is_weak()),
        None => strong_date(stored),
    }
}

/// What is missing of a stored response, if it can be asked for.
pub(crate) fn missing(stored: &Stored) -> Option<Range<u64>> {
    strong_validator(stored).filter(|_| !stored.is_of_head())?;
    sabotage::parts::missing(stored.content().gap())
}

/// Whether a 206 is what was missing of `stored`.
pub(crate) fn completes(stored: &Stored, part: Response<'_>) -> bool {
    let same = is_same(stored, part.fields);
    let Some((span, length)) = range::of_part(part.fields).filter(|_| same) else { return false };
    stored.content().gap().is_some_and(|gap| {
        span.start <= gap.start && span.end >= gap.end && length == stored.complete_length()
    })
}

/// A part on its way into the store.
pub(crate) struct Part {
    /// The octets that it has.
    pub(crate) span: Range<u64>,
    /// The octets that there are in all, where that is known.
    pub(crate) length: Option<u64>,
    /// What is stored of the same representation.
    pub(crate) base: Option<Arc<Stored>>,
}

impl Part {
    /// The octets that are to come.
    pub(crate) fn expected(&self) -> u64 {
        self.span.end - self.span.start
    }

    /// The part's content together with what is stored already.
    pub(crate) fn content(&self, body: bytes::Bytes) -> Content {
        let piece = Content::piece(self.span.start, body.clone(), self.length);
        let base = self.base.as_ref();
        let content = base.map_or(piece.clone(), |base| base.content().combined(&piece));
        sabotage::parts::with_part(body, content)
    }
}
