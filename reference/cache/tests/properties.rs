//! Properties of the parsers, of ages and of the store.

mod support;

use std::collections::HashMap;

use edgeproof_cache::{
    CacheStatus, DeltaSeconds, EntityTag, Limits, Moment, Policy, Purge, RequestDirectives,
    ResponseDirectives, age, date, directives,
};
use edgeproof_http1::Fields;
use proptest::prelude::*;
use support::{Origin, World};

const NOW: Moment = Moment::from_second(support::START);

fn one_line(name: &str, value: &[u8]) -> Fields {
    [(name, value)].into_iter().collect()
}

/// Text that is nearly Cache-Control.
fn cache_control() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "max-age",
        "s-maxage",
        "no-store",
        "private",
        "no-cache",
        "public",
        "max-stale",
        "=",
        "\"",
        ",",
        " ",
        "\\",
        "60",
        "-1",
        "0.5",
        "99999999999",
        "x",
        "\t",
        "'",
        ";",
    ]);
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = date::parse(&bytes, NOW);
        let _ = DeltaSeconds::parse(&bytes);
        let _ = EntityTag::parse(&bytes);
        let _ = directives::directives(&bytes).count();
        for name in ["cache-control", "age", "pragma", "cdn-cache-control"] {
            let fields = one_line(name, &bytes);
            let _ = RequestDirectives::of(&fields);
            let _ = ResponseDirectives::of(&fields);
            let _ = age::value(&fields);
        }
    }

    #[test]
    fn nearly_right_messages_are_handled(
        directives in cache_control(),
        etag in "(W/)?\"?[a-c\\\\,\"]{0,3}\"?",
        range in "bytes=[0-9,\\- ]{0,12}",
        location in "(https?:)?/{0,2}[a-z.:@%/?#]{0,12}",
    ) {
        let mut world = World::rfc();
        let control = format!("Cache-Control: {directives}");
        let condition = format!("If-None-Match: {etag}");
        let tag = format!("ETag: {etag}");
        let range = format!("Range: {range}");
        world.get("/", &[&control], &Origin::Answers(200, &[&control, &tag], "one"));
        world.get("/", &[&control, &condition, &range], &Origin::Answers(200, &[], "two"));
        let moved = format!("Location: {location}");
        world.send("POST", "/", &[], &Origin::Answers(201, &[&moved], ""));
    }

    #[test]
    fn what_forbids_is_never_overlooked(before in cache_control(), after in cache_control()) {
        let fields: Fields = [&before, "no-store", &after]
            .iter().map(|line| ("Cache-Control", *line)).collect();
        prop_assert!(ResponseDirectives::of(&fields).no_store);
        prop_assert!(RequestDirectives::of(&fields).no_store);
    }

    #[test]
    fn dates_come_back_as_they_were(seconds in -62_167_219_200i64..253_402_300_800) {
        let text = date::format(seconds);
        prop_assert_eq!(date::parse(&text, NOW), Some(seconds));
        let lower = text.to_ascii_lowercase();
        prop_assert_eq!(date::parse(&lower, NOW), Some(seconds));
    }

    #[test]
    fn dates_beyond_four_digits_of_a_year_are_the_last_that_can_be_said(beyond in 0i64..i64::MAX / 2) {
        let (first, last) = (-62_167_219_200, 253_402_300_799);
        prop_assert_eq!(&date::format(first - beyond), b"Sat, 01 Jan 0000 00:00:00 GMT");
        prop_assert_eq!(&date::format(last + beyond), b"Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn dates_are_those_of_the_calendar(seconds in -62_135_596_800i64..253_402_207_200) {
        let time = jiff::Timestamp::from_second(seconds).expect("in range");
        let utc = time.to_zoned(jiff::tz::TimeZone::UTC);
        let expected = jiff::fmt::strtime::format("%a, %d %b %Y %H:%M:%S GMT", &utc).expect("fits");
        let text = date::format(seconds);
        prop_assert_eq!(text.as_slice(), expected.as_bytes());
        let asctime = jiff::fmt::strtime::format("%a %b %e %H:%M:%S %Y", &utc).expect("fits");
        prop_assert_eq!(date::parse(asctime.as_bytes(), NOW), Some(seconds), "{}", asctime);
    }

    #[test]
    fn two_digit_years_are_the_nearest_that_is_not_far_ahead(offset in -1_500_000_000i64..1_570_000_000) {
        // From 47 years before to 49 after.
        let seconds = support::START + offset;
        let utc = jiff::Timestamp::from_second(seconds).expect("in range")
            .to_zoned(jiff::tz::TimeZone::UTC);
        let text = jiff::fmt::strtime::format("%A, %d-%b-%y %H:%M:%S GMT", &utc).expect("fits");
        prop_assert_eq!(date::parse(text.as_bytes(), NOW), Some(seconds), "{}", text);
    }

    #[test]
    fn delta_seconds_saturate(value in any::<u64>()) {
        let parsed = DeltaSeconds::parse(value.to_string().as_bytes()).expect("digits");
        prop_assert_eq!(u64::from(parsed.seconds()), value.min(1 << 31));
    }

    #[test]
    fn ages_grow_with_time_and_are_never_negative(
        age in 0i64..1 << 32,
        date in -4_000_000_000i64..4_000_000_000,
        asked in any::<i32>(),
        took in 0i64..100_000,
        waited in 0i64..1 << 40,
        more in 0i64..1 << 40,
    ) {
        let request = Moment::from_millisecond(i64::from(asked));
        let response = Moment::from_millisecond(i64::from(asked) + took);
        let at = |waited| Moment::from_millisecond(i64::from(asked) + took + waited);
        let initial = age::initial_millis(DeltaSeconds::saturating(age), date, request, response);
        prop_assert!(initial >= DeltaSeconds::saturating(age).millis() + took);
        let (earlier, later) = (
            age::current_millis(initial, response, at(waited)),
            age::current_millis(initial, response, at(waited + more)),
        );
        prop_assert!(earlier >= 0 && earlier == initial + waited);
        prop_assert_eq!(later, earlier + more);
        prop_assert_eq!(age::current_millis(initial, response, request), initial);
    }

    #[test]
    fn entity_tags_equal_themselves(opaque in "[!#-~]{0,8}", weak in any::<bool>()) {
        let text = format!("{}\"{opaque}\"", if weak { "W/" } else { "" });
        let tag = EntityTag::parse(text.as_bytes()).expect("an entity tag");
        prop_assert!(tag.matches_weakly(tag));
        prop_assert_eq!(tag.matches_strongly(tag), !weak);
    }

    /// What was put is found until it is removed; what is found is what was put last; the bound
    /// holds throughout.
    #[test]
    fn the_store_keeps_its_bound_and_its_word(
        capacity in 0usize..40_000,
        steps in prop::collection::vec((0u8..10, 0u16..40, 0usize..6000), 1..300),
    ) {
        let limits = Limits { capacity, object: capacity / 4 };
        let mut world = World::bounded(Policy::RFC9111, limits);
        let fresh = &["Cache-Control: max-age=60"];
        let mut put: HashMap<String, String> = HashMap::new();
        for (action, path, size) in steps {
            let target = format!("/{path}");
            match action {
                0 => {
                    let purged = world.purge(&target, Purge::Exact);
                    let was = put.remove(&target).is_some();
                    prop_assert!(purged <= usize::from(was));
                }
                1 => {
                    world.purge(&target, Purge::StartsWith);
                    put.retain(|path, _| !path.starts_with(&target));
                }
                _ => {
                    let body = format!("{path}:{}", "x".repeat(size));
                    let answer = world.get(&target, &[], &Origin::Answers(200, fresh, &body));
                    if answer.asked {
                        put.insert(target, body);
                    } else {
                        prop_assert_eq!(Some(&answer.body), put.get(&target));
                    }
                }
            }
            let stats = world.cache.stats();
            prop_assert!(stats.bytes <= stats.capacity, "{:?}", stats);
            prop_assert!(stats.responses <= put.len(), "{:?}", stats);
            prop_assert_eq!(stats.responses == 0, stats.bytes == 0, "{:?}", stats);
        }
    }
}

