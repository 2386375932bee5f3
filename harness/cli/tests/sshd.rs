//! The family `sshd` against the SSH servers, as a user runs it: the hardened one fails nothing, the weak one
//! everything that can be failed, the others exactly what their lists say.
//!
//! What is not installed, or needs root, is remarked on; with `EDGEPROOF_REQUIRE=1` (as in CI) it is an error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The report of a run in JSON.
struct Played {
    report: serde_json::Value,
    code: Option<i32>,
    errors: String,
}

impl Played {
    fn of(output: &Output) -> Self {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no JSON ({error}); standard error:\n{errors}"));
        Self { report, code: output.status.code(), errors }
    }

    fn with_verdict(&self, verdict: &str) -> Vec<&str> {
        let cases = self.report["cases"].as_array().expect("cases").iter();
        let of = cases.filter(|case| case["verdict"] == verdict);
        of.map(|case| case["id"].as_str().expect("text")).collect()
    }

    fn reason(&self, case: &str) -> &str {
        let cases = self.report["cases"].as_array().expect("cases");
        let found = cases.iter().find(|it| it["id"] == case).expect("the case");
        found["reason"].as_str().unwrap_or_default()
    }
}

fn edgeproof(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof"));
    command.current_dir(root()).arg("run").args(arguments);
    command.args(["--discard", "--format", "json"]);
    command
}

fn play(arguments: &[&str]) -> Played {
    Played::of(&edgeproof(arguments).output().expect("edgeproof runs"))
}

/// Plays the family on a target; `None`, with a remark, where it cannot be had here.
fn family_on(target: &str) -> Option<Played> {
    let played = play(&["scenarios/sshd", "--target", target]);
    had(target, played)
}

fn had(target: &str, played: Played) -> Option<Played> {
    if played.code != Some(4) {
        return Some(played);
    }
    let why = &played.errors;
    assert!(std::env::var_os("EDGEPROOF_REQUIRE").is_none(), "{target} is not available:\n{why}");
    eprintln!("{target} is not available here: nothing was tried");
    None
}

/// A copy of a target, to be changed, with what its templates lie beside.
fn copy_of(target: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |from: &str| {
        let to = folder.path().join(from);
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(root().join(from), to).expect("a copy");
    };
    copy("ci/targets/ssh-accounts.sh.j2");
    copy("reference/sshd/sshd_config.j2");
    let target = format!("ci/targets/{target}");
    for file in fs::read_dir(root().join(&target)).expect("a folder").flatten() {
        copy(&format!("{target}/{}", file.file_name().to_string_lossy()));
    }
    let copied = folder.path().join(target);
    (folder, copied)
}

/// What only a target with a firewall of its own has.
const GUARD: [&str; 3] = ["sshd/guard/by-source", "sshd/guard/knock", "sshd/limits/ban"];

#[test]
fn the_hardened_sshd_fails_nothing() {
    let Some(played) = family_on("sshd-hardened") else { return };
    for verdict in ["fail", "error", "known-fail", "fixed"] {
        assert_eq!(played.with_verdict(verdict), Vec::<&str>::new(), "{}", played.errors);
    }
    assert_eq!(played.with_verdict("skip"), GUARD);
    assert!(played.with_verdict("pass").len() >= 90);
}

/// Every check of sshd that can fail does so on a server that does everything wrong.
#[test]
fn the_weak_sshd_fails_every_check_that_can_fail() {
    let Some(weak) = family_on("sshd-weak") else { return };
    assert_eq!(weak.with_verdict("error"), Vec::<&str>::new(), "{}", weak.errors);
    // Some no sshd of today can get wrong, and two none on loopback may: tests/scripted_ssh.rs shows the first of these,
    // `directives_of_other_versions_are_seen` below the second. That the test's own key lets in is what
    // the others rest on.
    assert_eq!(weak.with_verdict("pass"), WEAK_PASSES, "{}", weak.errors);
}

const WEAK_PASSES: [&str; 12] = [
    "sshd/config-without#protocol",
    "sshd/config-without#challenge-response",
    "sshd/config-without#privilege-separation",
    "sshd/config-without#penalties",
    "sshd/config-without#listen-address",
    "sshd/config-without#port",
    "sshd/handshake/protocol",
    "sshd/handshake/terrapin",
    "sshd/handshake/strict-kex",
    "sshd/handshake/software",
    "sshd/handshake/compression",
    "sshd/sessions/own-key",
];

/// The lists of known failures are snapshots: nothing else fails, and nothing in them passes.
#[test]
fn the_others_fail_exactly_as_their_lists_say() {
    for target in ["sshd-default", "sshd-documents", "dropbear", "sshd-trixie"] {
        let played = play(&["scenarios/sshd", "--target", target]);
        if target == "sshd-trixie" && played.code == Some(4) {
            eprintln!(
                "sshd-trixie needs the folder of a Debian 13 in EDGEPROOF_TRIXIE: nothing was tried"
            );
            continue;
        }
        let Some(played) = had(target, played) else { continue };
        for verdict in ["fail", "error", "fixed"] {
            let found = played.with_verdict(verdict);
            assert_eq!(found, Vec::<&str>::new(), "{target}, {verdict}:\n{}", played.errors);
        }
        assert_eq!(played.code, Some(0), "{target}");
    }
}

