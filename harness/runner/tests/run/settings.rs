//! What holds for all sites of a run, and cases that are played on after a failure.

use crate::support::{bare, cases, events, results};
use edgeproof_runner::RunOptions;
use edgeproof_runner::event::{CaseResult, Verdict};

const CASE: &str = "name: A case
spec: RFC 9110
site: { waf: { profile: full } }
origin:
  - on: GET /a
    respond: {}
  - on: GET /b
    respond: {}
steps:
  - send: GET /a
    expect: { status: 403 }
  - send: GET /b
    expect: { status: 200 }
";

fn play(settings: &[&str], every_step: bool) -> CaseResult {
    let folder = tempfile::tempdir().unwrap();
    let declaring =
        "declares: [http, waf]\nexpresses: [waf, waf.profile: [full], waf.mode]\nclock: none\n";
    let target = bare(folder.path(), declaring);
    let settings = settings.iter().map(|setting| setting.parse().unwrap()).collect();
    let options = RunOptions { settings, every_step, keep_failed: false, ..RunOptions::default() };
    results(&events(&cases("scenarios/a/b.yaml", CASE), &[target], &options)).remove(0)
}

fn site(result: &CaseResult) -> Vec<(&str, &str)> {
    result.site.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[test]
fn a_case_ends_at_its_first_failure_or_is_played_on() {
    let steps = |result: &CaseResult| -> Vec<String> {
        result.exchanges.iter().map(|exchange| exchange.step.clone()).collect()
    };
    let ended = play(&[], false);
    assert_eq!((ended.verdict, steps(&ended)), (Verdict::Fail, vec!["steps[0]".to_owned()]));
    let on = play(&[], true);
    assert_eq!((on.verdict, on.steps), (Verdict::Fail, 2), "it still fails");
    assert_eq!(steps(&on), ["steps[0]", "steps[1]"]);
    assert_eq!(on.failures.len(), 1);
    assert!(on.reproduce.ends_with(" --every-step"), "{}", on.reproduce);
}

#[test]
fn a_setting_reaches_the_target_the_event_and_the_command() {
    let own = play(&[], false);
    assert_eq!(site(&own), [("waf", ""), ("waf.mode", "block"), ("waf.profile", "full")]);
    let none = play(&["waf=none"], false);
    assert_eq!((none.verdict, site(&none)), (Verdict::Fail, Vec::new()));
    assert!(none.reproduce.contains(" --site waf=none"), "{}", none.reproduce);
    // What the target's configuration cannot say is a skip, as if the case had asked for it.
    let third = play(&["waf.paranoia=3"], false);
    let reason = third.reason.as_deref();
    assert_eq!(third.verdict, Verdict::Skip);
    assert_eq!(reason, Some("bare: its configuration cannot express site.waf.paranoia"));
    assert_eq!(third.site["waf.paranoia"], "3");
}
