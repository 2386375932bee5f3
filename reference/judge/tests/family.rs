//! The judge of `ci/cache-mutants`: the scenarios of the cache, played by the harness that EDGEPROOF names
//! against the reference as it is built here, its cache in memory or in a Redis. Ends with the first case that
//! does not hold.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// Where the judged proxy keeps its responses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Store {
    Memory,
    /// A Redis of its own, beside it in the same process group.
    Redis,
}

impl Store {
    /// As EDGEPROOF_JUDGED_STORE says.
    fn wanted() -> Self {
        match std::env::var("EDGEPROOF_JUDGED_STORE").as_deref() {
            Err(_) | Ok("memory") => Self::Memory,
            Ok("redis") => Self::Redis,
            Ok(other) => panic!("EDGEPROOF_JUDGED_STORE is memory or redis, not {other}"),
        }
    }

    /// How the program is started, what else the configuration's template is told, and what cannot be
    /// expressed or is known of the store, as in `ci/targets/reference-redis`.
    fn parts(self, program: &str) -> (String, &'static str, &'static str, &'static str) {
        let alone = format!("[{program}, \"{{{{ dir }}}}/proxy.yaml\"]");
        let beside = format!(
            r#"[sh, -c, 'redis-server --port 0 --unixsocket "$1/redis.sock" --dir "$1" --save "" --appendonly no --loglevel warning & exec "$0" "$1/proxy.yaml"', {program}, "{{{{ dir }}}}"]"#
        );
        match self {
            Self::Memory => (alone, "{ redis: false }", "cache.size, ", "[]"),
            Self::Redis => (
                beside,
                "{ redis: true }",
                "",
                "[{ case: cache/storing/head-and-post/post-for-get, reason: it is not stored there }]",
            ),
        }
    }
}

/// The reference's target, with this build's program in the place of the harness's own.
fn target(dir: &Path) -> PathBuf {
    let folder = dir.join("judged");
    std::fs::create_dir(&folder).expect("a folder for the target");
    let original = root().join("ci/targets/reference");
    let template = std::fs::read(original.join("proxy.yaml.j2")).expect("the proxy's template");
    std::fs::write(folder.join("proxy.yaml.j2"), template).expect("the template's copy");
    let program = serde_json::to_string(env!("CARGO_BIN_EXE_edgeproof-reference")).expect("a path");
    let (command, vars, size, known) = Store::wanted().parts(&program);
    let yaml = format!(
        "title: The reference as it is built here
version: {{ command: [\"{{{{ self }}}}\", --version], matches: '(\\d\\S*)' }}
vars: {vars}
files: {{ proxy.yaml: proxy.yaml.j2 }}
services:
  http:
    process: {{ command: {command} }}
    address: 127.0.0.1:{{{{ port.http }}}}
    tls: 127.0.0.1:{{{{ port.https }}}}
    stop: {{ signal: TERM, within: 5s }}
  control: {{ unix: \"{{{{ dir }}}}/control.sock\" }}
logs: {{ access: \"{{{{ dir }}}}/log/{{{{ site.host }}}}.access.log\" }}
declares: [http, forwarded, interim, trailers, via, tls, cache, cache-status, cdn-cache-control, purge, purge-match, access-log]
expresses: [cache, cache.policy: [rfc9111, hosting], cache.ttl, {size}cache.purge_from, clock]
clock: control
known_failures: {known}
"
    );
    std::fs::write(folder.join("target.yaml"), yaml).expect("target.yaml");
    folder
}

/// A harness that is told to end when this test does.
struct Harness(Child);

impl Drop for Harness {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.0.id().cast_signed());
        // One that has ended already is all right.
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

#[test]
fn the_scenarios_hold() {
    let harness = std::env::var_os("EDGEPROOF").expect("EDGEPROOF names a built edgeproof");
    let dir = tempfile::tempdir().expect("a folder");
    let child = Command::new(harness)
        .current_dir(root())
        .args(["run", "scenarios/cache", "--discard", "--format", "events", "--target"])
        .arg(target(dir.path()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the harness starts");
    let mut harness = Harness(child);
    let events = BufReader::new(harness.0.stdout.take().expect("a pipe"));
    let mut passed = 0;
    for line in events.lines() {
        let event: Value = serde_json::from_str(&line.expect("a line")).expect("an event");
        if event["event"] != "case-finished" {
            continue;
        }
        let case = &event["id"];
        match event["verdict"].as_str() {
            Some("pass") => passed += 1,
            Some("known-fail") => {}
            Some("skip") => {}
            verdict => panic!("{case}: {verdict:?}"),
        }
    }
    assert!(passed > 1000, "only {passed} cases were played");
}
