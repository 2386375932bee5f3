//! What a request costs under the Core Rule Set, in time on one core.
//!
//! `cargo bench -p edgeproof-waf` plays an ordinary GET and a form of 2 KB at paranoia levels 1 and 4, and the worst
//! inputs that are known, and prints a table. The rules are those of the checkout that EDGEPROOF_CRS names, else
//! Debian's. Arguments choose lines by a part of their name;
//! `--times=N` plays each so often, for a profiler to look at.

mod inputs;
mod memory;
mod rules;

use std::sync::Arc;
use std::time::Instant;

use edgeproof_waf::{
    Collections, Connection, Match, Moment, RequestLine, RuleSet, Transaction, Verdict,
};
use inputs::Input;

fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(&**part));
    let times = std::env::args().find_map(|one| one.strip_prefix("--times=")?.parse().ok());
    let Some(source) = rules::Source::find() else {
        return eprintln!(
            "not run: EDGEPROOF_CRS names no checkout, and modsecurity-crs is not installed"
        );
    };
    let before = memory::resident();
    let start = Instant::now();
    let first = Arc::new(source.load(1));
    let loaded = start.elapsed();
    let resident = memory::resident() - before;
    println!("{} rules of {source}", first.rules().count());
    println!("{:<32} {:>10.1} ms", "load", loaded.as_secs_f64() * 1e3);
    println!("{:<32} {:>10.1} MB", "resident after loading", resident as f64 / 1e6);
    let fourth = Arc::new(source.load(4));
    for (level, rules) in [(1, &first), (4, &fourth)] {
        for input in inputs::ordinary() {
            let name = format!("{} at PL {level}", input.name);
            if wants(&name) {
                let micros = typical(rules, &input, times) * 1e6;
                println!("{name:<32} {micros:>10.1} µs");
            }
        }
    }
    for (level, rules) in [(1, &first), (4, &fourth)] {
        for input in inputs::worst() {
            let name = format!("{} at PL {level}", input.name);
            if wants(&name) {
                println!("{name:<32} {:>10.2} ms", typical(rules, &input, times) * 1e3);
            }
        }
    }
}

/// What one run in ten is faster than, in seconds: what the machine does beside it only ever lengthens runs.
fn typical(rules: &Arc<RuleSet>, input: &Input, times: Option<usize>) -> f64 {
    let store = Arc::new(Collections::default());
    let run = || {
        let start = Instant::now();
        play(rules, &store, input);
        start.elapsed().as_secs_f64()
    };
    let first = run();
    let count = times.unwrap_or(((1.0 / first) as usize).max(9));
    let mut taken: Vec<f64> = (0..count).map(|_| run()).collect();
    taken.sort_by(f64::total_cmp);
    taken[taken.len() / 10]
}

/// A whole transaction: the request, an answer of a short page, the log.
#[inline(never)]
fn play(rules: &Arc<RuleSet>, store: &Arc<Collections>, input: &Input) {
    let ends =
        Connection { client: ([192, 0, 2, 7], 40_000).into(), server: ([192, 0, 2, 8], 80).into() };
    let now = Moment::utc(1_790_000_000);
    let mut transaction = Transaction::new(rules, store, ends, "an-id", now);
    let (method, target) = (input.method.as_bytes(), input.target.as_bytes());
    let line = [method, b" ", target, b" HTTP/1.1"].concat();
    let line = RequestLine {
        line: &line,
        method: Some(method),
        target: Some(target),
        version: Some(b"HTTP/1.1"),
    };
    let headers = input.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let verdict = transaction.request(line, headers);
    if verdict == Verdict::Pass {
        for part in input.body.chunks(16 * 1024) {
            transaction.request_body(part);
        }
        transaction.request_end();
    }
    let answer = inputs::ANSWER.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    transaction.response(b"HTTP/1.1", 200, b"OK", answer);
    transaction.response_body(inputs::PAGE.as_bytes());
    transaction.response_end();
    let outcome = transaction.finish();
    let quiet = |one: &Match| {
        !one.message.is_empty() && one.tags.iter().any(|tag| tag == b"paranoia-level/1")
    };
    assert!(
        input.hostile || !outcome.matches.iter().any(quiet),
        "{}: {:?}",
        input.name,
        outcome.fired
    );
}
