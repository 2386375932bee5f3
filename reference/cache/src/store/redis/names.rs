//! The names of our keys in Redis.
//!
//! ```text
//! edgeproof:1:responses:URL  hash: variant → record
//! edgeproof:1:removals       hash: the history of removals
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

/// The hash that holds the history of removals.
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
        assert_eq!(url(&removals()), None);
    }

    #[test]
    fn a_glob_takes_the_text_as_it_is() {
        let glob = glob(b"http://a/[x]?y=*\\");
        assert!(glob.ends_with(b":responses:http://a/\\[x\\]\\?y=\\*\\\\*"), "{glob:?}");
    }
}
