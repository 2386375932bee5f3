use proptest::collection::vec;
use proptest::prelude::*;

use super::{NAMES, Transformation as T, Transformations, UnicodeMap, is_untouched};
use crate::operator::ByteSet;

/// What the transformation makes of the value, by `apply`.
fn applied(transformation: T, input: &[u8], unicode: &UnicodeMap) -> Vec<u8> {
    // What was in the buffer must not matter.
    let mut out = b"left over".to_vec();
    if transformation.apply(input, &mut out, unicode) { out } else { input.to_vec() }
}

#[track_caller]
fn check(transformation: T, cases: &[(&[u8], &[u8])]) {
    for (input, expected) in cases {
        let found = applied(transformation, input, &UnicodeMap::default());
        let [found, expected] =
            [found.escape_ascii(), expected.escape_ascii()].map(|it| it.to_string());
        assert_eq!(found, expected, "{} of {}", transformation.name(), input.escape_ascii());
    }
}

#[test]
fn names_are_found_in_any_case_and_both_spellings() {
    for (name, transformation) in NAMES {
        assert_eq!(T::named(name), Some(*transformation));
        assert_eq!(T::named(&name.to_uppercase()), Some(*transformation));
        assert_eq!(T::named(transformation.name()), Some(*transformation));
    }
    assert_eq!(T::named("normalisePathWin"), Some(T::NormalizePathWin));
    assert_eq!(T::NormalizePathWin.name(), "normalizePathWin");
    assert_eq!((T::named("none"), T::named("")), (None, None));
    assert_eq!(T::names().count(), NAMES.len());
    assert!(NAMES.iter().all(|(_, transformation)| T::ALL.contains(transformation)));
}

#[test]
fn base64() {
    check(T::Base64Encode, &[(b"", b""), (b"a", b"YQ=="), (b"Test\0\xff!", b"VGVzdAD/IQ==")]);
    check(
        T::Base64Decode,
        &[
            (b"", b""),
            (b"VGVzdA==", b"Test"),
            (b"VGVzdA", b"Test"),
            (b"VGVzdAA=", b"Test\0"),
            // A digit too many says nothing.
            (b"VGVzd", b"Tes"),
            (b"V", b""),
            // The first byte that is no digit ends it.
            (b"VGVz dA==", b"Tes"),
            (b"VGVz\0dA==", b"Tes"),
            (b"=VGVz", b""),
            (b"VG-_", b"T"),
            (b"!", b""),
        ],
    );
    check(
        T::Base64DecodeExt,
        &[
            (b"VGVzdA==", b"Test"),
            (b"V G-V!z\r\ndA==", b"Test"),
            (b"VGVz=dA==", b"Test"),
            (b"VGVzdA==VGVz", b"Test\x05FW"),
            (b"VGVzd=", b""),
            (b"V=GVz", b""),
            (b"V==GVz", b""),
            (b"VG==VzdA", b"Test"),
            (b"VGVz\0dA==", b"Tes"),
            (b"=?=", b""),
        ],
    );
}

#[test]
fn cmd_line() {
    check(
        T::CmdLine,
        &[
            (b"C^OMMAND /C D\"I'R\\", b"command/c dir"),
            (b"a,;\t\r\n b", b"a b"),
            (b"a \"\" b", b"a b"),
            (b"a  (b / c", b"a(b/ c"),
            (b" /etc", b"/etc"),
            (b"^,\" ", b" "),
            (b"a\x0bb", b"a\x0bb"),
            // A NUL byte hides nothing.
            (b"A\0B", b"a\0b"),
        ],
    );
}

#[test]
fn white_space() {
    check(
        T::CompressWhitespace,
        &[
            (b"a \t\r\n\x0b\x0c\xa0b", b"a b"),
            (b"\ta", b" a"),
            (b"a\xa0", b"a "),
            (b"  ", b" "),
            (b"a b", b"a b"),
        ],
    );
    check(T::RemoveWhitespace, &[(b" a \t\r\n\x0b\x0c\xa0b ", b"ab"), (b"\xa0", b"")]);
    let spaced: &[u8] = b"\t\r\n\x0b\x0c a \0b \t\r\n\x0b\x0c";
    check(T::Trim, &[(spaced, b"a \0b"), (b"\xa0a", b"\xa0a"), (b" \n", b""), (b"", b"")]);
    check(T::TrimLeft, &[(spaced, &spaced[6..]), (b" ", b"")]);
    check(T::TrimRight, &[(spaced, &spaced[..10]), (b" ", b"")]);
}

