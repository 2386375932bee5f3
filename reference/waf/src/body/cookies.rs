//! The Cookie field, as ModSecurity 2.9 reads it.

use memchr::memchr;

use super::arguments::Pairs;
use super::steps::took;

/// So many bytes of a cookie's name stand in the names of its attributes at most: an endless name
/// with endless attributes must not multiply.
const OWNER_SHOWN: usize = 64;

/// SecCookieFormat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CookieFormat {
    /// `0`, Netscape's, which browsers send: names and values between separators, values as they
    /// are. Without a `separator` (SecCookieV0Separator) it is `;`, or `,` where the field has no
    /// `;` and its first `,` has a space behind it.
    V0 {
        /// SecCookieV0Separator.
        separator: Option<u8>,
    },
    /// `1`, RFC 2109's: `;` and `,` separate, values may be quoted, space around them goes, and an
    /// attribute such as `$Path` is named after the cookie that it belongs to.
    V1,
}

/// Reads the cookies of one Cookie field value. Cookies without a name are not there for
/// ModSecurity and are left out; one without `=` has an empty value. Nothing is decoded.
pub fn cookies(field: &[u8], format: CookieFormat, into: &mut impl Pairs) {
    took(field.len());
    match format {
        CookieFormat::V0 { separator } => {
            netscape(field, separator.unwrap_or_else(|| usual_separator(field)), into);
        }
        CookieFormat::V1 => version_1(field, into),
    }
}

fn usual_separator(field: &[u8]) -> u8 {
    let has_semicolon = memchr(b';', field).is_some();
    let comma = memchr(b',', field);
    if !has_semicolon && comma.is_some_and(|at| field.get(at + 1) == Some(&b' ')) {
        b','
    } else {
        b';'
    }
}

fn netscape(field: &[u8], separator: u8, into: &mut impl Pairs) {
    for cookie in field.split(|&byte| byte == separator) {
        let cookie = trim_start(cookie);
        let (name, value) = match memchr(b'=', cookie) {
            Some(at) => (&cookie[..at], &cookie[at + 1..]),
            None => (cookie, &cookie[cookie.len()..]),
        };
        if !name.is_empty() && into.add(name, value).is_err() {
            return;
        }
    }
}

fn version_1(field: &[u8], into: &mut impl Pairs) {
    let mut rest = field;
    let mut owner: Option<&[u8]> = None;
    loop {
        rest = trim_start_with(rest, |byte| is_space(byte) || matches!(byte, b',' | b';'));
        if rest.is_empty() {
            return;
        }
        let (name, value, after) = attribute(rest);
        rest = after;
        let added = match (name.split_first(), owner) {
            (None, _) => Ok(()),
            (Some((b'$', keyword)), Some(owner)) => into.add_with(
                |out| {
                    let owner = &owner[..owner.len().min(OWNER_SHOWN)];
                    took(owner.len());
                    out.push(b'$');
                    out.extend_from_slice(owner);
                    out.push(b'_');
                    out.extend_from_slice(keyword);
                },
                |out| out.extend_from_slice(value),
            ),
            (Some((first, _)), _) => {
                if *first != b'$' {
                    owner = Some(name);
                }
                into.add(name, value)
            }
        };
        if added.is_err() {
            return;
        }
    }
}

/// Reads one `name`, `name=value` or `name="value"`; gives what follows it too.
fn attribute(text: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let end = position(text, |byte| matches!(byte, b'=' | b';' | b','));
    let name = trim_end(&text[..end]);
    let rest = &text[end..];
    let Some(rest) = rest.strip_prefix(b"=") else {
        return (name, b"", rest);
    };
    let rest = trim_start(rest);
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let end = position(quoted, |byte| byte == b'"');
        return (name, &quoted[..end], quoted.get(end + 1..).unwrap_or_default());
    }
    let end = position(rest, |byte| matches!(byte, b';' | b','));
    (name, trim_end(&rest[..end]), &rest[end..])
}

fn position(text: &[u8], found: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| found(byte)).unwrap_or(text.len())
}

fn trim_start(text: &[u8]) -> &[u8] {
    trim_start_with(text, is_space)
}

fn trim_start_with(text: &[u8], skip: impl Fn(u8) -> bool) -> &[u8] {
    &text[position(text, |byte| !skip(byte))..]
}

fn trim_end(text: &[u8]) -> &[u8] {
    let kept = text.iter().rposition(|&byte| !is_space(byte)).map_or(0, |at| at + 1);
    &text[..kept]
}

