//! Requests for the same thing at the same time.

mod support;

use edgeproof_cache::{Forward, Lookup, Received, Request, Response, Scheme, Times, Turn, Wait};
use edgeproof_http1::Fields;
use futures_util::FutureExt;
use support::{World, fields};

fn asking<'a>(target: &'a str, fields: &'a Fields) -> Request<'a> {
    Request {
        method: b"GET",
        scheme: Scheme::Http,
        authority: b"example.com",
        target: target.as_bytes(),
        fields,
    }
}

fn leads(lookup: Lookup) -> Forward {
    let Lookup::Forward(forward) = lookup else { panic!("not to be forwarded: {lookup:?}") };
    forward
}

fn waits(lookup: Lookup) -> Wait {
    let Lookup::Wait(wait) = lookup else { panic!("does not wait: {lookup:?}") };
    wait
}

fn over(wait: Wait) -> Turn {
    wait.over().now_or_never().expect("the other one has landed")
}

/// The origin answers a forwarded request, as a whole.
fn answer(world: &World, forward: Forward, request: &Request<'_>, lines: &[&str]) {
    let fields = fields(lines);
    let response = Response { status: 200, fields: &fields };
    let received = world.cache.received(forward, request, response, Times::at(world.now()));
    if let Received::Pass { writer: Some(mut writer), .. } = received {
        writer.push(b"one");
        writer.finish(Fields::new());
    }
}

#[test]
fn one_goes_and_the_others_hit() {
    let world = World::rfc();
    let none = Fields::new();
    let request = asking("/", &none);
    let leader = leads(world.look_up(&request));
    let waiting: Vec<Wait> = (0..100).map(|_| waits(world.look_up(&request))).collect();
    answer(&world, leader, &request, &["Cache-Control: max-age=60"]);
    for wait in waiting {
        let Lookup::Reply(reply) = world.look_up_at(&request, over(wait)) else {
            panic!("no hit");
        };
        let status = reply.cache_status().to_string();
        assert_eq!(status, "edgeproof; fwd=uri-miss; ttl=60; collapsed");
    }
}

#[test]
fn what_others_cannot_use_lets_them_go_at_once_and_is_remembered() {
    for lines in [&["Cache-Control: no-store"][..], &["Cache-Control: no-cache", "ETag: \"1\""]] {
        let world = World::rfc();
        let none = Fields::new();
        let request = asking("/", &none);
        let leader = leads(world.look_up(&request));
        let first = waits(world.look_up(&request));
        let second = waits(world.look_up(&request));
        answer(&world, leader, &request, lines);
        let forward = leads(world.look_up_at(&request, over(first)));
        let beside = leads(world.look_up_at(&request, over(second)));
        // Nobody waits for this URL until something of it is stored that others can use.
        leads(world.look_up(&request));
        answer(&world, forward, &request, &["Cache-Control: max-age=1"]);
        drop(beside);
        let mut world = world;
        world.advance(2);
        let _leader = leads(world.look_up(&request));
        waits(world.look_up(&request));
    }
}

#[test]
fn one_that_breaks_off_hands_over() {
    let world = World::rfc();
    let none = Fields::new();
    let request = asking("/", &none);
    let leader = leads(world.look_up(&request));
    let (first, second) = (waits(world.look_up(&request)), waits(world.look_up(&request)));
    drop(leader);
    let next = leads(world.look_up_at(&request, over(first)));
    let still = waits(world.look_up_at(&request, over(second)));
    answer(&world, next, &request, &["Cache-Control: max-age=60"]);
    assert!(matches!(world.look_up_at(&request, over(still)), Lookup::Reply(_)));
}

#[test]
fn an_origin_out_of_reach_fails_all_at_once() {
    let world = World::rfc();
    let none = Fields::new();
    let request = asking("/", &none);
    let leader = leads(world.look_up(&request));
    let (first, second) = (waits(world.look_up(&request)), waits(world.look_up(&request)));
    let _ = world.cache.failed(leader, &request, world.now());
    leads(world.look_up_at(&request, over(first)));
    leads(world.look_up_at(&request, over(second)));
}

#[test]
fn each_variant_is_asked_for_once() {
    let world = World::rfc();
    let (gzip, zstd) = (fields(&["Accept-Encoding: gzip"]), fields(&["Accept-Encoding: zstd"]));
    let (gzip, zstd) = (asking("/", &gzip), asking("/", &zstd));
    let leader = leads(world.look_up(&gzip));
    let others: Vec<Wait> = (0..3).map(|_| waits(world.look_up(&zstd))).collect();
    let vary = ["Cache-Control: max-age=60", "Vary: Accept-Encoding"];
    answer(&world, leader, &gzip, &vary);
    let mut turns = others.into_iter().map(over);
    let second = leads(world.look_up_at(&zstd, turns.next().expect("three")));
    let others: Vec<Wait> = turns.map(|turn| waits(world.look_up_at(&zstd, turn))).collect();
    answer(&world, second, &zstd, &vary);
    for wait in others {
        assert!(matches!(world.look_up_at(&zstd, over(wait)), Lookup::Reply(_)));
    }
}

#[test]
fn who_wants_the_origins_own_answer_does_not_wait() {
    let world = World::rfc();
    let none = Fields::new();
    let _leader = leads(world.look_up(&asking("/", &none)));
    for line in [
        "Cache-Control: no-cache",
        "Cache-Control: no-store",
        "Cache-Control: max-age=0",
        "Pragma: no-cache",
        "Authorization: Basic eA==",
        "Range: bytes=0-1",
    ] {
        let own = fields(&[line]);
        leads(world.look_up(&asking("/", &own)));
    }
    waits(world.look_up(&asking("/", &none)));
    leads(world.look_up(&asking("/other", &none)));
}

#[test]
fn one_who_may_get_a_304_leads_nobody() {
    let world = World::rfc();
    let (none, condition) = (Fields::new(), fields(&["If-None-Match: \"a\""]));
    let _conditional = leads(world.look_up(&asking("/", &condition)));
    let leader = leads(world.look_up(&asking("/", &none)));
    let wait = waits(world.look_up(&asking("/", &none)));
    let _it_waits_itself = waits(world.look_up(&asking("/", &condition)));
    answer(&world, leader, &asking("/", &none), &["Cache-Control: max-age=1", "ETag: \"a\""]);
    assert!(matches!(world.look_up_at(&asking("/", &none), over(wait)), Lookup::Reply(_)));
    // What is stale is asked about in the cache's own words: there they are like the others.
    let mut world = world;
    world.advance(2);
    let _leader = leads(world.look_up(&asking("/", &condition)));
    waits(world.look_up(&asking("/", &condition)));
}

#[test]
fn a_late_response_does_not_replace_a_more_recent_one() {
    let mut world = World::rfc();
    let (none, reload) = (Fields::new(), fields(&["Cache-Control: no-cache"]));
    let (request, reload) = (asking("/", &none), asking("/", &reload));
    for late in ["Date: {0}", "Date: {9}"] {
        let slow = leads(world.look_up(&reload));
        let fast = leads(world.look_up(&reload));
        answer(&world, fast, &reload, &["Cache-Control: max-age=60", "Date: {2}", "X: fast"]);
        answer(&world, slow, &reload, &["Cache-Control: max-age=60", late, "X: slow"]);
        let Lookup::Reply(reply) = world.look_up(&request) else { panic!("no hit") };
        let kept = reply.fields().find(|(name, _)| *name == b"X").map(|(_, value)| value);
        assert_eq!(kept, Some(if late == "Date: {0}" { b"fast" } else { b"slow" }.as_slice()));
        world.advance(10);
    }
}
