//! Targets, operators, chains, transformations.

use super::{NONE, Request, fired, play, tx};

#[test]
fn a_rule_is_tried_on_each_value_of_its_targets() {
    let text = r#"SecRule ARGS|REQUEST_HEADERS:X-A "@rx ^x" "id:1,phase:2,pass""#;
    assert_eq!(fired(text, &Request::get("/?a=x&b=y&c=xx").with("x-a", "x")), [1, 1, 1]);
    assert_eq!(fired(text, &Request::get("/?a=y")), NONE);
}

#[test]
fn a_target_without_a_value_is_not_tried() {
    let text = r#"
        SecRule REQUEST_HEADERS:X-A "!@rx ^x" "id:1,phase:1,pass"
        SecRule ARGS:none "!@streq x" "id:2,phase:1,pass"
        SecRule QUERY_STRING "!@rx x" "id:3,phase:1,pass"
        SecRule &REQUEST_HEADERS:X-A "@eq 0" "id:4,phase:1,pass"
        SecRule &ARGS "@eq 0" "id:5,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/")), [4, 5]);
    assert_eq!(fired(text, &Request::get("/?").with("X-A", "y")), [1, 3, 5]);
}

#[test]
fn counts_are_of_what_is_selected() {
    let text = r#"
        SecRule &ARGS:/^a/ "@eq 2" "id:1,phase:1,pass"
        SecRule &ARGS "@eq 3" "id:2,phase:1,pass"
        SecRule &ARGS:B "@eq 1" "id:3,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/?a=1&A2=2&b=3")), [1, 2, 3]);
}

#[test]
fn exclusions_take_from_the_targets_before_them() {
    let request = Request::get("/?a=x&b=x&ab=x");
    let of = |targets: &str| {
        fired(&format!(r#"SecRule {targets} "@streq x" "id:1,phase:1,pass""#), &request).len()
    };
    assert_eq!(of("ARGS"), 3);
    assert_eq!(of("ARGS|!ARGS:A"), 2);
    assert_eq!(of("ARGS|!ARGS:/^a/"), 1);
    assert_eq!(of("ARGS|!ARGS"), 0);
    assert_eq!(of("ARGS:a|!ARGS:b"), 1);
    assert_eq!(of("!ARGS:a|ARGS"), 3);
    assert_eq!(of("ARGS|!ARGS_NAMES:a"), 3);
}

#[test]
fn a_chain_holds_if_all_its_links_do() {
    let text = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,chain"
            SecRule ARGS:b "@streq 2" "chain"
            SecRule ARGS:c "@streq 3"
        SecRule ARGS:a "@streq 1" "id:2,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/?a=1&b=2&c=3")), [1, 2]);
    assert_eq!(fired(text, &Request::get("/?a=1&b=2&c=4")), [2]);
    assert_eq!(fired(text, &Request::get("/?a=1&c=3")), [2]);
    assert_eq!(fired(text, &Request::get("/?b=2&c=3")), NONE);
}

#[test]
fn what_a_link_does_is_done_also_if_the_chain_fails_later() {
    let text = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,setvar:tx.first=+1,chain"
            SecRule ARGS:b "@streq 2" "setvar:tx.second=+1"
    "#;
    let request = Request::get("/?a=1&a=1&b=3");
    assert_eq!(tx(text, &request, "first").as_deref(), Some("2"));
    assert_eq!(tx(text, &request, "second"), None);
}

#[test]
fn matched_variables_are_those_of_the_rule_so_far() {
    let text = r#"
        SecRule ARGS "@rx ^[0-9]" "id:1,phase:1,pass,t:none,t:length,chain"
            SecRule MATCHED_VARS "@streq 2" "setvar:'tx.names=%{MATCHED_VAR_NAME}|%{MATCHED_VAR}',chain"
            SecRule &MATCHED_VARS "@eq 3" "chain"
            SecRule MATCHED_VARS_NAMES "@streq ARGS:b" "setvar:tx.last=%{MATCHED_VAR}"
        SecRule &MATCHED_VARS "@gt 0" "id:2,phase:1,pass"
    "#;
    let request = Request::get("/?a=x&b=yy");
    assert_eq!(tx(text, &request, "names").as_deref(), Some("ARGS:b|2"));
    assert_eq!(tx(text, &request, "last").as_deref(), Some("ARGS:b"));
    assert!(!fired(text, &request).contains(&2));
}

