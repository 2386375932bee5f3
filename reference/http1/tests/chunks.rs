//! The chunked coding: what ends it, and which rule a broken one broke.

use bytes::BytesMut;
use edgeproof_http1::{ChunkedDecoder, Error, Fields, Limits, Piece, chunk_start, put_last_chunk};

type Decoded = (Vec<u8>, Option<Fields>, Vec<u8>);

/// Data, trailers once the end came, and what is left in the buffer.
fn decode(text: &[u8]) -> Result<Decoded, Error> {
    let (mut decoder, mut buf) = (ChunkedDecoder::request(Limits::default()), BytesMut::from(text));
    let (mut data, mut end) = (Vec::new(), None);
    while let Some(piece) = decoder.decode(&mut buf)? {
        match piece {
            Piece::Data(bytes) => data.extend_from_slice(&bytes),
            Piece::End(trailers) => end = Some(trailers),
        }
    }
    assert_eq!(decoder.is_done(), end.is_some());
    Ok((data, end, buf.to_vec()))
}

#[test]
fn data_extensions_and_trailers() {
    let text = b"5\r\nhello\r\n00A;a=\"b;c\" ; d\r\n0123456789\r\n0\r\nX: y\r\nX: z\r\n\r\nGET";
    let (data, trailers, rest) = decode(text).unwrap();
    assert_eq!((&data[..], &rest[..]), (&b"hello0123456789"[..], &b"GET"[..]));
    insta::assert_compact_debug_snapshot!(trailers.unwrap(), @"[X: y, X: z]");
}

#[test]
fn an_unfinished_body_is_not_over() {
    for text in
        ["", "5", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "0\r\n", "0\r\n\r", "0\r\nX: y\r\n"]
    {
        assert_eq!(decode(text.as_bytes()).unwrap().1, None, "{text:?}");
    }
}

#[test]
fn every_refusal_names_its_rule() {
    let long = format!("1;{}\r\n", "x".repeat(5000));
    let many = format!("1;{}\r\na\r\n", "x".repeat(4000)).repeat(10);
    let cases = [
        ("\r\n", Error::BadChunkSize),
        ("x\r\n", Error::BadChunkSize),
        ("0x5\r\n", Error::BadChunkSize),
        ("-1\r\n", Error::BadChunkSize),
        ("+1\r\n", Error::BadChunkSize),
        (" 5\r\n", Error::BadChunkSize),
        ("5 \r\n", Error::BadChunkSize),
        ("5 5\r\n", Error::BadChunkSize),
        ("5;a\rb\r\n", Error::BadChunkSize),
        ("5;a\0b\r\n", Error::BadChunkSize),
        ("5\n", Error::BareLf),
        ("5\r\nhello\n", Error::BadChunkEnd),
        ("5\r\nhello0\r\n", Error::BadChunkEnd),
        ("5\r\nhello\rx", Error::BadChunkEnd),
        ("10000000000000000\r\n", Error::ChunkSizeOverflow),
        (&long, Error::ChunkLineTooLong),
        (&many, Error::ChunkLineTooLong),
        ("0\r\nX: y\n", Error::BareLf),
        ("0\r\nX : y\r\n", Error::SpaceBeforeColon),
        ("0\r\nX: y\r\n z\r\n", Error::ObsFold),
        ("0\r\nX\r\n", Error::NoColon),
    ];
    for (text, rule) in cases {
        assert_eq!(decode(text.as_bytes()), Err(rule), "{text:?}");
    }
}

#[test]
fn trailers_have_the_limits_of_a_head() {
    let limits = Limits { line: 10, head: 20, fields: 1 };
    let broken = |text: &str| ChunkedDecoder::request(limits).decode(&mut BytesMut::from(text));
    assert_eq!(broken("0\r\nX: 34567890a"), Err(Error::FieldLineTooLong));
    assert_eq!(broken("0\r\nX:\r\nY:\r\n"), Err(Error::TooManyFields));
    assert_eq!(broken("0\r\nX: 34567\r\nY: 34567\r\n"), Err(Error::TooManyFields));
}

#[test]
fn encoded_bytes() {
    assert_eq!(chunk_start(255).as_ref(), b"ff\r\n");
    assert_eq!(chunk_start(usize::MAX).as_ref(), b"ffffffffffffffff\r\n");
    let mut out = Vec::new();
    put_last_chunk(&mut out, &[("X", "y")].into_iter().collect());
    assert_eq!(out, b"0\r\nX: y\r\n\r\n");
}
