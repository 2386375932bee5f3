//! The reference's access log as an operator meets it: rotated in the middle of many requests, on a disk that is
//! full, in a folder that is not there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// An origin whose one page every cache keeps. It ends with the test's process.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
                if line.ends_with("\r\n\r\n") {
                    line.clear();
                    let answer = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nContent-Length: 5\r\n\r\nhello";
                    stream.get_mut().write_all(answer).expect("a proxy that reads");
                }
            }
        }
    });
    address
}

/// A proxy that runs, ended when it is dropped.
struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    fn started(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a proxy");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut line).expect("text");
        let address = line.trim().strip_prefix("listening on ").expect("an address");
        Self { address: address.parse().expect("an address"), child }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Stops it in order: all lines are in their files then.
    fn stop(mut self) {
        self.signal("TERM");
        assert!(self.child.wait().expect("an end").success());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The words that start a proxy with this log.
fn words(origin: SocketAddr, log: &Path, control: &Path) -> Vec<String> {
    let upstream = format!("http://{origin}");
    let control = format!("unix:{}", control.display());
    let log = log.display().to_string();
    let words = ["proxy", "--listen", "127.0.0.1:0", "--upstream", &upstream, "--cache"];
    let more = ["--access-log", &log, "--access-log-format", "combined", "--control", &control];
    words.iter().chain(&more).map(ToString::to_string).collect()
}

/// Sends these requests in one piece and reads as many answers; gives the time until the last.
fn exchange(stream: &mut TcpStream, requests: &[u8], count: usize) -> Duration {
    let began = Instant::now();
    stream.write_all(requests).expect("a proxy that reads");
    let (mut answered, mut buf, mut text) = (0, [0; 65536], Vec::new());
    while answered < count {
        let read = match stream.read(&mut buf) {
            // A signal, such as that of a child's end, interrupts a read with a time limit (signal(7)).
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.expect("an answer in time"),
        };
        assert!(read > 0, "the connection ended after {answered} of {count} answers");
        text.extend_from_slice(&buf[..read]);
        answered = text.windows(5).filter(|part| part == b"hello").count();
    }
    let good = text.windows(15).filter(|part| part == b"HTTP/1.1 200 OK").count();
    assert_eq!(good, count, "{}", String::from_utf8_lossy(&text));
    began.elapsed()
}

fn client(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a listener");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    stream
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a log");
    assert!(text.is_empty() || text.ends_with('\n'), "{} ends in half a line", path.display());
    text.lines().map(str::to_owned).collect()
}

/// A hundred thousand requests of eight clients, the log moved away and SIGUSR1 sent all the while: each
/// request has one whole line in one of the files.
#[test]
fn rotation_in_the_middle_of_a_hundred_thousand_requests_loses_no_line() {
    const CLIENTS: usize = 8;
    const BATCHES: usize = 125;
    const BATCH: usize = 100;
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof"));
    command.args(words(origin(), &log, &folder.path().join("control")));
    let proxy = Proxy::started(command);
    exchange(&mut client(proxy.address), b"GET /page HTTP/1.1\r\nHost: a.test\r\n\r\n", 1);
    let began = Instant::now();
    let rotations = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let address = proxy.address;
                scope.spawn(move || {
                    let mut stream = client(address);
                    for batch in 0..BATCHES {
                        let request = |at| {
                            let place = batch * BATCH + at;
                            format!("GET /page HTTP/1.1\r\nHost: a.test\r\nUser-Agent: {number}-{place}\r\n\r\n")
                        };
                        let requests: String = (0..BATCH).map(request).collect();
                        exchange(&mut stream, requests.as_bytes(), BATCH);
                    }
                })
            })
            .collect();
        let mut rotations = 0;
        while clients.iter().any(|client| !client.is_finished()) {
            if log.exists() {
                rotations += 1;
                let aside = folder.path().join(format!("access.log.{rotations}"));
                std::fs::rename(&log, aside).expect("a log to move");
                proxy.signal("USR1");
            }
        }
        rotations
    });
    let took = began.elapsed();
    proxy.stop();
    let files = (1..=rotations).map(|number| folder.path().join(format!("access.log.{number}")));
    let mut found: Vec<String> =
        files.chain(log.exists().then_some(log.clone())).flat_map(|file| lines(&file)).collect();
    let agent = |line: &String| line.rsplit('"').nth(1).expect("a user agent").to_owned();
    assert!(found.iter().all(|line| line.contains("\"GET /page HTTP/1.1\" 200 5 \"-\" \"")));
    found = found.iter().map(agent).collect();
    found.sort_unstable();
    found.dedup();
    eprintln!("{} lines in {} files; {took:?}", found.len(), rotations + 1);
    // The one that filled the cache has no user agent.
    assert_eq!(found.len(), CLIENTS * BATCHES * BATCH + 1);
    assert!(rotations > 0);
}

/// What the control socket counts of the log.
fn counts(control: &Path) -> (u64, u64, u64) {
    let mut stream = UnixStream::connect(control).expect("a control socket");
    let request = b"GET /stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let json = &text[text.find("\r\n\r\n").expect("a head")..];
    let stats: serde_json::Value = serde_json::from_str(json.trim()).expect("JSON");
    let count = |key: &str| stats["log"][key].as_u64().expect("a number");
    (count("written"), count("queued"), count("lost"))
}

