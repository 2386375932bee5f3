//! A test as its file says it, after reading: what a player of the format makes of it is decided later.

use edgeproof_diagnostics::{Source, Span, Spanned};
use edgeproof_scenario::model::Settled;

/// One test.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    /// The file it stands in.
    pub(crate) source: Source,
    /// Where it begins.
    pub(crate) span: Span,
    /// The rule that it is about, where anything says it.
    pub(crate) rule: Option<u64>,
    /// Its number among the tests of the rule: as written, else its place from 1.
    pub(crate) number: u64,
    /// The last part of its case's id.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) stages: Vec<Stage>,
    /// The verdict that something gives beforehand.
    pub(crate) settled: Option<Settled>,
}

impl Test {
    /// As override files name it: `920100-4`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.rule.unwrap_or_default(), self.number)
    }
}

/// One request and what must hold of it.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) span: Span,
    pub(crate) input: Input,
    pub(crate) output: Output,
}

/// What is sent. `None`: not said. Where to (`dest_addr`, `port`) is the target's business.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Input {
    /// Through TLS.
    pub(crate) tls: bool,
    pub(crate) method: Option<String>,
    pub(crate) uri: Option<String>,
    pub(crate) version: Option<String>,
    /// In the order written.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) data: Option<Vec<u8>>,
    /// The whole request, instead of all that is made of the above.
    pub(crate) whole: Option<Vec<u8>>,
    /// Are Connection, Content-Type and Content-Length added, and forms encoded?
    pub(crate) autocomplete: bool,
    pub(crate) follow_redirect: bool,
    pub(crate) save_cookie: bool,
    /// Do marks in the log ask for this request's host?
    pub(crate) virtual_host: bool,
    /// Is it in the form before version 1? Its player left alone line breaks that are CRLF already, and said
    /// the length only of content that is there.
    pub(crate) older: bool,
    /// What the backend answers, instead of its own.
    pub(crate) response: Option<Response>,
}

impl Input {
    /// The values of the fields of that name.
    pub(crate) fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// One field of that name, at the end, in place of any others.
    pub(crate) fn set_field(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }
}

/// An answer of the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What must hold. Each part knows its place, so that a failure can point at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    /// One of these.
    pub(crate) status: Option<Spanned<Vec<u16>>>,
    /// A regex over the whole answer.
    pub(crate) response_contains: Option<Spanned<String>>,
    pub(crate) expect_ids: Option<Spanned<Vec<u64>>>,
    pub(crate) no_expect_ids: Option<Spanned<Vec<u64>>>,
    /// A regex that a line of the log must match.
    pub(crate) match_regex: Option<Spanned<String>>,
    /// A regex that none must.
    pub(crate) no_match_regex: Option<Spanned<String>>,
    /// No other rule than the one of `expect_ids`.
    pub(crate) isolated: Option<Span>,
    /// No answer that can be read.
    pub(crate) expect_error: Option<Span>,
    pub(crate) retry_once: bool,
}

impl Output {
    /// Does it say anything about the WAF's log?
    pub(crate) fn looks_at_log(&self) -> Option<&Span> {
        let ids = [&self.expect_ids, &self.no_expect_ids].into_iter().flatten();
        let patterns = [&self.match_regex, &self.no_match_regex].into_iter().flatten();
        let first = ids.map(|ids| &ids.span).chain(patterns.map(|it| &it.span)).next();
        first.filter(|_| self.expect_error.is_none())
    }
}
