//! Formats that know nothing but cases are as red as the exit code, and no redder.

mod recorded;

use std::sync::Arc;

use edgeproof_report::{Baseline, ExitCode, Format, Options, Run, Scope, Summary, exit_code};
use edgeproof_runner::event::{CaseResult, EarlierPlay, Event, Failure, Verdict};
use recorded::{report_of, result, run_of};

/// What a CI server makes of each of them.
struct Told {
    junit: String,
    tap: String,
    sarif: serde_json::Value,
    github: String,
    json: serde_json::Value,
}

impl Told {
    fn of(events: &[Event], options: &Options) -> Told {
        let of = |format| report_of(events, format, options.clone());
        Told {
            junit: of(Format::Junit),
            tap: of(Format::Tap),
            sarif: serde_json::from_str(&of(Format::Sarif)).expect("JSON"),
            github: of(Format::Github),
            json: serde_json::from_str(&of(Format::Json)).expect("JSON"),
        }
    }

    /// Which formats a reader takes for a failed run: all or none should.
    fn red(&self) -> [bool; 5] {
        let not_ok = |line: &str| line.starts_with("not ok ") && !line.contains(" # TODO ");
        let run = &self.sarif["runs"][0];
        let all_known = |result: &serde_json::Value| {
            result["baselineState"] == "unchanged" || result.get("suppressions").is_some()
        };
        let results = run["results"].as_array().expect("results");
        [
            self.junit.contains("<failure") || self.junit.contains("<error"),
            self.tap.lines().any(|line| not_ok(line) || line.starts_with("Bail out! ")),
            run["invocations"][0]["executionSuccessful"] == false
                || results.iter().any(|result| !all_known(result)),
            self.github.contains("::error "),
            self.json["exit"]["code"] != 0,
        ]
    }
}

fn against(before: &[(&str, Verdict)]) -> Options {
    let results = before.iter().enumerate();
    let results =
        results.map(|(index, (id, verdict))| result(index, id, "nginx", "must", *verdict));
    let baseline = Baseline::of(&Run::of(&run_of(results)));
    Options { baseline: Some(Arc::new(baseline)), ..Options::default() }
}

fn run(cases: &[(&str, Verdict)]) -> Vec<Event> {
    let results = cases.iter().enumerate();
    run_of(results.map(|(index, (id, verdict))| {
        let failed = matches!(verdict, Verdict::Fail | Verdict::KnownFail);
        let failures = failed.then(failure).into_iter().collect();
        CaseResult { failures, ..result(index, id, "nginx", "must", *verdict) }
    }))
}

fn failure() -> Failure {
    Failure {
        file: "scenarios/a.yaml".to_owned(),
        line: 3,
        column: 7,
        path: "steps[0].expect.status".to_owned(),
        rendered: "error: expected 200, found 404".to_owned(),
        message: "expected 200, found 404".to_owned(),
        expected: "200".to_owned(),
        found: "404".to_owned(),
        exchange: None,
        unanswered: false,
    }
}

/// The same, with a play before that was not believed.
fn again(events: Vec<Event>) -> Vec<Event> {
    let again = |event| match event {
        Event::CaseFinished(mut case) => {
            case.earlier.push(EarlierPlay {
                why: "the machine stood still for 1.5 s meanwhile".to_owned(),
                verdict: Verdict::Fail,
                reason: Some("expected 200, found 504".to_owned()),
                duration_ms: 1600,
                failures: vec![Failure {
                    message: "expected 200, found 504".to_owned(),
                    ..failure()
                }],
                exchanges: Vec::new(),
            });
            Event::CaseFinished(case)
        }
        other => other,
    };
    events.into_iter().map(again).collect()
}

fn required(mut events: Vec<Event>) -> Vec<Event> {
    let (target, reason) = ("varnish".to_owned(), "varnishd is not installed".to_owned());
    events.insert(1, Event::TargetUnavailable { target, reason, required: true });
    events
}

#[test]
fn as_the_exit_code() {
    use Verdict::{Fail, KnownFail, Pass, Skip};
    let none = Options::default;
    let (a, b) = ("cache/a", "cache/b");
    let table = [
        (ExitCode::Good, run(&[(a, Pass), (b, Skip)]), none()),
        (ExitCode::TargetNotStarted, required(run(&[(a, Pass)])), none()),
        (ExitCode::Good, again(run(&[(a, Pass)])), none()),
        (ExitCode::Failed, again(run(&[(a, Fail)])), none()),
        (ExitCode::NothingRan, run(&[(a, Skip)]), none()),
        (ExitCode::NothingRan, run(&[]), none()),
        (ExitCode::Failed, run(&[(a, Fail)]), none()),
        (ExitCode::Regression, run(&[(a, Pass), (b, Skip)]), against(&[(a, Pass), (b, Pass)])),
        (ExitCode::Regression, run(&[(a, Fail)]), against(&[(a, Pass)])),
        (ExitCode::Inconclusive, run(&[(a, Pass)]), against(&[(b, Pass)])),
        (ExitCode::Inconclusive, run(&[(a, Pass)]), against(&[(a, Skip)])),
        (ExitCode::Good, run(&[(a, Pass), (b, Fail)]), against(&[(a, Pass), (b, Fail)])),
        (ExitCode::Good, run(&[(a, Pass), (b, Skip)]), against(&[(a, Pass), (b, Fail)])),
        (ExitCode::Good, run(&[(a, Pass), (b, KnownFail)]), against(&[(a, Pass), (b, KnownFail)])),
    ];
    for (number, (code, events, options)) in table.into_iter().enumerate() {
        let summary = Summary::of(&Run::of(&events), options.baseline.as_deref());
        assert_eq!(exit_code(&summary, options.gate), code, "row {number}");
        let told = Told::of(&events, &options);
        assert_eq!(told.red(), [code != ExitCode::Good; 5], "row {number}: {code:?}");
        assert_eq!(told.json["exit"]["meaning"], code.meaning());
    }
}