#[test]
fn css() {
    check(
        T::CssDecode,
        &[
            (
                br"test\a\b\f\n\r\t\v\?\'\x22\0\12\123\1234",
                b"test\x0a\x0b\x0fnrtv?'x22\0\x12\x23\x34",
            ),
            // One to six digits, the last two count.
            (br"\1A\1 A\1234567", b"\x1a\x01A\x567"),
            // One white space behind the digits belongs to them.
            (b"\\61\tz\\61  z", b"aza z"),
            // Full-width ASCII: FF01 to FF5E.
            (br"\ff01\ff5e\ff5f\ff00 \00ff21\0ff21 \10ff21", b"!~\x5f\0A\x41\x21"),
            (b"a\\\nb\\zc\\", b"abzc"),
        ],
    );
}

#[test]
fn escape_sequences() {
    check(
        T::EscapeSeqDecode,
        &[
            (br#"\a\b\f\n\r\t\v\\\?\'\""#, b"\x07\x08\x0c\n\r\t\x0b\\?'\""),
            (br"\x41\X42\x4\xg\x", b"ABx4xgx"),
            (br"\101\8\18\777\0", b"A8\x018\xff\0"),
            (br"\z\", b"z\\"),
        ],
    );
    check(
        T::JsDecode,
        &[
            (br#"\a\b\f\n\r\t\v\\\?\'\"\/"#, b"\x07\x08\x0c\n\r\t\x0b\\?'\"/"),
            (br"\x41\X42\x4", b"AX42x4"),
            (br"\u0041\u1242\u006\U0041", b"ABu006U0041"),
            (br"\uff01\uFF5e\uff5f\uff00\ufe41", b"!~\x5f\0A"),
            (br"\101\0\18\377\400\777", b"A\0\x018\xff\x200\x3f7"),
            (br"a\", b"a\\"),
            (br"\u0", b"u0"),
        ],
    );
}

#[test]
fn hexadecimal() {
    check(T::HexEncode, &[(b"Test\0\xff", b"5465737400ff"), (b"", b"")]);
    check(
        T::HexDecode,
        &[
            (b"5465737400FF", b"Test\0\xff"),
            (b"546", b"T"),
            (b"5", b""),
            // What is no digit counts as if it were.
            (b"G0", b"\0"),
            (b"!!", b"\x01"),
        ],
    );
    check(
        T::SqlHexDecode,
        &[
            (b"0x414243", b"ABC"),
            (b"(0X4142), 0x43", b"(AB), C"),
            (b"0x41zz 0x4 0x 00x41", b"Azz 0x4 0x 0A"),
            // The byte behind is kept, whatever it is.
            (b"0x410x42", b"A0x42"),
            (b"0x414", b"A4"),
            (b"a\0b0x41", b"a\0bA"),
        ],
    );
}

#[test]
fn html_entities() {
    check(
        T::HtmlEntityDecode,
        &[
            (b"&quot;&amp;&lt;&gt;&nbsp;", b"\"&<>\xa0"),
            (b"&QUOT&Amp &lt<", b"\"& <<"),
            (b"&ltscript;&foo;&;&&lt;", b"&ltscript;&foo;&;&<"),
            (b"&#60;&#x3c;&#X3C&#060 &#0;", b"<<<< \0"),
            (b"&#;&#x;&#xg;&#g;&#", b"&#;&#x;&#xg;&#g;&#"),
            (b"&", b"&"),
            (b"&#x", b"&#x"),
            // The low byte counts; a number too large is FF.
            (b"&#321;&#x141;&#99999999999999999999;&#xffffffffffffffffffff;", b"AA\xff\xff"),
            (b"&lt;;&#60;;", b"<;<;"),
        ],
    );
}

#[test]
fn letters() {
    check(T::Lowercase, &[(b"TestCase\0\xc9", b"testcase\0\xc9"), (b"", b"")]);
    check(T::Uppercase, &[(b"TestCase\0\xe9", b"TESTCASE\0\xe9")]);
    check(T::Length, &[(b"", b"0"), (b"12345678901", b"11"), (b"1", b"1")]);
    check(T::RemoveNulls, &[(b"\0a\0\0b\0", b"ab"), (b"\0", b"")]);
    check(T::ReplaceNulls, &[(b"\0a\0", b" a ")]);
    check(T::ParityEven7Bit, &[(b"ac\xe1\xe3", b"\xe1c\x61\xe3")]);
    check(T::ParityOdd7Bit, &[(b"ac\xe1\xe3", b"a\xe3\xe1c")]);
    check(T::ParityZero7Bit, &[(b"\xe1b\x80", b"ab\0")]);
}

#[test]
fn digests_are_raw_bytes() {
    let map = UnicodeMap::default();
    let hex = |transformation, input: &[u8]| {
        applied(T::HexEncode, &applied(transformation, input, &map), &map)
    };
    assert_eq!(hex(T::Md5, b""), b"d41d8cd98f00b204e9800998ecf8427e");
    assert_eq!(hex(T::Sha1, b"abc"), b"a9993e364706816aba3e25717850c26c9cd0d89d");
}

#[test]
fn paths() {
    let both: &[(&[u8], &[u8])] = &[
        (b"", b""),
        (b"/", b"/"),
        (b".", b""),
        (b"..", b".."),
        (b"./", b""),
        (b"../", b"../"),
        (b"/.", b""),
        (b"/..", b""),
        (b"/../", b"/"),
        (b"/../../a", b"/a"),
        (b"/a/b/../c", b"/a/c"),
        (b"/a/./b", b"/a/b"),
        (b"//a///b//", b"/a/b/"),
        (b"a/..", b""),
        (b"a/../", b""),
        (b"a/../b", b"b"),
        (b"a/../../b", b"../b"),
        (b"../../a", b"../../a"),
        (b"./../a", b"../a"),
        (b"/a/b/..", b"/a"),
        (b"/a/b/../", b"/a/"),
        (b"/a/..b/c", b"/a/..b/c"),
        (b"/a/b/...", b"/a/b"),
        (b"/a.b/c.", b"/a.b/c."),
        (b"/a/b../c", b"/a/c"),
    ];
    check(T::NormalizePath, both);
    check(T::NormalizePathWin, both);
    check(T::NormalizePath, &[(br"\a\..\b", br"\a\..\b")]);
    check(
        T::NormalizePathWin,
        &[
            (br"\a\..\b", b"/b"),
            (br"..\..\winnt\\\\win.ini", b"../../winnt/win.ini"),
            (br"a\\\b", b"a/b"),
            (br"a\/\b\", b"a/b/"),
        ],
    );
}

#[test]
fn comments() {
    check(
        T::RemoveComments,
        &[
            (b"before/* a */after", b"beforeafter"),
            (b"a<!-- b -->c", b"ac"),
            (b"a/* b --> c", b"a c"),
            (b"a-- b", b"a"),
            (b"a# b", b"a"),
            (b"a - b", b"a - b"),
            (b"a/*", b"a "),
            (b"a/**/", b"a"),
            // The byte behind a comment is kept whatever it is.
            (b"/**//**/a", b"/**/a"),
            (b"a/*b*/--c", b"a--c"),
            (b"/**/<!--x-->", b"<!"),
        ],
    );
    check(
        T::RemoveCommentsChar,
        &[
            (b"a/*b*/c<!--d-->e--f#g", b"abcdefg"),
            (b"--->", b"->"),
            (b"-->", b""),
            (b"<!-", b"<!-"),
            (b"/*/", b"/"),
        ],
    );
    check(
        T::ReplaceComments,
        &[
            (b"a/*b*/c", b"a c"),
            (b"a/*b", b"a "),
            (b"/**//**/", b"  "),
            (b"/*/", b" "),
            (b"*/a", b"*/a"),
            (b"a-- b", b"a-- b"),
        ],
    );
}

#[test]
fn urls() {
    let both: &[(&[u8], &[u8])] = &[
        (b"a+b%20c%00%FF%ff", b"a b c\0\xff\xff"),
        (b"%", b"%"),
        (b"%4", b"%4"),
        (b"%4g%g4%%41", b"%4g%g4%A"),
        (b"%2541", b"%41"),
    ];
    check(T::UrlDecode, both);
    check(T::UrlDecodeUni, both);
    check(T::UrlDecode, &[(b"%u0041", b"%u0041")]);
    check(
        T::UrlDecodeUni,
        &[
            (b"%u0041%U0042%u1243", b"ABC"),
            (b"%uff01%uFF5E%uff5f%u0100", b"!~\x5f\0"),
            (b"%u004%uzzzz%u", b"%u004%uzzzz%u"),
            (b"%u%41", b"%uA"),
            (b"%u0041+", b"A "),
        ],
    );
    check(T::UrlEncode, &[(b"aZ09* ./\xff", b"aZ09*+%2e%2f%ff"), (b"", b"")]);
}

#[test]
fn a_unicode_map_comes_before_the_low_byte() {
    let text = b"1250  (ANSI)\n00a1:21 2039:3c\n\n20127 (US-ASCII)\n2039:3e ff1c:3c 0100:141\n00e9:65\n\n28591 (x)\n2039:3d\n";
    let map = UnicodeMap::parse(text, 20127).expect("a map");
    let decoded =
        applied(T::UrlDecodeUni, b"%u2039%uff1c%u0100%u00e9%u203a%uff1e%u3002%uff61%u0041", &map);
    assert_eq!(decoded, b"><Ae\x3a>..A");
    let error = UnicodeMap::parse(text, 2039).unwrap_err();
    assert_eq!(error.to_string(), "the Unicode map has no code page 2039");
    let empty = UnicodeMap::parse(b"1 (none)\n2 (some)\n0041:42", 1).expect("a map");
    assert_eq!((empty.byte(0x41), empty.byte(0x3002)), (None, Some(b'.')));
    let usual = UnicodeMap::us_ascii();
    let fits = [0x2019, 0x2026, 0xff1c, 0x0141, 0x4f1a].map(|code| usual.byte(code));
    assert_eq!(fits, [Some(b'\''), Some(b'.'), Some(b'<'), Some(b'L'), None]);
    let error = UnicodeMap::read("/no/such/file".as_ref(), 1).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the Unicode map /no/such/file");
}

#[test]
fn utf8_to_unicode() {
    check(
        T::Utf8ToUnicode,
        &[
            ("a\u{e9}\u{20ac}\u{1f600}".as_bytes(), b"a%u00e9%u20ac%u1f600"),
            ("\u{10ffff}".as_bytes(), b"%u10ffff"),
            (b"a\0b", b"ab"),
            // Bytes that start nothing stay; the first of what is broken off does not.
            (b"\x80\xbf\xf8\xff", b"\x80\xbf\xf8\xff"),
            (b"\xc3a\xe2\x82", b"a\x82"),
            (b"\xe2\x82", b"\x82"),
            (b"\xf0\x9f\x98", b"\x9f\x98"),
            // Overlong forms, surrogates and numbers too high are written, and marked.
            (b"\xc0\xaf", b"%u002f\xc0"),
            (b"\xe0\x80\xaf", b"%u002f\xe0"),
            (b"\xed\xa0\x80", b"%ud800\xed"),
            (b"\xf0\x8d\xa0\x80", b"%ud800\xf0\xf0"),
            (b"\xf5\x80\x80\x80", b"\xf5%u140000"),
            (b"\xf5a", b"\xf5a"),
        ],
    );
}

/// Bytes that mean something to one transformation or another.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let special =
        prop::sample::select(&b"%+\\&#;xXuU0149afF/*.-<!>\"'^ ,\t\n=\0\xa0\xc3\xa9\xff("[..]);
    vec(prop_oneof![4 => special, 1 => any::<u8>()], 0..24)
}

fn any_transformation() -> impl Strategy<Value = T> {
    prop::sample::select(NAMES).prop_map(|(_, transformation)| transformation)
}

proptest! {
    #[test]
    fn apply_says_whether_the_value_differs(transformation in any_transformation(), value in value()) {
        let map = UnicodeMap::default();
        let mut full = Vec::new();
        transformation.rewrite(&value, &mut full, &map);
        let mut out = vec![1, 2, 3];
        let differs = transformation.apply(&value, &mut out, &map);
        prop_assert_eq!(differs, full != value);
        prop_assert!(!differs || out == full);
        prop_assert!(!(differs && is_untouched(transformation, &value)));
        let may = Transformations::that_may_change(ByteSet::in_text(&value));
        prop_assert!(!differs || may.contains(transformation));
    }

    #[test]
    fn no_value_gets_longer_than_is_said(value in value()) {
        for (_, transformation) in NAMES {
            let made = applied(*transformation, &value, &UnicodeMap::default());
            prop_assert!(made.len() <= transformation.most(value.len()), "{}", transformation.name());
        }
    }

    #[test]
    fn what_is_tidy_stays_as_it_is(value in value()) {
        let map = UnicodeMap::default();
        for transformation in [
            T::CompressWhitespace, T::Lowercase, T::Uppercase, T::ParityZero7Bit, T::RemoveNulls,
            T::RemoveWhitespace, T::ReplaceNulls, T::Trim, T::TrimLeft, T::TrimRight,
        ] {
            let once = applied(transformation, &value, &map);
            let mut out = Vec::new();
            prop_assert!(!transformation.apply(&once, &mut out, &map), "{}", transformation.name());
        }
    }

    #[test]
    fn encodings_are_undone(value in vec(any::<u8>(), 0..40)) {
        let map = UnicodeMap::default();
        for (encode, decode) in [
            (T::Base64Encode, T::Base64Decode),
            (T::Base64Encode, T::Base64DecodeExt),
            (T::HexEncode, T::HexDecode),
            (T::UrlEncode, T::UrlDecode),
            (T::UrlEncode, T::UrlDecodeUni),
        ] {
            let encoded = applied(encode, &value, &map);
            prop_assert_eq!(&applied(decode, &encoded, &map), &value);
        }
    }

    #[test]
    fn trimming_one_end_after_the_other_is_trimming_both(value in value()) {
        let map = UnicodeMap::default();
        let one_by_one = applied(T::TrimLeft, &applied(T::TrimRight, &value, &map), &map);
        prop_assert_eq!(applied(T::Trim, &value, &map), one_by_one);
    }
}
