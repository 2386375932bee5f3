//! The rates of WAFs: how they look, and that the counting can come out either way.

mod recorded;

use edgeproof_report::{Format, Options};
use edgeproof_runner::event::{
    CaseResult, Event, Exchange, OriginExchange, Payload, PayloadEncoding, Verdict,
};
use recorded::{report_of, result, run_of};

fn payload(data: &str) -> Payload {
    Payload { encoding: PayloadEncoding::Text, data: data.to_owned(), truncated_from: None }
}

fn exchange(step: usize, blocked: bool) -> Exchange {
    let request = payload("GET / HTTP/1.1\r\n\r\n");
    let seen = OriginExchange { request: request.clone(), response: None };
    Exchange {
        step: format!("steps[{step}]"),
        client: "main".to_owned(),
        response: Some(payload(if blocked {
            "HTTP/1.1 403\r\n\r\n"
        } else {
            "HTTP/1.1 200\r\n\r\n"
        })),
        note: None,
        duration_us: 1,
        origin: if blocked { Vec::new() } else { vec![seen] },
        request,
    }
}

/// Which filter is asked: a target at a level, or without rules.
#[derive(Clone, Copy)]
struct At(&'static str, Option<&'static str>);

/// A case of two steps, each blocked or not.
fn case(At(target, level): At, id: &str, tags: &[&str], blocked: [bool; 2]) -> CaseResult {
    let verdict = if blocked == [false, true] { Verdict::Pass } else { Verdict::Fail };
    let setting = |level: &str| {
        let keys = [("waf", ""), ("waf.profile", "full"), ("waf.paranoia", level)];
        keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    };
    CaseResult {
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        site: level.map(setting).unwrap_or_default(),
        steps: 2,
        exchanges: vec![exchange(0, blocked[0]), exchange(1, blocked[1])],
        ..result(0, id, target, "should", verdict)
    }
}

/// Three attacks and two innocents, each blocked as the filter says of its name; before an attack comes
/// innocent text, before an innocent an attack.
fn family(at: At, blocks: impl Fn(&str) -> bool) -> Vec<CaseResult> {
    let make = |name: &str, kind: &str, set: &str, class: &str| {
        let twin = if kind == "attack" { "innocent twin" } else { "attacking twin" };
        case(at, &format!("waf/{name}"), &[kind, class, set], [blocks(twin), blocks(name)])
    };
    vec![
        make("attack union", "attack", "open", "sqli"),
        make("attack blind", "attack", "held-out", "sqli"),
        make("attack svg", "attack", "open", "xss"),
        make("prose", "innocent", "open", "prose"),
        make("O'Hara", "innocent", "held-out", "names"),
    ]
}

fn table(events: &[Event]) -> String {
    report_of(events, Format::WafRates, Options::default())
}

fn chart(events: &[Event]) -> String {
    report_of(events, Format::WafChart, Options::default())
}

/// Two targets at two levels, one of them also without rules, with all that is left out.
fn recorded_run() -> Vec<Event> {
    let careful = |name: &str| name.starts_with("attack");
    let eager = |name: &str| careful(name) || name == "O'Hara" || name == "innocent twin";
    let mut results = Vec::new();
    for (target, level) in [("one", "1"), ("one", "4"), ("two", "1")] {
        let at = At(target, Some(level));
        results.extend(family(at, |name| match level {
            "1" => careful(name) && name != "attack blind",
            _ => eager(name),
        }));
    }
    // `attack svg` is refused without any rule too.
    results.extend(family(At("one", None), |name| name == "attack svg"));
    let at = At("two", Some("4"));
    let unknown = |id, verdict| CaseResult {
        verdict,
        exchanges: Vec::new(),
        ..case(at, id, &["attack", "open", "rce"], [false, true])
    };
    let early = case(at, "waf/attack early", &["attack", "open", "rce"], [true, true]);
    results.extend([
        unknown("waf/attack skipped", Verdict::Skip),
        unknown("waf/attack broken", Verdict::Error),
        CaseResult { exchanges: early.exchanges[..1].to_vec(), ..early },
        // Its failure is listed as known, and counts as what it is.
        CaseResult {
            verdict: Verdict::KnownFail,
            ..case(at, "waf/attack known", &["attack", "open", "no-class"], [false, false])
        },
        // About something else.
        case(at, "waf/log", &["log"], [false, true]),
    ]);
    let mut events = run_of(results);
    let reason = "it is not installed".to_owned();
    events.insert(
        1,
        Event::TargetUnavailable { target: "three".to_owned(), reason, required: false },
    );
    events
}

#[test]
fn as_tables() {
    insta::assert_snapshot!(table(&recorded_run()));
}

#[test]
fn as_a_chart() {
    insta::assert_snapshot!(chart(&recorded_run()));
}

/// The row of the first table: detection and false positives.
fn rates(events: &[Event]) -> String {
    let text = table(events);
    let row = text.lines().find(|line| line.starts_with("| full |")).expect("a row");
    row.trim_start_matches("| full | 1 | ").trim_end_matches(" |").to_owned()
}

#[test]
fn a_filter_that_blocks_everything_has_all_of_both() {
    let found = rates(&run_of(family(At("wall", Some("1")), |_| true)));
    assert_eq!(found, "3 of 3: **100.0 %** (43.9 to 100.0) | 2 of 2: **100.0 %** (34.2 to 100.0)");
}

#[test]
fn a_filter_that_blocks_nothing_has_none_of_both() {
    let found = rates(&run_of(family(At("hole", Some("1")), |_| false)));
    assert_eq!(found, "0 of 3: **0.0 %** (0.0 to 56.1) | 0 of 2: **0.0 %** (0.0 to 65.8)");
}

/// What a negative control refuses is refused without rules, whatever its cases ask for.
#[test]
fn a_negative_control_has_no_rates() {
    let mut events = run_of(family(At("bare", Some("1")), |name| name == "attack svg"));
    if let Event::RunStarted { targets, .. } = &mut events[0] {
        targets[0].negative_control = true;
    }
    let mut other = run_of(family(At("one", Some("1")), |name| name.starts_with("attack")));
    events.append(&mut other);
    let text = table(&events);
    assert!(text.contains("| <code>bare</code> | 1 of 3 | 0 of 2 |"), "{text}");
    assert!(!text.contains("<code>bare</code>: detection"), "{text}");
    assert!(text.contains("3 of 3: **100.0 %**"), "one's own control was not played: {text}");
}

#[test]
fn a_case_played_again_counts_once_and_at_its_worst() {
    let at = At("one", Some("1"));
    let lucky = family(at, |name| name.starts_with("attack"));
    let unlucky = family(at, |name| name == "prose");
    for both in [[lucky.clone(), unlucky.clone()], [unlucky, lucky]] {
        let found = rates(&run_of(both.concat()));
        assert!(found.starts_with("0 of 3: ") && found.contains(" | 1 of 2: "), "{found}");
    }
}

#[test]
fn a_run_about_something_else_has_none() {
    let events = run_of([case(At("one", None), "cache/a", &["log"], [false, true])]);
    assert!(table(&events).starts_with("No case of these recordings is an attack"));
    assert!(chart(&events).contains("No case of these recordings"));
}
