//! A site whose cache lies in Redis, and its origin, in the mind.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use edgeproof_cache::{
    Cache, Forward, Lookup, Moment, Policy, Purge, PurgeOwed, Received, RedisSettings, RedisStats,
    Request, Response, Scheme, Store, Times, Turn, Writer,
};
use edgeproof_http1::Fields;

use crate::server::Server;

pub(crate) const START: i64 = 784_111_777;

pub(crate) fn fields(lines: &[&str]) -> Fields {
    let split = |line: &&str| {
        let (name, value) = line.split_once(": ").expect("a field line");
        (name.to_owned(), value.to_owned())
    };
    lines.iter().map(split).collect()
}

/// What a client got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Stored(String),
    FromOrigin,
}

pub(crate) fn stored(body: &str) -> Got {
    Got::Stored(body.to_owned())
}

pub(crate) struct Site {
    pub(crate) cache: Cache,
    warnings: Arc<Mutex<Vec<String>>>,
    now: Moment,
    host: &'static str,
}

impl Site {
    /// With time for an answer even on a machine that has much else to do.
    pub(crate) fn over(server: &Server) -> Self {
        Self::with_timeout(server, Duration::from_secs(10))
    }

    pub(crate) fn with_timeout(server: &Server, timeout: Duration) -> Self {
        Self::at(&server.url(), timeout)
    }

    pub(crate) fn at(url: &str, timeout: Duration) -> Self {
        let settings = RedisSettings::at(url).expect("a good URL").with_timeout(timeout);
        let warnings = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&warnings);
        let warn = move |line: &str| heard.lock().expect("no panic").push(line.to_owned());
        let store = Store::redis(&settings, Box::new(warn)).expect("a thread");
        let cache = Cache::new(Arc::new(store), Policy::RFC9111);
        Self { cache, warnings, now: Moment::from_second(START), host: "example.com" }
    }

    /// The same under another name.
    pub(crate) fn named(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    /// The same, so many seconds later.
    pub(crate) fn later(self, seconds: i64) -> Self {
        Self { now: Moment::from_second(self.now.second() + seconds), ..self }
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().expect("no panic").clone()
    }

    pub(crate) fn stats(&self) -> RedisStats {
        self.cache.stats().redis.expect("a Redis")
    }

    fn request<'a>(&self, method: &'a str, target: &'a str, fields: &'a Fields) -> Request<'a> {
        let (method, target) = (method.as_bytes(), target.as_bytes());
        Request { method, scheme: Scheme::Http, authority: self.host.as_bytes(), target, fields }
    }

    pub(crate) async fn look_up(&self, method: &str, target: &str, request: &[&str]) -> Lookup {
        let fields = fields(request);
        self.cache.lookup(&self.request(method, target, &fields), Turn::FIRST, self.now).await
    }

    /// What is stored, if anything answers.
    pub(crate) async fn ask(&self, target: &str, request: &[&str]) -> Got {
        match self.look_up("GET", target, request).await {
            Lookup::Reply(reply) => {
                Got::Stored(String::from_utf8(reply.body().concat()).expect("text"))
            }
            Lookup::Forward(_) => Got::FromOrigin,
            other => panic!("{other:?}"),
        }
    }

    /// Whether a request is forwarded; gives what to remember of it.
    pub(crate) async fn miss(&self, target: &str, request: &[&str]) -> Forward {
        match self.look_up("GET", target, request).await {
            Lookup::Forward(forward) => forward,
            other => panic!("{target} is not missed: {other:?}"),
        }
    }

    /// Is forwarded, beside others that are on their way for the same thing.
    pub(crate) async fn miss_beside_others(&self, target: &str, request: &[&str]) -> Forward {
        let fields = fields(request);
        let request = self.request("GET", target, &fields);
        match self.cache.lookup(&request, Turn::ALONE, self.now).await {
            Lookup::Forward(forward) => forward,
            other => panic!("{target} is not missed: {other:?}"),
        }
    }

    fn received(
        &self,
        forward: Forward,
        method: &str,
        target: &str,
        request: &[&str],
        response: (u16, &[&str]),
    ) -> Received {
        let (request_fields, response_fields) = (fields(request), fields(response.1));
        let response = Response { status: response.0, fields: &response_fields };
        let request = self.request(method, target, &request_fields);
        self.cache.received(forward, &request, response, Times::at(self.now))
    }

    /// Begins to receive a 200.
    pub(crate) fn begin(
        &self,
        forward: Forward,
        target: &str,
        request: &[&str],
        response: &[&str],
    ) -> Box<Writer> {
        match self.received(forward, "GET", target, request, (200, response)) {
            Received::Pass { writer: Some(writer), .. } => writer,
            _ => panic!("{target} is not to be stored"),
        }
    }

    /// Misses, and stores what the origin says.
    pub(crate) async fn fetch(
        &self,
        target: &str,
        request: &[&str],
        response: &[&str],
        body: &str,
    ) -> bool {
        let forward = self.miss(target, request).await;
        let mut writer = self.begin(forward, target, request, response);
        writer.push(body.as_bytes());
        writer.finish(Fields::new())
    }

    /// Stores a response that is fresh for a minute.
    pub(crate) async fn fill(&self, target: &str, body: &str) -> bool {
        self.fetch(target, &[], &["Cache-Control: max-age=60"], body).await
    }

    /// The origin answers 304 to the validation of a stored response.
    pub(crate) fn validated(&self, forward: Forward, target: &str, response: &[&str]) {
        match self.received(forward, "GET", target, &[], (304, response)) {
            Received::Reply(_) => {}
            _ => panic!("{target} is not validated"),
        }
    }

    /// An unsafe request that succeeds.
    pub(crate) async fn post(&self, target: &str) {
        let Lookup::Forward(forward) = self.look_up("POST", target, &[]).await else {
            panic!("a POST is forwarded");
        };
        self.received(forward, "POST", target, &[], (200, &[]));
    }

    /// A purge that Redis has to carry out at once.
    pub(crate) async fn purge(&self, target: &str, purge: Purge) -> usize {
        self.try_purge(target, purge).await.expect("Redis is there")
    }

    pub(crate) async fn try_purge(&self, target: &str, purge: Purge) -> Result<usize, PurgeOwed> {
        let none = Fields::new();
        self.cache.purge(&self.request("PURGE", target, &none), purge).await
    }
}