#[test]
fn what_fits_is_never_evicted() {
    let mut world = World::bounded(Policy::RFC9111, Limits { capacity: 1 << 20, object: 1 << 20 });
    let fresh = &["Cache-Control: max-age=60"];
    for path in 0..300 {
        world.get(&format!("/{path}"), &[], &Origin::Answers(200, fresh, &"x".repeat(500)));
    }
    for path in 0..300 {
        assert!(!world.get(&format!("/{path}"), &[], &Origin::NotAsked).asked);
    }
}

#[test]
fn a_scan_of_the_site_leaves_its_front_page() {
    let mut world = World::bounded(Policy::RFC9111, Limits { capacity: 100_000, object: 10_000 });
    let fresh = &["Cache-Control: max-age=60"];
    let body = "x".repeat(1000);
    let mut asked = 0;
    for page in 0..2000 {
        world.get(&format!("/page/{page}"), &[], &Origin::Answers(200, fresh, &body));
        if page % 10 == 0 {
            let front = world.get("/", &[], &Origin::Answers(200, fresh, &body));
            asked += usize::from(front.asked);
        }
    }
    assert_eq!(asked, 1, "the front page was fetched once");
    assert!(world.cache.stats().evicted > 1000);
}

#[test]
fn many_shards_share_one_bound() {
    let limits = Limits { capacity: 64 << 20, object: 64 << 20 };
    let world = World::bounded(Policy::RFC9111, limits);
    let fresh = &["Cache-Control: max-age=60"];
    let body = "x".repeat(5 << 20);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut world = World { cache: world.cache.clone(), ..World::rfc() };
            let body = &body;
            scope.spawn(move || {
                for object in 0..12 {
                    let target = format!("/{thread}/{object}");
                    world.get(&target, &[], &Origin::Answers(200, fresh, body));
                    let stats = world.cache.stats();
                    assert!(stats.bytes <= stats.capacity, "{stats:?}");
                }
            });
        }
    });
    let stats = world.cache.stats();
    assert!(stats.responses >= 8 && stats.evicted > 0, "{stats:?}");
}

#[test]
fn the_three_forms_of_a_date_are_one() {
    for text in [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "sUN, 06 nOV 1994 08:49:37 gmt",
    ] {
        assert_eq!(date::parse(text.as_bytes(), NOW), Some(support::START), "{text}");
    }
    for text in [
        "",
        "0",
        "-1",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun 06 Nov 1994 08:49:37 GMT",
        "Sun,  06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 1995 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
    ] {
        assert_eq!(date::parse(text.as_bytes(), NOW), None, "{text}");
    }
}

#[test]
fn a_cache_status_says_nothing_it_does_not_know() {
    assert_eq!(CacheStatus::default().to_string(), "edgeproof");
}
