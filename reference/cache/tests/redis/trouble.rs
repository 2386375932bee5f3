//! A Redis that is gone, stalled, full, or holds what is not ours.

use std::time::{Duration, Instant};

use edgeproof_cache::{Purge, PurgeOwed};
use edgeproof_http1::Fields;

use crate::server::{Server, until};
use crate::site::{Got, Site, stored};
use crate::{MAX_AGE, PAGE};

const PURGED: &[u8] = b"edgeproof:1:responses:http://example.com/purged";
const HISTORY: &[u8] = b"edgeproof:1:removals";

#[tokio::test]
async fn a_redis_that_is_gone_is_a_miss_and_one_warning_until_it_is_back() {
    let mut server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.kill();
    for _ in 0..100 {
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
        site.fill("/page", "two").await;
        site.post("/page").await;
    }
    assert_eq!(site.try_purge("/", Purge::StartsWith).await, Err(PurgeOwed));
    until("it is told", async || site.warnings().len() == 1).await;
    assert!(site.warnings()[0].contains("going on without it"), "{:?}", site.warnings());
    assert!(!site.stats().reachable);
    server.start().await;
    until("it is back", async || site.warnings().len() == 2).await;
    assert!(site.warnings()[1].contains("back after"), "{:?}", site.warnings());
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    until("it stores again", async || {
        site.fill("/page", "three").await;
        site.ask("/page", &[]).await == stored("three")
    })
    .await;
    until("it is made up for", async || site.stats().owed == 0).await;
    assert_eq!(site.stats().outages, 1);
    assert_eq!(site.warnings().len(), 2, "{:?}", site.warnings());
}

#[tokio::test]
async fn a_redis_that_is_not_there_yet_is_used_when_it_is() {
    let mut server = Server::absent();
    let site = Site::over(&server);
    assert!(!site.fill("/page", "one").await);
    assert_eq!(site.warnings().len(), 1);
    server.start().await;
    until("it is used", async || site.stats().reachable).await;
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
}

#[tokio::test]
async fn a_redis_that_stalls_costs_one_timeout_and_nothing_while_it_stalls() {
    let server = Server::running().await;
    let limit = Duration::from_millis(500);
    let site = Site::with_timeout(&server, limit);
    site.fill("/page", "one").await;
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.stall();
    let asked = Instant::now();
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert!(asked.elapsed() >= limit, "nobody waited for it");
    until("it is noticed", async || !site.stats().reachable).await;
    let asked = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    }
    assert!(asked.elapsed() < limit, "a thousand misses took {:?}", asked.elapsed());
    // Removed while it cannot be told: it is made up for before anything is read again.
    site.post("/page").await;
    until("it is owed", async || site.stats().owed == 1).await;
    server.go_on();
    until("it is back", async || site.ask("/kept", &[]).await == stored("kept")).await;
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    until("it is made up for", async || site.stats().owed == 0).await;
    assert_eq!(server.say::<u64>(&[b"EXISTS", PAGE]), 0);
    assert!(site.warnings().len() >= 2, "{:?}", site.warnings());
    assert!(site.warnings()[0].contains("no answer within 500 ms"), "{:?}", site.warnings());
}

#[tokio::test]
async fn a_removal_that_was_broken_off_is_owed() {
    let server = Server::running().await;
    let site = Site::with_timeout(&server, Duration::from_millis(500));
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/kept", &[]).await, stored("kept"));
    server.stall();
    // It is told before anybody knows that no answer will come.
    site.post("/page").await;
    assert_eq!(site.ask("/kept", &[]).await, Got::FromOrigin);
    until("it is owed", async || site.stats().owed == 1).await;
    server.go_on();
    until("it is back", async || site.ask("/kept", &[]).await == stored("kept")).await;
    until("it is made up for", async || site.stats().owed == 0).await;
}

#[tokio::test]
async fn a_walk_takes_as_long_as_it_takes_and_holds_up_nobody() {
    let server = Server::running().await;
    let relay = server.behind_a_slow_walk(Duration::from_millis(450)).await;
    let site = Site::at(&relay, Duration::from_secs(10));
    until("it is used", async || site.stats().reachable).await;
    site.fill("/page", "one").await;
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    // Two walks over them at once, of 500 keys a step.
    server.say::<()>(&[b"DEBUG", b"POPULATE", b"12000", b"of-others", b"1"]);
    let asked = Instant::now();
    let mut purge = Box::pin(site.try_purge("/pa", Purge::StartsWith));
    let mut hits = 0;
    let removed = loop {
        tokio::select! {
            removed = &mut purge => break removed,
            got = site.ask("/kept", &[]) => {
                assert_eq!(got, stored("kept"));
                hits += 1;
            }
        }
    };
    assert_eq!(removed, Ok(1));
    assert!(asked.elapsed() > Duration::from_secs(10), "no long walk: {:?}", asked.elapsed());
    assert!(hits > 10, "{hits} hits meanwhile");
    let stats = site.stats();
    assert_eq!((stats.reachable, stats.outages, stats.owed), (true, 0, 0));
}

