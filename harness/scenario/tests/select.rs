//! The filter language.

use edgeproof_scenario::model::Case;
use edgeproof_scenario::{Selection, bind_text};
use proptest::prelude::*;

fn case() -> Case {
    let text = "name: A Vary star is never reused\nspec: RFC 9111 §4.1\nlevel: must\ntags: [vary]\n\
                site: { cache: true }\nsteps: [{ send: GET /, expect: { status: 200 } }]";
    bind_text("/x/scenarios/cache/vary/star.yaml", text).0.remove(0)
}

#[test]
fn terms_and_operators() {
    let case = case();
    let holds = |filter: &str| Selection::parse(filter).unwrap().matches(&case);
    for filter in [
        "star",
        "vary/st",
        "\"cache/vary\"",
        "id:star",
        "case:cache/vary/star",
        "case:\"cache/vary/star\"",
        "family:cache",
        "level:must",
        "tag:vary",
        "needs:cache",
        "spec:\"9111 §4\"",
        "spec:rfc",
        "name:\"vary STAR\"",
        "not waf",
        "not not star",
        "waf or star",
        "star and level:must",
        "waf and star or star",
        "star or star and waf",
        "(waf or star) and not tag:slow",
        "\"and\" or star",
    ] {
        assert!(holds(filter), "{filter}");
    }
    for filter in [
        "waf",
        "family:cach",
        "case:star",
        "\"a\"\"b\"",
        "level:should",
        "tag:var",
        "needs:waf",
        "spec:\"4.2\"",
        "not star",
        "star and waf",
        "not (waf or star)",
        "\"and\"",
    ] {
        assert!(!holds(filter), "{filter}");
    }
}

/// Whatever an id looks like, its filter is read and chooses it alone.
#[test]
fn the_filter_of_one_case() {
    for id in ["a/ok", "my suite", "b:c", "d(e)", "and", "each", "say \"no\"", "\"", "#1", "it's"] {
        let filter = Selection::parse(&Selection::of_case(id)).expect(id);
        let of = |id: &str| Case { id: edgeproof_scenario::model::CaseId(id.to_owned()), ..case() };
        assert!(filter.matches(&of(id)), "{id}");
        assert!(!filter.matches(&of(&format!("{id}2"))), "{id}");
        assert!(!filter.matches(&of(&format!("2{id}"))), "{id}");
    }
}

#[test]
fn mistakes_have_a_caret() {
    let broken = [
        "",
        "star vary",
        "star and",
        "(star",
        "star)",
        "and",
        "fmaily:cache",
        "level:mus",
        "tag:",
        "\"open",
        "not",
        "spec:\"9111",
    ];
    let shown: Vec<String> =
        broken.iter().map(|filter| Selection::parse(filter).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[()a-z:\" ]*|.*|((not|and|or|\\(|\\)|a|tag:b) ){0,300}") {
        let _ = Selection::parse(&text);
    }
}
