//! One request and its response under the rules of their site.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use edgeproof_accesslog::{Record, When};
use edgeproof_http1::{Fields, ParsedRequest, Refused};
use edgeproof_mutant::{self as mutant, Mutant};
use edgeproof_waf::seclang::Mode;
use edgeproof_waf::{
    BodyVerdict, Connection, Held, Moment, Reason, RequestLine, Transaction, Verdict,
};

use super::audit::{self, Audited};
use super::{Firewall, transaction_id};
use crate::clock::Clock;
use crate::exchange::{own_fields, own_text};
use crate::peer::Peer;
use crate::reply::Sent;

/// What the rules make of a request or its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It goes on.
    Pass,
    /// The client gets this status, and with it the address where it should go.
    Answer { status: u16, location: Option<Vec<u8>> },
    /// The client gets nothing.
    Break,
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Deny { status, .. } => Self::Answer { status, location: None },
            Verdict::Redirect { status, location, .. } => {
                Self::Answer { status, location: Some(location) }
            }
            Verdict::TooLong => Self::Answer { status: 413, location: None },
            Verdict::Drop { .. } => Self::Break,
        }
    }
}

/// What the rules make of a response's head.
#[derive(Debug)]
pub(crate) enum OfResponse {
    /// It is decided.
    Decided(Decision),
    /// They want to see the body before the client does.
    Hold,
}

/// A request on its way through the rules.
pub(crate) struct Inspection {
    firewall: Arc<Firewall>,
    clock: Arc<Clock>,
    /// `None` once the engine has failed.
    transaction: Option<Transaction>,
    id: String,
    client: String,
    peer: Peer,
    line: Vec<u8>,
    host: Option<Bytes>,
    path: Option<Bytes>,
    /// Matches that are in the log.
    logged: usize,
}

impl Inspection {
    /// Begins with a connection's next request; `client` is who sent it.
    pub(crate) fn begin(
        firewall: &Arc<Firewall>,
        clock: &Arc<Clock>,
        peer: &Peer,
        client: std::net::IpAddr,
    ) -> Self {
        let id = transaction_id::next();
        let connection = Connection { client: (client, peer.port).into(), server: peer.local };
        let (rules, collections) = (&firewall.rules, &firewall.collections);
        let transaction = Transaction::new(rules, collections, connection, &id, moment(clock));
        Self {
            firewall: Arc::clone(firewall),
            clock: Arc::clone(clock),
            transaction: Some(transaction),
            id,
            client: client.to_string(),
            peer: peer.clone(),
            line: Vec::new(),
            host: None,
            path: None,
            logged: 0,
        }
    }

    /// UNIQUE_ID.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The request line and the header: phase 1.
    pub(crate) fn head(&mut self, request: &ParsedRequest) -> Decision {
        let head = &request.head;
        self.line.extend_from_slice(&request.line);
        self.host = request.authority.as_ref().map(|host| host.host().to_vec().into());
        self.path = Some(request.path.clone());
        let decision = self.decide(|rules, line| {
            let asked = RequestLine {
                line,
                method: Some(&head.method),
                target: Some(&head.target),
                version: Some(request.sent_version()),
            };
            rules.request(asked, head.fields.iter())
        });
        self.log();
        decision
    }

