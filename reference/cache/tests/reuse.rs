//! RFC 9111 §4: reuse, ages, selection, request directives, conditional requests.

mod support;

use edgeproof_cache::{Limits, Policy, Scheme};
use support::{Origin, World};

fn stored(response: &[&str]) -> World {
    let mut world = World::rfc();
    world.get("/", &[], &Origin::Answers(200, response, "one"));
    world
}

/// Whether a request is answered by the store.
fn hits(world: &mut World, request: &[&str]) -> bool {
    !world.get("/", request, &Origin::Answers(500, &[], "")).asked
}

#[test]
fn a_response_is_fresh_until_the_second_its_lifetime_ends() {
    for (response, lives) in [
        (&["Cache-Control: max-age=60"][..], 60),
        (&["Cache-Control: max-age=10, s-maxage=60"], 60),
        (&["Cache-Control: s-maxage=60, max-age=100"], 60),
        (&["Cache-Control: max-age=60", "Expires: {10}"], 60),
        (&["Cache-Control: max-age=60", "Expires: 0"], 60),
        (&["Cache-Control: max-age=\"60\""], 60),
        (&["Cache-Control: MaX-aGe=0060"], 60),
        (&["Cache-Control: a, b=c, max-age=60, max-age=10"], 60),
        (&["Cache-Control: ext=\"max-age=10\", max-age=60"], 60),
        (&["Expires: {60}"], 60),
        (&["Expires: {90}", "Date: {30}"], 60),
        (&["Cache-Control: max-age=100", "Age: 40"], 60),
        (&["Cache-Control: max-age=100", "Age: 40", "Age: 0"], 60),
        (&["Cache-Control: max-age=100", "Date: {-40}"], 60),
        (&["Cache-Control: max-age=60", "Date: {40}"], 60),
        (&["Last-Modified: {-600}"], 60),
        (&["Last-Modified: {-600}", "Date: {0}"], 60),
    ] {
        let mut world = stored(response);
        world.advance(lives - 1);
        assert!(hits(&mut world, &[]), "{response:?} is stale at {} s", lives - 1);
        world.advance(1);
        assert!(!hits(&mut world, &[]), "{response:?} is fresh at {lives} s");
    }
}

#[test]
fn invalid_freshness_information_is_stale() {
    for line in [
        "Cache-Control: max-age=abc",
        "Cache-Control: max-age=-60",
        "Cache-Control: max-age=60.0",
        "Cache-Control: max-age",
        "Cache-Control: max-age='60'",
        "Cache-Control: max-age =60",
        "Cache-Control: max-age= 60",
        "Cache-Control: max-age=0",
        "Expires: 0",
        "Expires: Sun, 06 Nov 1994 09:49:37 UTC",
        "Expires: Sun, 06 Nov 1994 9:49:37 GMT",
        "Expires: {-1}",
        "Expires: {0}",
    ] {
        assert!(!hits(&mut stored(&[line, "ETag: \"1\""]), &[]), "{line}");
    }
    for age in ["Age: -1", "Age: 10.0", "Age: 40, 0", "Age: x", "Age:"] {
        let response = ["Cache-Control: max-age=60", age, "ETag: \"1\""];
        assert!(!hits(&mut stored(&response), &[]), "{age}");
    }
    assert!(hits(&mut stored(&["Cache-Control: max-age=99999999999999999999"]), &[]));
}

#[test]
fn the_age_field_is_the_current_age() {
    let mut world = stored(&["Cache-Control: max-age=60", "Age: 7", "Date: {-3}"]);
    world.advance(5);
    let answer = world.get("/", &[], &Origin::NotAsked);
    assert_eq!((answer.age, answer.cache_status.as_str()), (Some(12), "edgeproof; hit; ttl=48"));
}

