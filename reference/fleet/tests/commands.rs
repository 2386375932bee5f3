//! The commands as a person uses them: processes, their words and exit codes.

mod fleet;

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use fleet::{Server, read};

/// The commands' program, which is built with the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let folder = test.parent().and_then(Path::parent).expect("the build's folder");
    folder.join("examples/fleet")
}

fn run(words: &[&str]) -> Output {
    Command::new(program())
        .args(words)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("it is built")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `agent serve` as a process, killed with its value, and what it tells.
struct Serving(Child, Receiver<String>);

impl Serving {
    fn start(words: &[&str]) -> Self {
        let mut process = Command::new(program())
            .args(["agent", "serve"])
            .args(words)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it is built");
        let lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let mut lines = lines.map_while(Result::ok);
        let mut told = String::new();
        let ready = lines.by_ref().any(|line| {
            told.push_str(&line);
            line.contains("waits for actions")
        });
        assert!(ready, "{told}");
        let (tell, told) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(tell.send(line))));
        Self(process, told)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whatever the umask, nobody else may write the file.
fn only_mine(file: &Path) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
}

/// A server, a key and the file that trusts it.
struct Fleet {
    server: Server,
    url: String,
    key: String,
    trust: String,
}

impl Fleet {
    fn new(may: &str) -> Self {
        let server = Server::start();
        let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
        let key = text(server.path("alice.key"));
        let made = run(&["agent", "keygen", "-o", &key]);
        assert_eq!(made.status.code(), Some(0), "{}", err(&made));
        let public = read(&server.path("alice.key.pub"));
        assert!(out(&made).starts_with(&public));
        let trust = text(server.path("trust.yaml"));
        let entry =
            format!("keys:\n  - {{ name: alice, key: \"{}\", may: {may} }}\n", public.trim());
        std::fs::write(&trust, entry).expect("a file");
        only_mine(Path::new(&trust));
        Self { url: server.url(), server, key, trust }
    }

    fn root(&self, name: &str) -> String {
        let root = self.server.path(&format!("hosts/{name}"));
        std::fs::create_dir_all(root.join("home/bob")).expect("a folder");
        root.to_str().expect("UTF-8").to_owned()
    }

    fn serves(&self, name: &str) -> Serving {
        let state = self.server.path(&format!("state/{name}"));
        let words = ["-nats", &self.url, "-trust", &self.trust, "-name", name, "-tag", "role=web"];
        let more = ["-root", &self.root(name), "-state", state.to_str().expect("UTF-8")];
        Serving::start(&[&words[..], &more[..]].concat())
    }

    fn asks(&self, words: &[&str]) -> Output {
        let more = ["-nats", self.url.as_str(), "-key", self.key.as_str()];
        run(&[&["investigate"], words, &more[..]].concat())
    }
}

#[test]
fn an_investigation_from_its_words_to_its_exit_code() {
    let fleet = Fleet::new("all");
    let nobody = fleet.asks(&["ping", "-t", "all"]);
    assert_eq!(nobody.status.code(), Some(4), "{}", err(&nobody));
    let (_web1, web2) = (fleet.serves("web1"), fleet.serves("web2"));
    let stray = format!("{}/home/bob/stray", fleet.root("web2"));
    let search = ["file", "-path", "/home", "-name", "^stray$", "-t", "tag:role=web"];

    let clean = fleet.asks(&search);
    assert_eq!(clean.status.code(), Some(0), "{}", err(&clean));
    assert_eq!(out(&clean), "2 sent, 2 done, 2 succeeded\n0 agents have found results\n");

    std::fs::write(&stray, "12345").expect("a file");
    let dry = fleet.asks(&[&search[..], &["-dry"]].concat());
    assert_eq!(
        (dry.status.code(), out(&dry).as_str()),
        (Some(0), "2 of 2 agents would be asked\n")
    );
    let found = fleet.asks(&[&search[..], &["-format", "mig"]].concat());
    assert_eq!(found.status.code(), Some(1), "{}", err(&found));
    let text = out(&found);
    let (line, counts) = text.split_once('\n').expect("lines");
    assert!(line.starts_with("web2 /home/bob/stray [lastmodified:"), "{line}");
    assert_eq!(counts, "2 sent, 2 done, 2 succeeded\n1 agents have found results\n");

    let json = fleet.asks(&[&search[..], &["-format", "json"]].concat());
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).expect("an object");
    assert_eq!(object["summary"]["found"], 1);
    let agents = object["agents"].as_array().expect("a list");
    let found = agents.iter().find(|one| one["agent"] == "web2").expect("it has answered");
    assert_eq!(found["operations"][0]["result"]["found"][0]["size"], 5);
    let id = object["action"]["id"].as_str().expect("an id");
    let again = run(&["investigate", "-resume", id, "-nats", &fleet.url, "-format", "mig"]);
    assert_eq!((again.status.code(), out(&again)), (Some(1), text));

    drop(web2);
    let half = fleet.asks(&["ping", "-t", "all"]);
    assert_eq!(half.status.code(), Some(6), "{}", err(&half));
    assert_eq!(
        out(&half),
        "web2: never answered: it is not connected\n2 sent, 1 done, 1 succeeded\n0 agents have found results\n"
    );
    let listed = run(&["investigate", "agents", "-nats", &fleet.url]);
    assert!(out(&listed).starts_with("web1 online ? role=web\nweb2 online"), "{}", out(&listed));
}

