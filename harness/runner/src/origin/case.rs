//! The origin of one case: its rules, and what it saw.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgeproof_scenario::model::{Answer, Origin};
use tokio::sync::watch;

use super::{matching, reflect};
use crate::clock::CaseClock;
use crate::expect::Scope;
use crate::locking::lock;
use crate::variables::Variables;
use crate::wire::{Content, Fields, ReadRequest};

/// One request that reached the origin.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) method: String,
    /// With its query, without the case's prefix.
    pub(crate) path: String,
    pub(crate) fields: Fields,
    /// The head as it arrived.
    pub(crate) raw_head: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
    /// The beginning of what was answered.
    pub(crate) answer: Vec<u8>,
    pub(crate) answer_size: u64,
}

/// More requests than this are counted, not kept.
const MOST_RECORDS: usize = 4096;
/// More of a request's body is not kept.
const MOST_BODY: usize = 1024 * 1024;

#[derive(Debug, Default)]
struct Seen {
    records: Vec<Record>,
    requests: u64,
    connections: BTreeSet<u64>,
    /// How often each rule has answered.
    served: Vec<usize>,
    complaints: Vec<String>,
}

/// The origin of one case.
#[derive(Debug)]
pub(crate) struct CaseOrigin {
    /// The `ID` of its prefix `/~ID/`.
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) clock: Arc<CaseClock>,
    script: Origin,
    any_host: bool,
    variables: Mutex<Variables>,
    seen: Mutex<Seen>,
    /// How many connections are about to be closed.
    closing: watch::Sender<usize>,
}

/// A connection that the origin closes with the answer it is giving: until this is dropped.
#[derive(Debug)]
pub(crate) struct Closing(Arc<CaseOrigin>);

impl Closing {
    pub(crate) fn of(case: &Arc<CaseOrigin>) -> Self {
        case.closing.send_modify(|count| *count += 1);
        Self(Arc::clone(case))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.closing.send_modify(|count| *count -= 1);
    }
}

impl CaseOrigin {
    pub(crate) fn new(
        id: String,
        host: String,
        script: Origin,
        variables: Variables,
        clock: Arc<CaseClock>,
    ) -> Self {
        let rules = if let Origin::Rules(rules) = &script { rules.len() } else { 0 };
        let seen = Seen { served: vec![0; rules], ..Seen::default() };
        let (variables, seen) = (Mutex::new(variables), Mutex::new(seen));
        let closing = watch::Sender::new(0);
        Self { id, host, clock, script, any_host: false, variables, seen, closing }
    }

    /// It gets what belongs to no other case; whose requests they are nobody can tell, so none is
    /// remembered and none complained of.
    pub(crate) fn for_any_host(mut self) -> Self {
        self.any_host = true;
        self
    }

    pub(crate) fn is_for_any_host(&self) -> bool {
        self.any_host
    }

    pub(crate) fn reflects(&self) -> bool {
        matches!(self.script, Origin::Reflect(_))
    }

    /// What a reflecting origin answers to a request with that content.
    pub(crate) fn reflection(&self, request: &ReadRequest, content: &[u8]) -> Option<Answer> {
        match &self.script {
            Origin::Reflect(Some(fixed)) => Some(Answer::clone(fixed)),
            Origin::Reflect(None) => Some(reflect::answer(request, content)),
            _ => None,
        }
    }

    /// The first rule that fits gives its next answer.
    pub(crate) fn choose(&self, request: &ReadRequest, path: &str) -> Option<Answer> {
        let Origin::Rules(rules) = &self.script else { return None };
        let variables = lock(&self.variables);
        let scope = Scope { variables: &variables, now: self.clock.origin_now(), secrets: false };
        let at = rules.iter().position(|rule| {
            matching::fits(&rule.on, &request.method, path, &request.fields, &scope)
        })?;
        let mut seen = lock(&self.seen);
        let turn = seen.served[at];
        seen.served[at] += 1;
        let answers = &rules[at].respond;
        answers.get(turn).or(answers.last()).cloned()
    }

    /// The delay before the answer to such a request, as the script states it.
    pub(crate) fn stated_delay(&self, method: &str, target: &str) -> Option<Duration> {
        let Origin::Rules(rules) = &self.script else { return None };
        let variables = lock(&self.variables);
        let scope = Scope { variables: &variables, now: self.clock.origin_now(), secrets: false };
        let path = matching::path_of(target);
        let fields = Fields::default();
        let rule = rules.iter().find(|r| matching::fits(&r.on, method, path, &fields, &scope))?;
        rule.respond.last().map(|answer| answer.delay.unwrap_or_default())
    }

    /// Remembers a request at its arrival; the number under which the rest is added.
    pub(crate) fn arrived(&self, connection: u64, request: &ReadRequest, path: &str) -> usize {
        if self.any_host {
            return usize::MAX;
        }
        let mut seen = lock(&self.seen);
        seen.requests += 1;
        seen.connections.insert(connection);
        if seen.records.len() < MOST_RECORDS {
            seen.records.push(Record {
                method: request.method.clone(),
                path: path.to_owned(),
                fields: request.fields.clone(),
                raw_head: request.raw.clone(),
                body: Vec::new(),
                trailers: Fields::default(),
                answer: Vec::new(),
                answer_size: 0,
            });
        }
        usize::try_from(seen.requests - 1).unwrap_or(usize::MAX)
    }

    /// A connection that carried no request, such as one that is reset on accept.
    pub(crate) fn connected(&self, connection: u64) {
        lock(&self.seen).connections.insert(connection);
    }

    /// Ends once no connection is about to be closed: a client may have its answer before that, and a target that keeps
    /// connections would take one for its next request.
    pub(crate) async fn has_closed(&self) {
        // The sender is this origin's own.
        let _ = self.closing.subscribe().wait_for(|count| *count == 0).await;
    }

    /// The request's content has come, to its end or not.
    pub(crate) fn content_came(&self, record: usize, content: &Content) {
        if let Some(record) = lock(&self.seen).records.get_mut(record) {
            record.body = content.bytes[..content.bytes.len().min(MOST_BODY)].to_vec();
            record.trailers = content.trailers.clone();
        }
    }

    /// The answer has been sent, or the beginning of it.
    pub(crate) fn answered(&self, record: usize, beginning: Vec<u8>, size: u64) {
        if let Some(record) = lock(&self.seen).records.get_mut(record) {
            (record.answer, record.answer_size) = (beginning, size);
        }
    }

    /// Something that nobody expected, which fails the case.
    pub(crate) fn complain(&self, complaint: String) {
        let mut seen = lock(&self.seen);
        if seen.complaints.len() < 16 && !self.any_host {
            seen.complaints.push(complaint);
        }
    }

    /// The complaints since the last time this was asked.
    pub(crate) fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.seen).complaints)
    }

    /// The requests from number `from` on, as far as they were kept.
    pub(crate) fn records(&self, from: usize) -> Vec<Record> {
        lock(&self.seen).records.iter().skip(from).cloned().collect()
    }

    pub(crate) fn requests(&self) -> u64 {
        lock(&self.seen).requests
    }

    pub(crate) fn connections(&self) -> u64 {
        lock(&self.seen).connections.len() as u64
    }

    /// Captured values are for the origin's templates too.
    pub(crate) fn set_variable(&self, name: &str, value: &[u8]) {
        lock(&self.variables).set(name, value);
    }

    pub(crate) fn variables(&self) -> Variables {
        lock(&self.variables).clone()
    }
}
