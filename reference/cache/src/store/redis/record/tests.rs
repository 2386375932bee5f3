use proptest::prelude::*;

use super::reading::Unreadable;
use super::writing::encode;
use super::*;
use crate::Moment;
use crate::content::Content;
use crate::freshness::{Lifetime, Source};
use crate::store::redis::history::History;
use crate::store::redis::link::{Change, What};
use bytes::Bytes;
use edgeproof_http1::Fields;
use xxhash_rust::xxh3::xxh3_128;

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0x20u8..=0xff, 0..40)
}

fn fields() -> impl Strategy<Value = Fields> {
    let value = text().prop_map(|text| text.trim_ascii().to_vec());
    prop::collection::vec(("[A-Za-z-]{1,20}", value), 0..6)
        .prop_map(|lines| lines.into_iter().collect())
}

fn selecting() -> impl Strategy<Value = Selecting> {
    let value = prop::option::of((prop::option::of(text()), text()));
    prop::collection::vec((text(), value), 0..4).prop_map(|entries| {
        let borrowed = entries.iter().map(|(name, value)| {
            let value = value.as_ref().map(|(line, normal)| (line.as_deref(), &normal[..]));
            (&name[..], value)
        });
        Selecting::from_entries(borrowed.collect())
    })
}

/// Whole, or up to two pieces of something longer.
fn content() -> impl Strategy<Value = Content> {
    let octets = || prop::collection::vec(any::<u8>(), 1..60).prop_map(Bytes::from);
    let piece = (0u64..50, octets());
    let pieces = (piece.clone(), piece, any::<bool>());
    let partial = pieces.prop_map(|((gap, first), (between, second), known)| {
        let next = gap + first.len() as u64 + between + 1;
        let length = known.then(|| next + second.len() as u64 + 1);
        Content::of_pieces(length, vec![(gap, first), (next, second)]).expect("in order")
    });
    prop_oneof![octets().prop_map(Content::Whole), Just(Content::Whole(Bytes::new())), partial]
}

fn plain() -> Parts {
    Parts {
        status: 200,
        fields: Fields::new(),
        content: Content::Whole(Bytes::new()),
        trailers: Fields::new(),
        selecting: Selecting::default(),
        response_time: Moment::from_second(0),
        initial_age: 0,
        date: 0,
        last_modified: None,
        lifetime: Lifetime { seconds: DeltaSeconds::ZERO, source: Source::Nothing },
        always_validated: false,
        never_stale: false,
        outdated: false,
        stale_while_revalidate: None,
        stale_if_error: None,
    }
}

fn seconds() -> impl Strategy<Value = DeltaSeconds> {
    any::<i64>().prop_map(DeltaSeconds::saturating)
}

prop_compose! {
    fn parts()(
        status in 200u16..600,
        fields in fields(),
        trailers in fields(),
        selecting in selecting(),
        content in content(),
        numbers in any::<[i64; 3]>(),
        last_modified in any::<Option<i64>>(),
        flags in any::<[bool; 3]>(),
        lifetime in seconds(),
        source in prop::sample::select(vec![
            Source::Explicit, Source::Site, Source::Heuristic, Source::Nothing,
        ]),
        windows in (prop::option::of(seconds()), prop::option::of(seconds())),
    ) -> Parts {
        let [response_time, initial_age, date] = numbers;
        let [always_validated, never_stale, outdated] = flags;
        Parts {
            status, fields, content, trailers, selecting, initial_age, date, last_modified,
            response_time: Moment::from_millisecond(response_time),
            lifetime: Lifetime { seconds: lifetime, source },
            always_validated, never_stale, outdated,
            stale_while_revalidate: windows.0,
            stale_if_error: windows.1,
        }
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(parts in parts()) {
        let read = decode(encode(&parts)).expect("readable").1.parts();
        prop_assert_eq!(read, parts);
    }

    #[test]
    fn every_truncation_is_refused(parts in parts()) {
        let bytes = encode(&parts);
        for length in 0..bytes.len() {
            prop_assert!(decode(bytes[..length].to_vec()).is_err(), "{} bytes", length);
        }
        let longer = [&bytes[..], b"x"].concat();
        prop_assert_eq!(decode(longer).err(), Some(Unreadable::Damaged));
    }

    #[test]
    fn every_flipped_byte_is_refused(parts in parts(), flip in 1u8..) {
        let bytes = encode(&parts);
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            prop_assert!(decode(bytes).is_err(), "byte {}", at);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        // With the right digest, so that the reader sees what nobody wrote.
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(xxh3_128(&payload).to_le_bytes());
        bytes.extend(&payload);
        let _ = decode(bytes);
    }
}

#[test]
fn it_is_kept_while_it_is_of_use() {
    let second = |seconds| DeltaSeconds::saturating(seconds);
    let parts = |lifetime, initial_age, windows: (i64, i64)| Parts {
        lifetime: Lifetime { seconds: second(lifetime), source: Source::Explicit },
        initial_age,
        stale_while_revalidate: Some(second(windows.0)),
        stale_if_error: Some(second(windows.1)),
        ..plain()
    };
    let kept = |parts, has_validator| time_to_live(&parts, has_validator).as_secs();
    assert_eq!(kept(parts(60, 20_000, (5, 7)), false), 40 + 7 + 3600);
    assert_eq!(kept(parts(60, 90_000, (9, 7)), true), 9 + 24 * 3600);
    let most = kept(parts(i64::MAX, i64::MIN, (i64::MAX, 0)), true);
    assert!(most > 1 << 31, "{most}");
}

/// What waits for a Redis is bounded by its octets.
#[test]
fn a_change_weighs_what_it_carries() {
    let put = |url: &[u8], content: &'static [u8]| {
        let parts = Parts { content: Content::Whole(Bytes::from_static(content)), ..plain() };
        let record = Record::of(&Stored::from(parts));
        let (since, superseded) = (History { epoch: 1, count: 0 }, Vec::new());
        let what = What::Put {
            record,
            since,
            superseded,
            latest: (0, Moment::from_second(0)),
            most_bytes: 0,
        };
        Change { url: url.into(), what }.size()
    };
    let least = put(b"u", b"");
    assert!(least > size_of::<Change>() + PAYLOAD_AT, "{least}");
    assert_eq!(put(b"a longer url", b""), least + 11);
    assert_eq!(put(b"u", &[b'x'; 5000]), least + 5000);
    let discard = Change { url: (*b"url").into(), what: What::Clear(Vec::new()) };
    assert_eq!(discard.size(), size_of::<Change>() + 3);
}

