//! JUnit XML: a suite for each family on each target.
//!
//! JUnit knows neither levels nor known failures. What does not fail the run is `skipped` with the
//! reason, so that a CI server agrees with the exit code. What fails the run and is no case's verdict (a run
//! that did not come to its end, a target that is not there) is an error of its own. What was found before a case
//! was played again stands in `flakyFailure` and its kin, as Maven's Surefire writes them, where JUnit has a place for
//! them, and in the property `played_again` always.

use std::{
    error::Error as _,
    io::{self, Write},
    time::Duration,
};

use edgeproof_runner::event::{CaseResult, EarlierPlay, Failure, Verdict};
use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use crate::{
    Options, Outcome, Run,
    again::{found, told},
    number::percent,
    trouble::{Trouble, troubles},
    visible::{visible, visible_line},
};

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let mut report = Report::new("edgeproof");
    report.timestamp = run.started.parse().ok();
    report.time = run.duration_ms.map(Duration::from_millis);
    let outcomes = run.outcomes();
    for target in run.played_targets() {
        let mut suites: Vec<TestSuite> = Vec::new();
        for outcome in outcomes.iter().filter(|outcome| outcome.case().target == target) {
            let name = format!("{}/{}", line(target), line(&outcome.case().family));
            let place = suites.iter().position(|suite| suite.name.as_str() == name);
            let place = place.unwrap_or_else(|| {
                suites.push(suite(&name, run, target));
                suites.len() - 1
            });
            suites[place].add_test_case(test_case(&name, outcome, options));
        }
        report.add_test_suites(suites.into_iter().map(timed));
    }
    let troubles = troubles(run, options);
    if !troubles.is_empty() {
        report.add_test_suite(timed(apart(&troubles)));
    }
    let text = report.to_string().map_err(|error| with_cause(&error))?;
    // Written apart, so that a writer's own error stays what it is.
    writer.write_all(text.as_bytes())
}

/// A serialising error says only that there was one: what it was stands in its sources.
fn with_cause(error: &quick_junit::SerializeError) -> io::Error {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    io::Error::other(text)
}

fn suite(name: &str, run: &Run, target: &str) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.timestamp = run.started.parse().ok();
    if let Some(state) = run.targets.iter().find(|state| state.info.name == target) {
        for (key, value) in [
            ("target.title", state.info.title.as_str()),
            ("target.version", state.version()),
            ("target.clock", &state.info.clock),
        ] {
            if !value.is_empty() {
                suite.add_property(Property::new(key, line(value)));
            }
        }
    }
    suite
}

/// JUnit has no word for what is wrong with a whole run: a test that broke stands for it.
fn apart(troubles: &[Trouble]) -> TestSuite {
    let mut suite = TestSuite::new("edgeproof");
    for trouble in troubles {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(line(&trouble.why)).set_type(trouble.code.meaning());
        suite.add_test_case(TestCase::new(line(&trouble.wanted), status));
    }
    suite
}

/// A suite takes as long as its cases together.
fn timed(mut suite: TestSuite) -> TestSuite {
    suite.time = Some(suite.test_cases.iter().filter_map(|case| case.time).sum());
    suite
}

fn test_case(suite: &str, outcome: &Outcome<'_>, options: &Options) -> TestCase {
    let case = outcome.case();
    let mut status = status(outcome, options);
    status.add_reruns(outcome.played_again().flat_map(|case| &case.earlier).map(rerun));
    let mut test = TestCase::new(line(&case.id), status);
    test.set_classname(suite.replace('/', "."));
    test.set_time(Duration::from_millis(outcome.duration_ms()));
    let mut property = |name: &str, value: &str| {
        test.add_property(Property::new(name, line(value)));
    };
    property("requirement", &case.name);
    property("spec", &case.spec);
    property("level", case.level.as_str());
    property("verdict", case.verdict.as_str());
    property("file", &format!("{}:{}", options.relative(&case.file), case.line));
    property("reproduce", &case.reproduce);
    if let Some(clock) = &case.clock {
        property("clock", clock);
    }
    if let Some(rate) = outcome.flake_rate() {
        property("runs", &outcome.runs().to_string());
        property("flake_rate", &percent(rate));
    }
    for case in outcome.played_again() {
        property("played_again", &told(case).replace('\n', "; "));
    }
    for figure in &case.figures {
        property(
            &format!("figure.{}", line(&figure.name)),
            &format!("{} {}", figure.value, figure.unit),
        );
    }
    test
}

fn status(outcome: &Outcome<'_>, options: &Options) -> TestCaseStatus {
    let case = outcome.case();
    let reason = line(case.reason.as_deref().unwrap_or_default());
    match case.verdict {
        Verdict::Pass | Verdict::Fixed => TestCaseStatus::success(),
        Verdict::Skip => match options.no_longer_played(case) {
            Some(why) => {
                non_success(NonSuccessKind::Failure, "no longer played", &line(&why), case)
            }
            None => skipped(&reason, None),
        },
        Verdict::KnownFail => {
            skipped(&format!("known failure: {reason}"), Some(rendered(&case.failures)))
        }
        Verdict::Fail => match options.uncounted(case) {
            Some(why) => skipped(&format!("{why}: {reason}"), Some(rendered(&case.failures))),
            None => non_success(NonSuccessKind::Failure, "assertion", &reason, case),
        },
        Verdict::Error => non_success(NonSuccessKind::Error, "error", &reason, case),
    }
}

/// What was found before, and not believed.
fn rerun(play: &EarlierPlay) -> TestRerun {
    let kind = match play.verdict {
        Verdict::Error => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut rerun = TestRerun::new(kind);
    let text = format!("{}\nnot believed: {}\n", rendered(&play.failures), line(&play.why));
    rerun
        .set_time(Duration::from_millis(play.duration_ms))
        .set_type("played again")
        .set_message(line(&found(play).join("; ")))
        .set_description(text.trim_start());
    rerun
}

fn skipped(message: &str, text: Option<String>) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        status.set_description(text);
    }
    status
}

fn non_success(kind: NonSuccessKind, ty: &str, message: &str, case: &CaseResult) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let text = format!("{}\nagain: {}\n", rendered(&case.failures), line(&case.reproduce));
    status.set_message(message).set_type(ty).set_description(text);
    status
}

/// All diagnostics of a play. XML 1.0 has no way to write most control characters (§2.2), so they
/// are made visible first.
fn rendered(failures: &[Failure]) -> String {
    let all = failures.iter().map(|failure| visible(failure.rendered.trim_end()) + "\n");
    all.collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    visible_line(text)
}
