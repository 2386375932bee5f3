//! Placeholders: what is one, what a filter does, and that a value is never scanned again.

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::model::{Action, Template};
use edgeproof_scenario::{MissingVariable, bind_text};
use proptest::prelude::*;

/// The bytes of a `raw` step whose text is `text`, in a case that has captured `seen`.
fn template(text: &str) -> Template {
    let quoted = serde_json::to_string(text).unwrap();
    let yaml = format!(
        "name: n\nspec: s\nsteps:\n\
         - {{ send: GET /, expect: {{ status: 200 }}, capture: {{ seen: body }} }}\n\
         - raw: {quoted}\n"
    );
    let (mut cases, diagnostics) = bind_text("t.yaml", &yaml);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(Colour::Never));
    match cases.remove(0).steps.remove(1).action {
        Action::Raw { bytes, .. } => bytes,
        other => panic!("{other:?}"),
    }
}

fn rendered(text: &str, seen: &[u8]) -> Vec<u8> {
    let lookup = |name: &str| match name {
        "seen" => Some(seen.to_vec()),
        "host" => Some(b"a.test".to_vec()),
        _ => None,
    };
    template(text).render(lookup).unwrap()
}

#[test]
fn only_the_four_forms_are_placeholders() {
    for text in
        ["{{7*7}}", "${jndi:ldap://x}", "{{ host }}", "{{}}", "{{a b}}", "{host}", "{{", "}}"]
    {
        assert_eq!(rendered(text, b""), text.as_bytes(), "{text}");
    }
    assert_eq!(rendered("{{host}}", b""), b"a.test");
    assert_eq!(rendered("{{{host}}}", b""), b"{a.test}");
    assert_eq!(rendered("{{hex:00fF}}", b""), [0x00, 0xff]);
    assert_eq!(rendered("{{fill:ab*3}}", b""), b"ababab");
    assert_eq!(rendered("{{hex:7b7b}}host}}", b""), b"{{host}}");
}

#[test]
fn every_filter_encodes() {
    let value = b"a \"b\"\\<c>&'\n\xff.";
    let encoded = |filter: &str| rendered(&format!("{{{{seen|{filter}}}}}"), value);
    assert_eq!(encoded("url"), b"a%20%22b%22%5C%3Cc%3E%26%27%0A%FF.");
    assert_eq!(encoded("form"), b"a+%22b%22%5C%3Cc%3E%26%27%0A%FF.");
    assert_eq!(encoded("base64"), b"YSAiYiJcPGM+JicK/y4=");
    assert_eq!(encoded("json"), b"a \\\"b\\\"\\\\<c>&'\\n\xff.");
    assert_eq!(encoded("xml"), b"a &quot;b&quot;\\&lt;c&gt;&amp;&apos;\n\xff.");
    assert_eq!(encoded("hex"), b"61202262225c3c633e26270aff2e");
    assert_eq!(encoded("upper"), b"A \"B\"\\<C>&'\n\xff.");
    assert_eq!(encoded("dquote"), b"a \\\"b\\\"\\\\<c>&'\n\xff.");
    assert_eq!(encoded("lower|base64|url"), b"YSAiYiJcPGM%2BJicK%2Fy4%3D");
}

/// A column's value is never scanned: what looks like a placeholder there stays as it stands.
#[test]
fn a_placeholder_in_a_column_is_pointed_at() {
    let text = r#"name: n
spec: s
each:
  - { id: a, path: /plain }
  - { id: b, path: "/{{host}}?{{nobody|url}}" }
  - { id: c, path: "/{{7*7}}/{{ host }}" }
  - { id: d, path: { base64: e3tob3N0fX0= } }
  - { id: e, path: "{{fill:A}}" }
steps: [{ send: { path: "{{path}}" }, expect: { status: 200 } }]
"#;
    let (cases, diagnostics) = bind_text("t.yaml", text);
    assert_eq!(cases.len(), 5);
    insta::assert_snapshot!(diagnostics.render(Colour::Never), @r#"
    warning: nothing is put in for `{{host}}` in a column
     --> t.yaml:5:22
      |
    5 |   - { id: b, path: "/{{host}}?{{nobody|url}}" }
      |                      ^^^^^^^^
      |
      = help: write it where the column is used; a payload that is meant so can be written as `{ base64: … }`

    warning: nothing is put in for `{{nobody|url}}` in a column
     --> t.yaml:5:31
      |
    5 |   - { id: b, path: "/{{host}}?{{nobody|url}}" }
      |                               ^^^^^^^^^^^^^^
      |
      = help: write it where the column is used; a payload that is meant so can be written as `{ base64: … }`

    warning: nothing is put in for `{{fill:A}}` in a column
     --> t.yaml:8:21
      |
    8 |   - { id: e, path: "{{fill:A}}" }
      |                     ^^^^^^^^^^
      |
      = help: write it where the column is used; a payload that is meant so can be written as `{ base64: … }`

    3 warnings in 1 file
    "#);
}

#[test]
fn a_variable_without_a_value_is_named() {
    let missing = template("{{seen}}").render(|_| None);
    assert_eq!(missing, Err(MissingVariable { name: "seen".to_owned() }));
}

proptest! {
    #[test]
    fn a_value_is_never_scanned_again(value in "(\\{\\{host\\}\\}|\\{\\{hex:00\\}\\}|[ -~])*") {
        let expected = format!("<{value}>").into_bytes();
        prop_assert_eq!(rendered("<{{seen}}>", value.as_bytes()), expected);
    }

    #[test]
    fn a_value_through_the_regex_filter_matches_itself_only(value in prop::collection::vec(any::<u8>(), 0..40)) {
        let pattern = String::from_utf8(rendered("^(?:{{seen|regex}})$", &value)).unwrap();
        let regex = edgeproof_scenario::compile_regex(&pattern).unwrap();
        prop_assert!(regex.is_match(&value));
        let mut other = value;
        other.push(b'x');
        prop_assert!(!regex.is_match(&other));
    }
}
