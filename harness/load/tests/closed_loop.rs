//! The generator against real sockets on loopback, each with a server of its own in the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use edgeproof_load::{LoadError, LoadPlan, Pace, Protocol, Subject, ab, run_load};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

/// A server that answers request N of all with `answer(N)`, and how many connections it has had.
fn server(answer: fn(u64) -> &'static [u8]) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (connections, requests) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let requests = Arc::clone(&requests);
            std::thread::spawn(move || serve(stream, &requests, answer));
        }
    });
    (address, connections)
}

fn serve(mut stream: TcpStream, requests: &AtomicU64, answer: fn(u64) -> &'static [u8]) {
    let mut buffer = [0; 4096];
    while let Ok(size) = stream.read(&mut buffer) {
        if size == 0 {
            return;
        }
        let bytes = answer(requests.fetch_add(1, Ordering::SeqCst));
        if stream.write_all(bytes).is_err() || bytes.windows(5).any(|w| w == b"close") {
            return;
        }
    }
}

fn plan(address: SocketAddr) -> LoadPlan {
    let request = b"GET / HTTP/1.1\r\nHost: load.test\r\n\r\n".to_vec();
    let limit = Duration::from_secs(30);
    LoadPlan { shots: 2, ..LoadPlan::closed(address, request, 4, 100, limit) }
}

fn clients(connections: usize) -> Pace {
    Pace::Closed { connections, think: Duration::ZERO }
}

