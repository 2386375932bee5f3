//! Each deliberate bug shows in a line, and nothing shows without one.
//!
//! A bug is chosen when the process starts, so this test starts itself once for each.
#![cfg(feature = "mutants")]

use std::{process::Command, time::Duration};

use edgeproof_accesslog::{Dialect, Format, Record};

/// Not a test of its own: prints the line that the process's mutant writes.
#[test]
fn line_of_this_process() {
    let noon: jiff::Zoned = "2018-07-16T12:04:07+02:00[Europe/Paris]".parse().unwrap();
    let fields: &[(&str, &[u8])] = &[("User-Agent", b"\"\\\n\xff{status}"), ("Referer", b"-")];
    let record = Record {
        request_fields: &fields,
        duration: Some(Duration::from_micros(134_567)),
        ..Record::at(&noon)
    };
    let format = Format::compile(
        "{completion_date:{%H}} {user_agent} {referer} {status} {duration}",
        Dialect::Of2018,
    )
    .unwrap();
    let mut line = Vec::new();
    format.write(&record, &mut line);
    println!("LINE {}", line.strip_suffix(b"\n").unwrap().escape_ascii());
}

fn line(mutant: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "line_of_this_process", "--nocapture"]);
    match mutant {
        "none" => command.env_remove("EDGEPROOF_MUTANT"),
        mutant => command.env("EDGEPROOF_MUTANT", mutant),
    };
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, line) = text.split_once("LINE ").unwrap();
    format!("{mutant}: {}", line.lines().next().unwrap())
}

#[test]
fn every_mutant_shows() {
    let mutants = [
        "none",
        "logs-raw-quotes",
        "logs-raw-controls",
        "logs-raw-backslash",
        "logs-raw-high-bytes",
        "missing-is-empty",
        "dash-not-escaped",
        "duration-six-decimals-in-2018",
        "utc-always",
        "expands-placeholders-again",
    ];
    insta::assert_snapshot!(mutants.map(line).join("\n"));
}
