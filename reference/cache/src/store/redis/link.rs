//! One connection to a Redis, and what is said over it. Commands of many requests share it without
//! waiting for each other's answers, and are carried out in the order in which they are given: who
//! reads after a change has been given sees it.

use std::rc::Rc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline, RedisError, RedisResult, Value,
};

use super::history::{self, History, mark_of_origin, mark_of_url};
use super::names;
use super::record::{ARRIVAL_IN_LUA, DATE_IN_LUA, DIGEST_IN_LUA, Digest, Record, Variant};
use super::scripts::{Scripts, call};
use crate::Moment;
use crate::store::MOST_VARIANTS;

/// The name of a variant, and its record.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// What Redis holds of a URL.
#[derive(Debug)]
pub(super) struct Found {
    /// The history of removals so far; `None` if it is lost.
    pub(super) history: Option<History>,
    /// The variants; `None` if something else stands there.
    pub(super) variants: Option<Vec<Entry>>,
}

/// A change of one URL's responses that may fail without harm.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) url: Box<[u8]>,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// Stores a response.
    Put {
        record: Record,
        /// The moment in the history of removals at which it was asked for.
        since: History,
        superseded: Vec<Variant>,
        /// What is more recent than this has overtaken it.
        latest: (i64, Moment),
        /// All of the URL's records together stay below so many bytes.
        most_bytes: usize,
    },
    /// Puts one in the place of another, if that is still there.
    Replace { old: Identity, record: Record },
    /// Removes one, if it is still there.
    Discard(Identity),
    /// Removes what cannot be read, by the names of the variants.
    Clear(Vec<Vec<u8>>),
}

/// One response, and no other that may have come in its place.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    variant: Variant,
    digest: Digest,
}

impl From<Record> for Identity {
    fn from(record: Record) -> Self {
        Self { variant: record.variant, digest: record.digest }
    }
}

impl Change {
    /// The response that it brings.
    pub(super) fn record(&self) -> Option<&Record> {
        match &self.what {
            What::Put { record, .. } | What::Replace { record, .. } => Some(record),
            What::Discard(_) | What::Clear(_) => None,
        }
    }

    /// What is left of it where its response cannot be stored: the removal of those that are older
    /// than that.
    pub(super) fn without_record(&self) -> Option<Self> {
        let what = match &self.what {
            What::Put { record, superseded, .. } => {
                let leaving = superseded.iter().chain([&record.variant]);
                What::Clear(leaving.map(|variant| variant.0.clone().into_bytes()).collect())
            }
            What::Replace { old, .. } => What::Discard(old.clone()),
            What::Discard(_) | What::Clear(_) => return None,
        };
        Some(Self { url: self.url.clone(), what })
    }

    /// Whether something leaves by it that may not come back.
    pub(super) fn removes(&self) -> bool {
        match &self.what {
            What::Put { superseded, .. } => !superseded.is_empty(),
            What::Replace { .. } | What::Discard(_) | What::Clear(_) => true,
        }
    }

    /// The bytes that wait with it.
    pub(super) fn size(&self) -> usize {
        let record = self.record().map_or(0, |record| record.bytes.len());
        size_of::<Self>() + self.url.len() + record
    }
}

/// A connection that is ready for use.
#[derive(Clone)]
pub(super) struct Link {
    connection: MultiplexedConnection,
    scripts: Rc<Scripts>,
}

