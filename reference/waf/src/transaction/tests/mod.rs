//! Rules at work on requests, as people would write them.

mod actions;
mod bodies;
mod collections;
mod control;
mod equality;
mod links;
mod variables;

use std::path::Path;
use std::sync::Arc;

use edgeproof_diagnostics::Source;

use super::{Collections, Connection, Moment, Outcome, RequestLine, Transaction, Verdict};
use crate::rules::RuleSet;
use crate::seclang::parse_text;

/// No rule fires.
const NONE: [u64; 0] = [];

/// A request to play.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    status: u16,
    response_headers: Vec<(String, String)>,
    response_body: Vec<u8>,
    now: Moment,
}

impl Request {
    fn get(target: &str) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), "shop.example".to_owned())],
            body: Vec::new(),
            status: 200,
            response_headers: Vec::new(),
            response_body: Vec::new(),
            now: Moment::utc(1_531_555_461),
        }
    }

    fn post(media_type: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref().to_vec();
        let length = body.len().to_string();
        let request = Self { method: "POST".to_owned(), body, ..Self::get("/form") };
        request.with("Content-Type", media_type).with("Content-Length", &length)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn answered(mut self, status: u16, media_type: &str, body: &str) -> Self {
        self.status = status;
        self.response_headers.push(("Content-Type".to_owned(), media_type.to_owned()));
        self.response_body = body.as_bytes().to_vec();
        self
    }
}

/// A rule set of a text, with the engine on and bodies looked at.
fn rules(text: &str) -> Arc<RuleSet> {
    let settings = "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n";
    let source = Source::new("test.conf", format!("{settings}{text}\n"));
    let program =
        parse_text(&source, Path::new("")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Arc::new(RuleSet::from_program(program).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

/// What a request came to.
struct Played {
    outcome: Outcome,
    /// The verdicts of phases 1 to 4.
    verdicts: [Verdict; 4],
    tx: Vec<(String, Option<String>)>,
}

impl Played {
    /// The value of a variable of TX that was asked for.
    fn tx(&self, name: &str) -> Option<&str> {
        self.tx.iter().find(|(one, _)| one == name).and_then(|(_, value)| value.as_deref())
    }
}

fn play_on(
    rules: &Arc<RuleSet>,
    store: &Arc<Collections>,
    request: &Request,
    tx: &[&str],
) -> Played {
    let ends = Connection {
        client: ([192, 0, 2, 7], 40_000).into(),
        server: ([198, 51, 100, 1], 443).into(),
    };
    let mut transaction = Transaction::new(rules, store, ends, "an-id", request.now);
    let line = format!("{} {} HTTP/1.1", request.method, request.target);
    let line = RequestLine {
        line: line.as_bytes(),
        method: Some(request.method.as_bytes()),
        target: Some(request.target.as_bytes()),
        version: Some(b"HTTP/1.1"),
    };
    let bytes =
        |pair: &(String, String)| (pair.0.clone().into_bytes(), pair.1.clone().into_bytes());
    let headers: Vec<_> = request.headers.iter().map(bytes).collect();
    let answered: Vec<_> = request.response_headers.iter().map(bytes).collect();
    let first =
        transaction.request(line, headers.iter().map(|(name, value)| (&name[..], &value[..])));
    for part in request.body.chunks(7) {
        transaction.request_body(part);
    }
    let second = transaction.request_end();
    let answered = answered.iter().map(|(name, value)| (&name[..], &value[..]));
    let third = transaction.response(b"HTTP/1.1", request.status, b"OK", answered);
    transaction.response_body(&request.response_body);
    let fourth = transaction.response_end();
    let value = |name: &&str| {
        let value = transaction.tx(name).map(|value| value.escape_ascii().to_string());
        ((*name).to_owned(), value)
    };
    let tx = tx.iter().map(value).collect();
    Played { outcome: transaction.finish(), verdicts: [first, second, third, fourth], tx }
}

fn play(text: &str, request: &Request) -> Played {
    play_on(&rules(text), &Arc::new(Collections::default()), request, &[])
}

/// The ids that fire.
fn fired(text: &str, request: &Request) -> Vec<u64> {
    play(text, request).outcome.fired
}

/// The value of a variable of TX when all is over.
fn tx(text: &str, request: &Request, name: &str) -> Option<String> {
    let played = play_on(&rules(text), &Arc::new(Collections::default()), request, &[name]);
    played.tx(name).map(str::to_owned)
}

#[test]
fn transactions_go_from_thread_to_thread_and_rules_are_shared() {
    fn goes<T: Send>() {}
    fn is_shared<T: Send + Sync>() {}
    goes::<Transaction>();
    is_shared::<RuleSet>();
    is_shared::<Collections>();
}