#[tokio::test]
async fn what_a_walk_that_is_owed_covers_is_missed_until_it_is_done_and_nothing_else() {
    let server = Server::running().await;
    let relay = server.behind_a_slow_walk(Duration::from_millis(200)).await;
    let site = Site::at(&relay, Duration::from_secs(1));
    until("it is used", async || site.stats().reachable).await;
    site.fill("/page", "one").await;
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.say::<()>(&[b"DEBUG", b"POPULATE", b"5000", b"of-others", b"1"]);
    server.stall();
    assert_eq!(site.try_purge("/pa", Purge::StartsWith).await, Err(PurgeOwed));
    server.go_on();
    until("others are served", async || site.ask("/kept", &[]).await == stored("kept")).await;
    assert!(site.stats().owed > 0, "the walk was waited for");
    while site.stats().owed > 0 {
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
        assert_eq!(site.ask("/kept", &[]).await, stored("kept"));
    }
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert_eq!(server.say::<u64>(&[b"EXISTS", PAGE]), 0);
}

#[tokio::test]
async fn a_redis_that_takes_no_writes_answers() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/kept", &[]).await, stored("kept"));
    // A replica of nobody.
    server.say::<()>(&[b"REPLICAOF", b"127.0.0.1", b"1"]);
    site.fill("/new", "new").await;
    assert_eq!(site.ask("/new", &[]).await, Got::FromOrigin);
    assert_eq!(site.ask("/kept", &[]).await, stored("kept"));
    let stats = site.stats();
    assert_eq!((stats.reachable, stats.outages, stats.refused), (true, 0, 1));
    // But for what it can no longer be told to remove.
    site.fetch("/kept", &["Cache-Control: no-cache"], &[MAX_AGE], "new").await;
    until("it is owed", async || site.stats().owed == 1).await;
    assert_eq!(site.ask("/kept", &[]).await, Got::FromOrigin);
    server.say::<()>(&[b"REPLICAOF", b"NO", b"ONE"]);
    until("it is made up for", async || site.stats().owed == 0).await;
    assert_eq!(site.ask("/kept", &[]).await, Got::FromOrigin);
}

