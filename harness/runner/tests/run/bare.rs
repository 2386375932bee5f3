//! Whole cases, from their text to their verdicts.

use crate::support::play;
use edgeproof_runner::event::{CaseResult, Verdict};

fn verdict_of(results: &[CaseResult]) -> (Verdict, String) {
    assert_eq!(results.len(), 1);
    (results[0].verdict, results[0].reason.clone().unwrap_or_default())
}

#[track_caller]
fn passes(text: &str) -> CaseResult {
    let mut results = play(text);
    let (verdict, reason) = verdict_of(&results);
    let rendered: Vec<_> = results[0].failures.iter().map(|it| it.rendered.clone()).collect();
    assert_eq!(verdict, Verdict::Pass, "{reason}\n{}", rendered.join("\n"));
    results.remove(0)
}

#[track_caller]
fn fails(text: &str) -> CaseResult {
    let mut results = play(text);
    let (verdict, reason) = verdict_of(&results);
    assert_eq!(verdict, Verdict::Fail, "{reason}");
    results.remove(0)
}

const HEAD: &str = "name: A case\nspec: RFC 9110 §1\n";

#[test]
fn an_answer_comes_through_and_the_origin_saw_the_request() {
    let result = passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: POST /form
    respond: { status: 201, headers: { x-a: ["1", "2"], content-type: text/plain }, body: one }
steps:
  - send: { method: POST, path: "/form?q=1", headers: { x-b: b }, body: hello }
    expect: { status: 404 }
"#
    ).replace("/form\n", "/form*\n").replace("status: 404", r#"status: 201, body: one, headers: { x-a: { lines: ["1", "2"] }, content-length: "3", date: { date: { between: [-2s, 1s] } } }, origin_requests: 1, connection: open, complete: true, origin_saw: { method: POST, path: "/form?q=1", body: hello, headers: { x-b: b, content-length: "5" } }"#));
    assert_eq!(result.exchanges.len(), 1);
    assert!(result.exchanges[0].request.data.starts_with("POST /form?q=1 HTTP/1.1\r\nHost: c0x"));
    assert_eq!(result.exchanges[0].origin.len(), 1);
    assert!(
        result.exchanges[0].origin[0].response.as_ref().unwrap().data.starts_with("HTTP/1.1 201")
    );
    // The target lies where no name is looked up: only its folder finds it again.
    assert!(
        result
            .reproduce
            .starts_with("edgeproof run scenarios/a/b.yaml -k 'case:\"a/b\"' --target /")
    );
    assert!(result.reproduce.ends_with("/bare"), "{}", result.reproduce);
}

#[test]
fn chunks_trailers_interim_answers_and_sequences_arrive() {
    passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /doc
    respond:
      - interim: [{ status: 103, headers: { link: "</a.css>" } }]
        body: hello world
        chunked: [1, 4]
        trailers: { x-sum: "42" }
      - { status: 304 }
  - on: HEAD /doc
    respond: { body: hello }
steps:
  - send: GET /doc
    expect: { status: 200, body: hello world, interim: [103], trailers: { x-sum: "42" }, headers: { transfer-encoding: chunked, content-length: { absent: true } } }
  - send: GET /doc
    expect: { status: 304, body: "", headers: { content-length: { absent: true } } }
  - send: GET /doc
    expect: { status: 304, origin_requests: 3, origin_connections: 1 }
  - send: HEAD /doc
    expect: { status: 200, body: "", headers: { content-length: "5" }, connection: open }
  - send: { method: GET, path: /doc, version: HTTP/1.0 }
    expect: { status: 304, connection: closed }
"#
    ));
}

