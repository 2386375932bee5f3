//! Cases from text, played on the origin itself: a target that is nothing but a way to the origin.

use std::path::Path;

use edgeproof_runner::event::{CaseResult, Event};
use edgeproof_runner::{RunOptions, run};
use edgeproof_scenario::model::Case;
use edgeproof_target::TargetSpec;

/// The cases of a scenario file's text.
pub(crate) fn cases(path: &str, text: &str) -> Vec<Case> {
    let (cases, diagnostics) = edgeproof_scenario::bind_text(path, text);
    let colour = edgeproof_diagnostics::Colour::Never;
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render(colour));
    cases
}

/// A target of this folder that is the scripted origin itself, with these further lines.
pub(crate) fn bare(folder: &Path, more: &str) -> TargetSpec {
    let yaml = format!(
        "title: Bare origin\nservices: {{ http: {{ url: \"http://{{{{ origin.address }}}}\" }} }}\n{more}"
    );
    let folder = folder.join("bare");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("target.yaml"), yaml).unwrap();
    TargetSpec::load(&folder).unwrap_or_else(|mistakes| {
        panic!("{}", mistakes.render(edgeproof_diagnostics::Colour::Never))
    })
}

/// All events of a run.
pub(crate) fn events(cases: &[Case], targets: &[TargetSpec], options: &RunOptions) -> Vec<Event> {
    let mut events = Vec::new();
    run(cases, targets, options, &mut |event| events.push(event)).unwrap();
    events
}

/// The results of a run in file order.
pub(crate) fn results(events: &[Event]) -> Vec<CaseResult> {
    let mut results: Vec<CaseResult> = events
        .iter()
        .filter_map(|event| match event {
            Event::CaseFinished(result) => Some((**result).clone()),
            _ => None,
        })
        .collect();
    results.sort_by_key(|result| result.index);
    results
}

/// Plays a text on the bare origin.
pub(crate) fn play(text: &str) -> Vec<CaseResult> {
    play_declaring(text, "declares: [http, cache, waf, tls]\nexpresses: all\nclock: none\n")
}

/// The same, on a bare origin with these further lines in its target.yaml.
pub(crate) fn play_declaring(text: &str, more: &str) -> Vec<CaseResult> {
    let folder = tempfile::tempdir().unwrap();
    let target = bare(folder.path(), more);
    let options = RunOptions { keep_failed: false, ..RunOptions::default() };
    results(&events(&cases("scenarios/a/b.yaml", text), &[target], &options))
}
