//! Unix sockets, IPv6 and TLS, connections that end with their answer, and several requests drawn by weight.

mod support;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeproof_load::{
    Address, Arrivals, Endpoint, LoadPlan, Pace, Request, Schedule, Tls, run_load,
};
use nix::sys::socket::{MsgFlags, send};
use rustls::pki_types::{PrivateKeyDer, ServerName};

const LIMIT: Duration = Duration::from_secs(30);
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n";

/// Answers every request on a connection; each is one read, as on loopback it is.
fn serve(mut stream: impl Read + Write) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|size| size > 0) {
        if stream.write_all(ANSWER).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

fn plan(endpoint: Endpoint) -> LoadPlan {
    let request = b"GET / HTTP/1.1\r\nHost: load.test\r\n\r\n".to_vec();
    LoadPlan::closed(endpoint, request, 3, 60, LIMIT)
}

#[test]
fn a_unix_socket_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    let endpoint = Endpoint { address: Address::Unix(path), tls: None };
    assert!(endpoint.is_local());
    let total = run_load(&plan(endpoint)).unwrap().total;
    assert_eq!((total.requests, total.errors, total.connections), (60, 0, 3));
}

/// A server whose queue is full has not refused anybody.
#[test]
fn a_full_queue_of_a_unix_socket_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = support::short_queue(&path);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    let endpoint = Endpoint { address: Address::Unix(path), tls: None };
    let pace = Pace::Closed { connections: 50, think: Duration::ZERO };
    let total = run_load(&LoadPlan { pace, requests: 500, ..plan(endpoint) }).unwrap().total;
    assert_eq!((total.requests, total.errors), (500, 0), "{:?}", total.first_error);
}

#[test]
fn an_ipv6_address_is_loaded() {
    let listener = TcpListener::bind("[::1]:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    assert_eq!(run_load(&plan(address.into())).unwrap().total.requests, 60);
}

/// A server over TLS that `serve`s each connection; and the endpoint, for who trusts its certificate and who does not.
fn tls_server(
    serve: fn(rustls::StreamOwned<rustls::ServerConnection, TcpStream>),
) -> impl Fn(bool) -> Endpoint {
    let own = rcgen::generate_simple_self_signed(["load.test".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let server = Arc::new(server);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
            std::thread::spawn(move || serve(rustls::StreamOwned::new(session, stream)));
        }
    });
    move |trusted: bool| {
        let mut roots = rustls::RootCertStore::empty();
        if trusted {
            roots.add(certificate.clone()).unwrap();
        }
        let client = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("load.test").unwrap();
        Endpoint { address: Address::Tcp(address), tls: Some(Tls::new(Arc::new(client), name)) }
    }
}

#[test]
fn https_is_loaded_and_an_unknown_certificate_is_not() {
    let endpoint = tls_server(serve);
    for keep_alive in [true, false] {
        let plan = LoadPlan { keep_alive, ..plan(endpoint(true)) };
        let total = run_load(&plan).unwrap().total;
        assert_eq!((total.requests, total.errors), (60, 0));
        let connected = total.connect_us.unwrap();
        assert!(connected.max <= total.latency_us.max);
    }
    let total = run_load(&plan(endpoint(false))).unwrap().total;
    assert_eq!((total.requests, total.errors), (0, 60));
    let reason = total.first_error.expect("the system said why");
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

/// Says what goes out in one segment with the end of the connection, once that is closed.
fn last_words(stream: &TcpStream, words: &[u8]) {
    let more = MsgFlags::from_bits_retain(nix::libc::MSG_MORE);
    assert_eq!(send(stream.as_raw_fd(), words, more), Ok(words.len()));
}

/// A server that ends each connection with its answer and does not say so.
fn curt_server() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if stream.read(&mut [0; 4096]).is_ok_and(|size| size > 0) {
                last_words(&stream, ANSWER);
            }
        }
    });
    address.into()
}

fn curt_tls_server() -> Endpoint {
    tls_server(|mut stream| {
        if stream.read(&mut [0; 4096]).is_ok_and(|size| size > 0) {
            stream.conn.writer().write_all(ANSWER).unwrap();
            stream.conn.send_close_notify();
            let mut words = Vec::new();
            while stream.conn.wants_write() {
                stream.conn.write_tls(&mut words).unwrap();
            }
            last_words(&stream.sock, &words);
        }
    })(true)
}

