//! What a run makes of a target that is killed, and of being interrupted or killed itself: a verdict that
//! says so, no hang, nothing left behind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A run of many cases, one after another, so that there is a middle to be killed in.
fn long_run(folder: &Path) -> Child {
    // Whoever runs the tests under nohup(1) has SIGHUP ignored, and so would the run.
    Command::new("env")
        .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_edgeproof")])
        .current_dir(root())
        .args([
            "run",
            "scenarios/cache/freshness",
            "scenarios/front",
            "--jobs",
            "1",
            "--repeat",
            "20",
        ])
        .args(["--discard", "--format", "json", "--format"])
        .arg(format!("events={}", folder.join("events.jsonl").display()))
        .arg(format!("--format=junit={}", folder.join("junit.xml").display()))
        .env("TMPDIR", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("edgeproof runs")
}

/// Asks again and again until `found` has something, and leaves the processor to those it waits for in between.
fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "timed out: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every process whose environment has our own temporary folder: the run and all that it started.
fn processes_of(folder: &Path) -> Vec<(i32, String)> {
    let mark = format!("TMPDIR={}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").filter_map(Result::ok) {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let marked = environment.split(|byte| *byte == 0).any(|line| line == mark.as_bytes());
        if marked && !command.is_empty() {
            found.push((pid, String::from_utf8_lossy(&command).replace('\0', " ")));
        }
    }
    found
}

/// The process of the reference proxy itself, not its supervisor.
fn proxy_of(folder: &Path) -> Option<i32> {
    let own = processes_of(folder);
    own.iter()
        .find(|(_, c)| c.contains(" proxy --config") && !c.contains("supervise"))
        .map(|(pid, _)| *pid)
}

fn in_the_middle(folder: &Path) -> i32 {
    let events = folder.join("events.jsonl");
    until("cases are being played", || {
        let text = std::fs::read_to_string(&events).ok()?;
        (text.matches("case-finished").count() > 20).then_some(())
    });
    until("the proxy runs", || proxy_of(folder))
}

fn signal(name: &str, pid: i32) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill").success());
}

fn nothing_is_left(folder: &Path) {
    until("no process is left", || processes_of(folder).is_empty().then_some(()));
}

#[test]
fn a_target_killed_in_mid_run_is_an_error_and_no_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = long_run(folder.path());
    signal("KILL", in_the_middle(folder.path()));
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report["summary"]["errors"].as_u64().expect("a number") > 0);
    assert_eq!(report["summary"]["failed"].as_u64(), Some(0), "a dead target fails no requirement");
    nothing_is_left(folder.path());
}

/// Ctrl-C, what a CI service sends when it cancels a job, and what is left of a terminal that was closed.
#[test]
fn an_interrupted_run_says_so_and_leaves_nothing() {
    interrupted_by("INT");
    interrupted_by("TERM");
    interrupted_by("HUP");
}

fn interrupted_by(name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let run = long_run(folder.path());
    in_the_middle(folder.path());
    signal(name, i32::try_from(run.id()).expect("a pid"));
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("JSON all the same");
    assert!(report["summary"]["passed"].as_u64().expect("a number") > 0);
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).expect("JUnit, too");
    assert!(junit.contains("type=\"interrupted\""), "{junit}");
    assert!(!folder.path().join("junit.xml.partial").exists());
    nothing_is_left(folder.path());
}

/// The origin's address is another's: the run ends before it plays, and its files are not left half-written.
#[test]
fn a_run_that_breaks_leaves_no_partial_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .args(["run", "scenarios/cache/vary", "--target", &format!("http://{address}")])
        .args(["--origin-listen", &address])
        .arg(format!("--format=html={}", folder.path().join("report.html").display()))
        .output()
        .expect("edgeproof runs");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn an_output_that_cannot_be_written_takes_no_other_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole.json");
    let output = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .current_dir(root())
        .args(["run", "scenarios/cache/vary", "--format", "junit=/dev/full", "--format"])
        .arg(format!("json={}", whole.display()))
        .output()
        .expect("edgeproof runs");
    assert_eq!(output.status.code(), Some(7));
    let report = std::fs::read(&whole).expect("the other output");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("whole JSON");
    assert!(report["summary"]["passed"].as_u64().expect("a number") > 0);
}

