//! One request that was read: which site answers it, and how.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use edgeproof_cache::Purge;
use edgeproof_http1::{BodyLength, Fields, ParsedRequest};
use jiff::Timestamp;
use tokio::io::AsyncRead;

use crate::body::Sink;
use crate::clock::{self, Clock};
use crate::failure::Failure;
use crate::forward::{Exchange, Passed, max_forwards, wanted_upgrade};
use crate::live::{Live, Site};
use crate::log::{Asked, Entry, Log};
use crate::patience::within;
use crate::peer::{Breakable, Client, Peer};
use crate::reply::{Reply, Sent, reason};
use crate::worker::Worker;
use crate::{caching, forwarded, tunnel};
use edgeproof_mutant::{self as mutant, Mutant};

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It carries the next request.
    Next,
    /// It closes in order.
    Close,
    /// It breaks, so that the client sees the response's missing end.
    Break,
}

/// The methods that are forwarded (RFC 9110 §9.3, RFC 5789).
const ALLOW: &str = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";

/// Answers a request and writes its log line.
pub(crate) async fn run<R, W>(
    client: &mut Client<R, W>,
    worker: &Rc<Worker>,
    live: &Live,
    request: &ParsedRequest,
) -> After
where
    R: AsyncRead + Unpin,
    W: Breakable,
{
    let host = request.authority.as_ref().map(edgeproof_http1::Authority::host);
    let site = live.site(host);
    let clock = site.map_or(&live.clock, |site| &site.clock);
    let received = clock.timestamp();
    let Client { incoming, out, peer } = client;
    let keep = request.is_persistent() && !worker.is_stopping();
    let is_head = &request.head.method[..] == b"HEAD";
    let mut reply = Reply::new(out, request.head.version, is_head, keep);

    let passed = match (own_answer(request, live, site, peer, &mut reply).await, site) {
        (Some(()), _) => finish_own(&mut reply, live).await,
        (None, None) => {
            refuse(&mut reply, request, clock, 421, "no site has this host");
            finish_own(&mut reply, live).await
        }
        (None, Some(site)) => {
            let exchange = Exchange { worker, limits: &live.limits, site, request, peer, received };
            match &site.cache {
                Some(cache) => exchange.through(cache, incoming, &mut reply).await,
                None => Box::pin(exchange.pass(incoming, &mut reply)).await,
            }
        }
    };
    let after = match passed {
        Ok(Passed::Done) if reply.keep => After::Next,
        Ok(_) => After::Close,
        Err(failure) => fail(failure, &mut reply, request, live, clock).await,
    };
    let (out, mut begun) = reply.into_parts();
    if let Ok(Passed::Tunnel(mut origin)) = passed {
        let count = Box::pin(tunnel::run(incoming, out, &mut origin, &live.limits)).await;
        if let Some(begun) = &mut begun {
            begun.body = count;
        }
    }
    let sent = begun.map(|begun| begun.sent(out));
    worker.stats().answered(sent.map_or(0, |sent| sent.status));
    let log = site.map_or(live.log.as_ref(), |site| site.log.as_ref());
    if let Some(log) = log {
        write_log(log, site, request, peer, sent, clock, received);
    }
    after
}

/// Answers what no origin is asked for: the answer is queued if there is one.
async fn own_answer<W: Breakable>(
    request: &ParsedRequest,
    live: &Live,
    site: Option<&Arc<Site>>,
    peer: &Peer,
    reply: &mut Reply<'_, W>,
) -> Option<()> {
    let clock = site.map_or(&live.clock, |site| &site.clock);
    let fields = &request.head.fields;
    let mut own = |status, text: &str| refuse(reply, request, clock, status, text);
    match &request.head.method[..] {
        // Bytes that follow a CONNECT would be meant for somebody else.
        b"CONNECT" => {
            reply.keep = false;
            refuse(reply, request, clock, 405, "this is no proxy to connect through");
        }
        b"TRACE" => own(405, "TRACE would show what the proxy adds"),
        b"OPTIONS" if max_forwards(fields) == Some(0) => {
            let mut answer = Fields::new();
            answer.push("Allow", ALLOW);
            answer.push("Date", clock::http_date(clock.timestamp()));
            reply.start(200, "OK".into(), answer, BodyLength::Empty);
        }
        _ if fields.get_all("expect").any(|it| !it.eq_ignore_ascii_case(b"100-continue")) => {
            own(417, "only 100-continue can be expected");
        }
        b"PURGE" if site.is_some_and(|site| site.cache.is_some()) => {
            let (status, text) = purge(request, site?, peer).await;
            reply.keep &= has_no_body(request);
            reply.answer(status, own_fields(clock, status), &text);
        }
        _ => match request.body {
            BodyLength::Length(length) if length > live.limits.body => {
                own(413, "the request's body is too large");
            }
            _ => return None,
        },
    }
    Some(())
}

