//! The rules that a message can break, each with its section and the status that answers it.

use bytes::Bytes;

use crate::Fields;

/// The rule that a message broke. As for a response, the answer to the client is always 502.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant is its documentation")]
pub enum Error {
    #[error("the request begins with white space")]
    LeadingWhitespace,
    #[error("the request line is not `method SP target SP version`")]
    BadRequestLine,
    #[error("the method is not a token")]
    BadMethod,
    #[error("the target is none of the four forms, or has a byte that no URI has")]
    BadTarget,
    #[error("the version is not `HTTP/` digit `.` digit")]
    BadVersion,
    #[error("the major version is not 1")]
    UnsupportedVersion,
    #[error("the request line is too long")]
    RequestLineTooLong,
    #[error("a field line is too long")]
    FieldLineTooLong,
    #[error("the head or the trailer section is too large")]
    HeadTooLarge,
    #[error("there are too many field lines")]
    TooManyFields,
    #[error("a line ends in LF without CR")]
    BareLf,
    #[error("a CR is not followed by LF")]
    BareCr,
    #[error("a field value has a NUL or another control character")]
    ControlInValue,
    #[error("white space between the start line and the first field line")]
    WhitespaceBeforeFields,
    #[error("a field line is folded (obs-fold)")]
    ObsFold,
    #[error("white space between a field's name and its colon")]
    SpaceBeforeColon,
    #[error("a field line has no colon")]
    NoColon,
    #[error("a field name is not a token")]
    BadFieldName,
    #[error("an HTTP/1.1 request without Host")]
    NoHost,
    #[error("more than one Host")]
    SeveralHosts,
    #[error("Host is not `uri-host [\":\" port]`")]
    BadHost,
    #[error("both Content-Length and Transfer-Encoding")]
    BothLengths,
    #[error("more than one Content-Length")]
    SeveralContentLengths,
    #[error("Content-Length is not a decimal number")]
    BadContentLength,
    #[error("Transfer-Encoding in an HTTP/1.0 message")]
    TransferEncodingInHttp10,
    #[error("a transfer coding that is not understood")]
    UnknownTransferCoding,
    #[error("chunked is not the final transfer coding")]
    ChunkedNotFinal,
    #[error("chunked is applied more than once")]
    ChunkedTwice,
    #[error("a chunk's size is not a hexadecimal number followed by CRLF or an extension")]
    BadChunkSize,
    #[error("a chunk's size is too large to count")]
    ChunkSizeOverflow,
    #[error("a chunk's extensions are too long")]
    ChunkLineTooLong,
    #[error("a chunk's data does not end in CRLF")]
    BadChunkEnd,
    #[error("the head did not become whole")]
    Incomplete,
    #[error("the status line is not `version SP 3 digits SP reason`")]
    BadStatusLine,
}

impl Error {
    /// The section that states the rule.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::LeadingWhitespace
            | Self::BareLf
            | Self::BareCr
            | Self::WhitespaceBeforeFields => "RFC 9112 §2.2",
            Self::BadVersion => "RFC 9112 §2.3",
            Self::BadRequestLine | Self::RequestLineTooLong => "RFC 9112 §3",
            Self::BadMethod => "RFC 9112 §3.1",
            Self::BadTarget | Self::NoHost | Self::SeveralHosts | Self::BadHost => "RFC 9112 §3.2",
            Self::BadStatusLine => "RFC 9112 §4",
            Self::Incomplete => "RFC 9112 §8",
            Self::NoColon => "RFC 9112 §5",
            Self::SpaceBeforeColon | Self::BadFieldName => "RFC 9112 §5.1",
            Self::ObsFold => "RFC 9112 §5.2",
            Self::TransferEncodingInHttp10 | Self::UnknownTransferCoding | Self::ChunkedTwice => {
                "RFC 9112 §6.1"
            }
            Self::SeveralContentLengths
            | Self::BadContentLength
            | Self::BothLengths
            | Self::ChunkedNotFinal => "RFC 9112 §6.3",
            Self::BadChunkSize | Self::ChunkSizeOverflow | Self::BadChunkEnd => "RFC 9112 §7.1",
            Self::ChunkLineTooLong => "RFC 9112 §7.1.1",
            Self::FieldLineTooLong | Self::HeadTooLarge | Self::TooManyFields => "RFC 6585 §5",
            Self::ControlInValue => "RFC 9110 §5.5",
            Self::UnsupportedVersion => "RFC 9110 §15.6.6",
        }
    }

    /// The status that answers a request that broke the rule: 400, 414, 431, 501 or 505.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::RequestLineTooLong => 414,
            Self::FieldLineTooLong | Self::HeadTooLarge | Self::TooManyFields => 431,
            Self::UnknownTransferCoding => 501,
            Self::UnsupportedVersion => 505,
            _ => 400,
        }
    }
}

/// A message that cannot be read, with what of it could: even a refused request gets its line in
/// the access log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error} ({})", error.section())]
pub struct Refused {
    /// The rule broken.
    pub error: Error,
    /// The start line as received, without its line end; cut where the limits cut it.
    pub line: Bytes,
    /// The field lines read before the mistake.
    pub fields: Box<Fields>,
}

impl Refused {
    /// The method of a refused request, as far as the line has one: up to the first space.
    #[must_use]
    pub fn method(&self) -> Option<&[u8]> {
        let end = memchr::memchr(b' ', &self.line).unwrap_or(self.line.len());
        (end > 0).then(|| &self.line[..end])
    }

    /// The target of a refused request: between the first space and the version or the end.
    #[must_use]
    pub fn target(&self) -> Option<&[u8]> {
        let start = memchr::memchr(b' ', &self.line)? + 1;
        let end = match self.version() {
            Some(version) => self.line.len() - version.len() - 1,
            None => self.line.len(),
        };
        (start < end).then(|| &self.line[start..end])
    }

    /// The version of a refused request: what follows the last space, if it begins with `HTTP/`.
    #[must_use]
    pub fn version(&self) -> Option<&[u8]> {
        let last = memchr::memrchr(b' ', &self.line)? + 1;
        self.line[last..].starts_with(b"HTTP/").then(|| &self.line[last..])
    }
}
