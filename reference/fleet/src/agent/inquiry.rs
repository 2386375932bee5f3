//! One action at an agent, from its text to its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use bytes::Bytes;
use edgeproof_agent::{Module, Task};
use tokio::time::timeout_at;

use super::Settings;
use crate::admission::Refusal;
use crate::answer::{Answer, Done, Refused};
use crate::envelope::Order;
use crate::nats::StoreError;
use crate::time::Moment;

/// An action that this agent has taken.
pub(super) struct Inquiry {
    pub(super) order: Order,
    /// Its text, where it came along.
    pub(super) text: Option<Bytes>,
    /// What its order names.
    pub(super) modules: Vec<Module>,
    pub(super) received: Moment,
}

impl Inquiry {
    /// Looks, and says what was found.
    pub(super) async fn answer(
        self,
        jetstream: &jetstream::Context,
        settings: &Settings,
    ) -> Answer {
        let deadline = Instant::now() + self.time(settings.longest);
        // What looks cannot be stopped, and may hang where a disk does: nobody waits for it beyond an action's time.
        let turn = Arc::clone(&settings.workers).acquire_owned();
        let Ok(turn) = timeout_at(deadline.into(), turn).await else {
            return failed("its turn did not come in time: other actions still run (see -jobs)");
        };
        let text = match timeout_at(deadline.into(), self.text(jetstream)).await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return failed(&format!("the action's text: {error}")),
            Err(_) => return failed("the action's text did not come in time"),
        };
        let (work, root) = (Arc::clone(&settings.work), settings.root.clone());
        let looked = tokio::task::spawn_blocking(move || -> Result<Answer, Refusal> {
            let began = Moment::now();
            let task = self.task(&text)?;
            drop(text);
            let operations = work(task, &root, Some(deadline));
            let received = self.received;
            Ok(Answer::Done(Done { received, began, ended: Moment::now(), operations }))
        });
        let answer = looked.await;
        drop(turn);
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(refusal)) => {
                Answer::Refused(Refused { reason: refusal.to_string(), is_replay: false })
            }
            // What it broke at may be of a file: that is for this host's own log.
            Err(_) => failed("the agent broke while it looked; its log tells where"),
        }
    }

    /// The text, which came along or is stored.
    async fn text(&self, jetstream: &jetstream::Context) -> Result<Bytes, StoreError> {
        match &self.text {
            Some(text) => Ok(text.clone()),
            None => {
                crate::nats::text(jetstream, &self.order.nonce.to_string()).await.map(Bytes::from)
            }
        }
    }

    /// Time to look: what is left of the action's, less a tenth (two seconds at most) for the way of the answer.
    fn time(&self, longest: Duration) -> Duration {
        let left = self.order.expires.since(Moment::now());
        left.saturating_sub((left / 10).min(Duration::from_secs(2))).min(longest)
    }

    /// The text, if it is the one that was signed and asks no more than was signed.
    fn task(&self, text: &[u8]) -> Result<Task, Refusal> {
        if !self.order.body.is(text) {
            return Err(Refusal::OtherText);
        }
        let task = Task::from_json(text).map_err(|error| Refusal::Text(error.to_string()))?;
        match task.modules().into_iter().find(|module| !self.modules.contains(module)) {
            Some(module) => Err(Refusal::Undeclared(module)),
            None => Ok(task),
        }
    }
}

fn failed(reason: &str) -> Answer {
    Answer::Failed(reason.to_owned())
}
