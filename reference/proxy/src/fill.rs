//! A response that is being stored is read at the origin's pace: neither a slow client nor one that
//! leaves holds up those who wait for it.
//!
//! ```text
//!   origin ──▶ task: pump ──▶ writer ──▶ store
//!                      └───▶ queue ──▶ the client's own exchange
//! ```
//!
//! While it is being stored the queue may hold as much as the store takes for one object; what turns out to be larger
//! waits for its client again. So does, and is not stored, what comes while slow clients have too much in their queues.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use edgeproof_cache::Writer;
use edgeproof_http1::{Fields, ParsedResponse};
use tokio::io::AsyncWrite;
use tokio::sync::Notify;

use crate::body::{Body, Holding, Idle, Sink, pump};
use crate::failure::Failure;
use crate::forward::Exchange;
use crate::patience::within;
use crate::pool::Connected;
use crate::reply::Reply;
use crate::wire::ENOUGH;
use crate::worker::Worker;

/// Bytes that the queues of all slow clients together may hold before responses are no longer stored ahead of them.
const MOST_AHEAD: usize = 64 << 20;

/// What has been read and not yet sent.
struct Queue {
    worker: Rc<Worker>,
    pieces: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    end: RefCell<Option<Result<Fields, Failure>>>,
    client_gone: Cell<bool>,
    /// Something was put in, for the client's side.
    filled: Notify,
    /// Something was taken out, or the client is gone, for the origin's side.
    drained: Notify,
}

/// The client's side of a queue.
pub(crate) struct Fill(Rc<Queue>);

impl Queue {
    fn new(worker: &Rc<Worker>) -> Self {
        Self {
            worker: Rc::clone(worker),
            pieces: RefCell::default(),
            bytes: Cell::default(),
            end: RefCell::default(),
            client_gone: Cell::default(),
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    fn put(&self, piece: Bytes) {
        self.bytes.set(self.bytes.get() + piece.len());
        self.worker.stats().ahead.add(piece.len());
        self.pieces.borrow_mut().push_back(piece);
        self.filled.notify_one();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.worker.stats().ahead.take(self.bytes.get());
    }
}

impl Drop for Fill {
    fn drop(&mut self) {
        self.0.client_gone.set(true);
        self.0.drained.notify_one();
    }
}

/// Begins to read a response for the store.
pub(crate) fn begin(
    exchange: Exchange<'_>,
    mut connected: Connected,
    response: &ParsedResponse,
    writer: Box<Writer>,
) -> Fill {
    let queue = Rc::new(Queue::new(exchange.worker));
    let fill = Fill(Rc::clone(&queue));
    let worker = Rc::clone(exchange.worker);
    let limits = exchange.limits.clone();
    let reusable = response.is_persistent();
    let mut body = Body::of_response(response.body, limits.of_heads());
    exchange.worker.spawn(async move {
        let idle = Idle::new(limits.upstream_timeout);
        let mut tee = Tee { queue: &queue, writer: Some(writer) };
        let mut sink = Holding::new(&mut tee, connected.lease.take());
        let (from, wait) = (&mut connected.incoming, limits.client_timeout);
        let done = pump(&mut body, from, &mut sink, &idle, wait, u64::MAX).await;
        match done {
            Ok(()) if reusable && connected.incoming.buf.is_empty() => {
                worker.pool.put(connected);
            }
            Ok(()) => {}
            Err(error) => {
                if let Some(writer) = tee.writer.take() {
                    writer.break_off();
                }
                queue.finish(Err(Failure::of_download(&error)));
            }
        }
    });
    fill
}

impl Queue {
    fn finish(&self, end: Result<Fields, Failure>) {
        *self.end.borrow_mut() = Some(end);
        self.filled.notify_one();
    }

    fn take(&self) -> Option<Bytes> {
        let piece = self.pieces.borrow_mut().pop_front()?;
        self.bytes.set(self.bytes.get() - piece.len());
        self.worker.stats().ahead.take(piece.len());
        self.drained.notify_one();
        Some(piece)
    }
}

impl Fill {
    /// Waits until all of the response is here.
    pub(crate) async fn arrived(&self) -> Result<(), Failure> {
        loop {
            if let Some(end) = self.0.end.borrow().as_ref() {
                return end.as_ref().map(|_| ()).map_err(|failure| *failure);
            }
            self.0.filled.notified().await;
        }
    }

    /// Sends what arrives to the client, until the end.
    pub(crate) async fn send<W: AsyncWrite + Unpin>(
        self,
        exchange: Exchange<'_>,
        reply: &mut Reply<'_, W>,
    ) -> Result<(), Failure> {
        let limit = exchange.limits.client_timeout;
        // What came together with the head is read first: it goes out with it, or shows that it is broken.
        tokio::task::yield_now().await;
        loop {
            while let Some(piece) = self.0.take() {
                reply.data(piece);
                if reply.queued() >= ENOUGH {
                    flush(reply, limit).await?;
                }
            }
            let end = self.0.end.borrow_mut().take();
            match end {
                Some(Ok(trailers)) => {
                    reply.end(trailers);
                    return flush(reply, limit).await;
                }
                Some(Err(failure @ Failure::OriginBroken(_))) => return Err(failure),
                // What came is sent, and broken off.
                Some(Err(failure)) => {
                    flush(reply, limit).await?;
                    return Err(failure);
                }
                None => {
                    flush(reply, limit).await?;
                    self.0.filled.notified().await;
                }
            }
        }
    }
}

async fn flush<W: AsyncWrite + Unpin>(
    reply: &mut Reply<'_, W>,
    limit: std::time::Duration,
) -> Result<(), Failure> {
    match within(limit, reply.flush()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Failure::ClientGone),
    }
}

/// The origin's side: the response goes to the store and to the queue.
struct Tee<'q> {
    queue: &'q Queue,
    writer: Option<Box<Writer>>,
}

impl Sink for Tee<'_> {
    fn data(&mut self, data: Bytes) {
        if let Some(writer) = &mut self.writer {
            writer.push(&data);
            if writer.is_outgrown() {
                self.writer = None;
            }
        }
        if !self.queue.client_gone.get() {
            self.queue.put(data);
            let is_too_much = self.queue.worker.stats().ahead.get() > MOST_AHEAD;
            if is_too_much && self.queue.bytes.get() >= ENOUGH {
                self.writer = None;
            }
        }
    }

    fn end(&mut self, trailers: Fields) {
        // Stored before the client has all of it, so that its next request finds it.
        if let Some(writer) = self.writer.take() {
            writer.finish(trailers.clone());
        }
        self.queue.finish(Ok(trailers));
    }

    fn queued(&self) -> usize {
        self.queue.bytes.get()
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.writer.is_some() {
            return Ok(());
        }
        loop {
            let ended = self.queue.end.borrow().is_some();
            if ended || self.queue.bytes.get() < ENOUGH {
                return Ok(());
            }
            if self.queue.client_gone.get() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.queue.drained.notified().await;
        }
    }
}