/// A log on a tmpfs of 64 KiB, mounted for this proxy alone: every request is answered at once, the file holds
/// whole lines, and what it has no room for is counted.
#[test]
fn a_full_disk_fails_and_delays_no_request() {
    const REQUESTS: u64 = 6000;
    let folder = tempfile::tempdir().expect("a folder");
    let (disk, control) = (folder.path().join("disk"), folder.path().join("control"));
    std::fs::create_dir(&disk).expect("a folder");
    let mount = "mount -t tmpfs -o size=64k tmpfs \"$1\" && shift && exec \"$@\"";
    let mut trial = Command::new("unshare");
    trial.args(["-m", "sh", "-c", mount, "sh"]).arg(&disk).arg("true").stderr(Stdio::null());
    if !trial.status().is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("EDGEPROOF_REQUIRE").is_none(), "no disk can be mounted");
        return eprintln!("nothing was tried: only root can mount a small disk");
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", mount, "sh"]).arg(&disk);
    command.arg(env!("CARGO_BIN_EXE_edgeproof"));
    command.args(words(origin(), &disk.join("access.log"), &control)).stderr(Stdio::piped());
    let mut proxy = Proxy::started(command);
    let mut stream = client(proxy.address);
    let request =
        format!("GET /page HTTP/1.1\r\nHost: a.test\r\nUser-Agent: {}\r\n\r\n", "x".repeat(1000));
    let mut taken: Vec<Duration> =
        (0..REQUESTS).map(|_| exchange(&mut stream, request.as_bytes(), 1)).collect();
    taken.sort_unstable();
    let (median, slowest) = (taken[taken.len() / 2], taken[taken.len() - 1]);
    let (written, queued, lost) = counts(&control);
    // As the proxy sees it: its disk is in no other's tree.
    let seen = format!("/proc/{}/root{}", proxy.child.id(), disk.join("access.log").display());
    let kept = lines(Path::new(&seen));
    eprintln!(
        "{REQUESTS} answered, median {median:?}, slowest {slowest:?}; {written} lines written, \
         {queued} wait, {lost} lost"
    );
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(written + queued + lost, REQUESTS);
    assert_eq!(kept.len() as u64, written);
    assert!(kept.iter().all(|line| line.ends_with("xxx\"") && line.starts_with("127.0.0.1 - - [")));
    assert!(written > 0 && queued > 0 && lost > 0);
    let mut told = BufReader::new(proxy.child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    told.read_line(&mut line).expect("text");
    assert!(line.contains("fails, lines wait in memory: No space left on device"), "{line}");
    proxy.stop();
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("text");
    assert!(rest.contains("lost lines: "), "{rest}");
    // It does not fill another log while it lasts.
    assert!(rest.lines().count() < 100, "{rest}");
}

#[test]
fn a_log_in_a_folder_that_is_not_there_is_refused_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("none/access.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof"));
    command.args(words(origin(), &log, &folder.path().join("control")));
    let done = command.output().expect("a program");
    assert_eq!(done.status.code(), Some(3));
    let text = String::from_utf8(done.stderr).expect("text").replace('\n', " ");
    assert!(text.contains(&log.display().to_string()), "{text}");
    assert!(text.contains("does not exist"), "{text}");
}

/// The folder of the log is moved away and another one made: no request notices, and no line is lost.
#[test]
fn a_log_whose_folder_goes_and_comes_back_loses_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (logs, away) = (folder.path().join("logs"), folder.path().join("away"));
    std::fs::create_dir(&logs).expect("a folder");
    let control = folder.path().join("control");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeproof"));
    command.args(words(origin(), &logs.join("access.log"), &control)).stderr(Stdio::piped());
    let mut proxy = Proxy::started(command);
    let mut stream = client(proxy.address);
    let mut ask = |what: &str| {
        let request = format!("GET /page HTTP/1.1\r\nHost: a.test\r\nUser-Agent: {what}\r\n\r\n");
        exchange(&mut stream, request.as_bytes(), 1)
    };
    let until_written = |count: u64| {
        let end = Instant::now() + Duration::from_secs(10);
        while counts(&control).0 < count {
            assert!(Instant::now() < end, "{:?} of {count}", counts(&control));
            std::thread::yield_now();
        }
    };
    ask("before");
    until_written(1);
    std::fs::rename(&logs, &away).expect("a folder");
    for _ in 0..100 {
        assert!(ask("meanwhile") < Duration::from_secs(1));
    }
    until_written(101);
    std::fs::create_dir(&logs).expect("a folder");
    ask("after");
    until_written(102);
    assert_eq!(lines(&away.join("access.log")).len(), 101);
    let after = lines(&logs.join("access.log"));
    assert!(matches!(&after[..], [line] if line.contains("after")), "{after:?}");
    assert_eq!(counts(&control), (102, 0, 0));
    let mut told = BufReader::new(proxy.child.stderr.take().expect("a pipe"));
    let mut line = String::new();
    told.read_line(&mut line).expect("text");
    assert!(line.contains("does not exist"), "{line}");
    proxy.stop();
}
