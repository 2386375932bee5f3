//! A target that somebody else runs, given as a URL, and what a failure says when nobody expected anything.

use edgeproof_runner::RunOptions;
use edgeproof_runner::event::{CaseResult, Verdict};
use edgeproof_target::TargetSpec;

use crate::support::{bare, cases, events, results};

/// Failures are on purpose here: nobody will look at their logs.
fn options() -> RunOptions {
    RunOptions { keep_failed: false, ..RunOptions::default() }
}

/// The cases on a listener that takes connections and never answers.
fn on_a_url(text: &str, options: &RunOptions) -> Vec<CaseResult> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let spec = TargetSpec::from_url(&url, &["cache".to_owned()], false).unwrap();
    let mut found = results(&events(&cases("scenarios/a.yaml", text), &[spec], options));
    for result in &mut found {
        result.reproduce = result.reproduce.replace(&url, "URL");
    }
    found
}

#[test]
fn the_command_that_plays_a_case_again_says_all_that_a_url_needs() {
    let text =
        "name: a\nspec: b\ntime_limit: 50ms\nsteps: [{ send: GET /, expect: { status: 200 } }]\n";
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let options = RunOptions { origin_listen: Some(address), ..options() };
    assert_eq!(
        on_a_url(text, &options)[0].reproduce,
        format!(
            "edgeproof run scenarios/a.yaml -k 'case:\"a\"' --target URL --declare cache --origin-listen {address}"
        )
    );
}

#[test]
fn an_origin_that_cannot_be_reached_is_not_played_on_a_url() {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let options = RunOptions { origin_listen: Some(address), ..options() };
    for how in ["refuse", "reset", "stall"] {
        let text = format!(
            "name: a\nspec: b\norigin: {{ connection: {how} }}\nsteps: [{{ send: GET /, expect: {{ status: 502 }} }}]\n"
        );
        assert_eq!(on_a_url(&text, &options)[0].verdict, Verdict::Skip, "{how}");
    }
}

#[test]
fn a_need_that_is_said_twice_is_told_once() {
    let text = "name: a\nspec: b\nneeds: [access-log]\nsteps: [{ send: GET /, expect: { access_log: { count: 1 } } }]\n";
    let reason = on_a_url(text, &options())[0].reason.clone().unwrap();
    assert!(reason.starts_with("needs access-log, which "), "{reason}");
}

/// What a case on the origin itself fails with.
fn failures(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let spec = bare(folder.path(), "declares: [http]\nclock: none\nexpresses: all\n");
    let found = results(&events(&cases("scenarios/a.yaml", text), &[spec], &options()));
    found[0].failures.iter().map(|failure| failure.message.clone()).collect()
}

#[test]
fn what_nobody_expected_is_said_as_it_is() {
    let text = "name: a\nspec: b\norigin: [{ on: GET /a, respond: {} }]\nsteps: [{ send: GET /b, expect: { status: 404 } }]\n";
    assert_eq!(failures(text), [r#"the origin got a request that no rule answers: "GET /b""#]);
}

#[test]
fn a_folder_is_not_the_absence_of_a_file() {
    let text = "name: a\nspec: b\norigin: [{ on: GET /a, respond: {} }]\nsteps: [{ send: GET /a, expect: { files: { /: { exists: false } } } }]\n";
    let found = failures(text);
    assert!(found[0].starts_with("/: expected no file, found Is a directory"), "{found:?}");
}
