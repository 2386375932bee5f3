//! Reload and stop, in this process and by signals to one of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use edgeproof_proxy::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Conn, OK, Origin, Proxy, status};

const GET: &str = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

/// An origin that says when a request has come, and answers when told.
fn waiting() -> (Origin, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (came, has_come) = mpsc::channel();
    let (go, told) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let origin = Origin::scripted(move |origin| {
        while origin.request().is_some() {
            came.send(()).unwrap();
            told.lock().unwrap().recv().unwrap();
            origin.conn.send(OK);
        }
    });
    (origin, has_come, go)
}

#[test]
fn a_stop_finishes_what_is_in_flight_and_closes_what_is_idle() {
    let (origin, has_come, go) = waiting();
    let mut proxy = Proxy::before(&origin);
    let (mut idle, mut busy) = (proxy.client(), proxy.client());
    go.send(()).unwrap();
    idle.send(GET).response();
    has_come.recv().unwrap();
    busy.send(GET);
    has_come.recv().unwrap();
    let server = proxy.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    assert_eq!(idle.rest(), "");
    go.send(()).unwrap();
    let (head, body) = busy.response();
    assert_eq!((status(&head), body.as_str()), (200, "ok"));
    assert_eq!(busy.rest(), "");
    stopping.join().unwrap();
    assert!(std::net::TcpStream::connect(proxy.address).is_err());
}

/// Whose connection the kernel has made, or who has been accepted, knows of no stop and sends a request.
#[test]
fn a_stop_serves_who_has_just_connected() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::before(&origin);
    let mut idle = proxy.client();
    idle.send(GET).response();
    let mut new = proxy.client();
    let server = proxy.server.take().unwrap();
    let stopping = std::thread::spawn(move || server.stop());
    // The stop is under way.
    assert_eq!(idle.rest(), "");
    let (head, body) = new.send(GET).response();
    assert_eq!((status(&head), body.as_str()), (200, "ok"));
    assert_eq!(new.rest(), "");
    stopping.join().unwrap();
    assert!(std::net::TcpStream::connect(proxy.address).is_err());
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    let (origin, has_come, _go) = waiting();
    let mut proxy = Proxy::with(origin.address, "", "limits: { stop_timeout: 50ms }");
    let mut busy = proxy.client();
    busy.send(GET);
    has_come.recv().unwrap();
    proxy.server.take().unwrap().stop();
    assert_eq!(busy.rest(), "");
}

#[test]
fn a_reload_keeps_connections_clocks_and_stored_responses() {
    let one = Origin::answering(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\none",
    );
    let two = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
    let text = |origin: &Origin, more: &str| {
        format!(
            "listen: [\"127.0.0.1:0\"]\nthreads: 1\nsites:\n  - hosts: [a.test{more}]\n    upstream: http://{}\n    cache: {{}}\n    clock: {{ start: \"2018-07-16T12:04:07Z\" }}\n",
            origin.address
        )
    };
    let mut proxy = Proxy::from_yaml(&text(&one, ""));
    let mut client = proxy.client();
    assert_eq!(client.send(GET).response().1, "one");
    let settings = Settings::from_yaml("new.yaml", &text(&two, ", b.test")).unwrap();
    let server = proxy.server.as_mut().unwrap();
    server.reload(&settings).unwrap();
    assert_eq!(server.addresses(), [proxy.address]);
    assert_eq!(client.send(GET).response().1, "one", "still stored");
    let request = "GET / HTTP/1.1\r\nHost: b.test\r\n\r\n";
    assert_eq!(client.send(request).response().1, "two", "the new site on the old connection");
    assert_eq!((one.seen().len(), two.seen().len()), (1, 1));
}

#[test]
fn a_reload_opens_and_closes_listeners() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::before(&origin);
    let mut old = proxy.client();
    old.send(GET).response();
    let text = format!(
        "listen: [\"127.0.0.2:0\"]\nsites: [{{ upstream: \"http://{}\" }}]",
        origin.address
    );
    let server = proxy.server.as_mut().unwrap();
    server.reload(&Settings::from_yaml("new.yaml", &text).unwrap()).unwrap();
    let new = server.addresses()[0];
    assert_eq!(Conn::connect(new).send(GET).response().1, "ok");
    assert_eq!(old.send(GET).response().1, "ok", "the connection outlives its listener");
}

#[test]
fn a_reload_that_cannot_be_leaves_everything_as_it_was() {
    let origin = Origin::answering(OK);
    let mut proxy = Proxy::before(&origin);
    let text = format!(
        "listen: [\"127.0.0.2:0\"]\nsites: [{{ upstream: \"http://{}\", access_log: {{ file: DIR/no/such/directory.log }} }}]",
        origin.address
    );
    let server = proxy.server.as_mut().unwrap();
    assert!(server.reload(&Settings::from_yaml("new.yaml", &text).unwrap()).is_err());
    assert_eq!(server.addresses(), [proxy.address]);
    assert_eq!(proxy.get("/", "").1, "ok");
}

#[test]
fn an_address_in_use_is_an_error_at_the_start() {
    let origin = Origin::answering(OK);
    let proxy = Proxy::before(&origin);
    let text = format!(
        "listen: [\"{}\"]\nsites: [{{ upstream: \"http://{}\" }}]",
        proxy.address, origin.address
    );
    let second = edgeproof_proxy::Server::start(&Settings::from_yaml("x", &text).unwrap());
    assert!(second.is_err_and(|error| error.to_string().contains("cannot listen on")));
}

