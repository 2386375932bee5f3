//! RFC 9111 §3: which responses are stored, and what of them.

mod support;

use edgeproof_cache::{DeltaSeconds, Policy};
use support::{Origin, World};

/// Whether a second request is answered without the origin.
fn is_reused(policy: Policy, request: &[&str], status: u16, response: &[&str]) -> bool {
    let mut world = World::new(policy);
    world.get("/", request, &Origin::Answers(status, response, "one"));
    let second = world.get("/", &[], &Origin::Answers(200, &[], "two"));
    assert_eq!(second.body == "one", !second.asked, "{response:?}");
    !second.asked
}

const MODIFIED: &str = "Last-Modified: {-1000}";

#[test]
fn a_shared_cache_stores_what_section_3_allows() {
    for (status, response, reused) in [
        (200, &["Cache-Control: max-age=60"][..], true),
        (200, &["Cache-Control: s-maxage=60"], true),
        (200, &["Expires: {60}"], true),
        (200, &["Cache-Control: max-age=60", "Set-Cookie: a=b"], true),
        (200, &["Cache-Control: no-store, max-age=60"], false),
        (200, &["Cache-Control: NO-STORE, max-age=60"], false),
        (200, &["Cache-Control: max-age=60", "cache-control: no-store"], false),
        (200, &["Cache-Control: private, max-age=60"], false),
        (200, &["Cache-Control: private=\"\", max-age=60"], false),
        (200, &["Cache-Control: private=\"X-Mine\", max-age=60"], true),
        (200, &["Cache-Control: max-age=60, community=\"no-store\""], true),
        (200, &["Cache-Control: must-understand, no-store, max-age=60"], true),
        (299, &["Cache-Control: must-understand, no-store, max-age=60"], false),
        (299, &["Cache-Control: must-understand, max-age=60"], false),
        (299, &["Cache-Control: max-age=60"], true),
        (499, &["Cache-Control: max-age=60"], true),
        (599, &["Cache-Control: max-age=60"], true),
        (600, &["Cache-Control: max-age=60"], false),
        (206, &["Cache-Control: max-age=60", "Content-Range: bytes 0-1/9"], false),
        (304, &["Cache-Control: max-age=60"], false),
        (412, &["Cache-Control: max-age=60"], false),
        (416, &["Cache-Control: max-age=60"], false),
        (200, &["Cache-Control: max-age=60", "Vary: *"], false),
        (200, &["Cache-Control: max-age=60", "Vary: Accept, *"], false),
        (200, &[], false),
    ] {
        assert_eq!(
            is_reused(Policy::RFC9111, &[], status, response),
            reused,
            "{status} {response:?}"
        );
    }
}

#[test]
fn only_some_statuses_have_a_heuristic_lifetime() {
    for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
        assert!(is_reused(Policy::RFC9111, &[], status, &[MODIFIED]), "{status}");
    }
    for status in [201, 202, 205, 299, 302, 303, 307, 400, 403, 418, 429, 500, 502, 503, 504] {
        assert!(!is_reused(Policy::RFC9111, &[], status, &[MODIFIED]), "{status}");
        let public = &[MODIFIED, "Cache-Control: public"];
        assert!(is_reused(Policy::RFC9111, &[], status, public), "{status} public");
    }
}

#[test]
fn responses_to_requests_with_authorization_need_permission() {
    let authorization = &["Authorization: Basic eDp5"];
    for (response, reused) in [
        ("Cache-Control: max-age=60", false),
        ("Cache-Control: max-age=60, public", true),
        ("Cache-Control: max-age=60, must-revalidate", true),
        ("Cache-Control: s-maxage=60", true),
        ("Cache-Control: max-age=60, proxy-revalidate", false),
    ] {
        assert_eq!(
            is_reused(Policy::RFC9111, authorization, 200, &[response]),
            reused,
            "{response}"
        );
    }
}

#[test]
fn requests_that_forbid_storing_are_obeyed() {
    let response = &["Cache-Control: max-age=60"];
    assert!(!is_reused(Policy::RFC9111, &["Cache-Control: no-store"], 200, response));
    assert!(!is_reused(Policy::RFC9111, &["Content-Length: 3"], 200, response));
    assert!(is_reused(Policy::RFC9111, &["Content-Length: 0"], 200, response));
    // An origin may ignore ranges.
    assert!(is_reused(Policy::RFC9111, &["Range: bytes=0-1"], 200, response));
}

