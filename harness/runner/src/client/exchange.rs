//! One exchange: sending and reading at the same time, so that an early answer is not lost behind a
//! large request and a target that stops reading does not hang the client.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::connection::{Connection, Stream};
use super::{Outgoing, Piece, encode};
use crate::wire::{Answer, AnswerReader, Asked, Interim, Progress};

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Ended {
    /// It has not: as long as it is under way, and where the client gives up.
    #[default]
    Unfinished,
    /// All answers came.
    Answered,
    /// The target closed before that.
    Closed,
    /// The target reset the connection before that.
    Reset,
    /// What came is no answer.
    Broken(String),
    /// The client broke off, as it was told to.
    Aborted,
    /// There was no connection.
    NotConnected(String),
}

/// What went one way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Octets {
    pub(crate) beginning: Vec<u8>,
    pub(crate) size: u64,
}

impl Octets {
    fn add(&mut self, bytes: &[u8]) {
        let room = MOST_REMEMBERED.saturating_sub(self.beginning.len()).min(bytes.len());
        self.beginning.extend_from_slice(&bytes[..room]);
        self.size += bytes.len() as u64;
    }
}

/// What came of sending something: at any moment all that there is so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    pub(crate) sent: Octets,
    pub(crate) received: Octets,
    /// The final answers in order; the last may be incomplete.
    pub(crate) answers: Vec<Answer>,
    /// 1xx answers that no final one followed.
    pub(crate) interim: Vec<Interim>,
    pub(crate) ended: Ended,
    pub(crate) notes: Vec<String>,
    /// Was it sent a second time, since the kept connection was dead?
    pub(crate) resent: bool,
    /// From the first octet sent to the last read.
    pub(crate) duration: Duration,
}

/// More of what goes over the wire is not remembered for the report.
const MOST_REMEMBERED: usize = 64 * 1024;
/// What comes after an unreadable beginning is only shown, so it is not waited for long.
const LAST_WORDS: Duration = Duration::from_millis(200);

impl Heard {
    /// Did no answer come that can be read, where one was waited for?
    pub(crate) fn is_unanswered(&self) -> bool {
        self.answers.is_empty() && !matches!(self.ended, Ended::Answered | Ended::Aborted)
    }

    /// Does the last answer say that its connection carries no other request?
    pub(crate) fn says_the_end(&self) -> bool {
        self.answers.last().is_some_and(|answer| !answer.persistent)
    }

    /// What lacks of an answer whose framing is not whole (RFC 9112 §8), where the target left it so.
    pub(crate) fn cut_off(&self) -> Option<String> {
        let answer = self.answers.last().filter(|answer| !answer.complete)?;
        let how = match &self.ended {
            Ended::Closed => "the connection closed",
            Ended::Reset => "the connection was reset",
            Ended::Broken(why) => return Some(why.clone()),
            _ => return None,
        };
        Some(format!("{how} after {} octets of content, before its end", answer.content.size))
    }

