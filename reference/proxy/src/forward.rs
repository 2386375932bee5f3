//! One request forwarded to its site's origin, and the response sent on.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use edgeproof_cache::{Received, Times, Writer};
use edgeproof_http1::{
    BodyLength, Fields, ParsedRequest, ParsedResponse, RequestHead, TargetForm, Version,
    has_connection_option, list_items, put_request_head,
};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::{Body, Holding, Idle, PumpError, Sink, pump};
use crate::caching::{Watching, of_origin};
use crate::clock;
use crate::failure::Failure;
use crate::fill::Fill;
use crate::limits::Limits;
use crate::live::Site;
use crate::origin::{self, RequestBody};
use crate::peer::Peer;
use crate::pool::Connected;
use crate::reply::Reply;
use crate::wire::Incoming;
use crate::worker::Worker;
use crate::{fill, forwarded, hop, sabotage};
use edgeproof_mutant::{self as mutant, Mutant};

/// What an exchange with an origin needs.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) worker: &'a Rc<Worker>,
    pub(crate) limits: &'a Limits,
    pub(crate) site: &'a Arc<Site>,
    pub(crate) request: &'a ParsedRequest,
    pub(crate) peer: &'a Peer,
    /// When the request had been read.
    pub(crate) received: Timestamp,
    /// The client was told to send its body: the origin need not say so (RFC 9110 §10.1.1).
    pub(crate) continued: bool,
}

/// How an exchange ended.
pub(crate) enum Passed {
    /// The response is sent.
    Done,
    /// The origin agreed to another protocol: the connection is a tunnel now.
    Tunnel(Box<Connected>),
}

/// The one protocol that a connection may change to (RFC 6455 §11.2). What follows a change passes the firewall and the
/// log unseen: it must not be more requests, as with `h2c`, which is obsolete (RFC 9113 §3.1).
const WEBSOCKET: &str = "websocket";

/// Whether the client asks to change to that protocol, so that the origin can be asked: by a GET of HTTP/1.1
/// (RFC 6455 §4.1), and not together with a body. Every other Upgrade is ignored (RFC 9110 §7.8).
fn wants_websocket(request: &ParsedRequest) -> bool {
    let head = &request.head;
    let can = head.version == Version::Http11
        && &head.method[..] == b"GET"
        && request.body == BodyLength::Empty;
    can && has_connection_option(&head.fields, "upgrade") && names(&head.fields, is_websocket)
}

/// Whether there is a protocol in Upgrade for which `test` holds.
fn names(fields: &Fields, test: fn(&[u8]) -> bool) -> bool {
    fields.get_all("upgrade").flat_map(list_items).any(test)
}

fn is_websocket(protocol: &[u8]) -> bool {
    protocol.eq_ignore_ascii_case(WEBSOCKET.as_bytes()) || mutant::is(Mutant::TunnelsAnything)
}

/// The deliberate bug of a site without a cache that evaluates what is for others.
fn evaluate(request: &Fields, response: &mut ParsedResponse) {
    let asked = request.get("if-none-match").unwrap_or_default();
    let tag = response.head.fields.get("etag").unwrap_or(b"none");
    if response.head.status == 200 && asked.windows(tag.len()).any(|text| text == tag) {
        response.head.status = 304;
        response.body = BodyLength::Empty;
        // Its content stays unread.
        response.head.fields.push("Connection", "close");
    }
}

