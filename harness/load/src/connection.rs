//! One client's connection and the exchange on it, driven by readiness: connect, send, receive, again.

use std::io;
use std::time::Instant;

use mio::{Registry, Token};

use crate::answer::AnswerReader;
use crate::plan::LoadPlan;
use crate::stream::Stream;

/// What a thread lends its connections.
pub(crate) struct Lent<'a> {
    pub(crate) plan: &'a LoadPlan,
    pub(crate) registry: &'a Registry,
    /// Where reads go; what is left of an unfinished line is kept by the connection.
    pub(crate) buffer: &'a mut [u8],
}

/// A connection, or the place for one.
pub(crate) struct Connection {
    token: Token,
    stream: Option<Stream>,
    state: State,
    reader: AnswerReader,
    /// Octets of the answer that could not be understood yet.
    pending: Vec<u8>,
    sent: usize,
    /// Which of the plan's requests is under way.
    request: usize,
    received: u64,
    reused: bool,
    /// Was the request sent a second time, on a new connection?
    pub(crate) retried: bool,
    pub(crate) times: Times,
    /// What the system said when the last exchange failed.
    pub(crate) error: Option<io::Error>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No request is under way.
    Resting,
    /// The server's queue for new connections is full: it is to be tried again.
    Queuing,
    Connecting,
    Sending,
    Receiving,
}

/// The moments of one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// When it should have begun; the same as `began` in a closed loop.
    pub(crate) intended: Instant,
    pub(crate) began: Instant,
    /// When its own new connection stood, if it needed one.
    pub(crate) connected: Option<Instant>,
    pub(crate) first_byte: Option<Instant>,
}

/// How far an exchange has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Pending,
    Done(Answered),
    Failed(Broken),
}

/// A whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// Octets received, head and framing included.
    pub(crate) bytes: u64,
}

/// Why a request has no answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// No connection.
    Connect,
    /// Reset or closed before the answer was whole.
    Receive,
    /// What came is no answer.
    Malformed,
    /// It says two lengths that differ.
    Lengths,
    /// More came than was asked for: octets after the answer, or another one.
    Surplus,
    /// It took longer than a request may.
    Timeout,
    /// It is whole, and not the one that a user of a journey must have.
    Unexpected,
}

impl Connection {
    pub(crate) fn new(token: Token, now: Instant) -> Self {
        let times = Times { intended: now, began: now, connected: None, first_byte: None };
        Self {
            token,
            stream: None,
            state: State::Resting,
            reader: AnswerReader::new(false),
            pending: Vec::new(),
            sent: 0,
            request: 0,
            received: 0,
            reused: false,
            retried: false,
            times,
            error: None,
        }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.state != State::Resting
    }

    /// Is it to be tried [`again`](Self::again) in a moment?
    pub(crate) fn is_queuing(&self) -> bool {
        self.state == State::Queuing
    }

    /// Tries to connect again, if that is what it waits for.
    pub(crate) fn again(&mut self, lent: &mut Lent<'_>) -> Progress {
        if self.is_queuing() { self.go(lent) } else { Progress::Pending }
    }

    /// Begins an exchange, on the connection that there is or on a new one.
    pub(crate) fn begin(
        &mut self,
        lent: &mut Lent<'_>,
        request: usize,
        intended: Instant,
        began: Instant,
    ) -> Progress {
        self.times = Times { intended, began, connected: None, first_byte: None };
        self.request = request;
        self.retried = false;
        self.go(lent)
    }

