//! Files of tests to cases: what they mean, what is wrong with them, what overrides change.

use std::fs;
use std::path::{Path, PathBuf};

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::explain;
use edgeproof_scenario::model::{Action, Case, Check, Origin, Settled};
use edgeproof_workbench::{ftw, import};

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The suite of a folder, with these files of it as overrides; mistakes and warnings as text.
fn load(folder: &Path, overrides: &[&str]) -> (ftw::Suite, String) {
    let overrides: Vec<PathBuf> = overrides.iter().map(|name| folder.join(name)).collect();
    let (suite, diagnostics) = ftw::load(&[folder.join("tests")], &overrides);
    let told = diagnostics.render(Colour::Never).replace(&folder.display().to_string(), "DIR");
    (suite, told)
}

fn good(text: &str) -> Vec<Case> {
    let folder = folder(&[("tests/100.yaml", text)]);
    let (suite, told) = load(folder.path(), &[]);
    assert_eq!(told, "");
    suite.cases
}

fn wire(case: &Case, step: usize) -> String {
    let Action::Raw { bytes, .. } = &case.steps[step].action else { panic!() };
    bytes.to_display()
}

/// All that the newer forms can say.
const NEW: &str = r#"---
meta: { author: somebody, description: Everything, name: 100.yaml, tags: [all] }
rule_id: 100
tests:
  - test_id: 4
    desc: |
      The first line.
      More of it.
    tags: [own]
    stages:
      - input:
          dest_addr: 127.0.0.1
          port: 8080
          protocol: https
          method: POST
          uri: /a?b
          version: HTTP/1.0
          headers: { Host: localhost, X-Number: 7, X-Empty: }
          data: 'a={{ "1" | repeat 3 }}'
          save_cookie: true
        output:
          status: 200
          response_contains: '^HTTP'
          isolated: true
          retry_once: true
          log: { expect_ids: [100], no_expect_ids: [101, 102], match_regex: 'id "1', no_match_regex: 'id "2' }
      - input: { follow_redirect: true, uri: /ignored, ordered_headers: [{ name: Host, value: a }, { name: Host, value: b }] }
        output: { log: { expect_ids: [103] } }
  - stages: [{ input: { encoded_request: "R0VUIC8g\nDQoNCg==" }, output: { expect_error: true, status: 200 } }]
"#;

#[test]
fn everything_that_a_test_says_is_in_its_case() {
    let cases = good(NEW);
    let ids: Vec<&str> = cases.iter().map(|case| case.id.0.as_str()).collect();
    assert_eq!(ids, ["ftw/100/4", "ftw/100/2"]);
    let told: Vec<String> = cases.iter().map(explain).collect();
    let at = cases[0].source.path().to_owned();
    insta::assert_snapshot!("explained", told.join("\n").replace(&at, "100.yaml"));
    assert_eq!(
        wire(&cases[0], 0),
        "POST /a?b HTTP/1.0\r\nHost: localhost\r\nX-Number: 7\r\nX-Empty: \r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nContent-Length: 5\r\n\r\na=111"
    );
    assert_eq!(
        wire(&cases[0], 1),
        "GET {{redirect_target}} HTTP/1.1\r\nConnection: close\r\nHost: {{redirect_host}}\r\n{{cookie_line}}\r\n"
    );
    assert!(cases[0].foreign.as_ref().unwrap().retry_once);
    assert_eq!(wire(&cases[1], 0), "GET / \r\n\r\n");
}

#[test]
fn a_failure_points_at_what_was_expected() {
    let case = &good(NEW)[0];
    let places: Vec<String> =
        case.steps[0].expect.iter().map(|it| format!("{} {}", it.path, it.span.text())).collect();
    assert_eq!(
        places,
        [
            "stages[0].output.status 200",
            "stages[0].output.response_contains '^HTTP'",
            "stages[0].output.log.expect_ids [100]",
            "stages[0].output.isolated true",
            "stages[0].output.log.match_regex 'id \"1'",
            "stages[0].output.log.no_expect_ids [101, 102]",
            "stages[0].output.log.no_match_regex 'id \"2'",
        ]
    );
}

