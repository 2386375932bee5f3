//! Hears the answers to an action as they come, until everybody has answered, is gone, or the time is over.

use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::probe::{Call, call};
use super::{AskError, FleetAsker, Sent};
use crate::answer::{Answer, Done, Parts};
use crate::id::Id;
use crate::nats::{StoreError, moment};
use crate::roll::Roll;
use crate::stop::{self, Stop};
use crate::subject;
use crate::time::Moment;

/// After so much silence those who have not answered are called.
const SILENCE: Duration = Duration::from_millis(300);
/// The longest time between two rounds of calls.
const SELDOM: Duration = Duration::from_secs(5);
/// How long answers that are on their way are waited for, once nobody is left to wait for.
const LINGER: Duration = Duration::from_millis(150);
/// How long after the end of an action its last answers are waited for.
const GRACE: Duration = Duration::from_millis(500);

/// Why the answers are no longer waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Everybody has answered or is gone.
    All,
    /// The action's time is over.
    TimeOver,
    /// Somebody said so.
    Stopped,
}

impl FleetAsker {
    /// Hears answers: those that are kept, then those that come. `on_done` gets every result with its agent's name,
    /// `on_progress` the bookkeeping after each message.
    ///
    /// # Errors
    /// The server no longer answers.
    pub async fn follow(
        &self,
        sent: &mut Sent,
        mut on_done: impl FnMut(&str, Done),
        mut on_progress: impl FnMut(&Roll),
        mut stop: Stop,
    ) -> Result<Followed, AskError> {
        let mut answers = self.store.answers(sent.id).await?;
        let (tell, mut calls) = mpsc::channel::<(String, Call)>(64);
        let mut state = Following::new(sent);
        loop {
            let wait = state.wait(sent);
            tokio::select! {
                biased;
                message = answers.next() => {
                    let message = message.ok_or_else(|| lost(&"it ended"))?;
                    let message = message.map_err(|error| lost(&error))?;
                    if let Some((agent, done)) = state.hear(sent, &message)? {
                        on_done(&agent, done);
                    }
                    on_progress(&sent.roll);
                }
                Some((agent, answer)) = calls.recv() => {
                    state.called(sent, &agent, answer);
                    on_progress(&sent.roll);
                }
                () = stop::told(&mut stop) => return Ok(Followed::Stopped),
                () = tokio::time::sleep(wait) => {
                    if let Some(followed) = state.is_over(sent) {
                        return Ok(followed);
                    }
                    if state.shall_call() {
                        let silent: Vec<String> = sent.roll.open().map(ToOwned::to_owned).collect();
                        state.calling = silent.len();
                        tokio::spawn(call(self.store.client.clone(), silent, tell.clone()));
                    }
                }
            }
        }
    }
}

fn lost(error: &dyn std::fmt::Display) -> AskError {
    StoreError::Nats("hearing the answers", error.to_string()).into()
}

/// What is known while answers are heard.
struct Following {
    parts: Parts,
    /// When the action ends, by this process's clock.
    ends: Instant,
    /// When something was last heard.
    heard: Instant,
    /// Time until the next calls.
    patience: Duration,
    called: Instant,
    /// Calls that are under way.
    calling: usize,
}

impl Following {
    fn new(sent: &Sent) -> Self {
        let now = Instant::now();
        Self {
            parts: Parts::default(),
            // The server's clock and this one may differ; for an action just sent the difference is left out.
            ends: now + sent.ends.since(Moment::now().max(sent.at)),
            heard: now,
            patience: SILENCE,
            called: now,
            calling: 0,
        }
    }

    fn hear(
        &mut self,
        sent: &mut Sent,
        message: &jetstream::Message,
    ) -> Result<Option<(String, Done)>, AskError> {
        self.heard = Instant::now();
        let Some(agent) = subject::agent_of(&message.subject) else { return Ok(None) };
        let at = moment(message.info().map_err(|error| lost(&error))?.published);
        // What is no answer is nobody's: who may answer under this name is the server's to say.
        let Ok(Some((instance, answer))) = self.parts.take(&agent, &message.payload) else {
            return Ok(None);
        };
        let is_news = sent.roll.heard(&agent, instance, &answer, at);
        Ok(match answer {
            Answer::Done(done) if is_news => Some((agent, done)),
            _ => None,
        })
    }

    fn called(&mut self, sent: &mut Sent, agent: &str, answer: Call) {
        self.calling = self.calling.saturating_sub(1);
        let is_another = |instance: Id| sent.roll.taken_by(agent).is_some_and(|it| it != instance);
        match answer {
            Call::Gone => sent.roll.gone(agent),
            Call::Here(instance) if is_another(instance) => sent.roll.gone(agent),
            Call::Here(_) | Call::Unclear => {}
        }
    }

    /// Time until something has to be done though nothing is heard.
    fn wait(&self, sent: &Sent) -> Duration {
        let until = |at: Instant| at.saturating_duration_since(Instant::now());
        match sent.roll.count_open() {
            0 => until(self.heard + LINGER),
            _ => until(self.ends + GRACE).min(until(self.next_call())),
        }
    }

    fn next_call(&self) -> Instant {
        self.heard.max(self.called) + self.patience
    }

    fn is_over(&self, sent: &Sent) -> Option<Followed> {
        let now = Instant::now();
        if sent.roll.count_open() == 0 && now >= self.heard + LINGER {
            return Some(Followed::All);
        }
        (now >= self.ends + GRACE).then_some(Followed::TimeOver)
    }

    /// Whether it is time for calls; then the next are later.
    fn shall_call(&mut self) -> bool {
        if self.calling > 0 || Instant::now() < self.next_call() {
            return false;
        }
        self.called = Instant::now();
        self.patience = (self.patience * 2).min(SELDOM);
        true
    }
}
