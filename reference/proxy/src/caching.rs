//! The site's cache between a request and its origin: when it is asked, what of its answers is
//! sent. What may be stored and reused is decided in `edgeproof-cache`.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use edgeproof_cache::{
    Cache, Failed, Forward, Lookup, Moment, Received, Request, Response, Scheme, Times, Turn,
};
use edgeproof_http1::{BodyLength, Fields, ParsedRequest, ParsedResponse, Version, list_items};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::Sink;
use crate::exchange::{own_fields, own_text};
use crate::failure::Failure;
use crate::fill;
use crate::forward::{Exchange, Passed};
use crate::forwarded;
use crate::origin;
use crate::patience::within;
use crate::reply::Reply;
use crate::wire::Outgoing;
use edgeproof_mutant::{self as mutant, Mutant};

/// A request as the cache sees it.
pub(crate) fn request_of(request: &ParsedRequest, secure: bool) -> Request<'_> {
    Request {
        method: &request.head.method,
        scheme: if secure { Scheme::Https } else { Scheme::Http },
        authority: request.authority.as_ref().map_or(b"", |authority| &authority.as_bytes()[..]),
        target: &request.path,
        fields: &request.head.fields,
    }
}

/// What forwarding came to.
enum Forwarded {
    /// An answer for the client.
    Passed(Passed),
    /// What was missing in the store: the answer is there now, or is to be had from the origin alone.
    Completed,
}

/// A request that is to be forwarded, together with the cache that wants to see the response.
pub(crate) struct Watching<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) forward: Forward,
    pub(crate) asked: Moment,
}

impl<'a> Exchange<'a> {
    pub(crate) fn moment(&self) -> Moment {
        self.site.clock.timestamp().into()
    }

