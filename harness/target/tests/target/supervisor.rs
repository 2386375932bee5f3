//! Nothing that was started outlives the harness, however the harness ends.
//!
//! The harness's stand-in is a shell that holds the supervisor's pipe as the harness does; the
//! supervised processes are shells too. Whether one lives is asked of /proc.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use edgeproof_target::Signal;

use crate::support::example;
use edgeproof_target::supervisor::{ExitStatus, Job, Order, ProcessJob, Report};

fn job(folder: &Path, script: &str) -> ProcessJob {
    ProcessJob {
        command: vec!["/bin/sh".into(), "-c".into(), script.into()],
        env: vec![("GREETING".into(), "hello".into())],
        directory: Some(folder.to_owned()),
        output: folder.join("output"),
        grace: Duration::from_millis(300),
        sweep: None,
    }
}

struct Supervisor {
    process: Child,
    orders: Option<ChildStdin>,
    reports: BufReader<ChildStdout>,
}

impl Supervisor {
    fn start(job: ProcessJob) -> Self {
        let mut process = Command::new(example("supervise"))
            .args(Job::Process(job).to_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take();
        let reports = BufReader::new(process.stdout.take().unwrap());
        Self { process, orders, reports }
    }

    fn report(&mut self) -> Report {
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        line.trim_end().parse().unwrap()
    }

    fn started(&mut self) -> i32 {
        match self.report() {
            Report::Started(pid) => pid,
            other => panic!("{other}"),
        }
    }

    fn order(&mut self, order: Order) {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
    }
}

/// A process that is neither gone nor a zombie.
fn lives(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

/// Waits for a condition; real processes tell nobody when they are done.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "not within 20 s: {what}");
        std::thread::yield_now();
    }
}

fn pid_in(file: &Path) -> i32 {
    let mut pid = None;
    eventually("a pid in the file", || {
        pid = fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
        pid.is_some()
    });
    pid.unwrap()
}

/// A service that forks twice, as daemons do, and writes the grandchild's pid to `daemon`.
const DAEMON: &str = "(setsid sh -c 'echo $$ > daemon.new; mv daemon.new daemon; \
                      trap \"\" HUP; while :; do sleep 1000; done' &) ; exec sleep 1000";

#[test]
fn reports_how_the_child_ended_and_keeps_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut supervisor =
        Supervisor::start(job(folder.path(), "echo $GREETING; echo bad >&2; exit 7"));
    supervisor.started();
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Code(7)));
    assert_eq!(supervisor.report(), Report::Gone);
    assert!(supervisor.process.wait().unwrap().success());
    assert_eq!(fs::read_to_string(folder.path().join("output")).unwrap(), "hello\nbad\n");
}

#[test]
fn a_signal_is_reported_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut supervisor = Supervisor::start(job(folder.path(), "kill -SEGV $$"));
    supervisor.started();
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Signal(Signal::SIGSEGV)));
    assert_eq!(supervisor.report(), Report::Gone);
    supervisor.process.wait().unwrap();
}

#[test]
fn a_command_that_is_not_there_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut job = job(folder.path(), "");
    job.command = vec!["/no/such/program".into()];
    let mut supervisor = Supervisor::start(job);
    assert!(matches!(supervisor.report(), Report::Failed(_)));
    assert_eq!(supervisor.process.wait().unwrap().code(), Some(127));
}

#[test]
fn a_stop_reaches_child_and_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let mut supervisor = Supervisor::start(job(folder.path(), DAEMON));
    let child = supervisor.started();
    let daemon = pid_in(&folder.path().join("daemon"));
    supervisor.order(Order::Stop { signal: Signal::SIGTERM, within: Duration::from_secs(10) });
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Signal(Signal::SIGTERM)));
    assert_eq!(supervisor.report(), Report::Gone);
    supervisor.process.wait().unwrap();
    assert!(!lives(child) && !lives(daemon));
}

#[test]
fn a_child_that_ignores_term_is_killed_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; echo ready > ready; while :; do sleep 1000; done";
    let mut supervisor = Supervisor::start(job(folder.path(), script));
    supervisor.started();
    eventually("the trap is set", || folder.path().join("ready").exists());
    supervisor.order(Order::Stop { signal: Signal::SIGTERM, within: Duration::from_millis(100) });
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Signal(Signal::SIGKILL)));
    assert_eq!(supervisor.report(), Report::Gone);
    supervisor.process.wait().unwrap();
}

#[test]
fn what_a_crashed_child_left_behind_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let script = "(setsid sh -c 'echo $$ > d.new; mv d.new daemon; exec sleep 1000' &); \
                  while ! test -e daemon; do :; done; kill -KILL $$";
    let mut supervisor = Supervisor::start(job(folder.path(), script));
    supervisor.started();
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Signal(Signal::SIGKILL)));
    assert_eq!(supervisor.report(), Report::Gone);
    supervisor.process.wait().unwrap();
    assert!(!lives(pid_in(&folder.path().join("daemon"))));
}

#[test]
fn a_service_that_made_itself_a_daemon_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let script = "(setsid sh -c 'echo $$ > d.new; mv d.new daemon; exec sleep 1000' &); exit 0";
    let mut supervisor = Supervisor::start(job(folder.path(), script));
    supervisor.started();
    assert_eq!(supervisor.report(), Report::Exited(ExitStatus::Code(0)));
    let daemon = pid_in(&folder.path().join("daemon"));
    assert!(lives(daemon));
    supervisor.orders.take();
    assert_eq!(supervisor.report(), Report::Gone);
    supervisor.process.wait().unwrap();
    assert!(!lives(daemon));
}

