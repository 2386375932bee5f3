//! The names of our keys in Redis.
//!
//! ```text
//! edgeproof:1:responses:URL      hash: variant → record
//! edgeproof:1:removed:URL        number of the last removal of just this URL
//! edgeproof:1:removed-of:ORIGIN  number of the last removal of many URLs of an origin
//! edgeproof:1:removed-of:        number of the last removal of everything
//! edgeproof:1:removals           how many removals there have been
//! ```

use super::record::VERSION;

fn name(rest: &str) -> Vec<u8> {
    format!("edgeproof:{VERSION}:{rest}").into_bytes()
}

/// The hash that holds a URL's responses.
pub(super) fn responses(key: &[u8]) -> Vec<u8> {
    [&name("responses:"), key].concat()
}

/// The URL whose responses a hash of this name holds.
pub(super) fn url(responses: &[u8]) -> Option<&[u8]> {
    responses.strip_prefix(&name("responses:")[..])
}

/// The mark that a URL was removed.
pub(super) fn removed(key: &[u8]) -> Vec<u8> {
    [&name("removed:"), key].concat()
}

/// The mark that many URLs of an origin (scheme and authority) were removed; of none in
/// particular, that everything was.
pub(super) fn removed_of(origin: &[u8]) -> Vec<u8> {
    [&name("removed-of:"), origin].concat()
}

/// The counter of removals.
pub(super) fn removals() -> Vec<u8> {
    name("removals")
}

/// A glob of Redis for all hashes whose URLs begin with `prefix`.
pub(super) fn glob(prefix: &[u8]) -> Vec<u8> {
    let mut glob = name("responses:");
    for &byte in prefix {
        if b"*?[]^-\\".contains(&byte) {
            glob.push(b'\\');
        }
        glob.push(byte);
    }
    glob.push(b'*');
    glob
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_url_back() {
        assert_eq!(url(&responses(b"http://a/b")), Some(&b"http://a/b"[..]));
        assert_eq!(url(&removed(b"http://a/b")), None);
        assert_eq!(url(&removals()), None);
    }

    #[test]
    fn a_glob_takes_the_text_as_it_is() {
        let glob = glob(b"http://a/[x]?y=*\\");
        assert!(glob.ends_with(b":responses:http://a/\\[x\\]\\?y=\\*\\\\*"), "{glob:?}");
    }
}
