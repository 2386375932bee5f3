//! HTTP/2 against servers in the test: by prior knowledge, by ALPN, and by servers that end connections.

mod support;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use edgeproof_load::{
    Address, Arrivals, Endpoint, LoadError, LoadPlan, Pace, Protocol, Replay, Request, Schedule,
    Tls, run_load,
};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};

/// How a server behaves.
#[derive(Debug, Clone, Copy)]
struct Manners {
    status: u16,
    /// A connection is ended after so many requests.
    requests: usize,
    /// Every request is broken off.
    reset: bool,
    stall: Option<Duration>,
    /// No more than so many requests are answered.
    answers: usize,
}

const GOOD: Manners =
    Manners { status: 200, requests: usize::MAX, reset: false, stall: None, answers: usize::MAX };

/// What a server has seen.
#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    at_a_time: AtomicUsize,
    most_at_a_time: AtomicUsize,
    heads: AtomicUsize,
}

/// Starts a server; with a configuration it speaks TLS.
fn server(manners: Manners, tls: Option<Arc<rustls::ServerConfig>>) -> (SocketAddr, Arc<Seen>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Seen>::default();
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, tls) = (Arc::clone(&counted), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, manners, seen).await,
                        Some(tls) => {
                            let acceptor = tokio_rustls::TlsAcceptor::from(tls);
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, manners, seen).await;
                            }
                        }
                    }
                });
            }
        });
    });
    (address, seen)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, manners: Manners, seen: Arc<Seen>) {
    seen.connections.fetch_add(1, Ordering::SeqCst);
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let mut served = 0;
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        served += 1;
        if served == manners.requests {
            connection.graceful_shutdown();
        }
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let number = seen.requests.fetch_add(1, Ordering::SeqCst);
            if number >= manners.answers {
                return std::future::pending().await;
            }
            let now = seen.at_a_time.fetch_add(1, Ordering::SeqCst) + 1;
            seen.most_at_a_time.fetch_max(now, Ordering::SeqCst);
            let is_head = request.method() == "HEAD";
            seen.heads.fetch_add(usize::from(is_head), Ordering::SeqCst);
            if let Some(stall) = manners.stall {
                tokio::time::sleep(stall).await;
            }
            tokio::task::yield_now().await;
            seen.at_a_time.fetch_sub(1, Ordering::SeqCst);
            if manners.reset {
                answer.send_reset(h2::Reason::INTERNAL_ERROR);
                return;
            }
            let head = http::Response::builder().status(manners.status).body(()).unwrap();
            if let Ok(mut body) = answer.send_response(head, is_head)
                && !is_head
            {
                let _ = body.send_data(Bytes::from_static(b"one"), true);
            }
        });
    }
}

fn plan(endpoint: impl Into<Endpoint>, connections: usize, streams: usize) -> LoadPlan {
    let request = b"GET / HTTP/1.1\r\nHost: load.test\r\nConnection: Keep-Alive\r\n\r\n".to_vec();
    let protocol = Protocol::Http2 { streams: NonZeroUsize::new(streams).unwrap() };
    let limit = Duration::from_secs(30);
    LoadPlan { protocol, ..LoadPlan::closed(endpoint, request, connections, 200, limit) }
}

#[test]
fn streams_share_the_connections() {
    let (address, seen) = server(GOOD, None);
    let total = run_load(&plan(address, 2, 8)).unwrap().total;
    assert_eq!((total.requests, total.errors, total.non_2xx, total.unfinished), (200, 0, 0, 0));
    assert_eq!((total.connections, total.streams, total.clients()), (2, 8, 16));
    assert_eq!(seen.connections.load(Ordering::SeqCst), 2);
    let most = seen.most_at_a_time.load(Ordering::SeqCst);
    assert!(most > 2 && most <= 16, "{most}");
    assert!(total.bytes > 200 * 3 && total.first_byte_us.is_some() && total.connect_us.is_some());
}

