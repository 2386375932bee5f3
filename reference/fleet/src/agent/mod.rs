//! An agent that waits for actions.
//!
//! ```text
//!  action ──▶ admit (whose, when, before?) ──▶ target (for me?) ──▶ "taken"
//!                │ refusal                                            │
//!                ▼                                                    ▼
//!             "refused"      "done", "failed" ◀── a thread that looks ◀── text (along, or of the object store)
//! ```

mod allowance;
mod inquiry;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use async_nats::{Client, Message, Subscriber, jetstream};
use edgeproof_agent::{Outcome, Task};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::admission::{Admitted, LONGEST, Refusal, admit};
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
use allowance::Allowance;
use inquiry::Inquiry;

/// How often a refusal is sent until it is kept: anybody may cause one.
const TRIES: u32 = 5;
/// The longest pause before an answer is sent again.
const SELDOM: Duration = Duration::from_secs(10);
/// Octets of a message beside its part of an answer: its first line, and the server's headers.
const HEAD: usize = 4 << 10;
/// How long the last word may take.
const FAREWELL: Duration = Duration::from_secs(2);

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
    let heard = Heard {
        actions: client.subscribe(subject::ACTIONS).await?,
        calls: client.subscribe(subject::call(&name)).await?,
        roll_calls: client.subscribe(subject::ROLL_CALL).await?,
    };
    let presence = Presence::new(instance, settings.heartbeat, settings.facts.clone());
    let mut agent = Agent {
        jetstream: jetstream::new(client.clone()),
        client,
        settings,
        instance,
        memory,
        running: JoinSet::new(),
        is_heard: true,
        refusals: Allowance::new(Instant::now()),
    };
    // Whatever it waits for, a lost connection too, it can be told to stop.
    tokio::select! {
        ended = agent.listen(heard, &presence) => return ended,
        () = stop::told(&mut stop) => {}
    }
    // The last word is a courtesy: a connection that is gone has said it.
    let last_word = async {
        agent.say(&presence.leaving()).await;
        agent.client.flush().await
    };
    let _ = tokio::time::timeout(FAREWELL, last_word).await;
    Ok(())
}

/// What an agent hears of the server.
struct Heard {
    actions: Subscriber,
    calls: Subscriber,
    roll_calls: Subscriber,
}

struct Agent {
    client: Client,
    jetstream: jetstream::Context,
    settings: Settings,
    instance: Id,
    memory: Memory,
    running: JoinSet<()>,
    /// Its last sign of life went to a server.
    is_heard: bool,
    /// Refusals that anybody may cause.
    refusals: Allowance,
}

impl Agent {
    /// Listens, until the connection is closed for good.
    async fn listen(&mut self, mut heard: Heard, presence: &Presence) -> Result<(), ServeError> {
        let mut beats = tokio::time::interval(self.settings.heartbeat);
        // After a machine stood still, those that it missed are not made up for.
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats.tick().await;
        self.say(presence).await;
        // Once the server has heard what this agent listens to, it may be asked.
        self.client.flush().await.map_err(|_| ServeError::Closed)?;
        self.log(&format!("waits for actions, run {}", self.instance));
        loop {
            tokio::select! {
                action = heard.actions.next() => {
                    self.hear(action.ok_or(ServeError::Closed)?).await;
                }
                _ = beats.tick() => self.say(presence).await,
                call = heard.roll_calls.next() => {
                    call.ok_or(ServeError::Closed)?;
                    self.say(presence).await;
                }
                call = heard.calls.next() => self.reply(&call.ok_or(ServeError::Closed)?).await,
                // What has ended is forgotten; its answer is sent.
                Some(_) = self.running.join_next() => {}
            }
        }
    }

    fn log(&self, text: &str) {
        (self.settings.log)(&format!("{}: {text}", self.settings.facts.name));
    }

