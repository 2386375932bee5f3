//! Whatever an application sends, in whatever pieces, is read the same.

use bytes::BytesMut;
use edgeproof_fastcgi::{Answer, Outcome, RecordReader};
use proptest::prelude::*;

const OUTPUT: u8 = 6;
const ERROR: u8 = 7;

fn record(kind: u8, content: &[u8], padding: u8) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short record").to_be_bytes();
    let header = [1, kind, 0, 1, length[0], length[1], padding, 0];
    [&header[..], content, &vec![0xaa; padding.into()]].concat()
}

/// What comes out of bytes that arrive in such pieces: standard output, standard error, the end.
fn read(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<u8>, Option<(u32, Outcome)>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let (mut reader, mut buf) = (RecordReader::default(), BytesMut::new());
    let (mut output, mut error, mut end) = (Vec::new(), Vec::new(), None);
    for piece in cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]) {
        buf.extend_from_slice(piece);
        while let Some(answer) = reader.next(&mut buf).expect("records") {
            match answer {
                Answer::Output(part) => output.extend_from_slice(&part),
                Answer::Error(part) => error.extend_from_slice(&part),
                Answer::End { status, outcome } => end = Some((status, outcome)),
            }
        }
    }
    (output, error, end)
}

proptest! {
    #[test]
    fn records_are_read_in_any_pieces(
        parts in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300), any::<u8>()), 0..6),
        status: u32, cuts in proptest::collection::vec(any::<usize>(), 0..8)
    ) {
        let (mut bytes, mut output, mut error) = (Vec::new(), Vec::new(), Vec::new());
        for (is_error, content, padding) in &parts {
            let (kind, to) = if *is_error { (ERROR, &mut error) } else { (OUTPUT, &mut output) };
            bytes.extend(record(kind, content, *padding));
            to.extend_from_slice(content);
        }
        bytes.extend(record(3, &[&status.to_be_bytes()[..], &[0; 4]].concat(), 0));
        prop_assert_eq!(read(&bytes, &cuts), (output, error, Some((status, Outcome::Complete))));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (mut reader, mut buf) = (RecordReader::default(), BytesMut::from(&bytes[..]));
        while let Ok(Some(_)) = reader.next(&mut buf) {}
    }
}
