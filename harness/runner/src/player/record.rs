//! What is remembered of a case while it is played.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use edgeproof_diagnostics::Span;
use edgeproof_load::LoadReport;

use super::Player;
use crate::client::{Connection, Ended, Heard, Octets};
use crate::event::{Exchange, Failure, Figure, OriginExchange};
use crate::locking::lock;
use crate::origin::Record;

/// More exchanges than this are played, not reported.
const MOST_EXCHANGES: usize = 64;
/// More requests at the origin than this are not reported with one exchange.
const MOST_ORIGIN: usize = 16;

/// The state of a case.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) failures: Vec<Failure>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) figures: Vec<Figure>,
    /// Loads by name, for `ratio`.
    pub(crate) loads: BTreeMap<String, LoadReport>,
    /// Requests at the origin that belong to an exchange already.
    claimed: usize,
    /// Access-log lines that the case's requests account for.
    pub(crate) explained: u64,
    pub(crate) looked_at_access_log: bool,
    pub(crate) doing: Option<Doing>,
    /// Connections of clients that send no more.
    pub(super) left: Vec<Connection>,
}

/// What is being waited for.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) what: String,
    pub(crate) span: Span,
    pub(crate) path: String,
    /// Is it the target's answer to a request?
    pub(crate) for_an_answer: bool,
}

/// An exchange that is under way. Where it is not awaited to its end, as the case's time is up, what there is of it is
/// told all the same.
pub(super) struct UnderWay<'a> {
    player: &'a Player,
    path: &'a str,
    client: &'a str,
    began: Instant,
    is_told: bool,
    pub(super) heard: Heard,
}

impl<'a> UnderWay<'a> {
    pub(super) fn new(player: &'a Player, path: &'a str, client: &'a str) -> Self {
        let (began, heard) = (Instant::now(), Heard::default());
        Self { player, path, client, began, is_told: false, heard }
    }

    /// It is over: remembers it, and says what it was and its place among those that are reported.
    pub(super) fn over(mut self) -> (Heard, Option<usize>) {
        let place = self.tell();
        (std::mem::take(&mut self.heard), place)
    }

    fn tell(&mut self) -> Option<usize> {
        self.is_told = true;
        self.player.record(self.path, self.client, &self.heard)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        if self.heard.ended == Ended::Unfinished {
            // To the millisecond, for people.
            let ms = self.began.elapsed().as_millis();
            self.heard.duration = Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX));
        }
        self.tell();
    }
}

impl Player {
    /// Remembers an exchange; its place among those that are reported.
    fn record(&self, path: &str, client: &str, heard: &Heard) -> Option<usize> {
        let mut progress = lock(&self.progress);
        // Those that came since the last exchange ended; with parallel clients, in the order of ending.
        let new = self.origin.records(progress.claimed);
        progress.claimed += new.len();
        if progress.exchanges.len() >= MOST_EXCHANGES {
            return None;
        }
        let Octets { beginning, size } = &heard.received;
        let response = (*size > 0).then(|| self.carry.payload(beginning, *size));
        progress.exchanges.push(Exchange {
            step: path.to_owned(),
            client: client.to_owned(),
            request: self.carry.payload(&heard.sent.beginning, heard.sent.size),
            response,
            note: heard.note(),
            duration_us: u64::try_from(heard.duration.as_micros()).unwrap_or(u64::MAX),
            origin: new
                .iter()
                .take(MOST_ORIGIN)
                .map(|record| self.origin_exchange(record))
                .collect(),
        });
        Some(progress.exchanges.len() - 1)
    }

    fn origin_exchange(&self, record: &Record) -> OriginExchange {
        let request = [&record.raw_head[..], &record.body].concat();
        let answer = &record.answer;
        OriginExchange {
            request: self.carry.payload(&request, request.len() as u64),
            response: (record.answer_size > 0)
                .then(|| self.carry.payload(answer, record.answer_size)),
        }
    }
}