#[test]
fn request_directives_narrow_and_widen_reuse() {
    let fresh = "Cache-Control: max-age=60";
    // The directive, the response's own words, the age at which it is asked for, whether it hits.
    for (request, response, age, hit) in [
        ("no-cache", fresh, 1, false),
        ("max-age=0", fresh, 0, false),
        ("max-age=5", fresh, 5, true),
        ("max-age=5", fresh, 6, false),
        ("max-age=x", fresh, 6, true),
        ("min-fresh=10", fresh, 50, true),
        ("min-fresh=10", fresh, 51, false),
        ("max-stale", fresh, 1000, true),
        ("max-stale=10", fresh, 70, true),
        ("max-stale=10", fresh, 71, false),
        ("max-stale=x", fresh, 70, false),
        ("max-stale, max-age=65", fresh, 66, false),
        ("max-stale", "Cache-Control: max-age=60, must-revalidate", 61, false),
        ("max-stale", "Cache-Control: max-age=60, proxy-revalidate", 61, false),
        ("max-stale", "Cache-Control: s-maxage=60", 61, false),
        ("max-stale", "Cache-Control: max-age=60, no-cache", 1, false),
        ("no-store", fresh, 1, true),
        ("no-transform, unknown", fresh, 1, true),
        ("max-age=0", "Cache-Control: max-age=60, immutable", 1, false),
    ] {
        let mut world = stored(&[response, "ETag: \"1\""]);
        world.advance(age);
        let request = format!("Cache-Control: {request}");
        assert_eq!(hits(&mut world, &[&request]), hit, "{request} at {age} s of {response}");
    }
    let pragma = stored(&[fresh]);
    for (lines, hit) in [
        (&["Pragma: no-cache"][..], false),
        (&["Pragma: no-cache", "Cache-Control: max-age=9"], true),
        (&["Pragma: x"], true),
    ] {
        let mut world = World { cache: pragma.cache.clone(), ..World::rfc() };
        assert_eq!(hits(&mut world, lines), hit, "{lines:?}");
    }
}

#[test]
fn only_if_cached_never_reaches_the_origin() {
    let only = &["Cache-Control: only-if-cached"];
    let miss = World::rfc().get("/", only, &Origin::NotAsked);
    assert_eq!((miss.status, miss.cache_status.as_str()), (504, ""));
    let mut world = stored(&["Cache-Control: max-age=60"]);
    assert_eq!(world.get("/", only, &Origin::NotAsked).body, "one");
    world.advance(60);
    assert_eq!(world.get("/", only, &Origin::NotAsked).status, 504);
    let stale_too = &["Cache-Control: only-if-cached, max-stale"];
    assert_eq!(world.get("/", stale_too, &Origin::NotAsked).body, "one");
}

#[test]
fn variants_are_selected_by_the_nominated_fields() {
    // Vary, the fields stored with, the fields presented, whether they match (§4.1).
    for (vary, original, presented, matches) in [
        ("Foo", &["Foo: 1"][..], &["Foo: 1"][..], true),
        ("Foo", &["Foo: 1"], &["fOO: 1"], true),
        ("foo", &["FOO: 1"], &["Foo: 1"], true),
        ("Foo", &["Foo: 1"], &["Foo: 2"], false),
        ("Foo", &["Foo: 1"], &[], false),
        ("Foo", &[], &["Foo: 1"], false),
        ("Foo", &[], &["Foo:"], false),
        ("Foo", &[], &["Bar: 1"], true),
        ("Foo, Bar", &["Foo: 1", "Bar: 2"], &["Bar: 2", "Foo: 1"], true),
        (" ,Foo ,, Bar,", &["Foo: 1", "Bar: 2"], &["Foo: 1", "Bar: 3"], false),
        ("Foo", &["Foo: 1,2"], &["Foo: 1, 2"], false),
        ("Prefer", &["Prefer: a,b"], &["Prefer: a, b"], true),
        ("Foo", &["Foo: 1, 2"], &["Foo: 1", "Foo: 2"], true),
        ("Foo", &["Foo: 1, 2"], &["Foo: 2, 1"], false),
        ("Foo", &["Foo: a"], &["Foo: A"], false),
        ("Foo", &["Foo: \"a, b\""], &["Foo: \"a,b\""], false),
        ("User-Agent", &["User-Agent: (a, b)"], &["User-Agent: (a,b)"], false),
        (
            "Accept-Encoding",
            &["Accept-Encoding: gzip, br"],
            &["Accept-Encoding: BR,gzip;q=1.0"],
            true,
        ),
        ("Accept-Encoding", &["Accept-Encoding: gzip, br"], &["Accept-Encoding: gzip"], false),
        (
            "Accept-Encoding",
            &["Accept-Encoding: gzip;q=0.50"],
            &["Accept-Encoding: gzip ; q=0.5"],
            true,
        ),
        ("Accept-Encoding", &["Accept-Encoding: gzip;q=0"], &["Accept-Encoding: gzip"], false),
        (
            "Accept-Language",
            &["Accept-Language: en-GB, de;q=0.5"],
            &["accept-language: de;q=0.5,en-gb"],
            true,
        ),
        (
            "Accept-Language",
            &["Accept-Language: en, de;q=0.5"],
            &["Accept-Language: de, en;q=0.5"],
            false,
        ),
        ("Accept-Language", &["Accept-Language: en, de"], &["Accept-Language: de, en"], false),
        ("Accept-Encoding", &["Accept-Encoding: gzip, br"], &["Accept-Encoding: br,gzip"], true),
        ("Accept", &["Accept: text/html, text/plain"], &["Accept: text/html,text/plain"], true),
    ] {
        let mut world = World::rfc();
        let vary = format!("Vary: {vary}");
        let response = &["Cache-Control: max-age=60", &vary];
        world.get("/", original, &Origin::Answers(200, response, "one"));
        assert_eq!(hits(&mut world, presented), matches, "{vary}: {original:?} {presented:?}");
    }
}