    /// A request that was refused before it was read to its end: as much of it as there is.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        self.line = refused.line.to_vec();
        self.path = refused.target().map(|target| target.to_vec().into());
        // It has its answer: the rules only tell.
        self.ask(|rules, line| {
            let asked = RequestLine {
                line,
                method: refused.method(),
                target: refused.target(),
                version: refused.version(),
            };
            rules.request(asked, refused.fields.iter())
        });
        self.log();
    }

    /// Whether the rules want to see the request's body.
    pub(crate) fn wants_body(&self) -> bool {
        self.transaction.as_ref().is_some_and(Transaction::wants_request_body)
    }

    /// The length that the header announces.
    pub(crate) fn announce(&mut self, length: u64) -> BodyVerdict {
        self.ask(|rules, _| rules.announce_body(length)).unwrap_or(BodyVerdict::Enough)
    }

    /// A part of the request's body.
    pub(crate) fn body(&mut self, part: &[u8]) -> BodyVerdict {
        self.ask(|rules, _| {
            assert!(!mutant::is(Mutant::EnginePanics), "a deliberate bug");
            rules.request_body(part)
        })
        .unwrap_or(BodyVerdict::Enough)
    }

    /// The request is there, or as much of it as the rules want: phase 2.
    pub(crate) fn end(&mut self) -> Decision {
        let decision = self.decide(|rules, _| rules.request_end());
        self.log();
        decision
    }

    /// The head of the response: phase 3.
    pub(crate) fn response<'h>(
        &mut self,
        status: u16,
        reason: &[u8],
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
    ) -> OfResponse {
        let now = moment(&self.clock);
        let decision = self.decide(|rules, _| {
            rules.at(now);
            rules.response(b"HTTP/1.1", status, reason, fields)
        });
        self.log();
        let wants = self.transaction.as_ref().is_some_and(Transaction::wants_response_body);
        if decision == Decision::Pass && wants {
            return OfResponse::Hold;
        }
        OfResponse::Decided(decision)
    }

    /// A part of the response's body.
    pub(crate) fn response_body(&mut self, part: &[u8]) -> BodyVerdict {
        self.ask(|rules, _| rules.response_body(part)).unwrap_or(BodyVerdict::Enough)
    }

    /// The response is there, or as much of it as the rules want: phase 4.
    pub(crate) fn response_end(&mut self) -> Decision {
        let decision = self.decide(|rules, _| rules.response_end());
        self.log();
        decision
    }

    /// The fields and the text of the answer in place of what was denied.
    pub(crate) fn denial(&self, status: u16, location: Option<Vec<u8>>) -> (Fields, String) {
        let mut fields = own_fields(&self.clock, status);
        if let Some(location) = location {
            fields.push("Location", location);
        }
        let text =
            format!("the firewall's rules do not let this through (transaction {})", self.id);
        (fields, own_text(status, &text))
    }

    /// All is over: phase 5, and what belongs into the logs.
    pub(crate) fn finish(mut self, request: Option<&ParsedRequest>, sent: Option<Sent<'_>>) {
        let now = moment(&self.clock);
        let finished = catch_unwind(AssertUnwindSafe(|| {
            let mut transaction = self.transaction.take()?;
            transaction.at(now);
            let body = transaction.received_body().to_vec();
            Some((transaction.finish(), body))
        }));
        let (outcome, body) = match finished {
            Ok(Some(finished)) => finished,
            Ok(None) => return,
            Err(_) => return self.report_failure(),
        };
        self.write_log(outcome.matches.get(self.logged..).unwrap_or_default());
        if (outcome.audit || mutant::is(Mutant::AuditsAll))
            && let Some(log) = self.firewall.outlet.audit()
        {
            let timestamp = self.clock.timestamp();
            let line = audit::line(&Audited {
                id: &self.id,
                time: timestamp.to_zoned(self.clock.zone().clone()),
                peer: &self.peer,
                client: &self.client,
                line: &self.line,
                request,
                body: &body,
                sent,
                outcome: &outcome,
                settings: self.firewall.rules.settings(),
            });
            log.write(&line);
        }
    }

    /// Whether a request that is denied is kept.
    pub(crate) fn keeps(&self) -> bool {
        self.firewall.quarantine.is_some()
    }

    /// What a quarantine keeps beside the request itself; `None` where nothing is to be kept.
    pub(crate) fn held(&self, is_cut: bool) -> Option<(Arc<edgeproof_waf::Quarantine>, Held)> {
        let quarantine = self.firewall.quarantine.as_ref()?;
        let matches = self.transaction.as_ref().map_or(&[][..], Transaction::matches);
        let reason = |one: &edgeproof_waf::Match| Reason {
            rule: one.rule,
            message: String::from_utf8_lossy(&one.message).into_owned(),
        };
        let held = Held {
            id: self.id.clone(),
            time: self.clock.timestamp(),
            site: self.firewall.site.clone(),
            client: self.client.clone(),
            secure: self.peer.tls.is_some(),
            matches: matches.iter().filter(|one| one.log).map(reason).collect(),
            is_cut,
        };
        Some((Arc::clone(quarantine), held))
    }

    /// Asks for a verdict; the question is given the request line.
    fn decide(&mut self, question: impl FnOnce(&mut Transaction, &[u8]) -> Verdict) -> Decision {
        match self.ask(question) {
            Some(verdict) => verdict.into(),
            // The safe side: what blocks lets nothing through that it could not judge, nor what came after.
            None if self.firewall.rules.settings().mode() == Mode::On => {
                Decision::Answer { status: 500, location: None }
            }
            None => Decision::Pass,
        }
    }

    /// Asks the engine. Its failure is no connection's end: `None` then, and from then on.
    fn ask<T>(&mut self, question: impl FnOnce(&mut Transaction, &[u8]) -> T) -> Option<T> {
        let transaction = self.transaction.as_mut()?;
        match catch_unwind(AssertUnwindSafe(|| question(transaction, &self.line))) {
            Ok(answer) => Some(answer),
            Err(_) => {
                self.transaction = None;
                self.report_failure();
                None
            }
        }
    }

    fn report_failure(&self) {
        let line = String::from_utf8_lossy(&self.line);
        eprintln!("firewall: the engine failed on {line:?} of {} ({})", self.client, self.id);
    }

    /// Writes the lines of what has matched since the last time.
    fn log(&mut self) {
        if !self.firewall.outlet.has_log() {
            return;
        }
        let matches = self.transaction.as_ref().map_or(&[][..], Transaction::matches);
        let count = matches.len();
        if count > self.logged {
            self.write_log(&matches[self.logged..]);
            self.logged = count;
        }
    }

    fn write_log(&self, matches: &[edgeproof_waf::Match]) {
        let completion = When { timestamp: self.clock.timestamp(), zone: self.clock.zone() };
        let record = Record {
            client_ip: Some(self.client.as_bytes()),
            request: Some(&self.line),
            request_hostname: self.host.as_deref(),
            request_path: self.path.as_deref(),
            unique_id: Some(self.id.as_bytes()),
            ..Record::at(completion)
        };
        self.firewall.outlet.write(&record, matches.iter().filter(|one| one.log));
    }
}

/// The site's now, as rules see it.
fn moment(clock: &Clock) -> Moment {
    let now = clock.timestamp();
    let utc_offset = clock.zone().to_offset(now).seconds();
    Moment { unix_micros: now.as_microsecond(), utc_offset }
}
