//! What is asked for on the command line, and what is read from files.

mod recorded;

use std::{io, sync::Arc};

use edgeproof_report::{Baseline, Format, Level, Options, Output, Run, replay, reporter};
use edgeproof_runner::event::{Event, Verdict};
use recorded::{EVENTS, events, report_of, result, run_of};

#[test]
fn formats_are_asked_for_with_or_without_a_file() {
    for format in Format::ALL {
        let output: Output = format.as_str().parse().expect("a format");
        assert_eq!(output, Output { format, file: None });
    }
    let output: Output = "junit=out/a=b.xml".parse().expect("a format");
    assert_eq!(output, Output { format: Format::Junit, file: Some("out/a=b.xml".into()) });
}

#[test]
fn a_wrong_format_is_told_with_what_was_meant() {
    let message = |value: &str| value.parse::<Output>().expect_err("no format").to_string();
    insta::assert_snapshot!(message("jnuit=x.xml"), @"`jnuit` is no format: expected one of human, json, junit, tap, sarif, github, markdown, html, events, waf-rates, waf-chart; did you mean `junit`?");
    insta::assert_snapshot!(message("HTML"), @"`HTML` is no format: expected one of human, json, junit, tap, sarif, github, markdown, html, events, waf-rates, waf-chart; did you mean `html`?");
    insta::assert_snapshot!(message("spreadsheet"), @"`spreadsheet` is no format: expected one of human, json, junit, tap, sarif, github, markdown, html, events, waf-rates, waf-chart");
    insta::assert_snapshot!(message("html="), @"`html=` names no file: write `html=FILE`, or `html` for standard output");
    let message = "shoud".parse::<Level>().expect_err("no level").to_string();
    insta::assert_snapshot!(message, @"`shoud` is no level: expected must, should, may or observe; did you mean `should`?");
}

#[test]
fn a_recording_that_is_not_whole_is_refused_with_its_line() {
    let message = |text: &str| replay(text.as_bytes()).expect_err("not whole").to_string();
    let lines: Vec<&str> = EVENTS.lines().collect();
    insta::assert_snapshot!(message(""), @"the stream is empty: expected one event (a JSON object) a line");
    let other = EVENTS.replacen("\"version\":1", "\"version\":9", 1);
    insta::assert_snapshot!(message(&other), @"line 1: events of version 9, this edgeproof reads version 1: make the report with the edgeproof that recorded the run");
    insta::assert_snapshot!(message(&lines[1..].join("\n")), @"line 1: this is no recording of a run: expected the event `run-started`, found `target-unavailable`; record one with `--format events=FILE`");
    insta::assert_snapshot!(message("{\"summary\": {}}"), @"line 1: this is no recording of a run: expected the event `run-started`, found no event at all; record one with `--format events=FILE`");
    insta::assert_snapshot!(message(&(lines[..4].join("\n") + "\n")), @"the stream ends after line 4 without `run-finished`: the recording was not written to its end");
    insta::assert_snapshot!(message(&EVENTS[..EVENTS.len() - 9]), @"line 84: the line is cut off: the recording was not written to its end");
    let broken = format!("{}\n{}\nnonsense\n", lines[0], lines[1]);
    insta::assert_snapshot!(message(&broken), @"line 3, column 2: not an event: expected ident");
    let unknown = format!("{}\n{{\"event\":\"case-dreamt\"}}\n", lines[0]);
    insta::assert_snapshot!(message(&unknown), @"line 2, column 22: not an event: unknown variant `case-dreamt`, expected one of `run-started`, `target-started`, `target-unavailable`, `target-failed`, `case-started`, `case-finished`, `note`, `run-finished`");
    insta::assert_snapshot!(message(&EVENTS.repeat(2)), @"line 85: an event after `run-finished`: two recordings in one file?");
    let mut bytes = EVENTS.as_bytes().to_vec();
    let place = EVENTS.find("nginx").expect("a word");
    bytes[place] = 0xff;
    let error = replay(&*bytes).expect_err("no UTF-8").to_string();
    assert!(error.starts_with("line 1, column "), "{error}");
}

