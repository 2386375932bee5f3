//! `edgeproof logs parse`, as people call it. The expected words stand in `golden/`.

mod golden;

use std::io::Write;
use std::process::{Command, Stdio};

use golden::golden;

const GOOD: &str =
    "127.0.0.1 - - [22/Nov/2026:09:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"a\\x22b\"\n";
const APACHE: &str =
    "::1 - ann [22/Nov/2026:09:00:01 +0000] \"GET /b HTTP/1.1\" 404 - \"-\" \"say \\\"hi\\\"\"\n";
const TORN: &str = "half a \u{1b}[31mline\n";

/// Exit code, standard output and standard error as one text.
fn words(arguments: &[&str], input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .args(["logs", "parse"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("edgeproof runs");
    // Who has a mistake in its arguments reads nothing.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("an end");
    golden::words(&format!("logs parse {}", arguments.join(" ")), &output)
}

#[test]
fn lines_become_objects_and_what_does_not_fit_is_told() {
    let log = [GOOD, TORN, APACHE].concat();
    golden(
        "logs-parse",
        &[
            words(&["--format", "combined", "-"], &[GOOD, APACHE].concat()),
            words(&["--format", "combined", "-"], &log),
            words(&["--format", "combined", "--strict", "-"], &log),
            words(&["--format", "{status} {statsu}", "-"], ""),
            words(&["--format", "combined", "no/such.log"], ""),
            words(&["--help"], ""),
        ]
        .join("\n"),
    );
}

#[test]
fn a_file_and_a_format_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("access.log");
    std::fs::write(&file, "[16/Jul/2018:12:04:07 +0200] protocol: \"https\" \"GET /wp/ HTTP/1.1\" duration: 0.134 seconds\n")
        .expect("a file");
    let format = "[{completion_date:{%d/%b/%Y:%H:%M:%S %z}}] protocol: {protocol} {request} duration: {duration} seconds";
    let file = file.to_str().expect("text");
    let told = words(&["--dialect", "2018", "--format", format, file], "");
    let object = "{\"completion_date\":\"16/Jul/2018:12:04:07 +0200\",\"protocol\":\"https\",\
                  \"request\":\"GET /wp/ HTTP/1.1\",\"duration\":0.134}\nexit code 0\n";
    assert!(told.ends_with(object), "{told}");
}
