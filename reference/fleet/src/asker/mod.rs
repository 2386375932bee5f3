//! Somebody who asks a fleet: chooses agents, signs and sends an action, and hears their answers.

mod follow;
mod probe;

use std::io;
use std::time::Duration;

use edgeproof_agent::Module;

pub use follow::Followed;

use crate::envelope::{Body, NoOrder, Order, Sealed, seal};
use crate::facts::Facts;
use crate::id::Id;
use crate::key::SecretKey;
use crate::nats::{Store, StoreError, names, roster};
use crate::presence::Directory;
use crate::roll::Roll;
use crate::subject;
use crate::target::Target;
use crate::time::Moment;

/// Octets of a text that travels along; a larger one goes to the object store.
pub const ALONG: usize = 256 << 10;
/// The first place of what is kept.
const FIRST: u64 = 1;

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The server.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random octets.
    #[error("no id for the action: {0}")]
    Id(#[from] io::Error),
    /// What is kept of an action cannot be read.
    #[error("what is kept of the action {0} cannot be read")]
    Unreadable(Id),
}

/// What is to be asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its name, for people.
    pub name: String,
    /// Whom.
    pub target: Target,
    /// The action's text, which [`edgeproof_agent::Task`] reads.
    pub text: Vec<u8>,
    /// The modules that it uses.
    pub modules: Vec<Module>,
    /// How long the agents have.
    pub lasts: Duration,
}

/// An action that is under way, or was.
#[derive(Debug)]
pub struct Sent {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Whom it was for.
    pub target: String,
    /// Octets of its text.
    pub size: u64,
    /// When the server got it, by its clock.
    pub at: Moment,
    /// When it ends, by the server's clock.
    pub ends: Moment,
    /// Time until then, from when it was sent or found.
    pub left: Duration,
    /// Who was asked, and what became of it.
    pub roll: Roll,
}

/// Asks.
#[derive(Clone, Debug)]
pub struct FleetAsker {
    store: Store,
}

impl FleetAsker {
    /// Asks by what a server keeps.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// All agents that were heard of. On a server that knew of none, those that answer to their names within a moment.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn directory(&self) -> Result<Directory, AskError> {
        let directory = self.store.directory().await?;
        if !directory.is_empty() {
            return Ok(directory);
        }
        self.roll_call().await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(self.store.directory().await?)
    }

    /// Asks all agents to say at once that they are there.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn roll_call(&self) -> Result<(), AskError> {
        let client = &self.store.client;
        let wrong =
            |error: &dyn std::fmt::Display| StoreError::Nats("the roll call", error.to_string());
        client.publish(subject::ROLL_CALL, "".into()).await.map_err(|error| wrong(&error))?;
        Ok(client.flush().await.map_err(|error| wrong(&error))?)
    }

    /// Sends an action to the agents of that name, and keeps whom it was sent to.
    ///
    /// # Errors
    /// The server does not keep it.
    pub async fn send(
        &self,
        question: &Question,
        agents: &[Facts],
        key: &SecretKey,
    ) -> Result<Sent, AskError> {
        let nonce = Id::new()?;
        let is_stored = question.text.len() > ALONG;
        if is_stored {
            self.store.put(&nonce.to_string(), &question.text).await?;
        }
        let asked: Vec<String> = agents.iter().map(|facts| facts.name.clone()).collect();
        let issued = Moment::now();
        let order = Order {
            nonce,
            name: question.name.clone(),
            target: question.target.to_string(),
            modules: question.modules.iter().map(ToString::to_string).collect(),
            issued,
            expires: issued.plus(question.lasts),
            body: Body::of(&question.text, is_stored),
        };
        let message = seal(&order, &question.text, key);
        let id = order.id(&key.public());
        self.keep_roster(id, &asked).await?;
        let at = self.store.keep(subject::action(id), message).await?;
        // This process's clock may be before or behind the server's: it does not matter here.
        Ok(sent(id, &order, at, question.lasts, asked))
    }

    /// Finds an action that was sent, by whomever.
    ///
    /// # Errors
    /// It is not kept.
    pub async fn find(&self, id: Id) -> Result<Sent, AskError> {
        // Who may send actions may send anything under this subject, and more than once: the id tells which it is.
        let mut from = FIRST;
        let (kept, order) = loop {
            let kept = self.store.kept(id, &subject::action(id), from).await?;
            from = kept.sequence + 1;
            let sealed = Sealed::read(&kept.payload).ok().filter(|sealed| sealed.id() == id);
            match sealed.map(|sealed| sealed.order()) {
                Some(Ok(order)) => break (kept, order),
                Some(Err(NoOrder::Unreadable(_))) => return Err(AskError::Unreadable(id)),
                Some(Err(NoOrder::Forged | NoOrder::OtherText)) | None => {}
            }
        };
        let asked = self.roster(id).await?;
        let gone = Moment::now().since(kept.at);
        let left = order.lasts().saturating_sub(gone);
        Ok(sent(id, &order, kept.at, left, asked))
    }

    async fn keep_roster(&self, id: Id, asked: &[String]) -> Result<(), AskError> {
        let mut text = roster(asked);
        if text.len() > ALONG {
            self.store.put(&stored_roster(id), &text).await?;
            text = Vec::new();
        }
        self.store.keep(subject::roster(id), text).await?;
        Ok(())
    }

    async fn roster(&self, id: Id) -> Result<Vec<String>, AskError> {
        // The first is the asker's own: before it nobody knew of the id.
        let kept = self.store.kept(id, &subject::roster(id), FIRST).await?;
        let text = match kept.payload.is_empty() {
            true => self.store.get(&stored_roster(id)).await?,
            false => kept.payload.to_vec(),
        };
        names(&text).ok_or(AskError::Unreadable(id))
    }
}

fn stored_roster(id: Id) -> String {
    format!("roster-{id}")
}

fn sent(id: Id, order: &Order, at: Moment, left: Duration, asked: Vec<String>) -> Sent {
    let ends = at.plus(order.lasts());
    Sent {
        id,
        name: order.name.clone(),
        target: order.target.clone(),
        size: order.body.size,
        at,
        ends,
        left,
        roll: Roll::new(asked, ends),
    }
}
