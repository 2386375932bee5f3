//! A run that did not come to its end says so in every format.

mod recorded;

use edgeproof_report::{Format, Options};
use edgeproof_runner::event::{Event, Verdict};
use recorded::{report_of, result, run_of};

/// Three were planned, one came.
fn cut_short(interrupted: bool) -> Vec<Event> {
    let mut events =
        run_of((0..3).map(|number| {
            result(number, &format!("cache/c{number}"), "nginx", "must", Verdict::Pass)
        }));
    events.retain(|event| !matches!(event, Event::CaseFinished(result) if result.index > 0));
    events.pop();
    events.push(Event::RunFinished { duration_ms: 3, interrupted });
    events
}

#[test]
fn every_format_says_so() {
    for format in Format::ALL {
        // A copy of the events, the rates of several runs.
        if matches!(format, Format::Events | Format::WafRates | Format::WafChart) {
            continue;
        }
        for (interrupted, word) in [(true, "interrupted"), (false, "not whole")] {
            let text = report_of(&cut_short(interrupted), format, Options::default());
            let said = match format {
                Format::Json => r#""interrupted": true"#,
                _ => "2 of 3 results are missing",
            };
            let text = text.to_lowercase();
            assert!(text.contains(&said.to_lowercase()), "{format}: {text}");
            if !matches!(format, Format::Json) {
                assert!(text.contains(word), "{format}: {text}");
            }
            let whole = run_of([result(0, "cache/c0", "nginx", "must", Verdict::Pass)]);
            let whole = report_of(&whole, format, Options::default()).to_lowercase();
            assert!(!whole.contains(&said.to_lowercase()), "{format}: {whole}");
        }
    }
}

#[test]
fn in_the_words_of_tap_junit_and_github() {
    let of = |format| report_of(&cut_short(true), format, Options::default());
    let why = "interrupted: 2 of 3 results are missing";
    assert!(of(Format::Tap).ends_with(&format!("\nBail out! {why}\n")));
    assert!(of(Format::Github).starts_with(&format!("::error title=edgeproof::{why}\n")));
    let junit = of(Format::Junit);
    assert!(junit.contains(&format!("<error message=\"{why}\" type=\"interrupted\"/>")), "{junit}");
    assert!(junit.contains("errors=\"1\""), "{junit}");
}