#[test]
fn hosting_refuses_what_careless_sites_send() {
    let hosting = Policy::Hosting { ttl: DeltaSeconds::saturating(10) };
    let (html, etag) = ("Content-Type: text/html; charset=utf-8", "ETag: \"1\"");
    for (response, reused) in [
        (&[html, etag][..], true),
        (&[html, MODIFIED], true),
        (&["Content-Type: application/ld+json", etag], true),
        (&["Content-Type: IMAGE/SVG+XML", etag], true),
        (&[html, etag, "Cache-Control: max-age=0"], false),
        (&[html, etag, "Set-Cookie: a=b"], false),
        (&[html, etag, "Cache-Control: max-age=60", "Set-Cookie: a=b"], false),
        (&[html], false),
        (&[html, "Cache-Control: max-age=60"], false),
        (&[etag], false),
        (&["Content-Type: image/png", etag], false),
        (&[html, etag, "Cache-Control: no-transform, max-age=60"], false),
        (&[html, etag, "Vary: *"], false),
        (&[html, etag, "Cache-Control: private"], false),
    ] {
        assert_eq!(is_reused(hosting, &[], 200, response), reused, "{response:?}");
    }
    let authorization = &["Authorization: Basic eDp5"];
    assert!(!is_reused(hosting, authorization, 200, &[html, etag]));
    assert!(is_reused(hosting, authorization, 200, &[html, etag, "Cache-Control: public"]));
}

#[test]
fn the_sites_ttl_is_the_lifetime_of_what_has_none() {
    let ttl = DeltaSeconds::saturating(10);
    for (policy, response, lives) in [
        (Policy::Rfc9111 { ttl: Some(ttl) }, &[][..], 10),
        (Policy::Rfc9111 { ttl: Some(ttl) }, &[MODIFIED], 10),
        (Policy::Rfc9111 { ttl: Some(ttl) }, &["Cache-Control: max-age=3"], 3),
        (Policy::Rfc9111 { ttl: Some(ttl) }, &["Expires: {50}"], 50),
        (Policy::Rfc9111 { ttl: None }, &[MODIFIED], 100),
        (Policy::Hosting { ttl }, &[MODIFIED, "Content-Type: text/html"], 10),
        (
            Policy::Hosting { ttl },
            &[MODIFIED, "Content-Type: text/html", "Cache-Control: max-age=3"],
            3,
        ),
    ] {
        let mut world = World::new(policy);
        world.get("/", &[], &Origin::Answers(200, response, "one"));
        world.advance(lives - 1);
        assert!(!world.get("/", &[], &Origin::NotAsked).asked, "{response:?}");
        world.advance(1);
        let late = world.get("/", &[], &Origin::Answers(500, &[], ""));
        assert!(late.asked, "{response:?} lives longer than {lives} s");
    }
    assert!(!is_reused(Policy::Rfc9111 { ttl: Some(ttl) }, &[], 302, &[]));
}

#[test]
fn fields_of_the_connection_are_not_stored() {
    let mut world = World::rfc();
    let response = [
        "Cache-Control: max-age=60, private=\"X-Mine\", no-cache=\"X-Now, x-then\"",
        "Connection: x-hop, keep-alive",
        "Keep-Alive: timeout=5",
        "X-Hop: 1",
        "Proxy-Authenticate: Basic",
        "Proxy-Authentication-Info: x",
        "Proxy-Authorization: x",
        "Transfer-Encoding: chunked",
        "TE: trailers",
        "Upgrade: h2c",
        "Warning: 110 - old",
        "Age: 5",
        "X-Mine: 1",
        "X-Now: 1",
        "X-Then: 1",
        "X-Unknown: kept",
        "x-unknown: twice",
        "Date: {0}",
    ];
    world.get("/", &[], &Origin::Answers(200, &response, "one"));
    let second = world.get("/", &[], &Origin::NotAsked);
    assert_eq!(second.age, Some(5));
    let kept = support::fields(&[response[0], "X-Unknown: kept", "x-unknown: twice", "Date: {0}"]);
    assert_eq!(second.fields, kept);
}

#[test]
fn a_missing_or_broken_date_is_the_time_of_arrival() {
    for date in [&[][..], &["Date: yesterday"]] {
        let mut world = World::rfc();
        world.advance(7);
        let response = [date, &["Cache-Control: max-age=60"]].concat();
        world.get("/", &[], &Origin::Answers(200, &response, "one"));
        world.advance(2);
        let second = world.get("/", &[], &Origin::NotAsked);
        assert_eq!(second.age, Some(2));
        assert_eq!(second.fields.get("date"), support::fields(&["Date: {7}"]).get("date"));
    }
}

#[test]
fn an_incomplete_response_is_not_stored() {
    let mut world = World::rfc();
    let response = &["Cache-Control: max-age=60"];
    world.get("/", &[], &Origin::Breaks(200, response, "on"));
    assert!(world.get("/", &[], &Origin::Answers(200, response, "one")).asked);
    let length = &["Cache-Control: max-age=60", "Content-Length: 9"];
    world.get("/short", &[], &Origin::Answers(200, length, "short"));
    assert!(world.get("/short", &[], &Origin::Answers(200, length, "short")).asked);
}
