//! Cases on a target of its own: its logs, its processes, its death, what is known of it.

use std::path::{Path, PathBuf};

use crate::support::{cases, events, results};
use edgeproof_runner::RunOptions;
use edgeproof_runner::event::{CaseResult, Event, Verdict};
use edgeproof_target::TargetSpec;

/// The example `stand_in`, which cargo builds with the tests.
pub(crate) fn stand_in() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().join("examples/stand_in")
}

fn target(folder: &Path, more: &str) -> TargetSpec {
    let program = stand_in();
    let yaml = format!(
        r#"
title: Stand-in
services:
  http:
    process: {{ command: ["{}", serve, "127.0.0.1:{{{{ port.http }}}}", "{{{{ origin.address }}}}", "{{{{ dir }}}}/access.log"] }}
    address: 127.0.0.1:{{{{ port.http }}}}
logs: {{ access: "{{{{ dir }}}}/access.log" }}
declares: [http, access-log]
expresses: all
clock: none
{more}"#,
        program.display()
    );
    let folder = folder.join("stand-in");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("target.yaml"), yaml).unwrap();
    TargetSpec::load(&folder).unwrap_or_else(|mistakes| {
        panic!("{}", mistakes.render(edgeproof_diagnostics::Colour::Never))
    })
}

pub(crate) fn options() -> RunOptions {
    let supervisor = Some(vec![stand_in().into_os_string(), "supervise".into()]);
    RunOptions { keep_failed: false, supervisor, ..RunOptions::default() }
}

fn play_with(text: &str, more: &str, options: &RunOptions) -> Vec<Event> {
    let folder = tempfile::tempdir().unwrap();
    events(&cases("scenarios/a/b.yaml", text), &[target(folder.path(), more)], options)
}

fn play(text: &str) -> Vec<CaseResult> {
    results(&play_with(text, "", &options()))
}

const ORIGIN: &str =
    "spec: RFC 9110 §1\nneeds: [access-log]\norigin: [{ on: GET /*, respond: { body: one } }]\n";

#[test]
fn log_lines_of_a_case_are_its_own_in_a_log_for_all() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
cases:
  - id: one
    name: One
    steps:
      - send: GET /a
        expect: { body: one, access_log: { count: 1, line: "{{host}} GET /a HTTP/1.1" } }
      - send: GET /b
        expect: { access_log: { count: 2, any: { contains: /a }, none: { contains: /c }, every: { contains: "{{host}}" } } }
  - id: two
    name: Two
    steps:
      - send: GET /c
        expect: { access_log: { count: 1, every: { contains: /c } } }
        capture: { line: access_log }
      - send: { path: /d, headers: { x-line: "{{line|url}}" } }
        expect: { origin_saw: { headers: { x-line: { contains: "GET%20%2Fc" } } } }
  - id: look
    name: Files and processes
    steps:
      - send: GET /e
        expect:
          files: { "{{dir}}/access.log": { exists: true }, "{{dir}}/nothing": { exists: false } }
          processes: { matching: "stand_in serve 127", count: 1 }
"#
    );
    for result in play(&text) {
        let rendered: Vec<_> = result.failures.iter().map(|it| it.rendered.clone()).collect();
        assert_eq!(result.verdict, Verdict::Pass, "{}: {}", result.id, rendered.join("\n"));
    }
}

#[test]
fn a_line_too_many_is_a_failure() {
    let text = format!(
        "{ORIGIN}{}",
        "name: Two lines\nsteps: [{ send: GET /twice, expect: { access_log: { count: 1 } } }]\n"
    );
    let results = play(&text);
    assert_eq!(results[0].verdict, Verdict::Fail);
    assert!(
        results[0].failures[0].message.starts_with("lines in the access log: expected 1, found 2")
    );
}

#[test]
fn lines_that_are_to_differ_are_two_at_least() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
name: "{{id}}"
each: [{ id: one, path: /a }, { id: same, path: /twice }]
steps:
  - send: GET {{path}}
    expect: { access_log: { distinct: true } }
"#
    );
    let found: Vec<_> = play(&text).into_iter().map(|it| it.reason.unwrap_or_default()).collect();
    assert!(
        found[0].starts_with("lines in the access log to compare: expected two at least, found 1"),
        "{found:?}"
    );
    assert!(found[1].starts_with("lines of the access log that are there twice"), "{found:?}");
}

#[test]
fn a_request_that_the_target_makes_when_the_case_has_ended_counts() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
cases:
  - { id: counted, name: Counted, steps: [{ send: GET /late, expect: { origin_requests: 1 } }] }
  - { id: seen, name: Seen, steps: [{ send: GET /late, expect: { origin_saw: { all: true, path: /late } } }] }
  - id: before
    name: More was sent after the count
    steps: [{ send: GET /late, expect: { origin_requests: 1 } }, { send: GET /b, expect: { body: one } }]
