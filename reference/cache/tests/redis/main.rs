//! The store in Redis, against a redis-server that each test starts, and kills where it wants.

mod server;
mod site;
mod trouble;

use std::time::Duration;

use edgeproof_cache::{Lookup, Purge, RedisSettings};
use edgeproof_http1::Fields;
use futures_util::FutureExt;
use futures_util::future::join_all;

use server::{Server, until};
use site::{Got, Site, stored};

const PAGE: &[u8] = b"edgeproof:1:responses:http://example.com/page";
const MAX_AGE: &str = "Cache-Control: max-age=60";

#[tokio::test]
async fn a_response_is_stored_and_reused() {
    let server = Server::running().await;
    let site = Site::over(&server);
    assert!(site.fill("/page", "one").await);
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    assert_eq!(site.ask("/other", &[]).await, Got::FromOrigin);
    let stats = site.cache.stats();
    assert_eq!((stats.hits, stats.forwards, stats.stored), (1, 2, 1));
    assert_eq!(site.warnings(), [""; 0]);
}

#[test]
fn settings_are_the_same_where_all_is_and_show_no_password() {
    let at = |url: &str| RedisSettings::at(url).expect("an address");
    let one = || at("redis://ann:secret@127.0.0.1:6380/2");
    assert!(one() == one());
    for other in [
        "redis://ann:secret@127.0.0.1:6380/3",
        "redis://ann:secret@127.0.0.1:6381/2",
        "redis://ann:other@127.0.0.1:6380/2",
        "redis://bob:secret@127.0.0.1:6380/2",
    ] {
        assert!(one() != at(other), "{other}");
    }
    assert!(one() != one().with_timeout(Duration::from_millis(51)));
    let shown = format!("{:?}", one());
    assert_eq!(shown, "RedisSettings(redis://127.0.0.1:6380, 50ms)");
}

#[tokio::test]
async fn it_is_there_for_other_proxies_and_after_a_restart_of_this_one() {
    let server = Server::running().await;
    let (first, second) = (Site::over(&server), Site::over(&server));
    first.fill("/page", "one").await;
    until("the other sees it", async || second.ask("/page", &[]).await == stored("one")).await;
    drop((first, second));
    assert_eq!(Site::over(&server).ask("/page", &[]).await, stored("one"));
}

#[tokio::test]
async fn variants_lie_in_one_hash_and_each_overwrites_itself() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let vary = [MAX_AGE, "Vary: Accept-Language"];
    for language in ["de", "fr"] {
        let request = format!("Accept-Language: {language}");
        assert!(site.fetch("/page", &[&request], &vary, language).await);
    }
    assert_eq!(site.ask("/page", &["Accept-Language: de"]).await, stored("de"));
    assert_eq!(site.ask("/page", &["Accept-Language: fr"]).await, stored("fr"));
    assert_eq!(site.ask("/page", &["Accept-Language: it"]).await, Got::FromOrigin);
    let reload = ["Accept-Language: de", "Cache-Control: no-cache"];
    site.fetch("/page", &reload, &vary, "neu").await;
    assert_eq!(site.ask("/page", &["Accept-Language: de"]).await, stored("neu"));
    assert_eq!(site.ask("/page", &["Accept-Language: fr"]).await, stored("fr"));
    assert_eq!(server.say::<u64>(&[b"HLEN", PAGE]), 2);
}

#[tokio::test]
async fn a_response_supersedes_what_would_have_answered_in_its_place() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "for all").await;
    let vary = [MAX_AGE, "Vary: Accept-Language"];
    site.fetch("/page", &["Cache-Control: no-cache"], &vary, "for none").await;
    assert_eq!(site.ask("/page", &[]).await, stored("for none"));
    assert_eq!(server.say::<u64>(&[b"HLEN", PAGE]), 1);
}

