//! Storing a response while it streams to the client.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use edgeproof_http1::Fields;

use crate::forward::{Claim, Forward};
use crate::store::{Since, Store};
use crate::{Request, Stored};

/// Gathers the content of a response on its way, and stores the response once it is complete.
/// Dropped before [`Writer::finish`], it stores nothing: an incomplete response is never taken
/// for a complete one (RFC 9111 §3.3).
pub struct Writer {
    store: Arc<Store>,
    key: Box<[u8]>,
    since: Since,
    head: Stored,
    request_fields: Fields,
    expected: Option<u64>,
    body: BytesMut,
    limit: usize,
    outgrown: bool,
    _claim: Option<Claim>,
}

impl Writer {
    pub(crate) fn new(
        store: Arc<Store>,
        forward: Forward,
        request: &Request<'_>,
        head: Stored,
        expected: Option<u64>,
    ) -> Option<Self> {
        let limit = store.limits().object;
        let expected_len = usize::try_from(expected.unwrap_or(0)).ok()?;
        if expected_len > limit {
            return None;
        }
        Some(Self {
            store,
            key: forward.key,
            since: forward.since,
            head,
            request_fields: request.fields.clone(),
            expected,
            // A length that is only announced takes no more than a usual page at once.
            body: BytesMut::with_capacity(expected_len.min(64 << 10)),
            limit,
            outgrown: false,
            _claim: forward.claim,
        })
    }

    /// Adds content that arrived, in order. More than the store takes for one object is let go.
    pub fn push(&mut self, content: &[u8]) {
        if self.outgrown || self.body.len() + content.len() > self.limit {
            self.outgrown = true;
            self.body = BytesMut::new();
        } else {
            self.body.extend_from_slice(content);
        }
    }

    /// The response has arrived as a whole, as its framing says (RFC 9112 §8). Stores it and
    /// says whether it did: not if it was too large or shorter than its Content-Length, nor if
    /// it was invalidated or purged on its way.
    pub fn finish(self, trailers: Fields) -> bool {
        if self.outgrown || self.expected.is_some_and(|length| length != self.body.len() as u64) {
            return false;
        }
        let body = compact(self.body);
        let new = Arc::new(self.head.with_content(body, trailers));
        let request = &self.request_fields;
        // What would have answered this request is superseded by what did.
        self.store.put(&self.key, &new, self.since, |old| old.selecting().matches(request))
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
