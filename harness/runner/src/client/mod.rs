//! The client side: sends exactly the bytes it is given and reads whatever comes.
//!
//! ```text
//! model::Request ─encode─▶ Outgoing ─┐
//! raw bytes ─────────────────────────┴─▶ Client (one connection, kept or not) ─▶ Heard
//! ```

mod connection;
mod dial;
mod encode;
mod exchange;

use std::time::Duration;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dialer, trusting};
pub(crate) use encode::{encode, raw};
pub(crate) use exchange::{Ended, Heard, Octets};

use crate::wire::Asked;

/// What goes out, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Octets.
    Bytes(Vec<u8>),
    /// A pattern repeated up to so many octets.
    Fill { pattern: Vec<u8>, size: u64 },
    /// Nothing, for so long.
    Pause(Duration),
    /// Nothing, until 100 (Continue) or a final answer.
    AwaitContinue,
}

/// One thing to send, and how its answers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) pieces: Vec<Piece>,
    /// One for each final answer to read.
    pub(crate) asked: Vec<Asked>,
    pub(crate) tls: bool,
    /// Shut the sending half afterwards.
    pub(crate) half_close: bool,
    /// Close after so many octets of the answer's content.
    pub(crate) abort_after: Option<u64>,
    /// May it be sent again when a kept connection turns out to be dead (RFC 9112 §9.3.1)?
    pub(crate) repeatable: bool,
}

/// A named client of a case: at most one connection, kept for its next step.
#[derive(Debug, Default)]
pub(crate) struct Client {
    connection: Option<Connection>,
    /// What came on its connections without being asked for.
    unasked: Vec<String>,
}

impl Client {
    /// Sends and reads. Never fails: whatever went wrong is in [`Heard`]. What was sent into a dead
    /// connection is sent again on a new one, unless the origin `has_seen` it: then its silence is
    /// the answer.
    pub(crate) async fn exchange(
        &mut self,
        dialer: &Dialer,
        outgoing: &Outgoing,
        has_seen: impl Fn() -> bool,
    ) -> Heard {
        let mut heard = Heard::default();
        self.exchange_into(&mut heard, dialer, outgoing, has_seen).await;
        heard
    }

    /// The same into an empty `heard`, which has all that there is so far where this is not awaited to its end.
    pub(crate) async fn exchange_into(
        &mut self,
        heard: &mut Heard,
        dialer: &Dialer,
        outgoing: &Outgoing,
        has_seen: impl Fn() -> bool,
    ) {
        let reused = self.keep_if_usable(outgoing.tls).await;
        self.exchange_once(heard, dialer, outgoing).await;
        let dead = heard.answers.is_empty() && heard.received.size == 0;
        if !(reused && dead && outgoing.repeatable) || has_seen() {
            return;
        }
        self.connection = None;
        let note = "the kept connection was dead: sent again on a new one".to_owned();
        *heard = Heard { resent: true, notes: vec![note], ..Heard::default() };
        self.exchange_once(heard, dialer, outgoing).await;
    }

    async fn exchange_once(&mut self, heard: &mut Heard, dialer: &Dialer, outgoing: &Outgoing) {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => match dialer.dial(outgoing.tls).await {
                Ok(connection) => connection,
                Err(why) => {
                    heard.ended = Ended::NotConnected(why);
                    return;
                }
            },
        };
        exchange::exchange(&mut connection, outgoing, heard).await;
        if heard.ended != Ended::Aborted {
            self.connection = Some(connection);
        }
    }

    /// Keeps the connection only if another request can go on it; was it kept?
    async fn keep_if_usable(&mut self, tls: bool) -> bool {
        let Some(connection) = self.connection.as_mut() else { return false };
        let open = connection.is_open(Duration::ZERO).await;
        let unasked = connection.take_unasked();
        if !(open && connection.reusable && connection.tls == tls) {
            self.connection = None;
        }
        self.unasked.extend(unasked);
        self.connection.is_some()
    }

    /// Is the connection still open? Waits for an end at most `within`; an end that is already there is
    /// seen at once. A client without a connection has a closed one.
    pub(crate) async fn is_open(&mut self, within: Duration) -> bool {
        match self.connection.as_mut() {
            Some(connection) => connection.is_open(within).await,
            None => false,
        }
    }

    /// Says that nothing more will come, and waits at most so long until the other side closes too.
    pub(crate) async fn hang_up(&mut self, within: Duration) {
        if let Some(connection) = self.connection.take() {
            connection.hang_up(within).await;
        }
    }

    /// Closes the connection, after a look at what has come on it.
    pub(crate) async fn close(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.is_open(Duration::ZERO).await;
            self.unasked.extend(connection.take_unasked());
        }
    }

    /// Says that nothing more will be sent: the connection, on which something may still come.
    pub(crate) async fn leave(&mut self) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        connection.say_the_end().await;
        Some(connection)
    }

    /// What came without being asked for, as far as it was seen, since this was last asked.
    pub(crate) fn take_unasked(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unasked)
    }
}
