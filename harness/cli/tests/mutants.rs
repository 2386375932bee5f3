//! The scenarios' negative control: the reference with one deliberate bug at a time, and for each bug a
//! named scenario that catches it and that passes without it.
//!
//! Runs the binary `edgeproof-mutant` (cargo feature `mutants`), which chooses its bug by the environment
//! variable `EDGEPROOF_MUTANT`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Bug → the scenario that must fail under it.
const CAUGHT_BY: &[(&str, &str)] = &[
    // cache
    ("ignores-vary", "cache/vary/selection/other-value"),
    ("forgets-age", "cache/fields/stored/age"),
    ("serves-stale", "cache/freshness/max-age"),
    ("ignores-no-store", "cache/storing/forbidden#no-store"),
    ("ignores-private", "cache/storing/forbidden#private"),
    ("ignores-s-maxage", "cache/freshness/explicit/s-maxage-over-max-age"),
    ("ignores-authorization", "cache/storing/authorization/not-stored"),
    ("ignores-request-no-cache", "cache/request/directives/asks-again#no-cache"),
    ("does-not-invalidate", "cache/invalidation/unsafe/success#1"),
    ("keeps-old-fields-on-304", "cache/validation/etag/fields-updated"),
    ("weak-compares-nothing", "cache/conditional/from-the-store/not-modified#weak"),
    ("heuristic-everywhere", "cache/freshness/heuristic/not-for#2"),
    ("stores-hop-by-hop", "cache/fields/stored/hop-by-hop"),
    ("never-hits", "cache/freshness/max-age"),
    ("ignores-only-if-cached", "cache/request/directives/only-if-cached-miss"),
    ("purges-nothing", "cache/purge/purge/exact"),
    ("hosting-stores-set-cookie", "cache/hosting/policy/not-stored#set-cookie"),
    ("ttl-overrides-explicit", "cache/hosting/policy/explicit-is-not-lengthened"),
    ("never-collapses", "cache/collapsing/cold"),
    ("combines-weakly", "cache/partial/not-combined/by#weak-tags"),
    // access log
    ("logs-raw-quotes", "logs/escaping#quote"),
    ("logs-raw-controls", "logs/escaping#tab"),
    ("logs-raw-backslash", "logs/escaping#backslash"),
    ("logs-raw-high-bytes", "logs/escaping#high-byte"),
    ("missing-is-empty", "logs/places/missing"),
    ("dash-not-escaped", "logs/escaping#dash"),
    ("duration-six-decimals-in-2018", "logs/golden/protocol-and-duration"),
    ("utc-always", "logs/golden/default-format"),
    ("expands-placeholders-again", "logs/formats/not-expanded-again"),
    // proxy
    ("keeps-hop-by-hop", "front/fields/hop-by-hop#keep-alive"),
    ("keeps-connection-named", "front/fields/connection-named"),
    ("no-via", "front/fields/via"),
    ("no-forwarded-for", "front/fields/forwarded-for"),
    ("drops-trailers", "front/messages/trailers"),
    ("accepts-both-lengths", "front/tolerated/both-lengths-refused"),
    ("accepts-bare-lf", "front/refused/bare-lf"),
    ("accepts-two-hosts", "front/smuggling#two-hosts"),
    ("host-rewritten", "front/fields/host-kept"),
    ("head-with-body", "front/messages/head"),
    ("swallows-1xx", "front/messages/early-hints"),
    ("pools-broken-connection", "front/messages/after-an-abort"),
    ("no-log-for-400", "logs/refused#nul"),
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Plays the cases against the reference of this binary and returns each one's verdict.
fn verdicts(cases: &BTreeSet<&str>, mutant: Option<&str>) -> BTreeMap<String, String> {
    let filter = cases.iter().map(|id| format!("id:\"{id}\"")).collect::<Vec<_>>().join(" or ");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof-mutant"));
    command.current_dir(root()).env_remove("EDGEPROOF_MUTANT").args([
        "run",
        "scenarios",
        "--target",
        "reference",
        "--format",
        "json",
        "-k",
        &filter,
    ]);
    if let Some(mutant) = mutant {
        command.env("EDGEPROOF_MUTANT", mutant);
    }
    let output = command.output().expect("edgeproof-mutant runs");
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!(
                "no JSON ({error}); standard error:\n{}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
    report["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            let text = |key: &str| case[key].as_str().expect("text").to_owned();
            (text("id"), text("verdict"))
        })
        .collect()
}

#[test]
fn each_mutant_is_caught_by_its_scenario() {
    let named: BTreeSet<&str> = CAUGHT_BY.iter().map(|(_, case)| *case).collect();
    let healthy = verdicts(&named, None);
    let mut wrong = Vec::new();
    for case in &named {
        match healthy.get(*case).map(String::as_str) {
            Some("pass") => {}
            other => wrong.push(format!("without a bug {case} is {other:?}, not pass")),
        }
    }
    for (mutant, case) in CAUGHT_BY {
        match verdicts(&BTreeSet::from([*case]), Some(mutant)).get(*case).map(String::as_str) {
            Some("fail") => {}
            other => wrong.push(format!("{mutant}: {case} is {other:?}, not fail")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A bug that nobody names in the table above would be a bug that nobody looks for.
#[test]
fn every_mutant_is_in_the_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof-mutant"))
        .arg("list-mutants")
        .output()
        .expect("edgeproof-mutant runs");
    let known = String::from_utf8(output.stdout).expect("text");
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    let named: BTreeSet<&str> = CAUGHT_BY.iter().map(|(mutant, _)| *mutant).collect();
    assert!(known.len() >= 10, "{known:?}");
    assert_eq!(known, named);
}