    pub(crate) fn request_for_cache(&self) -> Request<'a> {
        request_of(self.request, self.peer.tls.is_some())
    }

    /// Answers from the store, or forwards the request under the cache's eyes.
    pub(crate) async fn through<R, W>(
        self,
        cache: &Cache,
        incoming: &mut crate::wire::Incoming<R>,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let (mut turn, mut now) = (Turn::FIRST, self.received.into());
        loop {
            return match cache.lookup(&self.request_for_cache(), turn, now).await {
                Lookup::Reply(mut stored) => {
                    if let Some(refresh) = stored.take_refresh() {
                        self.refresh(cache, *refresh);
                    }
                    self.send_stored(&stored, reply).await
                }
                Lookup::OnlyIfCached => {
                    let text = "nothing is stored, and the request allows nothing else";
                    self.gateway_timeout(text, reply).await
                }
                Lookup::Wait(wait) => {
                    let over = within(self.limits.upstream_timeout, wait.over()).await;
                    turn = over.unwrap_or(Turn::ALONE);
                    now = self.moment();
                    continue;
                }
                // What an idle connection's task never needs is boxed: it keeps room for the rest.
                Lookup::Forward(forward) if self.request.body.is_nothing() => {
                    match Box::pin(self.forward(cache, forward, reply)).await? {
                        Forwarded::Passed(passed) => Ok(passed),
                        Forwarded::Completed => {
                            turn = Turn::COMPLETED;
                            continue;
                        }
                    }
                }
                Lookup::Forward(forward) => {
                    let watching = Watching { cache, forward, asked: self.moment() };
                    let head = self.request_for_origin();
                    Box::pin(self.pass_with_body(&head, incoming, reply, Some(watching))).await
                }
            };
        }
    }

    /// Forwards a request without body; the response may become a stored one's update.
    async fn forward<W: AsyncWrite + Unpin>(
        self,
        cache: &Cache,
        mut forward: Forward,
        reply: &mut Reply<'_, W>,
    ) -> Result<Forwarded, Failure> {
        let request = self.request_for_cache();
        let backend = &self.site.backend;
        loop {
            let mut head = self.request_for_origin();
            forward.prepare(&mut head.fields);
            let asked = self.moment();
            let answer = origin::ask(self.worker, backend, self.limits, &head, reply).await;
            let (connected, response) = match answer {
                Ok(answer) => answer,
                Err(failure) if failure.is_of_client() => return Err(failure),
                Err(failure) => {
                    let passed = self.without_origin(cache, forward, failure, reply).await?;
                    return Ok(Forwarded::Passed(passed));
                }
            };
            if response.body == BodyLength::Tunnel {
                let fields = self.fields_for_client(&response);
                let passed = self.send(connected, response, fields, reply, None).await?;
                return Ok(Forwarded::Passed(passed));
            }
            if mutant::is(Mutant::RefusesStrangeParts) && is_strange_part(&response) {
                return Err(Failure::OriginUpgraded);
            }
            let times = Times { request: asked, response: self.moment() };
            match cache.received(forward, &request, of_origin(&response).response(), times) {
                Received::Pass { writer, cache_status, stand_in } => {
                    let mut fields = self.fields_for_client(&response);
                    fields.push("Cache-Status", cache_status.to_string());
                    let passed = match (writer, stand_in) {
                        (Some(writer), Some(stand_in)) => {
                            let fill = fill::begin(self, connected, &response, writer);
                            if fill.arrived().await.is_err() {
                                self.send_stored(&stand_in, reply).await?
                            } else {
                                self.send_filled(fill, response, fields, reply).await?
                            }
                        }
                        (writer, _) => {
                            self.send(connected, response, fields, reply, writer).await?
                        }
                    };
                    return Ok(Forwarded::Passed(passed));
                }
                Received::Complete(writer) => {
                    // If it breaks off, the whole is asked for, as if nothing were stored of it.
                    let _ = fill::begin(self, connected, &response, writer).arrived().await;
                    return Ok(Forwarded::Completed);
                }
                Received::Reply(stored) => {
                    self.keep_unread(connected, &response);
                    let passed = self.send_stored(&stored, reply).await?;
                    return Ok(Forwarded::Passed(passed));
                }
                Received::Again(again) => {
                    self.keep_unread(connected, &response);
                    forward = again;
                }
            }
        }
    }

    /// A response whose body nobody wants: its connection can be kept only if there is none.
    fn keep_unread(self, connected: crate::pool::Connected, response: &ParsedResponse) {
        let empty = response.body.is_nothing();
        if empty && response.is_persistent() && connected.incoming.buf.is_empty() {
            self.worker.pool.put(connected);
        }
    }

    async fn without_origin<W: AsyncWrite + Unpin>(
        self,
        cache: &Cache,
        forward: Forward,
        failure: Failure,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        match cache.failed(forward, &self.request_for_cache(), self.moment()) {
            Failed::Reply(stored) => self.send_stored(&stored, reply).await,
            Failed::GatewayTimeout => {
                let text = "what is stored may not be used unless the origin agrees";
                self.gateway_timeout(text, reply).await
            }
            Failed::NoHelp => Err(failure),
        }
    }

    /// Sends a stored response; its body is shared with the store, not copied.
    async fn send_stored<W: AsyncWrite + Unpin>(
        self,
        stored: &edgeproof_cache::Reply,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        reply.start_stored(stored);
        for piece in stored.body() {
            reply.data(piece);
        }
        reply.end(stored.trailers().clone());
        self.flushed(reply).await
    }

    async fn gateway_timeout<W: AsyncWrite + Unpin>(
        self,
        text: &str,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        reply.answer(504, own_fields(&self.site.clock, 504), &own_text(504, text));
        self.flushed(reply).await
    }

    async fn flushed<W: AsyncWrite + Unpin>(
        self,
        reply: &mut Reply<'_, W>,
    ) -> Result<Passed, Failure> {
        match within(self.limits.client_timeout, reply.flush_whole()).await {
            Ok(Ok(())) => Ok(Passed::Done),
            Ok(Err(_)) | Err(_) => Err(Failure::ClientGone),
        }
    }

    /// Validates a stored response while its stale copy is sent (RFC 5861 §3).
    fn refresh(self, cache: &Cache, forward: Forward) {
        let (cache, worker) = (cache.clone(), Rc::clone(self.worker));
        let (limits, site) = (self.limits.clone(), Arc::clone(self.site));
        let received = self.received;
        let (mut request, peer) = (self.request.clone(), self.peer.clone());
        if !mutant::is(Mutant::RefreshesByHead) {
            request.head.method = "GET".into();
        }
        self.worker.spawn(async move {
            let exchange = Exchange {
                worker: &worker,
                limits: &limits,
                site: &site,
                request: &request,
                peer: &peer,
                received,
                continued: false,
            };
            let mut nobody = Outgoing::new(tokio::io::sink());
            let mut reply = Reply::new(&mut nobody, Version::Http11, false, true);
            // Nobody waits for the outcome: what could not be refreshed stays stale.
            let _ = exchange.forward(&cache, forward, &mut reply).await;
        });
    }
}

/// Whether a part is in a unit that this cache does not know.
fn is_strange_part(response: &ParsedResponse) -> bool {
    let place = response.head.fields.get("content-range").unwrap_or_default();
    response.head.status == 206 && !place.starts_with(b"bytes")
}

/// A response as the cache sees it.
pub(crate) fn of_origin(response: &ParsedResponse) -> OfOrigin<'_> {
    let fields = &response.head.fields;
    let mut selecting = fields.get_all("vary").flat_map(list_items);
    let fields = match selecting.any(forwarded::tells_the_client) {
        false => Cow::Borrowed(fields),
        true => {
            let mut fields = fields.clone();
            fields.set("Vary", "*");
            Cow::Owned(fields)
        }
    };
    OfOrigin { status: response.head.status, fields }
}

/// A response as the cache sees it. One that varies by what this proxy itself tells the origin of the client is for that
/// client alone: requests as they come do not show it (RFC 9111 §4.1).
pub(crate) struct OfOrigin<'r> {
    status: u16,
    fields: Cow<'r, Fields>,
}

impl OfOrigin<'_> {
    pub(crate) fn response(&self) -> Response<'_> {
        Response { status: self.status, fields: &self.fields }
    }
}
