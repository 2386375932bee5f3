//! What holds for any input: reading undoes writing, and cuts between reads change nothing.

use bytes::{BufMut, BytesMut};
use edgeproof_http1::*;
use proptest::prelude::*;

fn fields() -> impl Strategy<Value = Fields> {
    let value = "[!-~]([ -~\t\u{80}-\u{ff}]{0,20}[!-~])?|";
    proptest::collection::vec(("x-[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}", value), 0..8)
        .prop_map(|lines| lines.into_iter().collect())
}

/// Texts near enough to a message to get past the first byte.
fn near_message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("GET / HTTP/1.1\r\n".to_owned()),
        Just("HTTP/1.1 200 OK\r\n".to_owned()),
        Just("Host: a\r\n".to_owned()),
        Just("Content-Length: 3\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("3\r\nabc\r\n".to_owned()),
        Just("0\r\n\r\n".to_owned()),
        "[ \t\r\n\0:a0;-]{0,6}",
        "[a-z]{1,9}: [ -~]{0,60}(\r\n|\n)",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Feeds `text` in parts cut at `cuts`, reading after each; gives all that came out.
fn in_parts<T: PartialEq + std::fmt::Debug, E>(
    text: &[u8],
    cuts: &[usize],
    mut read: impl FnMut(&mut BytesMut) -> Result<Option<T>, E>,
) -> (Vec<T>, Option<E>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
    cuts.push(text.len());
    cuts.sort_unstable();
    let (mut buf, mut fed, mut out) = (BytesMut::new(), 0, Vec::new());
    for cut in cuts {
        buf.put_slice(&text[fed..cut]);
        fed = cut;
        loop {
            match read(&mut buf) {
                Ok(None) => break,
                Ok(Some(item)) => out.push(item),
                Err(error) => return (out, Some(error)),
            }
        }
    }
    (out, None)
}

fn data_of(pieces: &[Piece]) -> (Vec<u8>, Vec<&Fields>) {
    let (mut data, mut ends) = (Vec::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Data(bytes) => data.extend_from_slice(bytes),
            Piece::End(trailers) => ends.push(trailers),
        }
    }
    (data, ends)
}

const SMALL: Limits = Limits { line: 40, head: 120, fields: 4 };

proptest! {
    #[test]
    fn a_request_written_is_the_request_read(
        fields in fields(), method in "[A-Z]{1,10}", path in "/[!\"$-~]{0,30}", new in any::<bool>()
    ) {
        prop_assume!(method != "CONNECT");
        let mut all: Fields = [("Host", "a.test")].into_iter().collect();
        all.extend(fields.iter());
        let version = if new { Version::Http11 } else { Version::Http10 };
        let head = RequestHead { method: method.into(), target: path.into(), version, fields: all };
        let mut buf = BytesMut::new();
        put_request_head(&mut buf, &head);
        let read = RequestParser::new(Limits::default()).parse(&mut buf).unwrap().unwrap();
        prop_assert_eq!(read.head, head);
        prop_assert!(buf.is_empty());
    }

    #[test]
    fn a_response_written_is_the_response_read(
        fields in fields(), status in 100u16..1000, reason in "[ -~]{0,20}"
    ) {
        let head = ResponseHead { version: Version::Http11, status, reason: reason.into(), fields };
        let mut buf = BytesMut::new();
        put_response_head(&mut buf, &head);
        let mut parser = ResponseParser::new(Limits::default(), "GET".into());
        prop_assert_eq!(parser.parse(&mut buf).unwrap().unwrap().head, head);
    }

    #[test]
    fn what_was_encoded_is_decoded(
        chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..8),
        trailers in fields(), cuts in proptest::collection::vec(any::<usize>(), 0..5)
    ) {
        let mut text = Vec::new();
        for chunk in &chunks {
            text.extend_from_slice(chunk_start(chunk.len()).as_ref());
            text.extend_from_slice(chunk);
            text.extend_from_slice(CHUNK_END);
        }
        put_last_chunk(&mut text, &trailers);
        let mut decoder = ChunkedDecoder::request(Limits::default());
        let (pieces, error) = in_parts(&text, &cuts, |buf| decoder.decode(buf));
        prop_assert_eq!(error, None);
        prop_assert_eq!(data_of(&pieces), (chunks.concat(), vec![&trailers]));
    }

    #[test]
    fn cuts_change_nothing_for_requests(
        text in near_message(), cuts in proptest::collection::vec(any::<usize>(), 0..6)
    ) {
        let read = |cuts: &[usize]| {
            let mut parser = RequestParser::new(SMALL);
            let (heads, error) = in_parts(&text, cuts, |buf| parser.parse(buf));
            (heads, error.map(|refused| (refused.error, refused.fields)))
        };
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(read(&cuts), read(&[]));
        prop_assert_eq!(read(&every), read(&[]));
    }

    #[test]
    fn cuts_change_nothing_for_responses(
        text in near_message(), cuts in proptest::collection::vec(any::<usize>(), 0..6)
    ) {
        let text = [&b"HTTP/1.1 200 OK\r\n"[..], &text].concat();
        let read = |cuts: &[usize]| {
            let mut parser = ResponseParser::new(SMALL, "GET".into());
            let (heads, error) = in_parts(&text, cuts, |buf| parser.parse(buf));
            (heads, error.map(|refused| (refused.error, refused.fields)))
        };
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(read(&cuts), read(&[]));
        prop_assert_eq!(read(&every), read(&[]));
    }

    #[test]
    fn cuts_change_nothing_for_chunks(
        text in near_message(), cuts in proptest::collection::vec(any::<usize>(), 0..6)
    ) {
        let text = [&b"3\r\nabc\r\n"[..], &text].concat();
        let read = |cuts: &[usize]| {
            let mut decoder = ChunkedDecoder::request(SMALL);
            let (pieces, error) = in_parts(&text, cuts, |buf| decoder.decode(buf));
            let (data, ends) = data_of(&pieces);
            (data, format!("{ends:?}"), error)
        };
        let every: Vec<usize> = (0..text.len()).collect();
        prop_assert_eq!(read(&cuts), read(&[]));
        prop_assert_eq!(read(&every), read(&[]));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut requests = RequestParser::new(SMALL);
        in_parts(&text, &[], |buf| requests.parse(buf));
        let mut responses = ResponseParser::new(SMALL, "GET".into());
        in_parts(&text, &[], |buf| responses.parse(buf));
        let mut chunks = ChunkedDecoder::response(SMALL);
        in_parts(&text, &[], |buf| chunks.decode(buf));
    }
}
