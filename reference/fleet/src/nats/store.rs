//! What is kept: presence, actions with their answers, and the texts that are too large for a message.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::consumer::{DeliverPolicy, push};
use async_nats::jetstream::context::CreateStreamErrorKind;
use async_nats::jetstream::object_store::{self, ObjectStore};
use async_nats::jetstream::stream::{Config, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{HeaderMap, header};
use futures_util::StreamExt as _;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::moment;
use crate::id::Id;
use crate::presence::{Directory, Presence};
use crate::subject;
use crate::time::Moment;

const PRESENCE: &str = "edgeproof_presence";
const ACTIONS: &str = "edgeproof_actions";
const TEXTS: &str = "edgeproof_texts";
/// What is read, for errors.
const DIRECTORY: &str = "the directory";
/// So long nothing comes where nothing is to come.
const LULL: Duration = Duration::from_millis(200);
/// The longest time to wait for agents whose word is there and does not come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long actions, their answers and the last word of an agent are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Octets of a text in the object store; more is no action.
const LARGEST: u64 = 256 << 20;

/// What the server does not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The server keeps nothing.
    #[error("this NATS server has no JetStream, which keeps the answers: start it with `-js`")]
    NoJetStream,
    /// Something else.
    #[error("{0}: {1}")]
    Nats(&'static str, String),
    /// No action of that id.
    #[error("there is no action {0}: it is kept for seven days, or it was another server's")]
    NoAction(Id),
    /// A text that is larger than it may be.
    #[error("the action's text has {0} octets: more than {LARGEST} are not taken")]
    TooLarge(u64),
}

fn nats(what: &'static str) -> impl Fn(Box<dyn std::error::Error>) -> StoreError {
    move |error| StoreError::Nats(what, error.to_string())
}

/// What is kept, at an asker's.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) jetstream: Context,
    pub(crate) client: Client,
    presence: Stream,
    actions: Stream,
}

/// A message that was kept, and when the server got it.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) payload: bytes::Bytes,
    pub(crate) at: Moment,
    /// Its place among all that is kept.
    pub(crate) sequence: u64,
}

impl Store {
    /// Finds what is kept on a server, and makes room for it on a new one.
    ///
    /// # Errors
    /// The server has no JetStream, or does not allow it.
    pub async fn open(client: Client) -> Result<Self, StoreError> {
        let jetstream = jetstream::new(client.clone());
        let presence = Config {
            name: PRESENCE.to_owned(),
            subjects: vec![subject::PRESENCE.to_owned()],
            max_messages_per_subject: 1,
            max_age: KEPT,
            ..Config::default()
        };
        let subjects = [subject::ACTIONS, subject::ROSTERS, subject::ANSWERS];
        let actions = Config {
            name: ACTIONS.to_owned(),
            subjects: subjects.map(ToOwned::to_owned).to_vec(),
            max_age: KEPT,
            ..Config::default()
        };
        let presence = stream(&jetstream, presence).await?;
        let actions = stream(&jetstream, actions).await?;
        Ok(Self { jetstream, client, presence, actions })
    }

    /// All agents that were heard of within a week.
    pub(crate) async fn directory(&self) -> Result<Directory, StoreError> {
        let mut directory = Directory::default();
        let mut present = self.count_present().await?;
        if present == 0 {
            return Ok(directory);
        }
        let consumer =
            self.consumer(&self.presence, subject::PRESENCE, DeliverPolicy::LastPerSubject);
        let (mut messages, _) = consumer.await?;
        // An agent that speaks meanwhile takes back what it said last: that the server counts nothing as pending does
        // not yet mean that everybody was heard. Speakers are counted, also those of another version's words.
        let mut speakers = HashSet::new();
        let until = Instant::now() + PATIENCE;
        while speakers.len() < present {
            if Instant::now() >= until {
                let text = format!("only {} of {present} agents were heard", speakers.len());
                return Err(StoreError::Nats(DIRECTORY, text));
            }
            let mut is_all_sent = true;
            if let Ok(message) = timeout(LULL, messages.next()).await {
                let message =
                    message.ok_or_else(|| StoreError::Nats(DIRECTORY, "it ended".into()))?;
                let message = match message {
                    Err(error) if is_passing(&error) => continue,
                    message => message.map_err(|e| nats(DIRECTORY)(e.into()))?,
                };
                let info = message.info().map_err(|e| nats(DIRECTORY)(e))?;
                is_all_sent = info.pending == 0;
                let agent = subject::agent_of(&message.subject);
                if let Some((agent, presence)) = agent.zip(Presence::read(&message.payload)) {
                    directory.heard(&agent, presence, moment(info.published));
                }
                speakers.insert(message.subject.to_string());
            }
            // Some have come meanwhile, or were forgotten after a week of silence.
            if is_all_sent || speakers.len() >= present {
                present = self.count_present().await?;
            }
        }
        Ok(directory)
    }

    /// How many agents the directory has: the last word of each is kept.
    async fn count_present(&self) -> Result<usize, StoreError> {
        let info = self.presence.get_info().await.map_err(|e| nats(DIRECTORY)(e.into()))?;
        Ok(usize::try_from(info.state.messages).unwrap_or(usize::MAX))
    }

    /// The answers to an action: those that are there, of which it says how many messages they are, then those that
    /// come.
    pub(crate) async fn answers(&self, id: Id) -> Result<(push::Ordered, u64), StoreError> {
        self.consumer(&self.actions, &subject::answers(id), DeliverPolicy::All).await
    }