    /// Says what it is. Without a connection one word waits, to be the first that the server hears again; more would
    /// be a flood of old ones, of every agent at once.
    async fn say(&mut self, presence: &Presence) {
        let is_connected = self.client.connection_state() == State::Connected;
        if !is_connected && !self.is_heard {
            return;
        }
        self.is_heard = is_connected;
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
            Err(error) => {
                if self.may_refuse() {
                    self.log(&format!("a message that is no action: {error}"));
                }
                return;
            }
        };
        let id = sealed.id();
        let trust = Arc::clone(&self.settings.trust);
        let was_known = self.memory.seen().until(id).is_some();
        let admitted = admit(&sealed, &trust, self.memory.seen(), received);
        // What was refused for its rights is remembered too.
        if !was_known
            && let Some(until) = self.memory.seen().until(id)
            && let Err(error) = self.memory.note(id, until)
        {
            self.log(&format!(
                "action {id} is not run: what was taken cannot be written down: {error}"
            ));
            return self
                .refuse(id, &Refusal::Text("its state folder cannot be written".to_owned()))
                .await;
        }
        let Admitted { order, modules, asker } = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) if refusal.is_anybodys() && !self.may_refuse() => return,
            Err(refusal) if !refusal.is_of_its_asker() => {
                return self.log(&format!("action {id} refused: {refusal}"));
            }
            Err(refusal) => return self.refuse(id, &refusal).await,
        };
        match Target::parse(&order.target) {
            Ok(target) if target.takes(&self.settings.facts) => {}
            Ok(_) => return,
            Err(error) => return self.refuse(id, &Refusal::Target(error.message)).await,
        }
        let names: Vec<&str> = modules.iter().map(|module| module.name()).collect();
        let names = names.join(", ");
        self.log(&format!("action {id} `{}` of {}: {names}", order.name, asker.name));
        // Not waited for: what counts is the answer.
        for taken in Answer::Taken.messages(self.instance, PART) {
            let subject = subject::answer(id, &self.settings.facts.name);
            let _ = self.client.publish(subject, taken.into()).await;
        }
        let text = (!order.body.stored).then(|| message.payload.slice_ref(sealed.text()));
        let inquiry = Inquiry { order, text, modules, received };
        let (voice, settings) = (self.voice(), self.settings.clone());
        self.running.spawn(async move {
            let answer = inquiry.answer(&voice.jetstream, &settings).await;
            voice.tell(id, &answer).await;
        });
    }

    /// Whether one more refusal is told that anybody may cause.
    fn may_refuse(&mut self) -> bool {
        let before = self.refusals.take(Instant::now());
        if let Some(count @ 1..) = before {
            self.log(&format!("{count} more were refused, and nobody was told"));
        }
        before.is_some()
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
            client: self.client.clone(),
            jetstream: self.jetstream.clone(),
            name: self.settings.facts.name.clone(),
            instance: self.instance,
            log: Arc::clone(&self.settings.log),
        }
    }
}

/// What answers.
struct Voice {
    client: Client,
    jetstream: jetstream::Context,
    name: String,
    instance: Id,
    log: Log,
}

impl Voice {
    /// Sends an answer until it is kept; the message id keeps a second try from being a second answer.
    async fn tell(&self, id: Id, answer: &Answer) {
        let began = Instant::now();
        // A server may take less than it takes unless it is told otherwise.
        let most = PART.min(self.client.max_payload().saturating_sub(HEAD)).max(HEAD);
        for (part, message) in answer.messages(self.instance, most).into_iter().enumerate() {
            let about = format!("{} {part} {}", self.instance, answer.word());
            let mut tried = 0;
            while let Err(error) = self.send(id, &message, &about).await {
                tried += 1;
                if tried == TRIES {
                    let word = answer.word();
                    (self.log)(&format!(
                        "{}: action {id}: `{word}` is not kept yet: {error}",
                        self.name
                    ));
                }
                if let Some(pause) = pause(answer, tried, began.elapsed()) {
                    tokio::time::sleep(pause).await;
                    continue;
                }
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

    async fn send(&self, id: Id, message: &[u8], about: &str) -> Result<(), StoreError> {
        // What is sent without a connection waits for one in memory, each time anew.
        if self.client.connection_state() != State::Connected {
            return Err(StoreError::Nats("sending", "there is no connection".to_owned()));
        }
        let subject = subject::answer(id, &self.name);
        let message_id = Some(format!("{subject} {about}"));
        crate::nats::publish(&self.jetstream, subject, message.to_vec(), message_id).await.map(drop)
    }
}

/// The time until an answer is sent again that was not kept. What was found is worth a long wait for a server; a refusal
/// is not, since anybody may cause one.
fn pause(answer: &Answer, tried: u32, since: Duration) -> Option<Duration> {
    let is_given_up = match answer {
        Answer::Taken | Answer::Refused(_) => tried >= TRIES,
        Answer::Done(_) | Answer::Failed(_) => since >= LONGEST,
    };
    let pause = Duration::from_millis(200).saturating_mul(1 << tried.min(16));
    (!is_given_up).then_some(pause.min(SELDOM))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Done;

    #[test]
    fn what_was_found_waits_for_a_server_and_a_refusal_does_not() {
        let second = Duration::from_secs(1);
        let done = Answer::Done(Done::default());
        assert_eq!(pause(&done, 1, second), Some(Duration::from_millis(400)));
        let hours = 3600 * second;
        for answer in [done, Answer::Failed("x".to_owned())] {
            assert_eq!(pause(&answer, 500, 5 * hours), Some(SELDOM));
            assert_eq!(pause(&answer, 500, 24 * hours), None);
        }
        let refused = Answer::Refused(Refused { reason: "no".to_owned(), is_replay: false });
        assert!(pause(&refused, 4, second).is_some() && pause(&refused, 5, second).is_none());
    }
}