impl Exchange<'_> {
    /// The request as the origin gets it.
    pub(crate) fn request_for_origin(&self) -> RequestHead {
        let ParsedRequest { head, form, authority, path, body, line: _ } = self.request;
        let backend = &self.site.backend;
        let mut fields = head.fields.clone();
        hop::strip(&mut fields);
        if *form == TargetForm::Absolute
            && let Some(authority) = authority
        {
            fields.set("Host", authority.as_bytes());
        } else if !fields.contains("host") || mutant::is(Mutant::HostRewritten) {
            fields.set("Host", backend.authority());
        }
        if head.version == Version::Http10 || self.continued {
            fields.remove("expect");
        }
        if *body == BodyLength::Chunked {
            fields.remove("content-length");
            fields.push("Transfer-Encoding", "chunked");
        }
        lower_max_forwards(&head.method, &mut fields);
        hop::strip_lookalikes(&mut fields);
        let trusted = &self.site.settings.trusted_peers;
        let client = forwarded::client_ip(self.peer.ip, &head.fields, trusted);
        forwarded::add(&mut fields, self.peer.ip, client, self.peer.tls.is_some(), trusted);
        hop::add_via(&mut fields, head.version);
        if wants_websocket(self.request) {
            let asked = head.fields.get("upgrade").filter(|_| mutant::is(Mutant::TunnelsAnything));
            fields.push("Upgrade", asked.unwrap_or(WEBSOCKET.as_bytes()));
            fields.push("Connection", "Upgrade");
        }
        let target = match backend.prefix() {
            "" => path.clone(),
            _ if path == "*" => path.clone(),
            prefix => [prefix.as_bytes(), path].concat().into(),
        };
        RequestHead { method: head.method.clone(), target, version: Version::Http11, fields }
    }

    /// The response's fields as the client gets them.
    pub(crate) fn fields_for_client(&self, response: &ParsedResponse) -> Fields {
        let mut fields = response.head.fields.clone();
        hop::strip(&mut fields);
        // RFC 9110 §6.6.1: a recipient with a clock adds what is missing.
        if !fields.contains("date") {
            fields.push("Date", clock::http_date(self.site.clock.timestamp()));
        }
        hop::add_via(&mut fields, response.head.version);
        sabotage::for_client(&mut fields);
        fields
    }

    /// Forwards the request without asking any cache.
    pub(crate) async fn pass<R, W>(
        self,
        incoming: &mut Incoming<R>,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut head = self.request_for_origin();
        if mutant::is(Mutant::DropsConditions) {
            head.fields.retain(|name, _| !name.to_ascii_lowercase().starts_with(b"if-"));
        }
        if self.request.body.is_nothing() {
            let backend = &self.site.backend;
            let (connected, mut response) =
                origin::ask(self.worker, backend, self.limits, &head, reply).await?;
            if mutant::is(Mutant::ConditionsWithoutACache) {
                evaluate(&head.fields, &mut response);
            }
            let fields = self.fields_for_client(&response);
            return self.send(connected, response, fields, reply, None).await;
        }
        self.pass_with_body(&head, incoming, reply, None).await
    }

    /// Sends the origin's response on; `fields` are for the client. With a `writer` the content is read
    /// for the store, at the origin's pace.
    pub(crate) async fn send<W: AsyncWrite + Unpin>(
        self,
        mut connected: Connected,
        response: ParsedResponse,
        fields: Fields,
        reply: &mut Reply<'_, W>,
        writer: Option<Box<Writer>>,
    ) -> Result<Passed, Failure> {
        if response.body == BodyLength::Tunnel {
            return self.begin_tunnel(connected, response, fields, reply).await;
        }
        if let Some(writer) = writer {
            let fill = fill::begin(self, connected, &response, writer);
            return self.send_filled(fill, response, fields, reply).await;
        }
        let reusable = response.is_persistent();
        let idle = Idle::new(self.limits.upstream_timeout);
        let sent = self.relay(&mut connected, response, fields, reply, &idle).await;
        let whole = sent.is_ok() && reusable && connected.incoming.buf.is_empty();
        if whole || sent.is_err() && mutant::is(Mutant::PoolsBrokenConnection) {
            self.worker.pool.put(connected);
        }
        sent.map(|()| Passed::Done)
    }

    /// Sends a response on that is being read for the store.
    pub(crate) async fn send_filled<W: AsyncWrite + Unpin>(
        self,
        fill: Fill,
        response: ParsedResponse,
        fields: Fields,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        reply.start(response.head.status, response.head.reason, fields, response.body);
        fill.send(self, reply).await.map(|()| Passed::Done)
    }

    async fn relay<W: AsyncWrite + Unpin>(
        self,
        connected: &mut Connected,
        response: ParsedResponse,
        fields: Fields,
        reply: &mut Reply<'_, W>,
        idle: &Idle,
    ) -> Result<(), Failure> {
        let mut body = Body::of_response(response.body, self.limits.of_heads());
        reply.start(response.head.status, response.head.reason, fields, response.body);
        let wait = self.limits.client_timeout;
        let mut sink = Holding::new(reply, connected.lease.take());
        pump(&mut body, &mut connected.incoming, &mut sink, idle, wait, u64::MAX)
            .await
            .map_err(|error| Failure::of_download(&error))
    }

    async fn begin_tunnel<W: AsyncWrite + Unpin>(
        self,
        connected: Connected,
        response: ParsedResponse,
        mut fields: Fields,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        let agreed = &response.head.fields;
        if !wants_websocket(self.request)
            || !names(agreed, is_websocket)
            || names(agreed, |protocol| !is_websocket(protocol))
        {
            return Err(Failure::OriginUpgraded);
        }
        fields.push("Upgrade", WEBSOCKET);
        reply.start(101, response.head.reason, fields, BodyLength::Tunnel);
        Ok(Passed::Tunnel(Box::new(connected)))
    }

    /// Sends the request's body while the response is awaited and sent on: an origin may answer
    /// before it has read everything.
    pub(crate) async fn pass_with_body<R, W>(
        self,
        head: &RequestHead,
        incoming: &mut Incoming<R>,
        reply: &mut Reply<'_, W>,
        watching: Option<Watching<'_>>,
    ) -> Result<Passed, Failure>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let limits = self.limits;
        let mut connected = self.site.backend.connect(self.worker, limits, false).await?;
        let idle = Idle::new(limits.upstream_timeout);
        let uploaded = Cell::new(false);
        let response = {
            let Connected { incoming: from, out, lease, .. } = &mut connected;
            let upload = async {
                out.put(|out| put_request_head(out, head));
                let mut body = Body::of_request(self.request.body, limits.of_heads());
                let mut sink =
                    RequestBody { out, chunked: self.request.body == BodyLength::Chunked };
                let waits = self.client_idle(&idle);
                let limit = limits.upstream_timeout;
                let done = pump(&mut body, incoming, &mut sink, &waits, limit, limits.body).await;
                uploaded.set(done.is_ok());
                done
            };
            let download = async {
                let method = head.method.clone();
                let response = origin::read_head(from, method, limits, reply, &idle).await?;
                if response.body == BodyLength::Tunnel {
                    return Err(Failure::OriginUpgraded);
                }
                // What the client still sends of the body would be taken for its next request.
                reply.keep &= uploaded.get();
                let reusable = response.is_persistent();
                let (fields, writer) = self.watched(&response, watching);
                let mut body = Body::of_response(response.body, limits.of_heads());
                reply.start(response.head.status, response.head.reason, fields, response.body);
                let mut tee = Tee { reply, writer };
                let mut sink = Holding::new(&mut tee, lease.take());
                pump(&mut body, from, &mut sink, &idle, limits.client_timeout, u64::MAX)
                    .await
                    .map_err(|error| Failure::of_download(&error))?;
                Ok(reusable)
            };
            drive(upload, download).await
        };
        let reusable = response? && uploaded.get() && connected.incoming.buf.is_empty();
        if reusable {
            self.worker.pool.put(connected);
        }
        Ok(Passed::Done)
    }

    /// The response's fields for the client, after the cache has seen them: a request with a body
    /// invalidates, and what it brings is stored only where it says that it is for GET.
    fn watched(
        &self,
        response: &ParsedResponse,
        watching: Option<Watching<'_>>,
    ) -> (Fields, Option<Box<Writer>>) {
        let mut fields = self.fields_for_client(response);
        let Some(Watching { cache, forward, asked }) = watching else { return (fields, None) };
        let times = Times { request: asked, response: self.moment() };
        let request = self.request_for_cache();
        match cache.received(forward, &request, of_origin(response).response(), times) {
            Received::Pass { writer, cache_status, .. } => {
                fields.push("Cache-Status", cache_status.to_string());
                (fields, writer)
            }
            _ => (fields, None),
        }
    }

    /// How long the client may let its body stand still; one that waits for a 100 waits for the
    /// origin first.
    fn client_idle(&self, exchange: &Idle) -> Idle {
        let expects = self.request.head.fields.contains("expect");
        let origin = if expects { self.limits.upstream_timeout } else { Default::default() };
        exchange.with_limit(self.limits.client_timeout + origin)
    }
}

