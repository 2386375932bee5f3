//! Tasks as they come from afar: from words to JSON to what was found, below a root.

mod host;

use edgeproof_agent::flags::Known;
use edgeproof_agent::{Module, Outcome, Task, TaskError, operation};
use host::Host;
use serde_json::{Value, json};

const NONE: Known<'static> = Known { values: &[], switches: &[] };

fn words(module: Module, words: &[&str]) -> Result<Value, String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    operation(module, &words, NONE).map(|(value, _)| value).map_err(|error| error.to_string())
}

fn task(operations: &[Value]) -> Result<Task, TaskError> {
    Task::from_json(json!({ "version": 2, "operations": operations }).to_string().as_bytes())
}

fn run(host: &Host, operations: &[Value]) -> Vec<Outcome> {
    task(operations).unwrap_or_else(|error| panic!("{error}")).run(&host.path(""), None)
}

#[test]
fn what_is_found_is_as_seen_from_the_root() {
    let host = Host::new();
    host.write("home/bob/stray", "12345");
    host.write("home/bob/.ssh/authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA4s bob\n");
    host.write("etc/passwd", "bob:x:1000:1000::/home/bob:/bin/sh\n");
    let list = host.write("list", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0x alice\n");
    let list = list.to_str().expect("UTF-8");
    let operations = [
        words(Module::File, &["-path", "/home", "-name=^stray$", "-searchname", "strays"]),
        words(Module::Keys, &["-allowed", list]),
        words(Module::Integrity, &[]),
        words(Module::Ping, &[]),
    ];
    let operations = operations.map(|operation| operation.expect("words"));
    let [file, keys, integrity, ping] = &run(&host, &operations)[..] else { panic!("four") };
    assert_eq!((file.module.as_str(), file.found, file.is_whole), ("file", 1, true));
    assert!(file.lines[0].starts_with("/home/bob/stray [lastmodified:"), "{:?}", file.lines);
    assert!(file.lines[0].ends_with("size:5] in search 'strays'"), "{:?}", file.lines);
    assert_eq!(file.result["found"][0]["path"], "/home/bob/stray");
    assert_eq!((keys.found, keys.result["summary"]["accounts"].as_u64()), (1, Some(1)));
    assert!(keys.lines[0].ends_with("/home/bob/.ssh/authorized_keys line 1"), "{:?}", keys.lines);
    assert!(!integrity.is_whole && integrity.errors[0].contains("dpkg"), "{:?}", integrity.errors);
    assert_eq!((ping.found, ping.is_whole), (0, true));
}

#[test]
fn no_link_leads_out_of_the_root() {
    let host = Host::new();
    host.write("outside/stray", "12345");
    host.write("root/home/bob/notes", "");
    host.link(host.path("outside"), "root/home/linked");
    host.link(host.path("outside/stray"), "root/home/bob/stray");
    let search = ["-path", "/home", "-path", "/home/linked", "-name", "^stray$", "-content", "1"];
    let plain = words(Module::File, &search).expect("words");
    let follow = words(Module::File, &[&search[..], &["-follow"]].concat()).expect("words");
    for operation in [plain, follow.clone()] {
        let task = task(&[operation]).expect("a task");
        let found = &task.run(&host.path("root"), None)[0];
        assert_eq!((found.found, found.is_whole), (0, false), "{found:?}");
        assert!(found.errors.iter().any(|line| line.ends_with("and was not followed")));
    }
    // Below a root that has both, the same search finds both.
    let mut below = follow;
    below["parameters"]["searches"]["s1"]["paths"] = json!(["/root/home", "/root/home/linked"]);
    assert!(run(&host, &[below])[0].found >= 2);
}

#[test]
fn several_modules_in_one_task() {
    let netstat = words(Module::Netstat, &["-lp", "0-65535", "-li", "127.0.0.1"]).expect("words");
    let all = [netstat, json!({ "module": "ping" })];
    let task = task(&all).expect("a task");
    assert_eq!(task.modules().into_iter().collect::<Vec<_>>(), [Module::Netstat, Module::Ping]);
    let found = &task.run(std::path::Path::new("/"), None)[0];
    assert!(found.lines.contains(&"local 127.0.0.1/8 lo".to_owned()), "{:?}", found.lines);
}

/// The command on the host itself runs actions of all modules, too.
#[test]
fn an_action_of_several_modules_on_the_host_itself() {
    let host = Host::new();
    let agent = |operations: &[Value], format: &str| {
        let action = json!({ "version": 2, "operations": operations }).to_string();
        let file = host.write("action.json", action).display().to_string();
        edgeproof_agent::main(["-format", format, &file].iter().map(Into::into).collect())
    };
    host.write("stray", "12345");
    let path = host.text("");
    let here = words(Module::Netstat, &["-li", "127.0.0.1"]).expect("words");
    let nowhere = words(Module::Netstat, &["-li", "198.51.100.7"]).expect("words");
    let stray = words(Module::File, &["-path", &path, "-name", "^stray$"]).expect("words");
    let none = words(Module::File, &["-path", &path, "-name", "^none$"]).expect("words");
    let ping = json!({ "module": "ping" });
    for format in ["human", "mig", "json"] {
        assert_eq!(agent(&[here.clone(), none.clone()], format), 1);
        assert_eq!(agent(&[nowhere.clone(), stray.clone()], format), 1);
        assert_eq!(agent(&[nowhere.clone(), none.clone(), ping.clone()], format), 0);
        // Searches alone are made in one pass.
        assert_eq!(agent(&[none.clone(), stray.clone()], format), 1);
    }
    let unread = json!({ "module": "keys", "parameters": { "allowed": "ssh-ed25519 AAAA" } });
    assert_eq!(agent(&[unread, ping.clone()], "human"), 2, "a list of no keys");
    assert_eq!(
        agent(
            &[json!({ "module": "netstat", "parameters": { "searches": { "a": {} } } })],
            "human"
        ),
        2
    );
    assert_eq!(agent(&[json!({ "module": "shell" })], "human"), 2);
}

#[test]
fn an_sshd_is_asked_on_the_host_itself_only() {
    let sshd = words(Module::Sshd, &["-level", "must"]).expect("words");
    let host = Host::new();
    let below = &run(&host, std::slice::from_ref(&sshd))[0];
    assert_eq!((below.found, below.is_whole), (0, false), "{below:?}");
    assert!(below.errors[0].contains("on the host itself only"), "{:?}", below.errors);
    // Whether one is installed or not, something is said of it.
    let whole = &task(&[sshd]).expect("a task").run(std::path::Path::new("/"), None)[0];
    assert!(whole.result["servers"].is_array() || !whole.is_whole, "{whole:?}");
}

#[test]
fn mistakes_are_told() {
    let told = [
        words(Module::File, &["-pth", "/"]),
        words(Module::File, &["-maxdepth", "deep"]),
        words(Module::File, &["home"]),
        words(Module::Keys, &["-root", "/"]),
        words(Module::Keys, &["-allowed", "/nonexistent"]),
        words(Module::Integrity, &["-older", "/backup"]),
        words(Module::Sshd, &["-f", "/etc/ssh/sshd_config"]),
        words(Module::Ping, &["-lp", "22"]),
    ];
    let mut told: Vec<String> = told.into_iter().map(|one| one.expect_err("a mistake")).collect();
    for operations in [
        json!([]),
        json!([{ "module": "shell", "parameters": { "command": "id" } }]),
        json!([{ "module": "ping", "parameters": { "to": "x" } }]),
        json!([{ "module": "file", "parameters": { "searches": {} } }]),
        json!([{ "module": "file", "parameters": { "searches": { "s": { "paths": ["home"] } } } }]),
        json!([{ "module": "file", "parameters": { "searches": { "s": { "paths": ["/"], "names": ["("] } } } }]),
        json!([{ "module": "keys" }]),
        json!([{ "module": "keys", "parameters": { "allowed": "", "sshd-config": "/x" } }]),
        json!([{ "module": "sshd", "parameters": { "level": "high" } }]),
        json!([{ "module": "netstat", "parameters": {} }]),
        json!([{ "module": "netstat", "parameters": { "li": ["10.0.0.0/33"] } }]),
        json!([{ "module": "netstat", "parameters": { "known": "bob" } }]),
    ] {
        let text = json!({ "operations": operations }).to_string();
        told.push(Task::from_json(text.as_bytes()).expect_err(&text).to_string());
    }
    told.push(Task::from_json(br#"{"version": 3, "operations": []}"#).expect_err("3").to_string());
    insta::assert_snapshot!(told.join("\n"));
}
