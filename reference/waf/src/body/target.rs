//! A request target taken apart: REQUEST_URI_RAW, REQUEST_URI, REQUEST_FILENAME,
//! REQUEST_BASENAME, QUERY_STRING, PATH_INFO.
//!
//! Under Apache these variables change their value while a request is handled. In phase 1 the path
//! is as it was received. Before phase 2 Apache's core has resolved it in place: percent-encodings
//! decoded, `.` and `..` segments gone. Rules of the Core Rule Set that look at
//! REQUEST_FILENAME without decoding it (933160 for one) are in phase 2 and rely on that, and what
//! is encoded twice is seen through by those that decode. So there are two views: [`received`] for
//! phase 1 and [`resolved`] for the phases after it.
//!
//! Apache refuses what it cannot resolve, such as `..` above the root; a proxy may let it pass, so here it is
//! resolved too: `..` stops at the root, an invalid encoding stays. An encoded slash stays as well, as with
//! Apache's `AllowEncodedSlashes NoDecode`: it divides no segments, and what climbs by it (`..%2f`) is still there
//! for the rules that decode (930110). REQUEST_URI_RAW always holds the bytes as they came.
//!
//! Doubled slashes stay two, as with Apache's `MergeSlashes Off`: the proxy sends them on, and an
//! `http://` in a path is one only as long as it has both (934110).
//!
//! [`received`]: RequestTarget::received
//! [`resolved`]: RequestTarget::resolved

use memchr::memchr;

use super::percent::decode_path;
use super::steps::took;

/// The parts of a request target that rules look at.
#[derive(Debug, Clone)]
pub struct RequestTarget {
    raw: Vec<u8>,
    query: Option<Vec<u8>>,
    received: Option<Uri>,
    resolved: Option<Uri>,
}

/// A path with the query behind it.
#[derive(Debug, Clone)]
struct Uri {
    bytes: Vec<u8>,
    path: usize,
}

/// The path of a target, and what is made of it, at one stage of the request.
#[derive(Debug, Clone, Copy)]
pub struct TargetView<'a> {
    uri: Option<&'a Uri>,
}

impl RequestTarget {
    /// Takes apart the target of a request line.
    ///
    /// Of an absolute URI the path counts (`/` where it has none); a fragment is no part of
    /// anything but the raw form; several slashes at the start are one (Apache takes them for a
    /// path, not for an authority). The target of CONNECT is an authority and has no path.
    #[must_use]
    pub fn new(method: &[u8], target: &[u8]) -> Self {
        took(target.len());
        let (path, query) = split(target);
        let query = query.map(<[u8]>::to_vec);
        let (mut received, mut resolved) = (None, None);
        if method != b"CONNECT" {
            received = Some(Uri::new(path.to_vec(), query.as_deref()));
            resolved = resolve(path).map(|path| Uri::new(path, query.as_deref()));
        }
        Self { raw: target.to_vec(), query, received, resolved }
    }

    /// REQUEST_URI_RAW: the target as it was received, scheme, host and fragment included.
    #[must_use]
    pub fn uri_raw(&self) -> &[u8] {
        &self.raw
    }

    /// QUERY_STRING: what stands between the first `?` and a `#`, not decoded. None without `?`.
    #[must_use]
    pub fn query_string(&self) -> Option<&[u8]> {
        self.query.as_deref()
    }

    /// The view of phase 1.
    #[must_use]
    pub fn received(&self) -> TargetView<'_> {
        TargetView { uri: self.received.as_ref() }
    }

    /// The view of phase 2 and those after it.
    #[must_use]
    pub fn resolved(&self) -> TargetView<'_> {
        TargetView { uri: self.resolved.as_ref().or(self.received.as_ref()) }
    }

    /// PATH_INFO: under Apache what the path has behind the file that answers, for instance
    /// `/extra` of `/index.php/extra`. A proxy does not know the files, so the first segment with
    /// a dot inside is taken for one. None where nothing is behind it.
    #[must_use]
    pub fn path_info(&self) -> Option<&[u8]> {
        let path = self.resolved().filename()?;
        let mut start = 0;
        for segment in path.split_inclusive(|&byte| byte == b'/') {
            start += segment.len();
            let file = segment.strip_suffix(b"/").unwrap_or(segment);
            if file.iter().skip(1).any(|&byte| byte == b'.') && segment.len() > file.len() {
                return Some(&path[start - 1..]);
            }
        }
        None
    }
}

