//! A small proxy in the mind: plays requests against a cache and an origin that is scripted by
//! the test, with a clock that the test sets.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::sync::Arc;

use edgeproof_cache::{
    Cache, Failed, Limits, Lookup, Moment, Policy, Purge, Received, Reply, Request, Response,
    Scheme, Store, Times, Turn, date,
};
use edgeproof_http1::Fields;
use futures_util::FutureExt;

/// Sun, 06 Nov 1994 08:49:37 GMT, the RFC's favourite instant.
pub(crate) const START: i64 = 784_111_777;

/// Fields from `Name: value` lines. `{date}`, `{-60}` and the like become dates from the start.
pub(crate) fn fields(lines: &[&str]) -> Fields {
    let mut fields = Fields::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a field line has a colon");
        fields.push(name, dates(value.trim()));
    }
    fields
}

fn dates(value: &str) -> String {
    let Some((before, rest)) = value.split_once('{') else { return value.to_owned() };
    let (offset, after) = rest.split_once('}').expect("a closing brace");
    let offset: i64 = offset.parse().expect("a number of seconds");
    let date = String::from_utf8(date::format(START + offset).to_vec()).expect("ASCII");
    format!("{before}{date}{after}")
}

/// What a client got, in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) fields: Fields,
    pub(crate) age: Option<u32>,
    pub(crate) cache_status: String,
    /// Whether the origin was asked.
    pub(crate) asked: bool,
}

/// What the origin answers.
pub(crate) enum Origin<'a> {
    /// A whole response.
    Answers(u16, &'a [&'a str], &'a str),
    /// The connection breaks after this much of the content.
    Breaks(u16, &'a [&'a str], &'a str),
    /// Nobody there.
    Down,
    /// The test is sure that nobody asks.
    NotAsked,
}

pub(crate) struct World {
    pub(crate) cache: Cache,
    pub(crate) seconds: i64,
    /// The fields of the request that the origin saw last.
    pub(crate) seen: Fields,
    pub(crate) host: &'static str,
    pub(crate) scheme: Scheme,
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        Self::bounded(policy, Limits::of_capacity(1 << 20))
    }

    pub(crate) fn bounded(policy: Policy, limits: Limits) -> Self {
        let cache = Cache::new(Arc::new(Store::new(limits)), policy);
        let host = "example.com";
        Self { cache, seconds: 0, seen: Fields::new(), host, scheme: Scheme::Http }
    }

    pub(crate) fn rfc() -> Self {
        Self::new(Policy::RFC9111)
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::from_second(START + self.seconds)
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.seconds += seconds;
    }

    pub(crate) fn get(&mut self, target: &str, request: &[&str], origin: &Origin<'_>) -> Answer {
        self.send("GET", target, request, origin)
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        request: &[&str],
        origin: &Origin<'_>,
    ) -> Answer {
        let request_fields = fields(request);
        let (host, scheme) = (self.host, self.scheme);
        let request = Request {
            method: method.as_bytes(),
            scheme,
            authority: host.as_bytes(),
            target: target.as_bytes(),
            fields: &request_fields,
        };
        match self.look_up(&request) {
            Lookup::Wait(_) => panic!("nobody else is on the way"),
            Lookup::Reply(reply) => answer(&reply, method, false),
            Lookup::OnlyIfCached => plain(504, false),
            Lookup::Forward(forward) => self.forward(forward, &request, origin),
        }
    }

    /// What the cache says; the store in memory answers at once.
    pub(crate) fn look_up(&self, request: &Request<'_>) -> Lookup {
        self.look_up_at(request, Turn::FIRST)
    }

    pub(crate) fn look_up_at(&self, request: &Request<'_>, turn: Turn) -> Lookup {
        self.cache.lookup(request, turn, self.now()).now_or_never().expect("no waiting")
    }

    fn forward(
        &mut self,
        forward: edgeproof_cache::Forward,
        request: &Request<'_>,
        origin: &Origin<'_>,
    ) -> Answer {
        self.seen = request.fields.clone();
        forward.prepare(&mut self.seen);
        let (status, lines, body, whole) = match origin {
            Origin::Answers(status, lines, body) => (*status, *lines, *body, true),
            Origin::Breaks(status, lines, body) => (*status, *lines, *body, false),
            Origin::NotAsked => panic!("the origin was asked: {:?}", self.seen),
            Origin::Down => {
                return match self.cache.failed(forward, request, self.now()) {
                    Failed::Reply(reply) => answer(&reply, "GET", true),
                    Failed::GatewayTimeout => plain(504, true),
                    Failed::NoHelp => plain(502, true),
                };
            }
        };
        let fields = fields(lines);
        let response = Response { status, fields: &fields };
        let times = Times::at(self.now());
        match self.cache.received(forward, request, response, times) {
            Received::Reply(reply) => {
                answer(&reply, std::str::from_utf8(request.method).expect("ASCII"), true)
            }
            Received::Again(forward) => self.forward(
                forward,
                request,
                &Origin::Answers(200, &["Cache-Control: max-age=60", "ETag: \"again\""], "again"),
            ),
            Received::Complete(_) => panic!("no test asks for what is missing"),
            Received::Pass { writer, cache_status, .. } => {
                if let Some(mut writer) = writer {
                    writer.push(body.as_bytes());
                    if whole {
                        writer.finish(Fields::new());
                    } else {
                        writer.break_off();
                    }
                }
                let (body, cache_status) = (body.to_owned(), cache_status.to_string());
                Answer { status, body, fields, age: None, cache_status, asked: true }
            }
        }
    }

    pub(crate) fn purge(&self, target: &str, purge: Purge) -> usize {
        let none = Fields::new();
        let (method, authority) = (b"PURGE", self.host.as_bytes());
        let target = target.as_bytes();
        let request = Request { method, scheme: self.scheme, authority, target, fields: &none };
        let removed = self.cache.purge(&request, purge).now_or_never();
        removed.expect("no waiting").expect("memory is there")
    }
}

fn plain(status: u16, asked: bool) -> Answer {
    let (body, cache_status) = (String::new(), String::new());
    Answer { status, body, fields: Fields::new(), age: None, cache_status, asked }
}

fn answer(reply: &Reply, method: &str, asked: bool) -> Answer {
    let body = if method == "HEAD" { Vec::new() } else { reply.body().concat() };
    Answer {
        status: reply.status(),
        body: String::from_utf8(body).expect("text"),
        fields: reply.fields().collect(),
        age: reply.age().map(edgeproof_cache::DeltaSeconds::seconds),
        cache_status: reply.cache_status().to_string(),
        asked,
    }
}
