//! RFC 9111 §4.3 and §4.4: validation, updates, errors, invalidation; purges.

mod support;

use edgeproof_cache::{Policy, Purge};
use support::{Origin, World, fields};

fn stale(response: &[&str]) -> World {
    let mut world = World::rfc();
    let response = [&["Cache-Control: max-age=10", "Date: {0}"], response].concat();
    world.get("/", &[], &Origin::Answers(200, &response, "one"));
    world.advance(20);
    world
}

#[test]
fn a_stale_response_is_asked_about_by_its_validators() {
    let mut world = stale(&["ETag: \"a\"", "Last-Modified: {-100}"]);
    let client = &["If-None-Match: \"client\"", "X-Mine: 1"];
    world.get("/", client, &Origin::Answers(500, &[], ""));
    let expected = fields(&["X-Mine: 1", "If-None-Match: \"a\"", "If-Modified-Since: {-100}"]);
    assert_eq!(world.seen, expected);
    for invalid in ["ETag: a", "Last-Modified: once"] {
        let mut world = stale(&[invalid]);
        world.get("/", &[], &Origin::Answers(500, &[], ""));
        assert!(world.seen.is_empty(), "{invalid}: {:?}", world.seen);
    }
}

#[test]
fn a_304_makes_the_stored_response_fresh_and_updates_its_fields() {
    let mut world = stale(&["ETag: \"a\"", "X-Old: 1", "X-Same: 1", "Content-Type: text/plain"]);
    let news = [
        "ETag: \"a\"",
        "Date: {20}",
        "Cache-Control: max-age=30",
        "X-Same: 2",
        "x-same: 3",
        "X-New: 4",
        "Content-Length: 0",
        "Content-Encoding: gzip",
        "Connection: x-hop",
        "X-Hop: 1",
    ];
    let answer = world.get("/", &[], &Origin::Answers(304, &news, ""));
    assert_eq!((answer.status, answer.body.as_str(), answer.age), (200, "one", None));
    assert_eq!(answer.cache_status, "edgeproof; fwd=stale; fwd-status=304; ttl=30");
    let updated = fields(&[
        "X-Old: 1",
        "Content-Type: text/plain",
        "ETag: \"a\"",
        "Date: {20}",
        "Cache-Control: max-age=30",
        "X-Same: 2",
        "x-same: 3",
        "X-New: 4",
    ]);
    assert_eq!(answer.fields, updated);
    world.advance(29);
    let later = world.get("/", &[], &Origin::NotAsked);
    assert_eq!((later.fields, later.age), (updated, Some(29)));
}

#[test]
fn the_clients_condition_is_evaluated_after_the_origins_304() {
    for (client, status) in [("\"a\"", 304), ("\"b\"", 200), ("W/\"a\"", 304)] {
        let mut world = stale(&["ETag: \"a\""]);
        let request = format!("If-None-Match: {client}");
        let answer = world.get("/", &[&request], &Origin::Answers(304, &["ETag: \"a\""], ""));
        assert_eq!(answer.status, status, "{client}");
    }
}

#[test]
fn a_304_is_about_what_its_validators_say() {
    for (stored, answer, about) in [
        ("ETag: \"a\"", &["ETag: \"a\""][..], true),
        ("ETag: \"a\"", &["ETag: \"b\""], false),
        ("ETag: W/\"a\"", &["ETag: \"a\""], false),
        ("ETag: W/\"a\"", &["ETag: W/\"a\""], true),
        ("ETag: \"a\"", &["ETag: W/\"b\""], false),
        ("ETag: \"a\"", &[], true),
        ("Last-Modified: {-9}", &["Last-Modified: {-9}"], true),
        ("Last-Modified: {-9}", &["Last-Modified: {-8}"], false),
        ("Last-Modified: {-9}", &[], true),
    ] {
        let mut world = stale(&[stored]);
        let body = world.get("/", &[], &Origin::Answers(304, answer, "")).body;
        assert_eq!(body, if about { "one" } else { "again" }, "{stored} {answer:?}");
    }
}