#[test]
fn a_key_for_one_module_cannot_use_another() {
    let fleet = Fleet::new("[ping]");
    let _web1 = fleet.serves("web1");
    assert_eq!(fleet.asks(&["ping", "-t", "all"]).status.code(), Some(0));
    let refused = fleet.asks(&["netstat", "-lp", "22", "-t", "all"]);
    assert_eq!(refused.status.code(), Some(6));
    let told = out(&refused);
    assert!(
        told.starts_with("web1: refused: the key of alice may not use the module netstat\n"),
        "{told}"
    );
}

#[test]
fn no_action_writes_a_line_of_the_agents_log() {
    let fleet = Fleet::new("all");
    let web1 = fleet.serves("web1");
    let action = fleet.server.path("action.json");
    let text = r#"{"name": "x\nweb1: forged\u001b[2J", "operations": [{"module": "ping"}]}"#;
    std::fs::write(&action, text).expect("a file");
    let done = fleet.asks(&[action.to_str().expect("UTF-8"), "-t", "all"]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let line = web1.1.iter().next().expect("a line");
    assert!(line.ends_with("`x\\x0aweb1: forged\\x1b[2J` of alice: ping"), "{line}");
}

#[test]
fn what_a_person_can_get_wrong() {
    let fleet = Fleet::new("all");
    let _web1 = fleet.serves("web1");
    let folder = fleet.server.folder.path();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("a file");
        folder.join(name).to_str().expect("UTF-8").to_owned()
    };
    let (url, key, trust) = (fleet.url.as_str(), fleet.key.as_str(), fleet.trust.as_str());
    let everybodys = file("everybodys.yaml", &read(Path::new(trust)));
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&everybodys, mode).expect("a mode");
    let open = file("open.key", &read(Path::new(key)));
    let public = format!("{key}.pub");
    let empty = file("empty.yaml", "keys: []\n");
    only_mine(Path::new(&empty));
    let no_action = file("no.json", "{\"operations\": [{\"module\": \"shell\"}]}");
    let ask = |words: &[&str]| [&["investigate"], words, &["-nats", url]].concat().join("\u{0}");
    let serve = |words: &[&str]| [&["agent", "serve"], words].concat().join("\u{0}");
    let told: Vec<String> = [
        "investigate".to_owned(),
        ask(&["nonsense"]),
        ask(&[&no_action]),
        ask(&["file", "-t", "all", "-key", key]),
        ask(&["file", "-path", "home", "-t", "all", "-key", key]),
        ask(&["file", "-path", "/", "-name", "(", "-t", "all", "-key", key]),
        ask(&["file", "-pth", "/"]),
        ask(&["netstat", "-t", "all", "-key", key]),
        ask(&["keys", "-allowed", "/nonexistent", "-t", "all"]),
        ask(&["keys", "-root", "/", "-allowed", "/dev/null"]),
        ask(&["unknown-hosts", "-known", "/dev/null"]),
        ask(&["ping"]),
        ask(&["ping", "-t", "stauts='online'"]),
        ask(&["ping", "-t", "local"]),
        ask(&["ping", "-t", "all"]),
        ask(&["ping", "-t", "all", "-key", "/nonexistent"]),
        ask(&["ping", "-t", "all", "-key", &open]),
        ask(&["ping", "-t", "all", "-key", &public]),
        ask(&["ping", "-t", "all", "-e", "0s"]),
        ask(&["ping", "-t", "all", "-e", "48h"]),
        ask(&["ping", "-t", "all", "-e", "soon"]),
        ask(&["ping", "-t", "environment->>'idnet' LIKE 'D%'", "-key", key]),
        ask(&["ping", "-t", "all", "-key", key, "-resume", "00000000000000000000000000000000"]),
        ask(&["-resume", "12"]),
        ask(&["-resume", "00000000000000000000000000000000", "-t", "all"]),
        ask(&["-resume", "00000000000000000000000000000000", "-key", key]),
        ask(&["unknown-hosts", "-resume", "00000000000000000000000000000000", "-e", "9s"]),
        ask(&["agents", "-resume", "00000000000000000000000000000000"]),
        ask(&["agents", "-key", key]),
        ask(&["-resume", "00000000000000000000000000000000"]),
        "investigate\u{0}ping\u{0}-t\u{0}all".to_owned(),
        "investigate\u{0}ping\u{0}-t\u{0}all\u{0}-nats\u{0}nats://127.0.0.1:1".to_owned(),
        serve(&[]),
        serve(&["-trust", trust]),
        serve(&["-trust", "/nonexistent", "-nats", url]),
        serve(&["-trust", &empty, "-nats", url]),
        serve(&["-trust", &everybodys, "-nats", url]),
        serve(&["-trust", trust, "-nats", url, "-root", "/nonexistent"]),
        serve(&["-trust", trust, "-nats", url, "-tag", "web"]),
        serve(&["-trust", trust, "-nats", url, "-jobs", "0"]),
        serve(&["-trust", trust, "-nats", url, "-jobs", "18446744073709551615"]),
        serve(&[
            "-trust",
            trust,
            "-nats",
            url,
            "-state",
            &folder.join("state/web1").display().to_string(),
        ]),
        "agent\u{0}keygen".to_owned(),
        format!("agent\u{0}keygen\u{0}-o\u{0}{key}"),
    ]
    .iter()
    .map(|line| {
        let words: Vec<&str> = line.split('\u{0}').collect();
        let output = run(&words);
        format!("{}\n{}{}", words.join(" "), err(&output), output.status.code().unwrap_or(-1))
    })
    .collect();
    let owner = format!("user number {}", rustix::process::geteuid().as_raw());
    let told = told.join("\n\n").replace(&folder.display().to_string(), "DIR").replace(url, "URL");
    let told = told.replace(&owner, "user number N");
    insta::assert_snapshot!(told);
}

