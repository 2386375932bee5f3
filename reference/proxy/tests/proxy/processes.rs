//! Upstreams that the proxy starts: real processes, small programs in Python and sh.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Conn, Proxy, field, status};

/// A server that answers each path its own way; the port or socket comes from its environment.
const SERVER: &str = r#"
import http.server, os, socketserver, subprocess, sys, signal
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def address_string(self): return 'peer'
    def log_message(self, *_): pass
    def answer(self, text):
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        if self.path == '/pid': self.answer(str(os.getpid()))
        elif self.path == '/environment': self.answer(' '.join(sorted(os.environ)))
        elif self.path == '/session': self.answer(f'{os.getpid()} {os.getsid(0)} {os.getpgid(0)}')
        elif self.path == '/files':
            import resource; self.answer(str(resource.getrlimit(resource.RLIMIT_NOFILE)))
        elif self.path == '/child':
            child = subprocess.Popen(['sh', '-c', 'trap "" TERM; setsid sleep 600 & echo $!; wait'], stdout=subprocess.PIPE)
            self.answer(child.stdout.readline().decode().strip())
        elif self.path == '/write':
            print('to stdout', flush=True); print('to\x1b stderr "é"', file=sys.stderr, flush=True)
            self.answer('written')
        elif self.path == '/greedy':
            try: bytearray(1 << 30); self.answer('taken')
            except MemoryError: self.answer('MemoryError')
        elif self.path == '/crash':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'); self.wfile.flush()
            os._exit(3)
        else: self.answer('hello')
if 'stubborn' in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
if 'SOCKET' in os.environ:
    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer): daemon_threads = True
    server = Server(os.environ['SOCKET'], Handler)
else:
    server = http.server.ThreadingHTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler)
server.serve_forever()
"#;

/// The program that keeps processes for a proxy within a test.
fn keeper() -> PathBuf {
    let mut program = std::env::current_exe().unwrap();
    program.pop();
    program.set_file_name("examples");
    program.join("proxy")
}

/// A proxy whose site `a.test` is `command`, with more keys of its upstream, at a frozen time.
fn proxy(command: &str, keys: &str) -> Proxy {
    proxy_with(command, keys, &[("server.py", SERVER)])
}