#[test]
fn octets_that_nobody_asked_for_fail_the_case() {
    let told = |steps: &str| {
        let result = fails(&format!(
            "{HEAD}{}steps: {steps}\n",
            r#"
origin:
  - on: GET /twice
    respond: { raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo" }
  - on: HEAD /twice
    respond: { raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none" }
  - on: GET /none
    respond: { raw: "HTTP/1.1 204 No Content\r\n\r\nbody" }
  - on: GET /
    respond: { body: one }
"#
        ));
        let failures: Vec<_> =
            result.failures.iter().map(|it| (&it.path[..], &it.found[..])).collect();
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert_eq!(failures[0].0, "client");
        failures[0].1.to_owned()
    };
    let extra = "octets came behind an answer that nobody asked for:";
    let whole = r#""HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo""#;
    let twice = "send: GET /twice, expect: { body: one }";
    assert_eq!(told(&format!("[{{ {twice} }}]")), format!("41 {extra} {whole}"));
    assert_eq!(told(&format!("[{{ {twice} }}, {{ close: true }}]")), format!("41 {extra} {whole}"));
    assert_eq!(
        told(&format!("[{{ {twice} }}, {{ send: GET / }}]")),
        format!("41 {extra} {whole}"),
        "before the next request"
    );
    assert_eq!(
        told(&format!("[{{ parallel: {{ clients: 1, steps: [{{ {twice} }}] }} }}]")),
        format!("41 {extra} {whole}")
    );
    assert_eq!(
        told(r#"[{ send: HEAD /twice, expect: { status: 200, body: "" } }]"#),
        format!("3 {extra} \"one\"")
    );
    assert_eq!(
        told(r#"[{ send: GET /none, expect: { status: 204, body: "" } }]"#),
        format!("4 {extra} \"body\"")
    );
}

#[test]
fn octets_that_may_have_been_asked_for_pass() {
    passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /line
    respond: { raw: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none\r\n" }
  - on: GET /
    respond: { body: one }
steps:
  - send: GET /line
    expect: { body: one }
  - send: GET /
    expect: { body: one }
  - client: pipe
    raw: { bytes: "GET / HTTP/1.1\r\nHost: {{host}}\r\n\r\nGET / HTTP/1.1\r\nHost: {{host}}\r\n\r\n", answers: 2 }
    expect: { answers: [200, 200] }
  - client: more
    raw: "GET / HTTP/1.1\r\nHost: {{host}}\r\n\r\nGET / HTTP/1.1\r\nHost: {{host}}\r\n\r\n"
    expect: { answers: [200] }
"#
    ));
}

#[test]
fn an_answer_that_breaks_off_fails_a_step_that_does_not_say_so() {
    let told = |path: &str| {
        let result = fails(&format!(
            "{HEAD}{}steps: [{{ send: GET {path}, expect: {{ status: 200, body: one }} }}]\n",
            r#"
origin:
  - on: GET /short
    respond: { raw: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\none" }
  - on: GET /cut
    respond: { raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n" }
  - on: GET /bad
    respond: { raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\nZZ\r\n\r\n" }
"#
        ));
        let failures: Vec<_> =
            result.failures.iter().map(|it| format!("{}: {}", it.path, it.found)).collect();
        failures.join("; ")
    };
    let end = "the connection closed after 3 octets of content, before its end";
    assert_eq!(told("/short"), format!("steps[0]: {end}"));
    assert_eq!(told("/cut"), format!("steps[0]: {end}"));
    assert_eq!(told("/bad"), "steps[0]: a chunk's size cannot be read: \"ZZ\"");
}

#[test]
fn answers_that_break_off_are_results() {
    passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /cut
    respond: { body: { fill: abc, size: 1000 }, break: { after: 400 } }
  - on: GET /reset
    respond: { body: { fill: abc, size: 1000 }, break: { after: 400, how: reset } }
  - on: GET /chunks
    respond: { body: hello, chunked: true, break: { after: 2 } }
  - on: GET /garbage
    respond: { raw: "SSH-2.0-nonsense\r\n" }
  - on: GET /nothing
    respond: { raw: "" }
steps:
  - send: GET /cut
    expect: { status: 200, complete: any }
  - send: GET /cut
    expect: { status: 200, complete: false, body: { size: 400 } }
  - send: GET /chunks
    expect: { status: 200, complete: false, body: he, connection: closed }
  - send: GET /nothing
    expect: { no_answer: true, origin_requests: 4 }
  - send: GET /reset
    expect: { complete: false }
"#
    ));
    let result = fails(&format!(
        "{HEAD}{}",
        r#"
origin: [{ on: GET /garbage, respond: { raw: "SSH-2.0-nonsense\r\n" } }]
steps:
  - send: GET /garbage
    expect: { status: 200 }
"#
    ));
    assert!(result.failures[0].found.contains("not HTTP/1"), "{}", result.failures[0].found);
}

#[test]
fn raw_octets_pipelines_and_a_client_that_waits_for_100() {
    passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /one
    respond: { body: one }
  - on: { path: /two }
    respond: { status: 404, body: two }
  - on: POST /form
    respond: { body: { echo: request } }
steps:
  - raw: { bytes: "GET /one HTTP/1.1\r\nHost: {{host}}\r\n\r\nHEAD /two HTTP/1.1\r\nHost: {{host}}\r\n\r\nGET /one HTTP/1.1\r\nHost: {{host}}\r\n\r\n", answers: 3 }
    expect: { answers: [200, 404, 200], origin_requests: 3, body: one, connection: open }
  - send: { method: POST, path: /form, body: hello, expect_continue: true, chunked: true, trailers: { x-t: "1" } }
    expect: { status: 200, interim: [100], body: { matches: "^POST /form HTTP/1\\.1\r\nHost: " }, origin_saw: { body: hello, trailers: { x-t: "1" } } }
  - raw: { bytes: "GET /one HTTP/1.1\r\nHost: {{host}}\r\n", half_close: true }
    client: other
    expect: { no_answer: true, origin_requests: 4 }
"#
    ));
}

#[test]
fn parallel_clients_repeats_polls_and_captures() {
    passes(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /parallel*
    respond: [{ status: 200 }, { status: 201 }, { status: 202 }]
  - on: GET /poll
    respond: [{ body: not yet }, { body: not yet }, { body: now, headers: { x-id: "id=7;" } }]
  - on: GET /echo
    respond: { body: { echo: request } }
steps:
  - parallel: { clients: 3, steps: [{ send: "GET /parallel?{{index}}", expect: { status: 2xx } }] }
    expect: { answers: [200, 201, 202], origin_requests: 3, origin_connections: 3 }
  - repeat: { times: 2, steps: [{ send: "GET /parallel?{{index}}" }] }
    expect: { origin_requests: 5, origin_saw: { path: "/parallel?1" } }
  - poll: { step: { send: GET /poll }, until: { body: now }, every: 1ms, within: 5s }
    capture: { id: { header: x-id, matches: "id=(\\d+)" } }
  - send: { path: /echo, headers: { x-id: "{{id}}" } }
    expect: { body: { contains: "x-id: 7" } }
"#
    ));
}

#[test]
fn what_is_captured_is_there() {
    const EMPTY: &str = "the value is empty, which only `may_be_empty: true` takes";
    let captured = |capture: &str| {
        play(&format!(
            "{HEAD}{}",
            r#"
origin:
  - on: GET /a
    respond: { headers: { x-empty: "", x-id: "id=" }, body: "" }
steps:
  - send: GET /a
    capture: { it: WHAT }
  - send: GET /a
    expect: { headers: { x-id: { contains: "{{it}}" } } }
"#
            .replace("WHAT", capture)
        ))
    };
    for (capture, why) in [
        ("body", EMPTY),
        ("{ header: x-empty }", EMPTY),
        ("{ header: x-id, matches: '=(.*)' }", EMPTY),
        (
            r"{ header: x-id, matches: 'id=(\d+)?' }",
            r#"a match in which the first group has no part of /id=(\d+)?/ in "id=""#,
        ),
        (
            r"{ header: x-id, matches: 'id=(\d+)?', may_be_empty: true }",
            r#"a match in which the first group has no part of /id=(\d+)?/ in "id=""#,
        ),
        (r"{ header: x-id, matches: '\d' }", r#"no match of /\d/ in "id=""#),
    ] {
        let results = captured(capture);
        let (verdict, reason) = verdict_of(&results);
        assert_eq!(verdict, Verdict::Fail, "{capture}");
        assert_eq!(reason, format!("nothing to capture as `it`: {why}"));
        assert_eq!(results[0].failures[0].path, "steps[0].capture.it");
    }
    for capture in [
        "{ header: x-id, matches: '[a-z]+' }",
        "{ header: x-id, matches: '(id|no)(x)?=' }",
        "{ body: true, may_be_empty: true }",
    ] {
        assert_eq!(captured(capture)[0].verdict, Verdict::Pass, "{capture}");
    }
}

/// What was under way when the time was up is told as far as it came, beside what came before.
#[test]
fn a_case_whose_time_is_up_shows_how_far_it_came() {
    let result = fails(&format!(
        "{HEAD}time_limit: 1s\n{}",
        r#"
origin:
  - on: GET /whole
    respond: { body: one }
  - on: POST /half
    respond: { body: whole, delay: 30s }
steps:
  - send: GET /whole
    expect: { body: one }
  - parallel:
      clients: 2
      steps:
        - raw: "POST /half HTTP/1.1\r\nHost: {{host}}\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx"
          expect: { body: whole }
"#
    ));
    let told = |at: usize| {
        let exchange = &result.exchanges[at];
        let response = exchange.response.as_ref().map_or("", |it| it.data.as_str());
        (exchange.step.as_str(), response.lines().next().unwrap_or_default())
    };
    assert_eq!(result.exchanges.len(), 3);
    assert_eq!(told(0), ("steps[0]", "HTTP/1.1 200 OK"));
    let mut halves = [told(1), told(2)];
    halves.sort_unstable();
    let half = |client: usize| format!("steps[1].parallel[{client}].steps[0]");
    let begun = "HTTP/1.1 100 Continue";
    assert_eq!(halves, [(half(0).as_str(), begun), (half(1).as_str(), begun)]);
    let note = result.exchanges[1].note.as_deref().unwrap_or_default();
    assert!(note.starts_with("no end of the answer within "), "{note}");
    let seen: usize = result.exchanges[1..].iter().map(|it| it.origin.len()).sum();
    assert_eq!(seen, 2, "the origin saw both");
    let shown = result.failures[0].exchange.expect("the exchange that it is about");
    assert_eq!(result.exchanges[shown].step, result.failures[0].path);
}

#[test]
fn an_answer_against_the_grammar_fails_the_case_that_reads_it_all_the_same() {
    let answered = |raw: &str| {
        let results = play(&format!(
            "{HEAD}\norigin:\n  - on: GET /a\n    respond: {{ raw: \"{raw}\" }}\nsteps:\n  - send: GET /a\n    \
             expect: {{ status: 200, body: one }}\n"
        ));
        verdict_of(&results)
    };
    let sound = r"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 3\r\n\r\none";
    assert_eq!(answered(sound).0, Verdict::Pass);
    for (sound_part, part, what) in [
        (r"b\r\n", r"b\n", "a line ends in a bare LF"),
        ("X-A: b", r"X-A: b\r\n c", "a folded line"),
        ("X-A: b", "X-A", "a line without a colon"),
        ("X-A: b", "X A: b", "a field name that is no token"),
        (
            "HTTP/1.1 200",
            r"HTTP/1.1 103 Early\nX: y\r\n\r\nHTTP/1.1 200",
            "a line ends in a bare LF",
        ),
    ] {
        let (verdict, reason) = answered(&sound.replace(sound_part, part));
        assert_eq!(verdict, Verdict::Fail, "{part}");
        let wanted = format!("the answer is no proper HTTP/1 message: {what}");
        assert!(reason.starts_with(&wanted), "{part}: {reason}");
    }
}

#[test]
fn what_is_told_of_a_failure_holds_no_secrets() {
    let result = fails(&format!(
        "{HEAD}{}",
        r#"
origin:
  - on: GET /a
    respond: { headers: { set-cookie: "sid=SECRET" } }
steps:
  - send: { path: /a, headers: { authorization: Bearer SECRET } }
    expect:
      headers: { set-cookie: nope }
      answer: { contains: nope }
      origin_saw: { headers: { authorization: nope } }
"#
    ));
    let told: Vec<_> = result.failures.iter().map(|it| &it.message[..]).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("a value that only --show-secrets shows"), "{told:?}");
    assert!(told.iter().all(|it| !it.contains("SECRET")), "{told:?}");
    assert!(result.failures.iter().all(|it| !it.rendered.contains("SECRET")), "{told:?}");
}

#[test]
fn a_request_that_no_rule_answers_fails_the_case() {
    let result = fails(&format!(
        "{HEAD}{}",
        "origin: [{ on: GET /a, respond: {} }]\nsteps: [{ send: GET /b, expect: { status: 404 } }]\n"
    ));
    assert!(result.failures[0].found.contains("no rule answers: \"GET /b\""));
}

#[test]
fn a_failure_points_at_its_line_with_expected_and_found() {
    let result = fails(&format!(
        "{HEAD}{}",
        r#"
origin: [{ on: GET /a, respond: { body: one, headers: { x-a: "1\u0001" } } }]
steps:
  - send: GET /a
    expect:
      status: 404
      headers:
        x-a: "2"
      body: two
  - send: GET /a
    expect: { status: 200 }
"#
    ));
    let rendered: Vec<_> = result.failures.iter().map(|it| it.rendered.as_str()).collect();
    insta::assert_snapshot!(rendered.join("\n\n"), @r#"
    error: status: expected 404, found 200 OK
     --> scenarios/a/b.yaml:8:7
      |
    8 |       status: 404
      |       ^^^^^^^^^^^ found 200 OK

    error: the field x-a: expected "2", found "1\x01"
      --> scenarios/a/b.yaml:10:9
       |
    10 |         x-a: "2"
       |         ^^^^^^^^ found "1\x01"

    error: the body: expected "two", found "one"
      --> scenarios/a/b.yaml:11:7
       |
    11 |       body: two
       |       ^^^^^^^^^ found "one"
    "#);
    assert_eq!(result.failures[1].path, "steps[0].expect.headers.x-a");
    assert_eq!(result.exchanges.len(), 1, "the case ends with the step that failed");
}
