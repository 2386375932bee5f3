//! A nats-server of the test's own, and agents on it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use edgeproof_agent::{Module, Outcome};
use edgeproof_fleet::{
    Access, Asker, Facts, FleetAsker, Followed, Log, Memory, Moment, Question, SecretKey, Sent,
    Settings, Store, Target, Trust, Work, facts, looking, serve,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

/// Longer than anything here lasts.
const PATIENCE: Duration = Duration::from_secs(30);

/// A nats-server, which ends with its value.
pub(crate) struct Server {
    process: Child,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// With more in its configuration. `{folder}` is the test's folder.
    pub(crate) fn with(more: &str) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"), more)
    }

    pub(crate) fn in_folder(folder: tempfile::TempDir, more: &str) -> Self {
        let path = folder.path().display().to_string();
        let more = more.replace("{folder}", &path);
        // In a network namespace of a test's own the other host must reach it.
        let listen = std::env::var_os("EDGEPROOF_TEST_NETWORK").map_or("127.0.0.1", |_| "0.0.0.0");
        let config =
            format!("listen: {listen}:-1\njetstream {{ store_dir: \"{path}/js\" }}\n{more}\n");
        Self::of(folder, &config)
    }

    /// With this whole configuration.
    pub(crate) fn of(folder: tempfile::TempDir, config: &str) -> Self {
        let file = folder.path().join("nats.conf");
        fs::write(&file, config).expect("a file");
        let mut process = Command::new("nats-server")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nats-server runs: ci/setup installs it");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let mut port = None;
        let mut told = String::new();
        loop {
            let line = lines.next().and_then(Result::ok);
            let line = line.unwrap_or_else(|| panic!("nats-server ends:\n{told}"));
            if let Some((_, address)) = line.split_once("Listening for client connections on ") {
                port = address.rsplit(':').next().and_then(|port| port.trim().parse().ok());
            }
            told += &line;
            told.push('\n');
            if line.contains("Server is ready") {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port: port.expect("it says its port"), folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) async fn client(&self) -> async_nats::Client {
        Access::to(self.url()).connect("test", silent()).await.expect("a server")
    }

    pub(crate) async fn asker(&self) -> FleetAsker {
        FleetAsker::new(Store::open(self.client().await).await.expect("JetStream"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A way to a server on which no more octets come back than are let through.
pub(crate) struct Way {
    pub(crate) port: u16,
    /// How many more.
    pub(crate) octets: watch::Sender<usize>,
}

impl Way {
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (octets, mut left) = watch::channel(usize::MAX);
        let let_through = octets.clone();
        tokio::spawn(async move {
            let (client, _) = listener.accept().await.expect("a client");
            let server = TcpStream::connect(("127.0.0.1", server)).await.expect("a server");
            let ((mut asks, mut hears), (mut says, mut gets)) =
                (client.into_split(), server.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut asks, &mut gets).await });
            let mut buffer = [0; 4096];
            while let Ok(octets @ 1..) = says.read(&mut buffer).await {
                let _ = left.wait_for(|left| *left > 0).await;
                let_through.send_modify(|left| *left = left.saturating_sub(octets));
                let _ = hears.write_all(&buffer[..octets]).await;
            }
        });
        Self { port, octets }
    }
}

pub(crate) fn silent() -> Log {
    Arc::new(|_| {})
}

/// An agent in this process, and what it tells.
pub(crate) struct Agent {
    task: JoinHandle<()>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) told: mpsc::UnboundedReceiver<String>,
}

impl Agent {
    /// Waits for a line with that text.
    pub(crate) async fn tells(&mut self, text: &str) -> String {
        let line = async {
            loop {
                let line = self.told.recv().await.expect("the agent runs");
                if line.contains(text) {
                    return line;
                }
            }
        };
        tokio::time::timeout(PATIENCE, line)
            .await
            .unwrap_or_else(|_| panic!("it never tells `{text}`"))
    }

    /// Ends at once, without a word: the connection breaks.
    pub(crate) async fn dies(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// Ends as it should.
    pub(crate) async fn leaves(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// What an agent of a test is.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) root: PathBuf,
    pub(crate) trust: Vec<Asker>,
    pub(crate) work: Work,
    pub(crate) memory: Memory,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) access: Access,
}

impl Host {
    pub(crate) fn new(server: &Server, name: &str, key: &SecretKey) -> Self {
        let root = server.path(&format!("hosts/{name}"));
        fs::create_dir_all(&root).expect("a folder");
        Self {
            name: name.to_owned(),
            root: root.canonicalize().expect("a folder"),
            trust: vec![asker("alice", key, &Module::ALL)],
            work: looking(),
            memory: Memory::of_this_run(),
            tags: Vec::new(),
            access: Access::to(server.url()),
        }
    }

    pub(crate) fn write(self, path: &str, text: &str) -> Self {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    pub(crate) fn facts(&self) -> Facts {
        facts(&self.name, self.tags.iter().cloned().collect(), &self.root)
    }

    /// Starts it, and waits until it listens.
    pub(crate) async fn starts(self) -> Agent {
        self.starts_and_shares().await.0
    }

    /// The same, with its connection.
    pub(crate) async fn starts_and_shares(self) -> (Agent, async_nats::Client) {
        let (tell, told) = mpsc::unbounded_channel();
        let log: Log = Arc::new(move |line: &str| drop(tell.send(line.to_owned())));
        let client = self.access.connect(&self.name, Arc::clone(&log)).await.expect("a server");
        let own = client.clone();
        let settings = Settings {
            facts: self.facts(),
            trust: Arc::new(Trust::of(self.trust)),
            root: self.root,
            heartbeat: Duration::from_secs(60),
            longest: PATIENCE,
            work: self.work,
            workers: Arc::new(Semaphore::new(2)),
            log,
        };
        let (stop, stopped) = watch::channel(false);
        let memory = self.memory;
        let task = tokio::spawn(async move {
            serve(client, settings, memory, stopped).await.expect("it serves");
        });
        let mut agent = Agent { task, stop, told };
        agent.tells("waits for actions").await;
        (agent, own)
    }
}

pub(crate) fn asker(name: &str, key: &SecretKey, may: &[Module]) -> Asker {
    Asker { name: name.to_owned(), key: key.public(), may: may.iter().copied().collect() }
}

pub(crate) fn key() -> SecretKey {
    SecretKey::new().expect("a key")
}

/// A question for all that looks for a name below `/home`.
pub(crate) fn question(target: &str, lasts: Duration) -> Question {
    let action = json!({ "name": "strays", "version": 2, "operations": [{ "module": "file", "parameters": {
        "searches": { "s1": { "paths": ["/home"], "names": ["^stray$"] } } } }] });
    Question {
        name: "strays".to_owned(),
        target: Target::parse(target).unwrap_or_else(|error| panic!("{error}")),
        text: action.to_string().into_bytes(),
        modules: vec![Module::File],
        lasts,
    }
}

/// Waits until so many agents are known, and gives them.
pub(crate) async fn known(asker: &FleetAsker, count: usize) -> Vec<Facts> {
    let all = async {
        loop {
            let directory = asker.directory().await.expect("a directory");
            let agents: Vec<Facts> =
                directory.agents(Moment::now()).map(|(facts, _)| facts).collect();
            if agents.len() == count {
                return agents;
            }
            asker.roll_call().await.expect("a server");
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("the agents are heard of")
}

/// Hears all answers: how it ended, and the lines of each agent.
pub(crate) async fn hears(asker: &FleetAsker, sent: &mut Sent) -> (Followed, Vec<String>) {
    let (_never, stop) = watch::channel(false);
    let mut lines = Vec::new();
    let followed = asker.follow(
        sent,
        |agent, done| {
            let all = done.operations.iter().flat_map(|one| one.lines.clone());
            lines.extend(all.map(|line| format!("{agent} {line}")));
        },
        |_| {},
        stop,
    );
    let followed = tokio::time::timeout(PATIENCE, followed).await.expect("it ends");
    let followed = followed.expect("answers");
    lines.sort();
    (followed, lines)
}

/// What is to be said of agents.
pub(crate) fn oddities(sent: &Sent) -> Vec<String> {
    sent.roll.oddities().iter().map(|(agent, oddity)| format!("{agent}: {oddity}")).collect()
}

/// Work that says when it begins and ends when it is told.
pub(crate) fn held() -> (Work, mpsc::UnboundedReceiver<()>, std::sync::mpsc::Sender<()>) {
    let (began, begins) = mpsc::unbounded_channel();
    let (end, ends) = std::sync::mpsc::channel();
    let ends = std::sync::Mutex::new(ends);
    let work: Work = Arc::new(move |_, _, _| {
        let _ = began.send(());
        let _ = ends.lock().expect("one at a time").recv();
        vec![outcome(1)]
    });
    (work, begins, end)
}

pub(crate) fn outcome(found: u64) -> Outcome {
    Outcome {
        module: "file".to_owned(),
        found,
        is_whole: true,
        lines: vec!["/home/bob/stray".to_owned()],
        ..Outcome::default()
    }
}

/// A file's text.
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
