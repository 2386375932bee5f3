//! The server's half of the trust: TLS, and who may say what. With the configuration that docs/fleet-nats.conf shows.

mod fleet;

use std::fs;
use std::time::Duration;

use edgeproof_fleet::{ALONG, Access, FleetAsker, Followed, Id, Question, Store, subject};
use fleet::{Host, Server, hears, key, known, oddities, question, silent};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// A server with the shown configuration, its certificate, and the passwords in files.
fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().expect("a key");
    write("ca.pem", &authority.self_signed(&authority_key).expect("a certificate").pem());
    let issuer = Issuer::new(authority, authority_key);
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let leaf_key = KeyPair::generate().expect("a key");
    write("server.pem", &leaf.signed_by(&leaf_key, &issuer).expect("a certificate").pem());
    write("server.key", &leaf_key.serialize_pem());
    for user in ["alice", "web1"] {
        write(&format!("{user}.password"), &format!("{user}'s password\n"));
    }
    write("wrong.password", "guessed\n");
    let shown = include_str!("../../../docs/fleet-nats.conf");
    let path = folder.path().display().to_string();
    let config = shown
        .replace("0.0.0.0:4222", "127.0.0.1:-1")
        .replace("/var/lib/nats", &format!("{path}/js"))
        .replace("/etc/nats", &path);
    assert_ne!(config, shown);
    Server::of(folder, &config)
}

fn access(server: &Server, user: &str) -> Access {
    Access {
        servers: vec![format!("tls://127.0.0.1:{}", server.port)],
        user: Some(user.to_owned()),
        password_file: Some(server.path(&format!("{user}.password"))),
        ca: Some(server.path("ca.pem")),
        inbox: Some(format!("_INBOX_{user}")),
        ..Access::default()
    }
}

async fn alice(server: &Server) -> FleetAsker {
    let client = access(server, "alice").connect("alice", silent()).await.expect("a server");
    FleetAsker::new(Store::open(client).await.expect("JetStream"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_can_do_their_part() {
    let (server, key) = (server(), key());
    // The asker comes first: an agent may make no room for what is kept.
    let asker = alice(&server).await;
    let host = Host { access: access(&server, "web1"), ..Host::new(&server, "web1", &key) };
    let mut web1 = host.write("home/bob/stray", "").starts().await;
    let all = known(&asker, 1).await;
    let along = question("all", Duration::from_secs(50));
    let padding = " ".repeat(2 * ALONG);
    let large = Question { text: [&along.text[..], padding.as_bytes()].concat(), ..along.clone() };
    for question in [along, large] {
        let mut sent = asker.send(&question, &all, &key).await.expect("it is kept");
        let (followed, lines) = hears(&asker, &mut sent).await;
        assert_eq!((followed, oddities(&sent)), (Followed::All, Vec::new()));
        assert_eq!(lines.len(), 1);
    }
    web1.stop.send(true).expect("it runs");
    let mut told = Vec::new();
    while let Some(line) = web1.told.recv().await {
        told.push(line);
    }
    assert!(!told.iter().any(|line| line.contains("NATS")), "{told:?}");
    // What web1 must not do: it is told each time.
    for forbidden in [
        subject::action(Id::new().expect("an id")),
        subject::answer(Id::new().expect("an id"), "web2"),
        subject::presence("web2"),
        "$JS.API.STREAM.DELETE.edgeproof_actions".to_owned(),
    ] {
        let told = refused(&server, async |client| {
            client.publish(forbidden.clone(), "".into()).await.expect("it is sent");
        });
        assert!(told.await.contains("Permissions Violation for Publish"), "{forbidden}");
    }
    for forbidden in [subject::answers(Id::new().expect("an id")), "_INBOX_alice.>".to_owned()] {
        let told = refused(&server, async |client| {
            let _heard = client.subscribe(forbidden.clone()).await.expect("it is sent");
            client.flush().await.expect("a server");
        });
        assert!(told.await.contains("Permissions Violation for Subscription"), "{forbidden}");
    }
}

/// What the server says to web1.
async fn refused(server: &Server, attempt: impl AsyncFnOnce(&async_nats::Client)) -> String {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let log = std::sync::Arc::new(move |line: &str| drop(tell.send(line.to_owned())));
    let client = access(server, "web1").connect("web1", log).await.expect("a server");
    attempt(&client).await;
    let told = tokio::time::timeout(Duration::from_secs(10), told.recv()).await;
    told.expect("it is refused").expect("a line")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_let_in_is_told_why() {
    let server = server();
    let told = async |access: Access| {
        access.connect("test", silent()).await.map(drop).expect_err("not let in").to_string()
    };
    let good = access(&server, "alice");
    let wrong_password =
        Access { password_file: Some(server.path("wrong.password")), ..good.clone() };
    let said = told(wrong_password).await;
    assert!(said.contains("does not let you in"), "{said}");
    let nobody = Access { user: None, password_file: None, ..good.clone() };
    let said = told(nobody).await;
    assert!(said.contains("does not let you in"), "{said}");
    let no_ca = Access { ca: None, ..good.clone() };
    let said = told(no_ca).await;
    assert!(said.contains("TLS with the NATS server"), "{said}");
    let half = Access { password_file: None, ..good.clone() };
    assert_eq!(told(half).await, "--user and --password-file belong together");
    let in_the_open = Access::to(format!("nats://alice:secret@127.0.0.1:{}", server.port));
    let said = told(in_the_open).await;
    assert!(said.starts_with("a password in an address") && !said.contains("secret"), "{said}");
    drop(server);
    let said = told(Access::to("nats://127.0.0.1:1")).await;
    assert!(said.starts_with("no NATS server answers at nats://127.0.0.1:1"), "{said}");
    let said = told(Access::to("http://127.0.0.1")).await;
    assert!(said.starts_with("`http://127.0.0.1` is no NATS server"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_keeps_nothing_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::of(folder, "listen: 127.0.0.1:-1\n");
    let error = Store::open(server.client().await).await.expect_err("no JetStream");
    assert!(error.to_string().contains("start it with `-js`"), "{error}");
}
