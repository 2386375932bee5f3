//! A request shown to the rules, and what they decide carried out.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use edgeproof_http1::{Fields, ResponseHead, Version, put_request_head};
use edgeproof_mutant::{self as mutant, Mutant};
use edgeproof_waf::BodyVerdict;
use tokio::io::{AsyncRead, AsyncWrite};

use super::gather::{Gathered, gather};
use super::{Decision, Firewall, Inspection};
use crate::body::Sink;
use crate::exchange::own_refusal;
use crate::failure::Failure;
use crate::forward::Exchange;
use crate::forwarded;
use crate::patience::within;
use crate::reply::Reply;
use crate::wire::Incoming;

/// Bytes of a denied request's body that a quarantine keeps.
const KEPT: usize = 16 << 20;

/// What the rules leave to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inspected {
    /// The request goes on. `continued`: the client was told to send its body.
    Pass { continued: bool },
    /// The answer is queued.
    Answered,
    /// Nobody answers.
    Break,
}

impl Exchange<'_> {
    /// Shows the request to the rules, its body too if they want it; what is left of the connection's
    /// buffer is as if nobody had looked. The rules stay with the reply, whatever becomes of it.
    pub(crate) async fn inspect<R, W>(
        &self,
        firewall: &Arc<Firewall>,
        incoming: &mut Incoming<R>,
        reply: &mut Reply<'_, W>,
    ) -> Result<Inspected, Failure>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let trusted = &self.site.settings.trusted_peers;
        let client = forwarded::client_ip(self.peer.ip, &self.request.head.fields, trusted);
        let mut inspection = Inspection::begin(firewall, &self.site.clock, self.peer, client);
        let looked = self.look(&mut inspection, incoming, reply).await;
        if let Ok(Looked { decision, gathered, .. }) = &looked
            && *decision != Decision::Pass
        {
            self.keep(&inspection, *gathered, incoming).await;
        }
        let denial = match &looked {
            Ok(Looked { decision: Decision::Answer { status, location }, gathered, .. }) => {
                let (fields, text) = inspection.denial(*status, location.clone());
                Some((*status, fields, text, *gathered))
            }
            _ => None,
        };
        reply.inspect(inspection);
        let looked = looked?;
        if let Some((status, fields, text, gathered)) = denial {
            // What is left of the body would be taken for the next request.
            match gathered.is_whole {
                true => incoming.buf.advance(gathered.length),
                false => reply.keep &= self.has_no_body(),
            }
            reply.answer(status, fields, &text);
            return Ok(Inspected::Answered);
        }
        Ok(match looked.decision {
            Decision::Break => Inspected::Break,
            _ => Inspected::Pass { continued: looked.continued },
        })
    }

    async fn look<R, W>(
        &self,
        inspection: &mut Inspection,
        incoming: &mut Incoming<R>,
        reply: &mut Reply<'_, W>,
    ) -> Result<Looked, Failure>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut looked = Looked {
            decision: inspection.head(self.request),
            gathered: Gathered { length: 0, is_whole: self.has_no_body() },
            continued: false,
        };
        if looked.decision != Decision::Pass {
            return Ok(looked);
        }
        let reads = !self.has_no_body() && own_refusal(self.request, self.limits).is_none();
        if reads && inspection.wants_body() {
            looked.continued = self.invite(incoming, reply).await?;
            looked.gathered = inspection.gather(self.request, incoming, self.limits).await?;
        }
        looked.decision = inspection.end();
        Ok(looked)
    }

    /// Asks for the body that the client holds back until it is asked for (RFC 9110 §10.1.1).
    async fn invite<R, W>(
        &self,
        incoming: &Incoming<R>,
        reply: &mut Reply<'_, W>,
    ) -> Result<bool, Failure>
    where
        W: AsyncWrite + Unpin,
    {
        let head = &self.request.head;
        let waits = head.version == Version::Http11
            && head.fields.contains("expect")
            && incoming.buf.is_empty();
        if !waits {
            return Ok(false);
        }
        reply.interim(ResponseHead {
            version: Version::Http11,
            status: 100,
            reason: Bytes::from_static(b"Continue"),
            fields: Fields::new(),
        });
        match within(self.limits.client_timeout, reply.flush()).await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(_)) | Err(_) => Err(Failure::ClientGone),
        }
    }

    /// Puts a denied request into the quarantine, if there is one.
    async fn keep<R: AsyncRead + Unpin>(
        &self,
        inspection: &Inspection,
        mut gathered: Gathered,
        incoming: &mut Incoming<R>,
    ) {
        if !inspection.keeps() {
            return;
        }
        if gathered.length == 0 && !gathered.is_whole {
            // Denied by its head: the body is part of what a person wants to see.
            let mut room = KEPT;
            let rest = gather(self.request, incoming, self.limits, |part| {
                room = room.saturating_sub(part.len());
                if room > 0 { BodyVerdict::Continue } else { BodyVerdict::Enough }
            });
            let came = rest.await;
            // Of a client that gives up, or breaks a rule, there is what came.
            gathered = came.unwrap_or(Gathered { length: incoming.buf.len(), is_whole: false });
        }
        let Some((quarantine, held)) = inspection.held(!gathered.is_whole) else { return };
        let mut text = Vec::new();
        put_request_head(&mut text, &self.request.head);
        if !mutant::is(Mutant::HeldWithoutBody) {
            text.extend_from_slice(&incoming.buf[..gathered.length]);
        }
        let kept = tokio::task::spawn_blocking(move || quarantine.keep(&held, &text)).await;
        match kept {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => eprintln!("firewall: a request is not kept: {error}"),
            Err(error) => eprintln!("firewall: a request is not kept: {error}"),
        }
    }

    fn has_no_body(&self) -> bool {
        self.request.body.is_nothing()
    }
}

/// What came of looking at a request.
struct Looked {
    decision: Decision,
    gathered: Gathered,
    continued: bool,
}