/// Two hosts in network namespaces of their own that are neighbours of each other, and a stranger on their link.
#[test]
fn neighbours_that_nobody_accounts_for() {
    const INSIDE: &str = "EDGEPROOF_TEST_NETWORK";
    if std::env::var_os(INSIDE).is_some() {
        return strangers_inside();
    }
    let network = "set -e
        ip link set lo up
        ip link add own type veth peer name theirs
        ip link set own address 02:00:00:00:00:07 up
        ip addr add 10.9.8.7/24 dev own
        ip neigh add 10.9.8.1 lladdr 00:21:59:96:75:7f dev own nud permanent
        ip neigh add 10.9.8.8 lladdr 02:00:00:00:00:08 dev own nud permanent";
    let possible = Command::new("unshare").args(["-rn", "sh", "-c", network]).output();
    if !possible.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("not tried: no network namespace with veth can be made here: {possible:?}");
        return;
    }
    let again =
        format!("{network}\nexec \"$0\" --exact neighbours_that_nobody_accounts_for --nocapture");
    let output = Command::new("unshare")
        .args(["-rn", "sh", "-c", &again])
        .arg(std::env::current_exe().expect("this test"))
        .env(INSIDE, "1")
        .output()
        .expect("it was there");
    assert!(output.status.success(), "{}{}", out(&output), err(&output));
    assert!(out(&output).contains("1 passed"));
}

