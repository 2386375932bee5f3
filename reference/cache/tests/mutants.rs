//! Each deliberate bug breaks the rule that it is named for, and only a build with the feature
//! has them.
#![cfg(feature = "mutants")]

mod support;

use edgeproof_cache::{DeltaSeconds, Policy, Purge};
use support::{Origin, World};

const FRESH: &str = "Cache-Control: max-age=60";
const DATED: &str = "Last-Modified: {-1000}";

/// Whether a second request after `seconds` is answered without the origin.
fn reused(
    policy: Policy,
    first: &[&str],
    response: &[&str],
    seconds: i64,
    second: &[&str],
) -> bool {
    let mut world = World::new(policy);
    world.get("/", first, &Origin::Answers(200, response, "one"));
    world.advance(seconds);
    !world.get("/", second, &Origin::Answers(500, &[], "")).asked
}

fn stored(response: &[&str]) -> World {
    let mut world = World::rfc();
    world.get("/", &[], &Origin::Answers(200, response, "one"));
    world
}

/// The rules, each under the name of the mutant that breaks it.
fn rules() -> Vec<(&'static str, bool)> {
    let rfc = Policy::RFC9111;
    let ttl = DeltaSeconds::saturating(30);
    let hosting = Policy::Hosting { ttl };
    let cookie = ["Content-Type: text/html", "ETag: \"1\"", "Set-Cookie: a=b"];
    let only = ["Cache-Control: only-if-cached"];
    vec![
        ("ignores-vary", !reused(rfc, &["Foo: 1"], &[FRESH, "Vary: Foo"], 0, &["Foo: 2"])),
        (
            "forgets-age",
            stored(&[FRESH]).get("/", &[], &Origin::Answers(200, &[], "")).age.is_some(),
        ),
        ("serves-stale", !reused(rfc, &[], &[FRESH], 61, &[])),
        ("ignores-no-store", !reused(rfc, &[], &[FRESH, "Cache-Control: no-store"], 0, &[])),
        ("ignores-private", !reused(rfc, &[], &[FRESH, "Cache-Control: private"], 0, &[])),
        ("ignores-s-maxage", !reused(rfc, &[], &[FRESH, "Cache-Control: s-maxage=1"], 2, &[])),
        ("ignores-authorization", !reused(rfc, &["Authorization: x"], &[FRESH], 0, &[])),
        ("ignores-request-no-cache", !reused(rfc, &[], &[FRESH], 0, &["Cache-Control: no-cache"])),
        ("does-not-invalidate", invalidates()),
        ("keeps-old-fields-on-304", updates()),
        ("weak-compares-nothing", not_modified()),
        ("heuristic-everywhere", no_heuristic()),
        ("stores-hop-by-hop", drops_hop_by_hop()),
        ("never-hits", reused(rfc, &[], &[FRESH], 0, &[])),
        (
            "ignores-only-if-cached",
            World::rfc().get("/", &only, &Origin::Answers(200, &[], "")).status == 504,
        ),
        ("purges-nothing", purges()),
        ("hosting-stores-set-cookie", !reused(hosting, &[], &cookie, 0, &[])),
        (
            "ttl-overrides-explicit",
            !reused(
                Policy::Rfc9111 { ttl: Some(ttl) },
                &[],
                &["Cache-Control: max-age=5", DATED],
                9,
                &[],
            ),
        ),
    ]
}

fn invalidates() -> bool {
    let mut world = stored(&[FRESH]);
    world.send("POST", "/", &[], &Origin::Answers(200, &[], ""));
    world.get("/", &[], &Origin::Answers(200, &[], "")).asked
}

fn updates() -> bool {
    let mut world = stored(&[FRESH, "ETag: \"a\"", "X: old"]);
    world.advance(100);
    let answer = world.get("/", &[], &Origin::Answers(304, &["ETag: \"a\"", "X: new"], ""));
    answer.fields.get("x") == Some(b"new")
}

fn not_modified() -> bool {
    let condition = ["If-None-Match: W/\"a\""];
    stored(&[FRESH, "ETag: \"a\""]).get("/", &condition, &Origin::Answers(200, &[], "")).status
        == 304
}

fn no_heuristic() -> bool {
    let mut world = World::rfc();
    world.get("/", &[], &Origin::Answers(302, &[DATED], "one"));
    world.get("/", &[], &Origin::Answers(200, &[], "")).asked
}

fn drops_hop_by_hop() -> bool {
    let mut world = stored(&[FRESH, "Connection: x", "X: 1"]);
    !world.get("/", &[], &Origin::Answers(200, &[], "")).fields.contains("x")
}

fn purges() -> bool {
    let mut world = stored(&[FRESH]);
    let _ = world.purge("/", Purge::Exact);
    world.get("/", &[], &Origin::Answers(200, &[], "")).asked
}

/// Plays the mutant that the environment names, if any.
#[test]
fn every_rule_holds() {
    let rules = rules();
    let broken: Vec<_> = rules.iter().filter(|(_, holds)| !holds).map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "broken: {broken:?}");
}

#[test]
fn each_mutant_breaks_its_rule() {
    let program = std::env::current_exe().expect("this test's own program");
    for (name, _) in rules() {
        let output = std::process::Command::new(&program)
            .args(["--exact", "every_rule_holds", "--nocapture"])
            .env("EDGEPROOF_MUTANT", name)
            .output()
            .expect("it runs again");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{name} breaks nothing");
        assert!(text.contains("broken: ") && text.contains(&format!("{name:?}")), "{name}: {text}");
    }
}