#[test]
fn a_full_response_replaces_the_stored_one() {
    let mut world = stale(&["ETag: \"a\""]);
    let answer = world.get("/", &[], &Origin::Answers(200, &["Cache-Control: max-age=60"], "two"));
    assert_eq!(answer.cache_status, "edgeproof; fwd=stale; fwd-status=200; stored");
    assert_eq!(world.get("/", &[], &Origin::NotAsked).body, "two");
}

#[test]
fn a_newer_response_that_is_not_stored_still_ends_the_old_one() {
    let mut world = stale(&["ETag: \"a\""]);
    world.get("/", &[], &Origin::Answers(200, &["Cache-Control: no-store"], "two"));
    let answer = world.get("/", &["Cache-Control: max-stale"], &Origin::Answers(200, &[], "three"));
    assert_eq!(answer.body, "three");
    // But one user's answer does not.
    let mut world = stale(&["ETag: \"a\""]);
    let user = &["Authorization: Basic eDp5"];
    world.get("/", user, &Origin::Answers(200, &["Cache-Control: max-age=9"], "theirs"));
    assert_eq!(world.get("/", &["Cache-Control: max-stale"], &Origin::NotAsked).body, "one");
}

#[test]
fn a_304_to_one_user_does_not_leave_his_fields_to_others() {
    let mut world = stale(&["ETag: \"a\""]);
    let answer = ["ETag: \"a\"", "Set-Cookie: session=1", "Cache-Control: max-age=99"];
    let user = &["Authorization: Basic eDp5"];
    let theirs = world.get("/", user, &Origin::Answers(304, &answer, ""));
    assert_eq!((theirs.body.as_str(), theirs.fields.contains("set-cookie")), ("one", true));
    let other = world.get("/", &[], &Origin::Answers(304, &["ETag: \"a\""], ""));
    assert!(other.asked && !other.fields.contains("set-cookie"));
}

#[test]
fn a_304_that_forbids_storing_ends_the_stored_response() {
    let mut world = stale(&["ETag: \"a\""]);
    let private = ["ETag: \"a\"", "Cache-Control: private, max-age=60"];
    assert_eq!(world.get("/", &[], &Origin::Answers(304, &private, "")).body, "one");
    assert_eq!(world.get("/", &[], &Origin::Answers(200, &[], "two")).body, "two");
    assert!(world.seen.is_empty());
}

#[test]
fn fields_that_no_cache_names_go_to_the_asker_only() {
    let mut world = stale(&["ETag: \"a\""]);
    let news =
        ["ETag: \"a\"", "Cache-Control: max-age=60, no-cache=\"set-cookie\"", "Set-Cookie: a=1"];
    assert!(world.get("/", &[], &Origin::Answers(304, &news, "")).fields.contains("set-cookie"));
    assert!(!world.get("/", &[], &Origin::NotAsked).fields.contains("set-cookie"));
}

#[test]
fn stale_responses_stand_in_for_a_broken_origin_where_they_may() {
    let failing = Origin::Answers(503, &[], "broken");
    let missing = Origin::Answers(404, &[], "missing");
    for (directives, age, origin, body) in [
        ("max-age=10, stale-if-error=60", 70, &failing, "one"),
        ("max-age=10, stale-if-error=60", 71, &failing, "broken"),
        ("max-age=10, stale-if-error=60", 20, &missing, "missing"),
        ("max-age=10", 20, &failing, "broken"),
        ("max-age=10, stale-if-error=60, must-revalidate", 20, &failing, "broken"),
        ("max-age=10, stale-if-error=60, no-cache", 20, &failing, "broken"),
        ("max-age=10", 20, &Origin::Down, "one"),
        ("max-age=10, stale-if-error=60", 71, &Origin::Down, ""),
        ("max-age=10, no-cache", 1, &Origin::Down, ""),
    ] {
        let mut world = World::rfc();
        let response = &["ETag: \"a\"", &format!("Cache-Control: {directives}")];
        world.get("/", &[], &Origin::Answers(200, response, "one"));
        world.advance(age);
        let answer = world.get("/", &[], origin);
        assert_eq!(answer.body, body, "{directives} at {age} s");
        if body == "one" {
            assert_eq!(answer.age.map(i64::from), Some(age));
        }
    }
    for forbids in ["must-revalidate", "proxy-revalidate", "s-maxage=10"] {
        let mut world = stale(&["ETag: \"a\"", &format!("Cache-Control: {forbids}")]);
        assert_eq!(world.get("/", &[], &Origin::Down).status, 504, "{forbids}");
    }
    assert_eq!(World::rfc().get("/", &[], &Origin::Down).status, 502);
}

