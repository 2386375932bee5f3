//! Modes and ctl.

use super::{NONE, Request, Verdict, fired, play};
use crate::transaction::Did;

#[test]
fn the_engine_may_only_detect_or_be_off() {
    let rule = r#"
        SecRule ARGS:a "@streq 1" "id:1,phase:1,deny"
        SecRule ARGS:a "@streq 1" "id:2,phase:1,allow"
        SecAction "id:3,phase:2,drop"
    "#;
    let request = Request::get("/?a=1");
    let detecting = play(&format!("SecRuleEngine DetectionOnly\n{rule}"), &request);
    assert_eq!(detecting.outcome.fired, [1, 2, 3]);
    assert_eq!(detecting.outcome.verdict, Verdict::Pass);
    assert!(detecting.outcome.matches.iter().all(|one| one.did == Did::Warn));
    assert_eq!(fired(&format!("SecRuleEngine Off\n{rule}"), &request), NONE);
    assert_eq!(fired(rule, &request), [1]);
}

#[test]
fn the_engine_can_be_switched_for_a_request() {
    let text = r#"
        SecRule ARGS:a "@streq off" "id:1,phase:1,pass,ctl:ruleEngine=Off"
        SecRule ARGS:a "@streq detect" "id:2,phase:1,pass,ctl:ruleEngine=DetectionOnly"
        SecAction "id:3,phase:1,deny"
        SecAction "id:4,phase:5,pass"
    "#;
    let of = |value: &str| {
        let played = play(text, &Request::get(&format!("/?a={value}")));
        (played.outcome.fired, played.outcome.verdict.status())
    };
    assert_eq!(of("off"), (vec![1], None));
    assert_eq!(of("detect"), (vec![2, 3, 4], None));
    assert_eq!(of("x"), (vec![3, 4], Some(403)));
}

#[test]
fn rules_are_removed_by_id_tag_and_message() {
    let text = |ctl: &str| {
        format!(
            r#"SecAction "id:1,phase:1,pass,nolog,ctl:{ctl}"
               SecAction "id:2,phase:1,pass,tag:red"
               SecAction "id:3,phase:2,pass,tag:blue,tag:'a red one',msg:'Some text'"
               SecRule ARGS "@rx ." "id:4,phase:2,pass,chain"
                   SecRule ARGS "@rx ."
               SecAction "id:10,phase:5,pass,msg:other""#
        )
    };
    let of = |ctl: &str| fired(&text(ctl), &Request::get("/?a=1"));
    assert_eq!(of("ruleRemoveById=3"), [1, 2, 4, 10]);
    assert_eq!(of("ruleRemoveById=2-4"), [1, 10]);
    assert_eq!(of("ruleRemoveById=4"), [1, 2, 3, 10]);
    assert_eq!(of("ruleRemoveById=99"), [1, 2, 3, 4, 10]);
    assert_eq!(of("ruleRemoveByTag=red"), [1, 4, 10]);
    assert_eq!(of("ruleRemoveByTag=^red$"), [1, 3, 4, 10]);
    assert_eq!(of("ruleRemoveByMsg=text"), [1, 2, 4, 10]);
    assert_eq!(of("ruleRemoveByMsg=TEXT"), [1, 2, 3, 4, 10]);
}

#[test]
fn targets_are_removed_from_rules() {
    let text = |ctl: &str| {
        format!(
            r#"SecRule ARGS:a "@rx ." "id:1,phase:1,pass,nolog,ctl:{ctl}"
               SecRule ARGS|REQUEST_COOKIES "@rx x" "id:2,phase:2,pass,tag:t,msg:m"
               SecRule ARGS|ARGS_NAMES "@rx x" "id:3,phase:2,pass""#
        )
    };
    let request = Request::get("/?a=x&b=x").with("Cookie", "a=x");
    let of = |ctl: &str| fired(&text(ctl), &request);
    assert_eq!(of("ruleRemoveTargetById=9;ARGS:a"), [1, 2, 2, 2, 3, 3]);
    assert_eq!(of("ruleRemoveTargetById=2;ARGS:A"), [1, 2, 2, 3, 3]);
    assert_eq!(of("ruleRemoveTargetById=2-3;ARGS"), [1, 2]);
    assert_eq!(of("ruleRemoveTargetById=3;ARGS:/^[ab]$/"), [1, 2, 2, 2]);
    assert_eq!(of("ruleRemoveTargetByTag=t;REQUEST_COOKIES:a"), [1, 2, 2, 3, 3]);
    assert_eq!(of("ruleRemoveTargetByMsg=m;ARGS:b"), [1, 2, 2, 3, 3]);
}

#[test]
fn bodies_are_looked_at_as_ctl_says() {
    let text = r#"
        SecRule ARGS:mode "@streq none" "id:1,phase:1,pass,nolog,ctl:requestBodyAccess=Off"
        SecRule ARGS:mode "@streq json" "id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
        SecRule ARGS:mode "@streq raw" "id:3,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On"
        SecRule ARGS_POST "@rx ." "id:4,phase:2,pass,msg:'%{MATCHED_VAR_NAME}'"
        SecRule REQUEST_BODY "@rx ." "id:5,phase:2,pass"
    "#;
    let of = |mode: &str, media_type: &str, body: &str| {
        let request = Request::post(media_type, body);
        fired(text, &Request { target: format!("/?mode={mode}"), ..request })
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(of("x", form, "a=1"), [4, 5]);
    assert_eq!(of("none", form, "a=1"), [1]);
    assert_eq!(of("json", "text/plain", r#"{"a":1}"#), [2, 4]);
    assert_eq!(of("raw", "text/plain", "text"), [3, 5]);
    assert_eq!(of("x", "text/plain", "text"), NONE);
}

#[test]
fn the_audit_log_gets_what_is_relevant() {
    let text = |engine: &str| {
        format!(
            r#"SecAuditEngine {engine}
               SecAuditLogRelevantStatus "^5"
               SecAuditLogParts ABZ
               SecRule ARGS:a "@streq on" "id:1,phase:1,pass,nolog,ctl:auditEngine=On,ctl:auditLogParts=+E"
               SecRule ARGS:a "@streq match" "id:2,phase:1,pass"
               SecRule ARGS:a "@streq silent" "id:3,phase:1,pass,noauditlog""#
        )
    };
    let of = |engine: &str, value: &str, status: u16| {
        let request = Request { status, ..Request::get(&format!("/?a={value}")) };
        let outcome = play(&text(engine), &request).outcome;
        (outcome.audit, outcome.audit_parts.to_string())
    };
    assert_eq!(of("RelevantOnly", "x", 200), (false, "ABZ".to_owned()));
    assert_eq!(of("RelevantOnly", "match", 200), (true, "ABZ".to_owned()));
    assert_eq!(of("RelevantOnly", "silent", 200), (false, "ABZ".to_owned()));
    assert_eq!(of("RelevantOnly", "x", 503), (true, "ABZ".to_owned()));
    assert_eq!(of("RelevantOnly", "on", 200), (true, "ABEZ".to_owned()));
    assert!(!of("Off", "match", 503).0);
    assert!(of("On", "x", 200).0);
}
