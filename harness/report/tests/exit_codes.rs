//! What a run is worth: the rules of exit codes and their precedence, as tables.

mod recorded;

use edgeproof_report::{Baseline, ExitCode, Level, Run, Summary, exit_code};
use edgeproof_runner::event::{CaseResult, Event, Verdict};
use recorded::{result, run_of};

fn summary(results: Vec<CaseResult>) -> Summary {
    Summary::of(&Run::of(&run_of(results)), None)
}

fn one(level: &str, verdict: Verdict) -> Summary {
    summary(vec![
        result(0, "cache/a", "nginx", "must", Verdict::Pass),
        result(1, "cache/b", "nginx", level, verdict),
    ])
}

#[test]
fn a_verdict_counts_by_its_level_and_the_gate() {
    use ExitCode::{Error, Failed, Good};
    let table = [
        ("must", Verdict::Pass, [Good, Good, Good]),
        ("must", Verdict::Fail, [Failed, Failed, Failed]),
        ("must", Verdict::KnownFail, [Good, Good, Good]),
        ("must", Verdict::Fixed, [Good, Good, Good]),
        ("must", Verdict::Skip, [Good, Good, Good]),
        ("must", Verdict::Error, [Error, Error, Error]),
        ("should", Verdict::Fail, [Good, Failed, Failed]),
        ("may", Verdict::Fail, [Good, Good, Failed]),
        ("observe", Verdict::Fail, [Good, Good, Good]),
        ("observe", Verdict::Error, [Error, Error, Error]),
    ];
    for (level, verdict, expected) in table {
        let gates = [Level::Must, Level::Should, Level::May];
        let found = gates.map(|gate| exit_code(&one(level, verdict), gate));
        assert_eq!(found, expected, "{level} {verdict:?}");
    }
    assert_eq!(exit_code(&one("observe", Verdict::Fail), Level::Observe), Good);
}

#[test]
fn nothing_ran_when_all_was_skipped_or_there_was_nothing() {
    let skipped = summary(vec![result(0, "waf/a", "nginx", "must", Verdict::Skip)]);
    assert_eq!(exit_code(&skipped, Level::Must), ExitCode::NothingRan);
    assert_eq!(exit_code(&summary(Vec::new()), Level::Must), ExitCode::NothingRan);
    let observed = summary(vec![result(0, "load/a", "nginx", "observe", Verdict::Pass)]);
    assert_eq!(exit_code(&observed, Level::Must), ExitCode::Good);
}

/// Each condition alone, from the first to the last; each wins over all that come after it.
#[test]
fn the_first_that_applies() {
    type Cause = fn(&mut Summary);
    let causes: [(ExitCode, Cause); 7] = [
        (ExitCode::Usage, |summary| summary.usage_error = true),
        (ExitCode::Interrupted, |summary| summary.cut_short = Some("interrupted".to_owned())),
        (ExitCode::TargetNotStarted, |summary| summary.not_started = 1),
        (ExitCode::Error, |summary| summary.counts.add(Verdict::Error)),
        (ExitCode::Failed, |summary| summary.failures.push(Level::Must)),
        (ExitCode::Regression, |summary| summary.regressions.push(Level::Must)),
        (ExitCode::Inconclusive, |summary| summary.inconclusive = 1),
    ];
    for (first, (code, cause)) in causes.iter().enumerate() {
        let mut alone = Summary::default();
        cause(&mut alone);
        assert_eq!(exit_code(&alone, Level::Must), *code, "alone");
        for (_, later) in &causes[first + 1..] {
            later(&mut alone);
        }
        assert_eq!(exit_code(&alone, Level::Must), *code, "with all that come after");
    }
}

#[test]
fn the_numbers() {
    let codes = [
        (ExitCode::Good, 0),
        (ExitCode::Failed, 1),
        (ExitCode::Usage, 2),
        (ExitCode::TargetNotStarted, 3),
        (ExitCode::NothingRan, 4),
        (ExitCode::Regression, 5),
        (ExitCode::Inconclusive, 6),
        (ExitCode::Error, 7),
        (ExitCode::Interrupted, 130),
    ];
    for (code, number) in codes {
        assert_eq!(code.code(), number, "{code:?}");
    }
}