#[test]
fn a_head_updates_or_outdates_the_stored_get() {
    for (head, agrees) in [
        (&["ETag: \"a\"", "X-New: 1"][..], true),
        (&["X-New: 1"], true),
        (&["Content-Length: 3", "X-New: 1"], true),
        (&["ETag: \"b\""], false),
        (&["Last-Modified: {-1}"], false),
        (&["Content-Length: 4"], false),
    ] {
        let mut world = stale(&["ETag: \"a\""]);
        world.send("HEAD", "/", &["Cache-Control: no-cache"], &Origin::Answers(200, head, ""));
        let answer = world.get("/", &["Cache-Control: max-stale"], &Origin::Answers(500, &[], ""));
        assert_eq!(answer.body == "one", agrees, "{head:?}");
        assert_eq!(answer.fields.contains("x-new"), agrees, "{head:?}");
    }
}

#[test]
fn unsafe_methods_invalidate_what_they_touched() {
    // Method, status, response field; whether the target, /named and another host's /named stay.
    for (method, status, line, target, named) in [
        ("POST", 200, "X: y", false, true),
        ("PUT", 204, "X: y", false, true),
        ("DELETE", 302, "Location: /named", false, false),
        ("PATCH", 200, "Location: named", false, false),
        ("POST", 200, "Content-Location: http://EXAMPLE.com:80/a/../named#top", false, false),
        ("POST", 201, "Location: //example.com/named", false, false),
        ("POST", 201, "Location: http://other.example/named", false, true),
        ("POST", 201, "Location: https://example.com/named", false, true),
        ("POST", 201, "Location: http://example.com:8080/named", false, true),
        ("M-UNKNOWN", 200, "X: y", false, true),
        ("POST", 404, "Location: /named", true, true),
        ("POST", 500, "Location: /named", true, true),
        ("OPTIONS", 200, "Location: /named", true, true),
        ("PROPFIND", 207, "Location: /named", true, true),
        ("TRACE", 200, "X: y", true, true),
    ] {
        let mut world = World::rfc();
        let response = &["Cache-Control: max-age=60"];
        for host in ["other.example", "example.com"] {
            world.host = host;
            world.get("/target", &[], &Origin::Answers(200, response, "one"));
            world.get("/named", &[], &Origin::Answers(200, response, "one"));
        }
        world.send(method, "/target", &[], &Origin::Answers(status, &[line], ""));
        let mut stays = |path| !world.get(path, &[], &Origin::Answers(500, &[], "")).asked;
        let found = (stays("/target"), stays("/named"));
        assert_eq!(found, (target, named), "{method} {status} {line}");
        world.host = "other.example";
        assert!(!world.get("/named", &[], &Origin::NotAsked).asked);
    }
}

