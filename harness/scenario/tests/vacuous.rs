//! What cannot fail, or cannot hold, is a mistake: shown at its place, with what to write instead.

use edgeproof_diagnostics::Colour;
use edgeproof_scenario::bind_text;

fn told(expect: &str) -> (usize, String) {
    let frame = "name: n\nspec: s\nsteps: [{ send: GET /, expect: HERE }]\n";
    let (cases, diagnostics) = bind_text("a.yaml", &frame.replace("HERE", expect));
    (cases.len(), diagnostics.render(Colour::Never))
}

#[test]
fn what_proves_nothing_is_refused_with_help() {
    for expect in [
        "{ origin_requests: { at_least: 0 } }",
        "{ origin_requests: { at_least: 0, at_most: 3 } }",
        "{ origin_connections: { between: [0, 18446744073709551615] } }",
        "{ origin_requests: { at_most: 18446744073709551615 } }",
        "{ load: { errors: { at_least: 0 } } }",
        "{ processes: { matching: x, count: { at_least: 0 } } }",
        "{ access_log: { count: { at_least: 0 } } }",
        "{ body: { size: { at_least: 0 } } }",
        "{ body: { contains: '' } }",
        "{ body: { contains: { base64: '' } } }",
        "{ body: { not_contains: '' } }",
        "{ body: { matches: '' } }",
        "{ body: { matches: '.*' } }",
        "{ body: { not_matches: 'a?' } }",
        "{ headers: { vary: { count: { at_least: 0 } } } }",
        "{ headers: { vary: { includes: [] } } }",
        "{ headers: { vary: { excludes: [] } } }",
        "{ headers: { vary: { only: [] } } }",
        "{ headers: { vary: { one_of: [] } } }",
        "{ headers: { vary: { lines: [] } } }",
        "{ headers: { vary: { absent: true, equals: a } } }",
        "{ headers: { vary: { matches: a, absent: true } } }",
        "{ headers: { vary: { absent: true, present: true } } }",
        "{ headers: { vary: { absent: true, not_contains: a } } }",
        "{ headers: { 'x-odd:': { absent: true } } }",
        "{ headers: { 'x-odd ': { absent: true } } }",
        "{ headers: { '': { absent: true } } }",
        "{ trailers: { 'x y': { absent: true } } }",
        "{ origin_saw: { headers: { 'host ': { absent: true } } } }",
        "{ access_log: { fields: {} } }",
        "{ status: [] }",
        "{ status: { not: [] } }",
        "{ answers: [] }",
        "{ no_answer: true, status: 200 }",
        "{ time: { above: 0s } }",
        "{ time: { below: 0s } }",
    ] {
        let (cases, text) = told(expect);
        assert_eq!(cases, 0, "{expect} is handed on");
        assert!(text.contains("--> a.yaml:3:") && text.contains('^'), "{expect}:\n{text}");
        assert!(text.contains("= help: "), "{expect}:\n{text}");
        assert!(text.contains("1 error in 1 file"), "{expect} is told more than once:\n{text}");
    }
}

#[test]
fn what_can_fail_and_can_hold_is_taken() {
    for expect in [
        "{ origin_requests: 0 }",
        "{ origin_requests: { at_most: 0 } }",
        "{ origin_requests: { between: [0, 1] } }",
        "{ origin_requests: { at_least: 1 } }",
        "{ interim: [] }",
        "{ no_answer: true, connection: closed }",
        "{ no_answer: false, status: 200 }",
        "{ body: '' }",
        "{ body: { not: '' } }",
        "{ body: { matches: '^$' } }",
        "{ body: { contains: '{{host}}', matches: '{{host|regex}}' } }",
        "{ headers: { vary: { present: true, not_contains: a } } }",
    ] {
        let (cases, text) = told(expect);
        assert_eq!((cases, text.as_str()), (1, ""), "{expect}");
    }
}

#[test]
fn nothing_can_happen_in_no_time() {
    for case in [
        "time_limit: 0s\nsteps: [{ send: GET /, expect: { status: 200 } }]",
        "steps: [{ poll: { until: { status: 200 }, every: 0s, within: 0s } }]",
        "steps: [{ load: { name: a, send: GET /, requests: 1, time_limit: 0ms }, expect: { load: { errors: 0 } } }]",
    ] {
        let (cases, diagnostics) = bind_text("a.yaml", &format!("name: n\nspec: s\n{case}\n"));
        let text = diagnostics.render(Colour::Never);
        assert!(cases.is_empty() && text.contains("in no time at all"), "{text}");
    }
}

#[test]
fn it_is_shown_where_it_stands() {
    let text = "\
name: n
spec: s
steps:
  - send: GET /
    expect:
      origin_requests: { at_least: 0 }
      headers: { vary: { absent: true, matches: a }, age: { between: [2, 1] } }
      body: { contains: '' }
";
    insta::assert_snapshot!(bind_text("a.yaml", text).1.render(Colour::Never));
}

/// A column may empty what is looked for: the row is named.
#[test]
fn a_row_that_proves_nothing_is_named() {
    let text = "\
name: n
spec: s
each: [{ id: one, part: x }, { id: two, part: '' }]
steps: [{ send: GET /, expect: { body: { contains: '{{part}}' } } }]
";
    let (cases, diagnostics) = bind_text("a.yaml", text);
    let text = diagnostics.render(Colour::Never);
    assert_eq!(cases.len(), 1);
    assert!(text.contains("in the row `two` of `each`"), "{text}");
}
