//! One exchange: sending and reading at the same time, so that an early answer is not lost behind a
//! large request and a target that stops reading does not hang the client.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::connection::{Connection, Stream};
use super::{Outgoing, Piece, encode};
use crate::wire::{Answer, AnswerReader, Asked, Interim, Progress};

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
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
    /// Nothing more came for so long that the client gave up.
    GivenUp(Duration),
    /// There was no connection.
    NotConnected(String),
}

/// What came of sending something.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The beginning of what was sent.
    pub(crate) sent: Vec<u8>,
    pub(crate) sent_size: u64,
    /// The beginning of what was received.
    pub(crate) received: Vec<u8>,
    pub(crate) received_size: u64,
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
    pub(crate) fn not_connected(why: String) -> Self {
        Self { ended: Ended::NotConnected(why), ..Self::nothing() }
    }

    /// Nothing came of `outgoing` for so long.
    pub(crate) fn given_up(outgoing: &Outgoing, after: Duration) -> Self {
        let mut heard = Self { ended: Ended::GivenUp(after), duration: after, ..Self::nothing() };
        for piece in &outgoing.pieces {
            if let Piece::Bytes(bytes) = piece {
                remember(&mut heard.sent, bytes);
                heard.sent_size += bytes.len() as u64;
            }
        }
        heard
    }

    fn nothing() -> Self {
        Self {
            sent: Vec::new(),
            sent_size: 0,
            received: Vec::new(),
            received_size: 0,
            answers: Vec::new(),
            interim: Vec::new(),
            ended: Ended::Answered,
            notes: Vec::new(),
            resent: false,
            duration: Duration::ZERO,
        }
    }

    /// Did no answer come that can be read, where one was waited for?
    pub(crate) fn is_unanswered(&self) -> bool {
        self.answers.is_empty() && !matches!(self.ended, Ended::Answered | Ended::Aborted)
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
            Ended::Closed if self.received_size == 0 => {
                Some("the target closed the connection without an answer".to_owned())
            }
            Ended::Closed => Some("the target closed the connection before the end".to_owned()),
            Ended::Reset => Some("connection reset by the target".to_owned()),
            Ended::Broken(why) | Ended::NotConnected(why) => Some(why.clone()),
            Ended::Aborted => Some("broken off by the client, as the case says".to_owned()),
            Ended::GivenUp(after) => Some(format!("no answer within {after:?}")),
        };
        let defects = self.answers.iter().flat_map(|answer| answer.defects.iter().cloned());
        let all: Vec<_> = self.notes.iter().cloned().chain(ending).chain(defects).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// What the writing half did.
#[derive(Default)]
struct Written {
    beginning: Vec<u8>,
    size: u64,
    all: bool,
    error: Option<String>,
}

/// Sends and reads on an open connection.
pub(crate) async fn exchange(connection: &mut Connection, outgoing: &Outgoing) -> Heard {
    let mut heard = Heard::nothing();
    if connection.tunnel {
        return through_tunnel(connection, outgoing, heard).await;
    }
    if !connection.unread.is_empty() {
        let count = connection.unread.len();
        heard.notes.push(format!("{count} octets came after the answer before this one"));
    }
    let began = Instant::now();
    let mut written = Written::default();
    let (go, wait) = watch::channel(false);
    {
        let (mut reading, mut writing) = tokio::io::split(&mut connection.stream);
        let reader = async {
            read(&mut reading, &mut connection.unread, outgoing, &go, &mut heard).await;
            if outgoing.asked.is_empty() {
                std::future::pending::<()>().await;
            }
        };
        let writer = async {
            if let Err(error) = write(&mut writing, outgoing, wait, &mut written).await {
                written.error = Some(error.to_string());
            }
            // The answers end the exchange, unless none is waited for.
            if !outgoing.asked.is_empty() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = writer => {}
            () = reader => {}
        }
    }
    heard.duration = began.elapsed();
    heard.sent = written.beginning;
    heard.sent_size = written.size;
    heard.notes.extend(written.error.map(|error| format!("sending stopped: {error}")));
    if matches!(heard.ended, Ended::Closed | Ended::Reset) {
        connection.has_ended();
    }
    connection.settled &= heard.ended == Ended::Answered
        && written.all
        && encode::asks_for(&heard.sent, outgoing.asked.len());
    let last = heard.answers.last();
    connection.tunnel = last.is_some_and(|answer| answer.tunnel);
    connection.settled &= !connection.tunnel;
    connection.reusable = connection.tunnel
        || (heard.ended == Ended::Answered
            && written.all
            && !outgoing.half_close
            && last.is_none_or(|answer| answer.persistent));
    heard
}