fn strangers_inside() {
    // The other host lives as long as its standard input.
    let mut host = Command::new("unshare")
        .args(["-n", "sh", "-c", "echo; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a namespace");
    let mut ready = String::new();
    let stdout = host.stdout.as_mut().expect("it is piped");
    BufReader::new(stdout).read_line(&mut ready).expect("it is there");
    let pid = host.id().to_string();
    let set = format!(
        "set -e; ip link set theirs netns {pid}
         nsenter -t {pid} -n ip link set theirs address 02:00:00:00:00:08 up
         nsenter -t {pid} -n ip addr add 10.9.8.8/24 dev theirs
         nsenter -t {pid} -n ip neigh add 10.9.8.7 lladdr 02:00:00:00:00:07 dev theirs nud permanent"
    );
    assert!(Command::new("sh").args(["-c", &set]).status().expect("a shell").success());
    let fleet = Fleet::new("[netstat]");
    let _own = fleet.serves("own");
    // Standard error tells when it waits; the server is reached over the link.
    let url = format!("nats://10.9.8.7:{}", fleet.server.port);
    let state = fleet.server.path("state/other");
    let process = Command::new("nsenter")
        .args(["-t", &pid, "-n"])
        .arg(program())
        .args(["agent", "serve", "-nats", &url, "-trust", &fleet.trust, "-name", "other", "-state"])
        .arg(state)
        .stderr(Stdio::piped())
        .spawn();
    let mut other = Serving(process.expect("nsenter"), channel().1);
    let stderr = other.0.stderr.take().expect("it is piped");
    let mut told = BufReader::new(stderr).lines().map_while(Result::ok);
    assert!(told.any(|line| line.contains("waits for actions")));
    // One that nobody reads any more goes on.
    drop(told);

    let found = fleet.asks(&["unknown-hosts", "-t", "all"]);
    assert_eq!(
        out(&found),
        "00:21:59:96:75:7f is not accounted for\n  seen by own: own 10.9.8.1\n\
         2 sent, 2 done, 2 succeeded\n2 agents have found results\n",
        "{}",
        err(&found)
    );
    assert_eq!(found.status.code(), Some(1));
    // Without the other host's own answer, its MAC is one that nobody accounts for.
    let alone = fleet.asks(&["unknown-hosts", "-t", "own", "-format", "mig"]);
    let both = "00:21:59:96:75:7f is not accounted for\n02:00:00:00:00:08 is not accounted for\n";
    assert!(out(&alone).starts_with(both), "{}", out(&alone));
    let list = fleet.server.path("hosts.macs");
    std::fs::write(&list, "00:21:59:96:75:7f gateway\n").expect("a list");
    let list = list.to_str().expect("UTF-8");
    let good = fleet.asks(&["unknown-hosts", "-known", list, "-t", "all", "-format", "mig"]);
    assert_eq!(good.status.code(), Some(0), "{}", out(&good));
    // Later, from what is kept: the same verdict, by a list of that day.
    let json = fleet.asks(&["unknown-hosts", "-t", "own", "-format", "json"]);
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).expect("an object");
    let id = object["action"]["id"].as_str().expect("an id");
    let resume = ["investigate", "unknown-hosts", "-resume", id, "-nats", &fleet.url];
    let again = run(&[&resume[..], &["-format", "mig"]].concat());
    assert_eq!((again.status.code(), out(&again)), (Some(1), out(&alone)));
    let again = run(&[&resume[..], &["-format", "mig", "-known", list]].concat());
    assert!(
        out(&again).starts_with("02:00:00:00:00:08 is not accounted for\n1 sent"),
        "{}",
        out(&again)
    );
    let netstat = fleet.asks(&["netstat", "-lm", ".", "-t", "own", "-format", "json"]);
    let object: serde_json::Value = serde_json::from_slice(&netstat.stdout).expect("an object");
    let id = object["action"]["id"].as_str().expect("an id");
    let none = run(&["investigate", "unknown-hosts", "-resume", id, "-nats", &fleet.url]);
    assert_eq!(none.status.code(), Some(2));
    assert!(err(&none).contains("is `netstat`, not `unknown hosts`"), "{}", err(&none));
    // The agents' own comparison, with a list that travels along.
    let own = fleet.asks(&["netstat", "-known", list, "-t", "own", "-format", "mig"]);
    assert!(out(&own).starts_with("own 02:00:00:00:00:08 is not accounted for\n"), "{}", out(&own));
    drop(other);
    drop(host.stdin.take());
    let _ = host.wait();
}
