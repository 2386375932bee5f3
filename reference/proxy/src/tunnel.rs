//! A connection that is no longer HTTP: bytes both ways until both sides are done.

use std::io;

use bytes::Bytes;
use edgeproof_http1::{BodyLength, Fields};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::body::{Body, Idle, PumpError, Sink, pump};
use crate::limits::Limits;
use crate::pool::Connected;
use crate::wire::{Incoming, Outgoing};

/// Bytes as they are.
struct Raw<'o, W> {
    out: &'o mut Outgoing<W>,
    count: u64,
}

impl<W: AsyncWrite + Unpin> Sink for Raw<'_, W> {
    fn data(&mut self, data: Bytes) {
        self.count += data.len() as u64;
        self.out.data(data);
    }

    fn end(&mut self, _: Fields) {}

    fn queued(&self) -> usize {
        self.out.queued()
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.out.flush().await
    }
}

/// Carries bytes until both sides have closed, one of them failed, or nothing has moved for the
/// origin's time limit. Gives the bytes that the client got.
pub(crate) async fn run<R, W>(
    incoming: &mut Incoming<R>,
    out: &mut Outgoing<W>,
    origin: &mut Connected,
    limits: &Limits,
) -> u64
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let idle = Idle::new(limits.upstream_timeout);
    let mut to_origin = Raw { out: &mut origin.out, count: 0 };
    let mut to_client = Raw { out, count: 0 };
    // The response's head still waits to be written.
    if to_client.flush().await.is_ok() {
        // A failure of either side ends both; there is nobody to tell.
        let _ = tokio::try_join!(
            carry(incoming, &mut to_origin, &idle, limits),
            carry(&mut origin.incoming, &mut to_client, &idle, limits),
        );
    }
    to_client.count
}

async fn carry<R, W>(
    from: &mut Incoming<R>,
    to: &mut Raw<'_, W>,
    idle: &Idle,
    limits: &Limits,
) -> Result<(), PumpError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut body = Body::of_response(BodyLength::UntilClose, limits.of_heads());
    pump(&mut body, from, to, idle, limits.client_timeout, u64::MAX).await?;
    to.out.io.shutdown().await.map_err(|_| PumpError::Write)
}