#[test]
fn a_baseline_is_read_from_json_and_from_events() {
    let json = report_of(&events(), Format::Json, Options::default());
    let from_json = Baseline::read(json.as_bytes()).expect("json");
    let from_events = Baseline::read(EVENTS.as_bytes()).expect("events");
    assert_eq!(from_json, from_events);
    assert_eq!(from_json.verdict("cache/vary/star", "nginx"), Some(Verdict::Fail));
    let run = Run::of(&events());
    let difference = from_json.difference(&run);
    assert!(difference.is_empty(), "{difference:?}");
    assert_eq!(difference.shared, 27);
    let message = |text: &str| Baseline::read(text.as_bytes()).expect_err("none").to_string();
    insta::assert_snapshot!(message("[]"), @"the baseline is no report: expected what `--format json` or `--format events` writes: invalid length 0, expected struct JsonReport with 1 element at line 1 column 2");
    insta::assert_snapshot!(message("{\"event\":\"run-started\",\"version\":3}"), @"the baseline is no recording of a run: line 1: events of version 3, this edgeproof reads version 1: make the report with the edgeproof that recorded the run");
}

#[test]
fn what_is_gone_is_looked_for_only_on_targets_of_this_run() {
    let then = Run::of(&run_of([
        result(0, "cache/a", "nginx", "must", Verdict::Pass),
        result(1, "cache/a", "varnish", "must", Verdict::Pass),
        result(2, "cache/b", "nginx", "should", Verdict::Fail),
        result(3, "cache/c", "nginx", "must", Verdict::Pass),
    ]));
    let now = Run::of(&run_of([
        result(0, "cache/a", "nginx", "must", Verdict::Fail),
        result(1, "cache/c", "nginx", "must", Verdict::Skip),
        result(2, "cache/d", "nginx", "must", Verdict::Pass),
    ]));
    let difference = Baseline::of(&then).difference(&now);
    let ids = |changes: &[edgeproof_report::Change]| {
        changes.iter().map(|change| format!("{}@{}", change.id, change.target)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&difference.newly_failing), ["cache/a@nginx"]);
    assert_eq!(ids(&difference.new), ["cache/d@nginx"]);
    assert_eq!(ids(&difference.no_longer_played), ["cache/c@nginx"]);
    assert_eq!(ids(&difference.gone), ["cache/b@nginx"]);
    assert_eq!(ids(&difference.newly_passing), Vec::<String>::new());
}