/// What is decoded must not break a message apart, whatever the digest says.
#[test]
fn nonsense_is_refused_though_its_digest_is_right() {
    let with = |parts: Parts| decode(encode(&parts)).err();
    // A record whose octets somebody else has written.
    let altered = |parts: &Parts, at: usize, octet: u8| {
        let mut bytes = encode(parts);
        bytes[at] = octet;
        let digest = xxh3_128(&bytes[PAYLOAD_AT..]);
        bytes[DIGEST_AT..PAYLOAD_AT].copy_from_slice(&digest.to_le_bytes());
        decode(bytes).err()
    };
    let mut fields = Fields::new();
    fields.push(b"name", b"value");
    let named = Parts { fields, ..plain() };
    let place = |text: &[u8]| {
        let found = encode(&named).windows(text.len()).position(|window| window == text);
        found.expect("it is written") + 1
    };
    assert_eq!(altered(&named, place(b"name"), b'x'), None);
    for octet in *b": \r\n\0\xe4" {
        let found = altered(&named, place(b"name"), octet);
        assert_eq!(found, Some(Unreadable::Nonsense), "{octet} in a name");
    }
    for octet in *b"\r\n\0" {
        let found = altered(&named, place(b"value"), octet);
        assert_eq!(found, Some(Unreadable::Nonsense), "{octet} in a value");
    }
    for name in ["Transfer-Encoding", "content-length", "Connection", "Age"] {
        let mut fields = Fields::new();
        fields.push(name, "chunked");
        let trailers = fields.clone();
        for parts in [Parts { fields, ..plain() }, Parts { trailers, ..plain() }] {
            assert_eq!(with(parts), Some(Unreadable::Nonsense), "{name}");
        }
    }
    for status in [0, 99, 100, 199, 600, 1000] {
        assert_eq!(with(Parts { status, ..plain() }), Some(Unreadable::Nonsense), "{status}");
    }
    let (flags, source) = (PAYLOAD_AT + 2, PAYLOAD_AT + 3);
    assert_eq!(altered(&plain(), flags, ALL_FLAGS + 1), Some(Unreadable::Nonsense));
    assert_eq!(altered(&plain(), source, 4), Some(Unreadable::Nonsense));
    // The kind of the content, its length, the count of its pieces, and where the only one begins and ends: 1 + 8 + 4 + 16
    // octets before the end.
    let kind = encode(&plain()).len() - 29;
    assert_eq!(altered(&plain(), kind, PART_OF_UNKNOWN + 1), Some(Unreadable::Nonsense));
    assert_eq!(
        altered(&plain(), kind + 1, 1),
        Some(Unreadable::Nonsense),
        "a whole that lacks an octet"
    );
    assert_eq!(altered(&plain(), kind + 13, 1), Some(Unreadable::Nonsense), "a whole from 1 on");
}

#[test]
fn another_version_is_told_from_a_foreign_text() {
    assert_eq!(decode(b"{\"json\": true}".to_vec()).err(), Some(Unreadable::Foreign));
    let mut bytes = MAGIC.to_vec();
    bytes.extend([7, 0]);
    assert_eq!(decode(bytes).err(), Some(Unreadable::Version(7)));
}

#[test]
fn a_variant_is_named_by_the_meaning_of_its_values() {
    let of = |value| Variant::of(&Selecting::from_entries(vec![(&b"accept"[..], value)]));
    let plain = of(Some((None, &b"a,b"[..])));
    assert_eq!(of(Some((Some(&b"a, b"[..]), &b"a,b"[..]))), plain);
    assert_ne!(of(Some((None, &b""[..]))), of(None));
    assert_ne!(of(None), plain);
}