impl<'a> TargetView<'a> {
    /// REQUEST_URI: the path and, where there is one, the query. None for CONNECT.
    #[must_use]
    pub fn uri(self) -> Option<&'a [u8]> {
        self.uri.map(|uri| &uri.bytes[..])
    }

    /// REQUEST_FILENAME: the path. None for CONNECT.
    #[must_use]
    pub fn filename(self) -> Option<&'a [u8]> {
        self.uri.map(|uri| &uri.bytes[..uri.path])
    }

    /// REQUEST_BASENAME: the path behind its last slash and its last backslash. None for CONNECT.
    #[must_use]
    pub fn basename(self) -> Option<&'a [u8]> {
        let path = self.filename()?;
        let start = memchr::memrchr2(b'/', b'\\', path).map_or(0, |at| at + 1);
        Some(&path[start..])
    }
}

impl Uri {
    fn new(path: Vec<u8>, query: Option<&[u8]>) -> Self {
        let mut bytes = path;
        let path = bytes.len();
        if let Some(query) = query {
            bytes.push(b'?');
            bytes.extend_from_slice(query);
        }
        Self { bytes, path }
    }
}

/// The path and the query of a target.
fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let without_fragment = &target[..memchr(b'#', target).unwrap_or(target.len())];
    let (hierarchy, query) = match memchr(b'?', without_fragment) {
        Some(at) => (&without_fragment[..at], Some(&without_fragment[at + 1..])),
        None => (without_fragment, None),
    };
    let path = match behind_scheme(hierarchy) {
        Some(rest) => match rest.strip_prefix(b"//") {
            Some(authority) => memchr(b'/', authority).map_or(&b"/"[..], |at| &authority[at..]),
            None => rest,
        },
        None => {
            let slashes = hierarchy.iter().take_while(|&&byte| byte == b'/').count();
            &hierarchy[slashes.saturating_sub(1)..]
        }
    };
    (path, query)
}

/// What follows `scheme:` (RFC 3986 §3) where that is a slash.
fn behind_scheme(target: &[u8]) -> Option<&[u8]> {
    let colon = memchr(b':', target)?;
    let (scheme, rest) = (&target[..colon], &target[colon + 1..]);
    let (first, others) = scheme.split_first()?;
    let valid = first.is_ascii_alphabetic()
        && others.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    (valid && rest.starts_with(b"/")).then_some(rest)
}

/// The path decoded, with `.` and `..` segments resolved; None where nothing changes.
fn resolve(path: &[u8]) -> Option<Vec<u8>> {
    let plain = memchr(b'%', path).is_none() && memchr::memmem::find(path, b"/.").is_none();
    if plain {
        return None;
    }
    let mut decoded = Vec::with_capacity(path.len());
    decode_path(path, &mut decoded);
    took(decoded.len());
    Some(if decoded.starts_with(b"/") { without_dots(&decoded) } else { decoded })
}

