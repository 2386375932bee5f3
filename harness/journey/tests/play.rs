//! Users on a shop that knows each of them by a cookie, and takes only the token that it gave to this one.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edgeproof_journey::{JourneyError, Plan, Report, play};
use edgeproof_scenario::model::{Action, JourneySpec};

/// What the shop has seen.
#[derive(Default)]
struct Ledger {
    sessions: usize,
    /// Session → (its token, orders).
    open: HashMap<String, (String, usize)>,
    hosts: Vec<String>,
}

struct Shop {
    address: SocketAddr,
    ledger: Arc<Mutex<Ledger>>,
}

struct Asked {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

impl Shop {
    /// A session begins at `GET /`, and an order needs its token.
    fn open() -> Self {
        Self::answering(|ledger, asked| {
            let cookie = asked.headers.get("cookie").cloned().unwrap_or_default();
            if asked.line.starts_with("GET / ") {
                ledger.sessions += 1;
                let (session, token) =
                    (format!("sid=s{}", ledger.sessions), format!("t{}", ledger.sessions * 7));
                let body = format!("{{\"token\": \"{token}\"}}");
                ledger.open.insert(session.clone(), (token, 0));
                return format!(
                    "HTTP/1.1 200 OK\r\nSet-Cookie: {session}; Domain=shop.example\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
            }
            let status = match ledger.open.get_mut(&cookie) {
                Some((token, orders)) if asked.body == format!("token={token}") => {
                    *orders += 1;
                    "201 Created"
                }
                _ => "403 Forbidden",
            };
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
        })
    }

    fn answering(answer: impl Fn(&mut Ledger, &Asked) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let (seen, answer) = (Arc::clone(&ledger), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &seen, &*answer));
            }
        });
        Self { address, ledger }
    }
}

/// Answers until the client closes.
fn serve(
    stream: TcpStream,
    ledger: &Mutex<Ledger>,
    answer: &dyn Fn(&mut Ledger, &Asked) -> String,
) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let mut ledger = ledger.lock().unwrap();
        ledger.hosts.push(asked.headers["host"].clone());
        let text = answer(&mut ledger, &asked);
        drop(ledger);
        if reader.get_mut().write_all(text.as_bytes()).is_err() || text.is_empty() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = field.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { line, headers, body: String::from_utf8(body).unwrap() })
}

/// A journey of a scenario's text.
fn spec(journey: &str) -> JourneySpec {
    let text = format!(
        "name: n\nspec: s\nsteps:\n- journey:\n{journey}\n  expect: {{ load: {{ errors: 0 }} }}\n"
    );
    let (cases, diagnostics) = edgeproof_scenario::bind_text("journey.yaml", &text);
    assert_eq!(cases.len(), 1, "{text}{diagnostics:?}");
    match &cases[0].steps[0].action {
        Action::Journey(journey) => journey.clone(),
        other => panic!("{other:?}"),
    }
}

fn plan(shop: &Shop, journey: &str) -> Plan {
    let journey = spec(journey);
    Plan {
        address: shop.address,
        host: "shop.example".to_owned(),
        users: journey.users,
        iterations: journey.iterations,
        time: journey.time.unwrap_or(Duration::from_secs(20)),
        steps: journey.steps,
        known: Arc::new(|name| (name == "path").then(|| b"/order".to_vec())),
    }
}

const ORDER: &str = r#"
    name: orders
    users: 6
    iterations: 4
    steps:
    - send: GET /
      capture: { mine: { json: /token } }
      think: [1ms, 20ms]
    - name: order
      send: { method: POST, path: /order, body: { form: { token: "{{mine}}" } } }
      expect: { status: 201 }
"#;

fn orders(shop: &Shop) -> Vec<usize> {
    shop.ledger.lock().unwrap().open.values().map(|(_, orders)| *orders).collect()
}

#[test]
fn each_user_keeps_its_own_cookie_and_token() {
    let shop = Shop::open();
    let report = play(plan(&shop, ORDER)).unwrap();
    assert_eq!((report.rounds, &report.total.total.first_error), (24, &None));
    assert_eq!((report.total.total.requests, report.total.total.errors), (48, 0));
    assert_eq!(report.total.total.connections, 6);
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["1", "order"]);
    assert!(report.steps.iter().all(|step| step.load.total.requests == 24));
    // Every session got its one order: no token went to another session's cookie.
    assert_eq!(orders(&shop), vec![1; 24]);
    assert!(shop.ledger.lock().unwrap().hosts.iter().all(|host| host == "shop.example"));
}

#[test]
fn figures_are_those_of_a_load() {
    let shop = Shop::open();
    let Report { total, .. } = play(plan(&shop, ORDER)).unwrap();
    let shot = &total.total;
    let across_all = shot.duration_s * 1e6 / shot.requests as f64;
    assert!((shot.mean_across_all_us - across_all).abs() < 1e-6);
    assert!((shot.mean_us - 6.0 * across_all).abs() < 1e-6);
    assert!((shot.rps - shot.requests as f64 / shot.duration_s).abs() < 1e-6);
    assert_eq!(shot.latencies().unwrap().len(), 48);
    assert!(shot.first_byte_us.unwrap().p50 <= shot.latency_us.p50);
    assert!(shot.generator_cpu_us_per_request > 0.0);
}

