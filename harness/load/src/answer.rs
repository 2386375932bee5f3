//! Just enough of an HTTP/1.1 answer to know where it ends (RFC 9112 §6.3), fed piece by piece.

use std::mem::MaybeUninit;

use crate::connection::Broken;

/// How far reading an answer has come.
#[derive(Debug)]
pub(crate) struct AnswerReader {
    head_request: bool,
    state: State,
    status: u16,
    keep_alive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    Trailers,
    Done,
}

const MOST_FIELDS: usize = 128;

impl AnswerReader {
    pub(crate) fn new(head_request: bool) -> Self {
        Self { head_request, state: State::Head, status: 0, keep_alive: false }
    }

    /// Takes what it can from the front of `input`; how many octets that was. Zero asks for more.
    pub(crate) fn take(&mut self, input: &[u8]) -> Result<usize, Broken> {
        let mut taken = 0;
        loop {
            let rest = &input[taken..];
            let step = match self.state {
                State::Done => 0,
                State::Head => self.head(rest)?,
                State::UntilClose => rest.len(),
                State::Length(left) => self.content(rest, left, State::Length),
                State::ChunkData(left) => self.content(rest, left, State::ChunkData),
                State::ChunkSize => self.chunk_size(rest)?,
                State::Trailers => self.trailer(rest)?,
            };
            taken += step;
            if step == 0 || self.state == State::Done {
                return Ok(taken);
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Is the answer whole if the connection ends here?
    pub(crate) fn is_done_at_eof(&self) -> bool {
        matches!(self.state, State::Done | State::UntilClose)
    }

    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// May the connection carry another request (RFC 9112 §9.3)?
    pub(crate) fn keeps_alive(&self) -> bool {
        self.keep_alive && self.state == State::Done
    }

    fn head(&mut self, input: &[u8]) -> Result<usize, Broken> {
        // Not cleared for every answer: four kilobytes of nothing.
        let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut head = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut head,
            input,
            &mut fields,
        );
        let length = match parsed {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(0),
            Err(_) => return Err(Broken::Malformed),
        };
        self.status = head.code.ok_or(Broken::Malformed)?;
        self.keep_alive = head.version == Some(1);
        if (100..200).contains(&self.status) {
            return Ok(length);
        }
        self.state = self.framing(head.headers)?;
        Ok(length)
    }

    fn framing(&mut self, fields: &[httparse::Header<'_>]) -> Result<State, Broken> {
        let mut length = None;
        let mut chunked = false;
        for field in fields {
            let value = field.value.trim_ascii();
            if field.name.eq_ignore_ascii_case("content-length") {
                let stated = decimal(value).ok_or(Broken::Malformed)?;
                // RFC 9112 §6.3: where two differ, nobody knows where the answer ends.
                if length.is_some_and(|other| other != stated) {
                    return Err(Broken::Lengths);
                }
                length = Some(stated);
            } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = last_token_is(value, b"chunked");
            } else if field.name.eq_ignore_ascii_case("connection") {
                if has_token(value, b"close") {
                    self.keep_alive = false;
                } else if has_token(value, b"keep-alive") {
                    self.keep_alive = true;
                }
            }
        }
        Ok(match (chunked, length) {
            _ if self.head_request || matches!(self.status, 204 | 304) => State::Done,
            (true, _) => State::ChunkSize,
            (false, Some(0)) => State::Done,
            (false, Some(length)) => State::Length(length),
            (false, None) => State::UntilClose,
        })
    }

    fn content(&mut self, input: &[u8], left: u64, again: fn(u64) -> State) -> usize {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        self.state = match (left - size as u64, self.state) {
            (0, State::ChunkData(_)) => State::ChunkSize,
            (0, _) => State::Done,
            (left, _) => again(left),
        };
        size
    }

    fn chunk_size(&mut self, input: &[u8]) -> Result<usize, Broken> {
        match httparse::parse_chunk_size(input) {
            Ok(httparse::Status::Complete((length, 0))) => {
                self.state = State::Trailers;
                Ok(length)
            }
            Ok(httparse::Status::Complete((length, size))) => {
                // The data's own line end is counted with it.
                self.state = State::ChunkData(size.checked_add(2).ok_or(Broken::Malformed)?);
                Ok(length)
            }
            Ok(httparse::Status::Partial) => Ok(0),
            Err(_) => Err(Broken::Malformed),
        }
    }

    fn trailer(&mut self, input: &[u8]) -> Result<usize, Broken> {
        let Some(end) = input.iter().position(|b| *b == b'\n') else {
            return if input.len() > 16 * 1024 { Err(Broken::Malformed) } else { Ok(0) };
        };
        if input[..end].trim_ascii().is_empty() {
            self.state = State::Done;
        }
        Ok(end + 1)
    }
}

fn has_token(list: &[u8], token: &[u8]) -> bool {
    list.split(|b| *b == b',').any(|found| found.trim_ascii().eq_ignore_ascii_case(token))
}

fn last_token_is(list: &[u8], token: &[u8]) -> bool {
    let last = list.rsplit(|b| *b == b',').next();
    last.is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(token))
}

fn decimal(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads `wire` in pieces of `piece` octets, as a socket would give it.
    fn read(wire: &[u8], head: bool, piece: usize) -> Result<(bool, usize, u16, bool), Broken> {
        let mut reader = AnswerReader::new(head);
        let (mut buffer, mut used) = (Vec::new(), 0);
        for part in wire.chunks(piece.max(1)) {
            if reader.is_done() {
                break;
            }
            buffer.extend_from_slice(part);
            let taken = reader.take(&buffer)?;
            used += taken;
            buffer.drain(..taken);
        }
        Ok((reader.is_done_at_eof(), used, reader.status(), reader.keeps_alive()))
    }

    #[test]
    fn an_answer_ends_where_its_framing_says() {
        let cases: [(&[u8], bool, bool); 7] = [
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none", false, true),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", true, true),
            (b"HTTP/1.1 204 No Content\r\n\r\n", false, true),
            (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n", false, true),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nt: v\r\n\r\n",
                false,
                true,
            ),
            (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", false, false),
            (b"HTTP/1.0 200 OK\r\n\r\nuntil close", false, false),
        ];
        for (wire, head, keeps) in cases {
            for piece in 1..=wire.len() {
                let (done, used, _, keep_alive) = read(wire, head, piece).unwrap();
                assert!(done && used == wire.len(), "{}", String::from_utf8_lossy(wire));
                assert_eq!(keep_alive, keeps, "{}", String::from_utf8_lossy(wire));
            }
        }
    }

    #[test]
    fn an_answer_cut_short_is_not_done() {
        for wire in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\none"[..],
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
            b"HTTP/1.1 200",
        ] {
            assert!(!read(wire, false, 5).unwrap().0);
        }
        assert_eq!(read(b"SSH-2.0-OpenSSH_10.0\r\n", false, 4), Err(Broken::Malformed));
    }

    #[test]
    fn two_lengths_that_differ_are_no_framing() {
        let wire = |other| {
            format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: {other}\r\n\r\none")
        };
        assert!(read(wire(3).as_bytes(), false, 7).unwrap().0);
        assert_eq!(read(wire(4).as_bytes(), false, 7), Err(Broken::Lengths));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer_or_an_error(wire: Vec<u8>, piece in 1usize..20) {
            if let Ok((_, used, ..)) = read(&wire, false, piece) {
                prop_assert!(used <= wire.len());
            }
        }
    }
}
