//! What people read: help, mistakes, a case in words. The expected texts stand in `golden/`.

mod golden;

use std::path::Path;
use std::process::Command;

use golden::golden;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Exit code, standard output and standard error as one text.
fn words(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .args(arguments)
        .output()
        .expect("edgeproof runs");
    golden::words(&arguments.join(" "), &output)
}

#[test]
fn help() {
    golden("help", &words(&["--help"]));
    golden("help-run", &words(&["run", "--help"]));
    golden("help-proxy", &words(&["proxy", "--help"]));
    golden("help-agent", &words(&["agent", "help"]));
}

/// Ten broken files and more: all their mistakes in one go, each at its place.
#[test]
fn mistakes_in_scenarios() {
    golden("check-broken", &words(&["check", "harness/scenario/tests/broken"]));
}

/// The same for tests in the ftw format.
#[test]
fn mistakes_in_ftw_tests() {
    golden("check-broken-ftw", &words(&["check", "ftw:harness/cli/tests/ftw/broken"]));
    golden("import-help", &words(&["import", "ftw", "--help"]));
}

#[test]
fn our_own_scenarios_have_none() {
    let checked = words(&["check", "scenarios"]);
    assert!(checked.contains("no mistakes\nexit code 0"), "{checked}");
}

#[test]
fn a_case_in_words() {
    golden("explain", &words(&["explain", "cache/freshness/max-age"]));
    golden("explain-unknown", &words(&["explain", "cache/freshness/max-aeg"]));
}

/// A proxy does not start with rules that are wrong, and says all that is.
#[test]
fn mistakes_in_rules() {
    for name in ["broken", "numbers", "patterns"] {
        let file = format!("harness/cli/tests/rules/{name}.conf");
        let start = ["proxy", "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:9"];
        let told = words(&[&start[..], &["--waf-conf", &file]].concat());
        golden(&format!("proxy-rules-{name}"), &told);
    }
}

#[test]
fn mistakes_on_the_command_line() {
    golden("unknown-target", &words(&["run", "--target", "ngnix"]));
    golden("unknown-format", &words(&["run", "--format", "junti"]));
    golden("bad-filter", &words(&["list", "-k", "family:cache and (level:must"]));
    golden("two-formats-one-place", &words(&["run", "--format", "json", "--format", "tap"]));
    golden("site-of-no-case", &words(&["run", "scenarios/cache", "--site", "waf=none"]));
    golden("site-unknown", &words(&["run", "scenarios/waf", "--site", "waf.paranoya=3"]));
    golden("report-of-several", &words(&["report", "1.jsonl", "2.jsonl", "--format", "json"]));
    golden(
        "proxy-without-ttl",
        &words(&[
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            "http://127.0.0.1:9",
            "--cache",
            "--cache-policy",
            "hosting",
        ]),
    );
    golden(
        "proxy-bad-format",
        &words(&[
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            "http://127.0.0.1:9",
            "--access-log",
            "/dev/null",
            "--access-log-format",
            "{status} {statsu}",
        ]),
    );
}

/// Verdicts name a target by its folder's name: the second of two must not be left out in silence.
#[test]
fn two_targets_of_one_name_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let other = folder.path().join("bare");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::copy(root().join("ci/targets/bare/target.yaml"), other.join("target.yaml"))
        .expect("a copy");
    let asked = ["run", "scenarios/cache", "--target", "bare", "--require"];
    let told = words(&[&asked[..], &[other.to_str().expect("UTF-8")]].concat());
    assert!(told.contains("two targets have the name `bare`: ci/targets/bare and /"), "{told}");
}

/// The schema is the one that editors get, and every scenario of ours fits it.
#[test]
fn the_schema_takes_our_scenarios() {
    let schema = words(&["schema"]);
    let json = &schema[schema.find('{').expect("JSON")..schema.rfind('}').expect("JSON") + 1];
    let schema: serde_json::Value = serde_json::from_str(json).expect("JSON");
    assert!(jsonschema::meta::is_valid(&schema));
}