#[test]
fn each_shot_makes_its_requests_on_kept_connections() {
    let (address, connections) = server(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
    let report = run_load(&plan(address)).unwrap();
    assert_eq!(report.shots.len(), 2);
    for shot in &report.shots {
        assert_eq!((shot.requests, shot.errors, shot.non_2xx, shot.unfinished), (100, 0, 0, 0));
        assert_eq!(shot.bytes, 100 * 41);
        assert!((shot.rps - 100.0 / shot.duration_s).abs() < 1e-6);
        assert!((shot.mean_us - 4.0 * shot.mean_across_all_us).abs() < 1e-6);
    }
    assert_eq!(report.total.requests, 200);
    assert_eq!(connections.load(Ordering::SeqCst), 8);
}

/// Of so many clients each makes a request for each time that he has thought, and the first too comes after a thought.
#[test]
fn clients_think_before_each_request() {
    let (address, connections) = server(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let think = Duration::from_millis(10);
    let pace = Pace::Closed { connections: 20, think };
    let thinking = LoadPlan { pace, requests: 200, shots: 1, ..plan(address) };
    let total = run_load(&thinking).unwrap().total;
    assert_eq!((total.requests, total.errors, total.clients()), (200, 0, 20));
    assert_eq!((total.think_s, connections.load(Ordering::SeqCst)), (0.01, 20));
    // Ten thoughts each; what chance makes of two hundred is far from half of that.
    assert!(total.duration_s > 0.05, "{}", total.duration_s);
    assert!((total.mean_us - total.latency_us.mean).abs() < 1e-6);
    // Who thinks about a request that is not left is not waited for.
    let pace = Pace::Closed { connections: 20, think: Duration::from_millis(200) };
    let few = LoadPlan { pace, requests: 5, shots: 3, ..thinking.clone() };
    let report = run_load(&few).unwrap();
    let told = |shot: &edgeproof_load::Shot| shot.series.iter().map(|s| s.requests).sum::<u64>();
    for shot in &report.shots {
        assert_eq!((shot.requests, told(shot)), (5, 5));
        // The last of five of twenty: all of them take some fifteen times as long.
        assert!(shot.duration_s < 0.6, "{}", shot.duration_s);
    }
    // Each shot has its own chance.
    let durations: Vec<u64> = report.shots.iter().map(|s| (s.duration_s * 1e3) as u64).collect();
    assert!(durations.windows(2).any(|two| two[0].abs_diff(two[1]) > 2), "{durations:?}");
    let pace = Pace::Closed { connections: 20, think: Duration::from_secs(3600) };
    let time_limit = Duration::from_millis(50);
    let total = run_load(&LoadPlan { pace, time_limit, ..thinking }).unwrap().total;
    assert_eq!((total.requests, total.errors, total.unfinished), (0, 0, 0));
}

#[test]
fn two_threads_share_the_clients_and_the_requests() {
    let (address, connections) = server(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let report =
        run_load(&LoadPlan { threads: 2, pace: clients(3), shots: 1, ..plan(address) }).unwrap();
    assert_eq!(report.total.requests, 100);
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[test]
fn without_keep_alive_each_request_has_its_connection() {
    let (address, connections) = server(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let report = run_load(&LoadPlan { keep_alive: false, shots: 1, ..plan(address) }).unwrap();
    assert_eq!(report.total.requests, 100);
    assert_eq!(connections.load(Ordering::SeqCst), 100);
}

#[test]
fn other_statuses_and_broken_answers_are_counted_apart() {
    let (address, _) = server(|n| match n % 4 {
        0 => b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        1 => b"HTTP/1.1 200 OK\r\nX: close\r\nContent-Length: 9\r\n\r\none",
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    });
    let report = run_load(&LoadPlan { pace: clients(1), shots: 1, ..plan(address) }).unwrap();
    let total = report.total;
    assert_eq!((total.requests, total.errors, total.non_2xx), (75, 25, 25));
}

/// What a smuggled request or a broken upstream leaves behind.
#[test]
fn answers_that_cannot_be_told_apart_are_errors_of_their_own() {
    let (address, _) = server(|n| {
        match n % 4 {
        0 => b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\none!",
        1 => b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none and more",
        2 => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    }
    });
    let total = run_load(&LoadPlan { pace: clients(1), shots: 1, ..plan(address) }).unwrap().total;
    assert_eq!((total.requests, total.errors), (25, 75));
    assert_eq!((total.error_kinds.lengths, total.error_kinds.surplus), (25, 50));
}

/// The second answer comes in a piece of its own, mostly when nothing is under way any more.
#[test]
fn an_answer_that_nobody_asked_for_is_found_at_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        // The first client is let wait until the second has had more than it asked for.
        let (mut first, _) = listener.accept().unwrap();
        let (mut second, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let _ = second.read(&mut buffer).unwrap();
        second.write_all(ANSWER).unwrap();
        let mut rest = second.try_clone().unwrap();
        std::thread::spawn(move || while let Ok(1..) = rest.read(&mut [0; 4096]) {});
        let _ = first.read(&mut buffer).unwrap();
        second.write_all(ANSWER).unwrap();
        first.write_all(ANSWER).unwrap();
        let _ = first.read(&mut buffer);
    });
    let plan = LoadPlan { requests: 2, pace: clients(2), shots: 1, ..plan(address) };
    let total = run_load(&plan).unwrap().total;
    // One that came with the first answer is found with it.
    assert_eq!((total.errors, total.error_kinds.surplus), (1, 1));
    assert!([1, 2].contains(&total.requests), "{}", total.requests);
}

/// A server that takes the second request of each connection and says nothing may have done what it asks.
#[test]
fn what_may_not_be_done_twice_is_not_sent_again() {
    for (method, errors) in [("POST", 50), ("GET", 0)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut buffer = [0; 4096];
                if stream.read(&mut buffer).is_ok_and(|size| size > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    let _ = stream.read(&mut buffer);
                }
            }
        });
        let request =
            format!("{method} / HTTP/1.1\r\nHost: load.test\r\nContent-Length: 0\r\n\r\n");
        let limit = Duration::from_secs(30);
        let plan = LoadPlan::closed(address, request.into_bytes(), 1, 100, limit);
        let total = run_load(&plan).unwrap().total;
        assert_eq!((total.requests, total.error_kinds.receive), (100 - errors, errors), "{method}");
        assert_eq!(total.retried, if errors > 0 { 0 } else { 99 }, "{method}");
    }
}

