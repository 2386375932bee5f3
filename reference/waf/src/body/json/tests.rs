use proptest::prelude::*;

use super::super::arguments::{Arguments, Origin, PairList};
use super::*;

/// The first mistake and its offset.
type Place = Option<(Mistake, usize)>;

/// Names and values, other than printable bytes escaped, and the mistake with its offset.
fn read(body: &[u8]) -> (Vec<(String, String)>, Place) {
    let mut list = PairList::default();
    let error = parse(body, 100, &mut list).err();
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let pairs = list.iter().map(|pair| (shown(pair.name), shown(pair.value))).collect();
    (pairs, error.map(|error| (error.mistake, error.offset)))
}

/// Body, names and values, mistake.
type Case<'a> = (&'a [u8], &'a [(&'a str, &'a str)], Place);

fn check(cases: &[Case<'_>]) {
    for (body, pairs, mistake) in cases {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let wanted = (pairs.iter().map(owned).collect(), *mistake);
        assert_eq!(read(body), wanted, "{}", body.escape_ascii());
    }
}

#[test]
fn names_are_those_of_version_3() {
    check(&[
        (br#"{"a": 1}"#, &[("json.a", "1")], None),
        (br#"{"a":{"b":1},"c":2}"#, &[("json.a.b", "1"), ("json.c", "2")], None),
        (
            br#"{"a": {"b": 1}, "c": [2, {"d": 3}]}"#,
            &[
                ("json.a.b", "1"),
                ("json.c.array_0", "2"),
                ("json.c.array_1.d", "3"),
                ("json.c", ""),
            ],
            None,
        ),
        (
            br#"[[1,[2]],{"a":[3]},4]"#,
            &[
                ("json.array_0.array_0", "1"),
                ("json.array_0.array_1.array_0", "2"),
                ("json.array_1.a.array_0", "3"),
                ("json.array_1.a", ""),
                ("json.array_2", "4"),
            ],
            None,
        ),
        (br#""text""#, &[("json", "text")], None),
        (br#"{"":{"":1}}"#, &[("json.empty-key.empty-key", "1")], None),
        (br#"{"a.b":{"c":1},"d":2}"#, &[("json.a.b.c", "1"), ("json.d", "2")], None),
        (br#"{"a":1,"a":2,"A":3}"#, &[("json.a", "1"), ("json.a", "2"), ("json.A", "3")], None),
        (
            br#"{"a":{},"b":[],"c":[[]]}"#,
            &[("json.a", ""), ("json.b", ""), ("json.c.array_0", ""), ("json.c", "")],
            None,
        ),
        (b"{}", &[("json", "")], None),
    ]);
}

#[test]
fn scalars_are_values() {
    check(&[
        (b"true", &[("json", "true")], None),
        (
            b"[false,null,-0.5E+10]",
            &[("json.array_0", "false"), ("json.array_1", ""), ("json.array_2", "-0.5E+10")],
            None,
        ),
        (b" \t\r\n\x0B\x0C1 ", &[("json", "1")], None),
        (b"0", &[("json", "0")], None),
        (b"1e9999999", &[("json", "1e9999999")], None),
        (b"123456789012345678901234567890", &[("json", "123456789012345678901234567890")], None),
        (br#""\"\\\/\b\f\n\r\t""#, &[("json", r#"\"\\/\x08\x0c\n\r\t"#)], None),
        (br#""\u0061\u003C\u00e9\u20AC""#, &[("json", r"a<\xc3\xa9\xe2\x82\xac")], None),
        (br#""\uD83D\uDE00\u0000""#, &[("json", r"\xf0\x9f\x98\x80\x00")], None),
        (br#""\ud83d\u0041\ude00\ud83d""#, &[("json", "?A??")], None),
        (br#"{"\u003cscript\u003e":"\\"}"#, &[("json.<script>", r"\\")], None),
    ]);
}

#[test]
fn what_some_parsers_forgive_is_read_and_is_a_mistake() {
    check(&[
        (b"\xEF\xBB\xBF[1]", &[("json.array_0", "1")], Some((Mistake::ByteOrderMark, 0))),
        (b"{\"a\":\"x\ny\"}", &[("json.a", r"x\ny")], Some((Mistake::ControlCharacter, 7))),
        (
            b"[\"\xFF\",2]",
            &[("json.array_0", r"\xff"), ("json.array_1", "2")],
            Some((Mistake::InvalidUtf8, 2)),
        ),
        (b"\"\x00\xFF\"", &[("json", r"\x00\xff")], Some((Mistake::ControlCharacter, 1))),
        (b"\"\xFF\x00\"", &[("json", r"\xff\x00")], Some((Mistake::InvalidUtf8, 1))),
        (
            br#"["\x41\'","a"]"#,
            &[("json.array_0", r"\\x41\\\'"), ("json.array_1", "a")],
            Some((Mistake::UnknownEscape, 2)),
        ),
        (br#""a\u12G4""#, &[("json", r"a\\u12G4")], Some((Mistake::UnknownEscape, 2))),
        (br#"{"\q":1}"#, &[(r"json.\\q", "1")], Some((Mistake::UnknownEscape, 2))),
        (b"1 2", &[("json", "1"), ("json", "2")], Some((Mistake::TrailingData, 2))),
        (
            b"{\"a\":1}\n{\"b\":2}",
            &[("json.a", "1"), ("json.b", "2")],
            Some((Mistake::TrailingData, 8)),
        ),
    ]);
}

#[test]
fn other_mistakes_end_the_reading_and_keep_what_was_read() {
    check(&[
        (b"", &[], None),
        (b" ", &[], Some((Mistake::EndsEarly, 1))),
        (b"{", &[], Some((Mistake::EndsEarly, 1))),
        (b"[1,", &[("json.array_0", "1")], Some((Mistake::EndsEarly, 3))),
        (b"[1,]", &[("json.array_0", "1")], Some((Mistake::ValueExpected, 3))),
        (b"[,1]", &[], Some((Mistake::ValueExpected, 1))),
        (br#"{"a":1,}"#, &[("json.a", "1")], Some((Mistake::KeyExpected, 7))),
        (br#"{"a" 1}"#, &[], Some((Mistake::ColonExpected, 5))),
        (br#"{"a""#, &[], Some((Mistake::EndsEarly, 4))),
        (br#"{a:1}"#, &[], Some((Mistake::KeyExpected, 1))),
        (br#"{'a':1}"#, &[], Some((Mistake::KeyExpected, 1))),
        (br#"{"a":1 "b":2}"#, &[("json.a", "1")], Some((Mistake::CommaExpected, 7))),
        (b"[1}", &[("json.array_0", "1")], Some((Mistake::CommaExpected, 2))),
        (b"]", &[], Some((Mistake::ValueExpected, 0))),
        (b"01", &[("json", "0"), ("json", "1")], Some((Mistake::TrailingData, 1))),
        (b"[-]", &[], Some((Mistake::Number, 1))),
        (b"[1.]", &[], Some((Mistake::Number, 1))),
        (b"[1e+]", &[], Some((Mistake::Number, 1))),
        (b"[.5]", &[], Some((Mistake::ValueExpected, 1))),
        (b"[+5]", &[], Some((Mistake::ValueExpected, 1))),
        (b"NaN", &[], Some((Mistake::ValueExpected, 0))),
        (b"nulls", &[("json", "")], Some((Mistake::TrailingData, 4))),
        (b"/* c */ 1", &[], Some((Mistake::ValueExpected, 0))),
        (br#""open"#, &[], Some((Mistake::EndsEarly, 0))),
        (br#""open\"#, &[], Some((Mistake::EndsEarly, 0))),
        (b"\xFF\xFE{\0}\0", &[], Some((Mistake::ValueExpected, 0))),
        (b"a=1&b=2", &[], Some((Mistake::ValueExpected, 0))),
    ]);
}

#[test]
fn an_error_says_what_was_left_unread() {
    let mut list = PairList::default();
    let body = b"[\"\xFF\", 2, <script>]";
    let error = parse(body, 100, &mut list).unwrap_err();
    assert_eq!(error.mistake, Mistake::InvalidUtf8);
    assert_eq!(&body[error.unread..], b"<script>]");
    assert_eq!(error.to_string(), "JSON parsing error: invalid UTF-8 in a string (byte 2)");
}

#[test]
fn depth_is_limited_and_costs_no_stack() {
    let nested = |depth: usize| [b"[".repeat(depth), b"1".to_vec(), b"]".repeat(depth)].concat();
    let mut list = PairList::default();
    assert_eq!(parse(&nested(10_000), 10_000, &mut list), Ok(()));
    assert_eq!(list.len(), 1);
    assert_eq!(list.combined_size(), "json".len() + 10_000 * ".array_0".len() + 1);

    let error = parse(&nested(10_001), 10_000, &mut list).unwrap_err();
    assert_eq!((error.mistake, error.offset), (Mistake::TooDeep, 10_000));
    let error = parse(b"{\"a\":{}}", 1, &mut list).unwrap_err();
    assert_eq!((error.mistake, error.offset), (Mistake::TooDeep, 5));
    assert_eq!(parse(b"[[],{},[]]", 2, &mut list), Ok(()));
}

#[test]
fn the_limit_of_arguments_ends_the_reading() {
    let mut arguments = Arguments::new(2);
    let error = parse(b"[1,2,3,4]", 9, &mut arguments.adding(Origin::Post)).unwrap_err();
    assert_eq!((error.mistake, error.offset, error.unread), (Mistake::TooManyArguments, 5, 5));
    assert_eq!(arguments.len(), 2);
    assert!(arguments.limit_exceeded());
}

#[test]
fn names_have_a_budget() {
    let depth = 20_000;
    let body = [br#"{"k":1,"k":"#.repeat(depth), b"1".to_vec(), b"}".repeat(depth)].concat();
    let mut list = PairList::default();
    let error = parse(&body, u32::MAX, &mut list).unwrap_err();
    assert_eq!(error.mistake, Mistake::NamesTooLong);
    assert!(list.combined_size() < 17 * body.len() + (256 << 10));
}

/// A JSON value as text, and the arguments that it must give.
#[derive(Debug, Clone)]
enum Value {
    Plain(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    fn write(&self, name: &str, text: &mut String, wanted: &mut Vec<(String, String)>) {
        match self {
            Self::Plain(plain) => {
                text.push_str(plain);
                let value = if plain == "null" { "" } else { plain };
                wanted.push((name.to_owned(), value.to_owned()));
            }
            Self::Text(value) => {
                quote(value, text);
                wanted.push((name.to_owned(), value.clone()));
            }
            Self::List(values) => {
                text.push('[');
                for (index, value) in values.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { " ," });
                    value.write(&format!("{name}.array_{index}"), text, wanted);
                }
                text.push(']');
            }
            Self::Map(values) => {
                text.push('{');
                for (index, (key, value)) in values.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { ", " });
                    quote(key, text);
                    text.push(':');
                    let key = if key.is_empty() { "empty-key" } else { key };
                    let name = format!("{name}.{key}");
                    value.write(&name, text, wanted);
                    if matches!(value, Self::List(values) if !values.is_empty()) {
                        wanted.push((name, String::new()));
                    }
                }
                text.push('}');
            }
        }
        if matches!(self, Self::List(values) if values.is_empty())
            || matches!(self, Self::Map(values) if values.is_empty())
        {
            wanted.push((name.to_owned(), String::new()));
        }
    }
}

/// Each character escaped in one of the ways that there are.
fn quote(value: &str, text: &mut String) {
    text.push('"');
    for (index, character) in value.chars().enumerate() {
        if matches!(character, '"' | '\\' | '\0'..='\x1F') || index % 3 == 0 {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text.push('"');
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["true", "false", "null", "0", "-1", "1.5e-7"])
            .prop_map(|plain| Value::Plain(plain.to_owned())),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec((any::<String>(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

proptest! {
    #[test]
    fn values_come_back(value in value()) {
        let (mut text, mut wanted) = (String::new(), Vec::new());
        value.write("json", &mut text, &mut wanted);
        let mut list = PairList::default();
        prop_assert_eq!(parse(text.as_bytes(), 100, &mut list), Ok(()));
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let read: Vec<_> =
            list.iter().map(|pair| (string(pair.name), string(pair.value))).collect();
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn any_bytes_are_read(body in any::<Vec<u8>>(), depth in 0..4_u32) {
        let mut list = PairList::default();
        if let Err(error) = parse(&body, depth, &mut list) {
            prop_assert!(error.offset <= body.len() && error.unread <= body.len());
        }
    }

    #[test]
    fn near_json_is_read(body in r#"([\[\]{},:"\\ue0-]|"[a\\"]{0,3}"|12|true|null){0,40}"#) {
        let mut list = PairList::default();
        let _ = parse(body.as_bytes(), 8, &mut list);
        prop_assert!(list.len() <= body.len());
    }
}