impl Link {
    /// Connects and hands over the scripts, without any time limit of its own.
    pub(super) async fn open(client: &Client) -> RedisResult<Self> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1024);
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let scripts = Rc::new(Scripts::load(&mut connection).await?);
        Ok(Self { connection, scripts })
    }

    /// Asks for an answer and nothing else.
    pub(super) async fn ping(mut self) -> RedisResult<()> {
        Cmd::new().arg("PING").exec_async(&mut self.connection).await
    }

    /// Reads what is held of a URL, in one round trip.
    ///
    /// The history of removals comes first: a removal in between makes it too old, which costs a
    /// response that could have been stored; the other way round one would be stored that may not.
    pub(super) async fn load(mut self, url: &[u8]) -> RedisResult<Found> {
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.add_command(history::question());
        pipeline.cmd("HGETALL").arg(names::responses(url));
        let mut answers = self.connection.req_packed_commands(&pipeline, 0, 2).await?.into_iter();
        let (history, variants) = (answers.next(), answers.next());
        Ok(Found {
            history: history_of(history.unwrap_or_default())?,
            variants: variants_of(variants.unwrap_or_default())?,
        })
    }

    /// Carries out a change. Says whether anything changed.
    pub(super) async fn change(mut self, change: &Change) -> RedisResult<bool> {
        let responses = names::responses(&change.url);
        let (from, to) = (DIGEST_IN_LUA.0.to_string(), DIGEST_IN_LUA.1.to_string());
        let (from, to) = (from.as_bytes(), to.as_bytes());
        let command = match &change.what {
            What::Put { record, since, superseded, latest, most_bytes } => {
                let (epoch, count) = (since.epoch.to_string(), since.count.to_string());
                let marks = (mark_of_url(&change.url), mark_of_origin(&change.url));
                let (name, kept) = (record.variant.0.as_bytes(), milliseconds(record.time_to_live));
                let asked = [epoch.as_bytes(), count.as_bytes()];
                let mut arguments =
                    [&asked[..], &[marks.0.as_bytes(), marks.1.as_bytes()]].concat();
                arguments.extend([name, &record.bytes, kept.as_bytes()]);
                let most = [MOST_VARIANTS, *most_bytes].map(|most| most.to_string());
                let latest = [latest.0, latest.1.millisecond()].map(|moment| moment.to_string());
                let places = [DATE_IN_LUA, ARRIVAL_IN_LUA].map(|place| place.to_string());
                arguments
                    .extend([&most, &latest, &places].into_iter().flatten().map(String::as_bytes));
                arguments.extend(superseded.iter().map(|variant| variant.0.as_bytes()));
                call(&self.scripts.put, &[names::removals(), responses], &arguments)
            }
            What::Replace { old, record } => {
                let kept = milliseconds(record.time_to_live);
                let (variant, name) = (old.variant.0.as_bytes(), record.variant.0.as_bytes());
                let arguments =
                    [variant, &old.digest, from, to, name, &record.bytes, kept.as_bytes()];
                call(&self.scripts.replace, &[responses], &arguments)
            }
            What::Discard(old) => {
                let arguments = [old.variant.0.as_bytes(), &old.digest, from, to];
                call(&self.scripts.discard, &[responses], &arguments)
            }
            What::Clear(variants) if variants.is_empty() => {
                Cmd::new().arg("UNLINK").arg(responses).take()
            }
            What::Clear(variants) => Cmd::new().arg("HDEL").arg(responses).arg(variants).take(),
        };
        command.query_async::<i64>(&mut self.connection).await.map(|changed| changed > 0)
    }

    /// The answer to a command.
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        command.query_async(&mut self.connection).await
    }

    /// The answers to commands.
    pub(super) async fn query_all<T: FromRedisValue>(
        &mut self,
        commands: &Pipeline,
    ) -> RedisResult<T> {
        commands.query_async(&mut self.connection).await
    }
}

fn milliseconds(duration: Duration) -> String {
    duration.as_millis().to_string()
}

fn history_of(answer: Value) -> RedisResult<Option<History>> {
    match answer {
        Value::Array(fields) => Ok(match &fields[..] {
            [epoch, count] => History::of(epoch, count),
            _ => None,
        }),
        Value::ServerError(error) if error.code() == "WRONGTYPE" => Ok(None),
        other => Err(unexpected(other)),
    }
}

fn variants_of(answer: Value) -> RedisResult<Option<Vec<Entry>>> {
    match answer {
        Value::Array(items) => {
            let mut items = items.into_iter();
            let mut variants = Vec::with_capacity(items.len() / 2);
            while let (Some(name), Some(record)) = (items.next(), items.next()) {
                variants.push((bytes_of(name)?, bytes_of(record)?));
            }
            Ok(Some(variants))
        }
        // With `protocol=resp3` in the URL.
        Value::Map(items) => {
            let pairs = items.into_iter();
            let pairs = pairs.map(|(name, record)| Ok((bytes_of(name)?, bytes_of(record)?)));
            pairs.collect::<RedisResult<_>>().map(Some)
        }
        Value::ServerError(error) if error.code() == "WRONGTYPE" => Ok(None),
        other => Err(unexpected(other)),
    }
}

fn bytes_of(value: Value) -> RedisResult<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        other => Err(unexpected(other)),
    }
}

/// The server's error, or that it answered something else than it was asked.
fn unexpected(answer: Value) -> RedisError {
    match answer.extract_error() {
        Ok(_) => (redis::ErrorKind::UnexpectedReturnType, "an answer of another kind").into(),
        Err(error) => error,
    }
}