#[test]
fn variants_live_side_by_side_and_the_nominated_one_is_preferred() {
    let mut world = World::rfc();
    let varied = &["Cache-Control: max-age=60", "Vary: Foo"];
    world.get("/", &["Foo: 1"], &Origin::Answers(200, varied, "one"));
    let miss = world.get("/", &["Foo: 2"], &Origin::Answers(200, varied, "two"));
    assert_eq!(miss.cache_status, "edgeproof; fwd=vary-miss; fwd-status=200; stored");
    // A default that forgets to say that it varies.
    world.advance(1);
    world.get("/", &[], &Origin::Answers(200, &["Cache-Control: max-age=60"], "default"));
    for (request, body) in [(&["Foo: 1"][..], "one"), (&["Foo: 2"], "two"), (&[], "default")] {
        assert_eq!(world.get("/", request, &Origin::NotAsked).body, body);
    }
    // It is not known to be for a value by which the others vary.
    assert!(world.get("/", &["Foo: 3"], &Origin::Answers(404, &[], "")).asked);
    // A newer response to a request takes the place of all that would have answered it.
    let again = &["Foo: 1", "Cache-Control: no-cache"];
    world.get("/", again, &Origin::Answers(200, &["Cache-Control: max-age=60"], "new"));
    assert_eq!(world.get("/", &["Foo: 1"], &Origin::NotAsked).body, "new");
}

#[test]
fn the_clients_preconditions_are_answered_from_the_store() {
    let dated = "Last-Modified: {-100}";
    for (request, response, status) in [
        ("If-None-Match: \"a\"", &["ETag: \"a\""][..], 304),
        ("If-None-Match: W/\"a\"", &["ETag: \"a\""], 304),
        ("If-None-Match: \"a\"", &["ETag: W/\"a\""], 304),
        ("If-None-Match: \"x\", \"a\" ,\"y\"", &["ETag: \"a\""], 304),
        ("If-None-Match: \"x,\\\",\"a\"", &["ETag: \"a\""], 304),
        ("If-None-Match: *", &["ETag: \"a\""], 304),
        ("If-None-Match: *", &[], 304),
        ("If-None-Match: \"b\"", &["ETag: \"a\""], 200),
        ("If-None-Match: a", &["ETag: \"a\""], 200),
        ("If-None-Match: w/\"a\"", &["ETag: \"a\""], 200),
        ("If-None-Match: \"a\"", &[dated], 200),
        ("If-Modified-Since: {-100}", &[dated], 304),
        ("If-Modified-Since: {-50}", &[dated], 304),
        ("If-Modified-Since: {-101}", &[dated], 200),
        ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", &[dated], 304),
        ("If-Modified-Since: soon", &[dated], 200),
        ("If-Modified-Since: {0}", &[], 304),
        ("If-Modified-Since: {-1}", &[], 200),
    ] {
        let mut world = stored(&[&["Cache-Control: max-age=60", "Date: {0}"], response].concat());
        let answer = world.get("/", &[request], &Origin::NotAsked);
        assert_eq!(answer.status, status, "{request} {response:?}");
        assert_eq!(answer.body, if status == 304 { "" } else { "one" });
    }
    // If-None-Match goes first (RFC 9110 §13.2.2).
    let mut world = stored(&["Cache-Control: max-age=60", "ETag: \"a\"", dated]);
    let both = &["If-None-Match: \"b\"", "If-Modified-Since: {0}"];
    assert_eq!(world.get("/", both, &Origin::NotAsked).status, 200);
}

#[test]
fn a_304_has_the_fields_that_it_must_have() {
    let mut world = stored(&[
        "Cache-Control: max-age=60",
        "Content-Location: /here",
        "Content-Type: text/plain",
        "Date: {0}",
        "ETag: \"a\"",
        "Expires: {60}",
        "Last-Modified: {-100}",
        "Vary: Foo",
        "X-Other: 1",
    ]);
    world.advance(3);
    let answer = world.get("/", &["If-None-Match: \"a\""], &Origin::NotAsked);
    let names: Vec<_> =
        answer.fields.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    assert_eq!(names, ["Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary"]);
    assert_eq!(answer.age, Some(3));
}

