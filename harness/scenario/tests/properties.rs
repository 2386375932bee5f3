//! The binder reads any YAML without a panic, and never hands on a case with a mistake.

use edgeproof_scenario::{bind_text, explain, listing};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Words of the format, so that a random tree goes deep into the binder.
const WORDS: [&str; 60] = [
    "name",
    "spec",
    "steps",
    "site",
    "origin",
    "each",
    "cases",
    "id",
    "needs",
    "include",
    "fragment",
    "on",
    "respond",
    "status",
    "headers",
    "body",
    "send",
    "raw",
    "advance",
    "parallel",
    "clients",
    "repeat",
    "times",
    "poll",
    "until",
    "step",
    "ssh",
    "load",
    "ratio",
    "close",
    "expect",
    "capture",
    "header",
    "matches",
    "between",
    "date",
    "count",
    "lines",
    "bytes",
    "fill",
    "size",
    "base64",
    "json",
    "form",
    "path",
    "method",
    "access_log",
    "origin_saw",
    "files",
    "cache",
    "ttl",
    "waf",
    "profile",
    "clock",
    "start",
    "chunked",
    "interim",
    "break",
    "config",
    "requests",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
        prop::sample::select(
            &[
                "GET /",
                "10s",
                "64KiB",
                "2xx",
                "{{host}}",
                "{{a|url}}",
                "{{x}}",
                "[a(",
                "200",
                "é{{é",
                "-5s",
                "handshake",
                "",
                "true"
            ][..]
        )
        .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (100_u64..600).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        ".{0,20}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 80, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(prop::sample::select(&WORDS[..]), inner, 0..6).prop_map(
                |map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            ),
        ]
    })
}

fn bind(text: &str) {
    let (cases, diagnostics) = bind_text("a.yaml", text);
    diagnostics.render(edgeproof_diagnostics::Colour::Never);
    for case in &cases {
        assert!(!explain(case).is_empty() && !listing(case).id.is_empty());
    }
    // A fragment has no case of its own: others take its parts.
    let is_fragment = text.contains(r#""fragment":true"#);
    assert!(diagnostics.has_errors() || is_fragment || !cases.is_empty());
}

proptest! {
    #[test]
    fn any_text_is_bound_or_refused(text in "\\PC*") {
        bind(&text);
    }

    #[test]
    fn any_tree_is_bound_or_refused(tree in tree()) {
        bind(&tree.to_string());
    }

    #[test]
    fn any_steps_are_bound_or_refused(steps in tree(), origin in tree(), site in tree()) {
        let case = json!({ "name": "n", "spec": "s", "site": site, "origin": origin, "steps": [steps] });
        bind(&case.to_string());
    }
}