/// The form before version 1.
const OLD: &str = r#"---
meta: { author: a, enabled: true, name: old.yaml, description: d }
tests:
  - test_title: 100-1
    desc: Old
    stages:
      - stage:
          input: { stop_magic: true, port: 80, uri: /, method: GET, headers: { Host: x }, data: [a, b] }
          output: { status: [200, 403], log_contains: 'id "100"', no_log_contains: 'id "101"' }
  - test_title: another one
    stages:
      - stage:
          input: { raw_request: "GET \\ HTTP\r\n\r\n" }
          output: { no_log_contains: x, expect_error: false }
"#;

#[test]
fn the_older_form_is_read_too() {
    let cases = good(OLD);
    let ids: Vec<&str> = cases.iter().map(|case| case.id.0.as_str()).collect();
    assert_eq!(ids, ["ftw/100/1", "ftw/100/another-one"]);
    assert_eq!(cases[0].name, "Old");
    assert_eq!(wire(&cases[0], 0), "GET / HTTP/1.1\r\nHost: x\r\n\r\na\r\nb");
    assert_eq!(wire(&cases[1], 0), "GET \\ HTTP\r\n\r\n");
    let checks: Vec<&str> = cases[0].steps[0].expect.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(
        checks,
        [
            "stages[0].output.status",
            "stages[0].output.log.match_regex",
            "stages[0].output.log.no_match_regex"
        ]
    );
    let off = OLD.replace("enabled: true", "enabled: false");
    let settled = good(&off)[0].foreign.clone().unwrap().settled;
    assert_eq!(settled, Some(Settled::Skip("switched off in its file (meta.enabled)".into())));
}

#[test]
fn a_template_and_a_payload_make_a_request() {
    let cases = good(
        r#"
rule_id: 100
template:
  method: POST
  uri: "/?q={{ .Payload | urlquery }}"
  headers: [{ name: Host, value: x }, { name: X, value: "{{.Payload}}" }]
  autocomplete_headers: false
tests:
  - { id: 7, description: New, payload: "a b", output: { log: { expect_ids: [100] } } }
  - { payload: c, template: { uri: /own, data: "p={{.Payload}}" }, output: { status: 200 } }
"#,
    );
    assert_eq!(wire(&cases[0], 0), "POST /?q=a+b HTTP/1.1\r\nHost: x\r\nX: a b\r\n\r\n");
    assert_eq!(wire(&cases[1], 0), "POST /own HTTP/1.1\r\nHost: x\r\nX: c\r\n\r\np=c");
    assert_eq!((cases[0].id.0.as_str(), cases[0].name.as_str()), ("ftw/100/7", "New"));
}

#[test]
fn an_answer_of_its_own_is_the_backends() {
    let cases = good(
        "rule_id: 100\ntests: [{ stages: [{ input: { response: { status: 502, headers: { A: b }, body: c } }, output: { status: 502 } }] }]\n",
    );
    let Origin::Reflect(Some(answer)) = &cases[0].origin else { panic!() };
    assert_eq!((answer.status, answer.headers.len()), (502, 1));
}

#[test]
fn every_kind_of_mistake_has_its_place() {
    let broken = r#"
rule_id: x
tsets: []
tests:
  - test_id: 1
  - test_id: one
    stages: [{ output: {} }]
  - test_id: 3
    stages:
      - inptu: {}
        input:
          port: 70000
          protocol: ftp
          header: { A: b }
          data: '{{ "1" | repaet 3 }}'
          encoded_data: "?"
          autocomplete_headers: maybe
        output:
          status: 20
          isolated: true
          log: { expect_id: [1], no_expect_ids: [a], match_regex: "(" }
  - test_id: 5
    stages:
      - { input: { data: 'a={{ "1" | repaet 3 }}' }, output: { status: 200 } }
      - { input: { encoded_data: "?" } }
  - test_id: 4
    payload: x
    stages: [{ input: { encoded_request: "R0VU", data: x, unheard: of }, output: { log: { expect_ids: [1] } } }]
  - nonsense
"#;
    let folder = folder(&[
        ("tests/100.yaml", broken),
        ("tests/syntax.yaml", "rule_id: [1\n"),
        ("tests/other.yaml", "services: {}\n"),
        ("tests/empty.yaml", "# nothing yet\n"),
    ]);
    let (suite, told) = load(folder.path(), &[]);
    assert!(suite.cases.is_empty(), "{:?}", suite.cases);
    insta::assert_snapshot!("mistakes", told);
}