#[test]
fn clients_think_before_each_request() {
    let (address, _seen) = server(GOOD, None);
    let think =
        |think| LoadPlan { pace: Pace::Closed { connections: 2, think }, ..plan(address, 2, 10) };
    let total = run_load(&think(Duration::from_millis(10))).unwrap().total;
    assert_eq!((total.requests, total.errors, total.think_s), (200, 0, 0.01));
    assert!(total.duration_s > 0.05, "{}", total.duration_s);
    let few = LoadPlan { requests: 5, ..think(Duration::from_secs(2)) };
    let total = run_load(&few).unwrap().total;
    assert_eq!(total.requests, 5);
    // The slowest of twenty thinks for seven seconds, the fifth for less than one.
    assert!(total.duration_s < 3.0, "{}", total.duration_s);
    let time_limit = Duration::from_millis(50);
    let forever = LoadPlan { time_limit, ..think(Duration::from_secs(3600)) };
    let total = run_load(&forever).unwrap().total;
    assert_eq!((total.requests, total.errors, total.unfinished), (0, 0, 0));
}

#[test]
fn threads_share_the_load() {
    let (address, seen) = server(GOOD, None);
    let total = run_load(&LoadPlan { threads: 2, ..plan(address, 3, 2) }).unwrap().total;
    assert_eq!((total.requests, total.connections), (200, 3));
    assert_eq!(seen.requests.load(Ordering::SeqCst), 200);
}

#[test]
fn bad_answers_and_broken_streams_are_counted_as_what_they_are() {
    let (address, _) = server(Manners { status: 503, ..GOOD }, None);
    let total = run_load(&plan(address, 1, 4)).unwrap().total;
    assert_eq!((total.requests, total.non_2xx, total.errors), (200, 200, 0));
    let (address, seen) = server(Manners { reset: true, ..GOOD }, None);
    let total = run_load(&plan(address, 1, 4)).unwrap().total;
    assert_eq!((total.requests, total.error_kinds.receive), (0, 200));
    assert_eq!(seen.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_server_that_ends_its_connections_loses_no_request() {
    let (address, seen) = server(Manners { requests: 7, ..GOOD }, None);
    let total = run_load(&plan(address, 2, 4)).unwrap().total;
    assert_eq!((total.requests, total.errors), (200, 0));
    assert!(seen.connections.load(Ordering::SeqCst) > 10);
}

#[test]
fn a_server_of_http1_gives_no_answer_by_http2() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            use std::io::{Read as _, Write as _};
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let total = run_load(&LoadPlan { requests: 5, ..plan(address, 1, 1) }).unwrap().total;
    assert_eq!((total.requests, total.errors), (0, 5), "{:?}", total.error_kinds);
}

#[test]
fn a_request_that_takes_too_long_is_a_timeout() {
    let (address, _) = server(Manners { stall: Some(Duration::from_secs(600)), ..GOOD }, None);
    let request_limit = Duration::from_millis(50);
    let total =
        run_load(&LoadPlan { request_limit, requests: 4, ..plan(address, 1, 2) }).unwrap().total;
    assert_eq!((total.requests, total.error_kinds.timeout), (0, 4));
}

#[test]
fn time_ends_a_shot_and_where_nothing_was_answered_all_had_no_answer() {
    let (address, _) = server(Manners { stall: Some(Duration::from_secs(600)), ..GOOD }, None);
    let time_limit = Duration::from_millis(100);
    let began = Instant::now();
    let total = run_load(&LoadPlan { time_limit, ..plan(address, 2, 3) }).unwrap().total;
    assert_eq!((total.requests, total.error_kinds.timeout, total.unfinished), (0, 6, 0));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_falls_silent_has_errors() {
    let (address, _) = server(Manners { answers: 50, ..GOOD }, None);
    let time_limit = Duration::from_secs(1);
    let total = run_load(&LoadPlan { time_limit, ..plan(address, 2, 3) }).unwrap().total;
    assert_eq!((total.requests, total.error_kinds.timeout, total.unfinished), (50, 6, 0));
}

#[test]
fn a_full_queue_of_a_unix_socket_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = support::short_queue(&path);
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, GOOD, Arc::default()));
            }
        });
    });
    let endpoint = Endpoint { address: Address::Unix(path), tls: None };
    let total = run_load(&plan(endpoint, 50, 1)).unwrap().total;
    assert_eq!((total.requests, total.errors), (200, 0), "{:?}", total.first_error);
}

