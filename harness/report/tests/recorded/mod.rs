//! The recorded run that all format tests are made from, and what it looks like in a format.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use edgeproof_report::{Format, Options, replay, reporter};
use edgeproof_runner::event::{CaseResult, Event, TargetInfo, Verdict};

/// All verdicts, several targets, hostile bytes, repeats, in no order.
pub(crate) const EVENTS: &str = include_str!("../events.jsonl");

pub(crate) fn events() -> Vec<Event> {
    replay(EVENTS.as_bytes()).expect("the recording is whole")
}

/// The recorded run in a format.
pub(crate) fn report(format: Format, options: Options) -> String {
    report_of(&events(), format, options)
}

pub(crate) fn report_of(events: &[Event], format: Format, options: Options) -> String {
    let written = Written::default();
    let mut reporter = reporter(format, written.clone(), options);
    for event in events {
        reporter.event(event).expect("a vector takes everything");
    }
    reporter.finish().expect("a vector takes everything");
    let bytes = written.0.lock().expect("nobody panicked").clone();
    String::from_utf8(bytes).expect("every format is UTF-8")
}

/// A writer whose text can be read afterwards.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A result with nothing in it but what decides.
pub(crate) fn result(
    index: usize,
    id: &str,
    target: &str,
    level: &str,
    verdict: Verdict,
) -> CaseResult {
    CaseResult {
        index,
        id: id.to_owned(),
        file: format!("scenarios/{id}.yaml"),
        line: 1,
        name: format!("What {id} asks"),
        family: id.split('/').next().unwrap_or_default().to_owned(),
        level: level.parse().expect("a level"),
        spec: "RFC 9111 §4".to_owned(),
        explain: None,
        tags: Vec::new(),
        site: BTreeMap::new(),
        steps: 1,
        target: target.to_owned(),
        verdict,
        reason: (verdict != Verdict::Pass).then(|| "for a reason".to_owned()),
        duration_ms: 5,
        attempt: 1,
        attempts: 1,
        earlier: Vec::new(),
        clock: None,
        failures: Vec::new(),
        exchanges: Vec::new(),
        logs: Vec::new(),
        figures: Vec::new(),
        reproduce: format!("edgeproof run scenarios/{id}.yaml --target {target}"),
    }
}

/// A whole run of these results, each target up.
pub(crate) fn run_of(results: impl IntoIterator<Item = CaseResult>) -> Vec<Event> {
    let results: Vec<CaseResult> = results.into_iter().collect();
    let mut targets: Vec<String> = results.iter().map(|result| result.target.clone()).collect();
    targets.sort();
    targets.dedup();
    let mut events = vec![Event::RunStarted {
        version: edgeproof_runner::event::EVENT_VERSION,
        tool: "edgeproof 0.1.0".to_owned(),
        started: "2026-11-21T20:45:07Z".to_owned(),
        planned: results.len(),
        targets: targets.iter().map(|name| target(name)).collect(),
    }];
    events.extend(targets.into_iter().map(|target| Event::TargetStarted {
        target,
        version: None,
        ready_ms: 1,
    }));
    events.extend(results.into_iter().map(|result| Event::CaseFinished(Box::new(result))));
    events.push(Event::RunFinished { duration_ms: 100, interrupted: false });
    events
}

pub(crate) fn target(name: &str) -> TargetInfo {
    TargetInfo {
        name: name.to_owned(),
        title: format!("The target {name}"),
        kind: "process".to_owned(),
        clock: "waiting".to_owned(),
        declares: vec!["cache".to_owned()],
        negative_control: false,
    }
}