#[test]
fn preconditions_for_the_origin_go_to_the_origin() {
    for line in ["If-Match: \"a\"", "If-Unmodified-Since: {0}"] {
        let mut world = stored(&["Cache-Control: max-age=60", "ETag: \"a\""]);
        assert!(world.get("/", &[line], &Origin::Answers(412, &[], "")).asked, "{line}");
        assert!(hits(&mut world, &[]));
    }
    // Nothing is stored: the client's own conditions are forwarded as they are.
    let mut world = World::rfc();
    world.get("/", &["If-None-Match: \"x\""], &Origin::Answers(304, &["ETag: \"x\""], ""));
    assert_eq!(world.seen, support::fields(&["If-None-Match: \"x\""]));
}

#[test]
fn a_head_is_answered_by_a_stored_get_but_not_the_other_way() {
    let mut world = World::rfc();
    let response = &["Cache-Control: max-age=60"];
    world.send("HEAD", "/", &[], &Origin::Answers(200, response, ""));
    assert!(world.get("/", &[], &Origin::Answers(200, response, "one")).asked);
    let head = world.send("HEAD", "/", &[], &Origin::NotAsked);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let post = world.send("POST", "/other", &[], &Origin::Answers(200, response, "posted"));
    assert_eq!(post.cache_status, "edgeproof; fwd=method; fwd-status=200");
    assert!(world.get("/other", &[], &Origin::Answers(200, response, "got")).asked);
}

#[test]
fn the_key_is_the_target_uri_in_its_normal_form() {
    for (one, other, same) in [
        (("example.com", "/"), ("EXAMPLE.com:80", "/"), true),
        (("example.com", "/"), ("example.com:", "/"), true),
        (("example.com", "/"), ("example.com:8080", "/"), false),
        (("example.com", "/"), ("example.com.", "/"), false),
        (("example.com", "/~a"), ("example.com", "/%7ea"), true),
        (("example.com", "/%2f"), ("example.com", "/%2F"), true),
        (("example.com", "/%2f"), ("example.com", "//"), false),
        (("example.com", "/a"), ("example.com", "/A"), false),
        (("example.com", "/"), ("example.com", "/?"), false),
        (("example.com", "/?"), ("example.com", "?"), true),
        (("example.com", "/?a=1&b=2"), ("example.com", "/?b=2&a=1"), false),
        (("example.com", "/%"), ("example.com", "/%25"), false),
        (("[::1]", "/"), ("[::1]:80", "/"), true),
    ] {
        let mut world = World::rfc();
        let response = &["Cache-Control: max-age=60"];
        world.host = one.0;
        world.get(one.1, &[], &Origin::Answers(200, response, "one"));
        world.host = other.0;
        let asked = world.get(other.1, &[], &Origin::Answers(200, response, "two")).asked;
        assert_eq!(!asked, same, "{one:?} {other:?}");
        world.scheme = Scheme::Https;
        assert!(world.get(other.1, &[], &Origin::Answers(500, &[], "")).asked);
    }
}

#[test]
fn content_larger_than_the_limit_streams_past() {
    let limits = Limits { capacity: 1 << 20, object: 10 };
    let response = &["Cache-Control: max-age=60"];
    for (body, reused) in [("0123456789", true), ("0123456789a", false)] {
        let mut world = World::bounded(Policy::RFC9111, limits);
        world.get("/", &[], &Origin::Answers(200, response, body));
        assert_eq!(hits(&mut world, &[]), reused, "{body}");
    }
}

#[test]
fn what_a_respelled_target_brings_is_for_itself() {
    let mut world = World::rfc();
    let fresh = &["Cache-Control: max-age=60"];
    let missing = world.get("/%61bout", &[], &Origin::Answers(404, fresh, "no such page"));
    assert_eq!((missing.status, missing.cache_status.contains("stored")), (404, false));
    let page = world.get("/about", &[], &Origin::Answers(200, fresh, "about us"));
    assert!(page.asked && page.cache_status.contains("stored"));
    // Both are the same URI (RFC 9110 §4.2.3).
    assert_eq!(world.get("/%61bout", &[], &Origin::NotAsked).body, "about us");
    // How an encoding is spelled that has to be one tells nobody anything.
    world.get("/a%2fb", &[], &Origin::Answers(200, fresh, "one"));
    assert_eq!(world.get("/a%2Fb", &[], &Origin::NotAsked).body, "one");
    world.send("POST", "/%61bout", &[], &Origin::Answers(200, &[], ""));
    assert!(world.get("/about", &[], &Origin::Answers(200, fresh, "new")).asked);
}
