//! Bodies in flight: read from one connection piece by piece, handed to the other, never more of
//! them in memory than a reader's buffer and a writer's queue hold.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use edgeproof_http1::{BodyLength, ChunkedDecoder, Error, Fields, Limits, Piece};
use tokio::io::AsyncRead;
use tokio::time::{Instant, sleep_until};

use crate::patience::within;
use crate::wire::{ENOUGH, Incoming};

/// A body that is being read.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Length(u64),
    Chunked(Box<ChunkedDecoder>),
    UntilClose,
}

impl Body {
    /// The body of a client's request.
    pub(crate) fn of_request(length: BodyLength, limits: Limits) -> Self {
        Self::new(length, || ChunkedDecoder::request(limits))
    }

    /// The body of an origin's response.
    pub(crate) fn of_response(length: BodyLength, limits: Limits) -> Self {
        Self::new(length, || ChunkedDecoder::response(limits))
    }

    fn new(length: BodyLength, decoder: impl FnOnce() -> ChunkedDecoder) -> Self {
        match length {
            BodyLength::Empty | BodyLength::Length(0) => Self::Empty,
            BodyLength::Length(length) => Self::Length(length),
            BodyLength::Chunked => Self::Chunked(Box::new(decoder())),
            BodyLength::UntilClose | BodyLength::Tunnel => Self::UntilClose,
        }
    }

    /// The next piece that the buffer holds; `None` if more has to be read.
    fn decode<R>(&mut self, from: &mut Incoming<R>) -> Result<Option<Piece>, Error> {
        match self {
            Self::Empty => Ok(Some(Piece::End(Fields::new()))),
            Self::Length(0) => Ok(Some(Piece::End(Fields::new()))),
            Self::Chunked(decoder) => decoder.decode(&mut from.buf),
            Self::Length(_) | Self::UntilClose if from.buf.is_empty() => Ok(None),
            Self::Length(left) => {
                let most = usize::try_from(*left).unwrap_or(usize::MAX).min(from.buf.len());
                *left -= most as u64;
                Ok(Some(Piece::Data(from.buf.split_to(most).freeze())))
            }
            Self::UntilClose => Ok(Some(Piece::Data(from.buf.split().freeze()))),
        }
    }
}

/// When something last moved in an exchange, and how long it may stand still.
#[derive(Debug)]
pub(crate) struct Idle {
    limit: Duration,
    last: Rc<Cell<Instant>>,
}

impl Idle {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { limit, last: Rc::new(Cell::new(Instant::now())) }
    }

    /// The same exchange under another limit.
    pub(crate) fn with_limit(&self, limit: Duration) -> Self {
        Self { limit, last: Rc::clone(&self.last) }
    }

    pub(crate) fn touch(&self) {
        self.last.set(Instant::now());
    }

    /// Ends once nothing has moved for the limit.
    pub(crate) async fn expired(&self) {
        loop {
            let end = self.last.get() + self.limit;
            if end <= Instant::now() {
                return;
            }
            sleep_until(end).await;
        }
    }
}

/// Where the pieces of a body go.
pub(crate) trait Sink {
    /// Queues data.
    fn data(&mut self, data: Bytes);
    /// Queues the end.
    fn end(&mut self, trailers: Fields);
    /// Bytes queued.
    fn queued(&self) -> usize;
    /// Writes what is queued.
    async fn flush(&mut self) -> std::io::Result<()>;
}

/// A receiver of a body that holds something until all of it has come: a process that a client's request used is
/// no longer in use when that client has its answer.
pub(crate) struct Holding<'s, S, H> {
    to: &'s mut S,
    held: Option<H>,
}

impl<'s, S: Sink, H> Holding<'s, S, H> {
    pub(crate) fn new(to: &'s mut S, held: Option<H>) -> Self {
        Self { to, held }
    }
}

impl<S: Sink, H> Sink for Holding<'_, S, H> {
    fn data(&mut self, data: Bytes) {
        self.to.data(data);
    }

    fn end(&mut self, trailers: Fields) {
        self.held = None;
        self.to.end(trailers);
    }

    fn queued(&self) -> usize {
        self.to.queued()
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush().await
    }
}

/// Why a body did not arrive whole.
#[derive(Debug)]
pub(crate) enum PumpError {
    /// The sender's connection failed or closed too early.
    Read,
    /// The sender stood still for too long.
    ReadTimeout,
    /// The sender broke a rule of the chunked coding.
    Decode(Error),
    /// The body is larger than allowed.
    TooLarge,
    /// The receiver's connection failed, or the receiver stood still for too long.
    Write,
}

/// Reads all of `body` and writes it, waiting for the slower side. `idle` is shared by both
/// directions of an exchange; `most` bounds the data.
pub(crate) async fn pump<R: AsyncRead + Unpin>(
    body: &mut Body,
    from: &mut Incoming<R>,
    to: &mut impl Sink,
    idle: &Idle,
    write_limit: Duration,
    most: u64,
) -> Result<(), PumpError> {
    let mut total = 0u64;
    loop {
        match body.decode(from).map_err(PumpError::Decode)? {
            Some(Piece::Data(data)) => {
                total += data.len() as u64;
                if total > most {
                    return Err(PumpError::TooLarge);
                }
                to.data(data);
                if to.queued() >= ENOUGH {
                    write(to, idle, write_limit).await?;
                }
            }
            Some(Piece::End(trailers)) => {
                to.end(trailers);
                return write(to, idle, write_limit).await;
            }
            None => {
                if to.queued() > 0 {
                    write(to, idle, write_limit).await?;
                }
                let read = tokio::select! {
                    biased;
                    read = from.fill() => read,
                    () = idle.expired() => return Err(PumpError::ReadTimeout),
                };
                idle.touch();
                match read {
                    Ok(0) if matches!(body, Body::UntilClose) => {
                        to.end(Fields::new());
                        return write(to, idle, write_limit).await;
                    }
                    Ok(0) | Err(_) => return Err(PumpError::Read),
                    Ok(_) => {}
                }
            }
        }
    }
}

async fn write(to: &mut impl Sink, idle: &Idle, limit: Duration) -> Result<(), PumpError> {
    match within(limit, to.flush()).await {
        Ok(Ok(())) => {
            idle.touch();
            Ok(())
        }
        Ok(Err(_)) | Err(_) => Err(PumpError::Write),
    }
}