#[tokio::test]
async fn a_redis_that_is_full_stores_nothing_but_answers_and_removes() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    site.fill("/kept", "kept").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.say::<()>(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let scripts = server.figure("cmdstat_evalsha");
    for at in 0..20 {
        site.fill(&format!("/new/{at}"), "new").await;
        assert_eq!(site.ask(&format!("/new/{at}"), &[]).await, Got::FromOrigin);
    }
    assert_eq!(site.ask("/kept", &[]).await, stored("kept"));
    assert_eq!(site.stats().refused, 20);
    let tried = server.figure("cmdstat_evalsha") - scripts;
    assert!(tried < 10, "it was asked {tried} times, and is to be left alone for a second");
    assert_eq!(site.warnings().len(), 1, "{:?}", site.warnings());
    assert!(site.warnings()[0].contains("storing nothing"), "{:?}", site.warnings());
    // An unsafe request and a purge still remove.
    site.post("/page").await;
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert_eq!(site.purge("/", Purge::StartsWith).await, 1);
    assert_eq!((site.stats().reachable, site.stats().owed), (true, 0));
    server.say::<()>(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
    until("it stores again", async || {
        site.fill("/page", "two").await;
        site.ask("/page", &[]).await == stored("two")
    })
    .await;
    assert_eq!(site.warnings().len(), 2, "{:?}", site.warnings());
}

#[tokio::test]
async fn a_response_that_a_full_redis_refuses_takes_the_one_it_supersedes_along() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.say::<()>(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    site.fetch("/page", &["Cache-Control: no-cache"], &[MAX_AGE], "two").await;
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
}

#[tokio::test]
async fn while_a_full_redis_is_left_alone_it_is_told_what_is_superseded() {
    let server = Server::running().await;
    let site = Site::over(&server);
    let with_validator = [MAX_AGE, "ETag: \"a\""];
    for target in ["/page", "/kept", "/validated"] {
        site.fetch(target, &[], &with_validator, "one").await;
        assert_eq!(site.ask(target, &[]).await, stored("one"));
    }
    server.say::<()>(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let validate = site.miss("/validated", &["Cache-Control: no-cache"]).await;
    site.fill("/refused", "new").await;
    assert_eq!(site.ask("/kept", &[]).await, stored("one"));
    assert_eq!(site.stats().refused, 1);
    let scripts = server.figure("cmdstat_evalsha");
    // A reload: nobody is answered with what was there before it.
    site.fetch("/page", &["Cache-Control: no-cache"], &[MAX_AGE], "two").await;
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    // And a validation that has changed the response.
    site.validated(validate, "/validated", &with_validator);
    assert_eq!(site.ask("/validated", &[]).await, Got::FromOrigin);
    assert_eq!(site.ask("/kept", &[]).await, stored("one"));
    assert_eq!(site.stats().refused, 3);
    let discards = server.figure("cmdstat_evalsha") - scripts;
    assert_eq!(discards, 1, "records were sent to it");
}

#[tokio::test]
async fn what_is_no_record_is_dropped_counted_and_fetched_again() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    let names: Vec<Vec<u8>> = server.say(&[b"HKEYS", PAGE]);
    let record: Vec<u8> = server.say(&[b"HGET", PAGE, &names[0]]);
    let mut versioned = record.clone();
    versioned[8] += 1;
    let mut damaged = record.clone();
    *damaged.last_mut().expect("not empty") ^= 1;
    let truncated = &record[..record.len() - 1];
    let cases: [&[u8]; 5] = [truncated, &versioned, &damaged, b"{\"a\": 1}", b""];
    for (at, bytes) in cases.into_iter().enumerate() {
        server.say::<u64>(&[b"HSET", PAGE, &names[0], bytes]);
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin, "case {at}");
        assert_eq!(site.stats().corrupted, at as u64 + 1);
        // The drop was told first, the question after it is answered after it.
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin, "case {at}");
        assert_eq!(server.say::<u64>(&[b"EXISTS", PAGE]), 0, "case {at} is still there");
        site.fill("/page", "again").await;
        assert_eq!(site.ask("/page", &[]).await, stored("again"), "case {at}");
    }
    assert_eq!(site.warnings(), [""; 0]);
}

#[tokio::test]
async fn a_damaged_variant_costs_no_other() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.say::<u64>(&[b"HSET", PAGE, b"of somebody else", b"text"]);
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    assert_eq!(server.say::<u64>(&[b"HLEN", PAGE]), 1);
    assert_eq!(site.stats().corrupted, 1);
}

#[tokio::test]
async fn keys_of_another_kind_are_dropped_or_suffered() {
    let server = Server::running().await;
    let site = Site::over(&server);
    server.say::<()>(&[b"SET", PAGE, b"a text"]);
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert_eq!(site.stats().corrupted, 1);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    // Where there is no history of removals, nobody knows what was removed.
    server.say::<()>(&[b"SET", HISTORY, b"a text"]);
    until("it begins another one", async || {
        site.fill("/page", "two").await;
        site.ask("/page", &[]).await == stored("two")
    })
    .await;
    until("all else is removed", async || site.stats().owed == 0).await;
    assert_eq!(server.say::<String>(&[b"TYPE", HISTORY]), "hash");
}

#[tokio::test]
async fn a_redis_that_has_forgotten_the_scripts_is_told_again() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.fill("/page", "one").await;
    assert_eq!(site.ask("/page", &[]).await, stored("one"));
    server.say::<()>(&[b"SCRIPT", b"FLUSH"]);
    // Removals need none.
    site.post("/page").await;
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    until("it stores again", async || {
        site.fill("/page", "two").await;
        site.ask("/page", &[]).await == stored("two")
    })
    .await;
}

#[tokio::test]
async fn a_history_that_was_lost_counts_as_a_removal() {
    let server = Server::running().await;
    let site = Site::over(&server);
    site.post("/page").await;
    let forward = site.miss("/page", &[]).await;
    server.say::<()>(&[b"FLUSHALL"]);
    let mut writer = site.begin(forward, "/page", &[], &[MAX_AGE]);
    writer.push(b"old");
    writer.finish(Fields::new());
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    until("it begins another one", async || {
        site.fill("/page", "new").await;
        site.ask("/page", &[]).await == stored("new")
    })
    .await;
}