/// The example, which is `run` in a process of its own.
pub(crate) struct Process {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    err: BufReader<std::process::ChildStderr>,
}

impl Process {
    pub(crate) fn start(configuration: &std::path::Path) -> Self {
        Self::start_after("", configuration)
    }

    /// One that a shell starts once it has done something.
    fn start_after(first: &str, configuration: &std::path::Path) -> Self {
        let mut program = std::env::current_exe().unwrap();
        program.pop();
        program.set_file_name("examples");
        let mut child = Command::new("sh")
            .args(["-c", &format!("{first}\nexec \"$0\" \"$@\"")])
            .arg(program.join("proxy"))
            .arg(configuration)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn said(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Reads standard error up to and including a line with `text`.
    pub(crate) fn complained(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.lines().last().is_some_and(|line| line.contains(text)) {
            assert!(self.err.read_line(&mut all).unwrap() > 0, "it ended after {all:?}");
        }
        all
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has usually ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn signals_reload_reopen_and_stop() {
    let origin = Origin::answering(OK);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let configure = |hosts: &str| {
        let text = format!(
            "listen: [\"127.0.0.1:0\"]\nthreads: 2\nsites:\n  - hosts: {hosts}\n    upstream: http://{}\n    access_log: {{ file: {}, format: '{{request_path}} {{status}}' }}\n",
            origin.address,
            path("a.log").display()
        );
        std::fs::write(path("c.yaml"), text).unwrap();
    };
    configure("[a.test]");
    let mut process = Process::start(&path("c.yaml"));
    let said = process.said();
    let address = said.strip_prefix("listening on ").unwrap().trim_end().parse().unwrap();
    let mut client = Conn::connect(address);
    client.send(GET).response();

    configure("a.test");
    process.signal(Signal::SIGHUP);
    let complaint = process.complained("stays as it was");
    assert!(complaint.contains("expected a list") && complaint.contains('^'), "{complaint}");
    assert_eq!(client.send(GET).response().1, "ok");

    configure("[b.test]");
    process.signal(Signal::SIGHUP);
    process.complained("was read again");
    assert_eq!(status(&client.send(GET).response().0), 421);

    configure("[a.test]");
    std::fs::rename(path("a.log"), path("a.log.1")).unwrap();
    process.signal(Signal::SIGUSR1);
    process.signal(Signal::SIGHUP);
    process.complained("was read again");
    client.send("GET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n").response();

    process.signal(Signal::SIGTERM);
    assert!(process.child.wait().unwrap().success());
    assert_eq!(client.rest(), "");
    // When the file was moved, the first lines may still have been on their way to it.
    let (old, new) = (path("a.log.1"), path("a.log"));
    let [old, new] = [old, new].map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(format!("{old}{new}"), "/ 200\n/ 200\n/2 200\n");
    assert!(new.ends_with("/2 200\n"), "{new}");
}

/// RLIMIT_FSIZE, setrlimit(2).
#[test]
fn a_log_that_may_not_grow_is_a_full_disk() {
    let origin = Origin::answering(OK);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\nthreads: 1\nsites:\n  - hosts: [a.test]\n    upstream: http://{}\n    access_log: {{ file: {}, format: '{{request_path}}' }}\n",
        origin.address,
        path("a.log").display()
    );
    std::fs::write(path("c.yaml"), text).unwrap();
    // A block of 512 octets.
    let mut process = Process::start_after("ulimit -f 1", &path("c.yaml"));
    let said = process.said();
    let address = said.strip_prefix("listening on ").unwrap().trim_end().parse().unwrap();
    let mut client = Conn::connect(address);
    let asked = format!("/{}", "x".repeat(300));
    let mut ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n");
        assert_eq!(client.send(request).response().1, "ok");
    };
    ask("/1");
    ask(&asked);
    ask(&asked);
    let complaint = process.complained("lines wait");
    assert!(complaint.contains("File too large"), "{complaint}");
    std::fs::rename(path("a.log"), path("a.log.1")).unwrap();
    process.complained("works again");
    ask("/2");
    process.signal(Signal::SIGTERM);
    assert!(process.child.wait().unwrap().success());
    let [old, new] = ["a.log.1", "a.log"].map(|it| std::fs::read_to_string(path(it)).unwrap());
    assert!(old.starts_with("/1\n") && new.ends_with("/2\n"), "{old}{new}");
    assert_eq!(format!("{old}{new}").matches(&asked).count(), 2);
}

/// The start does not wait for a reader of a log that is a pipe.
#[test]
fn a_log_that_is_a_pipe_has_a_reader_or_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    nix::unistd::mkfifo(&path("a.log"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let text = format!(
        "listen: [\"127.0.0.1:0\"]\naccess_log: {{ file: {}, format: '{{request_path}}' }}\nsites: []\n",
        path("a.log").display()
    );
    std::fs::write(path("c.yaml"), text).unwrap();
    let mut process = Process::start(&path("c.yaml"));
    process.complained("a pipe that nobody reads");
    assert!(!process.child.wait().unwrap().success());
}