/// The same with these files in its directory `DIR`.
pub(crate) fn proxy_with(command: &str, keys: &str, files: &[(&str, &str)]) -> Proxy {
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nthreads: 2\ncontrol: unix:DIR/control.sock\nsites:\n  - hosts: [a.test]\n    clock: {{ start: \"2018-07-14T10:04:21+02:00\" }}\n    upstream:\n      command: {command}\n      log: DIR/upstream.log\n{keys}"
    );
    let keeper = vec![keeper().into(), edgeproof_proxy::keeper::SUBCOMMAND.into()];
    Proxy::with_keeper(&text, files, keeper)
}

fn server(keys: &str) -> Proxy {
    proxy("/usr/bin/python3 DIR/server.py", keys)
}

fn ask(proxy: &Proxy, line: &str, body: &str) -> String {
    let stream = std::os::unix::net::UnixStream::connect(proxy.file("control.sock")).unwrap();
    let request =
        format!("{line} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    Conn::new(stream).send(request).response().1
}

fn advance(proxy: &Proxy, milliseconds: u32) {
    let order = format!("{{\"advance_ms\": {milliseconds}}}");
    ask(proxy, "POST /sites/a.test/clock", &order);
}

/// Asks again until it is so, for at most ten seconds.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

pub(crate) fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// The log without its dates, which are all the same, and with processes' numbers by their names.
fn log(proxy: &Proxy, names: &[(&str, &str)]) -> String {
    ask(proxy, "POST /logs/flush", "");
    let text = std::fs::read_to_string(proxy.file("upstream.log")).unwrap();
    let directory = proxy.directory.path().to_str().unwrap();
    let mut text = text.replace(directory, "DIR");
    for (number, name) in names {
        text = text.replace(number, name);
    }
    let date = "[14/Jul/2018:10:04:2";
    assert!(text.lines().all(|line| line.starts_with(date)), "{text}");
    text
}

#[test]
fn the_first_requests_start_one_process_and_all_are_answered() {
    let proxy = server("");
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let address = proxy.address;
            std::thread::spawn(move || {
                let request = "GET /pid HTTP/1.1\r\nHost: a.test\r\n\r\n";
                Conn::connect(address).send(request).response().1
            })
        })
        .collect();
    let pids: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
    let state = ask(&proxy, "GET /upstreams", "");
    for part in [r#""starts":1"#, r#""crashes":0"#, r#""state":"running""#] {
        assert!(state.contains(part), "{state}");
    }
    assert!(state.contains(&format!(r#""pid":{},"#, pids[0])), "{state}");
    let idle = || ask(&proxy, "GET /upstreams", "").contains(r#""requests":0"#);
    until("no request is left", idle);
    insta::assert_snapshot!(log(&proxy, &[(&pids[0], "PID")]), @r"
    [14/Jul/2018:10:04:21 +0200] Upstream starting: /usr/bin/python3 DIR/server.py ...
    [14/Jul/2018:10:04:21 +0200] Upstream started PID: PID
    ");
}

#[test]
fn output_is_logged_line_by_line() {
    let proxy = server("");
    let pid = proxy.get("/pid", "").1;
    assert_eq!(proxy.get("/write", "").1, "written");
    until("both lines are there", || log(&proxy, &[]).lines().count() == 4);
    let text = log(&proxy, &[(&pid, "PID")]);
    assert!(text.contains("[14/Jul/2018:10:04:21 +0200] [PID] to stdout\n"), "{text}");
    let error = r"[14/Jul/2018:10:04:21 +0200] [PID] STDERR: to\x1B stderr \x22\xC3\xA9\x22";
    assert!(text.contains(&format!("{error}\n")), "{text}");
}

#[test]
fn it_is_stopped_when_idle_and_started_again_with_another_number() {
    let proxy = server("      idle: 1s\n");
    let first = proxy.get("/pid", "").1;
    assert_eq!(proxy.get("/pid", "").1, first);
    until("it is not used", || ask(&proxy, "GET /upstreams", "").contains(r#""requests":0"#));
    advance(&proxy, 1000);
    until("it has ended", || !lives(&first));
    let second = proxy.get("/pid", "").1;
    assert_ne!(first, second);
    insta::assert_snapshot!(log(&proxy, &[(&first, "ONE"), (&second, "TWO")]), @r"
    [14/Jul/2018:10:04:21 +0200] Upstream starting: /usr/bin/python3 DIR/server.py ...
    [14/Jul/2018:10:04:21 +0200] Upstream started PID: ONE
    [14/Jul/2018:10:04:22 +0200] Upstream stopping PID: ONE (idle for 1 s)
    [14/Jul/2018:10:04:22 +0200] Upstream stopped PID: ONE
    [14/Jul/2018:10:04:22 +0200] Upstream starting: /usr/bin/python3 DIR/server.py ...
    [14/Jul/2018:10:04:22 +0200] Upstream started PID: TWO
    ");
}

#[test]
fn its_children_end_with_it() {
    let mut proxy = server("      stop_grace: 50ms\n");
    let (own, child) = (proxy.get("/pid", "").1, proxy.get("/child", "").1);
    assert!(lives(&own) && lives(&child));
    proxy.server.take().unwrap().stop();
    assert!(!lives(&own) && !lives(&child));
}

#[test]
fn a_crash_in_mid_answer_breaks_it_off_and_the_next_request_is_told_to_wait() {
    let proxy = server("");
    let pid = proxy.get("/pid", "").1;
    let answer = proxy.exchange("GET /crash HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\npart"), "{answer}");
    until("the crash is seen", || ask(&proxy, "GET /upstreams", "").contains("backing-off"));
    let (head, _) = proxy.get("/", "");
    assert_eq!((status(&head), field(&head, "retry-after")), (503, Some("1")));
    advance(&proxy, 1000);
    let next = proxy.get("/pid", "").1;
    assert_ne!(next, pid);
    insta::assert_snapshot!(log(&proxy, &[(&pid, "ONE"), (&next, "TWO")]), @r"
    [14/Jul/2018:10:04:21 +0200] Upstream starting: /usr/bin/python3 DIR/server.py ...
    [14/Jul/2018:10:04:21 +0200] Upstream started PID: ONE
    [14/Jul/2018:10:04:21 +0200] Upstream crashed PID: ONE (return code: 3 | reason: -)
    [14/Jul/2018:10:04:22 +0200] Upstream starting: /usr/bin/python3 DIR/server.py ...
    [14/Jul/2018:10:04:22 +0200] Upstream started PID: TWO
    ");
}

/// Its log is given a moment for last words before the crash counts: who comes meanwhile is told the same.
#[test]
fn who_asks_right_after_a_crash_is_told_to_wait_too() {
    // What it leaves behind holds its output open.
    let proxy = server("");
    let child = proxy.get("/child", "").1;
    let pid = proxy.get("/pid", "").1;
    kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    until("it has ended", || !lives(&pid));
    let (head, _) = proxy.get("/", "");
    assert_eq!((status(&head), field(&head, "retry-after")), (503, Some("1")), "{head}");
    drop(proxy);
    assert!(!lives(&child));
}

#[test]
fn what_fails_at_its_start_is_answered_by_502_and_then_left_alone() {
    for (command, reason) in [
        ("sh -c 'exit 4'", "(return code: 4 | reason: -)"),
        ("sh -c 'kill -9 $$'", "(return code: - | reason: killed by SIGKILL)"),
        ("/no/such/program", "(return code: 127 | reason: -)"),
        ("sh -c 'sleep 600 & exit 0'", "(return code: 0 | reason: it went into the background)"),
    ] {
        let proxy = proxy(command, "");
        assert_eq!(status(&proxy.get("/", "").0), 502, "{command}");
        let (head, _) = proxy.get("/", "");
        assert_eq!((status(&head), field(&head, "retry-after")), (503, Some("1")), "{command}");
        let text = log(&proxy, &[]);
        let line = format!("Upstream starting failed: {command} {reason}\n");
        assert!(text.ends_with(&line), "{text}");
    }
}

#[test]
fn what_never_listens_is_answered_by_504() {
    let proxy = proxy("sleep 600", "      start_limit: 50ms\n");
    assert_eq!(status(&proxy.get("/", "").0), 504);
    let text = log(&proxy, &[]);
    assert!(text.contains("Upstream starting failed: sleep 600 (return code: - | reason: nothing listens on 127.0.0.1:"));
    until("it is stopped", || ask(&proxy, "GET /upstreams", "").contains("backing-off"));
}

#[test]
fn a_port_that_another_has_is_not_taken_for_its_own() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let proxy = server(&format!("      listen: {address}\n"));
    assert_eq!(status(&proxy.get("/", "").0), 502);
    let text = log(&proxy, &[]);
    let reason = format!("reason: {address} is taken by another process)\n");
    assert!(text.ends_with(&reason), "{text}");
}

#[test]
fn a_unix_socket_serves_as_well() {
    let proxy = server("      listen: socket\n");
    assert_eq!(proxy.get("/", "").1, "hello");
    let state = ask(&proxy, "GET /upstreams", "");
    let path = state.split("unix:").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let directory = Path::new(path).parent().unwrap();
    assert_eq!(std::fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
    drop(proxy);
    assert!(!directory.exists());
}

#[test]
fn it_has_a_session_a_clean_environment_and_limits_of_its_own() {
    let proxy = server("      environment: { MODE: live }\n      limits: { files: 50 }\n");
    let pid = proxy.get("/pid", "").1;
    assert_eq!(proxy.get("/session", "").1, format!("{pid} {pid} {pid}"));
    assert_eq!(proxy.get("/files", "").1, "(50, 50)");
    let names = proxy.get("/environment", "").1;
    let mut expected = vec!["HOST", "MODE", "PORT"];
    expected.extend(["PATH", "HOME", "LANG"].iter().filter(|it| std::env::var_os(it).is_some()));
    // Python sets the last one itself.
    let found: Vec<_> = names.split(' ').filter(|name| *name != "LC_CTYPE").collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn who_ignores_sigterm_is_killed() {
    let mut proxy = proxy("/usr/bin/python3 DIR/server.py stubborn", "      stop_grace: 50ms\n");
    let pid = proxy.get("/pid", "").1;
    let text = proxy.stop_and_read("upstream.log");
    let line = format!("Upstream killed PID: {pid} (no end 0.05 s after SIGTERM)\n");
    assert!(text.contains(&line) && text.ends_with(&format!("stopped PID: {pid}\n")), "{text}");
    assert!(!lives(&pid));
}

#[test]
fn nothing_is_left_of_it_when_the_proxy_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("server.py"), SERVER).unwrap();
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nthreads: 1\nsites:\n  - upstream: {{ command: /usr/bin/python3 {}, log: {}, stop_grace: 50ms }}\n",
        path("server.py").display(),
        path("upstream.log").display()
    );
    std::fs::write(path("c.yaml"), text).unwrap();
    let mut process = crate::life::Process::start(&path("c.yaml"));
    let said = process.said();
    let address = said.strip_prefix("listening on ").unwrap().trim_end().parse().unwrap();
    let get = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        Conn::connect(address).send(request).response().1
    };
    let (own, child) = (get("/pid"), get("/child"));
    assert!(lives(&own) && lives(&child));
    process.signal(Signal::SIGKILL);
    until("all have ended", || !lives(&own) && !lives(&child));
    assert!(kill(Pid::from_raw(own.parse().unwrap()), None).is_err());
}

#[test]
fn a_reload_keeps_a_process_that_stays_the_same() {
    let mut proxy = server("");
    let pid = proxy.get("/pid", "").1;
    let text = |idle: &str| {
        let directory = proxy.directory.path().display();
        format!(
            "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    clock: {{ start: \"2018-07-14T10:04:21+02:00\" }}\n    upstream: {{ command: /usr/bin/python3 {directory}/server.py, log: {directory}/upstream.log{idle} }}\n"
        )
    };
    let [same, other] = ["", ", idle: 7s"]
        .map(|idle| edgeproof_proxy::Settings::from_yaml("new.yaml", &text(idle)).unwrap());
    proxy.server.as_mut().unwrap().reload(&same).unwrap();
    assert_eq!(proxy.get("/pid", "").1, pid);
    proxy.server.as_mut().unwrap().reload(&other).unwrap();
    until("the old one has ended", || !lives(&pid));
    assert_ne!(proxy.get("/pid", "").1, pid);
}

#[test]
fn several_servers_take_turns_and_one_that_is_away_is_passed_over() {
    let [one, two] = ["one", "two"].map(|body| {
        crate::support::Origin::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{body}"
        ))
    });
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nthreads: 1\nsites:\n  - hosts: [a.test]\n    upstream: [\"http://{}\", \"http://{away}\", \"http://{}\"]\n",
        one.address, two.address
    );
    let proxy = Proxy::from_yaml(&text);
    let mut answers: Vec<_> = (0..6).map(|_| proxy.get("/", "").1).collect();
    answers.sort_unstable();
    answers.dedup();
    assert_eq!(answers, ["one", "two"]);
}

#[test]
fn its_log_is_written_anew_where_it_was_moved() {
    let proxy = server("");
    let pid = proxy.get("/pid", "").1;
    ask(&proxy, "POST /logs/flush", "");
    std::fs::rename(proxy.file("upstream.log"), proxy.file("upstream.log.1")).unwrap();
    assert_eq!(proxy.get("/write", "").1, "written");
    let written = || std::fs::read_to_string(proxy.file("upstream.log")).unwrap_or_default();
    until("both lines are in a new file", || written().lines().count() == 2);
    assert!(written().lines().all(|line| line.contains(&format!("[{pid}] "))));
    let before = std::fs::read_to_string(proxy.file("upstream.log.1")).unwrap();
    assert!(before.ends_with(&format!("Upstream started PID: {pid}\n")), "{before}");
}

#[test]
fn it_runs_as_another_user_where_the_proxy_is_root() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("left out: only root can become somebody else");
        return;
    }
    let proxy = server("      user: nobody\n");
    let readable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(proxy.directory.path(), readable).unwrap();
    let pid = proxy.get("/pid", "").1;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    assert_eq!(of("Uid:"), vec![nobody.uid.to_string(); 4], "no way back");
    assert_eq!(of("Gid:"), vec![nobody.gid.to_string(); 4]);
    assert!(!of("Groups:").contains(&"0".to_owned()), "{status}");
}

#[test]
fn it_gets_no_more_memory_than_its_limit() {
    let proxy = server("      limits: { memory: 512MiB, files: 64, processes: 32 }\n");
    let pid = proxy.get("/pid", "").1;
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    for (name, value) in
        [("Max address space", "536870912"), ("Max open files", "64"), ("Max processes", "32")]
    {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let words: Vec<_> = line[name.len()..].split_whitespace().take(2).collect();
        assert_eq!(words, [value, value], "{name}");
    }
    assert_eq!(proxy.get("/greedy", "").1, "MemoryError");
}

#[test]
fn sites_of_an_account_share_a_log_in_whole_lines() {
    let site = |name: &str| {
        format!(
            "  - hosts: [{name}.test]\n    upstream: {{ command: /usr/bin/python3 DIR/server.py, log: DIR/upstream.log }}\n"
        )
    };
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\ncontrol: unix:DIR/control.sock\nsites:\n{}{}",
        site("a"),
        site("b")
    );
    let keeper = vec![keeper().into(), edgeproof_proxy::keeper::SUBCOMMAND.into()];
    let proxy = Proxy::with_keeper(&text, &[("server.py", SERVER)], keeper);
    let ask_both = |path: &str| {
        ["a", "b"].map(|name| {
            let request = format!("GET {path} HTTP/1.1\r\nHost: {name}.test\r\n\r\n");
            proxy.client().send(request).response().1
        })
    };
    let pids = ask_both("/pid");
    assert_ne!(pids[0], pids[1]);
    for _ in 0..5 {
        ask_both("/write");
    }
    let of = |pid: &str| {
        let text = std::fs::read_to_string(proxy.file("upstream.log")).unwrap();
        text.lines().filter(|line| line.contains(&format!("[{pid}] "))).count()
    };
    until("all output is there", || pids.iter().all(|pid| of(pid) == 10));
    let text = std::fs::read_to_string(proxy.file("upstream.log")).unwrap();
    let whole = |line: &str| line.starts_with('[') && line.matches("to stdout").count() < 2;
    assert!(text.lines().all(whole) && text.lines().count() == 24, "{text}");
}

#[test]
fn a_process_waits_for_the_one_whose_place_it_takes() {
    let text = |colour: &str| {
        format!(
            "listen: [\"127.0.0.1:0\"]\nsites:\n  - hosts: [a.test]\n    upstream:\n      command: /usr/bin/python3 DIR/server.py stubborn\n      listen: unix:DIR/place.sock\n      stop_grace: 300ms\n      environment: {{ COLOUR: {colour} }}\n      log: DIR/upstream.log\n"
        )
    };
    let keeper = vec![keeper().into(), edgeproof_proxy::keeper::SUBCOMMAND.into()];
    let mut proxy = Proxy::with_keeper(&text("red"), &[("server.py", SERVER)], keeper.clone());
    let (_, first) = proxy.get("/pid", "");
    let text = text("blue").replace("DIR", proxy.directory.path().to_str().unwrap());
    let other = edgeproof_proxy::Settings::from_yaml("other.yaml", &text).unwrap();
    let other = edgeproof_proxy::Settings { keeper, ..other };
    proxy.server.as_mut().unwrap().reload(&other).unwrap();
    let (head, second) = proxy.get("/pid", "");
    assert_eq!(status(&head), 200, "{second}");
    assert_ne!(first, second);
    assert!(!lives(&first));
}
