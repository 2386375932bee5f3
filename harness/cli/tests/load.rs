//! `edgeproof load` and `compare` as they are typed, against small servers in the test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

/// A server that gives the same answer to each request, and the requests that it was sent.
fn server(answer: &'static str) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let seen = seen.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(size @ 1..) = stream.read(&mut buffer) {
                    // A test that wants no more has dropped the other end.
                    let _ = seen.send(String::from_utf8_lossy(&buffer[..size]).into_owned());
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, requests)
}

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
const BAD: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

fn edgeproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgeproof")).args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_report_has_the_figures_of_ab() {
    let (address, _requests) = server(GOOD);
    let url = format!("http://{address}/page?q");
    let output = edgeproof(&["load", &url, "-c", "3", "-n", "60", "--shots", "2"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for line in [
        "Document Path:          /page?q",
        "Concurrency Level:      3",
        "Complete requests:      120",
        "Failed requests:        0",
        "Non-2xx responses:      0",
        "Requests per second:    ",
        "(mean, across all concurrent requests)",
        "Percentage of the requests served within a certain time (ms)",
        "(longest request)",
        "   2        60",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
}

#[test]
fn json_has_every_documented_key_for_each_shot_and_in_all() {
    let (address, _requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("latencies.hlog");
    let url = format!("http://{address}/");
    let rate = ["-r", "500", "-t", "200ms", "--poisson", "--shots", "2", "--format", "json"];
    let mut words = vec!["load", &url, "--hdr", log.to_str().unwrap()];
    words.extend(rate);
    let output = edgeproof(&words);
    // A generator that had no processor for itself says that it decides nothing.
    assert!([0, 6].contains(&code(&output)), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["shots"].as_array().unwrap().len(), 2);
    for place in [&report, &report["shots"][0], &report["shots"][1]] {
        for key in
            ["requests", "errors", "duration_s", "rps", "bytes", "generator_cpu_us_per_request"]
        {
            assert!(place[key].is_number(), "{key}");
        }
        for key in ["mean", "p50", "p90", "p99", "p999", "max"] {
            assert!(place["latency_us"][key].is_number(), "{key}");
        }
        assert!(place["histogram"].is_string());
        assert_eq!(place["open"]["offered_rps"], 500.0);
    }
    let log = std::fs::read_to_string(log).unwrap();
    // The compressed V2 form in base64 begins like this wherever it is written.
    assert_eq!(log.matches("HISTFA").count(), 2, "{log}");
}

#[test]
fn what_was_asked_for_is_sent() {
    let (address, requests) = server(GOOD);
    let url = format!("http://{address}/form");
    let words =
        ["-n", "1", "-c", "1", "-H", "X-One: 1", "-m", "PUT", "--body", "a=1", "--basic", "u:p"];
    let output =
        edgeproof(&[&["load", &url, "--http10", "--keep-alive", "off"], &words[..]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let request = requests.recv().unwrap();
    assert!(request.starts_with("PUT /form HTTP/1.0\r\nHost: 127.0.0.1:"), "{request}");
    assert!(request.contains("\r\nX-One: 1\r\nAuthorization: Basic dTpw\r\n\r\na=1"), "{request}");
    assert!(!request.contains("Connection"), "{request}");
}

#[test]
fn bad_answers_fail_the_run_unless_allowed() {
    let (address, _requests) = server(BAD);
    let url = format!("http://{address}/");
    let output = edgeproof(&["load", &url, "-n", "5"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("5 responses that are not 2xx"));
    assert_eq!(code(&edgeproof(&["load", &url, "-n", "5", "--allow", "non-2xx"])), 0);
}

#[test]
fn a_load_is_bounded_and_stays_here() {
    let bounded = edgeproof(&["load", "http://127.0.0.1:9/"]);
    assert_eq!(code(&bounded), 2);
    // A documentation address (RFC 5737): nothing is sent to it.
    let remote = edgeproof(&["load", "http://192.0.2.1/", "-n", "1"]);
    assert_eq!(code(&remote), 2);
    assert!(text(&remote.stderr).contains("--allow-remote"));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(code(&edgeproof(&["load", &format!("http://{free}/"), "-n", "1"])), 3);
    let process = edgeproof(&["load", "http://127.0.0.1:9/", "-n", "1", "--pid", "4294967295"]);
    assert_eq!(code(&process), 2);
    assert!(text(&process.stderr).contains("--pid 4294967295: no such process here"));
    let own = std::process::id().to_string();
    let urls = ["http://127.0.0.1:9/", "http://127.0.0.1:9/"];
    let pids = ["--pid-a", &own, "--pid-b", "4294967295"];
    let process = edgeproof(&[&["compare"], &urls[..], &pids].concat());
    assert_eq!(code(&process), 2);
    assert!(text(&process.stderr).contains("--pid-b 4294967295: no such process here"));
}

#[test]
fn urls_come_from_a_file_with_their_weights() {
    let (address, requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("urls");
    let list = format!("# two pages\n\n9 http://{address}/often\nhttp://{address}/seldom\n");
    std::fs::write(&file, list).unwrap();
    let output = edgeproof(&["load", "--urls", file.to_str().unwrap(), "-n", "200", "-c", "1"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let seen: Vec<String> = requests.try_iter().collect();
    let often = seen.iter().filter(|request| request.starts_with("GET /often ")).count();
    assert_eq!(seen.len(), 200);
    // Six standard deviations of 200 draws of nine in ten.
    assert!(often.abs_diff(180) < 26, "{often}");
}

#[test]
fn clients_without_a_request_are_none() {
    let (address, _requests) = server(GOOD);
    let output = edgeproof(&["load", &format!("http://{address}/"), "-n", "5", "-c", "10"]);
    let report = text(&output.stdout);
    assert!(report.contains("Concurrency Level:      5\n"), "{report}");
    assert!(text(&output.stderr).contains("5 of 10 connections"), "{}", text(&output.stderr));
}

#[test]
fn a_sweep_has_its_latencies_and_allows_nothing_else() {
    let (address, _requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let (url, log) = (format!("http://{address}/"), folder.path().join("latencies.hlog"));
    // No rate holds that: it is halved down to one request a second.
    let words = ["--sweep", "-r", "40", "-t", "100ms", "--slo", "p99<1us", "--format", "json"];
    let hdr = ["--hdr", log.to_str().unwrap()];
    let output = edgeproof(&[&["load", &url], &words[..], &hdr].concat());
    assert!([1, 6].contains(&code(&output)), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    let steps = report["sweep"]["steps"].as_array().unwrap().len();
    assert!(steps > 0 && log.matches("HISTFA").count() == steps, "{steps} steps\n{log}");
    let output = edgeproof(&[&["load", &url], &words[..], &["--allow", "failed"]].concat());
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
}

#[test]
fn a_ramp_has_its_time() {
    let (address, _requests) = server(GOOD);
    let url = format!("http://{address}/");
    let output = edgeproof(&["load", &url, "-r", "10..1000", "-n", "20"]);
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("`10..1000@60s`"), "{}", text(&output.stderr));
}

#[test]
fn a_generator_that_gives_out_decides_nothing() {
    let (address, _requests) = server(GOOD);
    let url = format!("http://{address}/");
    let output = edgeproof(&["load", &url, "-r", "5000000", "-t", "50ms", "--timeout", "50ms"]);
    assert_eq!(code(&output), 6, "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stderr).contains("inconclusive"), "{}", text(&output.stderr));
}

/// The generator's own shortage is no failure of the server's; a soft limit is none.
#[test]
fn too_few_descriptors_are_an_error_of_the_generator() {
    let (address, _requests) = server(GOOD);
    let load = format!(
        "exec {} load http://{address}/ -c 100 -n 1000 -t 30s",
        env!("CARGO_BIN_EXE_edgeproof")
    );
    let limited = |limit: &str| {
        let line = format!("ulimit {limit} 50; {load}");
        Command::new("sh").args(["-c", &line]).output().unwrap()
    };
    let output = limited("-n");
    assert_eq!(code(&output), 7, "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("too few file descriptors"), "{}", text(&output.stderr));
    let output = limited("-S -n");
    assert_eq!(code(&output), 0, "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("Complete requests:      1000"));
}

/// What the program says when it is interrupted after 50 requests.
fn interrupted(words: &[&str], requests: &Receiver<String>) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_edgeproof"))
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..50 {
        requests.recv().unwrap();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    child.wait_with_output().unwrap()
}

#[test]
fn an_interrupted_load_reports_what_it_measured() {
    let (address, requests) = server(GOOD);
    let url = format!("http://{address}/");
    let output = interrupted(&["load", &url, "-t", "60s"], &requests);
    assert_eq!(code(&output), 130);
    let report = text(&output.stdout);
    assert!(report.contains("Interrupted") && report.contains("Requests per second:"), "{report}");
}

/// A scenario in this folder: one user of a server that runs already, for so long.
fn journey(folder: &std::path::Path, time: &str) -> std::path::PathBuf {
    let file = folder.join("journey.yaml");
    let text = format!(
        "name: n\nspec: s\ntime_limit: 60s\nsteps:\n  - journey: {{ name: walk, users: 1, time: {time}, steps: \
         [{{ send: GET / }}] }}\n    expect: {{ load: {{ errors: 0 }} }}\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_journey_leaves_standard_output_to_the_report() {
    let (address, _requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let file = journey(folder.path(), "200ms");
    let target = format!("http://{address}");
    let run = ["run", file.to_str().unwrap(), "--target", &target, "--format", "json"];
    let output = edgeproof(&run);
    assert_eq!(code(&output), 0, "{}{}", text(&output.stdout), text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = report["cases"][0]["figures"].as_array().unwrap();
    assert!(figures.iter().any(|figure| figure["name"] == "walk.rounds"), "{report}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn an_interrupt_ends_a_run_in_the_middle_of_a_journey() {
    let (address, requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let file = journey(folder.path(), "50s");
    let target = format!("http://{address}");
    let run = ["run", file.to_str().unwrap(), "--target", &target];
    assert_eq!(code(&interrupted(&run, &requests)), 130);
}

#[test]
fn a_log_is_replayed_and_what_cannot_be_is_told() {
    let (address, requests) = server(GOOD);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let line = |second: u32, request: &str| {
        format!(
            "127.0.0.1 - - [22/Nov/2026:10:00:0{second} +0000] \"{request}\" 200 3 \"-\" \"-\"\n"
        )
    };
    let lines = [
        line(2, "GET /last HTTP/1.1"),
        line(0, "GET /first?q HTTP/1.1"),
        line(1, "POST /form HTTP/1.1"),
        line(1, "GET /first?q HTTP/1.1"),
        "torn\n".to_owned(),
    ];
    std::fs::write(&log, lines.concat()).unwrap();
    let (url, log) = (format!("http://{address}/ignored"), log.to_str().unwrap());
    let words = ["--speed", "20", "-c", "1", "-H", "Host: a.test"];
    let output = edgeproof(&[&["load", &url, "--replay", log], &words[..]].concat());
    assert!([0, 6].contains(&code(&output)), "{}", text(&output.stderr));
    let asked: Vec<String> =
        requests.try_iter().map(|request| request.lines().next().unwrap().to_owned()).collect();
    assert_eq!(asked, ["GET /first?q HTTP/1.1", "GET /first?q HTTP/1.1", "GET /last HTTP/1.1"]);
    let told = text(&output.stderr);
    assert!(told.contains(": 1 lines (5) do not fit the format"), "{told}");
    assert!(told.contains(": 1 lines (3) have another method"), "{told}");
    std::fs::write(log, [&lines[..], &vec!["torn\n".to_owned(); 7]].concat().concat()).unwrap();
    let output = edgeproof(&[&["load", &url, "--replay", log], &words[..]].concat());
    let told = text(&output.stderr);
    assert!(told.contains(": 8 lines (5, 6, 7, 8, 9, …) do not fit the format"), "{told}");
    for wrong in [&["--replay", log, "-r", "10"][..], &["--speed", "2", "-n", "1"]] {
        assert_eq!(code(&edgeproof(&[&["load", &url], wrong].concat())), 2, "{wrong:?}");
    }
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let empty = folder.path().join("empty");
    assert_eq!(code(&edgeproof(&["load", &url, "--replay", empty.to_str().unwrap()])), 2);
}

/// A server of HTTP/1 has no answer to the preface of HTTP/2.
#[test]
fn http2_is_spoken_where_it_is_asked_for() {
    let (address, requests) = server(BAD);
    let url = format!("http://{address}/");
    let words = ["-n", "2", "-c", "1", "--http2", "--streams", "2", "--timeout", "2s"];
    let output = edgeproof(&[&["load", &url], &words[..]].concat());
    assert_eq!(code(&output), 1, "{}", text(&output.stdout));
    assert!(requests.recv().unwrap().starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    for wrong in [["--timeout", "0"], ["-t", "0"]] {
        let output = edgeproof(&[&["load", &url, "-n", "1"], &wrong[..]].concat());
        assert_eq!(code(&output), 2, "{wrong:?}");
        assert!(text(&output.stderr).contains("more than no time at all"), "{wrong:?}");
        assert_eq!(code(&edgeproof(&[&["compare", &url, &url], &wrong[..]].concat())), 2);
    }
    for wrong in
        [&["--http2", "--keep-alive", "off"][..], &["--http2", "--http10"], &["--streams", "2"]]
    {
        assert_eq!(code(&edgeproof(&[&["load", &url, "-n", "1"], wrong].concat())), 2, "{wrong:?}");
    }
}

/// A history of runs of these speeds, made of a run that `load` wrote.
fn history(folder: &Path, speeds: &[f64]) -> String {
    let (address, _requests) = server(GOOD);
    let file = folder.join("runs.jsonl");
    let _ = std::fs::remove_file(&file);
    let (url, name) = (format!("http://{address}/"), file.to_str().unwrap().to_owned());
    let words = ["-n", "20", "--history", &name, "--label", "first"];
    assert_eq!(code(&edgeproof(&[&["load", &url], &words[..]].concat())), 0);
    let written = std::fs::read_to_string(&file).unwrap();
    let run: Value = serde_json::from_str(written.trim_end()).unwrap();
    assert_eq!((&run["label"], run["failed"].as_f64()), (&Value::from("first"), Some(0.0)));
    let mut lines = String::new();
    for (place, speed) in speeds.iter().enumerate() {
        let mut run = run.clone();
        run["at"] = Value::from(format!("2026-01-{:02}T00:00:00.000Z", place + 1));
        run["rps"] = Value::from(1000.0 * speed * (1.0 + 0.002 * (place * 7 % 5) as f64));
        (run["p50_us"], run["p99_us"]) = (Value::from(900.0), Value::from(2000.0));
        lines += &format!("{run}\n");
    }
    std::fs::write(&file, lines).unwrap();
    name
}

/// No generator of a test keeps up with a million requests a second.
#[test]
fn a_history_is_of_one_load() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _requests) = server(GOOD);
    let run = |file: &str, path: &str, clients: &str| {
        let name = folder.path().join(file).display().to_string();
        let url = format!("http://{address}{path}");
        let words = ["load", &url, "-n", "20", "-c", clients, "--history", &name, "--label", path];
        assert_eq!(code(&edgeproof(&words)), 0);
        edgeproof(&["history", &name])
    };
    for (file, path, clients, why) in [
        ("paths", "/b", "1", "(/b) is of `GET /b`, and the first is of `GET /`"),
        ("clients", "/", "2", "is a closed loop of 2 clients, and the first is a closed loop of 1"),
    ] {
        assert_eq!(code(&run(file, "/", "1")), 0);
        let output = run(file, path, clients);
        assert_eq!(code(&output), 2, "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

#[test]
fn a_run_whose_generator_was_late_is_of_no_history() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _requests) = server(GOOD);
    let file = folder.path().join("runs.jsonl");
    let (url, name) = (format!("http://{address}/"), file.to_str().unwrap());
    let words = ["load", &url, "-r", "1000000", "-t", "200ms", "--history", name];
    let output = edgeproof(&words);
    assert!([1, 6].contains(&code(&output)), "{}", text(&output.stdout));
    let told = text(&output.stderr);
    assert!(told.contains("the run is not added: the generator could not keep"), "{told}");
    assert!(!file.exists());
}

#[test]
fn a_history_tells_since_when_it_is_worse() {
    let folder = tempfile::tempdir().unwrap();
    let slower = history(folder.path(), &[[1.0; 10], [0.85; 10]].concat());
    let svg = folder.path().join("trend.svg");
    let words = ["history", &slower, "--svg", svg.to_str().unwrap(), "--format", "json"];
    let output = edgeproof(&words);
    assert_eq!(code(&output), 5, "{}", text(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["shifts"][0]["run"], &found["shifts"][0]["metric"]),
        (&10.into(), &"throughput".into())
    );
    let drawn = std::fs::read_to_string(svg).unwrap();
    assert!(drawn.matches("<circle").count() == 60 && drawn.contains("class=\"worse\""), "{drawn}");
    assert_eq!(code(&edgeproof(&["history", &slower, "--metrics", "p99"])), 0);
    let output = edgeproof(&["history", &slower, "--metrics", "cpu"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("cpu was measured in none"), "{}", text(&output.stderr));
    assert_eq!(code(&edgeproof(&["history", &slower, "--accept", "2026-01-11T00:00:00Z"])), 0);
    assert_eq!(code(&edgeproof(&["history", &history(folder.path(), &[1.0; 20])])), 0);
    // A run without an answer hides no change, and as the last it is one.
    let with_failed = |at: usize| {
        let name = history(folder.path(), &[[1.0; 10], [0.85; 10]].concat());
        let written = std::fs::read_to_string(&name).unwrap();
        let mut lines: Vec<Value> =
            written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines[at]["rps"] = 0.0.into();
        (lines[at]["p50_us"], lines[at]["p99_us"]) = (0.0.into(), 0.0.into());
        lines[at]["failed"] = 1.0.into();
        std::fs::write(&name, lines.iter().map(|it| format!("{it}\n")).collect::<String>())
            .unwrap();
        edgeproof(&["history", &name])
    };
    for at in [3, 19] {
        let output = with_failed(at);
        assert_eq!(code(&output), 5, "{}", text(&output.stdout));
        assert!(text(&output.stdout).contains("100.0 % failed"), "{}", text(&output.stdout));
    }
    std::fs::write(&slower, "").unwrap();
    assert_eq!(code(&edgeproof(&["history", &slower])), 4);
    std::fs::write(&slower, "{}\n").unwrap();
    assert_eq!(code(&edgeproof(&["history", &slower])), 2);
}

#[test]
fn a_page_has_its_charts_and_its_table() {
    let (address, _requests) = server(GOOD);
    let url = format!("http://{address}/");
    let output = edgeproof(&["load", &url, "-n", "50", "--shots", "2", "--format", "html"]);
    let page = text(&output.stdout);
    assert_eq!(code(&output), 0);
    assert_eq!((page.matches("<svg").count(), page.matches("<tr><td>").count()), (1, 2), "{page}");
    assert!(page.contains("Requests per second:") && !page.contains("<script"), "{page}");
}

fn written(folder: &Path, name: &str, report: &Value) -> String {
    let file = folder.join(name);
    std::fs::write(&file, report.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A result whose shots are all alike, as many and as fast as asked for.
fn result(folder: &Path, name: &str, shots: usize, speed: f64) -> String {
    let (address, _requests) = server(GOOD);
    let output =
        edgeproof(&["load", &format!("http://{address}/"), "-n", "50", "--format", "json"]);
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut shot = report["shots"][0].clone();
    shot["rps"] = Value::from(1000.0 * speed);
    for key in ["p50", "p99"] {
        shot["latency_us"][key] = Value::from((10_000.0 / speed) as u64);
    }
    report["shots"] = Value::from(vec![shot; shots]);
    written(folder, name, &report)
}

#[test]
fn two_results_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let base = result(folder.path(), "base.json", 6, 1.0);
    let slower = result(folder.path(), "slower.json", 6, 0.8);
    let few = result(folder.path(), "few.json", 2, 1.0);
    assert_eq!(code(&edgeproof(&["compare", &base, &base])), 0);
    assert_eq!(code(&edgeproof(&["compare", &slower, &base])), 0);
    assert_eq!(code(&edgeproof(&["compare", &base, &few])), 6);
    let output = edgeproof(&["compare", &base, &slower, "--format", "json"]);
    assert_eq!(code(&output), 5);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["verdict"], "worse");
    assert_eq!(found["metrics"].as_array().unwrap().len(), 3);
    assert!((found["metrics"][0]["ratio"].as_f64().unwrap() - 1.25).abs() < 1e-9);
    assert_eq!(code(&edgeproof(&["compare", &base, "http://127.0.0.1:9/"])), 2);
}

/// What is no comparison is refused with the reason, and what is missing decides nothing.
#[test]
fn two_results_that_cannot_be_compared_are_never_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let base = result(folder.path(), "base.json", 6, 1.0);
    let spoilt = |name: &str, spoil: &dyn Fn(&mut Value)| {
        let text = std::fs::read_to_string(&base).unwrap();
        let mut report: Value = serde_json::from_str(&text).unwrap();
        spoil(&mut report);
        let file = folder.path().join(name);
        std::fs::write(&file, report.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let stopped = spoilt("stopped.json", &|report| report["interrupted"] = true.into());
    let wider = spoilt("wider.json", &|report| {
        report["shots"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .for_each(|it| it["connections"] = 20.into());
    });
    let mixed = spoilt("mixed.json", &|report| report["shots"][2]["connections"] = 20.into());
    let late = &[(100.0, 0.1, false), (100.0, 0.1, true)];
    let late = open_loops(folder.path(), "late.json", late, &serde_json::json!({}));
    let asked = |name: &str, key: &str, value: Value| {
        spoilt(name, &|report| {
            assert_ne!(report["asked"][key], Value::Null, "{key}");
            report["asked"][key] = value.clone();
        })
    };
    // Before and after often have a port of their own.
    let elsewhere = asked("elsewhere.json", "address", "127.0.0.1:1".into());
    assert_eq!(code(&edgeproof(&["compare", &base, &elsewhere])), 0);
    let unkept = asked("unkept.json", "keep_alive", false.into());
    let other = asked("other.json", "requests", serde_json::json!(["GET /other"]));
    for (file, why) in [
        (&late, "the generator of B could not keep its schedule"),
        (
            &unkept,
            "A is with connections that are kept, and B is with a connection for each request",
        ),
        (&other, "A is of `GET /`, and B is of `GET /other`"),
        (&stopped, "B was interrupted"),
        (&wider, "A is a closed loop of 10 clients, and B is a closed loop of 20 clients"),
        (&mixed, "B is a closed loop of 10 clients and a closed loop of 20 clients"),
    ] {
        let output = edgeproof(&["compare", &base, file]);
        assert_eq!(code(&output), 2, "{file}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    assert_eq!(code(&edgeproof(&["compare", &base, &base, "--metrics", "cpu"])), 2);
    let silent = spoilt("silent.json", &|report| {
        let shot = &mut report["shots"][2];
        (shot["requests"], shot["rps"], shot["unfinished"]) = (0.into(), 0.0.into(), 10.into());
        (shot["latency_us"]["p50"], shot["latency_us"]["p99"]) = (0.into(), 0.into());
    });
    let idle = spoilt("idle.json", &|report| report["shots"][2]["server_cpu_s"] = 1.0.into());
    for file in [&silent, &idle] {
        let output = edgeproof(&["compare", &base, file]);
        assert_eq!(code(&output), 6, "{file}: {}", text(&output.stdout));
        assert!(text(&output.stdout).contains("not in every round"), "{}", text(&output.stdout));
    }
    // In an open loop those that never got their turn count.
    let open = |name, unfinished: u64| {
        spoilt(name, &|report| {
            for shot in report["shots"].as_array_mut().unwrap() {
                let latency = shot["latency_us"].clone();
                shot["unfinished"] = unfinished.into();
                shot["open"] = serde_json::json!({
                    "offered_rps": 100.0, "uncorrected_latency_us": latency, "send_lag_us": latency,
                    "uncorrected_histogram": "", "late_sends": 0, "waited": 0, "saturated": false,
                });
            }
        })
    };
    let (all, some) = (open("all.json", 0), open("some.json", 40));
    assert_eq!(code(&edgeproof(&["compare", &all, &all])), 0);
    assert_eq!(code(&edgeproof(&["compare", &all, &some])), 5);
}

/// What a sweep or open loops came to: a rate, the server's processor time and whether the generator was late, for each.
fn open_loops(folder: &Path, name: &str, shots: &[(f64, f64, bool)], more: &Value) -> String {
    let base = std::fs::read_to_string(result(folder, name, 1, 1.0)).unwrap();
    let mut report: Value = serde_json::from_str(&base).unwrap();
    let shot = |(rate, cpu, late): &(f64, f64, bool)| {
        let mut shot = report["shots"][0].clone();
        let latency = shot["latency_us"].clone();
        (shot["rps"], shot["duration_s"]) = ((*rate).into(), 1.0.into());
        shot["server_cpu_s"] = (*cpu).into();
        shot["open"] = serde_json::json!({
            "offered_rps": rate, "uncorrected_latency_us": latency, "send_lag_us": latency,
            "uncorrected_histogram": "", "late_sends": 0, "waited": 0, "saturated": late,
        });
        shot
    };
    report["shots"] = shots.iter().map(shot).collect();
    report.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    written(folder, name, &report)
}

#[test]
fn a_plan_tells_what_it_is_made_of_or_why_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let loops = |name: &str, shots: &[(f64, f64, bool)]| {
        open_loops(folder.path(), name, shots, &serde_json::json!({}))
    };
    let sweep = |name: &str, sweep: Value| {
        let more = serde_json::json!({ "sweep": sweep });
        open_loops(folder.path(), name, &[(100.0, 0.1, false)], &more)
    };
    let found = serde_json::json!({
        "knee_rps": 1600.0, "failed_rps": null, "confirmed": true, "generator_limited": true,
        "slo": null, "steps": [],
    });
    let known = sweep("sweep.json", found.clone());
    let mut guess = found;
    guess["confirmed"] = false.into();
    let guess = sweep("guess.json", guess);
    let good = loops("good.json", &[(100.0, 0.1, false), (200.0, 0.2, false), (400.0, 0.4, false)]);
    let late = loops("late.json", &[(100.0, 0.1, false), (200.0, 0.2, true), (400.0, 0.4, true)]);
    let one = loops("one.json", &[(100.0, 0.1, false), (101.0, 0.2, false), (99.0, 0.1, false)]);
    let busy = loops("busy.json", &[(100.0, 1.6, false), (200.0, 1.7, false), (400.0, 1.9, false)]);
    let stopped = {
        let more = serde_json::json!({ "interrupted": true });
        open_loops(folder.path(), "stopped.json", &[(100.0, 0.1, false)], &more)
    };
    let plan = |files: &[&str]| edgeproof(&[&["plan", "--rate", "51200"], files].concat());
    for (files, told) in [
        (&[&*good][..], "you need 65 machines of this kind"),
        (&[&known], "you need at most 41 machines of this kind"),
        (&[&good, &late], "left out of the open loops: 2 whose generator was late"),
    ] {
        let output = plan(files);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(told), "{}", text(&output.stdout));
    }
    for (files, why) in [
        (&[&*late][..], "left out of the open loops: 2 whose generator was late"),
        (&[&one], "found 99.0 to 101.0 requests a second"),
        (&[&busy], "1.50 cores are busy without any request"),
        (&[&guess], "not confirmed"),
        (&[&known, &guess], "a second sweep"),
        (&[&stopped], "interrupted"),
    ] {
        let output = plan(files);
        assert_eq!(code(&output), 2, "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

/// Users who think for so long, of a server of a thousand a second with one queue, so that it has so many requests at a time.
fn users(folder: &Path, name: &str, think: f64, at_a_time: &[f64]) -> String {
    let base = std::fs::read_to_string(result(folder, name, 1, 1.0)).unwrap();
    let mut report: Value = serde_json::from_str(&base).unwrap();
    let shot = |n: &f64| {
        let mut shot = report["shots"][0].clone();
        let rate = 1000.0 * n / (1.0 + n);
        shot["connections"] = ((n + rate * think).round() as u64).into();
        (shot["rps"], shot["think_s"]) = (rate.into(), think.into());
        shot["latency_us"]["mean"] = (n / rate * 1e6).into();
        shot
    };
    report["shots"] = at_a_time.iter().map(shot).collect();
    written(folder, name, &report)
}

#[test]
fn a_plan_over_users_counts_who_is_in_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let few = users(folder.path(), "few.json", 0.1, &[0.1, 0.5, 1.0]);
    let many = users(folder.path(), "many.json", 0.5, &[3.0, 9.0]);
    for (files, note) in [(&[&*few, &many][..], false), (&[&few, &few], true)] {
        let output = edgeproof(&[&["plan", "--rate", "1600", "--spare", "0"], files].concat());
        if note {
            assert_eq!(code(&output), 2, "three numbers of clients are too few");
            continue;
        }
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let told = text(&output.stdout);
        assert!(told.contains("at most 1000 (1000 to 1000) with ever more at a time"), "{told}");
        assert!(told.contains("you need 2 machines"), "{told}");
    }
    let guess = users(folder.path(), "guess.json", 0.1, &[0.1, 0.2, 0.5, 1.0]);
    let output = edgeproof(&["plan", &guess, "--rate", "1600"]);
    let told = text(&output.stdout);
    assert!(told.contains("2.0 times the highest rate that was measured, 500: a guess"), "{told}");
}

#[test]
fn a_plan_is_made_from_one_kind_of_requests() {
    let folder = tempfile::tempdir().unwrap();
    let asked = |name: &str, address: &str, request: &str| {
        let good = [(100.0, 0.1, false), (200.0, 0.2, false), (400.0, 0.4, false)];
        let asked = serde_json::json!({ "asked": {
            "address": address, "host": null, "tls": false, "protocol": "HTTP/1.1", "keep_alive": true,
            "pace": name, "requests": [request], "kinds": 1,
        } });
        open_loops(folder.path(), name, &good, &asked)
    };
    let first = asked("even", "127.0.0.1:80", "GET /");
    let plan = |files: &[&str]| edgeproof(&[&["plan", "--rate", "1600"], files].concat());
    assert_eq!(code(&plan(&[&first, &asked("poisson", "127.0.0.1:80", "GET /")])), 0);
    let other = asked("path", "127.0.0.1:80", "GET /a");
    let output = plan(&[&first, &other]);
    assert_eq!(code(&output), 2, "{}", text(&output.stdout));
    let why = "it is of `GET /a`, and the first result is of `GET /`";
    assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    assert_eq!(code(&plan(&[&first, "--hits", "50%", "--misses", &other])), 0);
    let output = plan(&[&first, &asked("server", "127.0.0.1:81", "GET /")]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("from 127.0.0.1:81, the first from 127.0.0.1:80"));
    let output = plan(&[&first, "--hits", "50%", "--misses", &first]);
    assert!(code(&output) == 2 && text(&output.stderr).contains("of hits and of misses"));
}

#[test]
fn a_plan_weighs_hits_and_misses_by_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let loops = |name: &str, us: f64| {
        let shots = [100.0, 200.0, 400.0].map(|rate| (rate, rate * us / 1e6, false));
        open_loops(folder.path(), name, &shots, &serde_json::json!({}))
    };
    let (hits, misses) = (loops("hits.json", 100.0), loops("misses.json", 1000.0));
    let log = folder.path().join("access.log");
    let line = |at: usize| {
        let status = if at.is_multiple_of(4) { "edge; fwd=miss" } else { "edge; hit" };
        format!("2026-11-22T10:00:{:02}+00:00 2000 \"{status}\"\n", at % 60)
    };
    std::fs::write(&log, (0..1200).map(line).collect::<String>()).unwrap();
    let format =
        "{completion_date:%Y-%m-%dT%H:%M:%S%:z} {response_size} \"{response_header:Cache-Status}\"";
    let of_log = ["--log", log.to_str().unwrap(), "--log-format", format];
    let question = ["--rate", "10000", "--spare", "0", "--headroom", "99.9%"];
    let plan = |more: &[&str]| edgeproof(&[&["plan", &hits], &question[..], more].concat());
    let output = plan(&[&of_log[..], &["--misses", &misses]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    // 3/4 of 100 us and 1/4 of 1000 us are 325 us: 3077 a second of one core.
    for part in [
        "Hits of the cache: 75.0 %",
        "Hits, 75.0 % of all:\nUtilisation law: 100.00 us",
        "Misses, 25.0 % of all:\nUtilisation law: 1000.00 us",
        "A machine is given 3074 requests a second",
        "you need 4 machines",
        "Bodies alone are 160.0 Mbit/s then, up to 49.2 of each machine.",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    let words = ["--misses", &misses, "--hits", "0%", "--format", "json"];
    let found: Value = serde_json::from_slice(&plan(&words).stdout).unwrap();
    assert!((found["machine_rps"]["value"].as_f64().unwrap() - 999.0).abs() < 1e-6, "{found}");
    assert_eq!(
        (&found["misses"]["share"], &found["machines"]["needed"]),
        (&1.0.into(), &11.into())
    );
    let page = folder.path().join("plan.html");
    let html = format!("html={}", page.display());
    assert_eq!(code(&plan(&["--misses", &misses, "--hits", "75%", "--format", &html])), 0);
    assert_eq!(std::fs::read_to_string(page).unwrap().matches("<svg").count(), 2);
    std::fs::write(
        &log,
        "127.0.0.1 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n",
    )
    .unwrap();
    for (more, why) in [
        (&["--misses", &misses][..], "wants the share of hits: --hits 90%"),
        (&["--misses", &misses, "--log", of_log[1]], "the log does not tell it"),
        (&["--hits", "75%"], "--misses"),
        (&["--misses", &misses, "--hits", "175%"], "a share such as `90%`"),
    ] {
        let output = plan(more);
        assert_eq!(code(&output), 2, "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

/// At night all are hits; in the busiest hour a quarter, for what did not ask the cache is none either.
#[test]
fn hits_and_misses_count_as_in_the_busiest_hour() {
    let folder = tempfile::tempdir().unwrap();
    let swept = |name: &str, rate: f64| {
        let more = serde_json::json!({ "sweep": {
            "knee_rps": rate, "failed_rps": rate * 1.05, "confirmed": true, "generator_limited": false,
            "slo": null, "steps": [],
        } });
        open_loops(folder.path(), name, &[(rate, 0.1, false)], &more)
    };
    let (hits, misses) = (swept("hits.json", 1000.0), swept("misses.json", 100.0));
    let line = |hour: u32, at: u32, word: &str| {
        format!("2026-11-22T{hour:02}:{:02}:{:02}+00:00 \"{word}\"\n", at / 60, at % 60)
    };
    let night = (0..1000).map(|at| line(3, at, "Hit from cloudfront"));
    let words = ["MISS, TCP_MEM_HIT", "HIT, MISS", "-", ""];
    let day = (0..1200).zip(words.iter().cycle()).map(|(at, word)| line(15, at, word));
    let log = folder.path().join("access.log");
    std::fs::write(&log, night.chain(day).collect::<String>()).unwrap();
    let format = "{completion_date:%Y-%m-%dT%H:%M:%S%:z} \"{response_header:X-Cache}\"";
    let log = ["--log", log.to_str().unwrap(), "--log-format", format];
    let words = [&["plan", &hits, "--misses", &misses][..], &log[..]].concat();
    let output = edgeproof(&words);
    let told = text(&output.stdout);
    let part = "Hits of the cache: 25.0 % in the busiest hour, 59.1 % in the whole log. Of 2200 requests 1600 told;";
    assert!(told.contains(part), "{told}{}", text(&output.stderr));
    let output = edgeproof(&[&words[..], &["--format", "json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["misses"]["share"], 0.75);
    assert_eq!(
        (&found["traffic"]["hits"], &found["traffic"]["hits_told"]),
        (&serde_json::json!(0.25), &serde_json::json!(1600))
    );
}

#[test]
fn a_plan_is_for_the_busiest_hour_of_a_log_and_its_bursts() {
    let folder = tempfile::tempdir().unwrap();
    let shots = &[(100.0, 0.1, false), (200.0, 0.2, false), (400.0, 0.4, false)];
    let results = open_loops(folder.path(), "good.json", shots, &serde_json::json!({}));
    let log = folder.path().join("access.log");
    let line = |second: u32| {
        let (minute, second) = (second / 60, second % 60);
        format!(
            "127.0.0.1 - - [22/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 500 \"-\" \"-\"\n"
        )
    };
    let lines: String = (0..1000).map(line).collect();
    std::fs::write(&log, format!("{lines}{}torn\n", line(5).repeat(1600))).unwrap();
    let words = ["plan", &results, "--log", log.to_str().unwrap(), "--spare", "0"];
    let output = edgeproof(&words);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for part in [
        "its busiest second 1601",
        "A body has 500 octets",
        "For 1601 requests a second",
        "you need 3 machines",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(text(&output.stderr).contains("1 lines do not fit"), "{}", text(&output.stderr));
    let output = edgeproof(&[&words[..], &["--rate", "100", "--format", "json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["rate"], &found["machines"]["needed"]), (&100.0.into(), &1.into()));
    assert_eq!(found["traffic"]["busiest"]["requests"], 2600);
    std::fs::write(&log, "").unwrap();
    for (wrong, why) in [(&words[..], "no request with a time"), (&["plan", &results], "--rate")] {
        let output = edgeproof(wrong);
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
}

/// A server beside itself: whatever the verdict, it is not that one is another.
#[test]
fn two_urls_are_measured_in_pairs() {
    let (address, _requests) = server(GOOD);
    let url = format!("http://{address}/");
    let words = ["-t", "30ms", "--rounds", "6", "-c", "2", "--margin", "90%", "--format", "json"];
    let output = edgeproof(&[&["compare", &url, &url], &words[..]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["paired"], true);
    assert_eq!(
        (found["a"].as_array().unwrap().len(), found["b"].as_array().unwrap().len()),
        (6, 6)
    );
    assert!([0, 6].contains(&code(&output)), "{found}");
}