    async fn consumer(
        &self,
        stream: &Stream,
        filter: &str,
        deliver_policy: DeliverPolicy,
    ) -> Result<(push::Ordered, u64), StoreError> {
        let config = push::OrderedConfig {
            deliver_subject: self.client.new_inbox(),
            filter_subject: filter.to_owned(),
            deliver_policy,
            ..push::OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await;
        let consumer = consumer.map_err(|e| nats("reading what is kept")(e.into()))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer.messages().await;
        Ok((messages.map_err(|e| nats("reading what is kept")(e.into()))?, pending))
    }

    /// Publishes and waits until it is kept. Answers when the server got it.
    pub(crate) async fn keep(
        &self,
        subject: String,
        payload: Vec<u8>,
    ) -> Result<Moment, StoreError> {
        let sequence = publish(&self.jetstream, subject, payload, None).await?;
        let message = self.actions.get_raw_message(sequence).await;
        message.map(|message| moment(message.time)).map_err(|e| nats("what was sent")(e.into()))
    }

    /// The first message of an action that is kept under a subject, from a place on.
    pub(crate) async fn kept(&self, id: Id, subject: &str, from: u64) -> Result<Kept, StoreError> {
        let message = self.actions.get_first_raw_message_by_subject(subject, from).await;
        let message = message.map_err(|error| match error.kind() {
            jetstream::stream::RawMessageErrorKind::NoMessageFound => StoreError::NoAction(id),
            _ => StoreError::Nats("what is kept of the action", error.to_string()),
        })?;
        let at = moment(message.time);
        Ok(Kept { payload: message.payload, at, sequence: message.sequence })
    }

    /// Keeps a text under a name.
    pub(crate) async fn put(&self, name: &str, text: &[u8]) -> Result<(), StoreError> {
        let texts = match self.jetstream.get_object_store(TEXTS).await {
            Ok(texts) => texts,
            Err(_) => {
                let config = object_store::Config {
                    bucket: TEXTS.to_owned(),
                    max_age: KEPT,
                    num_replicas: 1,
                    ..object_store::Config::default()
                };
                let made = self.jetstream.create_object_store(config).await;
                made.map_err(|e| nats("the object store")(e.into()))?
            }
        };
        let mut reader = text;
        let put = texts.put(name, &mut reader).await;
        put.map(drop).map_err(|e| nats("the object store")(e.into()))
    }

    /// A text by its name.
    pub(crate) async fn get(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        text(&self.jetstream, name).await
    }
}

/// Whether reading goes on by itself: the server was silent for longer than it should be, and is asked anew.
pub(crate) fn is_passing(error: &push::OrderedError) -> bool {
    error.kind() == push::OrderedErrorKind::MissingHeartbeat
}

async fn stream(jetstream: &Context, config: Config) -> Result<Stream, StoreError> {
    jetstream.get_or_create_stream(config).await.map_err(|error| match error.kind() {
        CreateStreamErrorKind::JetStreamUnavailable => StoreError::NoJetStream,
        CreateStreamErrorKind::JetStream(inner)
            if inner.error_code() == jetstream::ErrorCode::JETSTREAM_NOT_ENABLED =>
        {
            StoreError::NoJetStream
        }
        CreateStreamErrorKind::TimedOut => StoreError::Nats(
            "opening what is kept",
            "no answer: has the server JetStream (`-js`), and are you allowed to use it?"
                .to_owned(),
        ),
        _ => StoreError::Nats("opening what is kept", error.to_string()),
    })
}

/// Publishes and waits until it is kept. Of messages with the same id within two minutes one is kept, so that a
/// sender may try again.
pub(crate) async fn publish(
    jetstream: &Context,
    subject: String,
    payload: Vec<u8>,
    message_id: Option<String>,
) -> Result<u64, StoreError> {
    let mut headers = HeaderMap::new();
    if let Some(id) = message_id {
        headers.insert(header::NATS_MESSAGE_ID, id.as_str());
    }
    let sent = jetstream.publish_with_headers(subject, headers, payload.into()).await;
    let kept = sent.map_err(|e| nats("sending")(e.into()))?.await;
    kept.map(|kept| kept.sequence).map_err(|e| nats("sending")(e.into()))
}

/// A text by its name.
pub(crate) async fn text(jetstream: &Context, name: &str) -> Result<Vec<u8>, StoreError> {
    let texts: ObjectStore =
        jetstream.get_object_store(TEXTS).await.map_err(|e| nats("the object store")(e.into()))?;
    let object = texts.get(name).await.map_err(|e| nats("the object store")(e.into()))?;
    let size = object.info().size as u64;
    if size > LARGEST {
        return Err(StoreError::TooLarge(size));
    }
    let mut text = Vec::with_capacity(object.info().size);
    let read = object.take(LARGEST).read_to_end(&mut text).await;
    read.map_err(|e| nats("the object store")(e.into()))?;
    Ok(text)
}

/// Names of agents to whom an action was sent, as they are kept.
pub(crate) fn roster(names: &[String]) -> Vec<u8> {
    let version = serde_json::json!({ "v": 1, "agents": names });
    version.to_string().into_bytes()
}

/// Reads them.
pub(crate) fn names(octets: &[u8]) -> Option<Vec<String>> {
    let read: BTreeMap<String, serde_json::Value> = serde_json::from_slice(octets).ok()?;
    if read.get("v")?.as_u64()? != 1 {
        return None;
    }
    serde_json::from_value(read.get("agents")?.clone()).ok()
}
