//! What a list of field lines keeps and what it refuses.

use edgeproof_http1::{Fields, ResponseHead, Version, Written, put_response_head};

fn sample() -> Fields {
    [("Host", "a.test"), ("X-A", " 1 "), ("x-a", "2"), ("Empty", "")].into_iter().collect()
}

#[test]
fn order_spelling_and_duplicates_are_kept() {
    let lines: Vec<_> = sample()
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .map(|(name, value)| (String::from_utf8(name).unwrap(), String::from_utf8(value).unwrap()))
        .collect();
    insta::assert_compact_debug_snapshot!(lines, @r#"[("Host", "a.test"), ("X-A", "1"), ("x-a", "2"), ("Empty", "")]"#);
}

#[test]
fn names_match_in_any_case() {
    let fields = sample();
    assert_eq!(fields.get("HOST"), Some(&b"a.test"[..]));
    assert_eq!(fields.get_all("X-a").collect::<Vec<_>>(), [b"1", b"2"]);
    assert!(fields.contains(b"empty") && !fields.contains("x-b"));
}

#[test]
fn lines_can_be_removed_and_replaced() {
    let mut fields = sample();
    assert_eq!(fields.remove("x-A"), 2);
    assert_eq!(fields.remove("x-A"), 0);
    fields.set("host", "b.test");
    fields.retain(|name, _| name != b"Empty");
    insta::assert_compact_debug_snapshot!(fields, @"[host: b.test]");
}

#[test]
fn a_value_cannot_end_its_line() {
    let mut fields = Fields::new();
    fields.push("X", "a\r\nB: c\0d\r\n");
    assert_eq!(fields.get("x"), Some(&b"a  B: c d  "[..]));
}

#[test]
#[should_panic(expected = "is no field name")]
fn a_name_must_be_a_token() {
    Fields::new().push("no name", "x");
}

#[test]
fn written_lines_read_as_the_list_they_were_written_from() {
    let fields = sample();
    let text = fields.to_written();
    let written = Written::new(&text);
    assert_eq!(written.as_bytes(), b"Host: a.test\r\nX-A: 1\r\nx-a: 2\r\nEmpty: \r\n");
    assert_eq!(written.to_fields(), fields);
    assert_eq!(written.get("HOST"), Some(&b"a.test"[..]));
    assert_eq!(written.get_all("X-a").collect::<Vec<_>>(), [b"1", b"2"]);
    assert!(written.contains(b"empty") && !written.contains("x-") && !written.contains("x-a:"));
    assert!(!written.is_empty() && Written::new(&Fields::new().to_written()).is_empty());
}

#[test]
fn the_lines_of_a_head_are_those_after_its_first() {
    let reason = "It's: fine".into();
    let head = ResponseHead { version: Version::Http11, status: 200, reason, fields: sample() };
    let mut text = Vec::new();
    put_response_head(&mut text, &head);
    assert_eq!(Written::of_head(&text).to_fields(), sample());
    assert!(Written::of_head(b"HTTP/1.1 200 OK\r\n\r\n").is_empty());
}

/// Names that a sieve by length and first byte cannot tell apart are told apart all the same, and
/// one whose lines were removed is gone.
#[test]
fn names_that_look_alike_are_different_names() {
    let mut fields = Fields::new();
    for name in ["Accept", "aCCESS", "X_a", "x-b"] {
        assert!(!fields.contains(name));
        fields.push(name, name);
        for spelling in [name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
            assert_eq!(fields.get(&spelling), Some(name.as_bytes()));
        }
    }
    assert_eq!(fields.remove("access"), 1);
    assert!(!fields.contains("access"));
    assert_eq!(fields.get("ACCEPT"), Some(&b"Accept"[..]));
}