#[test]
fn a_target_that_never_was_up_did_not_start_and_one_that_was_died() {
    let failed = Event::TargetFailed {
        target: "nginx".to_owned(),
        reason: "exit status 1".to_owned(),
        log: "bind: address in use".to_owned(),
    };
    let mut events = run_of([result(0, "cache/a", "nginx", "must", Verdict::Pass)]);
    events.insert(2, failed.clone());
    let died = Summary::of(&Run::of(&events), None);
    assert_eq!((died.not_started, died.died), (0, 1));
    assert_eq!(exit_code(&died, Level::Must), ExitCode::Error);
    events.swap(1, 2);
    let events: Vec<Event> =
        events.into_iter().filter(|event| !matches!(event, Event::TargetStarted { .. })).collect();
    let never = Summary::of(&Run::of(&events), None);
    assert_eq!((never.not_started, never.died), (1, 0));
    assert_eq!(exit_code(&never, Level::Must), ExitCode::TargetNotStarted);
}

#[test]
fn a_target_that_cannot_be_had_is_an_error_only_where_it_is_required() {
    for (required, code) in [(false, ExitCode::Good), (true, ExitCode::TargetNotStarted)] {
        let mut events = run_of([result(0, "cache/a", "nginx", "must", Verdict::Pass)]);
        events.insert(
            1,
            Event::TargetUnavailable {
                target: "varnish".to_owned(),
                reason: "varnishd is not installed".to_owned(),
                required,
            },
        );
        let summary = Summary::of(&Run::of(&events), None);
        assert_eq!(exit_code(&summary, Level::Must), code);
    }
}

#[test]
fn an_interruption_is_told_by_the_last_event() {
    let mut events = run_of([result(0, "cache/a", "nginx", "must", Verdict::Fail)]);
    events.pop();
    events.push(Event::RunFinished { duration_ms: 3, interrupted: true });
    let summary = Summary::of(&Run::of(&events), None);
    assert_eq!(exit_code(&summary, Level::Must), ExitCode::Interrupted);
}

/// A recording that lost lines, but not its last.
#[test]
fn a_run_whose_results_are_not_all_there_is_none() {
    let mut events = run_of([
        result(0, "cache/a", "nginx", "must", Verdict::Pass),
        result(1, "cache/b", "nginx", "must", Verdict::Pass),
    ]);
    assert_eq!(Run::of(&events).cut_short(), None);
    events.retain(|event| !matches!(event, Event::CaseFinished(result) if result.index == 1));
    let run = Run::of(&events);
    assert_eq!(run.cut_short().as_deref(), Some("not whole: 1 of 2 results is missing"));
    let summary = Summary::of(&run, None);
    assert_eq!(exit_code(&summary, Level::Must), ExitCode::Interrupted);
    assert_eq!(summary.headline(Level::Must), "not whole: 1 of 2 results is missing");
}

/// Against a baseline only changes matter.
#[test]
fn against_a_baseline() {
    let then = |id, level, verdict| result(0, id, "nginx", level, verdict);
    let code = |before: Vec<CaseResult>, now: Vec<CaseResult>, gate| {
        let baseline = Baseline::of(&Run::of(&run_of(before)));
        exit_code(&Summary::of(&Run::of(&run_of(now)), Some(&baseline)), gate)
    };
    use Verdict::{Error, Fail, Fixed, KnownFail, Pass, Skip};
    let table = [
        ("still passes", "must", Pass, Pass, ExitCode::Good),
        ("still fails: nobody's news", "must", Fail, Fail, ExitCode::Good),
        ("a regression", "must", Pass, Fail, ExitCode::Regression),
        ("no longer as known", "must", KnownFail, Fail, ExitCode::Regression),
        ("was fixed and fails again", "must", Fixed, Fail, ExitCode::Regression),
        ("below the gate", "should", Pass, Fail, ExitCode::Good),
        ("not played then: a failure of its own", "must", Skip, Fail, ExitCode::Failed),
        ("broke then: a failure of its own", "must", Error, Fail, ExitCode::Failed),
        ("newly passing", "must", Fail, Pass, ExitCode::Good),
        ("broke now", "must", Pass, Error, ExitCode::Error),
        ("held and is skipped now", "must", Pass, Skip, ExitCode::Regression),
        ("was known and is skipped now", "must", KnownFail, Skip, ExitCode::Regression),
        ("was fixed and is skipped now", "must", Fixed, Skip, ExitCode::Regression),
        ("skipped below the gate", "should", Pass, Skip, ExitCode::Good),
        ("failed and is skipped: no worse", "must", Fail, Skip, ExitCode::Good),
        ("was skipped then too", "must", Skip, Skip, ExitCode::Good),
        ("broke then and is skipped now", "must", Error, Skip, ExitCode::Good),
    ];
    for (what, level, before, now, expected) in table {
        let other = then("cache/other", "must", Pass);
        let before = vec![other.clone(), then("cache/a", level, before)];
        let now = vec![other, then("cache/a", level, now)];
        assert_eq!(code(before, now, Level::Must), expected, "{what}");
    }
    let (before, now) = (then("cache/a", "should", Pass), then("cache/a", "should", Fail));
    assert_eq!(code(vec![before.clone()], vec![now], Level::Should), ExitCode::Regression);
    let stranger = then("waf/b", "must", Pass);
    assert_eq!(code(vec![before], vec![stranger], Level::Must), ExitCode::Inconclusive);
}