/// Removes from the site's cache what a PURGE asks for, and says how many responses that were.
async fn purge(request: &ParsedRequest, site: &Site, peer: &Peer) -> (u16, String) {
    let fields = &request.head.fields;
    let client = forwarded::client_ip(peer.ip, fields, &site.settings.trusted_peers);
    let allowed = site.settings.cache.as_ref().map_or(&[][..], |cache| &cache.purge_from);
    if !allowed.iter().any(|net| net.contains(&client)) {
        return (403, own_text(403, &format!("{client} may not purge")));
    }
    let Some(purge) = Purge::named(fields.get("x-cache-purge-match")) else {
        let text = "X-Cache-Purge-Match is exact, startswith or wildcard";
        return (400, own_text(400, text));
    };
    let request = caching::request_of(request, peer.tls.is_some());
    let removed = match &site.cache {
        Some(cache) => cache.purge(&request, purge).await,
        None => 0,
    };
    match removed {
        0 => (404, own_text(404, "nothing that is stored matches")),
        removed => (200, format!("{removed} removed")),
    }
}

/// Queues an answer of the proxy's own. A body that nobody reads must not be taken for the next
/// request.
pub(crate) fn refuse<W: Breakable>(
    reply: &mut Reply<'_, W>,
    request: &ParsedRequest,
    clock: &Clock,
    status: u16,
    text: &str,
) {
    reply.keep &= has_no_body(request);
    reply.answer(status, own_fields(clock, status), &own_text(status, text));
}

fn has_no_body(request: &ParsedRequest) -> bool {
    matches!(request.body, BodyLength::Empty | BodyLength::Length(0))
}

/// The fields of the proxy's own answers.
pub(crate) fn own_fields(clock: &Clock, status: u16) -> Fields {
    let mut fields = Fields::new();
    fields.push("Date", clock::http_date(clock.timestamp()));
    if status == 405 {
        fields.push("Allow", ALLOW);
    }
    if mutant::is(Mutant::CacheStatusOnOwnAnswers) {
        fields.push("Cache-Status", "edgeproof; fwd=uri-miss");
    }
    fields
}

/// The text of the proxy's own answers.
pub(crate) fn own_text(status: u16, text: &str) -> String {
    format!("{status} {}: {text}", reason(status))
}

async fn finish_own<W: Breakable>(
    reply: &mut Reply<'_, W>,
    live: &Live,
) -> Result<Passed, Failure> {
    reply.end(Fields::new());
    match within(live.limits.client_timeout, reply.flush()).await {
        Ok(Ok(())) => Ok(Passed::Done),
        Ok(Err(_)) | Err(_) => Err(Failure::ClientGone),
    }
}

/// Tells the client of a failure, if its response has not begun.
async fn fail<W: Breakable>(
    failure: Failure,
    reply: &mut Reply<'_, W>,
    request: &ParsedRequest,
    live: &Live,
    clock: &Clock,
) -> After {
    let Some(status) = failure.status().filter(|_| !reply.has_begun()) else {
        return After::Break;
    };
    reply.keep &= !failure.is_of_client();
    refuse(reply, request, clock, status, &failure.to_string());
    match finish_own(reply, live).await {
        Ok(_) if reply.keep => After::Next,
        Ok(_) => After::Close,
        Err(_) => After::Break,
    }
}

fn write_log(
    log: &Log,
    site: Option<&Arc<Site>>,
    request: &ParsedRequest,
    peer: &Peer,
    sent: Option<Sent<'_>>,
    clock: &Clock,
    received: Timestamp,
) {
    thread_local! {
        static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    let head = &request.head;
    let trusted = site.map_or(&[][..], |site| &site.settings.trusted_peers);
    let websocket = sent.is_some_and(|sent| sent.status == 101)
        && wanted_upgrade(request).is_some_and(|it| it.eq_ignore_ascii_case(b"websocket"));
    LINE.with_borrow_mut(|line| {
        line.clear();
        for part in [&head.method[..], b" ", &head.target, b" ", head.version.as_str().as_bytes()] {
            line.extend_from_slice(part);
        }
        Entry {
            asked: Asked::of(request, line),
            peer,
            client_ip: forwarded::client_ip(peer.ip, &head.fields, trusted),
            websocket,
            sent,
            received,
            completed: clock.timestamp(),
            zone: clock.zone(),
        }
        .write(log);
    });
}
