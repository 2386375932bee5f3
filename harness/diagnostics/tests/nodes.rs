//! The tree: readings of scalars, and spans that cover what was written.

use edgeproof_diagnostics::{Colour, Diagnostics, Kind, Node, Position, Source, Style, parse};

fn read(text: &str) -> Node {
    let diagnostics = Diagnostics::new();
    let node = parse(&Source::new("case.yaml", text), &diagnostics);
    assert!(diagnostics.is_empty(), "{text:?}: {}", diagnostics.render(Colour::Never));
    node.expect("a document")
}

/// All nodes of a text as written, in document order.
fn written(text: &str) -> Vec<String> {
    fn walk(node: &Node, all: &mut Vec<String>) {
        all.push(node.span.text().to_owned());
        match &node.kind {
            Kind::Scalar { .. } => {}
            Kind::Sequence(items) => items.iter().for_each(|item| walk(item, all)),
            Kind::Mapping(entries) => entries.iter().for_each(|(key, value)| {
                walk(key, all);
                walk(value, all);
            }),
        }
    }
    let mut all = Vec::new();
    walk(&read(text), &mut all);
    all
}

#[test]
fn scalar_spans_cover_the_scalar_with_its_quotes_and_no_more() {
    assert_eq!(written("  plain text   # remark\n"), ["plain text"]);
    assert_eq!(written("'it''s' # 'remark'\n"), ["'it''s'"]);
    assert_eq!(written("\"a \\\" b\"  \n"), ["\"a \\\" b\""]);
    assert_eq!(
        written("- &name one\n- two\n  more\n"),
        ["- &name one\n- two\n  more", "one", "two\n  more"]
    );
}

#[test]
fn block_scalar_spans_reach_from_the_indicator_to_the_last_line() {
    assert_eq!(
        written("a: |  # remark\n\n   x\n   y\n\n\nb: >-\nc: |+2\n   z\n"),
        [
            "a: |  # remark\n\n   x\n   y\n\n\nb: >-\nc: |+2\n   z",
            "a",
            "|  # remark\n\n   x\n   y",
            "b",
            ">-",
            "c",
            "|+2\n   z"
        ]
    );
    assert_eq!(written("- |\n one\n- >\n two")[1..], ["|\n one", ">\n two"]);
}

#[test]
fn collection_spans_reach_from_the_first_part_to_the_last() {
    assert_eq!(
        written("a:\n- b: 1\n  c: { d: [e] } # remark\n\n# end\n"),
        [
            "a:\n- b: 1\n  c: { d: [e] }",
            "a",
            "- b: 1\n  c: { d: [e] }",
            "b: 1\n  c: { d: [e] }",
            "b",
            "1",
            "c",
            "{ d: [e] }",
            "d",
            "[e]",
            "e"
        ]
    );
    assert_eq!(
        written("- - a\n  - b\n- - c\n"),
        ["- - a\n  - b\n- - c", "- a\n  - b", "a", "b", "- c", "c"]
    );
}

#[test]
fn an_empty_value_stands_where_it_would_have_been_written() {
    let node = read("a:\nb: {c, d: }\ne:\n  -\n  - 1\n");
    let at = |node: &Node| node.span.position().to_string();
    assert_eq!(at(node.get("a").expect("a")), "1:3");
    let b = node.get("b").expect("b");
    assert_eq!(
        (at(b.get("c").expect("c")), at(b.get("d").expect("d"))),
        ("2:6".into(), "2:10".into())
    );
    let items = node.get("e").and_then(Node::as_sequence).expect("a list");
    assert_eq!((at(&items[0]), at(&items[1])), ("4:4".into(), "5:5".into()));
}

#[test]
fn offsets_are_bytes_and_columns_are_characters() {
    let node = read("\u{feff}é: '日本' # ü\r\nz: 😀x\r\n");
    let first = node.get("é").expect("é");
    assert_eq!((first.span.text(), first.as_str()), ("'日本'", Some("日本")));
    let second = node.get("z").expect("z");
    assert_eq!(second.span.text(), "😀x");
    assert_eq!(second.span.position(), Position { line: 2, column: 4 });
    assert_eq!(
        second.span.source().line_column(second.span.end()),
        Position { line: 2, column: 6 }
    );
}

#[test]
fn positions_outside_the_text_are_its_end() {
    let source = Source::new("x", "é\n");
    assert_eq!(source.line_column(0), Position { line: 1, column: 1 });
    assert_eq!(source.line_column(1), Position { line: 1, column: 1 });
    assert_eq!(source.line_column(2), Position { line: 1, column: 2 });
    assert_eq!(source.line_column(99), Position { line: 2, column: 1 });
    assert_eq!(source.span(1..99).range(), 0..3);
}

#[test]
fn plain_scalars_follow_the_core_schema() {
    for text in ["", "~", "null", "# nothing"] {
        assert!(read(text).is_null(), "{text}");
    }
    assert_eq!(read("true").as_bool(), Some(true));
    assert_eq!(read("False").as_bool(), Some(false));
    assert_eq!(read("yes").as_bool(), None);
    let integers = [("10", 10), ("-3", -3), ("+4", 4), ("0x1F", 31), ("0o17", 15), ("0777", 777)];
    for (text, number) in integers {
        assert_eq!(read(text).as_i64(), Some(number), "{text}");
        assert_eq!(read(text).as_f64(), Some(number as f64), "{text}");
    }
    assert_eq!(read("-1").as_u64(), None);
    assert_eq!(read("18446744073709551615").as_u64(), Some(u64::MAX));
    assert_eq!(read("18446744073709551616").as_u64(), None);
    assert_eq!(read("1.5e3").as_f64(), Some(1500.0));
    assert_eq!(read("-.inf").as_f64(), Some(f64::NEG_INFINITY));
    for text in ["0x", "0x-1", "--1", "+-1", "1_000", "inf", "nan", "infinity", "1:30", "1s"] {
        assert_eq!((read(text).as_i64(), read(text).as_f64()), (None, None), "{text}");
        assert_eq!(read(text).type_name(), "a text");
    }
}

#[test]
fn quoted_scalars_are_texts() {
    for text in ["'5'", "\"true\"", "''", "|\n  5"] {
        let node = read(text);
        assert_eq!(node.type_name(), "a text");
        assert!(!node.is_null() && node.as_bool().is_none() && node.as_f64().is_none());
    }
    assert_eq!(read("'5'").as_str(), Some("5"));
    let folded = read(">\n  a\n  b\n");
    assert_eq!(folded.kind, Kind::Scalar { text: "a b\n".into(), style: Style::Folded });
}

#[test]
fn aliases_stand_for_the_anchored_value_and_point_to_it() {
    let node = read("a: &x {b: 1}\nc: [*x, *x]\n");
    let items = node.get("c").and_then(Node::as_sequence).expect("a list");
    assert_eq!(items[1].get("b").and_then(Node::as_u64), Some(1));
    assert_eq!(items[1].span.text(), "{b: 1}");
    assert_eq!(node.get("c").expect("c").span.text(), "[*x, *x]");
    assert_eq!(written("a: &x 1\nb: *x\n")[0], "a: &x 1\nb: *x");
}

#[test]
fn a_part_of_a_text_has_its_place_where_that_is_certain() {
    let part = |text: &str| {
        let node = read(text);
        node.span_within(4..7).text().to_owned()
    };
    assert_eq!(part("one two three"), "two");
    assert_eq!(part("'one two three'"), "two");
    assert_eq!(part("\"one two three\""), "two");
    assert_eq!(part("\"one\\ttwo three\""), "\"one\\ttwo three\"");
    assert_eq!(part("''"), "''");
}
