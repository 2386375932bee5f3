//! What holds for every text.

use edgeproof_diagnostics::{
    Colour, Diagnostic, Diagnostics, Kind, MapReader, Node, Source, Span, Style, Value, parse,
    parse_duration, parse_size, suggest,
};
use proptest::prelude::*;

/// Texts made of what YAML gives a meaning to, which random characters seldom hit.
fn yaml_like() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "b",
        "é",
        "😀",
        "1",
        ": ",
        ":",
        "- ",
        "-",
        "\n",
        "\n  ",
        "\n    ",
        " ",
        "\t",
        "'",
        "\"",
        "\\",
        "\\n",
        "|",
        ">",
        "|\n  ",
        ">-\n ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "!t ",
        "# c",
        "? ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "<<: ",
        "~",
        "\r\n",
        "\r",
        "\u{feff}",
        "key: value\n",
        "- item\n",
        "''",
        "\"\"",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![3 => yaml_like(), 1 => any::<String>()]
}

fn check_span(span: &Span, text: &str) {
    let range = span.range();
    assert!(range.start <= range.end && range.end <= text.len(), "{span:?}");
    assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end), "{span:?}");
}

fn check_node(node: &Node, text: &str) {
    check_span(&node.span, text);
    let written = node.span.text();
    match &node.kind {
        Kind::Scalar { text: value, style } => match style {
            Style::Plain => assert_eq!(written.is_empty(), value.is_empty(), "{written:?}"),
            Style::SingleQuoted => {
                assert!(written.len() >= 2 && written.starts_with('\'') && written.ends_with('\''));
            }
            Style::DoubleQuoted => {
                assert!(written.len() >= 2 && written.starts_with('"') && written.ends_with('"'));
            }
            Style::Literal => assert!(written.starts_with('|'), "{written:?}"),
            Style::Folded => assert!(written.starts_with('>'), "{written:?}"),
        },
        Kind::Sequence(items) => {
            assert!(written.starts_with(['[', '-']), "{written:?}");
            items.iter().for_each(|item| check_node(item, text));
        }
        Kind::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            check_node(key, text);
            check_node(value, text);
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_tree_or_a_located_error(text in any_text()) {
        let source = Source::new("p.yaml", text.as_str());
        let diagnostics = Diagnostics::new();
        match parse(&source, &diagnostics) {
            Some(node) => check_node(&node, &text),
            None => prop_assert!(diagnostics.has_errors()),
        }
        for diagnostic in diagnostics.sorted() {
            prop_assert!(!diagnostic.labels.is_empty());
            diagnostic.labels.iter().for_each(|label| check_span(&label.span, &text));
        }
        diagnostics.render(Colour::Never);
    }

    #[test]
    fn binding_never_panics(text in any_text()) {
        let source = Source::new("p.yaml", text);
        let diagnostics = Diagnostics::new();
        if let Some(node) = parse(&source, &diagnostics) {
            let mut reader = MapReader::new(&node, &diagnostics, "a thing");
            let value = reader.required("a");
            value.str();
            value.bool();
            value.f64();
            value.duration();
            value.size();
            value.one_of(&[("b", ())]);
            value.list(Value::u64);
            reader.finish();
            prop_assert!(node.as_mapping().is_some() || diagnostics.has_errors());
        }
        diagnostics.render(Colour::Always);
    }

    #[test]
    fn any_labels_render(
        text in any_text(),
        labels in prop::collection::vec((0_usize..80, 0_usize..80, any::<bool>(), "[a ]{0,3}"), 0..4),
    ) {
        let source = Source::new("p.yaml", text);
        let mut diagnostic = Diagnostic::error("message");
        for (start, end, primary, label) in labels {
            let span = source.span(start..end);
            diagnostic = if primary {
                diagnostic.label(&span, label)
            } else {
                diagnostic.context(&span, label)
            };
        }
        prop_assert!(diagnostic.render(Colour::Never).starts_with("error: message"));
    }

    #[test]
    fn plain_words_come_back_as_written(words in prop::collection::vec("[a-z]{1,6}", 1..6)) {
        let text = format!("- {}\n", words.join("  # x\n- "));
        let node = parse(&Source::new("p", text), &Diagnostics::new()).expect("YAML");
        let items = node.as_sequence().expect("a list");
        let read: Vec<&str> = items.iter().filter_map(Node::as_str).collect();
        let spans: Vec<&str> = items.iter().map(|item| item.span.text()).collect();
        prop_assert_eq!(&read, &words);
        prop_assert_eq!(&spans, &words);
    }

    #[test]
    fn quantities_never_panic(text in "[0-9.]{0,45}[a-zA-Zé ]{0,4}[0-9.]{0,3}[a-z]{0,2}") {
        parse_duration(&text).ok();
        parse_size(&text).ok();
    }

    #[test]
    fn whole_seconds_come_back(seconds in 0_u64..1_000_000_000) {
        let read = parse_duration(&format!("{seconds}s")).expect("a duration");
        prop_assert_eq!(read.as_secs(), seconds);
    }

    #[test]
    fn a_candidate_suggests_itself(word in "[a-z]{2,12}", other in "[a-z]{2,12}") {
        prop_assert_eq!(suggest(&word, [other.as_str(), word.as_str()]), Some(word.as_str()));
    }
}
