//! One request that was read: which site answers it, and how.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use edgeproof_cache::Purge;
use edgeproof_http1::{BodyLength, Fields, ParsedRequest, TargetForm, Written, put_request_line};
use jiff::Timestamp;
use tokio::io::AsyncRead;

use crate::body::Sink;
use crate::clock::{self, Clock};
use crate::failure::Failure;
use crate::firewall::Inspected;
use crate::forward::{Exchange, Passed, max_forwards};
use crate::limits::Limits;
use crate::live::{Live, Site};
use crate::log::{Asked, Entry, Log};
use crate::patience::within;
use crate::peer::{Breakable, Client, Peer};
use crate::reply::{Reply, Sent, reason};
use crate::wire::Incoming;
use crate::worker::Worker;
use crate::{caching, forwarded, hop, tunnel};
use edgeproof_mutant::{self as mutant, Mutant};

/// What becomes of the connection after an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It carries the next request.
    Next,
    /// It closes in order, once the client has closed too.
    Close,
    /// It closes in order and at once: the client has said that nothing follows what was read.
    Leave,
    /// It breaks, so that the client sees the response's missing end.
    Break,
}

/// The methods that are forwarded (RFC 9110 §9.3, RFC 5789).
const ALLOW: &str = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS";

/// Answers a request, whose head `took` some time to come, and writes its log line.
pub(crate) async fn run<R, W>(
    client: &mut Client<R, W>,
    worker: &Rc<Worker>,
    live: &Live,
    request: &ParsedRequest,
    took: Duration,
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
    let log = site.map_or(live.log.as_ref(), |site| site.log.as_ref());
    // The line says what it is called.
    let gate;
    let began = clock.before(received, took);
    let over = Over { site, request, peer, sent: None, clock, began, unique_id: None };
    let mut line = Line { log, over };
    let keep = request.is_persistent() && !worker.is_stopping();
    // RFC 9112 §9.6: who says close sends nothing more.
    let leaves = !request.is_persistent() && has_no_body(request);
    if leaves {
        out.ends_after(W::wait_for_end);
    }
    let is_head = &request.head.method[..] == b"HEAD";
    let mut reply = Reply::new(out, request.head.version, is_head, keep);

    let passed = match site {
        None => {
            if own_answer(request, live, None, peer, &mut reply).await.is_none() {
                refuse(&mut reply, request, clock, 421, "no site has this host");
            }
            finish_own(&mut reply, live).await
        }
        Some(site) => {
            let limits = &live.limits;
            let exchange =
                Exchange { worker, limits, site, request, peer, received, continued: false };
            serve(exchange, live, incoming, &mut reply).await
        }
    };
    let after = match passed {
        Ok(Passed::Done) if reply.keep => After::Next,
        Ok(Passed::Done) if leaves => After::Leave,
        Ok(_) => After::Close,
        Err(failure) => fail(failure, &mut reply, request, live, clock).await,
    };
    let (out, mut begun, passed_gate) = reply.into_parts();
    gate = passed_gate;
    if let Ok(Passed::Tunnel(mut origin)) = passed {
        line.over.sent = Some(Sent { status: 101, fields: Written::default(), body: 0 });
        let count = Box::pin(tunnel::run(incoming, out, &mut origin, &live.limits)).await;
        if let Some(begun) = begun.as_mut().filter(|_| !mutant::is(Mutant::NoOctetsOfUpgrades)) {
            begun.body = count;
        }
    }
    let sent = begun.and_then(|begun| begun.sent(out));
    worker.stats().answered(sent.map_or(0, |sent| sent.status));
    line.over.unique_id = gate.as_ref().map(|gate| gate.inspection().id());
    line.over.sent = sent;
    drop(line);
    if let Some(gate) = gate {
        gate.into_inspection().finish(Some(request), sent);
    }
    after
}

