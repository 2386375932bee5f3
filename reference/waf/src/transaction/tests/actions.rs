//! What matches do: variables, verdicts, logs, skipping.

use super::{Request, Verdict, fired, play, tx};
use crate::transaction::Did;

#[test]
fn numbers_are_added_and_never_get_below_zero() {
    let of = |changes: &str| {
        let text = format!(r#"SecAction "id:1,phase:1,pass,nolog,{changes}""#);
        tx(&text, &Request::get("/"), "n")
    };
    assert_eq!(of("setvar:tx.n").as_deref(), Some("1"));
    assert_eq!(of("setvar:tx.n=5,setvar:tx.n=+3").as_deref(), Some("8"));
    assert_eq!(of("setvar:tx.n=5,setvar:TX.N=-9").as_deref(), Some("0"));
    assert_eq!(of("setvar:tx.n=+4").as_deref(), Some("4"));
    assert_eq!(of("setvar:tx.m=7,setvar:tx.n=+%{tx.m}").as_deref(), Some("7"));
    assert_eq!(of("setvar:tx.n=a,setvar:tx.n=+2").as_deref(), Some("2"));
    assert_eq!(of("setvar:tx.n=1,setvar:!tx.n").as_deref(), None);
    assert_eq!(of("setvar:'tx.n=a %{tx.none}b'").as_deref(), Some("a b"));
}

#[test]
fn names_of_variables_may_have_macros() {
    let text = r#"
        SecRule ARGS_NAMES "@unconditionalMatch" "id:1,phase:1,pass,nolog,\
            setvar:'tx.count_%{MATCHED_VAR}=+1'"
        SecRule TX:/^count_/ "@gt 1" "id:2,phase:1,pass,msg:'%{MATCHED_VAR_NAME}'"
        SecRule TX:count_b "@eq 1" "id:3,phase:1,pass"
        SecRule &TX:/^COUNT_/ "@eq 3" "id:4,phase:1,pass"
    "#;
    let played = play(text, &Request::get("/?a=1&b=2&A=3&c"));
    assert_eq!(played.outcome.fired, [1, 1, 1, 1, 2, 3, 4]);
    assert_eq!(played.outcome.matches[0].message, b"TX:count_a");
}

#[test]
fn a_rule_that_denies_stops_the_request() {
    let text = r#"
        SecDefaultAction "phase:2,deny,status:406,log"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,deny"
        SecRule ARGS:a "@streq 2" "id:2,phase:1,deny,status:429"
        SecRule ARGS:a "@streq 3" "id:3,phase:2,block"
        SecRule ARGS:a "@streq 4" "id:4,phase:1,drop"
        SecRule ARGS:a "@streq 5" "id:5,phase:1,redirect:'https://a.example/?%{ARGS.a}',status:307"
        SecRule ARGS:a "@streq 6" "id:6,phase:1,redirect:/sorry"
        SecRule ARGS:a "@streq 7" "id:7,phase:3,deny"
        SecRule ARGS:a "@streq 8" "id:8,phase:4,deny,status:500"
        SecRule ARGS:a "@streq 9" "id:9,phase:5,pass"
        SecAction "id:10,phase:1,pass,nolog"
        SecAction "id:11,phase:4,pass,nolog"
        SecAction "id:12,phase:5,pass,nolog"
    "#;
    let deny = |status, rule| Verdict::Deny { status, rule };
    let redirect = |status, location: &[u8], rule| Verdict::Redirect {
        status,
        location: location.to_vec(),
        rule,
    };
    let cases = [
        ("1", 0, deny(403, 1), vec![1, 12]),
        ("2", 0, deny(429, 2), vec![2, 12]),
        ("3", 1, deny(406, 3), vec![10, 3, 12]),
        ("4", 0, Verdict::Drop { rule: 4 }, vec![4, 12]),
        ("5", 0, redirect(307, b"https://a.example/?5", 5), vec![5, 12]),
        ("6", 0, redirect(302, b"/sorry", 6), vec![6, 12]),
        ("7", 2, deny(403, 7), vec![10, 7, 12]),
        ("8", 3, deny(500, 8), vec![10, 8, 12]),
        ("9", 3, Verdict::Pass, vec![10, 11, 9, 12]),
    ];
    for (value, phase, verdict, ids) in cases {
        let played = play(text, &Request::get(&format!("/?a={value}")));
        assert_eq!(played.verdicts[phase], verdict, "{value}");
        assert_eq!(played.outcome.verdict, verdict, "{value}");
        assert_eq!(played.outcome.fired, ids, "{value}");
        let before = &played.verdicts[..phase];
        assert!(before.iter().all(|verdict| *verdict == Verdict::Pass), "{value}");
    }
}

#[test]
fn a_rule_that_denies_looks_at_no_further_value() {
    let text = r#"SecRule ARGS "@rx x" "id:1,phase:1,deny,setvar:tx.n=+1""#;
    assert_eq!(tx(text, &Request::get("/?a=x&b=x"), "n").as_deref(), Some("1"));
}

#[test]
fn allow_has_three_reaches() {
    let of = |allow: &str| {
        let text = format!(
            r#"SecRule ARGS:a "@streq 1" "id:1,phase:1,{allow}"
               SecAction "id:11,phase:1,pass"
               SecAction "id:12,phase:2,pass"
               SecAction "id:13,phase:3,pass"
               SecAction "id:14,phase:4,pass"
               SecAction "id:15,phase:5,pass""#
        );
        fired(&text, &Request::get("/?a=1"))
    };
    assert_eq!(of("allow:phase"), [1, 12, 13, 14, 15]);
    assert_eq!(of("allow:request"), [1, 13, 14, 15]);
    assert_eq!(of("allow"), [1, 15]);
    assert_eq!(of("pass"), [1, 11, 12, 13, 14, 15]);
}

#[test]
fn skipping_counts_rules_and_finds_markers() {
    let text = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,nolog,skip:2"
        SecAction "id:2,phase:1,pass,nolog"
        SecAction "id:3,phase:2,pass,nolog"
        SecRule ARGS:a "@rx ." "id:4,phase:1,pass,nolog,chain"
            SecRule ARGS:a "@rx ."
        SecRule ARGS:a "@streq 2" "id:5,phase:1,pass,nolog,skipAfter:END"
        SecRule ARGS:a "@streq 3" "id:6,phase:1,pass,nolog,skipAfter:7"
        SecAction "id:7,phase:1,pass,nolog"
        SecMarker END
        SecAction "id:8,phase:1,pass,nolog"
    "#;
    let of = |value: &str| fired(text, &Request::get(&format!("/?a={value}")));
    assert_eq!(of("0"), [2, 4, 7, 8, 3]);
    assert_eq!(of("1"), [1, 7, 8, 3]);
    assert_eq!(of("2"), [2, 4, 5, 8, 3]);
    assert_eq!(of("3"), [2, 4, 6, 8, 3]);
}

#[test]
fn a_chain_skips_only_if_it_holds() {
    let text = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,pass,nolog,skipAfter:END,chain"
            SecRule ARGS:b "@streq 1"
        SecAction "id:2,phase:1,pass,nolog"
        SecMarker END
    "#;
    assert_eq!(fired(text, &Request::get("/?a=1&b=1")), [1]);
    assert_eq!(fired(text, &Request::get("/?a=1&b=2")), [2]);
}

#[test]
fn a_match_tells_the_log_what_the_rule_says() {
    let text = r#"
        SecRule ARGS:a "@rx (x+)" "id:1,phase:2,deny,status:403,capture,t:none,t:lowercase,\
            msg:'Found %{TX.1}',logdata:'%{MATCHED_VAR_NAME}=%{MATCHED_VAR} \"q\"',\
            severity:CRITICAL,ver:'v/1',rev:2,maturity:3,accuracy:4,tag:one,tag:'two %{RULE.id}'"
    "#;
    let played = play(text, &Request::get("/?a=aXX%0ab"));
    let found = &played.outcome.matches[0];
    assert_eq!((found.rule, found.did), (1, Did::Deny(403)));
    assert_eq!(found.message, b"Found xx");
    assert_eq!((&found.variable[..], &found.value[..]), (&b"ARGS:a"[..], &b"axx\nb"[..]));
    insta::assert_snapshot!(String::from_utf8_lossy(&found.native_line()), @r#"Access denied with code 403 (phase 2). Match of ARGS:a. [file "test.conf"] [line "5"] [id "1"] [rev "2"] [msg "Found xx"] [data "ARGS:a=axx\nb \"q\""] [severity "CRITICAL"] [ver "v/1"] [maturity "3"] [accuracy "4"] [tag "one"] [tag "two 1"]"#);
}

#[test]
fn what_is_not_logged_is_not_among_the_matches() {
    let text = r#"
        SecAction "id:1,phase:1,pass,nolog"
        SecAction "id:2,phase:1,pass,nolog,auditlog"
        SecAction "id:3,phase:1,pass,log,noauditlog"
        SecAction "id:4,phase:1,pass"
    "#;
    let outcome = play(text, &Request::get("/")).outcome;
    let listed: Vec<_> =
        outcome.matches.iter().map(|one| (one.rule, one.log, one.auditlog)).collect();
    assert_eq!(listed, [(2, false, true), (3, true, false), (4, true, true)]);
    assert_eq!(outcome.fired, [1, 2, 3, 4]);
}

#[test]
fn a_rule_that_matches_very_often_is_listed_for_a_while() {
    let text = r#"
        SecArgumentsLimit 5000
        SecRule ARGS "@rx x" "id:1,phase:1,pass"
        SecRule ARGS:last "@rx x" "id:2,phase:1,pass"
    "#;
    let target = format!("/?{}last=x", "a=x&".repeat(1999));
    let outcome = play(text, &Request::get(&target)).outcome;
    assert_eq!((outcome.matches.len(), outcome.unlisted, outcome.fired.len()), (1001, 1000, 2001));
    assert_eq!(outcome.matches.last().unwrap().rule, 2);
}

#[test]
fn environment_variables_are_set_and_removed() {
    let text = r#"
        SecAction "id:1,phase:1,pass,nolog,setenv:a=%{REQUEST_METHOD},setenv:b,setenv:c=1,setenv:!c"
        SecRule ENV:a "@streq GET" "id:2,phase:1,pass"
        SecRule &ENV "@eq 2" "id:3,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/")), [1, 2, 3]);
}

#[test]
fn the_gravest_severity_counts() {
    let text = r#"
        SecRule HIGHEST_SEVERITY "@eq 255" "id:1,phase:1,pass"
        SecAction "id:2,phase:1,pass,severity:WARNING"
        SecAction "id:3,phase:1,pass,severity:NOTICE"
        SecRule HIGHEST_SEVERITY "@eq 4" "id:4,phase:1,pass"
    "#;
    assert_eq!(fired(text, &Request::get("/")), [1, 2, 3, 4]);
}