/// C's `isspace` in the C locale.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arguments::PairList;
    use super::*;

    const V0: CookieFormat = CookieFormat::V0 { separator: None };

    fn check(format: CookieFormat, cases: &[(&str, &[(&str, &str)])]) {
        for (field, wanted) in cases {
            let mut list = PairList::default();
            cookies(field.as_bytes(), format, &mut list);
            let read: Vec<_> = list
                .iter()
                .map(|pair| {
                    let text = |bytes| std::str::from_utf8(bytes).unwrap();
                    (text(pair.name), text(pair.value))
                })
                .collect();
            assert_eq!(&read, wanted, "{field}");
        }
    }

    #[test]
    fn netscape_cookies() {
        check(
            V0,
            &[
                ("", &[]),
                ("a=1", &[("a", "1")]),
                ("a=1; b=2", &[("a", "1"), ("b", "2")]),
                ("a=1;b=2;;c=3;", &[("a", "1"), ("b", "2"), ("c", "3")]),
                ("a=1; a=2; A=3", &[("a", "1"), ("a", "2"), ("A", "3")]),
                ("a=b=c", &[("a", "b=c")]),
                ("a", &[("a", "")]),
                ("a=", &[("a", "")]),
                ("=a; b=1", &[("b", "1")]),
                (" ; \t; a", &[("a", "")]),
                ("a =1; b= 2 ", &[("a ", "1"), ("b", " 2 ")]),
                ("a=\"1;2\"", &[("a", "\"1"), ("2\"", "")]),
                ("a=%41+", &[("a", "%41+")]),
                ("a=1, b=2", &[("a", "1"), ("b", "2")]),
                ("a=1,b=2", &[("a", "1,b=2")]),
                ("a=1,b=2, c=3", &[("a", "1,b=2, c=3")]),
                ("a=1, b=2; c=3", &[("a", "1, b=2"), ("c", "3")]),
                ("$Version=1; a=1; $Path=/", &[("$Version", "1"), ("a", "1"), ("$Path", "/")]),
            ],
        );
    }

    #[test]
    fn netscape_cookies_with_a_separator_of_their_own() {
        let format = CookieFormat::V0 { separator: Some(b',') };
        check(format, &[("a=1; b,c=2", &[("a", "1; b"), ("c", "2")])]);
    }

    #[test]
    fn version_1_cookies() {
        check(
            CookieFormat::V1,
            &[
                ("", &[]),
                ("a=1, b=2; c", &[("a", "1"), ("b", "2"), ("c", "")]),
                ("a = 1 ; b =\t\"2; 3\" ;c", &[("a", "1"), ("b", "2; 3"), ("c", "")]),
                ("a=\"1", &[("a", "1")]),
                ("a=\"", &[("a", "")]),
                ("a=\"1\"2; b", &[("a", "1"), ("2", ""), ("b", "")]),
                ("=1; a", &[("a", "")]),
                ("a=;b=", &[("a", ""), ("b", "")]),
                (
                    "$Version=1; a=1; $Path=/; b; $Domain=x",
                    &[
                        ("$Version", "1"),
                        ("a", "1"),
                        ("$a_Path", "/"),
                        ("b", ""),
                        ("$b_Domain", "x"),
                    ],
                ),
            ],
        );
    }

    #[test]
    fn a_long_name_is_not_repeated_in_full() {
        let field = format!("{}=1;{}", "n".repeat(10_000), "$p;".repeat(10_000));
        let mut list = PairList::default();
        cookies(field.as_bytes(), CookieFormat::V1, &mut list);
        assert_eq!(list.len(), 10_001);
        assert!(list.combined_size() < 20 * field.len());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(field in any::<Vec<u8>>(), separator in any::<Option<u8>>()) {
            let mut list = PairList::default();
            cookies(&field, CookieFormat::V0 { separator }, &mut list);
            prop_assert!(list.combined_size() <= field.len());
            cookies(&field, CookieFormat::V1, &mut list);
            prop_assert!(list.iter().all(|pair| !pair.name.is_empty()));
        }

        #[test]
        fn usual_cookies_come_back(
            pairs in prop::collection::vec(("[a-zA-Z0-9_]{1,8}", "[!#-+\\--:<-~]{0,8}"), 0..6)
        ) {
            let field: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut list = PairList::default();
            cookies(field.join("; ").as_bytes(), V0, &mut list);
            let read: Vec<_> = list
                .iter()
                .map(|pair| {
                    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                    (text(pair.name), text(pair.value))
                })
                .collect();
            prop_assert_eq!(read, pairs);
        }
    }
}