#[tokio::test]
async fn a_response_that_was_overtaken_does_not_take_the_place_of_a_later_one() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let reload = ["Cache-Control: no-cache"];
    let dated = |second| [MAX_AGE.to_owned(), format!("Date: Sun, 06 Nov 1994 08:49:{second} GMT")];
    let answer = async |forward, second, body: &str| {
        let fields = dated(second);
        let mut writer = site.begin(forward, "/page", &reload, &[&fields[0], &fields[1]]);
        writer.push(body.as_bytes());
        writer.finish(Fields::new());
    };
    let slow = site.miss_beside_others("/page", &reload).await;
    let quick = site.miss_beside_others("/page", &reload).await;
    answer(quick, 36, "later").await;
    assert_eq!(site.ask("/page", &[]).await, stored("later"));
    answer(slow, 35, "earlier").await;
    assert_eq!(site.ask("/page", &[]).await, stored("later"));
    // What is asked for with the later one known is newer, whatever its clock says.
    let known = site.miss_beside_others("/page", &reload).await;
    answer(known, 34, "of another clock").await;
    assert_eq!(site.ask("/page", &[]).await, stored("of another clock"));
}

#[tokio::test]
async fn redis_keeps_it_as_long_as_it_is_of_use_and_no_variant_shortens_that() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let kept = || server.say::<i64>(&[b"PTTL", PAGE]) / 1000;
    let long = ["Cache-Control: max-age=1000, stale-if-error=500", "Vary: Accept", "ETag: \"a\""];
    site.fetch("/page", &["Accept: a"], &long, "a").await;
    site.ask("/page", &[]).await;
    let day = 24 * 3600;
    assert!((day + 1480..=day + 1500).contains(&kept()), "{}", kept());
    site.fetch("/page", &["Accept: b"], &[MAX_AGE, "Vary: Accept"], "b").await;
    site.ask("/page", &[]).await;
    assert!((day + 1480..=day + 1500).contains(&kept()), "{}", kept());
    site.fill("/short", "s").await;
    site.ask("/short", &[]).await;
    let short: i64 = server.say(&[b"PTTL", b"edgeproof:1:responses:http://example.com/short"]);
    assert!((3640..=3660).contains(&(short / 1000)), "{short}");
}

#[tokio::test]
async fn a_304_updates_the_response_in_its_place() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let response = [MAX_AGE, "ETag: \"a\"", "X-Version: 1"];
    site.fetch("/page", &[], &response, "one").await;
    let site = site.later(61);
    let forward = site.miss("/page", &[]).await;
    site.validated(forward, "/page", &[MAX_AGE, "ETag: \"a\"", "X-Version: 2"]);
    let Lookup::Reply(reply) = site.look_up("GET", "/page", &[]).await else { panic!("stale") };
    let versions: Vec<_> = reply.fields().filter(|(name, _)| *name == b"X-Version").collect();
    assert_eq!(versions, [(&b"X-Version"[..], &b"2"[..])]);
    assert_eq!(server.say::<u64>(&[b"HLEN", PAGE]), 1);
}

#[tokio::test]
async fn a_304_brings_nothing_back_that_was_removed_meanwhile() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fetch("/page", &[], &[MAX_AGE, "ETag: \"a\""], "one").await;
    let site = site.later(61);
    let forward = site.miss("/page", &[]).await;
    site.post("/page").await;
    site.validated(forward, "/page", &[MAX_AGE, "ETag: \"a\""]);
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert_eq!(server.say::<u64>(&[b"EXISTS", PAGE]), 0);
    assert_eq!(site.cache.stats().invalidated, 1);
}

#[tokio::test]
async fn what_was_asked_for_before_a_removal_is_not_stored_after_it() {
    let server = Server::running().await;
    let site = Site::over(&server);
    for removal in 0..4 {
        let target = format!("/late/{removal}");
        let forward = site.miss(&target, &[]).await;
        let mut writer = site.begin(forward, &target, &[], &[MAX_AGE]);
        match removal {
            0 => {}
            1 => site.post(&target).await,
            2 => assert_eq!(site.purge(&target, Purge::Exact).await, 0),
            _ => assert_eq!(site.purge("/", Purge::StartsWith).await, 1),
        }
        writer.push(b"old");
        writer.finish(Fields::new());
        let expected = if removal == 0 { stored("old") } else { Got::FromOrigin };
        assert_eq!(site.ask(&target, &[]).await, expected, "removal {removal}");
        // What is asked for afterwards is.
        if removal > 0 {
            site.fill(&target, "new").await;
            assert_eq!(site.ask(&target, &[]).await, stored("new"), "removal {removal}");
            site.post(&target).await;
        }
    }
}

