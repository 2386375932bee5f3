//! Parts of representations: stored, used, combined and completed (RFC 9111 §3.3, §3.4).

mod support;

use edgeproof_cache::{Lookup, Received, Request, Response, Scheme, Times, Turn};
use edgeproof_http1::Fields;
use support::{Origin, World, fields};

const FRESH: &str = "Cache-Control: max-age=60";
const ETAG: &str = "ETag: \"1\"";

fn part<'a>(etag: &'a str, range: &'a str) -> [&'a str; 3] {
    [FRESH, etag, range]
}

fn ask(world: &mut World, range: &str, origin: &Origin<'_>) -> (u16, String, bool) {
    let answer = world.get("/", &[range], origin);
    (answer.status, answer.body, answer.asked)
}

#[test]
fn a_part_answers_for_what_it_has_and_for_nothing_else() {
    let mut world = World::rfc();
    let first = part(ETAG, "Content-Range: bytes 2-5/10");
    ask(&mut world, "Range: bytes=2-5", &Origin::Answers(206, &first, "2345"));
    let same = ask(&mut world, "Range: bytes=3-4", &Origin::NotAsked);
    assert_eq!(same, (206, "34".into(), false));
    for range in ["Range: bytes=0-3", "Range: bytes=4-9", "Range: bytes=-3", "Range: bytes=4-"] {
        let answer = ask(&mut world, range, &Origin::Answers(416, &[], ""));
        assert_eq!(answer, (416, String::new(), true), "{range}");
        assert!(!world.seen.contains("if-none-match"), "{range}");
    }
    let beyond = ask(&mut world, "Range: bytes=10-", &Origin::NotAsked);
    assert_eq!(beyond.0, 416);
}

#[test]
fn parts_of_one_strong_validator_become_one() {
    let mut world = World::rfc();
    let first = part(ETAG, "Content-Range: bytes 0-3/10");
    ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &first, "0123"));
    let second = [FRESH, ETAG, "Content-Range: bytes 4-9/10", "X-New: yes"];
    ask(&mut world, "Range: bytes=4-", &Origin::Answers(206, &second, "456789"));
    let whole = world.get("/", &[], &Origin::NotAsked);
    assert_eq!((whole.status, whole.body.as_str()), (200, "0123456789"));
    // §3.4: the newer response's fields count.
    assert!(whole.fields.contains("x-new"));
    assert!(!whole.fields.contains("content-range"));
}

#[test]
fn other_validators_do_not_combine() {
    for (first, second) in
        [(ETAG, "ETag: \"2\""), ("ETag: W/\"1\"", "ETag: W/\"1\""), ("X-No: tag", "X-No: tag")]
    {
        let mut world = World::rfc();
        let old = part(first, "Content-Range: bytes 0-3/10");
        ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &old, "0123"));
        let new = part(second, "Content-Range: bytes 4-9/10");
        ask(&mut world, "Range: bytes=4-9", &Origin::Answers(206, &new, "456789"));
        assert!(!ask(&mut world, "Range: bytes=5-6", &Origin::NotAsked).2, "{second}");
        let gone = ask(&mut world, "Range: bytes=0-1", &Origin::Answers(404, &[], ""));
        assert!(gone.2, "{second}");
    }
}

#[test]
fn a_part_does_not_take_the_place_of_a_whole_it_cannot_be_compared_with() {
    let mut world = World::rfc();
    let whole = ["Cache-Control: max-age=10", "Last-Modified: {-100}"];
    world.get("/", &[], &Origin::Answers(200, &whole, "0123456789"));
    world.advance(20);
    let part = ["Cache-Control: max-age=60", "Content-Range: bytes 0-3/10"];
    ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &part, "abcd"));
    let again = world.get("/", &[], &Origin::Answers(304, &[FRESH], ""));
    assert_eq!(again.body, "0123456789");
}