#[tokio::test]
async fn what_was_removed_does_not_come_back_with_a_redis_that_is_restored() {
    let mut server = Server::running().await;
    let (site, idle) = (Site::over(&server), Site::over(&server));
    for target in ["/purged", "/posted", "/kept"] {
        site.fill(target, "old").await;
        assert_eq!(site.ask(target, &[]).await, stored("old"));
    }
    server.say::<()>(&[b"SAVE"]);
    assert_eq!(site.purge("/purged", Purge::Exact).await, 1);
    site.post("/posted").await;
    assert_eq!(site.ask("/posted", &[]).await, Got::FromOrigin);
    assert_eq!(idle.ask("/posted", &[]).await, Got::FromOrigin);
    let late = site.miss("/late", &[]).await;
    server.kill();
    server.start().await;
    assert_eq!(server.say::<u64>(&[b"EXISTS", PURGED]), 1, "it was not restored");
    for site in [&site, &idle] {
        until("it is back", async || {
            site.ask("/other", &[]).await;
            site.stats().reachable && site.stats().outages == 1
        })
        .await;
        for target in ["/purged", "/posted"] {
            assert_eq!(site.ask(target, &[]).await, Got::FromOrigin);
        }
    }
    // What was asked for before that is not stored either.
    let mut writer = site.begin(late, "/late", &[], &[MAX_AGE]);
    writer.push(b"old");
    writer.finish(Fields::new());
    until("it is used again", async || {
        site.fill("/kept", "new").await;
        site.ask("/kept", &[]).await == stored("new")
    })
    .await;
    assert_eq!(site.ask("/late", &[]).await, Got::FromOrigin);
    until("all is made up for", async || site.stats().owed + idle.stats().owed == 0).await;
    assert_eq!(server.say::<u64>(&[b"EXISTS", PURGED]), 0);
    // Once, and not again for that.
    assert_eq!(site.stats().outages, 1);
}

#[tokio::test]
async fn what_is_superseded_while_redis_is_gone_does_not_come_back() {
    let mut server = Server::running().await;
    let site = Site::over(&server);
    for target in ["/page", "/kept"] {
        site.fill(target, "one").await;
        assert_eq!(site.ask(target, &[]).await, stored("one"));
    }
    server.say::<()>(&[b"SAVE"]);
    // One that is told to it in vain, one that is not told any more.
    for noticed in [false, true] {
        let forward = site.miss("/page", &["Cache-Control: no-cache"]).await;
        server.kill();
        if noticed {
            until("it is noticed", async || {
                site.ask("/other", &[]).await;
                !site.stats().reachable
            })
            .await;
        }
        let mut writer = site.begin(forward, "/page", &[], &[MAX_AGE]);
        writer.push(b"two");
        writer.finish(Fields::new());
        until("it is owed", async || site.stats().owed == 1).await;
        server.start().await;
        until("it is made up for", async || site.stats().owed == 0).await;
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin, "noticed: {noticed}");
        assert_eq!(site.ask("/kept", &[]).await, stored("one"));
        site.fill("/page", "one").await;
        assert_eq!(site.ask("/page", &[]).await, stored("one"));
        server.say::<()>(&[b"SAVE"]);
    }
}

#[tokio::test]
async fn a_removal_is_not_evicted_before_what_it_keeps_from_being_stored() {
    let server = Server::running().await;
    let site = Site::over(&server);
    for volatile in [true, false] {
        let forward = site.miss("/page", &[]).await;
        site.post("/page").await;
        // It is told after that.
        assert_eq!(site.ask("/other", &[]).await, Got::FromOrigin);
        // Nothing more can be evicted than this.
        for name in server.say::<Vec<Vec<u8>>>(&[b"KEYS", b"*"]) {
            if !volatile || server.say::<i64>(&[b"PTTL", &name]) >= 0 {
                server.say::<()>(&[b"DEL", &name]);
            }
        }
        let mut writer = site.begin(forward, "/page", &[], &[MAX_AGE]);
        writer.push(b"old");
        writer.finish(Fields::new());
        assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin, "volatile: {volatile}");
    }
}

#[tokio::test]
async fn many_removals_take_one_key_of_a_bounded_size() {
    let server = Server::running().await;
    let site = Site::over(&server);
    for at in 0..3_000 {
        site.post(&format!("/page/{at}")).await;
    }
    assert_eq!(site.ask("/page", &[]).await, Got::FromOrigin);
    assert_eq!(server.say::<u64>(&[b"DBSIZE"]), 1);
    let marks: u64 = server.say(&[b"HLEN", HISTORY]);
    assert!((900..1_100).contains(&marks), "{marks}");
}