/// Another protocol (after 101): the other side is expected to answer with as many octets.
async fn through_tunnel(
    connection: &mut Connection,
    outgoing: &Outgoing,
    mut heard: Heard,
) -> Heard {
    let began = Instant::now();
    let mut written = Written::default();
    let (_go, wait) = watch::channel(true);
    if let Err(error) = write(&mut connection.stream, outgoing, wait, &mut written).await {
        heard.notes.push(format!("sending stopped: {error}"));
    }
    while (connection.unread.len() as u64) < written.size {
        match connection.read().await {
            Ok(0) => heard.ended = Ended::Closed,
            Ok(_) => continue,
            Err(_) => heard.ended = Ended::Reset,
        }
        break;
    }
    heard.duration = began.elapsed();
    (heard.sent, heard.sent_size) = (written.beginning, written.size);
    heard.received = std::mem::take(&mut connection.unread);
    heard.received_size = heard.received.len() as u64;
    heard
}

async fn write<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    outgoing: &Outgoing,
    mut wait: watch::Receiver<bool>,
    written: &mut Written,
) -> std::io::Result<()> {
    for piece in &outgoing.pieces {
        match piece {
            Piece::Bytes(bytes) => put(stream, bytes, written).await?,
            Piece::Fill { pattern, size } => fill(stream, pattern, *size, written).await?,
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
    written.all = true;
    Ok(())
}

async fn fill<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    pattern: &[u8],
    size: u64,
    written: &mut Written,
) -> std::io::Result<()> {
    let mut pieces = crate::filling::Filling::new(pattern, size);
    while let Some(piece) = pieces.next_piece() {
        put(stream, piece, written).await?;
    }
    Ok(())
}

async fn put<W: tokio::io::AsyncWrite + Unpin>(
    stream: &mut W,
    bytes: &[u8],
    written: &mut Written,
) -> std::io::Result<()> {
    remember(&mut written.beginning, bytes);
    written.size += bytes.len() as u64;
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn remember(beginning: &mut Vec<u8>, bytes: &[u8]) {
    let room = MOST_REMEMBERED.saturating_sub(beginning.len()).min(bytes.len());
    beginning.extend_from_slice(&bytes[..room]);
}

/// Reads as many answers as are asked for into `heard`.
async fn read(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    outgoing: &Outgoing,
    go: &watch::Sender<bool>,
    heard: &mut Heard,
) {
    remember(&mut heard.received, unread);
    heard.received_size += unread.len() as u64;
    for asked in &outgoing.asked {
        let ended = read_one(stream, unread, *asked, outgoing.abort_after, go, heard).await;
        if let Some(ended) = ended {
            heard.ended = ended;
            break;
        }
    }
    if let Ended::Broken(_) = heard.ended {
        let rest = async { while let Ok(1..) = more(stream, unread, heard).await {} };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
    }
}

/// Reads one answer; how the exchange ended when there can be no next one.
async fn read_one(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    asked: Asked,
    abort_after: Option<u64>,
    go: &watch::Sender<bool>,
    heard: &mut Heard,
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
        match more(stream, unread, heard).await {
            Ok(0) => break Some(Ended::Closed),
            Ok(_) => {}
            Err(_) => break Some(Ended::Reset),
        }
    };
    let at_end = ended == Some(Ended::Closed);
    let (answer, interim) = reader.finish(at_end);
    let whole = answer.as_ref().is_some_and(|answer| answer.complete);
    heard.answers.extend(answer);
    heard.interim.extend(interim);
    // An answer that ends with the connection is whole; should another be asked for, it finds the end.
    match ended {
        Some(Ended::Closed) if whole => None,
        other => other,
    }
}

async fn more(
    stream: &mut tokio::io::ReadHalf<&mut Stream>,
    unread: &mut Vec<u8>,
    heard: &mut Heard,
) -> std::io::Result<usize> {
    let before = unread.len();
    let size = stream.read_buf(unread).await?;
    remember(&mut heard.received, &unread[before..]);
    heard.received_size += size as u64;
    Ok(size)
}
