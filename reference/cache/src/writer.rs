//! Storing a response while it streams to the client.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use edgeproof_http1::Fields;

use crate::collapsing;
use crate::forward::{Claim, Forward};
use crate::store::{Landing, Since, Store, Takeoff};
use crate::{Request, Stored};

/// Gathers the content of a response on its way, and stores the response once it is complete.
/// Dropped before [`Writer::finish`], it stores nothing: an incomplete response is never taken
/// for a complete one (RFC 9111 §3.3).
pub struct Writer {
    store: Arc<Store>,
    key: Box<[u8]>,
    url: u64,
    since: Since,
    head: Stored,
    request_fields: Fields,
    expected: Option<u64>,
    body: BytesMut,
    limit: usize,
    outgrown: bool,
    _claim: Option<Claim>,
    takeoff: Option<Takeoff>,
}

impl Writer {
    pub(crate) fn new(
        store: Arc<Store>,
        mut forward: Forward,
        request: &Request<'_>,
        head: Stored,
        expected: Option<u64>,
    ) -> Option<Self> {
        let limit = store.limits().object;
        let expected_len = usize::try_from(expected.unwrap_or(0)).unwrap_or(usize::MAX);
        if expected_len > limit {
            forward.land(Landing::Barren);
            return None;
        }
        let takeoff = forward.take_takeoff();
        Some(Self {
            store,
            url: forward.held.hash,
            since: forward.held.since,
            key: forward.key,
            head,
            request_fields: request.fields.clone(),
            expected,
            // A length that is only announced takes no more than a usual page at once.
            body: BytesMut::with_capacity(expected_len.min(64 << 10)),
            limit,
            outgrown: false,
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
        if self.outgrown || self.expected.is_some_and(|length| length != self.body.len() as u64) {
            return false;
        }
        let body = compact(std::mem::take(&mut self.body));
        let takeoff = self.takeoff.take();
        let new = Arc::new(self.head.with_content(body, trailers));
        let request = &self.request_fields;
        // What would have answered this request is superseded by what did.
        let put =
            self.store.put(&self.key, &new, self.since, |old| old.selecting().matches(request));
        let landing = if put { collapsing::landing_at_once(&new) } else { Landing::Barren };
        if landing == Landing::Stored {
            self.store.flights().is_fertile(self.url);
        }
        if let Some(takeoff) = takeoff {
            takeoff.land(landing);
        }
        put
    }
}

/// The content in a buffer of its own length.
fn compact(body: BytesMut) -> Bytes {
    if body.capacity() > body.len() + body.len() / 8 {
        Bytes::copy_from_slice(&body)
    } else {
        body.freeze()
    }
}