#[tokio::test]
async fn a_purge_of_one_host_keeps_nothing_of_another_from_being_stored() {
    let server = Server::running().await;
    let (site, other) = (Site::over(&server), Site::over(&server).named("other.example"));
    let forward = site.miss("/page", &[]).await;
    let mut writer = site.begin(forward, "/page", &[], &[MAX_AGE]);
    other.purge("/", Purge::StartsWith).await;
    writer.push(b"one");
    writer.finish(Fields::new());
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
}

#[tokio::test]
async fn who_reads_what_was_superseded_meanwhile_does_not_validate_it_again() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let response = ["Cache-Control: max-age=60, stale-while-revalidate=60", "ETag: \"a\""];
    site.fetch("/page", &[], &response, "one").await;
    let site = site.later(61);
    let Lookup::Reply(mut reply) = site.look_up("GET", "/page", &[]).await else { panic!("stale") };
    let refresh = reply.take_refresh().expect("the right to validate");
    // A question that is on its way already when the validation ends.
    server.stall();
    let mut late = Box::pin(site.look_up("GET", "/page", &[]));
    assert!((&mut late).now_or_never().is_none());
    site.validated(*refresh, "/page", &response);
    drop(reply);
    server.go_on();
    let Lookup::Reply(mut late) = late.await else { panic!("it may be used stale") };
    assert!(late.take_refresh().is_none());
}

#[tokio::test]
async fn purges_remove_what_they_name_and_say_how_much() {
    let server = Server::running().await;
    let site = Site::over(&server);
    for target in ["/a/1.jpg", "/a/2.jpg", "/a/3.png", "/b[1]?x=*", "/b1?x=y", "/c"] {
        site.fill(target, target).await;
    }
    let vary = [MAX_AGE, "Vary: Accept"];
    site.fetch("/v", &["Accept: a"], &vary, "a").await;
    site.fetch("/v", &["Accept: b"], &vary, "b").await;
    assert_eq!(site.purge("/v", Purge::Exact).await, 2);
    assert_eq!(site.purge("/v", Purge::Exact).await, 0);
    assert_eq!(site.purge("/a/*.jpg", Purge::Wildcard).await, 2);
    assert_eq!(site.ask("/a/3.png", &[]).await, stored("/a/3.png"));
    // What means something in a pattern of Redis means itself in ours.
    assert_eq!(site.purge("/b[1]?x=", Purge::StartsWith).await, 1);
    assert_eq!(site.ask("/b1?x=y", &[]).await, stored("/b1?x=y"));
    assert_eq!(site.purge("/", Purge::StartsWith).await, 3);
    assert_eq!(site.ask("/c", &[]).await, Got::FromOrigin);
    assert_eq!(site.cache.stats().purged, 8);
}

#[tokio::test]
async fn a_purge_finds_all_of_many() {
    let server = Server::running().await;
    let site = Site::over(&server);
    join_all((0..2_000).map(async |at| site.fill(&format!("/many/{at}"), "x").await)).await;
    site.fill("/few", "x").await;
    assert_eq!(site.purge("/many/", Purge::StartsWith).await, 2_000);
    assert_eq!(site.ask("/few", &[]).await, stored("x"));
}

#[tokio::test]
async fn a_thousand_reads_share_a_connection_and_its_round_trips() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let targets: Vec<_> = (0..1_000).map(|at| format!("/page/{at}")).collect();
    join_all(targets.iter().map(async |target| site.fill(target, target).await)).await;
    let before = [server.figure("cmdstat_hgetall"), server.figure("total_reads_processed")];
    let got = join_all(targets.iter().map(async |target| site.ask(target, &[]).await)).await;
    for (got, target) in got.into_iter().zip(&targets) {
        assert_eq!(got, stored(target));
    }
    let commands = server.figure("cmdstat_hgetall") - before[0];
    let reads = server.figure("total_reads_processed") - before[1];
    assert_eq!(commands, 1_000);
    assert!(reads < commands / 2, "{reads} reads for {commands} commands");
}