#[test]
fn what_is_missing_is_asked_for() {
    let mut world = World::rfc();
    let first = part(ETAG, "Content-Range: bytes 0-3/10");
    ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &first, "0123"));
    let none = Fields::new();
    let request = Request {
        method: b"GET",
        scheme: Scheme::Http,
        authority: b"example.com",
        target: b"/",
        fields: &none,
    };
    let Lookup::Forward(forward) = world.look_up(&request) else { panic!("to be completed") };
    let mut seen = Fields::new();
    forward.prepare(&mut seen);
    assert_eq!(seen, fields(&["Range: bytes=4-9", "If-Range: \"1\""]));
    let rest = fields(&[FRESH, ETAG, "Content-Range: bytes 4-9/10"]);
    let response = Response { status: 206, fields: &rest };
    let received = world.cache.received(forward, &request, response, Times::at(world.now()));
    let Received::Complete(mut writer) = received else { panic!("not complete") };
    writer.push(b"456789");
    assert!(writer.finish(Fields::new()));
    let Lookup::Reply(reply) = world.look_up_at(&request, Turn::COMPLETED) else {
        panic!("not stored")
    };
    assert_eq!(&reply.body().concat()[..], b"0123456789");
    assert_eq!(reply.cache_status().to_string(), "edgeproof; fwd=partial; ttl=60");
}

#[test]
fn another_representation_than_the_one_begun_is_asked_for_as_a_whole() {
    for answer in [
        &[FRESH, "ETag: \"2\"", "Content-Range: bytes 4-9/10"][..],
        &[FRESH, "ETag: W/\"1\"", "Content-Range: bytes 4-9/10"],
        &[FRESH, ETAG, "Content-Range: bytes 5-9/10"],
        &[FRESH, ETAG, "Content-Range: bytes 4-8/10"],
        &[FRESH, ETAG, "Content-Range: bytes 4-9/11"],
        &[FRESH, ETAG],
    ] {
        let mut world = World::rfc();
        let first = part(ETAG, "Content-Range: bytes 0-3/10");
        ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &first, "0123"));
        let again = world.get("/", &[], &Origin::Answers(206, answer, "456789"));
        assert_eq!((again.status, again.body.as_str()), (200, "again"), "{answer:?}");
    }
}

#[test]
fn a_broken_off_answer_is_kept_for_what_it_has() {
    let mut world = World::rfc();
    let lines = [FRESH, ETAG, "Content-Length: 10"];
    world.get("/", &[], &Origin::Breaks(200, &lines, "0123"));
    let there = ask(&mut world, "Range: bytes=1-2", &Origin::NotAsked);
    assert_eq!(there, (206, "12".into(), false));
    let whole = world.get("/", &[], &Origin::Answers(200, &lines, "0123456789"));
    assert_eq!((whole.status, whole.body.as_str(), whole.asked), (200, "0123456789", true));
    assert_eq!(world.seen, fields(&["Range: bytes=4-9", "If-Range: \"1\""]));
}

#[test]
fn a_stale_part_is_validated_and_used_again() {
    let mut world = World::rfc();
    let first = part(ETAG, "Content-Range: bytes 0-3/10");
    ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &first, "0123"));
    world.advance(100);
    let answer = ask(&mut world, "Range: bytes=1-2", &Origin::Answers(304, &[FRESH, ETAG], ""));
    assert_eq!(answer, (206, "12".into(), true));
    assert!(!ask(&mut world, "Range: bytes=1-2", &Origin::NotAsked).2);
}

#[test]
fn a_part_of_unknown_length_says_so() {
    let mut world = World::rfc();
    let first = part(ETAG, "Content-Range: bytes 0-3/*");
    ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &first, "0123"));
    let answer = world.get("/", &["Range: bytes=1-2"], &Origin::NotAsked);
    let range: Vec<_> = answer.fields.get_all("content-range").collect();
    assert_eq!((answer.status, range), (206, vec![&b"bytes 1-2/*"[..]]));
    assert!(ask(&mut world, "Range: bytes=2-", &Origin::Answers(404, &[], "")).2);
}

#[test]
fn a_part_that_nobody_can_place_is_not_stored() {
    for range in [
        "Content-Range: bytes 0-3/3",
        "Content-Range: bytes 3-0/10",
        "Content-Range: lines 0-3/10",
        "Content-Range: bytes */10",
        "Content-Type: multipart/byteranges; boundary=x",
    ] {
        let mut world = World::rfc();
        let lines = part(ETAG, range);
        ask(&mut world, "Range: bytes=0-3", &Origin::Answers(206, &lines, "0123"));
        let again = ask(&mut world, "Range: bytes=0-3", &Origin::Answers(404, &[], ""));
        assert!(again.2, "{range}");
    }
}