    fn go(&mut self, lent: &mut Lent<'_>) -> Progress {
        (self.sent, self.received) = (0, 0);
        self.pending.clear();
        self.reader = AnswerReader::new(lent.plan.mix[self.request].is_head());
        self.reused = self.stream.is_some();
        if self.reused {
            self.state = State::Sending;
            return self.write(lent);
        }
        match Stream::connect(&lent.plan.endpoint, lent.registry, self.token) {
            Ok(stream) => {
                self.stream = Some(stream);
                self.state = State::Connecting;
                Progress::Pending
            }
            // A unix socket says so of a full queue (connect(2)).
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.state = State::Queuing;
                Progress::Pending
            }
            Err(error) => self.fail(Broken::Connect, Some(error)),
        }
    }

    /// Something can be read, written, or has ended.
    pub(crate) fn ready(&mut self, lent: &mut Lent<'_>, event: &mio::event::Event) -> Progress {
        match self.state {
            State::Resting => return self.disturbed(lent),
            State::Connecting | State::Sending => {
                let tls = self.stream.as_ref().is_some_and(Stream::may_hold_more);
                if event.is_readable() && (tls || self.state == State::Sending) {
                    let read = self.read(lent, event.is_read_closed());
                    if read != Progress::Pending {
                        return read;
                    }
                }
                let written = self.write(lent);
                if written != Progress::Pending {
                    return written;
                }
            }
            State::Queuing | State::Receiving => {}
        }
        if self.state == State::Receiving && event.is_readable() {
            return self.read(lent, event.is_read_closed());
        }
        Progress::Pending
    }

    /// The server has closed a resting connection, or says what nobody asked for; what TLS tells on its own
    /// account is neither. That it has waited long enough it may say of itself (RFC 9110 §15.5.9).
    pub(crate) fn disturbed(&mut self, lent: &mut Lent<'_>) -> Progress {
        let Some(stream) = &mut self.stream else { return Progress::Pending };
        match stream.receive(lent.buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::Pending,
            Ok(size) if size > 0 && lent.buffer.get(8..13) != Some(b" 408 ") => {
                return self.fail(Broken::Surplus, None);
            }
            _ => self.stream = None,
        }
        Progress::Pending
    }

    fn write(&mut self, lent: &mut Lent<'_>) -> Progress {
        let bytes = &lent.plan.mix[self.request].bytes;
        let Some(stream) = &mut self.stream else { return self.fail(Broken::Connect, None) };
        let written = loop {
            if self.sent == bytes.len() {
                break stream.flush();
            }
            match stream.send(&bytes[self.sent..]) {
                // TLS has no room: there is some again once all that it holds is on its way.
                Ok(0) => match stream.flush() {
                    Ok(true) => {}
                    blocked_or_broken => break blocked_or_broken,
                },
                Ok(size) => self.sent += size,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        match written {
            Err(error) => return self.broke(lent, error),
            Ok(_) if self.sent == 0 => return Progress::Pending,
            Ok(all) => {
                if self.state == State::Connecting && !stream.is_handshaking() {
                    self.stands();
                }
                if all {
                    self.state = State::Receiving;
                }
            }
        }
        Progress::Pending
    }

    /// The connection is there, with its handshake.
    fn stands(&mut self) {
        self.times.connected = Some(Instant::now());
        self.state = State::Sending;
    }

    fn read(&mut self, lent: &mut Lent<'_>, ended: bool) -> Progress {
        loop {
            let Some(stream) = &mut self.stream else { return self.fail(Broken::Receive, None) };
            let size = match stream.receive(lent.buffer) {
                Ok(0) if self.reader.is_done_at_eof() && self.received > 0 => {
                    return self.done(false);
                }
                Ok(0) => return self.broke(lent, io::ErrorKind::UnexpectedEof.into()),
                Ok(size) => size,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Pending;
                }
                Err(error) => return self.broke(lent, error),
            };
            let drained = size < lent.buffer.len() && !ended && !stream.may_hold_more();
            // An end that came with the answer is told only once (epoll(7)); and while TLS is read on to the end of its
            // handshake, the answer may come and the end with it, which the event is too old to tell.
            let may_have_ended = ended || (!self.reused && stream.may_hold_more());
            // The end of a handshake may carry the request, and the answer be there by then.
            if self.state == State::Connecting {
                self.stands();
            }
            if self.times.first_byte.is_none() {
                self.times.first_byte = Some(Instant::now());
            }
            self.received += size as u64;
            let left = match self.understand(&lent.buffer[..size]) {
                Ok(left) => left,
                Err(why) => return self.fail(why, None),
            };
            if self.reader.is_done() {
                if left {
                    return self.fail(Broken::Surplus, None);
                }
                let whole = self.sent == lent.plan.mix[self.request].bytes.len();
                let done = self.done(whole && lent.plan.keep_alive && self.reader.keeps_alive());
                let beyond = if may_have_ended { self.disturbed(lent) } else { Progress::Pending };
                return if beyond == Progress::Pending { done } else { beyond };
            }
            if drained {
                return Progress::Pending;
            }
        }
    }

    /// Feeds the reader; is there something left over that it did not take?
    fn understand(&mut self, input: &[u8]) -> Result<bool, Broken> {
        if self.pending.is_empty() {
            let taken = self.reader.take(input)?;
            self.pending.extend_from_slice(&input[taken..]);
        } else {
            self.pending.extend_from_slice(input);
            let taken = self.reader.take(&self.pending)?;
            self.pending.drain(..taken);
        }
        Ok(!self.pending.is_empty())
    }

    fn done(&mut self, keep: bool) -> Progress {
        self.state = State::Resting;
        if !keep {
            self.stream = None;
        }
        Progress::Done(Answered { status: self.reader.status(), bytes: self.received })
    }

    /// A kept connection that the target closed before this request reached it is no error of the
    /// target's: one new connection is tried, within the same latency. Whether it did reach it nobody knows, so that
    /// only what may be done twice is sent again, or what was not sent at all (RFC 9112 §9.3.1).
    fn broke(&mut self, lent: &mut Lent<'_>, error: io::Error) -> Progress {
        let connecting = self.state == State::Connecting;
        let may_be_sent = self.sent == 0 || lent.plan.mix[self.request].is_idempotent();
        if self.reused && self.received == 0 && may_be_sent {
            self.stream = None;
            self.retried = self.sent > 0;
            return self.go(lent);
        }
        self.fail(if connecting { Broken::Connect } else { Broken::Receive }, Some(error))
    }

    fn fail(&mut self, why: Broken, error: Option<io::Error>) -> Progress {
        self.stream = None;
        self.error = error;
        self.state = State::Resting;
        Progress::Failed(why)
    }

    /// Gives an exchange up.
    pub(crate) fn give_up(&mut self) -> Broken {
        self.stream = None;
        self.error = None;
        self.state = State::Resting;
        Broken::Timeout
    }
}
