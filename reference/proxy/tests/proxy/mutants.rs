//! The negative control of these tests: each mutant makes the test named beside it fail, which
//! passes without it. Only with the feature `mutants`.

use std::process::Command;

const CAUGHT_BY: [(&str, &str); 15] = [
    ("keeps-hop-by-hop", "hop_by_hop::they_are_removed_from_requests"),
    ("keeps-connection-named", "hop_by_hop::they_are_removed_from_responses"),
    ("tunnels-anything", "upgrade::no_other_protocol_is_asked_for"),
    ("no-via", "hop_by_hop::via_is_added_after_what_is_there"),
    ("no-forwarded-for", "forwarding::a_request_goes_through_and_says_where_it_came_from"),
    ("keeps-lookalikes", "forwarding::nobody_else_says_who_the_client_is"),
    ("drops-trailers", "framing::a_chunked_response_keeps_its_trailers"),
    ("accepts-both-lengths", "refusals::both_lengths_are_refused_even_if_they_agree"),
    ("accepts-bare-lf", "refusals::what_could_be_smuggled_is_refused_closed_and_logged"),
    ("accepts-two-hosts", "refusals::what_could_be_smuggled_is_refused_closed_and_logged"),
    ("host-rewritten", "hop_by_hop::they_are_removed_from_requests"),
    ("head-with-body", "forwarding::head_has_the_fields_and_no_body"),
    ("swallows-1xx", "framing::interim_responses_are_passed_on_and_an_expectation_waits"),
    ("pools-broken-connection", "pool::a_connection_with_a_broken_response_is_not_used_again"),
    ("no-log-for-400", "refusals::a_head_that_ends_in_the_middle_is_refused_and_logged"),
];

fn passes(test: &str, mutant: Option<&str>) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env_remove("EDGEPROOF_MUTANT");
    command.envs(mutant.map(|mutant| ("EDGEPROOF_MUTANT", mutant)));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("running 1 test"), "no test is named {test}");
    output.status.success()
}

#[test]
fn every_mutant_is_caught() {
    // Side by side: a test that fails may do so by waiting in vain.
    std::thread::scope(|scope| {
        for (mutant, test) in CAUGHT_BY {
            scope.spawn(move || {
                assert!(passes(test, None), "{test} fails without a mutant");
                assert!(!passes(test, Some(mutant)), "{test} does not catch {mutant}");
            });
        }
    });
}
