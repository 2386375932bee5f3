//! `name=value&name=value`: the query, and bodies of `application/x-www-form-urlencoded`.

use std::cell::Cell;

use memchr::memchr;

use super::arguments::Pairs;
use super::percent::{count_invalid, decode_form};
use super::steps::took;

/// What was wrong with the encoding of a query or a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UrlencodedErrors {
    /// The number of `%` that no two hexadecimal digits follow. They stay as they are.
    pub invalid_encodings: usize,
}

impl UrlencodedErrors {
    /// URLENCODED_ERROR: whether anything was wrong.
    #[must_use]
    pub fn any(self) -> bool {
        self.invalid_encodings > 0
    }
}

/// Reads names and values, each decoded: `+` is a space, `%HH` a byte; `%uHHHH` is an invalid
/// encoding that stays as it is, for transformations to judge.
///
/// A field without `=` has an empty value, `=x` has an empty name, and an empty field between two
/// separators is a pair of two empty texts, as ModSecurity has it; only after a last separator
/// there is no field. `separator` is SecArgumentSeparator, `&` unless a rule file says otherwise.
pub fn urlencoded(text: &[u8], separator: u8, into: &mut impl Pairs) -> UrlencodedErrors {
    let invalid = Cell::new(0);
    let mut rest = text;
    while !rest.is_empty() {
        let (field, after) = match memchr(separator, rest) {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        took(field.len() + 1);
        let (name, value) = match memchr(b'=', field) {
            Some(at) => (&field[..at], &field[at + 1..]),
            None => (field, &field[field.len()..]),
        };
        let decode = |text, out: &mut Vec<u8>| invalid.set(invalid.get() + decode_form(text, out));
        if into.add_with(|out| decode(name, out), |out| decode(value, out)).is_err() {
            invalid.set(invalid.get() + count_invalid(name) + count_invalid(value));
        }
    }
    UrlencodedErrors { invalid_encodings: invalid.get() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arguments::{Arguments, Origin, PairList};
    use super::*;

    fn read(text: &str) -> (Vec<(String, String)>, usize) {
        let mut list = PairList::default();
        let errors = urlencoded(text.as_bytes(), b'&', &mut list);
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let pairs = list.iter().map(|pair| (shown(pair.name), shown(pair.value))).collect();
        (pairs, errors.invalid_encodings)
    }

    #[test]
    fn fields_are_read_as_modsecurity_reads_them() {
        // Text, names and values, invalid encodings.
        type Case = (&'static str, &'static [(&'static str, &'static str)], usize);
        let cases: &[Case] = &[
            ("", &[], 0),
            ("a=1", &[("a", "1")], 0),
            ("a=1&b=2", &[("a", "1"), ("b", "2")], 0),
            ("a=1&a=2&A=3", &[("a", "1"), ("a", "2"), ("A", "3")], 0),
            ("a", &[("a", "")], 0),
            ("a=", &[("a", "")], 0),
            ("=a", &[("", "a")], 0),
            ("=", &[("", "")], 0),
            ("a=b=c", &[("a", "b=c")], 0),
            ("a=1&", &[("a", "1")], 0),
            ("a&", &[("a", "")], 0),
            ("&", &[("", "")], 0),
            ("&a=1", &[("", ""), ("a", "1")], 0),
            ("a=1&&b=2", &[("a", "1"), ("", ""), ("b", "2")], 0),
            ("a=1;b=2", &[("a", "1;b=2")], 0),
            ("a+b=c+d", &[("a b", "c d")], 0),
            ("%61=%62%2b+", &[("a", "b+ ")], 0),
            ("a%26b%3d=%26%3D", &[("a&b=", "&=")], 0),
            ("a=%00b", &[("a", r"\x00b")], 0),
            ("a=%", &[("a", "%")], 1),
            ("a=%4", &[("a", "%4")], 1),
            ("a=%zz%41", &[("a", "%zzA")], 1),
            ("a=%%41", &[("a", "%A")], 1),
            ("a%=%4&b=%u0041", &[("a%", "%4"), ("b", "%u0041")], 3),
            ("a=%25%34%31", &[("a", "%41")], 0),
            ("a[]=1&a[0]=2", &[("a[]", "1"), ("a[0]", "2")], 0),
            ("a=1#b", &[("a", "1#b")], 0),
            ("?a=1", &[("?a", "1")], 0),
        ];
        for (text, pairs, invalid) in cases {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let wanted = (pairs.iter().map(owned).collect(), *invalid);
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    #[test]
    fn another_separator_can_be_set() {
        let mut list = PairList::default();
        urlencoded(b"a=1;b=2&c", b';', &mut list);
        let read: Vec<_> = list.iter().map(|pair| (pair.name, pair.value)).collect();
        assert_eq!(read, [(&b"a"[..], &b"1"[..]), (b"b", b"2&c")]);
    }

    #[test]
    fn encodings_beyond_the_limit_are_still_judged() {
        let mut arguments = Arguments::new(1);
        let errors = urlencoded(b"a=1&b=%zz&%=%4", b'&', &mut arguments.adding(Origin::Get));
        assert_eq!((arguments.len(), errors.invalid_encodings), (1, 3));
        assert!(arguments.limit_exceeded() && errors.any());
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(
            pairs in prop::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 1..8)
        ) {
            let encode = |bytes: &[u8]| -> String {
                bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
            };
            let field = |(name, value): &(Vec<u8>, Vec<u8>)| {
                format!("{}={}", encode(name), encode(value))
            };
            let fields: Vec<_> = pairs.iter().map(field).collect();
            let mut list = PairList::default();
            let errors = urlencoded(fields.join("&").as_bytes(), b'&', &mut list);
            prop_assert!(!errors.any());
            let read: Vec<_> =
                list.iter().map(|pair| (pair.name.to_vec(), pair.value.to_vec())).collect();
            prop_assert_eq!(read, pairs);
        }

        #[test]
        fn any_bytes_are_read_and_never_grow(text in any::<Vec<u8>>(), separator in any::<u8>()) {
            let mut list = PairList::default();
            urlencoded(&text, separator, &mut list);
            prop_assert!(list.combined_size() <= text.len());
            prop_assert!(list.len() <= text.len());
        }
    }
}