/// With a baseline the news comes first, and old failures are called so.
#[test]
fn failures_that_were_there_before_stand_last_and_are_no_news() {
    let all = |verdict, level| {
        run_of([
            result(0, "cache/old", "nginx", "must", Verdict::Fail),
            result(1, "cache/other", "nginx", level, verdict),
        ])
    };
    let then = Run::of(&all(Verdict::Pass, "must"));
    let options =
        Options { baseline: Some(Arc::new(Baseline::of(&then))), width: 120, ..Options::default() };
    let worse = all(Verdict::Fail, "must");
    for format in [Format::Human, Format::Markdown, Format::Github] {
        let text = report_of(&worse, format, options.clone());
        let place = |id: &str| text.find(id).expect("named");
        let failures = match format {
            Format::Markdown => text.find("### Failures").expect("failures"),
            _ => 0,
        };
        let text_after = &text[failures..];
        let places = ["cache/other", "cache/old"].map(|id| text_after.find(id).expect("named"));
        assert!(places[0] < places[1], "{format:?}: {text}");
        assert_eq!(text.matches("was failing already").count(), 1, "{format:?}: {text}");
        assert!(place("was failing already") > failures + places[0], "{format:?}: {text}");
    }
    let commands: Vec<String> = report_of(&worse, Format::Github, options.clone())
        .lines()
        .map(|line| line.split_whitespace().next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(commands, ["::error", "::notice"]);

    let same = "nothing got worse: 1 failure was there before";
    let below = "nothing that counts got worse: 1 failure was there before";
    for (events, headline) in
        [(all(Verdict::Pass, "must"), same), (all(Verdict::Fail, "should"), below)]
    {
        for format in [Format::Human, Format::Markdown, Format::Html] {
            let text = report_of(&events, format, options.clone()).to_lowercase();
            assert!(text.contains(headline), "{format:?}");
            assert!(!text.contains("all good"), "{format:?}");
        }
    }
}

#[test]
fn results_stand_in_file_order_whatever_the_order_they_came_in() {
    let mut events = events();
    let forward = Format::ALL.map(|format| report_of(&events, format, Options::default()));
    let last = events.len() - 1;
    let first = events.iter().position(|event| matches!(event, Event::CaseFinished(_)));
    events[first.expect("a result")..last].reverse();
    // A died target stands after its start either way; only results change places.
    for (format, before) in Format::ALL.into_iter().zip(forward) {
        if format != Format::Events {
            assert_eq!(report_of(&events, format, Options::default()), before, "{format}");
        }
    }
}

#[test]
fn a_figure_that_is_no_number_does_not_spoil_a_recording() {
    let mut case = result(0, "load/a", "nginx", "observe", Verdict::Pass);
    let figure = |name: &str, value| edgeproof_runner::event::Figure {
        name: name.to_owned(),
        value,
        unit: "req/s".to_owned(),
        samples: Vec::new(),
    };
    case.figures = vec![figure("rps", 10.5), figure("factor", f64::NAN)];
    let text = report_of(&run_of([case]), Format::Events, Options::default());
    let again = replay(text.as_bytes()).expect("a whole recording");
    let Some(Event::CaseFinished(case)) =
        again.iter().find(|e| matches!(e, Event::CaseFinished(_)))
    else {
        panic!("no result in {text}");
    };
    assert_eq!(case.figures, [figure("rps", 10.5)]);
}

#[test]
fn a_format_made_from_a_recording_has_the_very_same_figures() {
    let mut case = result(0, "load/a", "nginx", "observe", Verdict::Pass);
    // Numbers that a quick parser reads one unit in the last place off.
    let samples = vec![1327.8713734554715, 1292.3685417904621, 121_991.260_000_000_01];
    case.figures = vec![edgeproof_runner::event::Figure {
        name: "rps".to_owned(),
        value: samples[0],
        unit: "req/s".to_owned(),
        samples,
    }];
    let run = run_of([case]);
    let again = replay(report_of(&run, Format::Events, Options::default()).as_bytes());
    let again = again.expect("a whole recording");
    for format in [Format::Json, Format::Tap, Format::Junit] {
        assert_eq!(
            report_of(&again, format, Options::default()),
            report_of(&run, format, Options::default())
        );
    }
}

#[test]
fn a_share_is_a_whole_number_of_per_cent_rounded_down() {
    let verdicts = [Verdict::Pass].into_iter().chain([Verdict::Fail; 12]);
    let cases = verdicts
        .enumerate()
        .map(|(index, it)| result(index, &format!("a/{index}"), "t", "may", it));
    let page = report_of(&run_of(cases), Format::Html, Options::default());
    assert!(page.contains("7 %") && !page.contains("7.0 %"));
}

#[test]
fn a_target_that_did_not_start_is_told_once_with_the_lines_of_its_mistake() {
    let cases = (0..3).map(|index| {
        let mut case = result(index, &format!("a/{index}"), "t", "must", Verdict::Error);
        case.reason = Some("the target did not start: error: no such variable".to_owned());
        case
    });
    let mut events = run_of(cases);
    events.insert(
        1,
        Event::TargetFailed {
            target: "t".to_owned(),
            reason: "error: no such variable\n --> target.yaml:2:3\n  |\n2 | {{ a }}".to_owned(),
            log: String::new(),
        },
    );
    let text = report_of(&events, Format::Human, Options::default());
    assert!(
        text.contains("did not start\nerror: no such variable\n --> target.yaml:2:3\n"),
        "{text}"
    );
    assert!(!text.contains("again:"), "{text}");
    assert_eq!(text.matches("  error a/").count(), 3, "{text}");
}

/// A full disk is told as such, and a reader that went away is known by its kind.
#[test]
fn a_writer_that_fails_is_told_with_its_cause() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no room is left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in Format::ALL {
        let mut reporter = reporter(format, Full, Options::default());
        let events = events();
        let written = events.iter().try_for_each(|event| reporter.event(event));
        let error = written.and_then(|()| reporter.finish()).expect_err("it cannot be written");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{format:?}");
        assert_eq!(error.to_string(), "no room is left", "{format:?}");
    }
}