    /// How it ended, where not as usual.
    pub(crate) fn note(&self) -> Option<String> {
        let ending = match &self.ended {
            Ended::Answered => None,
            Ended::Closed if self.received.size == 0 => {
                Some("the target closed the connection without an answer".to_owned())
            }
            Ended::Closed => Some("the target closed the connection before the end".to_owned()),
            Ended::Reset => Some("connection reset by the target".to_owned()),
            Ended::Broken(why) | Ended::NotConnected(why) => Some(why.clone()),
            Ended::Aborted => Some("broken off by the client, as the case says".to_owned()),
            Ended::Unfinished if self.received.size == 0 => {
                Some(format!("no answer within {:?}", self.duration))
            }
            Ended::Unfinished => Some(format!("no end of the answer within {:?}", self.duration)),
        };
        let defects = self.answers.iter().flat_map(|answer| answer.defects.iter().cloned());
        let all: Vec<_> = self.notes.iter().cloned().chain(ending).chain(defects).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What the reading half fills in.
struct Reading<'a> {
    received: &'a mut Octets,
    answers: &'a mut Vec<Answer>,
    interim: &'a mut Vec<Interim>,
}

/// Sends and reads on an open connection.
pub(crate) async fn exchange(connection: &mut Connection, outgoing: &Outgoing, heard: &mut Heard) {
    if connection.tunnel {
        return through_tunnel(connection, outgoing, heard).await;
    }
    if !connection.unread.is_empty() {
        let count = connection.unread.len();
        heard.notes.push(format!("{count} octets came after the answer before this one"));
    }
    let began = Instant::now();
    // Once nothing more is to be sent: that all was, or why not.
    let mut written = None;
    let (go, wait) = watch::channel(false);
    heard.ended = {
        let Heard { sent, received, answers, interim, .. } = heard;
        let (mut reading, mut writing) = tokio::io::split(&mut connection.stream);
        let reader = async {
            let into = Reading { received, answers, interim };
            let ended = read(&mut reading, &mut connection.unread, outgoing, &go, into).await;
            if outgoing.asked.is_empty() {
                std::future::pending::<()>().await;
            }
            ended
        };
        let writer = async {
            written = Some(write(&mut writing, outgoing, wait, sent).await);
            // The answers end the exchange, unless none is waited for.
            if !outgoing.asked.is_empty() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = writer => Ended::Answered,
            ended = reader => ended,
        }
    };
    heard.duration = began.elapsed();
    let all_written = matches!(written, Some(Ok(())));
    heard.notes.extend(written.and_then(stopped));
    if matches!(heard.ended, Ended::Closed | Ended::Reset) {
        connection.has_ended();
    }
    connection.settled &= heard.ended == Ended::Answered
        && all_written
        && encode::asks_for(&heard.sent.beginning, outgoing.asked.len());
    let last = heard.answers.last();
    connection.tunnel = last.is_some_and(|answer| answer.tunnel);
    connection.settled &= !connection.tunnel;
    connection.reusable = connection.tunnel
        || (heard.ended == Ended::Answered
            && all_written
            && !outgoing.half_close
            && last.is_none_or(|answer| answer.persistent));
}

/// Why not all was sent.
fn stopped(written: std::io::Result<()>) -> Option<String> {
    written.err().map(|error| format!("sending stopped: {error}"))
}

/// Another protocol (after 101): the other side is expected to answer with as many octets.
async fn through_tunnel(connection: &mut Connection, outgoing: &Outgoing, heard: &mut Heard) {
    let began = Instant::now();
    let (_go, wait) = watch::channel(true);
    let written = write(&mut connection.stream, outgoing, wait, &mut heard.sent).await;
    heard.notes.extend(stopped(written));
    heard.received.add(&connection.unread);
    heard.ended = loop {
        if heard.received.size >= heard.sent.size {
            break Ended::Answered;
        }
        connection.unread.clear();
        match connection.read().await {
            Ok(0) => break Ended::Closed,
            Ok(_) => heard.received.add(&connection.unread),
            Err(_) => break Ended::Reset,
        }
    };
    connection.unread.clear();
    heard.duration = began.elapsed();
}

async fn write<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    outgoing: &Outgoing,
    mut wait: watch::Receiver<bool>,
    sent: &mut Octets,
) -> std::io::Result<()> {
    for piece in &outgoing.pieces {
        match piece {
            Piece::Bytes(bytes) => put(stream, bytes, sent).await?,
            Piece::Fill { pattern, size } => fill(stream, pattern, *size, sent).await?,
            Piece::Pause(time) => tokio::time::sleep(*time).await,
            Piece::AwaitContinue => {
                // An error means that the reader is gone, and with it the reason to wait.
                let _ = wait.wait_for(|go| *go).await;
            }
        }
    }
    if outgoing.half_close {
        stream.shutdown().await?;
    }
    Ok(())
}

async fn fill<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    pattern: &[u8],
    size: u64,
    sent: &mut Octets,
) -> std::io::Result<()> {
    let mut pieces = crate::filling::Filling::new(pattern, size);
    while let Some(piece) = pieces.next_piece() {
        put(stream, piece, sent).await?;
    }
    Ok(())
}

async fn put<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    bytes: &[u8],
    sent: &mut Octets,
) -> std::io::Result<()> {
    sent.add(bytes);
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Reads as many answers as are asked for, and says how that ended.
async fn read(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    outgoing: &Outgoing,
    go: &watch::Sender<bool>,
    mut into: Reading<'_>,
) -> Ended {
    into.received.add(unread);
    for asked in &outgoing.asked {
        let ended = read_one(stream, unread, *asked, outgoing.abort_after, go, &mut into).await;
        let Some(ended) = ended else { continue };
        if let Ended::Broken(_) = ended {
            let rest = async { while let Ok(1..) = more(stream, unread, into.received).await {} };
            let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        }
        return ended;
    }
    Ended::Answered
}

/// Reads one answer; how the exchange ended when there can be no next one.
async fn read_one(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    asked: Asked,
    abort_after: Option<u64>,
    go: &watch::Sender<bool>,
    into: &mut Reading<'_>,
) -> Option<Ended> {
    let mut reader = AnswerReader::new(asked);
    let ended = loop {
        let (taken, progress) = reader.take(unread);
        unread.drain(..taken);
        if reader.may_continue() {
            go.send_replace(true);
        }
        match progress {
            Progress::Whole => break None,
            Progress::Broken(why) => break Some(Ended::Broken(why)),
            Progress::More => {}
        }
        if abort_after.is_some_and(|most| reader.content_size() >= most) {
            break Some(Ended::Aborted);
        }
        match more(stream, unread, into.received).await {
            Ok(0) => break Some(Ended::Closed),
            Ok(_) => {}
            Err(_) => break Some(Ended::Reset),
        }
    };
    let at_end = ended == Some(Ended::Closed);
    let (answer, interim) = reader.finish(at_end);
    let whole = answer.as_ref().is_some_and(|answer| answer.complete);
    into.answers.extend(answer);
    into.interim.extend(interim);
    // An answer that ends with the connection is whole; should another be asked for, it finds the end.
    match ended {
        Some(Ended::Closed) if whole => None,
        other => other,
    }
}

async fn more(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    received: &mut Octets,
) -> std::io::Result<usize> {
    let before = unread.len();
    let size = stream.read_buf(unread).await?;
    received.add(&unread[before..]);
    Ok(size)
}