/// RFC 3986 §5.2.4. `path` starts with a slash. Each byte is written once and taken back once at
/// most.
fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(path.len());
    out.push(b'/');
    for segment in path[1..].split_inclusive(|&byte| byte == b'/') {
        match segment {
            b"." | b"./" => {}
            b".." | b"../" => {
                out.pop();
                out.truncate(memchr::memrchr(b'/', &out).map_or(0, |at| at + 1));
                if out.is_empty() {
                    out.push(b'/');
                }
            }
            _ => out.extend_from_slice(segment),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: Option<&[u8]>) -> Option<String> {
        bytes.map(|bytes| bytes.escape_ascii().to_string())
    }

    #[test]
    fn targets_are_taken_apart() {
        // target, REQUEST_URI, REQUEST_FILENAME, REQUEST_BASENAME in phase 1, QUERY_STRING
        let cases = [
            ("/", "/", "/", "", None),
            ("/a/b.php?x=1", "/a/b.php?x=1", "/a/b.php", "b.php", Some("x=1")),
            ("/a/b.php?", "/a/b.php?", "/a/b.php", "b.php", Some("")),
            ("/a?b?c", "/a?b?c", "/a", "a", Some("b?c")),
            ("/a?b=/c", "/a?b=/c", "/a", "a", Some("b=/c")),
            ("/#fragment", "/", "/", "", None),
            (
                "/get/index.html:80?I=Like#tag",
                "/get/index.html:80?I=Like",
                "/get/index.html:80",
                "index.html:80",
                Some("I=Like"),
            ),
            ("/%23fragment", "/%23fragment", "/%23fragment", "%23fragment", None),
            ("/a#b?c", "/a", "/a", "a", None),
            ("//host/a", "/host/a", "/host/a", "a", None),
            ("////a//b", "/a//b", "/a//b", "b", None),
            ("http://localhost", "/", "/", "", None),
            ("http://localhost?q", "/?q", "/", "", Some("q")),
            ("HTTP://user@localhost:80/a?b", "/a?b", "/a", "a", Some("b")),
            ("http://localhost//a", "//a", "//a", "a", None),
            ("http:/a", "/a", "/a", "a", None),
            ("localhost:80", "localhost:80", "localhost:80", "localhost:80", None),
            ("1http://a/b", "1http://a/b", "1http://a/b", "b", None),
            ("/http://a/b", "/http://a/b", "/http://a/b", "b", None),
            ("*", "*", "*", "*", None),
            ("a/b", "a/b", "a/b", "b", None),
            ("/a\\b", "/a\\b", "/a\\b", "b", None),
            ("/a\\b/c", "/a\\b/c", "/a\\b/c", "c", None),
            ("", "", "", "", None),
        ];
        for (target, uri, filename, basename, query) in cases {
            let read = RequestTarget::new(b"GET", target.as_bytes());
            let view = read.received();
            assert_eq!(read.uri_raw(), target.as_bytes());
            assert_eq!(view.uri(), Some(uri.as_bytes()), "{target}");
            assert_eq!(view.filename(), Some(filename.as_bytes()), "{target}");
            assert_eq!(view.basename(), Some(basename.as_bytes()), "{target}");
            assert_eq!(read.query_string(), query.map(str::as_bytes), "{target}");
        }
    }

    #[test]
    fn an_authority_has_no_path() {
        let read = RequestTarget::new(b"CONNECT", b"example.com:443");
        assert_eq!(read.uri_raw(), b"example.com:443");
        for view in [read.received(), read.resolved()] {
            assert_eq!((view.uri(), view.filename(), view.basename()), (None, None, None));
        }
        assert_eq!(read.path_info(), None);
    }

    #[test]
    fn paths_are_resolved_for_the_phases_after_the_first() {
        let cases = [
            ("/a/b", "/a/b"),
            ("/get/dump%2Erdb", "/get/dump.rdb"),
            ("/get/array_diff%20%28", "/get/array_diff ("),
            ("/post/%2A/%2A/2+union+all/bar", "/post/*/*/2+union+all/bar"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/a/.", "/a/"),
            ("/..", "/"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/a/%2e%2E/%2e/b", "/b"),
            ("/a/..%2f..%2Fb", "/a/..%2f..%2Fb"),
            ("/a%2Fb", "/a%2Fb"),
            ("/a//b///", "/a//b///"),
            ("/http://a/b", "/http://a/b"),
            ("/a/%2e%2e/b%2F%2fc", "/b%2F%2fc"),
            ("/a//../b", "/a/b"),
            ("/a/..//b", "//b"),
            ("/%252e%252e/b", "/%2e%2e/b"),
            ("/...", "/..."),
            ("/.a/..b/c.", "/.a/..b/c."),
            ("/a%00b", r"/a\x00b"),
            ("/a%zz%", "/a%zz%"),
            ("/foo%0Abar", r"/foo\nbar"),
            ("/a?b=%2e/../x", "/a"),
            ("a/../b", "a/../b"),
            ("*", "*"),
        ];
        for (target, wanted) in cases {
            let read = RequestTarget::new(b"GET", target.as_bytes());
            assert_eq!(text(read.resolved().filename()).as_deref(), Some(wanted), "{target}");
        }
        let read = RequestTarget::new(b"GET", b"/a%20b?c=%20");
        assert_eq!(read.resolved().uri(), Some(&b"/a b?c=%20"[..]));
        assert_eq!(read.received().uri(), Some(&b"/a%20b?c=%20"[..]));
    }

    #[test]
    fn what_is_behind_a_file_is_path_info() {
        let cases = [
            ("/index.php/extra/x", Some("/extra/x")),
            ("/a/index.php/", Some("/")),
            ("/a/index%2Ephp/%2e%2e", None),
            ("/index.php", None),
            ("/a/b/c", None),
            ("/.well-known/x", None),
            ("/a.b/c.d/e", Some("/c.d/e")),
        ];
        for (target, wanted) in cases {
            let read = RequestTarget::new(b"GET", target.as_bytes());
            assert_eq!(text(read.path_info()).as_deref(), wanted, "{target}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart(target in any::<Vec<u8>>()) {
            let read = RequestTarget::new(b"GET", &target);
            for view in [read.received(), read.resolved()] {
                let (uri, path) = (view.uri().unwrap(), view.filename().unwrap());
                prop_assert!(uri.starts_with(path));
                prop_assert!(path.ends_with(view.basename().unwrap()));
                prop_assert!(uri.len() <= target.len() + 1);
            }
        }

        #[test]
        fn a_resolved_path_has_nothing_left_to_resolve(
            segments in prop::collection::vec("(\\.|\\.\\.|[a.]{1,3}|)", 0..8)
        ) {
            let target = format!("/{}", segments.join("/"));
            let read = RequestTarget::new(b"GET", target.as_bytes());
            let once = read.resolved().filename().unwrap().to_vec();
            prop_assert!(once.starts_with(b"/"));
            prop_assert_eq!(resolve(&once).unwrap_or_else(|| once.clone()), once);
        }
    }
}
