//! The proxy as a client of origins: a request sent, a response's head read.

use std::io;

use bytes::Bytes;
use edgeproof_http1::{
    Fields, ParsedResponse, RequestHead, ResponseHead, ResponseParser, Version, put_last_chunk,
    put_request_head,
};
use tokio::io::AsyncWrite;

use crate::backend::Backend;
use crate::body::{Idle, Sink};
use crate::failure::Failure;
use crate::hop;
use crate::limits::Limits;
use crate::link::{Reading, Writing};
use crate::patience::within;
use crate::pool::Connected;
use crate::reply::Reply;
use crate::wire::{Incoming, Outgoing};
use crate::worker::Worker;
use edgeproof_mutant::{self as mutant, Mutant};

/// Sends a request without body and reads the final response's head, interim ones passed on. A
/// kept connection that turns out to be dead is replaced by a new one, once, and so is one to a process that turns out
/// to have ended: what it left behind may take connections until it is stopped too. Only methods that may be repeated
/// are (RFC 9110 §9.2.2).
pub(crate) async fn ask<W: AsyncWrite + Unpin>(
    worker: &Worker,
    backend: &Backend,
    limits: &Limits,
    head: &RequestHead,
    reply: &mut Reply<'_, W>,
) -> Result<(Connected, ParsedResponse), Failure> {
    let (mut fresh, mut ended) = (false, false);
    loop {
        let mut connected = backend.connect(worker, limits, fresh).await?;
        let idle = Idle::new(limits.upstream_timeout);
        connected.out.put(|out| put_request_head(out, head));
        let answer = match within(limits.upstream_timeout, connected.out.flush()).await {
            Err(_) => Err(Failure::OriginTimeout),
            // An origin that closes may have answered before.
            Ok(_) => {
                let method = head.method.clone();
                read_head(&mut connected.incoming, method, limits, reply, &idle).await
            }
        };
        match answer {
            Ok(response) => return Ok((connected, response)),
            Err(Failure::OriginClosed { unused: true }) if may_repeat(&head.method) => {
                let is_old = connected.reused && !fresh;
                if !is_old && (ended || !connected.process_has_ended().await) {
                    return Err(Failure::OriginClosed { unused: true });
                }
                (fresh, ended) = (true, ended || !is_old);
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn may_repeat(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"HEAD" | b"OPTIONS" | b"PUT" | b"DELETE")
}

/// Reads up to the final response's head and passes interim responses on, however many there are (RFC 9110 §15.2): the
/// exchange may not stand still, as with a body.
pub(crate) async fn read_head<W: AsyncWrite + Unpin>(
    from: &mut Incoming<Reading>,
    method: Bytes,
    limits: &Limits,
    reply: &mut Reply<'_, W>,
    idle: &Idle,
) -> Result<ParsedResponse, Failure> {
    let mut parser = ResponseParser::new(limits.of_heads(), method);
    let mut unused = true;
    let mut had_interim = false;
    // Stays empty unless a bug fills it.
    let mut early = Fields::new();
    loop {
        let parsed = parser.parse(&mut from.buf);
        match parsed.map_err(|refused| Failure::OriginBroken(refused.error))? {
            Some(response) if matches!(response.head.status, 100..=199) => {
                if response.head.status == 101 {
                    return Ok(response);
                }
                if std::mem::replace(&mut had_interim, true) && mutant::is(Mutant::One1xxOnly) {
                    return Err(Failure::OriginTimeout);
                }
                if mutant::is(Mutant::Merges1xxFields) {
                    early.extend(response.head.fields.iter());
                }
                pass_interim(response.head, limits, reply).await;
                idle.touch();
            }
            Some(mut response) => {
                response.head.fields.extend(early.iter());
                return Ok(response);
            }
            None => {
                let read = tokio::select! {
                    biased;
                    read = from.fill() => read,
                    () = idle.expired() => return Err(Failure::OriginTimeout),
                };
                match read {
                    Ok(0) | Err(_) => return Err(Failure::OriginClosed { unused }),
                    Ok(_) => unused = false,
                }
                idle.touch();
            }
        }
    }
}

async fn pass_interim<W: AsyncWrite + Unpin>(
    head: ResponseHead,
    limits: &Limits,
    reply: &mut Reply<'_, W>,
) {
    let ResponseHead { status, reason, mut fields, .. } = head;
    hop::strip(&mut fields);
    // RFC 9110 §8.6: it has no content.
    fields.remove("content-length");
    reply.interim(ResponseHead { version: Version::Http11, status, reason, fields });
    // A client that is gone shows again with the final response, which is still awaited: it may remove what is stored.
    let _ = within(limits.client_timeout, reply.flush()).await;
}

/// A request's body on its way to the origin.
pub(crate) struct RequestBody<'o> {
    pub(crate) out: &'o mut Outgoing<Writing>,
    pub(crate) chunked: bool,
}

impl Sink for RequestBody<'_> {
    fn data(&mut self, data: Bytes) {
        match self.chunked {
            true => self.out.chunk(data),
            false => self.out.data(data),
        }
    }

    fn end(&mut self, mut trailers: Fields) {
        if self.chunked {
            hop::clean_trailers(&mut trailers);
            self.out.put(|out| put_last_chunk(out, &trailers));
        }
    }

    fn queued(&self) -> usize {
        self.out.queued()
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.out.flush().await
    }
}
