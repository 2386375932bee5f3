//! RFC 9110 §14: ranges of what is stored as a whole.

mod support;

use edgeproof_http1::Fields;
use support::{Origin, World, fields};

const BODY: &str = "0123456789";
const EXPLAINED: &str =
    "416 Range Not Satisfiable: the content ends before the range that was asked for begins\n";

fn world() -> World {
    let mut world = World::rfc();
    let response = [
        "Cache-Control: max-age=60",
        "Date: {0}",
        "ETag: \"a\"",
        "Last-Modified: {-100}",
        "Content-Type: text/plain",
    ];
    world.get("/", &[], &Origin::Answers(200, &response, BODY));
    world.advance(5);
    world
}

#[test]
fn a_single_range_is_a_slice() {
    for (range, status, body, content_range) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("Bytes= 2-2 ,", 206, "2", "bytes 2-2/10"),
        ("bytes=7-", 206, "789", "bytes 7-9/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-99", 206, BODY, "bytes 0-9/10"),
        ("bytes=5-99999999999999999999999", 206, "56789", "bytes 5-9/10"),
        ("bytes=20-30, 1-2", 206, "12", "bytes 1-2/10"),
        ("bytes=10-", 416, EXPLAINED, "bytes */10"),
        ("bytes=-0", 416, EXPLAINED, "bytes */10"),
        ("bytes=3-2", 200, BODY, ""),
        ("bytes=", 200, BODY, ""),
        ("bytes=a-b", 200, BODY, ""),
        ("bytes", 200, BODY, ""),
        ("lines=0-1", 200, BODY, ""),
        ("bytes=0-5,3-7", 206, "01234567", "bytes 0-7/10"),
    ] {
        let answer = world().get("/", &[&format!("Range: {range}")], &Origin::NotAsked);
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{range}");
        assert_eq!(answer.fields.get("content-range").unwrap_or(b""), content_range.as_bytes());
        assert_eq!(answer.age, Some(5));
        assert_eq!(answer.fields.contains("etag"), status != 416);
    }
}

#[test]
fn several_ranges_are_a_multipart() {
    let answer = world().get("/", &["Range: bytes=0-1, -2"], &Origin::NotAsked);
    assert_eq!(answer.status, 206);
    let boundary = boundary(&answer.fields);
    let part = format!("\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes ");
    let expected = format!("{part}0-1/10\r\n\r\n01{part}8-9/10\r\n\r\n89\r\n--{boundary}--\r\n");
    assert_eq!(answer.body, expected);
    let again = world().get("/", &["Range: bytes=0-1, -2"], &Origin::NotAsked);
    assert_ne!(self::boundary(&again.fields), boundary, "nobody can foretell it");
}

fn boundary(fields: &Fields) -> String {
    let media: Vec<_> = fields.get_all("content-type").collect();
    let [media] = media[..] else { panic!("{fields:?}") };
    let boundary = media.strip_prefix(b"multipart/byteranges; boundary=").expect("a multipart");
    assert!((32..=70).contains(&boundary.len()), "RFC 2046 §5.1.1 has 70 at most");
    String::from_utf8(boundary.to_vec()).expect("ASCII")
}

#[test]
fn the_last_octets_of_nothing_are_all_of_it() {
    let mut world = World::rfc();
    let empty = Origin::Answers(200, &["Cache-Control: max-age=60", "Content-Length: 0"], "");
    world.get("/", &[], &empty);
    for (range, status) in [("bytes=-5", 200), ("bytes=-0", 416), ("bytes=0-", 416)] {
        let answer = world.get("/", &[&format!("Range: {range}")], &Origin::NotAsked);
        assert_eq!(answer.status, status, "{range}");
    }
}

#[test]
fn if_range_decides_between_part_and_whole() {
    for (condition, status) in [
        ("\"a\"", 206),
        ("\"b\"", 200),
        ("W/\"a\"", 200),
        ("{-100}", 206),
        ("{-99}", 200),
        ("{0}", 200),
        ("a", 200),
    ] {
        let request = ["Range: bytes=0-3", &format!("If-Range: {condition}")];
        assert_eq!(world().get("/", &request, &Origin::NotAsked).status, status, "{condition}");
    }
}

#[test]
fn preconditions_and_methods_go_before_ranges() {
    let range = "Range: bytes=0-3";
    let answer = world().get("/", &[range, "If-None-Match: \"a\""], &Origin::NotAsked);
    assert_eq!(answer.status, 304);
    assert_eq!(world().send("HEAD", "/", &[range], &Origin::NotAsked).status, 200);
}

#[test]
fn a_part_is_served_after_validation_and_never_stored_as_the_whole() {
    let range = &["Range: bytes=0-3"];
    let mut stale = world();
    stale.advance(100);
    let answer = stale.get("/", range, &Origin::Answers(304, &["ETag: \"a\""], ""));
    assert_eq!((answer.status, answer.body.as_str()), (206, "0123"));
    let mut empty = World::rfc();
    let part = ["Cache-Control: max-age=60", "Content-Range: bytes 0-3/10", "ETag: \"a\""];
    empty.get("/", range, &Origin::Answers(206, &part, "0123"));
    assert_eq!(empty.seen, fields(range));
    let whole = empty.get("/", &[], &Origin::Answers(200, &[], BODY));
    assert!(whole.asked);
}