#[test]
fn two_files_of_a_name_are_told_apart_and_so_are_two_tests_of_an_id() {
    let test = |ids: &str| format!("rule_id: 1\ntests: [{ids}]\n");
    let one = "{ test_id: 1, stages: [{ input: {}, output: { status: 200 } }] }";
    let files = folder(&[
        ("tests/a/x.yaml", &test(one)),
        ("tests/b/x.yaml", &test(one)),
        ("tests/b/.hidden.yaml", "["),
        ("tests/y.yml", &test(one)),
    ]);
    let (suite, told) = load(files.path(), &[]);
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.0.as_str()).collect();
    assert_eq!((ids, told.as_str()), (vec!["ftw/a/x.yaml/1", "ftw/b/x.yaml/1", "ftw/y/1"], ""));

    let twice = folder(&[("tests/x.yaml", &test(&format!("{one}, {one}")))]);
    let (suite, told) = load(twice.path(), &[]);
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.0.as_str()).collect();
    assert_eq!(ids, ["ftw/x/1", "ftw/x/1-2"]);
    assert!(told.contains("warning: two tests have the id `ftw/x/1`"), "{told}");
}

const THREE: &str = r#"
rule_id: 100
tests:
  - { test_id: 1, tags: [php], stages: [{ input: { uri: /one }, output: { log: { expect_ids: [100] } } }] }
  - { test_id: 2, stages: [{ input: {}, output: { status: 400 } }, { input: {}, output: { status: 400 } }] }
  - { test_id: 3, stages: [{ input: {}, output: { status: 400 } }] }
"#;

