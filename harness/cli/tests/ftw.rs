//! Tests in the ftw format, as a user runs and imports them: against a small WAF that lives in this process and
//! logs as the reference does.

mod run;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use run::{edgeproof, text};

const GOOD: &str = "harness/cli/tests/ftw/good";

/// A WAF that knows two rules and blocks nothing. It listens until the test's process ends.
struct Waf {
    address: SocketAddr,
    log: PathBuf,
    folder: tempfile::TempDir,
}

impl Waf {
    /// One that blinks overlooks what its first rule looks for.
    fn start(blinks: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let folder = tempfile::tempdir().expect("a folder");
        let (address, log) =
            (listener.local_addr().expect("an address"), folder.path().join("waf.log"));
        let written = log.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = written.clone();
                std::thread::spawn(move || serve(client, &log, blinks));
            }
        });
        Self { address, log, folder }
    }

    /// The verdicts by case, the exit code, and all that was said.
    fn play(&self, path: &str) -> (BTreeMap<String, String>, i32, String) {
        let (url, log) = (format!("http://{}", self.address), self.log.display().to_string());
        let report = self.folder.path().join("report.json");
        let format = format!("json={}", report.display());
        let output = edgeproof(&[
            "run",
            path,
            "--target",
            &url,
            "--waf-log",
            &log,
            "--format",
            "human",
            "--format",
            &format,
        ]);
        let told = text(&output.stdout) + &text(&output.stderr);
        let report: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&report).expect(&told)).expect("JSON");
        let cases = report["cases"].as_array().expect("cases").iter().map(|case| {
            let word = |key: &str| case[key].as_str().expect("a text").to_owned();
            (word("id"), word("verdict"))
        });
        (cases.collect(), output.status.code().expect("an exit code"), told)
    }
}

/// One request; whatever goes wrong closes the connection.
fn serve(mut client: TcpStream, log: &Path, blinks: bool) -> Option<()> {
    let address = client.peer_addr().ok()?.ip();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        client.read_exact(&mut octet).ok()?;
        head.push(octet[0]);
    }
    let head = text(&head);
    let field = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let line = head.lines().next()?;
    if !line.ends_with(" HTTP/1.1") {
        return client.write_all(b"as in the old days\n").ok();
    }
    let mut content = vec![0; field("Content-Length:").and_then(|it| it.parse().ok()).unwrap_or(0)];
    client.read_exact(&mut content).ok()?;
    let mut lines = String::new();
    let mut matched = |rule: u32, what: &str, value: &str| {
        let at = "[16/Jul/2018:12:04:07 +0200] [waf] -";
        lines += &format!("{at} {address} \"{line}\" - {rule} | {what} with value: {value}\n");
    };
    if let Some(mark) = field("X-CRS-Test:") {
        matched(999_999, "X-CRS-Test", &mark);
    } else {
        let values = format!("{line}\n{}", text(&content));
        let word = values.split(['=', ' ', '\n']).find(|value| value.contains("attack"));
        if let Some(word) = word.filter(|_| !blinks) {
            matched(100_100, "forbidden word", word);
        }
        let host = field("Host:").unwrap_or_default();
        if host.parse::<std::net::IpAddr>().is_ok() {
            matched(100_200, "an address for a host", &host);
        }
    }
    let mut file = OpenOptions::new().create(true).append(true).open(log).ok()?;
    file.write_all(lines.as_bytes()).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok()
}

#[test]
fn a_folder_of_tests_is_played_as_it_is() {
    let (verdicts, code, told) = Waf::start(false).play(&format!("ftw:{GOOD}"));
    let ids: Vec<&str> = verdicts.keys().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "ftw/100100/1",
            "ftw/100100/2",
            "ftw/100100/3",
            "ftw/100100/4",
            "ftw/100100/5",
            "ftw/100200/1"
        ]
    );
    assert!(verdicts.values().all(|verdict| verdict == "pass"), "{told}");
    assert_eq!(code, 0, "{told}");
}

