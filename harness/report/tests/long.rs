//! What a failure of many clients at once looks like at a terminal: a few of them, and how many more.

mod recorded;

use edgeproof_report::{Format, Options};
use edgeproof_runner::event::{
    CaseResult, Event, Exchange, Failure, LogExcerpt, OriginExchange, Payload, PayloadEncoding,
    Verdict,
};
use recorded::{report_of, result, run_of};

fn payload(text: String) -> Payload {
    Payload { encoding: PayloadEncoding::Text, data: text, truncated_from: None }
}

/// An exchange of one of the clients, with so many requests at the origin.
fn exchange(client: usize, seen: usize) -> Exchange {
    let at_origin = |number| OriginExchange {
        request: payload(format!("GET /{client}/{number} HTTP/1.1\r\n\r\n")),
        response: None,
    };
    Exchange {
        step: format!("steps[0].parallel[{client}].steps[0]"),
        client: "main".to_owned(),
        request: payload(format!("GET /{client} HTTP/1.1\r\n\r\n")),
        response: Some(payload("HTTP/1.1 200 OK\r\n\r\n".to_owned())),
        note: None,
        duration_us: 1000,
        origin: (0..seen).map(at_origin).collect(),
    }
}

/// What a client found in place of what the assertion at that line asks.
fn failure(client: usize, line: usize) -> Failure {
    let message = format!("line {line}: expected one, found {client}");
    Failure {
        file: "scenarios/a.yaml".to_owned(),
        line,
        column: 7,
        path: format!("steps[0].parallel.steps[0].expect.{line}"),
        rendered: format!("error: {message}"),
        message,
        expected: "one".to_owned(),
        found: client.to_string(),
        // As the runner does: the last ones are played, not reported.
        exchange: (client < 64).then_some(client),
        unanswered: false,
    }
}

/// A case in which 1000 clients failed two assertions each, and one of them a third.
fn crowd() -> Vec<Event> {
    let clients = 0..1000;
    let mut failures: Vec<Failure> =
        clients.flat_map(|client| [failure(client, 5), failure(client, 6)]).collect();
    failures.push(failure(1, 9));
    let lines = (0..50).map(|line| format!("line {line}")).collect();
    run_of([CaseResult {
        failures,
        exchanges: (0..64).map(|client| exchange(client, 6)).collect(),
        logs: vec![LogExcerpt { log: "access".to_owned(), lines }],
        ..result(0, "cache/a", "reference", "must", Verdict::Fail)
    }])
}

#[test]
fn a_crowd_that_fails_alike_is_shown_by_a_few_of_it() {
    let text = report_of(&crowd(), Format::Human, Options::default());
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() < 200, "{} lines:\n{text}", lines.len());
    for client in 0..4 {
        for line in [5, 6] {
            let told = format!("error: line {line}: expected one, found {client}");
            assert_eq!(lines.iter().filter(|it| **it == told).count(), 1, "{text}");
        }
        let exchange = format!("steps[0].parallel[{client}].steps[0] ");
        assert_eq!(text.matches(&exchange).count(), 1, "{text}");
    }
    assert!(!text.contains("found 4\n") && !text.contains("parallel[4]"), "{text}");
    assert!(text.contains("error: line 9: expected one, found 1\n"), "{text}");
    let cut: Vec<&str> = lines.iter().filter(|it| it.contains("… ")).map(|it| it.trim()).collect();
    let origin = "├ … and 2 more requests that the origin saw";
    assert_eq!(
        cut,
        [
            origin,
            origin,
            origin,
            origin,
            "… and 996 more failures at scenarios/a.yaml:5:7",
            "… and 996 more failures at scenarios/a.yaml:6:7",
            "│ … 10 more lines",
        ]
    );
}

#[test]
fn the_recording_keeps_them_all() {
    let events = report_of(&crowd(), Format::Events, Options::default());
    assert_eq!(events.matches("\"column\":7").count(), 2001);
}
