//! The suites against the targets, as a user runs them: verdicts, exit codes, outputs.
//!
//! What is not installed is remarked on; with `EDGEPROOF_REQUIRE=1` (as in CI) it is an error.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn edgeproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .args(arguments)
        .output()
        .expect("edgeproof runs")
}

/// The report of a run in JSON, and its exit code.
struct Played {
    report: serde_json::Value,
    code: i32,
    errors: String,
}

fn play(arguments: &[&str]) -> Played {
    let mut all = vec!["run"];
    all.extend(arguments);
    all.extend(["--format", "json"]);
    let output = edgeproof(&all);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("no JSON ({error}); standard error:\n{errors}"));
    Played { report, code: output.status.code().expect("an exit code"), errors }
}

impl Played {
    fn cases(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.report["cases"].as_array().expect("cases").iter().map(|case| {
            let text = |key: &str| case[key].as_str().expect("text");
            (text("id"), text("family"), text("verdict"))
        })
    }

    fn with_verdict(&self, verdict: &str) -> Vec<&str> {
        self.cases().filter(|case| case.2 == verdict).map(|case| case.0).collect()
    }

    /// Nothing has one of these verdicts, or the test says what has it, and why.
    fn assert_none(&self, verdicts: &[&str]) {
        let cases = self.report["cases"].as_array().expect("cases");
        let found: Vec<_> = cases
            .iter()
            .filter(|case| verdicts.iter().any(|verdict| case["verdict"] == *verdict))
            .map(|case| format!("{} {}: {}", case["verdict"], case["id"], case["reason"]))
            .collect();
        assert!(found.is_empty(), "{}\n{}", found.join("\n"), self.errors);
    }

    fn by_family(&self, verdict: &str) -> BTreeMap<&str, usize> {
        let mut families = BTreeMap::new();
        for (_, family, found) in self.cases() {
            *families.entry(family).or_default() += usize::from(found == verdict);
        }
        families
    }
}

/// Plays these paths, or everything, on a target that is not always there; `None`, with a remark, where it cannot
/// be had here.
fn play_foreign(target: &str, paths: &[&str]) -> Option<Played> {
    let played = play(&[paths, &["--target", target]].concat());
    if played.with_verdict("pass").is_empty() && played.code == 4 {
        assert!(
            std::env::var_os("EDGEPROOF_REQUIRE").is_none(),
            "{target} is not available:\n{}",
            played.errors
        );
        eprintln!("{target} is not available here: nothing was tried");
        return None;
    }
    Some(played)
}

#[test]
fn the_reference_passes_everything_that_it_declares() {
    let played = play(&[]);
    played.assert_none(&["fail", "error", "fixed"]);
    // What is known to fail are texts that its rules misjudge; the proxy itself has nothing to excuse.
    let known = played.with_verdict("known-fail");
    let payload = |id: &&str| id.starts_with("waf/attacks/") || id.starts_with("waf/innocent/");
    assert!(known.iter().all(payload), "{known:?}");
    assert_eq!(played.code, 0);
    let passed = played.by_family("pass");
    for (family, least) in [
        ("cache", 25),
        ("waf", 1000),
        ("logs", 12),
        ("upstreams", 40),
        ("sshd", 80),
        ("load", 1),
        ("front", 20),
    ] {
        assert!(passed[family] >= least, "{family}: {} pass, expected {least}", passed[family]);
    }
    // Its sshd also runs for people who are not root, and so has no accounts of its own and no firewall:
    // tests/sshd.rs plays these on the target `sshd-hardened`.
    let skipped = played.with_verdict("skip");
    let elsewhere = |id: &&str| {
        id.starts_with("sshd/sessions/")
            || id.starts_with("sshd/guard/")
            || ["sshd/limits/ban", "sshd/authentication/no-password-at-all"].contains(id)
            // It starts a WordPress: the target `reference-wordpress` has one.
            || *id == "load/wordpress"
    };
    assert!(skipped.iter().all(elsewhere), "{skipped:?}");
}

#[test]
fn results_are_the_same_for_every_number_of_jobs() {
    let [one, many] =
        ["1", "16"].map(|jobs| play(&["scenarios/cache", "scenarios/logs", "--jobs", jobs]));
    for played in [&one, &many] {
        played.assert_none(&["fail", "fixed", "error"]);
    }
    assert!(one.cases().eq(many.cases()));
}

/// A bare origin that claims to do everything: a suite that lets it pass proves nothing.
#[test]
fn a_bare_origin_fails_nine_in_ten() {
    let played = play(&["scenarios/cache", "scenarios/waf", "scenarios/logs", "--target", "bare"]);
    assert_eq!(played.code, 1, "{}", played.errors);
    let failed = played.by_family("fail");
    let passed = played.by_family("pass");
    for family in ["cache", "waf", "logs"] {
        let (failed, passed) = (failed[family], passed[family]);
        assert!(
            failed * 10 >= (failed + passed) * 9,
            "{family}: {failed} fail and {passed} pass on a bare origin: {:?}",
            played.with_verdict("pass")
        );
    }
    played.assert_none(&["skip"]);
}