#[test]
fn a_waf_that_overlooks_an_attack_fails_at_the_line_that_asks_for_it() {
    let waf = Waf::start(true);
    let (verdicts, code, told) = waf.play(&format!("ftw:{GOOD}/100100.yaml"));
    let failed: Vec<&str> = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict == "fail")
        .map(|(id, _)| id.rsplit('/').next().expect("a name"))
        .collect();
    assert_eq!((failed, code), (vec!["1", "3", "4"], 1), "{told}");
    for part in [
        "the rules in the WAF log: expected 100100, found none",
        "harness/cli/tests/ftw/good/100100.yaml:16:",
        "expect_ids: [100100]",
        &format!(
            "edgeproof run ftw:{GOOD}/100100.yaml -k 'case:\"ftw/100100/1\"' --target http://{} --waf-log {}",
            waf.address,
            waf.log.display()
        ),
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
}

/// The reference cannot say yet which rules a site needs; that is no pass.
#[test]
fn a_target_without_a_waf_skips_them_and_says_so() {
    let output =
        edgeproof(&["run", &format!("ftw:{GOOD}"), "--target", "nginx", "--format", "json"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
}

#[test]
fn overrides_change_what_is_expected_of_one_platform() {
    let waf = Waf::start(true);
    let overrides = waf.folder.path().join("overrides.yaml");
    let words = "testoverride:\n  ignore:\n    '^100100-[134]$': it blinks\n";
    std::fs::write(&overrides, words).expect("a file");
    let output = edgeproof(&[
        "run",
        &format!("ftw:{GOOD}"),
        "--ftw-overrides",
        overrides.to_str().expect("UTF-8"),
        "--target",
        &format!("http://{}", waf.address),
        "--waf-log",
        waf.log.to_str().expect("UTF-8"),
    ]);
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("it blinks"), "{told}");
}

/// What is imported is a scenario like any other: without a mistake, and with the same verdicts. What cannot be
/// said in one is told.
#[test]
fn an_imported_test_is_a_scenario() {
    let waf = Waf::start(false);
    let imported = waf.folder.path().join("words.yaml");
    let output = edgeproof(&["import", "ftw", &format!("{GOOD}/100100.yaml")]);
    assert_eq!(output.status.code(), Some(0));
    let left_out = "note: left out of ftw/100100/4: that each stage is judged by the log lines";
    assert!(text(&output.stderr).starts_with(left_out), "{}", text(&output.stderr));
    std::fs::write(&imported, &output.stdout).expect("a file");
    let path = imported.to_str().expect("UTF-8");
    let checked = edgeproof(&["check", path]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert_eq!((text(&checked.stdout), text(&checked.stderr)), (told_of(5), String::new()));
    let (verdicts, _, told) = waf.play(path);
    let failed: Vec<&str> = verdicts
        .iter()
        .filter(|(_, verdict)| *verdict != "pass")
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!((verdicts.len(), failed), (5, vec!["words/4"]), "{told}");
}

/// What `check` says of so many cases without a mistake.
fn told_of(cases: usize) -> String {
    format!("{cases} cases, no mistakes\n")
}

#[test]
fn each_file_of_tests_becomes_a_file_of_its_own_and_none_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("scenarios").display().to_string();
    let import = || edgeproof(&["import", "ftw", GOOD, "--into", &into]);
    assert_eq!(import().status.code(), Some(0));
    let checked = edgeproof(&["check", &into]);
    assert_eq!(text(&checked.stdout), told_of(6), "{}", text(&checked.stderr));
    let again = import();
    assert_ne!(again.status.code(), Some(0));
    assert!(text(&again.stderr).contains("100100.yaml"), "{}", text(&again.stderr));
}

#[test]
fn one_test_can_be_chosen() {
    let output = edgeproof(&["import", "ftw", GOOD, "-k", "100100/2"]);
    let scenario = text(&output.stdout);
    assert!(scenario.contains("does not look for") && !scenario.contains("a form"), "{scenario}");
    let none = edgeproof(&["import", "ftw", GOOD, "-k", "no-such-test"]);
    assert_eq!(none.status.code(), Some(4));
}
