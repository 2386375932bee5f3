//! The harness's marks in a WAF's log: a request whose line, once it is there, says that all lines before
//! it are there too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Player;
use crate::client::{Client, Dialer, raw};
use crate::logs::CaseLog;
use crate::origin::MARKER;

/// The line of a mark is waited for so long.
const TO_BE_WRITTEN: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// No two marks of a run have one value.
static SENT: AtomicU64 = AtomicU64::new(0);

/// How marks are made: a GET whose field of that name has a value of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    field: String,
    token: String,
}

impl Marks {
    pub(crate) fn new(field: &str, token: &str) -> Self {
        Self { field: field.to_owned(), token: token.to_owned() }
    }

    /// The same for a case with that token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self::new(&self.field, token)
    }

    /// Sends a mark: its value, and what went wrong if anything did. The request is one that no rule
    /// objects to.
    pub(crate) async fn send(
        &self,
        dialer: &Dialer,
        host: Option<&str>,
        client: &mut Client,
    ) -> (String, Option<String>) {
        let number = SENT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}{}-{number:08}", &MARKER[1..], self.token);
        let (field, host) = (&self.field, host.unwrap_or(&dialer.host));
        let request = format!(
            "GET /{mark} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: edgeproof\r\nAccept: */*\r\n{field}: {mark}\r\nConnection: close\r\n\r\n"
        );
        let outgoing = raw(request.into_bytes(), 1, dialer.http.is_none(), false);
        let sent = client.exchange(dialer, &outgoing, || false);
        let note = match tokio::time::timeout(TO_BE_WRITTEN, sent).await {
            Ok(heard) => heard.note(),
            Err(_) => Some(format!("no answer within {TO_BE_WRITTEN:?}")),
        };
        (mark, note)
    }
}

impl Player {
    /// Waits until all lines of the requests so far are in the log, by a mark after them.
    pub(super) async fn mark(&self, marks: &Marks, log: &CaseLog) -> Result<(), String> {
        let host = self.case.foreign.as_ref().and_then(|foreign| foreign.mark_host.as_deref());
        let (mark, note) = marks.send(&self.dialer, host, &mut Client::default()).await;
        let began = Instant::now();
        while !log.has_mark(&mark)? {
            if began.elapsed() > TO_BE_WRITTEN {
                let note = note.map(|note| format!(" ({note})")).unwrap_or_default();
                return Err(format!(
                    "no line with the mark after the case{note}: what is in the log by now cannot be told"
                ));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }
}
