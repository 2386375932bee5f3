//! Differential mode, as a user runs it: the reference twice, once with a rule less. No rule set has to be
//! installed.

mod run;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use run::{edgeproof, text};

const TARGETS: &str = "harness/cli/tests/differ";

fn differ(first: &str, second: &str, more: &[&str]) -> Output {
    let words = ["differ", "--targets-dir", TARGETS, "--target", first, "--target", second];
    edgeproof(&[&words[..], more].concat())
}

fn object(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The files in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()).collect();
    files.sort();
    files
}

/// The negative control: what one of them lacks is found, is made small, and is kept as a test that one of
/// them passes and the other does not.
#[test]
fn a_rule_that_one_of_them_lacks_is_found_and_made_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let more = ["--requests", "300", "--out", out, "--examples", "1", "--format", "json"];
    let output = differ("whole", "lacking", &more);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let found = object(&output);
    let [cause] = &found["causes"].as_array().expect("causes")[..] else {
        panic!("one cause: {found}")
    };
    assert_eq!(cause["only"]["whole"], serde_json::json!([100_300]), "{found}");
    assert_eq!(cause["only"]["lacking"], serde_json::json!([]), "{found}");
    assert!(cause["requests"].as_u64() > Some(1), "it is counted: {found}");
    let request = cause["examples"][0]["request"].as_str().expect("a request");
    assert!(request.to_lowercase().contains("script"), "{request}");
    assert!(cause["examples"][0]["octets"].as_u64() < Some(200), "{request}");
    assert_eq!(found["requests"], 300);

    let [file] = &files(folder.path())[..] else { panic!("one file") };
    let play = |target: &str| {
        let path = format!("ftw:{}", file.display());
        edgeproof(&["run", &path, "--targets-dir", TARGETS, "--target", target, "--discard"])
    };
    // It expects what the second one does.
    let (whole, lacking) = (play("whole"), play("lacking"));
    assert_eq!(whole.status.code(), Some(1), "{}", text(&whole.stdout));
    assert_eq!(lacking.status.code(), Some(0), "{}", text(&lacking.stdout));
}

#[test]
fn what_is_listed_with_its_reason_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("known.yaml");
    let entry = "- { rules: 100300, only: whole, reason: the other one has no such rule }\n";
    std::fs::write(&list, entry).expect("a file");
    let list = list.to_str().expect("UTF-8");
    let output = differ("whole", "lacking", &["--requests", "300", "--known", list]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", text(&output.stderr));
    assert!(told.contains("× the other one has no such rule"), "{told}");
    assert!(told.contains("0 causes") && told.lines().all(|it| it.chars().count() <= 80), "{told}");
}

#[test]
fn two_that_are_the_same_do_not_differ() {
    let output = differ("whole", "twin", &["--requests", "200", "--seed", "5"]);
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("200 requests (seed 5)"), "{told}");
}

#[test]
fn what_is_wrong_with_the_command_line_is_said() {
    let said = |arguments: &[&str], code: i32, part: &str| {
        let output = edgeproof(&[&["differ", "--targets-dir", TARGETS], arguments].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(part), "no {part:?} in {told}");
    };
    let one = ["--target", "whole"];
    let both = ["--target", "whole", "--target", "twin"];
    let with = |more: &[&'static str]| [&both[..], more].concat();
    said(&both, 2, "--requests");
    said(
        &[&one[..], &["--requests", "1"]].concat(),
        2,
        "two targets are compared, and one is given",
    );
    said(&[&one[..], &one[..], &["--time", "1s"]].concat(), 2, "`whole` is compared with itself");
    said(&with(&["--requests", "1", "--target", "lacking"]), 2, "and 3 are given");
    said(&with(&["--requests", "1", "--format", "junit"]), 2, "differ writes human and json");
    said(&with(&["--requests", "1", "--corpus", "nowhere"]), 2, "there is nothing at nowhere");
    said(&with(&["--requests", "1", "--known", "nowhere"]), 2, "`nowhere` cannot be read");
    let url = ["--target", "http://127.0.0.1:1", "--target", "twin", "--requests", "1"];
    said(&url, 2, "both must be started with the same rules");
    let no_waf = ["--target", "ci/targets/nginx", "--target", "twin", "--requests", "1"];
    said(&no_waf, 2, "nginx cannot be compared: it does not declare `waf`");
}
