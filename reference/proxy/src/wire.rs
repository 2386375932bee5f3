//! The two directions of a connection: bytes read and not yet understood, bytes to be written.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use edgeproof_http1::{CHUNK_END, chunk_start};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Room that a read asks for.
const READ: usize = 16 << 10;

/// The reading direction.
#[derive(Debug)]
pub(crate) struct Incoming<R> {
    pub(crate) io: R,
    pub(crate) buf: BytesMut,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    pub(crate) fn new(io: R) -> Self {
        Self { io, buf: BytesMut::new() }
    }

    /// Reads what is there, at least a byte; 0 at the end.
    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        if self.buf.capacity() - self.buf.len() < READ / 4 {
            self.buf.reserve(READ);
        }
        self.io.read_buf(&mut self.buf).await
    }

    /// Reads what is there into `room`, and takes over its part of that: a connection that waits
    /// for its next request holds no memory to read into. At least a byte; 0 at the end.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        room: &Room,
    ) -> Poll<io::Result<usize>> {
        let room = &mut *room.0.borrow_mut();
        if room.capacity() < READ / 4 {
            *room = BytesMut::with_capacity(READ);
        }
        let read = ready!(pin!(self.io.read_buf(room)).poll(cx))?;
        if self.buf.is_empty() {
            self.buf = room.split();
        } else {
            self.buf.extend_from_slice(room);
            room.clear();
        }
        Poll::Ready(Ok(read))
    }
}

/// Memory that the connections of one thread read into in turn. It is empty between two reads.
#[derive(Debug, Default)]
pub(crate) struct Room(RefCell<BytesMut>);

/// Bytes that may wait before a writer has to write.
pub(crate) const ENOUGH: usize = 64 << 10;

/// Pieces written by one system call at most.
const SLICES: usize = 16;

/// The writing direction. Heads and chunk framing are gathered in one buffer, data stays where it
/// is; [`Outgoing::flush`] writes them in order, many pieces by one call.
#[derive(Debug)]
pub(crate) struct Outgoing<W> {
    pub(crate) io: W,
    scratch: Vec<u8>,
    /// The beginning of `scratch` that stays there when it has been written.
    kept: usize,
    queue: Vec<Segment>,
    queued: usize,
    /// Bytes handed to `io` so far.
    written: u64,
    /// What makes the last bytes wait for the end, where the connection ends right after them.
    before_end: Option<fn(&W)>,
}

#[derive(Debug)]
enum Segment {
    Scratch(Range<usize>),
    Data(Bytes),
}

impl<W: AsyncWrite + Unpin> Outgoing<W> {
    pub(crate) fn new(io: W) -> Self {
        Self {
            io,
            scratch: Vec::new(),
            kept: 0,
            queue: Vec::new(),
            queued: 0,
            written: 0,
            before_end: None,
        }
    }

    /// The connection is to end after a response: `wait` makes bytes wait for that.
    pub(crate) fn ends_after(&mut self, wait: fn(&W)) {
        self.before_end = Some(wait);
    }

    /// What is written next is the rest of the response. Where the connection ends after it, its end goes with it.
    pub(crate) fn end_follows(&mut self) {
        if let Some(wait) = self.before_end.take() {
            wait(&self.io);
        }
    }

    /// Queues what `put` writes.
    pub(crate) fn put(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let start = self.scratch.len();
        put(&mut self.scratch);
        let end = self.scratch.len();
        self.queued += end - start;
        match self.queue.last_mut() {
            Some(Segment::Scratch(range)) => range.end = end,
            _ => self.queue.push(Segment::Scratch(start..end)),
        }
    }

    /// Queues what `put` writes, and keeps it to be read with [`Outgoing::kept`] until
    /// [`Outgoing::forget`]. Gives where it lies.
    pub(crate) fn put_kept(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
        let start = self.scratch.len();
        self.put(put);
        self.kept = self.scratch.len();
        start..self.kept
    }

    /// What was put by [`Outgoing::put_kept`].
    pub(crate) fn kept(&self, range: Range<usize>) -> &[u8] {
        &self.scratch[range]
    }

    /// Lets go of what was kept, once it is written.
    pub(crate) fn forget(&mut self) {
        self.kept = 0;
        if self.queue.is_empty() {
            self.scratch.clear();
        }
    }

    /// Bytes handed over so far, by which one can tell whether any was since.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Forgets all that waits, and what was kept: nothing of it may have been written.
    pub(crate) fn take_back(&mut self) {
        self.queue.clear();
        self.queued = 0;
        self.forget();
    }

    /// Queues data without copying it.
    pub(crate) fn data(&mut self, data: Bytes) {
        if !data.is_empty() {
            self.queued += data.len();
            self.queue.push(Segment::Data(data));
        }
    }

    /// Queues data as one chunk of the chunked coding; no data would be its end, and is none.
    pub(crate) fn chunk(&mut self, data: Bytes) {
        if !data.is_empty() {
            self.put(|out| out.extend_from_slice(chunk_start(data.len()).as_ref()));
            self.data(data);
            self.put(|out| out.extend_from_slice(CHUNK_END));
        }
    }

    /// Bytes that wait.
    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    /// Writes everything queued.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        // Most responses are a head and a body.
        match self.queue.len() {
            ..=2 => self.write::<2>().await?,
            _ => self.write::<SLICES>().await?,
        }
        self.queue.clear();
        self.scratch.truncate(self.kept);
        self.queued = 0;
        self.io.flush().await
    }

    /// Writes what is queued, `AT_ONCE` pieces by one system call.
    async fn write<const AT_ONCE: usize>(&mut self) -> io::Result<()> {
        for segments in self.queue.chunks(AT_ONCE) {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            for (slice, segment) in slices.iter_mut().zip(segments) {
                *slice = IoSlice::new(match segment {
                    Segment::Scratch(range) => &self.scratch[range.clone()],
                    Segment::Data(data) => data,
                });
            }
            let mut rest = &mut slices[..segments.len()];
            while !rest.is_empty() {
                let written =
                    poll_fn(|cx| Pin::new(&mut self.io).poll_write_vectored(cx, rest)).await?;
                if written == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
                self.written += written as u64;
                IoSlice::advance_slices(&mut rest, written);
            }
        }
        Ok(())
    }
}