/// The end that came with an answer was known before the next request: neither is a POST lost on that connection nor a
/// GET sent again.
#[test]
fn a_connection_that_ends_with_its_answer_is_not_used_again() {
    let ends = Duration::from_millis(500);
    let schedule = Schedule::constant(120.0, ends).unwrap();
    let open = Pace::Open { schedule, arrivals: Arrivals::Even, most_connections: 60 };
    let closed = |think| Pace::Closed { connections: 3, think: Duration::from_millis(think) };
    let paces = [closed(0), closed(5), open];
    for (endpoint, pace) in
        [curt_server(), curt_tls_server()].iter().flat_map(|e| paces.iter().map(move |p| (e, p)))
    {
        for method in ["POST", "GET"] {
            let told = format!("{method}, {pace:?}, TLS: {}", endpoint.tls.is_some());
            let head = "/ HTTP/1.1\r\nHost: load.test\r\nContent-Length: 0\r\n\r\n";
            let mix = vec![Request::new(format!("{method} {head}").into_bytes())];
            let time_limit = if matches!(pace, Pace::Open { .. }) { ends } else { LIMIT };
            let pace = pace.clone();
            let plan = LoadPlan { mix, pace, time_limit, ..plan(endpoint.clone()) };
            let total = run_load(&plan).unwrap().total;
            assert_eq!((total.requests, total.errors, total.retried), (60, 0, 0), "{told}");
        }
    }
}

/// More than TLS holds of what is to be sent.
const CONTENT: usize = 1 << 20;
const HEAD: &str = "POST / HTTP/1.1\r\nHost: load.test\r\nContent-Length: 1048576\r\n\r\n";

#[test]
fn a_large_content_goes_through_tls() {
    let endpoint = tls_server(|mut stream| {
        let mut request = vec![0; HEAD.len() + CONTENT];
        while stream.read_exact(&mut request).is_ok() {
            stream.write_all(ANSWER).and_then(|()| stream.flush()).unwrap();
        }
    });
    let bytes = [HEAD.as_bytes(), &vec![b'x'; CONTENT]].concat();
    let mix = vec![Request::new(bytes)];
    let plan = LoadPlan { mix, requests: 6, ..plan(endpoint(true)) };
    let total = run_load(&plan).unwrap().total;
    assert_eq!((total.requests, total.errors), (6, 0), "{:?}", total.error_kinds);
}

/// What is asked for says nothing of when.
#[test]
fn the_gap_before_each_of_several_requests_is_alike() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut buffer, mut before) = ([0; 4096], Instant::now());
        let mut gaps = [Vec::new(), Vec::new()];
        while stream.read(&mut buffer).is_ok_and(|size| size > 0) {
            let now = Instant::now();
            gaps[usize::from(buffer[5] == b'b')].push((now - before).as_secs_f64());
            before = now;
            stream.write_all(ANSWER).unwrap();
        }
        gaps.map(|gaps| gaps.iter().sum::<f64>() / gaps.len() as f64)
    });
    let request =
        |path: &str| Request::new(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes());
    let time_limit = Duration::from_secs(2);
    let schedule = Schedule::constant(400.0, time_limit).unwrap();
    let pace = Pace::Open { schedule, arrivals: Arrivals::Poisson, most_connections: 1 };
    let (mix, requests) = (vec![request("/a"), request("/b")], u64::MAX);
    run_load(&LoadPlan { mix, pace, requests, time_limit, ..plan(address.into()) }).unwrap();
    let [a, b] = server.join().unwrap();
    // Means of 400 gaps each, to 5 %; from one stream they would be one to five.
    assert!((0.7..1.4).contains(&(a / b)), "{a} s and {b} s");
}

#[test]
fn requests_are_drawn_by_their_weights() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(size @ 1..) = stream.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..size]);
                    let path = text.split(' ').nth(1).unwrap().to_owned();
                    *counted.lock().unwrap().entry(path).or_default() += 1;
                    stream.write_all(ANSWER).unwrap();
                }
            });
        }
    });
    let request = |path: &str, weight| Request {
        bytes: format!("GET {path} HTTP/1.1\r\nHost: load.test\r\n\r\n").into_bytes(),
        weight,
    };
    let mix = vec![request("/a", 3), request("/never", 0), request("/b", 1)];
    let plan = LoadPlan { mix, requests: 2000, ..plan(address.into()) };
    assert_eq!(run_load(&plan).unwrap().total.requests, 2000);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    // Six standard deviations of 2000 draws of three in four.
    assert!(seen["/a"].abs_diff(1500) < 116, "{seen:?}");
}
