//! A redis-server of the test's own, on a unix socket in a folder of its own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};

/// Long enough for a busy machine; what is waited for is asked again and again until then.
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < DEADLINE, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) struct Server {
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    /// A server that is not running yet.
    pub(crate) fn absent() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), process: None }
    }

    pub(crate) async fn running() -> Self {
        let mut server = Self::absent();
        server.start().await;
        server
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub(crate) async fn start(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.socket())
            .args(["--enable-debug-command", "yes", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server has to be installed (Debian's package `redis-server`)");
        self.process = Some(process);
        until("redis-server answers", async || self.connect().is_some()).await;
    }

    fn connect(&self) -> Option<redis::Connection> {
        redis::Client::open(self.url()).ok()?.get_connection().ok()
    }

    /// Says something to it past the store.
    pub(crate) fn say<T: redis::FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let mut connection = self.connect().expect("redis-server is there");
        command.query(&mut connection).expect("an answer")
    }

    /// A figure of INFO.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let info: String = self.say(&[b"INFO", b"all"]);
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let digits = line.expect("such a figure").trim_start_matches("calls=");
        digits.split(',').next().and_then(|digits| digits.parse().ok()).expect("a number")
    }

    /// The URL of a way to it on which each step of a walk over all keys takes so long.
    pub(crate) async fn behind_a_slow_walk(&self, step: Duration) -> String {
        let path = self.folder.path().join("relay.sock");
        let listener = UnixListener::bind(&path).expect("a free name");
        let server = self.socket();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.expect("redis-server is there");
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
                tokio::spawn(async move {
                    let mut buffer = vec![0; 1 << 16];
                    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                        let said = &buffer[..count];
                        if said.windows(4).any(|word| word == b"SCAN") {
                            tokio::time::sleep(step).await;
                        }
                        if to_server.write_all(said).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        format!("redis+unix://{}", path.display())
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.as_ref().expect("running").id();
        kill(Pid::from_raw(id.try_into().expect("a process id")), signal).expect("its own process");
    }

    /// Takes the processor from it: connections stay, answers do not come.
    pub(crate) fn stall(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("its own process");
            process.wait().expect("its own process");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
