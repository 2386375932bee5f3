//! What the directory knows of agents that speak while it is read: a real nats-server.

mod fleet;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use edgeproof_fleet::{Id, Presence, facts, subject};
use fleet::Server;
use tokio::sync::watch;

const AGENTS: usize = 500;
const READS: usize = 60;

/// A new word of an agent takes the place of its last. Whoever reads meets now one, now the other, and must not miss
/// both: an agent that is not on the list is not asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_missing_who_speaks_while_it_is_read() {
    let server = Server::start();
    let asker = server.asker().await;
    let client = server.client().await;
    let words: Vec<_> = (0..AGENTS)
        .map(|number| {
            let name = format!("host{number:03}");
            let facts = facts(&name, BTreeMap::new(), Path::new("/"));
            let presence = Presence::new(Id::new().expect("an id"), Duration::from_secs(60), facts);
            (subject::presence(&name), bytes::Bytes::from(presence.to_bytes()))
        })
        .collect();
    for (subject, word) in &words {
        client.publish(subject.clone(), word.clone()).await.expect("a server");
    }
    // The server has dealt with these before it answers what comes later.
    client.flush().await.expect("a server");
    fleet::known(&asker, AGENTS).await;
    let (stop, stopped) = watch::channel(false);
    let speaking = tokio::spawn(async move {
        while !*stopped.borrow() {
            for (subject, word) in &words {
                client.publish(subject.clone(), word.clone()).await.expect("a server");
            }
            client.flush().await.expect("a server");
        }
    });
    for read in 0..READS {
        let directory = asker.directory().await.expect("a directory");
        assert_eq!(directory.len(), AGENTS, "in read {read}");
    }
    stop.send(true).expect("it speaks");
    speaking.await.expect("it spoke");
}