#[test]
fn an_open_loop_keeps_its_plan() {
    let (address, seen) = server(GOOD, None);
    let time = Duration::from_millis(500);
    let schedule = Schedule::constant(400.0, time).unwrap();
    let pace = Pace::Open { schedule, arrivals: Arrivals::Even, most_connections: 2 };
    let asked = LoadPlan { pace, requests: u64::MAX, time_limit: time, ..plan(address, 1, 10) };
    let total = run_load(&asked).unwrap().total;
    assert_eq!((total.requests, total.errors, total.unfinished), (200, 0, 0));
    assert_eq!(total.open.unwrap().offered_rps, 400.0);
    assert!(seen.connections.load(Ordering::SeqCst) <= 2);
}

#[test]
fn a_stall_is_in_the_latency_of_an_open_loop() {
    let (address, _) = server(Manners { stall: Some(Duration::from_millis(50)), ..GOOD }, None);
    let time = Duration::from_millis(500);
    let schedule = Schedule::constant(100.0, time).unwrap();
    // One at a time: twenty a second are served, a hundred are asked for.
    let pace = Pace::Open { schedule, arrivals: Arrivals::Even, most_connections: 1 };
    let asked = LoadPlan { pace, requests: u64::MAX, time_limit: time, ..plan(address, 1, 1) };
    let total = run_load(&asked).unwrap().total;
    let open = total.open.as_ref().unwrap();
    assert!(open.waited > 20, "{}", open.waited);
    assert!(total.latency_us.max > 2 * open.uncorrected_latency_us.p50, "{total:?}");
    assert!(total.unfinished > 0);
}

#[test]
fn a_log_is_replayed_by_either_protocol() {
    let (address, seen) = server(GOOD, None);
    let head = b"HEAD / HTTP/1.1\r\nHost: load.test\r\n\r\n".to_vec();
    let told = (0..30).map(|at| (at * 20_000, usize::from(at % 3 == 0))).collect();
    let replay = Replay::new(told, Duration::ZERO, 10.0).unwrap();
    let mut asked = plan(address, 1, 4);
    asked.mix.push(Request { bytes: head, weight: 0 });
    asked.pace = Pace::Replay { replay, most_connections: 3 };
    let total = run_load(&asked).unwrap().total;
    assert_eq!((total.requests, total.errors), (30, 0));
    assert_eq!(seen.heads.load(Ordering::SeqCst), 10);
}

#[test]
fn alpn_chooses_http2_or_there_is_no_connection() {
    let own = rcgen::generate_simple_self_signed(["load.test".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let speaks = |protocols: &[&[u8]]| {
        let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        server.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Some(Arc::new(server))
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = Tls::new(Arc::new(client), ServerName::try_from("load.test").unwrap());
    for (protocols, answered) in [(&[&b"h2"[..], b"http/1.1"][..], 200), (&[][..], 0)] {
        let (address, _) = server(GOOD, speaks(protocols));
        let endpoint = Endpoint { address: Address::Tcp(address), tls: Some(tls.clone()) };
        let total = run_load(&plan(endpoint, 2, 5)).unwrap().total;
        assert_eq!((total.requests, total.error_kinds.connect), (answered, 200 - answered));
        assert_eq!(total.first_error.is_some(), answered == 0, "{:?}", total.first_error);
    }
}

#[test]
fn a_new_connection_for_each_request_is_refused() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let asked = LoadPlan { keep_alive: false, ..plan(address, 1, 1) };
    assert!(matches!(run_load(&asked), Err(LoadError::Request(_))));
}