"#
    );
    let results = play(&text);
    let told: Vec<_> = results
        .iter()
        .map(|it| format!("{}: {}", it.verdict.as_str(), it.reason.as_deref().unwrap_or("")))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    fail: requests at the origin: expected 1, found 2 after the last step
    pass: 
    pass: 
    ");
    assert_eq!(results[0].failures[0].path, "steps[0].expect.origin_requests");
}

#[test]
fn a_request_smuggled_behind_one_of_a_case_is_that_cases() {
    let text = format!(
        "{ORIGIN}{}",
        "name: Smuggled\nsteps: [{ send: GET /smuggle, expect: { status: 200, body: one } }]\n"
    );
    let results = play(&text);
    assert_eq!(results[0].verdict, Verdict::Fail);
    let found = &results[0].failures[0].found;
    assert!(found.contains("names no site") && found.contains("/admin"), "{found}");
}

#[test]
fn a_target_that_dies_makes_errors_and_nothing_hangs() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
cases:
  - { id: before, name: Before, steps: [{ send: GET /a, expect: { status: 200 } }] }
  - { id: killer, name: Killer, steps: [{ send: GET /die, expect: { status: 200 } }] }
  - { id: after, name: After, steps: [{ send: GET /b, expect: { status: 200 } }] }
"#
    );
    let events = play_with(&text, "", &RunOptions { jobs: 1, ..options() });
    let results = results(&events);
    let verdicts: Vec<_> = results.iter().map(|result| result.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Error, Verdict::Error]);
    assert!(
        results[2].reason.as_ref().unwrap().starts_with("not played: "),
        "{:?}",
        results[2].reason
    );
    let deaths = events.iter().filter(|event| matches!(event, Event::TargetFailed { .. })).count();
    assert_eq!(deaths, 1);
}

#[test]
fn a_target_that_dies_has_not_said_nothing_as_it_should() {
    let text = format!(
        "{ORIGIN}{}",
        "name: Silence\nsteps: [{ send: GET /a }, { send: GET /die, expect: { no_answer: true } }]\n"
    );
    let results = play(&text);
    assert_eq!(results[0].verdict, Verdict::Error, "{:?}", results[0].reason);
}

#[test]
fn a_target_that_dies_after_its_last_answer_has_broken() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
name: Last
steps:
  - send: GET /last
    expect: { status: 200 }
  - close: true
  - expect: { processes: { matching: "stand_in serve 127", count: 0 } }
"#
    );
    let events = play_with(&text, "", &options());
    assert_eq!(told(&results(&events)), "pass a/b: ");
    let died = |it: &Event| match it {
        Event::TargetFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    let deaths: Vec<_> = events.iter().filter_map(died).collect();
    assert_eq!(deaths, ["http ended: code 9"]);
}

#[test]
fn no_answer_from_a_living_target_is_a_failure_when_the_time_is_up() {
    let text = format!(
        "{ORIGIN}{}",
        "name: Hangs\ntime_limit: 300ms\nsteps: [{ send: GET /hang, expect: { status: 200 } }]\n"
    );
    let results = play(&text);
    assert_eq!(results[0].verdict, Verdict::Fail, "{:?}", results[0].reason);
    let found = &results[0].failures[0].found;
    assert_eq!(found, "no end within 300ms, while waiting for the target's answer");
    // What had been sent by then is told.
    let hung = &results[0].exchanges[results[0].failures[0].exchange.expect("an exchange")];
    assert!(hung.request.data.starts_with("GET /hang HTTP/1.1\r\n"), "{hung:?}");
    assert_eq!(hung.response, None);
    assert!(hung.note.as_ref().is_some_and(|it| it.starts_with("no answer within ")), "{hung:?}");
}

/// A line for each: its verdict, its case and why.
fn told(results: &[CaseResult]) -> String {
    let line = |it: &CaseResult| {
        format!("{} {}: {}", it.verdict.as_str(), it.id, it.reason.as_deref().unwrap_or(""))
    };
    results.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn known_failures_cover_their_expectation_only() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
cases:
  - { id: known, name: Known, steps: [{ send: GET /a, expect: { status: 404 } }] }
  - { id: other, name: Other, steps: [{ send: GET /a, expect: { body: two } }] }
  - { id: fixed, name: Fixed, steps: [{ send: GET /a, expect: { status: 200 } }] }
  - { id: skipped, name: Skipped, needs: [waf], steps: [{ send: GET /a, expect: { status: 200 } }] }
"#
    );
    let known = r#"
known_failures:
  - { case: a/b/known, expectation: "steps[0].expect.status", reason: it says 200 }
  - { case: a/b/other, expectation: "steps[0].expect.status", reason: it says 200 }
  - { case: a/b/fixed, reason: it said 500 }
"#;
    let results = results(&play_with(&text, known, &options()));
    insta::assert_snapshot!(told(&results), @r#"
    known-fail a/b/known: it says 200
    fail a/b/other: the body: expected "two", found "one" (steps[0].expect.body is not among the known failures)
    fixed a/b/fixed: passes, though listed as known to fail: it said 500
    skip a/b/skipped: needs waf, which stand-in does not declare
    "#);
}

