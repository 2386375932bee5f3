//! What an unsafe request makes invalid (RFC 9111 §4.4).

use crate::key::{self, KeyBuf};
use crate::{Request, Response, sabotage};

/// The keys to invalidate after `response` to `request`: the target, and what Location and
/// Content-Location name, of the same origin only. Nothing after a safe method or an error.
pub(crate) fn keys(request: &Request<'_>, response: Response<'_>) -> Vec<KeyBuf> {
    if request.is_safe() || !(200..400).contains(&response.status) {
        return Vec::new();
    }
    let named = ["location", "content-location"];
    let others = named.iter().filter_map(|name| response.fields.get(name));
    let mut keys = vec![key::of(request)];
    keys.extend(others.filter_map(|reference| key::same_origin(request, reference)));
    let keys = sabotage::storing::invalidated(response, keys);
    sabotage::reuse::invalidated(keys, request, response)
}
