//! The judge of `ci/cache-mutants`: the scenarios of the cache, played by the harness that EDGEPROOF names
//! against the reference as it is built here, its cache in memory or in a Redis. Ends with the first case that
//! does not hold.
//!
//! What condemned one mutant of a file often condemns the next. EDGEPROOF_JUDGED_BY may name a file of such
//! cases, one id a line: they are played first, and all the others if they hold.
//!
//! The program is the reference as well, `family FILE` with the proxy's configuration, so that a mutant costs
//! one link and not two.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use edgeproof_diagnostics::Colour;
use edgeproof_proxy::Settings;

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
    let program =
        serde_json::to_string(&std::env::current_exe().expect("this program")).expect("a path");
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

/// Plays the cases that fit a filter. The first that does not hold, or how many passed.
fn play(target: &Path, filter: &[String]) -> Result<usize, String> {
    let harness = std::env::var_os("EDGEPROOF").expect("EDGEPROOF names a built edgeproof");
    let child = Command::new(harness)
        .current_dir(root())
        .args(["run", "scenarios/cache", "--discard", "--format", "events", "--target"])
        .arg(target)
        .args(filter)
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
        match event["verdict"].as_str() {
            Some("pass") => passed += 1,
            Some("known-fail" | "skip") => {}
            _ => return Err(event["id"].as_str().expect("an id").to_owned()),
        }
    }
    Ok(passed)
}

/// The cases that condemned mutants before, the last one first.
struct Condemning(Option<PathBuf>);

impl Condemning {
    /// So many are tried before all are played.
    const MOST: usize = 24;

    fn read(&self) -> Vec<String> {
        let text = self.0.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
        text.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
    }

    fn note(&self, case: &str) {
        let Some(file) = &self.0 else { return };
        let mut cases = self.read();
        cases.retain(|known| known != case);
        cases.insert(0, case.to_owned());
        cases.truncate(Self::MOST);
        std::fs::write(file, cases.join("\n"))
            .expect("what EDGEPROOF_JUDGED_BY names can be written");
    }
}

/// The case that condemns the reference as it is built here.
fn condemned() -> Option<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let target = target(dir.path());
    let before = Condemning(std::env::var_os("EDGEPROOF_JUDGED_BY").map(PathBuf::from));
    let known = before.read();
    let filter =
        if known.is_empty() { Vec::new() } else { vec!["-k".to_owned(), known.join(" or ")] };
    let first = if known.is_empty() { Ok(0) } else { play(&target, &filter) };
    match first.and_then(|_| play(&target, &[])) {
        Err(case) => {
            before.note(&case);
            Some(case)
        }
        Ok(passed) => (passed < 1000).then(|| format!("only {passed} cases were played")),
    }
}

fn reference(file: &str) -> ExitCode {
    let settings = match Settings::from_file(Path::new(file)) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("{}", mistakes.render(Colour::Never));
            return ExitCode::from(2);
        }
    };
    match edgeproof_proxy::run(&settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

fn main() -> ExitCode {
    if let Some(file) = std::env::args().nth(1).filter(|word| word.ends_with(".yaml")) {
        return reference(&file);
    }
    match condemned() {
        Some(case) => {
            eprintln!("condemned by {case}");
            ExitCode::from(101)
        }
        None => ExitCode::SUCCESS,
    }
}
