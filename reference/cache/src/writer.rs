//! Storing a response while it streams to the client.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use edgeproof_http1::Fields;

use crate::collapsing;
use crate::content::Content;
use crate::forward::{Claim, Forward};
use crate::partial::{self, Part};
use crate::store::{Held, Landing, Store, Takeoff};
use crate::{Request, Stored, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// What of a representation a response brings.
pub(crate) enum Extent {
    /// All of it, so many octets where that is announced.
    Whole(Option<u64>),
    /// A part.
    Part(Part),
    /// Nothing: it answers a HEAD. So many octets a GET would bring, where that is announced.
    Head(Option<u64>),
}

impl Extent {
    /// The octets that are to come, where that is known.
    fn expected(&self) -> Option<u64> {
        match self {
            Self::Whole(length) => *length,
            Self::Part(part) => Some(part.expected()),
            Self::Head(_) => Some(0),
        }
    }
}

/// Gathers the content of a response on its way, and stores the response once it is complete.
/// Dropped before [`Writer::finish`] or [`Writer::break_off`], it stores nothing: an incomplete
/// response is never taken for a complete one (RFC 9111 §3.3).
pub struct Writer {
    store: Arc<Store>,
    key: Box<[u8]>,
    held: Held,
    head: Stored,
    request_fields: Fields,
    extent: Extent,
    body: BytesMut,
    limit: usize,
    outgrown: bool,
    /// Whether a whole response is stored that would have to go for this one.
    replaces_whole: bool,
    _claim: Option<Claim>,
    takeoff: Option<Takeoff>,
}

impl Writer {
    pub(crate) fn new(
        store: Arc<Store>,
        mut forward: Forward,
        request: &Request<'_>,
        head: Stored,
        extent: Extent,
    ) -> Option<Self> {
        let limit = store.limits().object;
        let expected_len = usize::try_from(extent.expected().unwrap_or(0)).unwrap_or(usize::MAX);
        if expected_len > limit {
            forward.land(Landing::Barren);
            return None;
        }
        let takeoff = forward.take_takeoff();
        let replaces_whole = forward
            .held
            .variants
            .iter()
            .any(|stored| stored.is_whole() && stored.selecting().matches(request.fields));
        Some(Self {
            store,
            held: forward.held,
            key: forward.key,
            head,
            request_fields: request.fields.clone(),
            extent,
            // A length that is only announced takes no more than a usual page at once.
            body: BytesMut::with_capacity(expected_len.min(64 << 10)),
            limit,
            outgrown: false,
            replaces_whole,
            _claim: forward.claim,
            takeoff,
        })
    }

    /// Adds content that arrived, in order. More than the store takes for one object is let go, and
    /// so are those who wait for it.
    pub fn push(&mut self, content: &[u8]) {
        if self.outgrown || self.body.len() + content.len() > self.limit {
            self.outgrown = true;
            self.body = BytesMut::new();
            self.land(Landing::Barren);
        } else {
            self.body.extend_from_slice(content);
        }
    }

    /// Whether there is more content than the store takes, so that pushing it serves nobody.
    #[must_use]
    pub const fn is_outgrown(&self) -> bool {
        self.outgrown
    }

    fn land(&mut self, landing: Landing) {
        if let Some(takeoff) = self.takeoff.take() {
            takeoff.land(landing);
        }
    }

    /// The response has arrived as a whole, as its framing says (RFC 9112 §8). Stores it and
    /// says whether it did: not if it was too large or shorter than its Content-Length, nor if
    /// it was invalidated or purged on its way.
    pub fn finish(mut self, trailers: Fields) -> bool {
        let expected = self.extent.expected();
        let differs = expected.is_some_and(|length| length != self.body.len() as u64);
        if self.outgrown || differs && !mutant::is(Mutant::TrustsContentRange) {
            return false;
        }
        let body = compact(sabotage::fields::content(std::mem::take(&mut self.body)));
        let content = match &self.extent {
            Extent::Whole(_) => Content::Whole(body),
            Extent::Part(part) => part.content(body),
            Extent::Head(length) => sabotage::parts::of_head(Content::untold(*length)),
        };
        self.store(content, trailers)
    }

    /// The response broke off. What there is of it is stored as incomplete (RFC 9111 §3.3), if the
    /// rest can be asked for; says whether it was.
    pub fn break_off(mut self) -> bool {
        if mutant::is(Mutant::StoresWhatBrokeOff) {
            let body = compact(std::mem::take(&mut self.body));
            return self.store(Content::Whole(body), Fields::new());
        }
        let Extent::Whole(Some(length)) = self.extent else { return false };
        if !self.may_be_incomplete(length) {
            return false;
        }
        let body = compact(std::mem::take(&mut self.body));
        self.store(Content::piece(0, body, Some(length)), Fields::new())
    }

    fn may_be_incomplete(&self, length: u64) -> bool {
        (1..length).contains(&(self.body.len() as u64))
            && !self.replaces_whole
            && self.head.status() == 200
            && partial::strong_validator(&self.head).is_some()
            && !mutant::is(Mutant::KeepsNoBrokenOff)
    }

    fn store(self, content: Content, trailers: Fields) -> bool {
        let new = Arc::new(self.head.with_content(content, trailers));
        let request = &self.request_fields;
        // What would have answered this request is superseded by what did.
        let put =
            self.store.put(&self.key, &new, &self.held, |old| old.selecting().matches(request));
        let landing = if put { collapsing::landing_at_once(&new) } else { Landing::Barren };
        if landing == Landing::Stored {
            self.store.flights().is_fertile(self.held.hash);
        }
        if let Some(takeoff) = self.takeoff {
            takeoff.land(landing);
        }
        put
    }
}

/// The content in a buffer of its own length.
fn compact(body: BytesMut) -> Bytes {
    let mut octets = Vec::from(body);
    octets.shrink_to_fit();
    octets.into()
}