/// Answers a request of a site: its firewall first, then the proxy itself, its cache, its origin.
async fn serve<R, W>(
    mut exchange: Exchange<'_>,
    live: &Live,
    incoming: &mut Incoming<R>,
    reply: &mut Reply<'_, W>,
) -> Result<Passed, Failure>
where
    R: AsyncRead + Unpin,
    W: Breakable,
{
    let Exchange { site, request, peer, .. } = exchange;
    let is_purge = &request.head.method[..] == b"PURGE" && site.cache.is_some();
    if let Some(firewall) = site.firewall.as_ref().filter(|_| !is_purge) {
        match Box::pin(exchange.inspect(firewall, incoming, reply)).await? {
            Inspected::Pass { continued } => {
                exchange.continued = continued;
                // Whoever else is ready is inspected first: the origin is woken once for all of them.
                tokio::task::yield_now().await;
            }
            Inspected::Answered => return finish_own(reply, live).await,
            Inspected::Break => return Err(Failure::ClientGone),
        }
    }
    if own_answer(request, live, Some(site), peer, reply).await.is_some() {
        return finish_own(reply, live).await;
    }
    // What Connection names is this hop's alone: the cache must not select by what the origin never got.
    let of_all_hops;
    if hop::connection_names_others(&request.head.fields) {
        let mut request = request.clone();
        hop::strip_named(&mut request.head.fields);
        of_all_hops = request;
        exchange.request = &of_all_hops;
    }
    match &site.cache {
        Some(cache) => exchange.through(cache, incoming, reply).await,
        None => Box::pin(exchange.pass(incoming, reply)).await,
    }
}

/// Answers what no origin is asked for: the answer is queued if there is one.
async fn own_answer<W: Breakable>(
    request: &ParsedRequest,
    live: &Live,
    site: Option<&Arc<Site>>,
    peer: &Peer,
    reply: &mut Reply<'_, W>,
) -> Option<()> {
    let clock = site.map_or(&live.clock, |site| &*site.clock);
    let trusted = site.map_or(&[][..], |site| &site.settings.trusted_peers);
    if is_for_https(request)
        && peer.tls.is_none()
        && !trusted.iter().any(|net| net.contains(&peer.ip))
    {
        // RFC 9110 §7.4: only who terminates TLS before us may say so.
        refuse(reply, request, clock, 421, "an https resource is served over TLS only");
        return Some(());
    }
    if let Some((status, text)) = own_refusal(request, &live.limits) {
        // Bytes that follow a CONNECT would be meant for somebody else.
        reply.keep &= &request.head.method[..] != b"CONNECT";
        refuse(reply, request, clock, status, text);
        return Some(());
    }
    match &request.head.method[..] {
        b"OPTIONS" if max_forwards(&request.head.fields) == Some(0) => {
            let mut answer = Fields::new();
            answer.push("Allow", ALLOW);
            answer.push("Date", clock::http_date(clock.timestamp()));
            // A body that nobody reads must not be taken for the next request.
            reply.keep &= has_no_body(request);
            reply.start(200, "OK".into(), answer, BodyLength::Empty);
        }
        b"PURGE" if site.is_some_and(|site| site.cache.is_some()) => {
            let (status, text) = purge(request, site?, peer).await;
            reply.keep &= has_no_body(request);
            let mut fields = own_fields(clock, status);
            if status == 503 {
                fields.push("Retry-After", PURGE_AGAIN.to_string());
            }
            reply.answer(status, fields, &text);
        }
        _ => return None,
    }
    Some(())
}

/// Whether the target names the scheme `https` (RFC 9112 §3.2.2, absolute-form).
fn is_for_https(request: &ParsedRequest) -> bool {
    const HTTPS: &[u8] = b"https:";
    let target = &request.head.target;
    request.form == TargetForm::Absolute
        && target.get(..HTTPS.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
}

/// What is refused for what it is, whatever the site.
pub(crate) fn own_refusal(request: &ParsedRequest, limits: &Limits) -> Option<(u16, &'static str)> {
    let fields = &request.head.fields;
    match &request.head.method[..] {
        b"CONNECT" => return Some((405, "this is no proxy to connect through")),
        b"TRACE" => return Some((405, "TRACE would show what the proxy adds")),
        b"OPTIONS" if max_forwards(fields) == Some(0) => return None,
        _ => {}
    }
    if fields.get_all("expect").any(|it| !it.eq_ignore_ascii_case(b"100-continue")) {
        return Some((417, "only 100-continue can be expected"));
    }
    match request.body {
        BodyLength::Length(length) if length > limits.body => {
            Some((413, "the request's body is too large"))
        }
        _ => None,
    }
}

/// Seconds after which a PURGE that could not be carried out may be tried again.
const PURGE_AGAIN: u32 = 5;

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
        None => Ok(0),
    };
    match removed {
        Ok(0) => (404, own_text(404, "nothing that is stored matches")),
        Ok(removed) => (200, format!("{removed} removed")),
        Err(owed) => (503, own_text(503, &owed.to_string())),
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
    request.body.is_nothing()
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
    match within(live.limits.client_timeout, reply.flush_whole()).await {
        Ok(Ok(())) => Ok(Passed::Done),
        Ok(Err(_)) | Err(_) => Err(Failure::ClientGone),
    }
}