#[test]
fn purges_remove_what_they_match_and_say_how_many() {
    let fill = || {
        let mut world = World::rfc();
        let varied = &["Cache-Control: max-age=60", "Vary: Foo"];
        for path in ["/a", "/a?x=1", "/a/b.jpg", "/b.jpg"] {
            world.get(path, &["Foo: 1"], &Origin::Answers(200, varied, "one"));
        }
        world.get("/a", &["Foo: 2"], &Origin::Answers(200, varied, "two"));
        world.host = "other.example";
        world.get("/a", &["Foo: 1"], &Origin::Answers(200, varied, "one"));
        world.host = "example.com";
        world
    };
    for (target, purge, removed) in [
        ("/a", Purge::Exact, 2),
        ("/%61", Purge::Exact, 2),
        ("/none", Purge::Exact, 0),
        ("/a", Purge::StartsWith, 4),
        ("/", Purge::StartsWith, 5),
        ("/*.jpg", Purge::Wildcard, 2),
        ("/a*", Purge::Wildcard, 4),
        ("*", Purge::Wildcard, 5),
        ("/*b", Purge::Wildcard, 0),
    ] {
        let mut world = fill();
        assert_eq!(world.purge(target, purge), removed, "{target} {purge:?}");
        let stats = world.cache.stats();
        assert_eq!((stats.responses, stats.purged), (6 - removed, removed as u64));
        world.host = "other.example";
        assert!(!world.get("/a", &["Foo: 1"], &Origin::NotAsked).asked);
    }
}

#[test]
fn what_was_on_its_way_during_a_purge_is_not_stored() {
    use edgeproof_cache::{Lookup, Received, Request, Response, Scheme, Times};
    let world = World::new(Policy::RFC9111);
    let (none, stored) = (fields(&[]), fields(&["Cache-Control: max-age=60"]));
    for (purged, kept) in [("/a", false), ("/b", true)] {
        let (authority, target) = (b"example.com", b"/a");
        let request =
            Request { method: b"GET", scheme: Scheme::Http, authority, target, fields: &none };
        let Lookup::Forward(forward) = world.look_up(&request) else {
            panic!("nothing is stored yet")
        };
        let response = Response { status: 200, fields: &stored };
        let Received::Pass { writer: Some(writer), .. } =
            world.cache.received(forward, &request, response, Times::at(world.now()))
        else {
            panic!("the response may be stored")
        };
        world.purge(purged, Purge::Exact);
        assert_eq!(writer.finish(fields(&[])), kept, "{purged}");
    }
}

#[test]
fn stale_while_revalidate_serves_stale_with_one_validation() {
    use edgeproof_cache::{Lookup, Request, Scheme};
    let mut world = World::rfc();
    let response = &["Cache-Control: max-age=10, stale-while-revalidate=30", "ETag: \"a\""];
    world.get("/", &[], &Origin::Answers(200, response, "one"));
    world.advance(40);
    let none = fields(&[]);
    let (authority, target) = (b"example.com", b"/");
    let request =
        Request { method: b"GET", scheme: Scheme::Http, authority, target, fields: &none };
    let refresh = || match world.look_up(&request) {
        Lookup::Reply(mut reply) => reply.take_refresh(),
        other => panic!("{other:?}"),
    };
    let first = refresh();
    assert!(first.is_some());
    assert!(refresh().is_none(), "one at a time");
    drop(first);
    assert!(refresh().is_some(), "the next, once the first has failed");
    world.advance(1);
    assert!(world.get("/", &[], &Origin::Answers(500, &[], "")).asked, "the window has ended");
}

#[test]
fn a_weak_304_is_about_what_the_request_selects() {
    let mut world = World::rfc();
    let of = |coding: &'static str| {
        ["Cache-Control: max-age=10", "Date: {0}", "ETag: \"a\"", "Vary: Accept-Encoding", coding]
    };
    world.get("/", &[], &Origin::Answers(200, &of("X: 1"), "plain"));
    let gzip = &["Accept-Encoding: gzip"];
    world.get("/", gzip, &Origin::Answers(200, &of("Content-Encoding: gzip"), "GZIPPED"));
    world.advance(20);
    let answer = world.get("/", &[], &Origin::Answers(304, &["ETag: W/\"a\""], ""));
    assert_eq!((answer.status, answer.body.as_str()), (200, "plain"));
}