#[test]
fn a_killed_run_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = long_run(folder.path());
    in_the_middle(folder.path());
    run.kill().expect("SIGKILL");
    run.wait().expect("it ends");
    nothing_is_left(folder.path());
}

/// A server that answers every request with `one`, the first `held` of them only when it is let.
fn holding_server(held: usize) -> (SocketAddr, Receiver<()>, Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (asked, asks) = channel();
    let (lets, letting) = channel::<()>();
    // A connection without a request, as a look whether somebody listens, does not count.
    let letting = Arc::new((AtomicUsize::new(held), Mutex::new(letting)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (asked, letting) = (asked.clone(), Arc::clone(&letting));
            std::thread::spawn(move || {
                let mut stream = stream.expect("a connection");
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).is_ok_and(|count| count == 0) {
                        return;
                    }
                    head.push(byte[0]);
                }
                let (left, letting) = &*letting;
                let one_less = |left: usize| left.checked_sub(1);
                if left.fetch_update(SeqCst, SeqCst, one_less).is_ok() && asked.send(()).is_ok() {
                    let _ = letting.lock().expect("the other is well").recv();
                }
                let answer =
                    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\none";
                let _ = stream.write_all(answer);
            });
        }
    });
    (address, asks, lets)
}

/// The harness is stopped in mid-case for longer than the case may take, as a virtual machine is by its host:
/// what failed meanwhile is played again, and fails again only if it is not the machine's fault.
#[test]
fn what_fails_while_the_machine_stands_still_is_played_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("slow.yaml");
    let case = |id: &str, body: &str| {
        format!(
            "  - id: {id}\n    name: Slow\n    steps: [{{ send: GET /, expect: {{ body: {body}, time: {{ below: 1s }} }} }}]\n"
        )
    };
    let text =
        ["spec: RFC 9110 §1\nlevel: must\ncases:\n", &case("right", "one"), &case("wrong", "two")];
    std::fs::write(&scenario, text.concat()).expect("a scenario");
    let events = folder.path().join("events.jsonl");
    let (address, asks, lets) = holding_server(2);
    let run = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .args(["run", &scenario.display().to_string(), "--target", &format!("http://{address}")])
        .args(["--format", "json", "--format", &format!("events={}", events.display())])
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("edgeproof runs");
    asks.recv().and_then(|()| asks.recv()).expect("both cases ask");
    let pid = i32::try_from(run.id()).expect("a pid");
    signal("STOP", pid);
    // Not to wait for anything: so long does the machine stand still.
    std::thread::sleep(Duration::from_millis(1500));
    signal("CONT", pid);
    for _ in 0..2 {
        lets.send(()).expect("the server is there");
    }
    let output = run.wait_with_output().expect("it ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let verdict = |at: usize| report["cases"][at]["verdict"].as_str().expect("a verdict");
    assert_eq!((verdict(0), verdict(1)), ("pass", "fail"), "{report:#}");
    // What the first play found is told, also where it did not come again.
    let again = |at: usize| report["cases"][at]["played_again"].as_array().expect("a list").clone();
    assert!(again(0).len() == 1 && again(1).len() == 1, "{report:#}");
    let first = &again(0)[0];
    assert_eq!(first["verdict"], "fail");
    let found = first["found"][0].as_str().expect("what it found");
    assert!(found.contains("slow.yaml:6:") && found.contains("the time: expected"), "{found}");
    let why = first["why"].as_str().expect("why it is not believed");
    assert!(why.starts_with("the machine stood still for "), "{why}");
}