#[test]
fn another_users_token_is_an_error_that_is_told() {
    let shop = Shop::open();
    let text = ORDER.replace(r#"token: "{{mine}}""#, "token: t7");
    let report = play(plan(&shop, &text)).unwrap();
    let shot = &report.total.total;
    assert_eq!(shot.first_error.as_deref(), Some("step `order`: the status is 403, not 201"));
    // The first session's token is its own; a whole answer that is an error is not counted twice.
    assert!(shot.errors >= 23 && shot.requests + shot.errors == 48, "{shot:?}");
    assert_eq!(shot.error_kinds.unexpected, shot.errors);
    assert_eq!(report.rounds, 24 - shot.errors);
}

#[test]
fn variables_of_the_case_and_the_users_number_are_known() {
    let shop = Shop::answering(|ledger, asked| {
        ledger.open.insert(asked.line.clone(), Default::default());
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
    });
    let mut plan =
        plan(&shop, "    name: n\n    users: 3\n    iterations: 1\n    steps: [{ send: GET / }]\n");
    let spelled = edgeproof_scenario::bind_text(
        "a.yaml",
        "name: n\nspec: s\nsteps: [{ send: GET /, capture: { path: body } }, { journey: { name: n, time: 1s, \
         steps: [{ send: \"GET /a{{path}}?u={{index}}\" }] }, expect: { load: { errors: 0 } } }]\n",
    );
    let Action::Journey(journey) = &spelled.0[0].steps[1].action else { panic!("{spelled:?}") };
    plan.steps.clone_from(&journey.steps);
    play(plan).unwrap();
    let mut lines: Vec<_> = shop.ledger.lock().unwrap().open.keys().cloned().collect();
    lines.sort();
    let wanted: Vec<_> = (0..3).map(|user| format!("GET /a/order?u={user} HTTP/1.1\r\n")).collect();
    assert_eq!(lines, wanted);
}

#[test]
fn the_time_ends_a_journey_that_has_no_other_end() {
    let shop = Shop::open();
    let began = Instant::now();
    let text = ORDER.replace("iterations: 4", "time: 300ms");
    let report = play(plan(&shop, &text)).unwrap();
    let lasted = began.elapsed();
    assert!(lasted >= Duration::from_millis(300) && lasted < Duration::from_secs(5), "{lasted:?}");
    assert!(report.rounds > 6 && report.total.total.errors == 0, "{report:?}");
}

#[test]
fn an_answer_that_does_not_come_is_an_error_when_the_time_is_up() {
    let shop = Shop::answering(|_, _| {
        std::thread::park();
        String::new()
    });
    let text = "    name: n\n    users: 1\n    time: 200ms\n    steps: [{ send: GET / }]\n";
    let shot = play(plan(&shop, text)).unwrap().total.total;
    assert_eq!((shot.requests, shot.errors, shot.unfinished), (0, 1, 0));
}

/// Somebody has answers at once, all others wait: the time goes on.
#[test]
fn users_who_hang_are_errors_and_make_no_rate() {
    let shop = Shop::answering(|ledger, _| {
        ledger.sessions += 1;
        if ledger.sessions > 20 {
            std::thread::park();
        }
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()
    });
    let text = "    name: n\n    users: 2\n    time: 1s\n    steps: [{ send: GET / }]\n";
    let report = play(plan(&shop, text)).unwrap();
    let shot = &report.total.total;
    assert_eq!((shot.requests, shot.error_kinds.timeout, shot.unfinished), (20, 2, 0));
    assert!(shot.duration_s >= 1.0 && shot.rps <= 20.0, "{} in {}", shot.rps, shot.duration_s);
    let step = &report.steps[0].load.total;
    assert_eq!((step.error_kinds.timeout, step.rps <= 20.0), (2, true));
}

#[test]
fn an_answer_that_breaks_off_and_a_port_without_a_server_are_told_apart() {
    let text = "    name: n\n    users: 2\n    iterations: 3\n    steps: [{ send: GET / }]\n";
    let cut = Shop::answering(|_, _| String::new());
    let shot = play(plan(&cut, text)).unwrap().total.total;
    assert_eq!((shot.errors, shot.error_kinds.receive), (6, 6));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = Shop { address: closed, ledger: Arc::default() };
    let shot = play(plan(&gone, text)).unwrap().total.total;
    assert_eq!((shot.errors, shot.error_kinds.connect), (6, 6));
}

#[test]
fn a_redirect_is_not_followed_and_a_fields_value_is_captured() {
    let shop = Shop::answering(|ledger, asked| {
        ledger.open.insert(asked.line.clone(), Default::default());
        match asked.line.starts_with("GET /old") {
            true => "HTTP/1.1 302 Found\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n".to_owned(),
            false => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
        }
    });
    let text = "    name: n\n    users: 1\n    iterations: 1\n    steps:\n    - send: GET /old\n      expect: { status: 302 }\n      \
                capture: { place: { header: location } }\n    - send: GET {{place}}?by=hand\n";
    let report = play(plan(&shop, text)).unwrap();
    assert_eq!((report.rounds, report.total.total.non_2xx), (1, 1));
    let ledger = shop.ledger.lock().unwrap();
    assert_eq!(ledger.open.len(), 2);
    assert!(ledger.open.contains_key("GET /new?by=hand HTTP/1.1\r\n"));
}

#[test]
fn an_empty_plan_is_refused() {
    let shop = Shop::open();
    for spoil in [
        (|plan: &mut Plan| plan.users = 0) as fn(&mut Plan),
        |plan| plan.steps.clear(),
        |plan| plan.iterations = Some(0),
        |plan| plan.time = Duration::ZERO,
    ] {
        let mut plan = plan(&shop, ORDER);
        spoil(&mut plan);
        assert!(matches!(play(plan), Err(JourneyError::Empty(_))));
    }
}
