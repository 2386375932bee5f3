//! Answers read from whatever the target sends.

use super::content::{Content, Framing};
use super::head::{Fields, Head, LONGEST_HEAD};
use crate::visible::quoted;

/// What the request was, as far as it decides how its answer is read (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// HEAD: the answer has no content, whatever its fields say.
    pub(crate) head: bool,
    /// CONNECT: a 2xx makes the connection a tunnel.
    pub(crate) connect: bool,
}

impl Asked {
    /// What a request-line's method means for its answer.
    pub(crate) fn by(method: &[u8]) -> Self {
        Self { head: method == b"HEAD", connect: method == b"CONNECT" }
    }
}

/// A 1xx answer that came before the final one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interim {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
}

/// A final answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub(crate) version: &'static str,
    pub(crate) status: u16,
    pub(crate) reason: Vec<u8>,
    pub(crate) fields: Fields,
    pub(crate) interim: Vec<Interim>,
    pub(crate) content: Content,
    /// Did the content end where its framing says?
    pub(crate) complete: bool,
    /// What its heads have against the grammar, and contradictions in its framing: it is read all the same.
    pub(crate) defects: Vec<String>,
    /// May the connection carry another request, by what the answer says (RFC 9112 §9.3)?
    pub(crate) persistent: bool,
    /// The connection is no longer HTTP/1: 101, or 2xx to CONNECT.
    pub(crate) tunnel: bool,
}

/// How far the reading of one answer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More octets are needed.
    More,
    /// The final answer is there, to its end.
    Whole,
    /// What came is no answer of HTTP/1, or its framing is broken.
    Broken(String),
}

/// Reads one answer with the 1xx answers before it.
#[derive(Debug)]
pub(crate) struct AnswerReader {
    asked: Asked,
    interim: Vec<Interim>,
    /// Of the heads so far.
    defects: Vec<String>,
    answer: Option<Answer>,
}

impl AnswerReader {
    pub(crate) fn new(asked: Asked) -> Self {
        Self { asked, interim: Vec::new(), defects: Vec::new(), answer: None }
    }

    /// Was there a 100 (Continue)?
    pub(crate) fn may_continue(&self) -> bool {
        self.answer.is_some() || self.interim.iter().any(|interim| interim.status == 100)
    }

    /// Octets of content so far.
    pub(crate) fn content_size(&self) -> u64 {
        self.answer.as_ref().map_or(0, |answer| answer.content.size)
    }

    /// Takes octets from the front of `input` and says how many and how far it came.
    pub(crate) fn take(&mut self, input: &[u8]) -> (usize, Progress) {
        let mut taken = 0;
        while self.answer.is_none() {
            match self.head(&input[taken..]) {
                Ok(0) => return (taken, Progress::More),
                Ok(length) => taken += length,
                Err(why) => return (taken, Progress::Broken(why)),
            }
        }
        let Some(answer) = self.answer.as_mut() else { return (taken, Progress::More) };
        taken += answer.content.take(&input[taken..]);
        let progress = match &answer.content.defect {
            Some(defect) if answer.content.is_broken() => Progress::Broken(defect.clone()),
            _ if answer.content.is_done() => Progress::Whole,
            _ => Progress::More,
        };
        answer.complete = progress == Progress::Whole;
        (taken, progress)
    }

    /// The connection has ended, or reading was given up: what there is.
    pub(crate) fn finish(mut self, at_end: bool) -> (Option<Answer>, Vec<Interim>) {
        if let Some(answer) = self.answer.as_mut() {
            answer.complete |= at_end && answer.content.is_whole_at_end();
        }
        (self.answer, self.interim)
    }

    fn head(&mut self, input: &[u8]) -> Result<usize, String> {
        could_be_http(input)?;
        let Some(head) = Head::read(input) else {
            let endless = input.len() > LONGEST_HEAD;
            return if endless { Err("the answer's head has no end".to_owned()) } else { Ok(0) };
        };
        let (version, status, reason) = status_line(&head.start).ok_or_else(|| {
            format!("the answer's first line is no status line: {}", quoted(&head.start))
        })?;
        let length = head.length;
        self.defects.extend(head.defects);
        if (100..200).contains(&status) && status != 101 {
            self.interim.push(Interim { status, fields: head.fields });
            return Ok(length);
        }
        let mut answer = self.final_answer(version, status, reason, head.fields);
        answer.defects.append(&mut self.defects);
        self.answer = Some(answer);
        Ok(length)
    }

    fn final_answer(
        &mut self,
        version: &'static str,
        status: u16,
        reason: Vec<u8>,
        fields: Fields,
    ) -> Answer {
        let tunnel = status == 101 || (self.asked.connect && (200..300).contains(&status));
        let (framing, defects) = framing(self.asked, status, tunnel, &fields);
        let by_version = match version {
            "HTTP/1.1" => !fields.lists("connection", "close"),
            _ => fields.lists("connection", "keep-alive"),
        };
        Answer {
            version,
            status,
            reason,
            interim: std::mem::take(&mut self.interim),
            content: Content::new(framing),
            complete: false,
            defects,
            persistent: by_version && framing != Framing::UntilClose && !tunnel,
            tunnel,
            fields,
        }
    }
}

/// Refuses what cannot become an answer as soon as that is clear: nothing more may come.
fn could_be_http(input: &[u8]) -> Result<(), String> {
    let start = input.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(input.len());
    let begins = input[start..].iter().zip(b"HTTP/1.").all(|(found, wanted)| found == wanted);
    if begins {
        return Ok(());
    }
    Err(format!("the answer is not HTTP/1: {}", quoted(&input[..input.len().min(60)])))
}

/// RFC 9112 §4; the space before an empty reason may be missing.
fn status_line(line: &[u8]) -> Option<(&'static str, u16, Vec<u8>)> {
    let mut parts = line.splitn(3, |b| *b == b' ');
    let version = match parts.next()? {
        b"HTTP/1.0" => "HTTP/1.0",
        b"HTTP/1.1" => "HTTP/1.1",
        _ => return None,
    };
    let code =
        parts.next().filter(|code| code.len() == 3 && code.iter().all(u8::is_ascii_digit))?;
    let status = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (100..=999).contains(&status).then_some(())?;
    Some((version, status, parts.next().unwrap_or_default().to_vec()))
}

/// RFC 9112 §6.3, in its order; what contradicts itself is noted.
fn framing(asked: Asked, status: u16, tunnel: bool, fields: &Fields) -> (Framing, Vec<String>) {
    let mut defects = Vec::new();
    let length = fields.content_length();
    let coded = fields.lines("transfer-encoding").next().is_some();
    if coded && fields.lines("content-length").next().is_some() {
        defects.push("the answer has both Content-Length and Transfer-Encoding".to_owned());
    }
    if let Err(why) = &length {
        defects.push(why.clone());
    }
    let framing = if asked.head || matches!(status, 204 | 304) || tunnel {
        Framing::Empty
    } else if fields.is_chunked() {
        Framing::Chunked
    } else if coded {
        Framing::UntilClose
    } else {
        match length {
            Ok(Some(length)) => Framing::Length(length),
            Ok(None) | Err(_) => Framing::UntilClose,
        }
    };
    (framing, defects)
}
