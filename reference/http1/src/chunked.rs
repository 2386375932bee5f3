//! The chunked transfer coding, decoded piece by piece (RFC 9112 §7.1).

use bytes::{Buf, Bytes, BytesMut};

use crate::field_line::{self, Manner};
use crate::fields::Line;
use crate::lines::{Lines, TooLarge};
use crate::{Error, Fields, Limits};

/// Bytes that one chunk's size line may have.
const SIZE_LINE: usize = 4096;

/// A piece of a decoded body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Some of the data, at least one byte.
    Data(Bytes),
    /// The end, with the trailer fields; what follows in the buffer is the next message.
    End(Fields),
}

/// Decodes one chunked body from a growing buffer. Extensions are ignored, but what they add up to
/// is bounded, like the trailers, by the limits of a head.
#[derive(Debug)]
pub struct ChunkedDecoder {
    limits: Limits,
    manner: Manner,
    state: State,
    extensions: usize,
    lines: Lines,
    trailers: Vec<Line>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// At or in a size line.
    Size,
    /// In data, so many bytes of it left.
    Data(u64),
    /// At the CRLF after data.
    DataEnd,
    /// In the trailer section.
    Trailers,
    Done,
}

impl ChunkedDecoder {
    /// A decoder for a request's body: trailers are read strictly.
    #[must_use]
    pub fn request(limits: Limits) -> Self {
        Self::new(limits, Manner::Strict)
    }

    /// A decoder for a response's body: trailers are read as an origin's field lines are.
    #[must_use]
    pub fn response(limits: Limits) -> Self {
        Self::new(limits, Manner::Tolerant)
    }

    fn new(limits: Limits, manner: Manner) -> Self {
        let (state, lines) = (State::Size, Lines::default());
        Self { limits, manner, state, extensions: 0, lines, trailers: Vec::new() }
    }

    /// Takes the next piece off the front of `buf`; `None` asks for more bytes. After
    /// [`Piece::End`] there is nothing more and the answer stays `None`.
    ///
    /// # Errors
    /// The first rule broken; the connection has to close.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Piece>, Error> {
        loop {
            match self.state {
                State::Size => match self.size(buf)? {
                    None => return Ok(None),
                    Some(0) => self.state = State::Trailers,
                    Some(size) => self.state = State::Data(size),
                },
                State::Data(left) => {
                    if buf.is_empty() {
                        return Ok(None);
                    }
                    let take = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
                    self.state = match left - take as u64 {
                        0 => State::DataEnd,
                        left => State::Data(left),
                    };
                    return Ok(Some(Piece::Data(buf.split_to(take).freeze())));
                }
                State::DataEnd => match buf[..] {
                    [] | [b'\r'] => return Ok(None),
                    [b'\r', b'\n', ..] => {
                        buf.advance(2);
                        self.state = State::Size;
                    }
                    _ => return Err(Error::BadChunkEnd),
                },
                State::Trailers => return self.trailers(buf),
                State::Done => return Ok(None),
            }
        }
    }

    /// Whether the body's end has been read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes a size line off `buf`.
    fn size(&mut self, buf: &mut BytesMut) -> Result<Option<u64>, Error> {
        let limits = Limits { line: SIZE_LINE, head: usize::MAX, fields: 0 };
        let line = self.lines.next(buf, &limits).map_err(|_| Error::ChunkLineTooLong)?;
        let Some(line) = line else {
            return Ok(None);
        };
        if line.bare_lf {
            return Err(Error::BareLf);
        }
        let (size, extension) = chunk_size(&buf[line.content])?;
        self.extensions += extension;
        if self.extensions > self.limits.head {
            return Err(Error::ChunkLineTooLong);
        }
        buf.advance(self.lines.at);
        self.lines = Lines::default();
        Ok(Some(size))
    }

    /// Takes the trailer section off `buf` once all of it is there.
    fn trailers(&mut self, buf: &mut BytesMut) -> Result<Option<Piece>, Error> {
        loop {
            let line = self.lines.next(buf, &self.limits).map_err(|which| match which {
                TooLarge::Line => Error::FieldLineTooLong,
                TooLarge::Head => Error::HeadTooLarge,
            })?;
            let Some(line) = line else {
                return Ok(None);
            };
            if line.bare_lf {
                return Err(Error::BareLf);
            }
            if line.content.is_empty() {
                break;
            }
            if self.trailers.len() == self.limits.fields {
                return Err(Error::TooManyFields);
            }
            if matches!(buf[line.content.start], b' ' | b'\t') {
                return Err(Error::ObsFold);
            }
            self.trailers.push(field_line::parse(buf, line.content, self.manner)?);
        }
        let section = Bytes::copy_from_slice(&buf[..self.lines.at]);
        buf.advance(self.lines.at);
        self.state = State::Done;
        Ok(Some(Piece::End(Fields::parsed(section, std::mem::take(&mut self.trailers)))))
    }
}

/// Size and length of the extensions of a size line. White space may stand only before the `;` of
/// an extension, and nothing but visible characters and white space inside one.
fn chunk_size(line: &[u8]) -> Result<(u64, usize), Error> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extension) = line.split_at(digits);
    if size.is_empty() {
        return Err(Error::BadChunkSize);
    }
    let after_space = crate::grammar::trim_ows(extension);
    if !extension.is_empty() && !after_space.starts_with(b";") {
        return Err(Error::BadChunkSize);
    }
    field_line::check_value(extension, Manner::Strict).map_err(|_| Error::BadChunkSize)?;
    let size = size.iter().try_fold(0u64, |size, &digit| {
        let digit = char::from(digit).to_digit(16).map(u64::from)?;
        size.checked_mul(16)?.checked_add(digit)
    });
    Ok((size.ok_or(Error::ChunkSizeOverflow)?, extension.len()))
}