/// `public key`, in two words, as the documents have it: sshd does not even start.
#[test]
fn the_documents_own_words_are_refused() {
    let (_folder, target) = copy_of("sshd-documents");
    let spec = target.join("target.yaml");
    let mended = fs::read_to_string(&spec).expect("target.yaml");
    let (mended, _known_failures) = mended.split_once("known_failures:").expect("a list");
    let own =
        mended.replace("authentication_methods: publickey", "authentication_methods: public key");
    assert_ne!(own, mended);
    fs::write(&spec, own).expect("target.yaml");
    let target = target.to_str().expect("text");
    let Some(played) = had("the snippet", play(&["scenarios/sshd", "--target", target])) else {
        return;
    };
    assert_eq!(played.code, Some(3), "{}", played.errors);
    // What the target has written stands in the report for people.
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .args(["run", "scenarios/sshd", "--discard", "--target", target])
        .output()
        .expect("edgeproof runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("Unknown authentication method \"public\""), "{told}");
}

/// What no sshd here prints, or none on loopback may: an sshd of another version says so, in the notation of 10.4.
#[test]
fn directives_of_other_versions_are_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = "Protocol 2,1\nChallengeResponseAuthentication yes\nUsePrivilegeSeparation no\n\
                PerSourcePenalties no\nListenAddress 0.0.0.0:22\nPort 22\n";
    let program = folder.path().join("sshd");
    fs::write(&program, format!("#!/bin/sh\ncat <<END\n{said}END\n")).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let spec = format!(
        "title: an sshd of another version\nservices:\n  ssh:\n    url: ssh://{address}\n    \
         sshd: {{ binary: {}, config: none }}\ndeclares: [ssh, sshd-config]\nclock: none\n",
        program.display()
    );
    fs::write(folder.path().join("target.yaml"), spec).expect("target.yaml");
    let target = folder.path().to_str().expect("text");
    let played = play(&["scenarios/sshd/config-without.yaml", "--target", target]);
    let failed = played.with_verdict("fail");
    for case in &WEAK_PASSES[..6] {
        assert!(failed.contains(case), "{case}: {failed:?}\n{}", played.errors);
    }
}

/// A server that runs already is asked what does it no harm.
#[test]
fn of_a_server_that_runs_only_the_outside_is_asked() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ssh://{}", listener.local_addr().expect("an address"));
    // It never answers: what is played is an error, and what is not has its reason.
    drop(listener);
    let played = play(&["scenarios/sshd", "-k", "not id:sshd/handshake", "--target", &url]);
    let needs =
        |case: &str| played.reason(case).split(", which").next().unwrap_or_default().to_owned();
    assert_eq!(needs("sshd/config#root"), "needs sshd-config");
    assert_eq!(needs("sshd/limits/startups"), "needs ssh-limits");
    assert_eq!(needs("sshd/limits/ban"), "needs ssh-bans, ssh-limits");
    assert_eq!(needs("sshd/sessions/chroot"), "needs ssh-accounts");
    assert_eq!(needs("sshd/guard/knock"), "needs ssh-guard");
    let remote = play_failing(&["scenarios/sshd", "--target", "ssh://192.0.2.1:22"]);
    assert!(remote.contains("--allow-remote"), "{remote}");
}

fn play_failing(arguments: &[&str]) -> String {
    let output = edgeproof(arguments).output().expect("edgeproof runs");
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The firewall by source, the ban and the knock, in a network of the test's own; and that each check can fail: the
/// same server without its guards.
#[test]
fn guards_are_seen_in_fact() {
    let guards = ["scenarios/sshd", "-k", "id:sshd/guard/ or id:sshd/limits/ban"];
    let in_own_network = |target: &str| {
        let run = edgeproof(&[&guards[..], &["--target", target]].concat());
        let mut command = Command::new(root().join("ci/in-own-network"));
        command.current_dir(root()).arg(run.get_program()).args(run.get_args());
        command.output().expect("ci/in-own-network runs")
    };
    let output = in_own_network("sshd-guarded");
    if output.stdout.is_empty() && std::env::var_os("EDGEPROOF_REQUIRE").is_none() {
        eprintln!("no network of its own can be had here: nothing was tried");
        return;
    }
    let Some(played) = had("sshd-guarded", Played::of(&output)) else { return };
    assert_eq!(played.with_verdict("pass"), GUARD, "{}", played.errors);

    let (_folder, open) = copy_of("sshd-guarded");
    let script = open.join("start.sh.j2");
    let start = fs::read_to_string(&script).expect("a script");
    let unguarded: String = start
        .lines()
        .filter(|line| !line.starts_with("nft "))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_ne!(start, unguarded);
    fs::write(&script, unguarded).expect("a script");
    let played = Played::of(&in_own_network(open.to_str().expect("text")));
    assert_eq!(played.with_verdict("fail"), GUARD, "{}", played.errors);
}
