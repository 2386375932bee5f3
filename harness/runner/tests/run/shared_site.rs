//! Cases that share one site for any host, and with it one WAF log.

use std::path::Path;

use crate::stand_in::{options, stand_in};
use crate::support::{cases, events, results};
use edgeproof_runner::RunOptions;
use edgeproof_runner::event::{CaseResult, Event, Verdict};
use edgeproof_scenario::model::{Case, Foreign, Settled};
use edgeproof_target::TargetSpec;

/// The stand-in as a WAF of that kind, its log for all.
fn target(folder: &Path, kind: &str) -> TargetSpec {
    let program = stand_in();
    let yaml = format!(
        r#"
title: Stand-in
services:
  http:
    process: {{ command: ["{}", {kind}, "127.0.0.1:{{{{ port.http }}}}", "{{{{ origin.address }}}}", "{{{{ dir }}}}/waf.log"] }}
    address: 127.0.0.1:{{{{ port.http }}}}
logs: {{ waf: "{{{{ dir }}}}/waf.log" }}
declares: [http, waf, waf-log]
expresses: all
clock: none
"#,
        program.display()
    );
    let folder = folder.join("stand-in");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("target.yaml"), yaml).unwrap();
    TargetSpec::load(&folder).unwrap()
}

const TOP: &str =
    "spec: WAF\nsite: { any_host: true, waf: { profile: regression } }\norigin: reflect\n";

fn play_with(kind: &str, cases: &[Case], options: &RunOptions) -> Vec<Event> {
    let folder = tempfile::tempdir().unwrap();
    events(cases, &[target(folder.path(), kind)], options)
}

fn play(kind: &str, text: &str) -> Vec<CaseResult> {
    results(&play_with(kind, &cases("scenarios/waf/b.yaml", &format!("{TOP}{text}")), &options()))
}

