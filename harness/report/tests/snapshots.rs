//! How each text format looks, from one recorded run.

mod recorded;

use std::sync::Arc;

use edgeproof_report::{Baseline, Format, Options};
use recorded::report;

fn with_baseline() -> Options {
    let baseline = include_str!("baseline.json");
    let baseline = Baseline::read(baseline.as_bytes()).expect("a baseline");
    Options { baseline: Some(Arc::new(baseline)), ..Options::default() }
}

#[test]
fn human() {
    insta::assert_snapshot!(report(Format::Human, Options::default()));
}

#[test]
fn human_with_a_baseline() {
    let text = report(Format::Human, with_baseline());
    let place = text.find("Against the baseline").expect("the part about the baseline");
    insta::assert_snapshot!(&text[place..]);
}

#[test]
fn human_in_colour() {
    let text = report(Format::Human, Options { color: true, ..Options::default() });
    let escaped = text.replace('\u{1b}', "␛");
    insta::assert_snapshot!(escaped);
}

#[test]
fn json() {
    insta::assert_snapshot!(report(Format::Json, Options::default()));
}

#[test]
fn json_with_a_baseline() {
    let text = report(Format::Json, with_baseline());
    let place = text.find("\"cases\": [").expect("the cases");
    insta::assert_snapshot!(&text[..place]);
}

#[test]
fn junit() {
    insta::assert_snapshot!(report(Format::Junit, Options::default()));
}

#[test]
fn tap() {
    insta::assert_snapshot!(report(Format::Tap, Options::default()));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(report(Format::Sarif, Options::default()));
}

#[test]
fn github() {
    insta::assert_snapshot!(report(Format::Github, Options::default()));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(report(Format::Markdown, Options::default()));
}

#[test]
fn markdown_with_a_baseline() {
    let text = report(Format::Markdown, with_baseline());
    let from = text.find("### Against").expect("the part about the baseline");
    let to = text.find("### Failures").expect("the failures");
    insta::assert_snapshot!(&text[from..to]);
}

#[test]
fn events_come_out_as_they_went_in() {
    assert_eq!(report(Format::Events, Options::default()), recorded::EVENTS);
}
