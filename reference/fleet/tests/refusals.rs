//! What agents do not take: a real nats-server, real agents.

mod fleet;

use std::time::Duration;

use edgeproof_agent::Module;
use edgeproof_fleet::{
    Body, Followed, Id, Memory, Moment, Order, Question, SecretKey, Sent, seal, subject,
};
use fleet::{Agent, Host, Server, asker, hears, key, known, oddities, question};
use futures_util::StreamExt as _;

const LONG: Duration = Duration::from_secs(50);

fn order(text: &[u8]) -> Order {
    let now = Moment::now();
    Order {
        nonce: Id::new().expect("an id"),
        name: "by hand".to_owned(),
        target: "all".to_owned(),
        modules: vec!["file".to_owned()],
        issued: now,
        expires: now.plus(LONG),
        body: Body::of(text, false),
    }
}

/// Publishes an action as somebody else than an asker could.
async fn publish(server: &Server, order: &Order, text: &[u8], key: &SecretKey) {
    let client = server.client().await;
    let message = seal(order, text, key);
    let subject = subject::action(order.id(&key.public()));
    client.publish(subject, message.into()).await.expect("a server");
    client.flush().await.expect("a server");
}

/// One agent that trusts the key with these modules, and an action sent to it.
async fn asked(
    server: &Server,
    trusted: &SecretKey,
    may: &[Module],
    signer: &SecretKey,
    question: &Question,
) -> (Agent, Sent, Vec<String>) {
    let host =
        Host { trust: vec![asker("alice", trusted, may)], ..Host::new(server, "a", trusted) };
    let agent = host.write("home/bob/stray", "").starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(question, &all, signer).await.expect("it is kept");
    let (followed, lines) = hears(&asker, &mut sent).await;
    assert_eq!(followed, Followed::All);
    (agent, sent, lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_key() {
    let (server, alice, eve) = (Server::start(), key(), key());
    let (_agent, sent, lines) =
        asked(&server, &alice, &Module::ALL, &eve, &question("all", LONG)).await;
    let told =
        format!("a: refused: the key {} is not among those that this agent trusts", eve.public());
    assert_eq!((oddities(&sent), lines), (vec![told], Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_without_the_right() {
    let (server, alice) = (Server::start(), key());
    let may = [Module::Ping, Module::Netstat];
    let (_agent, sent, lines) = asked(&server, &alice, &may, &alice, &question("all", LONG)).await;
    let told = "a: refused: the key of alice may not use the module file".to_owned();
    assert_eq!((oddities(&sent), lines), (vec![told], Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_asks_for_more_than_was_signed() {
    let (server, alice) = (Server::start(), key());
    let question = Question { modules: vec![Module::Ping], ..question("all", LONG) };
    let (_agent, sent, lines) = asked(&server, &alice, &[Module::Ping], &alice, &question).await;
    let told = "a: refused: the action's text uses the module file, which its order does not name";
    assert_eq!((oddities(&sent), lines), (vec![told.to_owned()], Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_sent_again() {
    let (server, alice) = (Server::start(), key());
    let mut actions = server.client().await.subscribe(subject::ACTIONS).await.expect("a server");
    let (mut agent, sent, lines) =
        asked(&server, &alice, &Module::ALL, &alice, &question("all", LONG)).await;
    assert_eq!(lines.len(), 1, "the first is taken");
    let message = actions.next().await.expect("an action");
    let client = server.client().await;
    client.publish(message.subject, message.payload).await.expect("a server");
    agent.tells("refused: this agent has taken this action before").await;
    agent.tells("answered").await;
    let asker = server.asker().await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    hears(&asker, &mut again).await;
    assert_eq!(oddities(&again), ["a: was sent the action again (1×), and refused"]);
    assert_eq!(again.roll.tally().succeeded, 1, "its first answer stands");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_sent_again_to_the_next_run() {
    let (server, alice) = (Server::start(), key());
    let state = server.path("state");
    let host = |memory| Host { memory, ..Host::new(&server, "a", &alice) };
    let first = host(Memory::in_folder(&state, Moment::now()).expect("a folder"));
    let mut first = first.starts().await;
    let text = question("all", LONG).text;
    let order = order(&text);
    publish(&server, &order, &text, &alice).await;
    first.tells("action ").await;
    first.dies().await;
    let mut second =
        host(Memory::in_folder(&state, Moment::now()).expect("a folder")).starts().await;
    publish(&server, &order, &text, &alice).await;
    second.tells("refused: this agent has taken this action before").await;
    // One that remembers nothing takes it: it was the memory that refused.
    let mut third = Host::new(&server, "b", &alice).starts().await;
    publish(&server, &order, &text, &alice).await;
    third.tells("`by hand` of alice: file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_whose_time_is_over_or_has_not_come() {
    let (server, alice) = (Server::start(), key());
    let mut agent = Host::new(&server, "a", &alice).starts().await;
    let text = question("all", LONG).text;
    let now = Moment::now();
    let minute = 60_000;
    let over = Order {
        issued: Moment(now.0 - 2 * minute),
        expires: Moment(now.0 - minute),
        ..order(&text)
    };
    publish(&server, &over, &text, &alice).await;
    agent.tells("refused: it ended 60.").await;
    let early = Order {
        issued: Moment(now.0 + minute),
        expires: Moment(now.0 + 2 * minute),
        ..order(&text)
    };
    publish(&server, &early, &text, &alice).await;
    agent.tells("refused: it was signed ").await;
    publish(&server, &order(&text), &text, &alice).await;
    agent.tells("`by hand` of alice: file").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_action_that_was_changed_on_its_way() {
    let (server, alice) = (Server::start(), key());
    let _kept = server.asker().await;
    let mut agent = Host::new(&server, "a", &alice).starts().await;
    let text = question("all", LONG).text;
    // Another text under the same signature, another order, and no action at all.
    let order = order(&text);
    let changed = String::from_utf8(text.clone()).expect("text").replace("stray", "xxxxx");
    publish(&server, &order, changed.as_bytes(), &alice).await;
    agent.tells("refused: the action's text is not the one that was signed").await;
    let client = server.client().await;
    let message = String::from_utf8(seal(&order, &text, &alice)).expect("text");
    let message = message.replace("\"name\":\"by hand\"", "\"name\":\"by feet\"");
    let subject = subject::action(order.id(&alice.public()));
    client.publish(subject.clone(), message.into()).await.expect("a server");
    agent.tells("refused: the signature is not that of the key it names").await;
    client.publish(subject, "rm -rf /".into()).await.expect("a server");
    agent.tells("a message that is no action").await;
    // The true one is still taken: a forged one was not remembered. Nothing was answered in its place.
    let mut answers = client.subscribe(subject::ANSWERS).await.expect("a server");
    client.flush().await.expect("a server");
    publish(&server, &order, &text, &alice).await;
    agent.tells("`by hand` of alice: file").await;
    let first = answers.next().await.expect("an answer");
    assert!(String::from_utf8_lossy(&first.payload).contains("\"kind\":\"taken\""), "{first:?}");
    // It is the same one however it is written.
    let written = String::from_utf8(seal(&order, &text, &alice)).expect("text");
    let written = written.replacen(" 1 ed25519", " 1 \ted25519", 1);
    client
        .publish(subject::action(order.id(&alice.public())), written.into())
        .await
        .expect("a server");
    agent.tells("refused: this agent has taken this action before").await;
}

/// Somebody who may send actions, but with a key of fewer rights, sends something in an action's place. What agents
/// answer to that is nobody's answer to the action, now and later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_takes_an_actions_place() {
    let (server, alice, bob) = (Server::start(), key(), key());
    let trust = vec![asker("alice", &alice, &Module::ALL), asker("bob", &bob, &[Module::Ping])];
    let host = Host { trust, ..Host::new(&server, "a", &alice) };
    let mut agent = host.write("home/bob/stray", "").starts().await;
    let asker = server.asker().await;
    let all = known(&asker, 1).await;
    let mut sent = asker.send(&question("all", LONG), &all, &alice).await.expect("it is kept");
    let client = server.client().await;
    let ping = br#"{"operations": [{"module": "ping"}]}"#;
    let other = seal(&Order { modules: vec!["ping".to_owned()], ..order(ping) }, ping, &bob);
    let roster = r#"{"v":1,"agents":["b","c"]}"#;
    for (subject, message) in [
        (subject::action(sent.id), other.into()),
        (subject::action(sent.id), "nonsense".into()),
        (subject::roster(sent.id), roster.into()),
    ] {
        client.publish(subject, message).await.expect("a server");
    }
    client.flush().await.expect("a server");
    agent.tells("`by hand` of bob: ping").await;
    hears(&asker, &mut sent).await;
    let mut again = asker.find(sent.id).await.expect("it is kept");
    let (_, lines) = hears(&asker, &mut again).await;
    assert_eq!((lines.len(), oddities(&again)), (1, Vec::new()));
    assert_eq!((again.name.as_str(), again.roll.len()), ("strays", 1));
}

/// Whoever sends many makes no agent fill a log, or the server's disk. Others are answered meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_without_end_are_not_told() {
    let (server, alice, eve) = (Server::start(), key(), key());
    let _kept = server.asker().await;
    let mut agent = Host::new(&server, "a", &alice).starts().await;
    let text = question("all", LONG).text;
    for _ in 0..100 {
        publish(&server, &order(&text), &text, &eve).await;
    }
    publish(&server, &order(&text), &text, &alice).await;
    let mut refused = 0;
    loop {
        let line = agent.tells("action ").await;
        if line.contains("`by hand` of alice: file") {
            break;
        }
        refused += u32::from(line.contains(" refused: "));
    }
    assert_eq!(refused, 20);
}
