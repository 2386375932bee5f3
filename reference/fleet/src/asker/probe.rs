//! Asks agents that are silent whether they are there. The server itself answers for one that is gone: nobody listens
//! under its name.

use std::str::FromStr as _;
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Client, Request};
use futures_util::StreamExt as _;
use tokio::sync::mpsc::Sender;

use crate::id::Id;
use crate::subject;

/// Agents that are asked at a time.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// This run of it answers.
    Here(Id),
    /// Nobody listens under its name.
    Gone,
    /// Somebody listens and does not answer.
    Unclear,
}

/// Calls agents, and tells what comes of each.
pub(super) async fn call(client: Client, agents: Vec<String>, tell: Sender<(String, Call)>) {
    let calls = futures_util::stream::iter(agents).map(|agent| {
        let client = client.clone();
        async move {
            let answer = one(&client, &agent).await;
            (agent, answer)
        }
    });
    let mut calls = std::pin::pin!(calls.buffer_unordered(AT_ONCE));
    while let Some(answer) = calls.next().await {
        if tell.send(answer).await.is_err() {
            return;
        }
    }
}

async fn one(client: &Client, agent: &str) -> Call {
    let request = Request::new().timeout(Some(PATIENCE)).payload("".into());
    match client.send_request(subject::call(agent), request).await {
        Ok(message) => {
            let instance = std::str::from_utf8(&message.payload).ok();
            instance.and_then(|text| Id::from_str(text).ok()).map_or(Call::Unclear, Call::Here)
        }
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Call::Gone,
        Err(_) => Call::Unclear,
    }
}
