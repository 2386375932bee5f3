//! Hears the answers to an action as they come, until everybody has answered, is gone, or the time is over. What is
//! kept is heard in any case, however slow the way to the server.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;

use super::probe::{Call, call};
use super::{AskError, FleetAsker, Sent};
use crate::answer::{Answer, Done, Parts};
use crate::id::Id;
use crate::nats::{StoreError, is_passing, moment};
use crate::roll::Roll;
use crate::stop::{self, Stop};
use crate::subject;

/// After so much silence those who have not answered are called.
const SILENCE: Duration = Duration::from_millis(300);
/// The longest time between two rounds of calls.
const SELDOM: Duration = Duration::from_secs(5);
/// How long answers that are on their way are waited for, once nobody is left to wait for.
const LINGER: Duration = Duration::from_millis(150);
/// How long after the end of an action its last answers are waited for.
const GRACE: Duration = Duration::from_millis(500);
/// How long a server is waited for that has answers and does not send them.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long agents have to come back once the server was away: each tries every four seconds.
const COMEBACK: Duration = Duration::from_secs(10);

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
        let (mut answers, pending) = self.store.answers(sent.id).await?;
        let (tell, mut calls) = mpsc::channel::<(String, Call)>(64);
        let statistics = self.store.client.statistics();
        let connects = || statistics.connects.load(Ordering::Relaxed);
        let mut state = Following::new(sent, Instant::now(), pending, connects());
        loop {
            let wait = state.next(sent).saturating_duration_since(Instant::now());
            tokio::select! {
                biased;
                message = answers.next() => {
                    let message = match message.ok_or_else(|| lost(&"it ended"))? {
                        Err(error) if is_passing(&error) => continue,
                        message => message.map_err(|error| lost(&error))?,
                    };
                    if let Some((agent, done)) = state.hear(sent, &message)? {
                        on_done(&agent, done);
                    }
                    on_progress(&sent.roll);
                }
                Some((agent, answer)) = calls.recv() => {
                    state.is_connected(connects(), Instant::now());
                    state.called(sent, &agent, answer, Instant::now());
                    on_progress(&sent.roll);
                }
                () = stop::told(&mut stop) => return Ok(Followed::Stopped),
                () = tokio::time::sleep(wait) => {
                    let now = Instant::now();
                    state.is_connected(connects(), now);
                    if let Some(followed) = state.is_over(sent, now) {
                        return Ok(followed);
                    }
                    if state.shall_call(now) {
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
    /// Messages that are kept and not yet heard.
    pending: u64,
    /// How often the server was connected to.
    connects: u64,
    /// Until when an agent that nobody hears may still be on its way back to the server.
    comeback: Option<Instant>,
}

impl Following {
    fn new(sent: &Sent, now: Instant, pending: u64, connects: u64) -> Self {
        Self {
            parts: Parts::default(),
            ends: now + sent.left,
            heard: now,
            patience: SILENCE,
            called: now,
            calling: 0,
            pending,
            connects,
            comeback: None,
        }
    }

    /// Hears how often the server was connected to.
    fn is_connected(&mut self, connects: u64, now: Instant) {
        if connects != self.connects {
            self.connects = connects;
            self.comeback = Some(now + COMEBACK);
        }
    }

    fn hear(
        &mut self,
        sent: &mut Sent,
        message: &jetstream::Message,
    ) -> Result<Option<(String, Done)>, AskError> {
        self.heard = Instant::now();
        let info = message.info().map_err(|error| lost(&error))?;
        self.pending = info.pending;
        let at = moment(info.published);
        let Some(agent) = subject::agent_of(&message.subject) else { return Ok(None) };
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

    fn called(&mut self, sent: &mut Sent, agent: &str, answer: Call, now: Instant) {
        self.calling = self.calling.saturating_sub(1);
        let is_another = |instance: Id| sent.roll.taken_by(agent).is_some_and(|it| it != instance);
        match answer {
            // It may have lost the server as this process has, and be back in a moment.
            Call::Gone if self.comeback.is_some_and(|until| now < until) => {}
            Call::Gone => sent.roll.gone(agent),
            Call::Here(instance) if is_another(instance) => sent.roll.gone(agent),
            Call::Here(_) | Call::Unclear => {}
        }
    }

    /// Whether answers are on their way.
    fn is_behind(&self, now: Instant) -> bool {
        self.pending > 0 && now < self.heard + PATIENCE
    }

    /// When something has to be done though nothing is heard.
    fn next(&self, sent: &Sent) -> Instant {
        let end = self.ends + GRACE;
        let next = match (sent.roll.count_open(), self.calling) {
            (0, _) => self.heard + LINGER,
            (_, 0) => end.min(self.next_call()),
            (_, _) => end,
        };
        if self.is_behind(next) { self.heard + PATIENCE } else { next }
    }

    fn next_call(&self) -> Instant {
        let next = self.heard.max(self.called) + self.patience;
        self.comeback.map_or(next, |comeback| next.max(comeback))
    }

    fn is_over(&self, sent: &Sent, now: Instant) -> Option<Followed> {
        if self.is_behind(now) {
            return None;
        }
        if sent.roll.count_open() == 0 && now >= self.heard + LINGER {
            return Some(Followed::All);
        }
        (now >= self.ends + GRACE).then_some(Followed::TimeOver)
    }

    /// Whether it is time for calls; then the next are later.
    fn shall_call(&mut self, now: Instant) -> bool {
        if self.calling > 0 || self.is_behind(now) || now < self.next_call() {
            return false;
        }
        self.called = now;
        self.patience = (self.patience * 2).min(SELDOM);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    const SECOND: Duration = Duration::from_secs(1);

    fn sent(agents: &[&str], left: Duration) -> Sent {
        let (at, ends) = (Moment(1000), Moment(1000).plus(left));
        let agents = agents.iter().map(|name| (*name).to_owned());
        Sent {
            id: Id::of(b"an action"),
            name: String::new(),
            target: String::new(),
            size: 0,
            at,
            ends,
            left,
            roll: Roll::new(agents, ends),
        }
    }

    #[test]
    fn what_is_kept_is_heard_however_slow_the_way() {
        // An action of old: its time is long over, and three messages are still on their way.
        let (mut sent, now) = (sent(&["a"], Duration::ZERO), Instant::now());
        let mut state = Following::new(&sent, now, 3, 1);
        let late = now + 5 * SECOND;
        assert_eq!((state.is_over(&sent, late), state.shall_call(late)), (None, false));
        assert_eq!(state.next(&sent), now + PATIENCE);
        // Also where everybody has answered: one may have done so twice.
        sent.roll.gone("a");
        assert_eq!(state.is_over(&sent, late), None);
        assert_eq!(state.is_over(&sent, now + PATIENCE), Some(Followed::All), "it never comes");
        state.pending = 0;
        assert_eq!(state.is_over(&sent, late), Some(Followed::All));
    }

    #[test]
    fn nobody_is_gone_who_may_be_on_the_way_back() {
        let (mut sent, now) = (sent(&["a"], 60 * SECOND), Instant::now());
        let mut state = Following::new(&sent, now, 0, 1);
        state.is_connected(1, now);
        assert!(state.shall_call(now + SECOND));
        // The server was away meanwhile.
        let back = now + 2 * SECOND;
        state.is_connected(2, back);
        state.called(&mut sent, "a", Call::Gone, back + SECOND);
        assert_eq!((sent.roll.count_open(), state.shall_call(back + SECOND)), (1, false));
        assert_eq!(state.next(&sent), back + COMEBACK);
        state.called(&mut sent, "a", Call::Gone, back + COMEBACK);
        assert_eq!(sent.roll.count_open(), 0);
    }

    #[test]
    fn nothing_has_to_be_done_while_calls_are_under_way() {
        let (sent, now) = (sent(&["a"], 60 * SECOND), Instant::now());
        let mut state = Following::new(&sent, now, 0, 1);
        assert_eq!(state.next(&sent), now + SILENCE);
        state.calling = 1;
        assert_eq!(state.next(&sent), now + 60 * SECOND + GRACE);
    }

    #[test]
    fn the_end_is_by_this_process_own_clock() {
        let (sent, now) = (sent(&["a"], 20 * SECOND), Instant::now());
        let state = Following::new(&sent, now, 0, 1);
        assert_eq!(state.is_over(&sent, now + 20 * SECOND), None);
        assert_eq!(state.is_over(&sent, now + 20 * SECOND + GRACE), Some(Followed::TimeOver));
    }
}
