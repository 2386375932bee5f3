//! The content of a message, taken from the wire as its framing says (RFC 9112 §6, §7).

use super::head::{Field, Fields, trim_whitespace};

/// How the end of the content is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// So many octets.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Everything until the connection ends.
    UntilClose,
}

/// More than this is counted but not kept.
const MOST_KEPT: usize = 32 * 1024 * 1024;
const LONGEST_LINE: usize = 64 * 1024;

/// Content read so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    /// The octets, up to a bound.
    pub(crate) bytes: Vec<u8>,
    /// How many there were.
    pub(crate) size: u64,
    /// The trailer section.
    pub(crate) trailers: Fields,
    /// What broke the framing.
    pub(crate) defect: Option<String>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    UntilClose,
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    Done,
    Broken,
}

impl Content {
    pub(crate) fn new(framing: Framing) -> Self {
        let state = match framing {
            Framing::Empty | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
            Framing::UntilClose => State::UntilClose,
        };
        Self { bytes: Vec::new(), size: 0, trailers: Fields::default(), defect: None, state }
    }

    /// Takes what belongs to the content from the front of `input`: how many octets. When nothing can be
    /// taken, more input is needed, or the content has ended or is broken.
    pub(crate) fn take(&mut self, input: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(step) = self.step(&input[taken..]) {
            taken += step;
        }
        taken
    }

    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// The connection has ended: is the content whole?
    pub(crate) fn is_whole_at_end(&self) -> bool {
        matches!(self.state, State::Done | State::UntilClose)
    }

    /// One move on; `None` when there is none to make.
    fn step(&mut self, input: &[u8]) -> Option<usize> {
        match self.state {
            State::Done | State::Broken => None,
            State::UntilClose => self.keep(input, u64::MAX).map(|(taken, _)| taken),
            State::Length(left) => {
                let (taken, left) = self.keep(input, left)?;
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                Some(taken)
            }
            State::ChunkData(left) => {
                let (taken, left) = self.keep(input, left)?;
                self.state = if left == 0 { State::ChunkEnd } else { State::ChunkData(left) };
                Some(taken)
            }
            State::ChunkSize => self.line(input, Self::chunk_size),
            State::ChunkEnd => self.line(input, Self::chunk_end),
            State::Trailers => self.line(input, Self::trailer),
        }
    }

    fn keep(&mut self, input: &[u8], left: u64) -> Option<(usize, u64)> {
        if input.is_empty() {
            return None;
        }
        let size = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let room = MOST_KEPT.saturating_sub(self.bytes.len()).min(size);
        self.bytes.extend_from_slice(&input[..room]);
        self.size += size as u64;
        Some((size, left - size as u64))
    }

    fn line(&mut self, input: &[u8], read: fn(&mut Self, &[u8])) -> Option<usize> {
        let Some(end) = input.iter().position(|b| *b == b'\n') else {
            if input.len() > LONGEST_LINE {
                self.break_off("a line of the chunked coding has no end");
            }
            return None;
        };
        match input[..end].strip_suffix(b"\r") {
            Some(line) => read(self, line),
            None => self.break_off("a line of the chunked coding ends in a bare LF"),
        }
        Some(end + 1)
    }

    fn chunk_size(&mut self, line: &[u8]) {
        let digits = line.split(|b| *b == b';').next().unwrap_or_default();
        let digits = digits.trim_ascii_end();
        let number = std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'));
        match number.and_then(|text| u64::from_str_radix(text, 16).ok()) {
            Some(0) => self.state = State::Trailers,
            Some(size) => self.state = State::ChunkData(size),
            None => {
                let shown = crate::visible::quoted(line);
                self.break_off(&format!("a chunk's size cannot be read: {shown}"));
            }
        }
    }

    fn chunk_end(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.state = State::ChunkSize;
        } else {
            let shown = crate::visible::quoted(line);
            self.break_off(&format!("a chunk is longer than its size: {shown}"));
        }
    }

    fn trailer(&mut self, line: &[u8]) {
        if line.is_empty() {
            self.state = State::Done;
            return;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            self.break_off(&format!(
                "a trailer line has no colon: {}",
                crate::visible::quoted(line)
            ));
            return;
        };
        let name = String::from_utf8_lossy(&line[..colon]).into_owned();
        self.trailers.0.push(Field { name, value: trim_whitespace(&line[colon + 1..]).to_vec() });
    }

    fn break_off(&mut self, defect: &str) {
        self.defect = Some(defect.to_owned());
        self.state = State::Broken;
    }
}