#[test]
fn a_target_that_is_gone_gives_errors_and_ends() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let report = run_load(&LoadPlan { shots: 1, ..plan(address) }).unwrap();
    assert_eq!((report.total.requests, report.total.errors), (0, 100));
    assert_eq!(report.total.rps, 0.0);
}

/// Clients that get no connection do not spin: each pauses for 10 ms, and the others have their turn.
#[test]
fn a_target_that_is_gone_is_not_asked_without_a_pause() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http2 = Protocol::Http2 { streams: NonZeroUsize::MIN };
    for protocol in [Protocol::Http1, http2] {
        let time_limit = Duration::from_millis(300);
        let plan = LoadPlan { protocol, time_limit, requests: u64::MAX, shots: 1, ..plan(address) };
        let total = run_load(&plan).unwrap().total;
        assert!((4..=4 * 31).contains(&total.error_kinds.connect), "{:?}", total.error_kinds);
    }
}

/// A process that dies under the load: all but its processor time is told.
#[test]
fn a_target_that_dies_leaves_its_figures() {
    let mut process =
        std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let pid = process.id();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut answered = || {
            let asked = stream.read(&mut [0; 4096]).is_ok_and(|size| size > 0);
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            asked && stream.write_all(answer).is_ok()
        };
        answered();
        process.kill().unwrap();
        process.wait().unwrap();
        while answered() {}
    });
    let plan = LoadPlan { server_pid: Some(pid), pace: clients(1), shots: 1, ..plan(address) };
    let report = run_load(&plan).unwrap();
    assert_eq!((report.total.requests, report.total.server_cpu_s), (100, None));
    assert!(report.total.server_gone);
    let subject = Subject { host: "h".into(), port: "1".into(), paths: vec!["/".into()] };
    let told = ab(&report, &subject).unwrap();
    assert!(told.contains("not known: its process ended under the load"), "{told}");
    assert!(run_load(&plan).is_err(), "there is nothing to be measured from the beginning on");
}

#[test]
fn a_target_that_never_answers_ends_with_the_time() {
    let (address, _) = server(|_| b"");
    let limit = Duration::from_millis(50);
    let report = run_load(&LoadPlan { time_limit: limit, shots: 1, ..plan(address) }).unwrap();
    // No answer at all is no accident of where the end fell.
    let total = report.total;
    assert_eq!((total.requests, total.errors, total.unfinished), (0, 4, 0));
    assert_eq!(total.error_kinds.timeout, 4);
}

#[test]
fn a_target_that_falls_silent_has_errors() {
    let answer = |number: u64| -> &'static [u8] {
        if number < 50 { b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" } else { b"" }
    };
    let (address, _) = server(answer);
    let limit = Duration::from_secs(1);
    let pace = clients(2);
    let plan = LoadPlan { time_limit: limit, shots: 1, pace, ..plan(address) };
    let total = run_load(&plan).unwrap().total;
    assert_eq!((total.requests, total.error_kinds.timeout, total.unfinished), (50, 2, 0));
}

#[test]
fn the_report_is_the_documented_json_with_a_histogram_that_others_read() {
    let (address, _) = server(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let report = run_load(&plan(address)).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    for key in ["requests", "errors", "duration_s", "rps", "bytes", "generator_cpu_us_per_request"]
    {
        assert!(json[key].is_number() && json["shots"][1][key].is_number(), "{key}");
    }
    for key in ["mean", "p50", "p90", "p99", "p999", "max"] {
        assert!(json["latency_us"][key].is_number(), "{key}");
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(&report.total.histogram).unwrap();
    let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
    assert_eq!(histogram.len(), 200);
    assert_eq!(histogram.max(), report.total.latency_us.max);
}

#[test]
fn a_plan_without_bounds_is_refused() {
    let address = "127.0.0.1:9".parse().unwrap();
    let refused = run_load(&LoadPlan { requests: 0, ..plan(address) });
    assert!(matches!(refused, Err(LoadError::Empty("requests"))));
    let refused = run_load(&LoadPlan { time_limit: Duration::ZERO, ..plan(address) });
    assert!(matches!(refused, Err(LoadError::Empty("time_limit"))));
}
