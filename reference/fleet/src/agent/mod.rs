//! An agent that waits for actions.
//!
//! ```text
//!  action ──▶ admit (whose, when, before?) ──▶ target (for me?) ──▶ "taken"
//!                │ refusal                                            │
//!                ▼                                                    ▼
//!             "refused"      "done", "failed" ◀── a thread that looks ◀── text (along, or of the object store)
//! ```

mod inquiry;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Client, Message, jetstream};
use edgeproof_agent::{Outcome, Task};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::admission::{Refusal, admit};
use crate::answer::{Answer, PART, Refused};
use crate::envelope::Sealed;
use crate::facts::Facts;
use crate::id::Id;
use crate::memory::Memory;
use crate::nats::StoreError;
use crate::presence::Presence;
use crate::stop::{self, Stop};
use crate::subject;
use crate::target::Target;
use crate::time::Moment;
use crate::trust::Trust;
use inquiry::Inquiry;

/// How often an answer is sent until it is kept.
const TRIES: u32 = 5;

/// What looks: the task, the folder that stands for `/`, the time at which to end.
pub type Work = Arc<dyn Fn(Task, &Path, Option<Instant>) -> Vec<Outcome> + Send + Sync>;

/// Where an agent tells its operator what it does, a line at a time.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What an agent is.
#[derive(Clone)]
pub struct Settings {
    /// What it says of itself; its name is among it.
    pub facts: Facts,
    /// Whose actions it takes.
    pub trust: Arc<Trust>,
    /// What stands for `/`.
    pub root: PathBuf,
    /// Time between heartbeats.
    pub heartbeat: Duration,
    /// The longest time that an action may look.
    pub longest: Duration,
    /// What looks; [`looking`] but in tests.
    pub work: Work,
    /// Actions at a time, of all agents that share it.
    pub workers: Arc<Semaphore>,
    /// Where it tells what it does.
    pub log: Log,
}

/// The agent's own modules.
pub fn looking() -> Work {
    Arc::new(Task::run)
}

/// What ends an agent.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen for actions.
    #[error("cannot listen for actions: {0}")]
    Subscribe(#[from] async_nats::SubscribeError),
    /// No random octets.
    #[error("no id for this run: {0}")]
    Id(std::io::Error),
    /// The connection is closed for good.
    #[error("the connection to the NATS server is closed")]
    Closed,
}

/// Waits for actions until it is told to stop.
///
/// # Errors
/// It cannot listen, or the connection is closed for good.
pub async fn serve(
    client: Client,
    settings: Settings,
    memory: Memory,
    mut stop: Stop,
) -> Result<(), ServeError> {
    let instance = Id::new().map_err(ServeError::Id)?;
    let name = settings.facts.name.clone();
    let mut actions = client.subscribe(subject::ACTIONS).await?;
    let mut calls = client.subscribe(subject::call(&name)).await?;
    let mut roll_calls = client.subscribe(subject::ROLL_CALL).await?;
    let presence = Presence::new(instance, settings.heartbeat, settings.facts.clone());
    let mut beats = tokio::time::interval(settings.heartbeat);
    beats.tick().await;
    let mut agent = Agent {
        jetstream: jetstream::new(client.clone()),
        client,
        settings,
        instance,
        memory,
        running: JoinSet::new(),
    };
    agent.say(&presence).await;
    // Once the server has heard what this agent listens to, it may be asked.
    agent.client.flush().await.map_err(|_| ServeError::Closed)?;
    agent.log(&format!("waits for actions, run {instance}"));
    loop {
        tokio::select! {
            action = actions.next() => agent.hear(action.ok_or(ServeError::Closed)?).await,
            _ = beats.tick() => agent.say(&presence).await,
            call = roll_calls.next() => {
                call.ok_or(ServeError::Closed)?;
                agent.say(&presence).await;
            }
            call = calls.next() => agent.reply(&call.ok_or(ServeError::Closed)?).await,
            // What has ended is forgotten; its answer is sent.
            Some(_) = agent.running.join_next() => {}
            () = stop::told(&mut stop) => break,
        }
    }
    agent.say(&presence.leaving()).await;
    // The last word is a courtesy: a connection that is gone has said it.
    let _ = tokio::time::timeout(Duration::from_secs(2), agent.client.flush()).await;
    Ok(())
}

struct Agent {
    client: Client,
    jetstream: jetstream::Context,
    settings: Settings,
    instance: Id,
    memory: Memory,
    running: JoinSet<()>,
}

impl Agent {
    fn log(&self, text: &str) {
        (self.settings.log)(&format!("{}: {text}", self.settings.facts.name));
    }

