//! `journey:` played on an origin that lets nobody further who leaves something behind.

use edgeproof_runner::event::{CaseResult, Verdict};

use crate::support::play;

/// The scenario of the suite.
const SHOP: &str = include_str!("../../../../scenarios/load/journey.yaml");

/// The suite's scenario with one line of it changed.
fn changed(from: &str, to: &str) -> CaseResult {
    assert!(SHOP.contains(from), "`{from}` is no longer in the scenario");
    play(&SHOP.replace(from, to)).remove(0)
}

/// It fails, and says what the first user met.
fn assert_fails(result: &CaseResult, trouble: &str) {
    assert_eq!(result.verdict, Verdict::Fail, "{result:?}");
    let told: Vec<_> = result.failures.iter().map(|failure| failure.found.as_str()).collect();
    assert!(told.iter().any(|found| found.contains(trouble)), "{told:?}");
}

#[test]
fn users_go_all_the_way() {
    let result = changed("users: 8", "users: 8");
    assert_eq!(result.verdict, Verdict::Pass, "{:?}", result.failures);
    let figure = |name: &str| {
        let found = result.figures.iter().find(|figure| figure.name == name);
        found.unwrap_or_else(|| panic!("no `{name}` in {:?}", result.figures)).value
    };
    assert_eq!(figure("shop.rounds"), 40.0);
    // Of the 160 answers 40 are delayed by 2 ms, and nothing in the other figures is thought.
    assert!(figure("shop.read.p50") >= 2_000.0);
    assert!(figure("shop.rps") > 0.0 && figure("shop.mean_across_all") > 0.0);
    // Both of ab's mean times, of 8 clients.
    let of_ab = figure("shop.time_per_request") / figure("shop.mean_across_all");
    assert!((of_ab - 8.0).abs() < 1e-6, "{of_ab}");
    // Each user thinks for at least 30 ms in each of 5 rounds.
    assert!(160.0 / figure("shop.rps") >= 0.150, "{}", figure("shop.rps"));
}

#[test]
fn a_token_that_is_not_passed_on_is_met_with_403() {
    let result = changed(r#"headers: { x-token: "{{form_token}}" }, "#, "");
    assert_fails(&result, "step `login`: the status is 403, not 303");
}

#[test]
fn a_token_that_is_not_found_is_an_error() {
    let result = changed(r#"name="token" value="([^"]+)"#, r#"name="csrf" value="([^"]+)"#);
    assert_fails(&result, "step `form`: nothing to capture as `form_token`");
}

#[test]
fn a_number_that_the_page_does_not_tell_is_an_error() {
    let result = changed("/user/order", "/user/number");
    assert_fails(&result, "step `read`: nothing to capture as `order`");
}

#[test]
fn a_session_that_is_not_given_is_missed() {
    let result = changed("session=s-{{token}}; Path=/", "session=s-{{token}}; Path=/elsewhere");
    assert_fails(&result, "step `read`: the status is 403, not 200");
}

#[test]
fn another_status_than_the_one_expected_is_an_error() {
    let result = changed("respond: { status: 201,", "respond: { status: 200,");
    assert_fails(&result, "step `post`: the status is 200, not 201");
}

#[test]
fn a_target_that_takes_no_connection_is_an_error() {
    let origin = &SHOP[SHOP.find("origin:").unwrap()..SHOP.find("steps:").unwrap()];
    let text = SHOP.replacen(origin, "origin: { connection: reset }\n", 1);
    let result = play(&text).remove(0);
    assert_ne!(result.verdict, Verdict::Pass, "{result:?}");
}

#[test]
fn what_a_user_was_told_ends_with_the_journey() {
    let text = SHOP.to_owned() + "  - send: GET /login?{{order}}\n    expect: { status: 200 }\n";
    let (_, diagnostics) = edgeproof_scenario::bind_text("scenarios/load/journey.yaml", &text);
    let shown = diagnostics.render(edgeproof_diagnostics::Colour::Never);
    assert!(shown.contains("`order` is known only to users of a journey"), "{shown}");
}
