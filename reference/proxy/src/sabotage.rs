//! Deliberate bugs of `edgeproof-mutant` that would clutter the rules: a function here is called once, at
//! the end of the rule that it spoils, and changes nothing unless its bug is chosen.

use edgeproof_http1::Fields;
use edgeproof_mutant::{Mutant, is};

/// The fields of a response on their way to the client.
pub(crate) fn for_client(fields: &mut Fields) {
    if is(Mutant::CacheStatusReplaces) {
        fields.remove("cache-status");
    }
    if is(Mutant::RemovesCdnCacheControl) {
        fields.remove("cdn-cache-control");
    }
    if is(Mutant::DropsForeignTargeted) {
        fields.retain(|name, _| {
            let name = name.to_ascii_lowercase();
            name == b"cdn-cache-control" || !name.ends_with(b"-cache-control")
        });
    }
}