    /// Says what it is. Without a connection nobody hears it; the next heartbeat says it again.
    async fn say(&self, presence: &Presence) {
        let subject = subject::presence(&self.settings.facts.name);
        let _ = self.client.publish(subject, presence.to_bytes().into()).await;
    }

    /// Somebody asks whether it is there.
    async fn reply(&self, call: &Message) {
        if let Some(to) = &call.reply {
            let instance = self.instance.to_string();
            let _ = self.client.publish(to.clone(), instance.into()).await;
        }
    }

    async fn hear(&mut self, message: Message) {
        let received = Moment::now();
        let sealed = match Sealed::read(&message.payload) {
            Ok(sealed) => sealed,
            Err(error) => return self.log(&format!("a message that is no action: {error}")),
        };
        let order = sealed.order();
        let (id, until) = (order.id, order.expires);
        let was_known = self.memory.seen().knows(id);
        let admitted = admit(&sealed, &self.settings.trust, self.memory.seen(), received);
        // What was refused for its rights is remembered too.
        if !was_known
            && self.memory.seen().knows(id)
            && let Err(error) = self.memory.note(id, until)
        {
            self.log(&format!(
                "action {id} is not run: what was taken cannot be written down: {error}"
            ));
            return self
                .refuse(id, &Refusal::Text("its state folder cannot be written".to_owned()))
                .await;
        }
        let modules = match admitted {
            Ok(modules) => modules,
            Err(refusal) => return self.refuse(id, &refusal).await,
        };
        match Target::parse(&order.target) {
            Ok(target) if target.takes(&self.settings.facts) => {}
            Ok(_) => return,
            Err(error) => return self.refuse(id, &Refusal::Target(error.message)).await,
        }
        let asker =
            self.settings.trust.whose(sealed.key()).map_or("?", |asker| asker.name.as_str());
        let names: Vec<&str> = modules.iter().map(|module| module.name()).collect();
        self.log(&format!("action {id} `{}` of {asker}: {}", order.name, names.join(", ")));
        // Not waited for: what counts is the answer.
        for taken in Answer::Taken.messages(self.instance, PART) {
            let subject = subject::answer(id, &self.settings.facts.name);
            let _ = self.client.publish(subject, taken.into()).await;
        }
        let inquiry = Inquiry {
            order: order.clone(),
            text: (!order.body.stored).then(|| message.payload.slice_ref(sealed.text())),
            modules,
            received,
        };
        let (voice, settings) = (self.voice(), self.settings.clone());
        self.running.spawn(async move {
            let answer = inquiry.answer(&voice.jetstream, &settings).await;
            voice.tell(id, &answer).await;
        });
    }

    async fn refuse(&mut self, id: Id, refusal: &Refusal) {
        self.log(&format!("action {id} refused: {refusal}"));
        let is_replay = *refusal == Refusal::Replayed;
        let answer = Answer::Refused(Refused { reason: refusal.to_string(), is_replay });
        let voice = self.voice();
        self.running.spawn(async move { voice.tell(id, &answer).await });
    }

    fn voice(&self) -> Voice {
        Voice {
            jetstream: self.jetstream.clone(),
            name: self.settings.facts.name.clone(),
            instance: self.instance,
            log: Arc::clone(&self.settings.log),
        }
    }
}

/// What answers.
struct Voice {
    jetstream: jetstream::Context,
    name: String,
    instance: Id,
    log: Log,
}

impl Voice {
    /// Sends an answer until it is kept; the message id keeps a second try from being a second answer.
    async fn tell(&self, id: Id, answer: &Answer) {
        for (part, message) in answer.messages(self.instance, PART).into_iter().enumerate() {
            let message_id =
                format!("{id} {} {} {part} {}", self.name, self.instance, answer.word());
            if let Err(error) = self.send(id, &message, &message_id).await {
                let word = answer.word();
                return (self.log)(&format!(
                    "{}: action {id}: `{word}` is not kept: {error}",
                    self.name
                ));
            }
        }
        let told = match answer {
            Answer::Refused(refused) => format!("`refused`: {}", refused.reason),
            Answer::Failed(reason) => format!("`failed`: {reason}"),
            Answer::Taken | Answer::Done(_) => format!("`{}`", answer.word()),
        };
        (self.log)(&format!("{}: action {id} answered {told}", self.name));
    }

    async fn send(&self, id: Id, message: &[u8], message_id: &str) -> Result<(), StoreError> {
        let mut tried = 1;
        loop {
            let subject = subject::answer(id, &self.name);
            let message_id = Some(message_id.to_owned());
            let sent =
                crate::nats::publish(&self.jetstream, subject, message.to_vec(), message_id).await;
            match sent {
                Ok(_) => return Ok(()),
                Err(error) if tried == TRIES => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(200 << tried)).await,
            }
            tried += 1;
        }
    }
}