#[test]
fn a_known_failure_is_neither_silence_nor_a_request_that_nobody_expected() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
cases:
  - { id: silent, name: Silent, steps: [{ send: GET /mute, expect: { status: 404 } }] }
  - { id: whole, name: Whole, steps: [{ send: GET /mute, expect: { status: 404 } }] }
  - { id: hangs, name: Hangs, time_limit: 300ms, steps: [{ send: GET /hang, expect: { status: 404 } }] }
  - { id: said, name: Said, steps: [{ send: GET /mute, expect: { status: 404 } }] }
  - { id: meant, name: Meant, steps: [{ send: GET /mute, expect: { no_answer: true, origin_requests: 1 } }] }
  - { id: smuggled, name: Smuggled, steps: [{ send: GET /smuggle, expect: { status: 404 } }] }
"#
    );
    let known = r#"
known_failures:
  - { case: a/b/silent, expectation: "steps[0].expect.status", reason: it says 200 }
  - { case: a/b/whole, reason: it says 200 }
  - { case: a/b/hangs, reason: it says 200 }
  - { case: a/b/said, unanswered: true, reason: it says 200 or nothing }
  - { case: a/b/meant, reason: it does not ask the origin }
  - { case: a/b/smuggled, reason: it says 200 }
"#;
    let results = results(&play_with(&text, known, &options()));
    insta::assert_snapshot!(told(&results), @r#"
    fail a/b/silent: status: expected 404, found no answer (the target closed the connection without an answer) (steps[0].expect.status without an answer is not among the known failures)
    fail a/b/whole: status: expected 404, found no answer (the target closed the connection without an answer) (steps[0].expect.status without an answer is not among the known failures)
    fail a/b/hangs: no end within 300ms, while waiting for the target's answer (steps[0] without an answer is not among the known failures)
    known-fail a/b/said: it says 200 or nothing
    known-fail a/b/meant: it does not ask the origin
    fail a/b/smuggled: status: expected 404, found 200 OK (origin, client is not among the known failures)
    "#);
}

#[test]
fn results_are_the_same_for_every_number_of_jobs() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
name: "Row {{id}}"
each: [{ id: a, s: "200" }, { id: b, s: "404" }, { id: c, s: "200" }, { id: d, s: "404" }]
steps:
  - send: GET /x
    expect: { status: "{{s}}", origin_requests: 1 }
"#
    );
    let told = |jobs| {
        let events = play_with(&text, "", &RunOptions { jobs, repeat: 2, ..options() });
        assert!(matches!(events[0], Event::RunStarted { planned: 8, .. }));
        let told = |it: &CaseResult| (it.index, it.id.clone(), it.attempt, it.verdict, it.attempts);
        results(&events).iter().map(told).collect::<Vec<_>>()
    };
    let one = told(1);
    assert_eq!(one, told(8));
    assert_eq!(one.iter().filter(|it| it.3 == Verdict::Pass).count(), 4);
    assert_eq!((one[1].0, one[1].1.as_str(), one[1].2), (1, "a/b#a", 2));
}

#[test]
fn tries_with_one_fixed_host_do_not_share_a_start() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
name: Fixed
site: { host: www.example.test }
steps: [{ send: GET /a, expect: { origin_requests: 1, origin_saw: { headers: { host: www.example.test } } } }]
"#
    );
    let events = play_with(&text, "", &RunOptions { repeat: 2, ..options() });
    let starts = events.iter().filter(|event| matches!(event, Event::TargetStarted { .. })).count();
    assert_eq!(starts, 2);
    let results = results(&events);
    assert_eq!(results.len(), 2);
    assert!(results.iter().all(|result| result.verdict == Verdict::Pass), "{results:?}");
}

#[test]
fn tries_that_one_configuration_does_not_hold_are_played_on_a_new_start() {
    let text = format!(
        "{ORIGIN}{}",
        r#"
name: "Row {{id}}"
each: [{ id: a, s: "200" }, { id: b, s: "404" }, { id: c, s: "200" }]
steps:
  - send: GET /x
    expect: { status: "{{s}}", origin_requests: 1 }
"#
    );
    let told = |most_sites| {
        let options = RunOptions { repeat: 4, most_sites, ..options() };
        let events = play_with(&text, "", &options);
        let starts = events.iter().filter(|it| matches!(it, Event::TargetStarted { .. })).count();
        let told = |it: &CaseResult| (it.index, it.id.clone(), it.attempt, it.verdict, it.attempts);
        (starts, results(&events).iter().map(told).collect::<Vec<_>>())
    };
    let (one, whole) = told(12);
    let (three, parted) = told(5);
    assert_eq!((one, three), (1, 3));
    assert_eq!(whole, parted, "the report is the same");
    assert_eq!(whole.len(), 12);
    assert_eq!(whole.iter().filter(|it| it.3 == Verdict::Pass).count(), 8);
}