#[test]
fn the_work_folder_goes_with_the_harness_unless_it_is_to_stay() {
    for (order, stays) in [(None, false), (Some(Order::Keep), true)] {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        fs::create_dir(&work).unwrap();
        let job = ProcessJob { sweep: Some(work.clone()), ..job(folder.path(), "exec sleep 1000") };
        let mut supervisor = Supervisor::start(job);
        supervisor.started();
        let held = fs::File::open(&work).unwrap().try_lock().is_err();
        assert!(held, "a sweep of another run leaves it alone");
        order.into_iter().for_each(|order| supervisor.order(order));
        supervisor.orders.take();
        assert!(matches!(supervisor.report(), Report::Exited(_)));
        assert_eq!(supervisor.report(), Report::Gone);
        supervisor.process.wait().unwrap();
        assert_eq!(work.exists(), stays, "{order:?}");
    }
}

#[test]
fn the_last_of_two_supervisors_takes_the_work_folder_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let start = || {
        let job = job(folder.path(), "exec sleep 1000");
        let mut supervisor = Supervisor::start(ProcessJob { sweep: Some(work.clone()), ..job });
        supervisor.started();
        supervisor
    };
    let (one, other) = (start(), start());
    for (mut supervisor, stays) in [(one, true), (other, false)] {
        supervisor.orders.take();
        supervisor.process.wait().unwrap();
        assert_eq!(work.exists(), stays);
    }
}

/// A stand-in for the harness in a session of its own, as a terminal would start it: it starts a
/// supervisor whose orders come from a pipe that only the stand-in holds, then does `end`.
fn harness(folder: &Path, end: &str) -> (Child, i32, i32) {
    let args: Vec<String> = Job::Process(job(folder, DAEMON))
        .to_args()
        .into_iter()
        .map(|arg| format!("'{}'", arg.into_string().unwrap().replace('\'', r"'\''")))
        .collect();
    let script = format!(
        "mkfifo orders\n'{}' {} < orders > reports &\nexec 9> orders\necho up > up\n{end}\n",
        example("supervise").display(),
        args.join(" ")
    );
    // Who runs the tests in the background may have SIGINT ignored, and a shell cannot undo that.
    let process = Command::new("env")
        .args(["--default-signal=INT", "setsid", "sh", "-c", &script])
        .current_dir(folder)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let daemon = pid_in(&folder.join("daemon"));
    let mut child = None;
    eventually("the child's pid", || {
        let reports = fs::read_to_string(folder.join("reports")).unwrap_or_default();
        child = reports.lines().find_map(|line| match line.parse() {
            Ok(Report::Started(pid)) => Some(pid),
            _ => None,
        });
        child.is_some()
    });
    (process, child.unwrap(), daemon)
}

fn nothing_is_left_after(end: &str, kill: impl FnOnce(&Child)) {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, child, daemon) = harness(folder.path(), end);
    eventually("the stand-in holds the pipe", || folder.path().join("up").exists());
    assert!(lives(child) && lives(daemon));
    kill(&process);
    process.wait().unwrap();
    eventually("child and daemon are gone", || !lives(child) && !lives(daemon));
    eventually("the supervisor says so", || {
        fs::read_to_string(folder.path().join("reports")).unwrap().ends_with("gone\n")
    });
}

fn signal(process: &Child, signal: &str, group: bool) {
    let pid = if group { format!("-{}", process.id()) } else { process.id().to_string() };
    assert!(Command::new("kill").args([signal, "--", &pid]).status().unwrap().success());
}

#[test]
fn sigkill_of_the_harness_leaves_nothing() {
    nothing_is_left_after("while :; do sleep 0.1; done", |harness| signal(harness, "-KILL", false));
}

#[test]
fn ctrl_c_in_the_terminal_leaves_nothing() {
    // A terminal sends SIGINT to the whole foreground group. The supervisor is out of it, therefore
    // lives on to end what it started.
    nothing_is_left_after("while :; do sleep 0.1; done", |harness| signal(harness, "-INT", true));
}

#[test]
fn an_abort_of_the_harness_leaves_nothing() {
    nothing_is_left_after("while :; do sleep 0.1; done", |harness| signal(harness, "-ABRT", false));
}

/// A container engine that answers each request with the next status, and tells what was asked.
fn engine(
    socket: &Path,
    statuses: &'static [&'static str],
) -> std::thread::JoinHandle<Vec<String>> {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let answer = |status: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let count = stream.read(&mut request).unwrap();
            write!(stream, "HTTP/1.0 {status}\r\n\r\n").unwrap();
            String::from_utf8_lossy(&request[..count]).lines().next().unwrap().to_owned()
        };
        statuses.iter().map(answer).collect()
    })
}

/// A guardian that was told `said` before the harness ended.
fn guardian_after(said: &str, statuses: &'static [&'static str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    let asked = engine(&socket, statuses);
    let job = Job::Container {
        engine: format!("unix://{}", socket.display()),
        name: "edgeproof-1".into(),
        sweep: None,
    };
    let mut guardian = Command::new(example("supervise"))
        .args(job.to_args())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = guardian.stdin.take().unwrap();
    pipe.write_all(said.as_bytes()).unwrap();
    drop(pipe);
    assert!(guardian.wait().unwrap().success());
    asked.join().unwrap()
}

const REMOVAL: &str = "DELETE /containers/edgeproof-1?force=true&v=true HTTP/1.0";

#[test]
fn a_container_is_removed_when_the_harness_is_gone() {
    assert_eq!(guardian_after("made\n", &["204 No Content"]), [REMOVAL]);
    assert_eq!(guardian_after("made\n", &["404 Not Found"]), [REMOVAL]);
}

#[test]
fn a_container_that_is_born_after_the_harness_died_is_removed_too() {
    assert_eq!(guardian_after("", &["404 Not Found", "204 No Content"]), [REMOVAL, REMOVAL]);
}
