//! `edgeproof plan --log`: what a log tells decides over how much hits and misses count.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn edgeproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgeproof")).args(arguments).output().unwrap()
}

/// A result of `load`, of a server of the test's own.
fn result() -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        // A connection that looks whether anybody is there comes first.
        for mut stream in listener.incoming().flatten() {
            while stream.read(&mut [0; 4096]).is_ok_and(|size| size > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        }
    });
    let output = edgeproof(&["load", &url, "-c", "1", "-n", "10", "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same with a sweep that found this rate, as a file.
fn swept(folder: &Path, name: &str, result: &Value, rate: f64) -> String {
    let mut result = result.clone();
    result["sweep"] = json!({
        "knee_rps": rate, "failed_rps": rate * 1.05, "confirmed": true, "generator_limited": false,
        "slo": null, "steps": [],
    });
    let file = folder.join(name);
    std::fs::write(&file, result.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// At night all are hits; in the busiest hour a quarter, for what did not ask the cache is none either.
#[test]
fn hits_and_misses_count_as_in_the_busiest_hour() {
    let folder = tempfile::tempdir().unwrap();
    let result = result();
    let hits = swept(folder.path(), "hits.json", &result, 1000.0);
    let misses = swept(folder.path(), "misses.json", &result, 100.0);
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
    let told = String::from_utf8(output.stdout).unwrap();
    let part = "Hits of the cache: 25.0 % in the busiest hour, 59.1 % in the whole log. Of 2200 requests 1600 told;";
    assert!(told.contains(part), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let output = edgeproof(&[&words[..], &["--format", "json"]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["misses"]["share"], 0.75);
    assert_eq!(
        (&found["traffic"]["hits"], &found["traffic"]["hits_told"]),
        (&json!(0.25), &json!(1600))
    );
}