fn told(results: &[CaseResult]) -> String {
    let line = |it: &CaseResult| {
        format!("{} {}: {}", it.verdict.as_str(), it.id, it.reason.as_deref().unwrap_or("-"))
    };
    results.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Many at a time, each seeing its own rules only; and what must not be seen is looked for when all that
/// can be there is there.
const MANY: &str = r#"
name: "Rule {{n}}"
each: [{ id: a, n: 1001 }, { id: b, n: 1002 }, { id: c, n: 1003 }, { id: d, n: 1004 }, { id: e, n: 1005 }]
steps:
  - raw: "GET /?rule={{n}}&rule=7 HTTP/1.1\r\nHost: h{{n}}\r\nConnection: close\r\n\r\n"
    expect: { status: 200, waf_rules: { includes: ["{{n}}", 7], only: ["{{n}}", 7] }, waf_log: { count: 2 } }
  - raw: "GET / HTTP/1.1\r\n\r\n"
    expect: { waf_rules: { excludes: [8, 999999] }, waf_log: { none: { contains: "id \"8" }, any: { matches: 'id "7"' } } }
"#;

#[test]
fn each_of_many_at_once_sees_its_own_rules() {
    for kind in ["waf", "blind-waf"] {
        let results = play(kind, MANY);
        assert_eq!(results.len(), 5);
        assert!(results.iter().all(|it| it.verdict == Verdict::Pass), "{kind}\n{}", told(&results));
    }
}

#[test]
fn all_share_one_start_and_one_site() {
    let cases = cases("scenarios/waf/b.yaml", &format!("{TOP}{MANY}"));
    let options = RunOptions { most_sites: 1, repeat: 2, ..options() };
    let events = play_with("waf", &cases, &options);
    let starts = events.iter().filter(|it| matches!(it, Event::TargetStarted { .. })).count();
    assert_eq!((starts, results(&events).len()), (1, 10));
}

#[test]
fn what_does_not_hold_is_said() {
    let text = r#"
cases:
  - { id: missing, name: a, steps: [{ raw: "GET /?rule=1 HTTP/1.1\r\n\r\n", expect: { waf_rules: { includes: [1, 2] } } }] }
  - { id: there, name: a, steps: [{ raw: "GET /?rule=1 HTTP/1.1\r\n\r\n", expect: { waf_rules: { excludes: [1] } } }] }
  - { id: more, name: a, steps: [{ raw: "GET /?rule=1&rule=2 HTTP/1.1\r\n\r\n", expect: { waf_rules: { only: [2] } } }] }
  - { id: line, name: a, steps: [{ raw: "GET / HTTP/1.1\r\n\r\n", expect: { waf_log: { any: { contains: x } } } }] }
  - { id: silent, name: a, steps: [{ raw: "GET /simple HTTP/1.1\r\n\r\n", expect: { answered: true } }] }
  - { id: speaks, name: a, steps: [{ raw: "GET / HTTP/1.1\r\n\r\n", expect: { answered: false } }] }
  - { id: simple, name: a, steps: [{ raw: "GET /simple HTTP/1.1\r\n\r\n", expect: { answered: false } }] }
  - { id: whole, name: a, steps: [{ raw: "GET / HTTP/1.1\r\n\r\n", expect: { answer: { matches: '^HTTP/1.1 200 OK\r\n' } } }] }
"#;
    insta::assert_snapshot!(told(&play("waf", text)), @r#"
    fail waf/b/missing: the rules in the WAF log: expected 2, found 1
    fail waf/b/there: the rules in the WAF log: expected none of 1, found 1
    fail waf/b/more: the rules in the WAF log: expected only 2, found 1, 2
    fail waf/b/line: the WAF log: expected a line, found no line
    fail waf/b/silent: the answer: expected one, found no answer (the answer is not HTTP/1: "as in the old days\n")
    fail waf/b/speaks: the answer: expected none that can be read, found 200 OK
    pass waf/b/simple: -
    pass waf/b/whole: -
    "#);
}

#[test]
fn the_backend_reflects_what_is_asked_for() {
    let text = r#"
name: Reflection
steps:
  - send: { method: POST, path: /reflect, headers: { host: x }, body: '{"status":503,"body":"<p>busy"}' }
    expect: { status: 503, body: "<p>busy", headers: { content-type: text/html; charset=utf-8 } }
  - send: { path: /any, headers: { host: y } }
    expect: { status: 200, body: "" }
"#;
    let results = play("waf", text);
    assert_eq!(results[0].verdict, Verdict::Pass, "{}", told(&results));
}

#[test]
fn a_log_without_marks_is_an_error_and_no_verdict() {
    let text = "name: a\nsteps: [{ raw: \"GET / HTTP/1.1\\r\\n\\r\\n\", expect: { waf_rules: { excludes: [1] } } }]\n";
    let cases = cases("scenarios/waf/b.yaml", &format!("{TOP}{text}"));
    let options = RunOptions { mark_field: "X-Unseen".into(), ..options() };
    let results = results(&play_with("waf", &cases, &options));
    assert_eq!(results[0].verdict, Verdict::Error);
    let reason = results[0].reason.as_deref().unwrap();
    assert!(reason.starts_with("a request with the field X-Unseen leaves no line"), "{reason}");
}

fn foreign() -> Foreign {
    Foreign { format: "ftw", retry_once: false, mark_host: None, settled: None }
}

/// The cases of a text, as if they had been read from another format.
fn foreign_cases(text: &str, what: &Foreign) -> Vec<Case> {
    let mut cases = cases("tests/b.yaml", &format!("{TOP}{text}"));
    cases.iter_mut().for_each(|case| case.foreign = Some(what.clone()));
    cases
}

#[test]
fn a_stage_of_a_foreign_test_is_judged_by_its_own_lines() {
    let text = r#"
name: Stages
steps:
  - raw: "GET /?rule=1 HTTP/1.1\r\n\r\n"
    expect: { waf_rules: { includes: [1] } }
  - raw: "GET /?rule=2 HTTP/1.1\r\n\r\n"
    expect: { waf_rules: { only: [2] } }
"#;
    let played = |cases: &[Case]| results(&play_with("waf", cases, &options()));
    assert_eq!(played(&foreign_cases(text, &foreign()))[0].verdict, Verdict::Pass);
    let own = cases("scenarios/waf/b.yaml", &format!("{TOP}{text}"));
    assert_eq!(played(&own)[0].verdict, Verdict::Fail, "a scenario's lines add up");
}

/// Servers that linger write their lines when the client has closed.
#[test]
fn a_foreign_test_closes_its_connection_before_it_looks_at_the_log() {
    let text = r#"
name: Lingering
steps:
  - raw: "GET /linger?rule=1 HTTP/1.1\r\n\r\n"
    expect: { waf_rules: { includes: [1], only: [1] } }
"#;
    let result = results(&play_with("waf", &foreign_cases(text, &foreign()), &options())).remove(0);
    assert_eq!(result.verdict, Verdict::Pass, "{:?}", result.reason);
}

#[test]
fn a_verdict_given_beforehand_is_no_play() {
    let text =
        "name: a\nsteps: [{ raw: \"GET / HTTP/1.1\\r\\n\\r\\n\", expect: { status: 200 } }]\n";
    let verdict = |settled: Settled| {
        let cases = foreign_cases(text, &Foreign { settled: Some(settled), ..foreign() });
        let events = play_with("waf", &cases, &options());
        assert!(!events.iter().any(|event| matches!(event, Event::CaseStarted { .. })));
        let result = results(&events).remove(0);
        (result.verdict, result.reason.unwrap())
    };
    assert_eq!(verdict(Settled::Skip("why".into())), (Verdict::Skip, "why".into()));
    assert_eq!(verdict(Settled::Fail("why".into())), (Verdict::Fail, "why".into()));
}

#[test]
fn a_foreign_failure_is_tried_once_more_and_says_how_to_play_it_again() {
    let text = r#"
name: a
steps: [{ raw: "GET /?rule=1 HTTP/1.1\r\n\r\n", expect: { status: 404, waf_rules: { includes: [1] } } }]
"#;
    let cases = foreign_cases(text, &Foreign { retry_once: true, ..foreign() });
    let words = vec!["--ftw-overrides".to_owned(), "my overrides.yaml".to_owned()];
    let options = RunOptions { foreign_words: words, ..options() };
    let result = results(&play_with("waf", &cases, &options)).remove(0);
    assert_eq!((result.verdict, result.failures.len()), (Verdict::Fail, 1));
    assert_eq!(result.exchanges.len(), 1, "the first try is not among them");
    let [first] = &result.earlier[..] else { panic!("{:?}", result.earlier) };
    assert_eq!((first.verdict, first.failures.len(), first.exchanges.len()), (Verdict::Fail, 1, 1));
    assert_eq!(first.reason, result.reason);
    assert_eq!(first.why, "the test asks for a second try (`retry_once`)");
    let lines: Vec<_> = result.logs.iter().map(|log| (log.log.as_str(), log.lines.len())).collect();
    assert_eq!(lines, [("waf", 1)], "nor are its lines");
    let command = result.reproduce;
    assert!(
        command.starts_with(
            "edgeproof run ftw:tests/b.yaml -k 'case:\"b\"' --ftw-overrides 'my overrides.yaml' --target "
        ),
        "{command}"
    );
}
