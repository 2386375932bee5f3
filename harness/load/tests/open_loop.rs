//! The open loop against servers that stall, and what the closed loop hides of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use edgeproof_load::{
    Arrivals, LoadPlan, Pace, Protocol, Replay, Schedule, Watch, run_load, run_watched,
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
/// One second of every five, ten times as fast.
const CYCLE: Duration = Duration::from_millis(500);
const STALL: Duration = Duration::from_millis(100);

/// Answers at once, but not in the first `stall` of each cycle: then when that is over.
fn stalling(stall: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let began = Instant::now();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, began, stall));
        }
    });
    address
}

fn serve(mut stream: TcpStream, began: Instant, stall: Duration) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|size| size > 0) {
        let cycles = began.elapsed().as_nanos() / CYCLE.as_nanos();
        let until = began + CYCLE * u32::try_from(cycles).unwrap() + stall;
        while Instant::now() < until {
            std::thread::park_timeout(until - Instant::now());
        }
        if stream.write_all(ANSWER).is_err() {
            return;
        }
    }
}

fn closed(address: SocketAddr, requests: u64) -> LoadPlan {
    let request = b"GET / HTTP/1.1\r\nHost: load.test\r\n\r\n".to_vec();
    LoadPlan::closed(address, request, 1, requests, Duration::from_secs(30))
}

fn open(address: SocketAddr, rate: &str, lasts: Duration, most_connections: usize) -> LoadPlan {
    let schedule = Schedule::parse(rate, Some(lasts)).unwrap();
    let pace = Pace::Open { schedule, arrivals: Arrivals::Even, most_connections };
    LoadPlan { pace, time_limit: lasts, ..closed(address, u64::MAX) }
}

#[test]
fn a_stall_shows_in_an_open_loop_and_hides_in_a_closed_one() {
    let address = stalling(STALL);
    let report = run_load(&open(address, "200", CYCLE * 4, 500)).unwrap().total;
    assert_eq!((report.requests, report.errors, report.unfinished), (400, 0, 0));
    let stall = u64::try_from(STALL.as_micros()).unwrap();
    assert!(report.latency_us.p99 >= stall * 9 / 10, "{:?}", report.latency_us);

    let report = run_load(&closed(address, 2000)).unwrap().total;
    assert_eq!(report.requests, 2000);
    assert!(report.latency_us.p99 < stall / 2, "{:?}", report.latency_us);
}

/// With one connection the others wait their turn: that wait is in the figure, and told apart from it.
#[test]
fn waiting_for_a_connection_counts_from_the_plan() {
    let address = stalling(STALL);
    let report = run_load(&open(address, "200", CYCLE * 2, 1)).unwrap().total;
    let open = report.open.unwrap();
    assert_eq!((report.requests + report.unfinished, report.connections), (200, 1));
    assert!(open.waited > 0);
    let stall = u64::try_from(STALL.as_micros()).unwrap();
    assert!(report.latency_us.p90 >= stall / 3, "{:?}", report.latency_us);
    assert!(open.uncorrected_latency_us.mean <= report.latency_us.mean);
    assert_eq!(open.offered_rps, 200.0);
}

#[test]
fn a_schedule_sends_what_it_promises_on_any_number_of_threads() {
    let address = stalling(Duration::ZERO);
    for threads in [1, 3] {
        let plan = open(address, "0..200@200ms,200@200ms", Duration::from_millis(400), 50);
        let report = run_load(&LoadPlan { threads, ..plan }).unwrap().total;
        assert_eq!(report.requests + report.unfinished, 60);
        assert_eq!(report.errors, 0);
    }
}

#[test]
fn a_count_ends_an_open_loop_too() {
    let address = stalling(Duration::ZERO);
    let plan = LoadPlan { requests: 25, ..open(address, "1000", Duration::from_secs(20), 50) };
    let report = run_load(&plan).unwrap().total;
    assert_eq!(report.requests, 25);
    assert!(report.duration_s < 10.0);
}

/// Two requests in half a second are four a second, however soon the second has its answer.
#[test]
fn a_rate_counts_the_time_of_its_schedule() {
    let address = stalling(Duration::ZERO);
    for protocol in [Protocol::Http1, Protocol::Http2 { streams: NonZeroUsize::MIN }] {
        let plan = open(address, "4", Duration::from_millis(500), 50);
        let report = run_load(&LoadPlan { protocol, ..plan }).unwrap().total;
        assert_eq!(report.requests + report.errors, 2);
        assert!(report.duration_s >= 0.5, "{}", report.duration_s);
    }
}

#[test]
fn the_offered_rate_is_that_of_what_was_played() {
    let address = stalling(Duration::ZERO);
    let ramp = "0..1000@10s";
    let plan = LoadPlan { requests: 20, ..open(address, ramp, Duration::from_secs(10), 50) };
    let report = run_load(&plan).unwrap().total;
    // 50·t² = 20
    let offered = report.open.unwrap().offered_rps;
    assert!((offered - 20.0 / 0.4_f64.sqrt()).abs() < 0.1, "{offered}");
    assert!((report.rps / offered - 1.0).abs() < 0.5, "{}", report.rps);

    let told = (0..30).map(|at| (at * 10_000, 0)).chain([(3_600_000_000, 0)]).collect();
    let replay = Replay::new(told, Duration::ZERO, 1.0).unwrap();
    let pace = Pace::Replay { replay, most_connections: 10 };
    let plan = LoadPlan { pace, time_limit: Duration::from_millis(400), ..plan };
    let report = run_load(&LoadPlan { requests: u64::MAX, ..plan }).unwrap().total;
    assert_eq!((report.requests, report.open.unwrap().offered_rps), (30, 75.0));
}

/// A target that never answers: every request ends as an error when its time is over.
#[test]
fn requests_that_take_too_long_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plan = open(address, "100", Duration::from_millis(100), 50);
    let plan = LoadPlan { request_limit: Duration::from_millis(50), ..plan };
    let report = run_load(&plan).unwrap().total;
    assert_eq!((report.requests, report.errors, report.error_kinds.timeout), (0, 10, 10));
}

#[test]
fn the_seconds_of_a_shot_add_up_to_it() {
    let address = stalling(Duration::ZERO);
    let plan = open(address, "100", Duration::from_millis(1500), 50);
    let report = run_load(&LoadPlan { threads: 2, ..plan }).unwrap();
    let series = &report.shots[0].series;
    assert_eq!(series.iter().map(|second| second.requests).sum::<u64>(), report.total.requests);
    assert!(series.iter().enumerate().all(|(n, second)| second.second == n as u64), "{series:?}");
    assert!(series.len() >= 2);
}

#[test]
fn a_watcher_stops_a_load_and_gets_what_was_measured() {
    let address = stalling(Duration::ZERO);
    for plan in [closed(address, u64::MAX), open(address, "1000", Duration::from_secs(30), 9)] {
        let watch = Watch::default();
        let report = std::thread::scope(|scope| {
            let running = scope.spawn(|| run_watched(&LoadPlan { shots: 3, ..plan }, &watch));
            while watch.seconds().is_empty() {
                std::thread::yield_now();
            }
            watch.stop();
            running.join().unwrap().unwrap()
        });
        assert!(report.interrupted && report.shots.len() == 1);
        assert!(report.total.requests > 0 && report.total.duration_s < 29.0);
    }
}