/// All that is left of a baseline is skipped: neither "nothing ran" nor "nothing was compared".
#[test]
fn a_run_of_nothing_but_skips_is_a_regression() {
    let case = |verdict| result(0, "cache/a", "nginx", "must", verdict);
    let baseline = Baseline::of(&Run::of(&run_of([case(Verdict::Pass)])));
    let stranger = result(1, "cache/b", "nginx", "must", Verdict::Pass);
    for now in [vec![case(Verdict::Skip)], vec![case(Verdict::Skip), stranger]] {
        let run = Run::of(&run_of(now));
        let code = exit_code(&Summary::of(&run, Some(&baseline)), Level::Must);
        assert_eq!(code, ExitCode::Regression);
        let difference = baseline.difference(&run);
        let [change] = &*difference.no_longer_played else { panic!("one change") };
        assert_eq!((change.was, change.now), (Some(Verdict::Pass), Some(Verdict::Skip)));
        assert_eq!(change.reason.as_deref(), Some("for a reason"));
        assert!(difference.gone.is_empty() && !difference.compares_nothing());
    }
}

/// What is not in the run may have been left out on purpose.
#[test]
fn gone_is_only_what_should_have_been_there() {
    use Verdict::{Error, Pass, Skip};
    let gone = "cache/vary/gone#1/2";
    let table = [
        ("another case of the folder was played", "cache/vary/star", "nginx", Pass, true),
        ("another row of the file was played", "cache/vary/gone#2", "nginx", Pass, true),
        ("only another folder was asked for", "cache/purge/exact", "nginx", Pass, false),
        ("only a folder below was asked for", "cache/vary/more/a", "nginx", Pass, false),
        ("another target", "cache/vary/star", "varnish", Pass, false),
        ("nothing of the folder was played", "cache/vary/star", "nginx", Skip, false),
        ("the folder's case broke", "cache/vary/star", "nginx", Error, false),
    ];
    let baseline =
        Baseline::of(&Run::of(&run_of([result(0, gone, "nginx", "must", Verdict::Pass)])));
    for (what, id, target, verdict, expected) in table {
        let run = Run::of(&run_of([result(0, id, target, "must", verdict)]));
        let found = baseline.difference(&run).gone;
        assert_eq!(found.iter().any(|change| change.id == gone), expected, "{what}");
    }
}

#[test]
fn several_tries_count_as_the_gravest_and_flake_by_the_minority() {
    let tries = |verdicts: &[Verdict]| {
        let results = verdicts.iter().enumerate().map(|(place, verdict)| CaseResult {
            attempt: place + 1,
            attempts: verdicts.len(),
            ..result(0, "cache/a", "nginx", "must", *verdict)
        });
        let run = Run::of(&run_of(results));
        let outcomes = run.outcomes();
        assert_eq!(outcomes.len(), 1);
        (outcomes[0].verdict(), outcomes[0].flake_rate())
    };
    use Verdict::{Error, Fail, Fixed, KnownFail, Pass};
    assert_eq!(tries(&[Pass]), (Pass, None));
    assert_eq!(tries(&[Pass, Pass]), (Pass, Some(0.0)));
    assert_eq!(tries(&[Pass, Fail, Pass, Pass]), (Fail, Some(0.25)));
    assert_eq!(tries(&[Fail, Fail, Fail, Pass]), (Fail, Some(0.25)));
    assert_eq!(tries(&[Fail, Fail]), (Fail, Some(0.0)));
    assert_eq!(tries(&[Fail, Error]), (Error, Some(0.5)));
    assert_eq!(tries(&[Fixed, KnownFail]), (KnownFail, Some(0.5)));
}