#[test]
fn in_these_words() {
    use Verdict::{Fail, Pass, Skip};
    let (a, b) = ("cache/a", "cache/b");
    let told = Told::of(&required(run(&[(a, Pass)])), &Options::default());
    let why = "varnish is not available here: varnishd is not installed";
    assert!(told.tap.ends_with(&format!("\nBail out! {why}\n")), "{}", told.tap);
    assert_eq!(told.github, format!("::error title=edgeproof::{why}\n"));
    assert_eq!(told.json["exit"]["why"][0], why);
    let error = format!("<error message=\"{why}\" type=\"a target did not start\"/>");
    assert!(told.junit.contains(&error), "{}", told.junit);

    let dropped =
        Told::of(&run(&[(a, Pass), (b, Skip)]), &against(&[(a, Pass), (b, Verdict::Fixed)]));
    let why = "fixed in the baseline, skipped now: for a reason";
    assert!(dropped.tap.contains("\nnot ok 2 - cache/b on nginx\n"), "{}", dropped.tap);
    assert!(dropped.junit.contains(&format!("<failure message=\"{why}\"")), "{}", dropped.junit);
    let place = "::error file=scenarios/cache/b.yaml,line=1,title=cache/b on nginx::";
    assert!(dropped.github.starts_with(&format!("{place}{why}")), "{}", dropped.github);

    let old = Told::of(&run(&[(a, Pass), (b, Fail)]), &against(&[(a, Pass), (b, Fail)]));
    let line = "\nnot ok 2 - cache/b on nginx # TODO was failing already\n";
    assert!(old.tap.contains(line), "{}", old.tap);
    assert!(old.junit.contains("<skipped message=\"was failing already: for a reason\""));
}

/// A case that was played again says so in every format, with what was found before.
#[test]
fn what_was_found_before_a_case_was_played_again_is_told() {
    let words = ["expected 200, found 504", "the machine stood still for 1.5 s meanwhile"];
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::KnownFail] {
        let events = again(run(&[("cache/a", verdict)]));
        for format in Format::ALL.into_iter().filter(|format| !format.takes_several()) {
            let text = report_of(&events, format, Options { width: 200, ..Options::default() });
            for words in words {
                assert!(text.contains(words), "{format} of {verdict:?} lacks `{words}`: {text}");
            }
        }
    }
}

/// What the baseline skipped is in it all the same.
#[test]
fn a_baseline_without_a_verdict_is_not_one_without_the_case() {
    let (a, b) = ("cache/a", "cache/b");
    let human = |options| report_of(&run(&[(a, Verdict::Pass)]), Format::Human, options);
    let skipped = human(Options { width: 200, ..against(&[(a, Verdict::Skip)]) });
    assert!(skipped.contains("has a verdict on none of these cases"), "{skipped}");
    let stranger = human(Options { width: 200, ..against(&[(b, Verdict::Pass)]) });
    assert!(stranger.contains("the baseline has none of these cases"), "{stranger}");
    assert!(!stranger.contains("seems to be"), "{stranger}");
}

/// A suite that no folder is called `scenarios` of has other ids where another PATH is given.
#[test]
fn cases_that_are_named_otherwise_in_the_baseline_are_no_strangers() {
    let (short, long) = ("vary/star", "cache/vary/star");
    for (now, then) in [(short, long), (long, short)] {
        let now_run = run(&[(now, Verdict::Pass)]);
        let options = Options { width: 160, ..against(&[(then, Verdict::Pass)]) };
        let told = format!("what is `{now}` here seems to be `{then}` there");
        let json = Told::of(&now_run, &options).json["exit"]["why"][0].clone();
        assert!(json.as_str().is_some_and(|why| why.contains(&told)), "{json}");
        let human = report_of(&now_run, Format::Human, options);
        let human = human.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(human.contains(&told) && !human.contains("gone:"), "{human}");
    }
}

#[test]
fn what_held_and_is_known_to_fail_now_is_told() {
    let now = run(&[("cache/a", Verdict::KnownFail)]);
    let text = report_of(&now, Format::Human, against(&[("cache/a", Verdict::Pass)]));
    assert!(text.contains("newly known to fail: 1"), "{text}");
    assert!(text.contains("pass → known-fail"), "{text}");
    let still = report_of(&now, Format::Human, against(&[("cache/a", Verdict::KnownFail)]));
    assert!(!still.contains("newly known"), "{still}");
}

/// A run says which cases it would have played had they been there.
#[test]
fn gone_is_what_the_run_should_have_had() {
    let before = ["a/ok", "a/bad", "a/table#1", "b/only"].map(|id| (id, Verdict::Pass));
    let then = Baseline::of(&Run::of(&run(&before)));
    let table: [(&[&str], &[&str]); 6] = [
        (&[""], &["a/bad", "a/table#1", "b/only"]),
        (&["a"], &["a/bad", "a/table#1"]),
        (&["a/ok"], &[]),
        (&["a/ok", "a/table"], &["a/table#1"]),
        (&["a/ok", "b"], &["b/only"]),
        (&[], &[]),
    ];
    for (places, gone) in table {
        let scope = Scope::Below(places.iter().map(|place| (*place).to_owned()).collect());
        let baseline = then.clone().within(scope);
        let found = baseline.difference(&Run::of(&run(&[("a/ok", Verdict::Pass)]))).gone;
        let found: Vec<_> = found.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(found, gone, "{places:?}");
        let stranger = baseline.difference(&Run::of(&run(&[("c/x", Verdict::Pass)])));
        assert!(stranger.gone.is_empty(), "another suite");
    }
}
