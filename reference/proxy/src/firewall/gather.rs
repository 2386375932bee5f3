//! A request's body shown to the rules before anybody else gets it. What is read stays in the
//! connection's buffer, as received: it is sent on from there.

use bytes::BytesMut;
use edgeproof_http1::{BodyLength, ChunkedDecoder, ParsedRequest, Piece};
use edgeproof_waf::BodyVerdict;
use tokio::io::AsyncRead;
use tokio::time::timeout;

use super::Inspection;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::wire::Incoming;

/// How much of a body is in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gathered {
    /// Bytes as received, framing included.
    pub(crate) length: usize,
    /// Whether that is all of it.
    pub(crate) is_whole: bool,
}

impl Gathered {
    pub(crate) const NOTHING: Self = Self { length: 0, is_whole: false };
}

/// Reads the body up to its end, or until the rules have seen enough.
pub(crate) async fn gather<R: AsyncRead + Unpin>(
    request: &ParsedRequest,
    incoming: &mut Incoming<R>,
    limits: &Limits,
    mut see: impl FnMut(&[u8]) -> BodyVerdict,
) -> Result<Gathered, Failure> {
    let mut reader = match request.body {
        BodyLength::Length(length) => Reader::Length(length),
        BodyLength::Chunked => Reader::Chunked {
            decoder: Box::new(ChunkedDecoder::request(limits.of_heads())),
            unread: BytesMut::new(),
        },
        _ => return Ok(Gathered { length: 0, is_whole: true }),
    };
    let (mut length, mut content) = (0, 0);
    loop {
        let fresh = &incoming.buf[length..];
        let step = reader.read(fresh, &mut |part| {
            content += part.len() as u64;
            see(part)
        })?;
        match step {
            Step::End { used } => return Ok(Gathered { length: length + used, is_whole: true }),
            Step::Enough => return Ok(Gathered { length: incoming.buf.len(), is_whole: false }),
            Step::More => length = incoming.buf.len(),
        }
        if content > limits.body {
            return Err(Failure::TooLarge);
        }
        match timeout(limits.client_timeout, incoming.fill()).await {
            Ok(Ok(1..)) => {}
            Ok(_) => return Err(Failure::ClientGone),
            Err(_) => return Err(Failure::ClientTimeout),
        }
    }
}

enum Reader {
    /// Octets that are still to come.
    Length(u64),
    Chunked {
        decoder: Box<ChunkedDecoder>,
        unread: BytesMut,
    },
}

enum Step {
    /// The body is over; so many of the fresh bytes were its own.
    End {
        used: usize,
    },
    Enough,
    More,
}

impl Reader {
    fn read(
        &mut self,
        fresh: &[u8],
        see: &mut dyn FnMut(&[u8]) -> BodyVerdict,
    ) -> Result<Step, Failure> {
        match self {
            Self::Length(left) => {
                let used = usize::try_from(*left).unwrap_or(usize::MAX).min(fresh.len());
                *left -= used as u64;
                if used > 0 && see(&fresh[..used]) != BodyVerdict::Continue {
                    return Ok(Step::Enough);
                }
                Ok(if *left == 0 { Step::End { used } } else { Step::More })
            }
            Self::Chunked { decoder, unread } => {
                unread.extend_from_slice(fresh);
                loop {
                    match decoder.decode(unread).map_err(Failure::ClientBroken)? {
                        Some(Piece::Data(data)) => {
                            if see(&data) != BodyVerdict::Continue {
                                return Ok(Step::Enough);
                            }
                        }
                        Some(Piece::End(_)) => {
                            return Ok(Step::End { used: fresh.len() - unread.len() });
                        }
                        None => return Ok(Step::More),
                    }
                }
            }
        }
    }
}

impl Inspection {
    /// Shows the rules the request's body, if they want it.
    pub(crate) async fn gather<R: AsyncRead + Unpin>(
        &mut self,
        request: &ParsedRequest,
        incoming: &mut Incoming<R>,
        limits: &Limits,
    ) -> Result<Gathered, Failure> {
        if !self.wants_body() {
            return Ok(Gathered::NOTHING);
        }
        if let BodyLength::Length(length) = request.body
            && self.announce(length) != BodyVerdict::Continue
        {
            return Ok(Gathered::NOTHING);
        }
        gather(request, incoming, limits, |part| self.body(part)).await
    }
}