#[test]
fn names_in_matches_are_escaped() {
    let text = r#"SecRule ARGS "@streq x" "id:1,phase:1,pass,setvar:tx.name=%{MATCHED_VAR_NAME}""#;
    let name = tx(text, &Request::get("/?a%0a%01=x"), "name");
    assert_eq!(name.as_deref(), Some(r"ARGS:a\\n\\x01"));
}

#[test]
fn transformations_are_applied_in_order_and_none_forgets_those_before() {
    let request = Request::get("/?a=%20A%20b");
    let of = |actions: &str| {
        let text = format!(
            r#"SecDefaultAction "phase:1,pass,log,t:removeWhitespace"
               SecRule ARGS "@unconditionalMatch" "id:1,phase:1,{actions},setvar:tx.value=%{{MATCHED_VAR}}""#
        );
        tx(&text, &request, "value").unwrap()
    };
    assert_eq!(of("pass"), "Ab");
    assert_eq!(of("t:lowercase"), "ab");
    assert_eq!(of("t:none,t:lowercase"), " a b");
    assert_eq!(of("t:lowercase,t:none,t:trim"), "A b");
    assert_eq!(of("t:none,t:trim,t:length"), "3");
}

#[test]
fn multi_match_sees_each_form_that_differs() {
    let text = r#"SecRule ARGS "@rx ^(?:%41|A|a)$" "id:1,phase:1,pass,multiMatch,\
        t:none,t:urlDecodeUni,t:trim,t:lowercase""#;
    assert_eq!(fired(text, &Request::get("/?x=%2541")).len(), 3);
    assert_eq!(fired(text, &Request::get("/?x=A")).len(), 2);
    assert_eq!(fired(text, &Request::get("/?x=a")).len(), 1);
    assert_eq!(fired(text, &Request::get("/?x=%20a")).len(), 1);
    let bare = r#"SecRule ARGS "@streq a" "id:1,phase:1,pass,multiMatch""#;
    assert_eq!(fired(bare, &Request::get("/?x=a")).len(), 1);
}

#[test]
fn captures_are_of_the_last_match_with_groups() {
    let text = r#"
        SecRule ARGS:a "@rx (.)(.)(z)?" "id:1,phase:1,pass,capture"
        SecRule ARGS:b "@rx (.)" "id:2,phase:1,pass"
        SecRule ARGS:c "@rx q" "id:3,phase:1,pass,capture"
        SecAction "id:4,phase:1,pass,nolog,setvar:'tx.all=%{TX.0}|%{TX.1}|%{TX.2}|%{TX.3}'"
        SecRule &TX:3 "@eq 0" "id:5,phase:1,pass"
        SecRule ARGS:b "@pm x 12" "id:6,phase:1,pass,capture,setvar:tx.word=%{tx.0}"
    "#;
    let request = Request::get("/?a=xy&b=12&c=n");
    assert_eq!(tx(text, &request, "all").as_deref(), Some("xy|x|y|"));
    assert_eq!(tx(text, &request, "word").as_deref(), Some("12"));
    assert_eq!(fired(text, &request), [1, 2, 4, 5, 6]);
}

#[test]
fn a_negated_operator_matches_what_the_operator_does_not() {
    let text = r#"
        SecRule ARGS "!@rx ^a" "id:1,phase:1,pass"
        SecRule ARGS "!@pm abc" "id:2,phase:1,pass"
        SecRule ARGS "!@within %{tx.none}" "id:3,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/?x=abc")), [3]);
    assert_eq!(fired(text, &Request::get("/?x=b")), [1, 2, 3]);
}

#[test]
fn operators_may_have_macros() {
    let text = r#"
        SecAction "id:1,phase:1,pass,nolog,setvar:'tx.allowed=GET HEAD',setvar:tx.limit=2"
        SecRule REQUEST_METHOD "!@within %{tx.allowed}" "id:2,phase:1,pass"
        SecRule &ARGS "@gt %{tx.limit}" "id:3,phase:1,pass"
        SecRule ARGS:name "@streq %{request_headers.host}" "id:4,phase:1,pass"
        SecRule ARGS:name "@rx ^%{tx.limit}$" "id:5,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/?name=shop.example&b&c")), [1, 3, 4]);
    let put = Request { method: "PUT".to_owned(), ..Request::get("/?name=2") };
    assert_eq!(fired(text, &put), [1, 2, 5]);
}

#[test]
fn an_action_without_a_rule_always_matches() {
    let played =
        play(r#"SecAction "id:1,phase:3,pass,msg:'%{MATCHED_VAR_NAME}'""#, &Request::get("/"));
    assert_eq!(played.outcome.fired, [1]);
    assert_eq!(played.outcome.matches[0].message, b"REMOTE_ADDR");
}