/// Tells the client of a failure, if it has seen nothing of a response yet (RFC 9110 §15.6.3).
async fn fail<W: Breakable>(
    failure: Failure,
    reply: &mut Reply<'_, W>,
    request: &ParsedRequest,
    live: &Live,
    clock: &Clock,
) -> After {
    let Some(status) = failure.status().filter(|_| reply.take_back()) else {
        return After::Break;
    };
    reply.keep &= !failure.is_of_client() && has_no_body(request);
    let mut fields = own_fields(clock, status);
    if let Some(seconds) = failure.retry_after() {
        fields.push("Retry-After", seconds.to_string());
    }
    reply.answer(status, fields, &own_text(status, &failure.to_string()));
    match finish_own(reply, live).await {
        Ok(_) if reply.keep => After::Next,
        Ok(_) => After::Close,
        Err(_) => After::Break,
    }
}

/// A request that is over.
struct Over<'a> {
    site: Option<&'a Arc<Site>>,
    request: &'a ParsedRequest,
    peer: &'a Peer,
    sent: Option<Sent<'a>>,
    clock: &'a Clock,
    began: Timestamp,
    unique_id: Option<&'a str>,
}

/// The line of a request, written when it is dropped: what a stop does not wait for any more has its
/// line too.
struct Line<'a> {
    log: Option<&'a Log>,
    over: Over<'a>,
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if let Some(log) = self.log.filter(|_| !self.over.is_forgotten()) {
            self.over.write_to(log);
        }
    }
}

impl Over<'_> {
    /// The bugs of a log that forgets some requests.
    fn is_forgotten(&self) -> bool {
        let status = self.sent.map(|sent| sent.status);
        let is_hit = || {
            let mut fields =
                self.sent.into_iter().flat_map(|sent| sent.fields.get_all("cache-status"));
            fields.any(|value| value.windows(5).any(|part| part == b"; hit"))
        };
        (mutant::is(Mutant::NoLogForBlocked) && status == Some(403))
            || (mutant::is(Mutant::NoLogForHits) && is_hit())
    }

    fn write_to(&self, log: &Log) {
        thread_local! {
            static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        let Self { request, peer, sent, .. } = *self;
        let head = &request.head;
        let trusted = self.site.map_or(&[][..], |site| &site.settings.trusted_peers);
        // No other protocol is ever changed to.
        let websocket = sent.is_some_and(|sent| sent.status == 101);
        LINE.with_borrow_mut(|line| {
            line.clear();
            put_request_line(line, head);
            if mutant::is(Mutant::LogsDecodedTarget) {
                undo_percent(line);
            }
            Entry {
                asked: Asked::of(request, line),
                peer,
                client_ip: forwarded::client_ip(peer.ip, &head.fields, trusted),
                websocket,
                sent,
                received: self.began,
                completed: self.clock.timestamp(),
                zone: self.clock.zone(),
                unique_id: self.unique_id,
            }
            .write(log);
        });
    }
}

/// The bug of a log that shows a target decoded.
fn undo_percent(line: &mut Vec<u8>) {
    while let Some(at) = line.windows(3).position(|part| part.eq_ignore_ascii_case(b"%0d")) {
        line.splice(at..at + 3, *b"\r");
    }
}