#[tokio::test]
async fn one_request_at_a_time_validates_in_the_background() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let response = ["Cache-Control: max-age=60, stale-while-revalidate=60", "ETag: \"a\""];
    site.fetch("/page", &[], &response, "one").await;
    let site = site.later(61);
    let mut refreshes = Vec::new();
    for _ in 0..3 {
        let Lookup::Reply(mut reply) = site.look_up("GET", "/page", &[]).await else {
            panic!("it may be used stale");
        };
        refreshes.push(reply.take_refresh());
    }
    assert_eq!(refreshes.iter().filter(|refresh| refresh.is_some()).count(), 1);
    drop(refreshes);
    let Lookup::Reply(mut reply) = site.look_up("GET", "/page", &[]).await else { panic!("stale") };
    assert!(reply.take_refresh().is_some(), "the validation that came to nothing blocks others");
}

#[tokio::test]
async fn what_is_too_large_passes_by() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let limit = site.cache.store().limits().object;
    assert!(site.fill("/most", &"x".repeat(limit)).await);
    assert!(!site.fill("/more", &"x".repeat(limit + 1)).await);
    // No `assert_eq`: nobody wants to read all of it.
    assert!(site.ask("/most", &[]).await == stored(&"x".repeat(limit)), "it is not there");
    assert_eq!(site.ask("/more", &[]).await, Got::FromOrigin);
}

#[tokio::test]
async fn the_variants_of_a_url_stay_within_what_can_be_read_at_once() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let third = "x".repeat(site.cache.store().limits().object / 3);
    for at in 0..5 {
        let request = format!("Accept: {at}");
        site.fetch("/page", &[&request], &[MAX_AGE, "Vary: Accept"], &third).await;
    }
    assert_eq!(site.ask("/page", &["Accept: 4"]).await, stored(&third));
    assert_eq!(server.say::<u64>(&[b"HLEN", PAGE]), 3);
}

#[tokio::test]
async fn variants_that_come_at_once_stay_within_that_too() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let most = site.cache.store().limits().object;
    for (count, length) in [(300, 100), (30, most / 20)] {
        let target = format!("/{count}");
        let page =
            [b"edgeproof:1:responses:http://example.com".as_slice(), target.as_bytes()].concat();
        let (vary, body) = ([MAX_AGE, "Vary: Accept"], "x".repeat(length));
        let names: Vec<_> = (0..count).map(|at| format!("Accept: {at}")).collect();
        // All of them asked for before any is stored.
        let mut forwards = Vec::new();
        for name in &names {
            forwards.push(site.miss_beside_others(&target, &[name]).await);
        }
        for (forward, name) in forwards.into_iter().zip(&names) {
            let mut writer = site.begin(forward, &target, &[name], &vary);
            writer.push(body.as_bytes());
            assert!(writer.finish(Fields::new()));
        }
        let last = names.last().expect("some");
        until("the last one is stored", async || site.ask(&target, &[last]).await == stored(&body))
            .await;
        let records: Vec<Vec<u8>> = server.say(&[b"HVALS", &page]);
        let bytes: usize = records.iter().map(Vec::len).sum();
        assert!(records.len() <= 128 && bytes <= most + (64 << 10), "{} {bytes}", records.len());
        assert!(records.len() == 128 || bytes > most - 2 * length, "{} {bytes}", records.len());
    }
}

#[test]
fn a_wrong_address_is_refused() {
    for url in ["", "127.0.0.1:6379", "http://127.0.0.1/", "redis://h/x", "rediss://h/"] {
        let error = RedisSettings::at(url).expect_err(url).to_string();
        assert!(error.contains("redis://"), "{url}: {error}");
    }
    let settings = RedisSettings::at("redis://user:secret@127.0.0.1:6380/2").expect("a good URL");
    assert_eq!(settings.address(), "redis://127.0.0.1:6380");
    assert_ne!(settings, RedisSettings::at("redis://127.0.0.1:6380/2").expect("a good URL"));
}