#[test]
fn nginx_fails_as_its_list_says() {
    let Some(played) = play_foreign("nginx", &[]) else { return };
    played.assert_none(&["fail", "fixed", "error"]);
    assert_eq!(played.code, 0);
    assert!(!played.with_verdict("known-fail").is_empty());
}

#[test]
fn modsecurity_judges_the_payloads() {
    let Some(played) = play_foreign("nginx-modsecurity", &[]) else { return };
    played.assert_none(&["fail", "fixed"]);
    assert_eq!(played.code, 0);
    assert!(played.by_family("pass")["waf"] >= 120);
}

#[test]
fn a_wordpress_is_served_and_cached() {
    let paths = ["scenarios/load/wordpress.yaml"];
    let Some(played) = play_foreign("reference-wordpress", &paths) else { return };
    played.assert_none(&["fail", "error"]);
    assert_eq!((played.code, played.with_verdict("pass")), (0, vec!["load/wordpress"]));
}

#[test]
fn nginx_in_a_container_does_what_nginx_does() {
    let Some(played) = play_foreign("nginx-container", &[]) else { return };
    played.assert_none(&["fail"]);
    assert_eq!(played.code, 0);
}

#[test]
fn nothing_there_is_an_exit_code_of_its_own() {
    let output = edgeproof(&["run", "scenarios/nothing-here"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("scenarios/nothing-here"));
}

#[test]
fn a_target_that_cannot_start_is_an_exit_code_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("target.yaml"),
        "title: dies at once\n\
         services:\n  http:\n    process: { command: [/bin/sh, -c, 'echo no configuration >&2; exit 3'] }\n    \
         address: 127.0.0.1:{{ port.http }}\n    ready: { connect: true, within: 5s }\n\
         declares: [http]\nclock: none\n",
    )
    .expect("target.yaml");
    let folder = folder.path().to_str().expect("text");
    let output = edgeproof(&["run", "scenarios/front", "--target", folder]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(shown.contains("no configuration"), "{shown}");
}

#[test]
fn a_required_target_that_is_missing_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("target.yaml"),
        "title: not installed\navailable: { commands: [no-such-proxy-anywhere], hint: install it }\n\
         services:\n  http:\n    process: { command: [no-such-proxy-anywhere] }\n    \
         address: 127.0.0.1:{{ port.http }}\ndeclares: [http]\nclock: none\n",
    )
    .expect("target.yaml");
    let folder = folder.path().to_str().expect("text");
    let listed = edgeproof(&["run", "scenarios/front", "--target", folder]);
    assert_eq!(listed.status.code(), Some(4));
    let required = edgeproof(&["run", "scenarios/front", "--require", folder]);
    assert_eq!(required.status.code(), Some(3));
}

/// A former report is replaced only by a whole one, and a run whose reports all go to files says in a
/// line what it came to.
#[test]
fn reports_in_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("out/junit.xml");
    let format = format!("junit={}", junit.display());
    let output = edgeproof(&["run", "scenarios/cache/freshness/max-age.yaml", "--format", &format]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("all good (exit 0): 1 pass"), "{said}");
    assert!(std::fs::read_to_string(&junit).expect("the report").contains("<testsuites"));
    let others = std::fs::read_dir(junit.parent().expect("a folder")).expect("a folder").count();
    assert_eq!(others, 1, "nothing partial is left");
}

#[test]
fn a_known_failure_of_no_case_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("target.yaml"),
        "title: not installed\navailable: { commands: [no-such-proxy-anywhere] }\n\
         services:\n  http:\n    process: { command: [no-such-proxy-anywhere] }\n    \
         address: 127.0.0.1:{{ port.http }}\ndeclares: [http]\nclock: none\n\
         known_failures:\n  - { case: cache/freshness/max-agee, reason: misspelt }\n",
    )
    .expect("target.yaml");
    let output = edgeproof(&["run", "--target", folder.path().to_str().expect("text")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("did you mean `cache/freshness/max-age`?"), "{said}");
}

#[test]
fn a_remote_target_needs_a_word() {
    let output = edgeproof(&["run", "scenarios/front", "--target", "http://192.0.2.1:80"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--allow-remote"));
}

/// Deliberate bugs live in `edgeproof-mutant` only.
#[test]
fn the_binary_that_people_get_has_no_mutants() {
    if cfg!(feature = "mutants") {
        return;
    }
    let binary = std::fs::read(env!("CARGO_BIN_EXE_edgeproof")).expect("the binary");
    let name = b"EDGEPROOF_MUTANT";
    assert!(!binary.windows(name.len()).any(|window| window == name));
}