#[test]
fn overrides_of_a_platform_change_what_is_expected() {
    let files = folder(&[
        ("tests/100.yaml", THREE),
        (
            "nginx.yaml",
            r#"
version: v1
meta: { engine: e, platform: p }
test_overrides:
  - { rule_id: 100, test_ids: [1], reason: it says no, output: { status: 403 } }
  - { rule_id: 100, test_ids: [2], stage_ids: [1], reason: late, retry_once: true, output: { status: 500 } }
  - { rule_id: 100, test_ids: [3, 9], reason: "not\n tried" }
  - { rule_id: 200, reason: another rule, output: { status: 200 } }
"#,
        ),
    ]);
    let (suite, told) = load(files.path(), &["nginx.yaml"]);
    let expected = |case: usize, step: usize| {
        let of = |check: &Check| format!("{check:?}");
        suite.cases[case].steps[step].expect.iter().map(|it| of(&it.check)).collect::<String>()
    };
    assert_eq!(expected(0, 0), "Status(OneOf([403]))");
    assert_eq!(expected(1, 0), "Status(OneOf([400]))");
    assert_eq!(expected(1, 1), "Status(OneOf([500]))");
    assert!(suite.cases[1].foreign.as_ref().unwrap().retry_once);
    let Some(Settled::Skip(why)) = &suite.cases[2].foreign.as_ref().unwrap().settled else {
        panic!()
    };
    assert!(why.ends_with("nginx.yaml: not tried"), "{why}");
    insta::assert_snapshot!(told, @r#"
    warning: there is no test 100-9
     --> DIR/nginx.yaml:7:5
      |
    7 |   - { rule_id: 100, test_ids: [3, 9], reason: "not\n tried" }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    1 warning in 1 file
    "#);
}

#[test]
fn a_configuration_of_go_ftw_changes_inputs_and_gives_verdicts() {
    let files = folder(&[
        ("tests/100.yaml", THREE),
        (
            "ftw.yaml",
            r#"
logfile: /var/log/error.log
logmarkerheadername: X-Mark
maxmarkerretries: 5
custom_log_id_regex: 'rule=(\d+)'
testoverride:
  input:
    dest_addr: 192.0.2.1
    override_empty_host_header: true
    port: 8080
    protocol: https
    autocomplete_headers: false
    headers: { X-All: "1" }
  ignore: { '^100-2$': known bug }
  forcefail: { '100-3': }
  forcepass: { '^100-': the first that fits counts }
"#,
        ),
    ]);
    let (suite, told) = load(files.path(), &["ftw.yaml"]);
    assert_eq!(told, "");
    assert_eq!(suite.mark_field.as_deref(), Some("X-Mark"));
    assert_eq!(suite.rule_ids.as_deref(), Some(r"rule=(\d+)"));
    assert_eq!(
        wire(&suite.cases[0], 0),
        "GET /one HTTP/1.1\r\nX-All: 1\r\nHost: 192.0.2.1\r\n\r\n"
    );
    assert!(suite.cases[0].needs.iter().any(|need| need.value == "tls"));
    let settled: Vec<String> = suite
        .cases
        .iter()
        .map(|case| match case.foreign.clone().unwrap().settled.unwrap() {
            Settled::Skip(why) => {
                format!("skip: {}", why.replace(&files.path().display().to_string(), ""))
            }
            Settled::Fail(why) => {
                format!("fail: {}", why.replace(&files.path().display().to_string(), ""))
            }
        })
        .collect();
    assert_eq!(
        settled,
        [
            "skip: not played, since it is to pass in any case by /ftw.yaml: the first that fits counts",
            "skip: ignored by /ftw.yaml: known bug",
            "fail: forced to fail by /ftw.yaml",
        ]
    );
}

#[test]
fn a_configuration_can_choose_tests() {
    let chosen = |lines: &str| {
        let files = folder(&[("tests/100.yaml", THREE), ("ftw.yaml", lines)]);
        let (suite, told) = load(files.path(), &["ftw.yaml"]);
        assert_eq!(told, "", "{lines}");
        let played =
            suite.cases.iter().filter(|case| case.foreign.as_ref().unwrap().settled.is_none());
        played.map(|case| case.id.0.clone()).collect::<Vec<_>>()
    };
    assert_eq!(chosen("include: '^100-[12]$'\n"), ["ftw/100/1", "ftw/100/2"]);
    assert_eq!(chosen("exclude: '2'\nmode: default\n"), ["ftw/100/1", "ftw/100/3"]);
    assert_eq!(chosen("include_tags: '^php$'\n"), ["ftw/100/1"]);
}

#[test]
fn mistakes_in_overrides_have_their_place() {
    let files = folder(&[
        ("tests/100.yaml", THREE),
        ("a.yaml", "test_overrides: [{ test_ids: [1] }, { rule_id: 1, ouput: {} }]\n"),
        (
            "b.yaml",
            "mode: cloud\nlogmarkerheadername: 'a b'\ncustom_log_id_regex: 'x'\ntestoverride: { ignored: {}, ignore: { '(': x }, forcepass: [a] }\n",
        ),
        ("c.yaml", "tests: []\n"),
    ]);
    let (_, told) = load(files.path(), &["a.yaml", "b.yaml", "c.yaml", "missing.yaml"]);
    insta::assert_snapshot!("overrides", told);
}

#[test]
fn a_path_without_tests_is_said() {
    let files = folder(&[("tests/a.txt", ""), ("other.yaml", "a: 1\n")]);
    let (_, told) = load(files.path(), &[]);
    assert!(told.starts_with("warning: there is no ftw test in `DIR/tests`"), "{told}");
    let (_, diagnostics) = ftw::load(&[files.path().join("other.yaml")], &[]);
    assert!(diagnostics.has_errors());
    let (_, diagnostics) = ftw::load(&[files.path().join("nowhere")], &[]);
    assert!(diagnostics.has_errors());
}

/// What is imported is a scenario without a mistake, which sends the same octets.
#[test]
fn what_is_imported_is_a_scenario() {
    let mut cases = good(NEW);
    cases.extend(good(OLD));
    let imported = import(&cases);
    insta::assert_snapshot!("imported", imported.text);
    assert_eq!(
        imported.left_out,
        [
            "ftw/100/4: its second try (`retry_once`): a scenario has one",
            "ftw/100/4: that each stage is judged by the log lines of its own request: a scenario's add up",
        ]
    );
    for case in &cases {
        let text = import(std::slice::from_ref(case)).text;
        let (bound, diagnostics) = edgeproof_scenario::bind_text("scenarios/a.yaml", &text);
        assert!(!diagnostics.has_errors(), "{}\n{text}", diagnostics.render(Colour::Never));
        assert_eq!(bound[0].steps.len(), case.steps.len());
    }
    let (bound, diagnostics) =
        edgeproof_scenario::bind_text("scenarios/all.yaml", &import(&good(OLD)).text);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(Colour::Never));
    assert_eq!(bound[1].id.0, "all/another-one");
    let Action::Raw { bytes, .. } = &bound[1].steps[0].action else { panic!() };
    assert_eq!(bytes.to_display(), "GET \\ HTTP\r\n\r\n");
}