/// Runs both directions. The response decides when the exchange is over; a failure of the client
/// ends it at once, an origin that stops listening does not.
async fn drive(
    upload: impl Future<Output = Result<(), PumpError>>,
    download: impl Future<Output = Result<bool, Failure>>,
) -> Result<bool, Failure> {
    let (mut upload, mut download) = (pin!(upload), pin!(download));
    let mut uploading = true;
    loop {
        tokio::select! {
            biased;
            uploaded = &mut upload, if uploading => {
                uploading = false;
                if let Some(failure) = uploaded.err().as_ref().and_then(Failure::of_upload) {
                    return Err(failure);
                }
            }
            downloaded = &mut download => return downloaded,
        }
    }
}

/// RFC 9110 §7.6.2: one hop less; only OPTIONS gets this far with it.
fn lower_max_forwards(method: &[u8], fields: &mut Fields) {
    if method == b"OPTIONS"
        && let Some(hops) = max_forwards(fields)
    {
        fields.set("Max-Forwards", hops.saturating_sub(1).to_string());
    }
}

/// The value of Max-Forwards, if there is one that can be read; more than it can be here is the most.
pub(crate) fn max_forwards(fields: &Fields) -> Option<u32> {
    let digits = std::str::from_utf8(fields.get("max-forwards")?).ok()?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

/// The response, also for the store.
struct Tee<'t, 'c, W> {
    reply: &'t mut Reply<'c, W>,
    writer: Option<Box<Writer>>,
}

impl<W: AsyncWrite + Unpin> Sink for Tee<'_, '_, W> {
    fn data(&mut self, data: Bytes) {
        if let Some(writer) = &mut self.writer {
            writer.push(&data);
        }
        self.reply.data(data);
    }

    fn end(&mut self, trailers: Fields) {
        if let Some(writer) = self.writer.take() {
            writer.finish(trailers.clone());
        }
        self.reply.end(trailers);
    }

    fn queued(&self) -> usize {
        self.reply.queued()
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        self.reply.flush().await
    }
}
