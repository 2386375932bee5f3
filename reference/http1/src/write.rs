//! Heads and chunks as bytes.

use bytes::BufMut;

use crate::{Fields, RequestHead, ResponseHead, Version};

/// Puts the request line, the field lines and the empty line. The head is written as it is: what
/// it says about the body's length is the caller's business.
pub fn put_request_head(out: &mut impl BufMut, head: &RequestHead) {
    put_request_line(out, head);
    out.put_slice(b"\r\n");
    put_fields(out, &head.fields);
    out.put_slice(b"\r\n");
}

/// Puts method, target and version with a space between them, without the line's end.
pub fn put_request_line(out: &mut impl BufMut, head: &RequestHead) {
    out.put_slice(&head.method);
    out.put_u8(b' ');
    out.put_slice(&head.target);
    out.put_u8(b' ');
    out.put_slice(head.version.as_str().as_bytes());
}

/// Puts the status line, the field lines and the empty line, always as HTTP/1.1 unless the head
/// says 1.0.
pub fn put_response_head(out: &mut impl BufMut, head: &ResponseHead) {
    put_status_line(out, head.version, head.status, &head.reason);
    put_fields(out, &head.fields);
    out.put_slice(b"\r\n");
}

/// Puts the first line of a response.
pub fn put_status_line(out: &mut impl BufMut, version: Version, status: u16, reason: &[u8]) {
    let digit = |divisor: u16| b'0' + u8::try_from(status / divisor % 10).unwrap_or(0);
    out.put_slice(version.as_str().as_bytes());
    out.put_slice(&[b' ', digit(100), digit(10), digit(1), b' ']);
    out.put_slice(reason);
    out.put_slice(b"\r\n");
}

/// Puts one line per field, without the empty line that ends a head.
pub fn put_fields(out: &mut impl BufMut, fields: &Fields) {
    for (name, value) in fields.iter() {
        out.put_slice(name);
        out.put_slice(b": ");
        out.put_slice(value);
        out.put_slice(b"\r\n");
    }
}

/// The size line of a chunk: up to 16 hexadecimal digits and CRLF.
#[derive(Debug, Clone, Copy)]
pub struct ChunkStart {
    bytes: [u8; 18],
    len: u8,
}

impl AsRef<[u8]> for ChunkStart {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[18 - usize::from(self.len)..]
    }
}

/// The size line of a chunk of `size` bytes. The data follows, then [`CHUNK_END`].
///
/// # Panics
/// If `size` is 0: that would end the body ([`put_last_chunk`] does).
#[must_use]
pub fn chunk_start(size: usize) -> ChunkStart {
    assert!(size > 0, "a chunk of no bytes would end the body");
    let mut bytes = [b'\n'; 18];
    bytes[16] = b'\r';
    let (mut at, mut left) = (16, size);
    while left > 0 {
        at -= 1;
        bytes[at] = b"0123456789abcdef"[left & 15];
        left >>= 4;
    }
    ChunkStart { bytes, len: u8::try_from(18 - at).unwrap_or(18) }
}

/// What follows a chunk's data.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Puts the last chunk, the trailer section and the empty line.
pub fn put_last_chunk(out: &mut impl BufMut, trailers: &Fields) {
    out.put_slice(b"0\r\n");
    put_fields(out, trailers);
    out.put_slice(b"\r\n");
}
