//! Who answers, and how: a real nats-server, real agents.

mod fleet;

use std::sync::Arc;
use std::time::Duration;

use edgeproof_agent::Module;
use edgeproof_fleet::{
    ALONG, Access, Answer, Done, FleetAsker, Followed, Id, PART, Store, Tally, subject,
};
use fleet::{Host, Server, Way, hears, held, key, known, oddities, outcome, question, silent};
use futures_util::StreamExt as _;
use tokio::sync::watch;

const LONG: Duration = Duration::from_secs(50);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_agent_looks_below_its_own_root() {
    let (server, key) = (Server::start(), key());
    let mut agents = Vec::new();
    for name in ["web1.example.net", "web2", "web3"] {
        let host = Host::new(&server, name, &key).write("home/bob/notes", "");
        let host = if name == "web2" { host.write("home/bob/stray", "12345") } else { host };
        agents.push(host.starts().await);
    }
    let asker = server.asker().await;
    let all = known(&asker, 3).await;
    let question = question("status='online' AND mode='daemon'", LONG);
    let chosen: Vec<_> = all.into_iter().filter(|facts| question.target.takes(facts)).collect();
    let mut sent = asker.send(&question, &chosen, &key).await.expect("it is kept");
    let (followed, lines) = hears(&asker, &mut sent).await;
    assert_eq!((followed, oddities(&sent)), (Followed::All, Vec::new()));
    assert_eq!(sent.roll.tally(), Tally { sent: 3, done: 3, succeeded: 3, found: 1, partly: 0 });
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert!(line.starts_with("web2 /home/bob/stray [lastmodified:"), "{line}");
    assert!(line.ends_with("size:5] in search 's1'"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_whom_the_target_takes_answer() {
    let (server, key) = (Server::start(), key());
    let mut agents = Vec::new();
    for (name, role) in [("a", "web"), ("b", "db"), ("c", "web")] {
        let mut host = Host::new(&server, name, &key);
        host.tags = vec![("role".to_owned(), role.to_owned())];
        agents.push(host.starts().await);
    }
    let asker = server.asker().await;
    let all = known(&asker, 3).await;
    // The list says all: it is the agents that judge.
    let question = question("tags->>'role' = 'web'", Duration::from_secs(1));
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    assert_eq!(hears(&asker, &mut sent).await.0, Followed::TimeOver);
    assert_eq!(oddities(&sent), ["b: never answered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_dies_is_named_long_before_the_end() {
    let (server, key) = (Server::start(), key());
    let (work, mut begins, _end) = held();
    let doomed = Host { work, ..Host::new(&server, "doomed", &key) }.starts().await;
    let _good = Host::new(&server, "good", &key).starts().await;
    let unplugged = Host::new(&server, "unplugged", &key).starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 3).await;
    // It is heard of, and goes before it is asked.
    unplugged.leaves().await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    begins.recv().await.expect("it looks");
    doomed.dies().await;
    assert_eq!(hears(&asker, &mut sent).await.0, Followed::All);
    assert_eq!(
        oddities(&sent),
        [
            "doomed: died: it took the action and is gone",
            "unplugged: never answered: it is not connected"
        ]
    );
    assert_eq!(sent.roll.tally().succeeded, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_started_again_has_died() {
    let (server, key) = (Server::start(), key());
    let (work, mut begins, _end) = held();
    let first = Host { work, ..Host::new(&server, "a", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    begins.recv().await.expect("it looks");
    first.dies().await;
    let _second = Host::new(&server, "a", &key).starts().await;
    assert_eq!(hears(&asker, &mut sent).await.0, Followed::All);
    assert_eq!(oddities(&sent), ["a: died: it took the action and is gone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_one_name_are_told() {
    let (server, key) = (Server::start(), key());
    let _a = Host::new(&server, "a", &key).starts().await;
    let _again = Host::new(&server, "a", &key).starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    hears(&asker, &mut sent).await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    hears(&asker, &mut again).await;
    assert_eq!(oddities(&again), ["a: answered 2 times; is its name used twice?"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_comes_late_is_told_and_kept() {
    let (server, key) = (Server::start(), key());
    let (work, mut begins, end) = held();
    let mut slow = Host { work, ..Host::new(&server, "slow", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let question = question("all", Duration::from_secs(1));
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    begins.recv().await.expect("it looks");
    assert_eq!(hears(&asker, &mut sent).await.0, Followed::TimeOver);
    assert_eq!(
        oddities(&sent),
        ["slow: overdue: it took the action and has not answered by the end"]
    );
    end.send(()).expect("it waits");
    slow.tells("answered").await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    let (_, lines) = hears(&asker, &mut again).await;
    assert_eq!(lines, ["slow /home/bob/stray"]);
    let told = oddities(&again);
    assert!(told.len() == 1 && told[0].starts_with("slow: late: it answered "), "{told:?}");
    let tally = again.roll.tally();
    assert_eq!((tally.done, tally.found), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_finds_the_answers_later() {
    let (server, key) = (Server::start(), key());
    let (work, mut begins, end) = held();
    let mut agent = Host { work, ..Host::new(&server, "a", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    begins.recv().await.expect("it looks");
    let (_stop, stopped) = watch::channel(true);
    let followed = asker.follow(&mut sent, |_, _| {}, |_| {}, stopped).await.expect("a server");
    assert_eq!((followed, sent.roll.count_open()), (Followed::Stopped, 1));
    drop(asker);
    end.send(()).expect("it waits");
    agent.tells("answered").await;
    // Another process, knowing only the id.
    let asker = server.asker().await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    let (followed, lines) = hears(&asker, &mut again).await;
    assert_eq!((followed, lines), (Followed::All, vec!["a /home/bob/stray".to_owned()]));
    assert!(again.roll.is_whole() && again.name == "strays" && again.target == "all");
    let unknown = asker.find(Id::new().expect("an id")).await.expect_err("nobody asked it");
    assert!(unknown.to_string().starts_with("there is no action "), "{unknown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_breaks_says_so() {
    let (server, key) = (Server::start(), key());
    let broken = Host {
        work: Arc::new(|_, _, _| panic!("a fault of the agent's")),
        ..Host::new(&server, "broken", &key)
    };
    let _broken = broken.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    assert_eq!(hears(&asker, &mut sent).await.0, Followed::All);
    // Not with what it broke at: that may be of a file.
    let told = "broken: failed: the agent broke while it looked; its log tells where";
    assert_eq!(oddities(&sent), [told]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_holds_up_no_other_beyond_its_time() {
    let (server, key) = (Server::start(), key());
    let (work, mut begins, _end) = held();
    let _a = Host { work, ..Host::new(&server, "a", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    // As many as it runs at a time.
    for _ in 0..2 {
        asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
        begins.recv().await.expect("it looks");
    }
    let question = question("all", Duration::from_secs(1));
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    hears(&asker, &mut sent).await;
    let told = "a: failed: its turn did not come in time: other actions still run (see -jobs)";
    assert_eq!(oddities(&sent), [told]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_has_lost_its_server_can_be_told_to_stop() {
    let (server, key) = (Server::start(), key());
    let (mut agent, client) = Host::new(&server, "a", &key).starts_and_shares().await;
    drop(server);
    agent.tells("disconnected").await;
    // Nothing more can be said to a server: what waits to be said takes all the room.
    let says = || tokio::time::timeout(Duration::from_millis(200), client.publish("x", "".into()));
    while says().await.is_ok() {}
    tokio::time::timeout(Duration::from_secs(20), agent.leaves()).await.expect("it stops");
}

/// Over a way to the server on which little comes through, and then nothing for longer than last answers are waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_kept_is_heard_however_slow_the_way() {
    const AGENTS: usize = 8;
    let (server, key) = (Server::start(), key());
    let facts = |number| edgeproof_fleet::Facts { name: format!("{number}"), ..Default::default() };
    let all: Vec<_> = (0..AGENTS).map(facts).collect();
    let over = question("all", Duration::from_millis(1));
    let asker = server.asker().await;
    let sent = asker.send(&over, &all, &key).await.expect("it is kept");
    let client = server.client().await;
    let result = serde_json::Value::from("x".repeat(PART / AGENTS));
    let operations = vec![edgeproof_agent::Outcome { result, ..outcome(1) }];
    let done = Answer::Done(Done { operations, ..Done::default() });
    for facts in &all {
        for message in done.messages(Id::new().expect("an id"), PART) {
            let subject = subject::answer(sent.id, &facts.name);
            client.publish(subject, message.into()).await.expect("a server");
        }
    }
    client.flush().await.expect("a server");
    let way = Way::to(server.port).await;
    let access = Access::to(format!("nats://127.0.0.1:{}", way.port));
    let client = access.connect("test", silent()).await.expect("a server");
    let asker = FleetAsker::new(Store::open(client).await.expect("JetStream"));
    let mut again = asker.find(sent.id).await.expect("it is kept");
    way.octets.send(PART / 4).expect("it is open");
    let mut hears = std::pin::pin!(hears(&asker, &mut again));
    let early = tokio::time::timeout(Duration::from_secs(1), &mut hears).await;
    assert!(early.is_err(), "{early:?}");
    way.octets.send(usize::MAX).expect("it is open");
    let (followed, lines) = hears.await;
    assert_eq!((followed, lines.len()), (Followed::All, AGENTS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_actions_and_large_answers_come_through() {
    let (server, key) = (Server::start(), key());
    let work = |task: edgeproof_agent::Task, _: &std::path::Path, _: Option<std::time::Instant>| {
        assert_eq!(task.name, "large");
        let line = "/home/bob/a rather long name of a file";
        vec![edgeproof_agent::Outcome { lines: vec![line.to_owned(); 40_000], ..outcome(40_000) }]
    };
    let _a = Host { work: Arc::new(work), ..Host::new(&server, "a", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut question = question("all", LONG);
    let words = "x".repeat(3 * ALONG);
    question.text =
        serde_json::json!({ "name": "large", "version": 2, "operations": [{ "module": "file",
        "parameters": { "searches": { words: { "paths": ["/home"], "names": ["x"] } } } }] })
        .to_string()
        .into_bytes();
    // The message itself is small: the text lies beside it.
    let mut actions = server.client().await.subscribe(subject::ACTIONS).await.expect("a server");
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    let message = actions.next().await.expect("an action");
    assert!(message.payload.len() < 2000, "{}", message.payload.len());
    let (_, lines) = hears(&asker, &mut sent).await;
    assert_eq!((lines.len(), oddities(&sent)), (40_000, Vec::new()));
    assert!(lines.iter().map(String::len).sum::<usize>() > PART, "it came in parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_small_messages_gets_small_parts() {
    let (server, key) = (Server::with("max_payload: 65536"), key());
    let line = "/home/bob/a rather long name of a file".to_owned();
    let lines = vec![line; 5000];
    let work = move |_: edgeproof_agent::Task, _: &_, _: Option<_>| {
        vec![edgeproof_agent::Outcome { lines: lines.clone(), ..outcome(5000) }]
    };
    let _a = Host { work: Arc::new(work), ..Host::new(&server, "a", &key) }.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let question = question("all", Duration::from_secs(5));
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    let (_, lines) = hears(&asker, &mut sent).await;
    assert_eq!((lines.len(), oddities(&sent)), (5000, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_of_somebody_not_asked_is_told() {
    let (server, key) = (Server::start(), key());
    let _a = Host::new(&server, "a", &key).starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &key).await.expect("it is kept");
    let client = server.client().await;
    let done = Answer::Done(Done { operations: vec![outcome(1)], ..Done::default() });
    for message in done.messages(Id::new().expect("an id"), PART) {
        client.publish(subject::answer(sent.id, "b"), message.into()).await.expect("a server");
    }
    client.publish(subject::answer(sent.id, "c"), "nonsense".into()).await.expect("a server");
    client.flush().await.expect("a server");
    hears(&asker, &mut sent).await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    hears(&asker, &mut again).await;
    assert_eq!(
        oddities(&again),
        ["b: answered although it was not on the list when the action was sent"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_is_not_left() {
    let (server, key) = (Server::start(), key());
    std::fs::create_dir_all(server.path("outside")).expect("a folder");
    std::fs::write(server.path("outside/stray"), "").expect("a file");
    let host = Host::new(&server, "a", &key).write("home/bob/notes", "");
    for (target, link) in [("outside", "home/linked"), ("outside/stray", "home/bob/stray")] {
        std::os::unix::fs::symlink(server.path(target), host.root.join(link)).expect("a link");
    }
    let _a = host.starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut question = question("all", LONG);
    question.text = serde_json::json!({ "version": 2, "operations": [{ "module": "file", "parameters": { "searches": {
        "s1": { "paths": ["/home", "/home/linked"], "names": ["^stray$"], "contents": [""], "options": { "follow": true } } } } }] })
    .to_string()
    .into_bytes();
    let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
    let (_, lines) = hears(&asker, &mut sent).await;
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!(sent.roll.tally().partly, 1, "what was not looked at is said");
    assert_eq!(question.modules, [Module::File]);
}
