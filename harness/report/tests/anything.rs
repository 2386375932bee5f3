//! Whatever a scenario or a target puts into an event, every format stays what it is.

mod recorded;

use edgeproof_report::{Format, Options, replay};
use edgeproof_runner::event::{
    CaseResult, Event, Exchange, Failure, LogExcerpt, Payload, PayloadEncoding, Verdict,
};
use proptest::prelude::*;
use recorded::{report_of, result, run_of};

/// What formats trip over.
const BAIT: [&str; 22] = [
    "\r\n",
    "\n...\n",
    "\n  ---\n",
    "::error::",
    "\n::error::owned",
    "\n  ::add-mask::x\n",
    "%0A",
    "]]>",
    "</script>",
    "<!--",
    "```",
    "|",
    "\u{1b}[2J",
    "\u{0}",
    "\u{202e}",
    "\u{2028}",
    "\u{fffe}",
    "\\",
    "#",
    "{{x}}",
    "</details>",
    "\t",
];

/// Text with bait in it, more often than chance would bring it.
fn text() -> impl Strategy<Value = String> {
    let bait = prop::sample::select(BAIT.to_vec());
    let part = prop_oneof![bait.prop_map(str::to_owned), any::<String>(), "[a-z ]{0,8}"];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn case() -> impl Strategy<Value = CaseResult> {
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    (prop::collection::vec(text(), 18), verdict)
        .prop_map(|(texts, verdict)| case_of(texts.into_iter(), verdict))
}

fn case_of(mut texts: impl Iterator<Item = String>, verdict: Verdict) -> CaseResult {
    let mut next = || texts.next().unwrap_or_default();
    let payload = |data| Payload { encoding: PayloadEncoding::Text, data, truncated_from: None };
    let failure = Failure {
        file: next(),
        line: 3,
        column: 7,
        path: next(),
        message: next(),
        expected: next(),
        found: next(),
        rendered: next(),
        exchange: Some(0),
        unanswered: false,
    };
    let exchange = Exchange {
        step: "steps[0]".to_owned(),
        client: "a".to_owned(),
        request: payload(next()),
        response: None,
        note: Some(next()),
        duration_us: 1,
        origin: Vec::new(),
    };
    let log = LogExcerpt { log: "access".to_owned(), lines: vec![next()] };
    CaseResult {
        id: format!("cache/{}", next()),
        file: next(),
        spec: next(),
        name: next(),
        reason: Some(next()),
        reproduce: next(),
        failures: vec![failure],
        exchanges: vec![exchange],
        logs: vec![log],
        // So that the rates of WAFs are about it.
        tags: vec!["attack".to_owned(), next()],
        site: [("waf.profile", next()), ("waf.paranoia", next())]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        ..result(0, "cache/a", "nginx", "must", verdict)
    }
}

#[test]
fn each_bait_alone_in_every_place() {
    for bait in BAIT {
        let case = case_of(std::iter::repeat_with(|| bait.to_owned()), Verdict::Fail);
        every_format_stays_what_it_is(case).unwrap_or_else(|error| panic!("{bait:?}: {error}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_control_character_and_no_lost_structure(case in case()) {
        every_format_stays_what_it_is(case)?;
    }

    /// A recording that was damaged anywhere is either the same still or refused, never a panic.
    #[test]
    fn a_damaged_recording_never_panics(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = recorded::EVENTS.as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(events) = replay(&*bytes) {
            let whole = matches!(events.last(), Some(Event::RunFinished { .. }));
            prop_assert!(whole);
        }
    }
}

fn every_format_stays_what_it_is(case: CaseResult) -> Result<(), TestCaseError> {
    let events = run_of([case]);
    let of = |format| report_of(&events, format, Options::default());
    for format in Format::ALL {
        let report = of(format);
        let stray = report.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        prop_assert_eq!(stray, None, "in {}", format);
        if !matches!(format, Format::Json | Format::Events) {
            prop_assert!(!report.contains(['\u{202e}', '\u{2028}', '\u{200b}']), "in {}", format);
        }
    }
    for format in [Format::Human, Format::Markdown, Format::Tap, Format::Junit] {
        let report = of(format);
        let command = |line: &&str| {
            let rest = line.trim_start().strip_prefix("::");
            rest.is_some_and(|rest| {
                rest.starts_with(|c: char| c.is_ascii_alphabetic()) && rest.contains("::")
            })
        };
        prop_assert_eq!(report.lines().find(command), None, "in {}", format);
    }
    for format in [Format::Json, Format::Sarif] {
        prop_assert!(serde_json::from_str::<serde_json::Value>(&of(format)).is_ok());
    }
    let html = of(Format::Html);
    prop_assert_eq!(html.matches("<script").count(), 3, "facts, one case, the page's own");
    prop_assert_eq!(html.matches("</script").count(), 3);
    prop_assert!(of(Format::Github).lines().all(|line| line.starts_with("::")));
    let tap = of(Format::Tap);
    let points = tap.lines().filter(|line| line.starts_with("ok ") || line.starts_with("not ok "));
    prop_assert_eq!(points.count(), 1);
    prop_assert_eq!(well_formed(&of(Format::Junit)), Ok(()));
    prop_assert_eq!(well_formed(&of(Format::WafChart)), Ok(()));
    prop_assert_eq!(replay(of(Format::Events).as_bytes()).ok(), Some(events));
    Ok(())
}

fn well_formed(xml: &str) -> Result<(), String> {
    let mut reader = quick_xml::Reader::from_str(xml);
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
}
