//! The event of a case's end.

use std::path::Path;
use std::time::Duration;

use edgeproof_scenario::{Selection, model::Case};
use edgeproof_target::TargetSpec;

use super::RunOptions;
use super::plan::Play;
use crate::clock;
use crate::event::{CaseResult, Verdict};
use crate::player::Told;

/// Where the command line looks up targets by name.
const TARGETS: &str = "ci/targets";

/// What is the same for all cases of a target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) target: &'a TargetSpec,
    pub(super) options: &'a RunOptions,
}

impl Setting<'_> {
    /// A case that was not played, with the reason.
    pub(super) fn unplayed(
        self,
        index: usize,
        case: &Case,
        attempt: usize,
        verdict: Verdict,
        reason: &str,
    ) -> CaseResult {
        let position = case.span.position();
        CaseResult {
            index,
            id: case.id.to_string(),
            file: case.source.path().to_owned(),
            line: position.line,
            name: case.name.clone(),
            family: case.id.family().to_owned(),
            level: case.level,
            spec: case.spec.clone(),
            explain: case.explain.clone(),
            tags: case.tags.clone(),
            site: case.site.keys().into_iter().map(|(key, it)| (key.to_owned(), it)).collect(),
            steps: case.steps.len(),
            target: self.target.name.clone(),
            verdict,
            reason: Some(reason.to_owned()),
            duration_ms: 0,
            attempt,
            attempts: self.options.repeat.max(1),
            earlier: Vec::new(),
            clock: None,
            failures: Vec::new(),
            exchanges: Vec::new(),
            logs: Vec::new(),
            figures: Vec::new(),
            reproduce: reproduce(case, self.target, self.options),
        }
    }

    /// A play that nothing came of, with the reason.
    pub(super) fn dropped(self, play: &Play, verdict: Verdict, reason: &str) -> CaseResult {
        let bare = self.unplayed(play.index, &play.case, play.attempt, verdict, reason);
        CaseResult { earlier: play.earlier.clone(), ..bare }
    }

    /// A case that was played.
    pub(super) fn played(
        self,
        play: &Play,
        told: Told,
        (verdict, reason): (Verdict, Option<String>),
        duration: Duration,
    ) -> CaseResult {
        let mut bare = self.dropped(play, verdict, "");
        bare.earlier.extend(told.earlier);
        CaseResult {
            reason,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            clock: play.way.name(clock::moves(&play.case)),
            failures: told.failures,
            exchanges: told.exchanges,
            logs: told.logs,
            figures: told.figures,
            ..bare
        }
    }
}

/// The command that plays the case again, safe to paste into a shell.
fn reproduce(case: &Case, target: &TargetSpec, options: &RunOptions) -> String {
    let file = match &case.foreign {
        Some(foreign) => shell_word(&format!("{}:{}", foreign.format, case.source.path())),
        None => shell_word(&edgeproof_scenario::path_of(case).display().to_string()),
    };
    let filter = quote(&Selection::of_case(&case.id.0));
    let mut command = format!("edgeproof run {file} -k {filter}");
    for word in options.foreign_words.iter().filter(|_| case.foreign.is_some()) {
        command.push_str(&format!(" {}", shell_word(word)));
    }
    let mut add = |option: &str, word: &str| {
        command.push_str(&format!(" {option} {}", shell_word(word)));
    };
    match &target.folder {
        // Where targets are looked up by name, the name is enough.
        Some(folder) if *folder == Path::new(TARGETS).join(&target.name) => {
            add("--target", &target.name);
        }
        Some(folder) => add("--target", &folder.display().to_string()),
        None => {
            add("--target", &target.name);
            if let Some(log) = &target.logs.waf {
                add("--waf-log", log.source());
            }
            for ability in target.declares.iter().filter(|ability| *ability != "http") {
                add("--declare", ability);
            }
        }
    }
    for setting in &options.settings {
        add("--site", &setting.to_string());
    }
    // A target's folder takes no such address.
    if let (Some(address), None) = (options.origin_listen, &target.folder) {
        add("--origin-listen", &address.to_string());
    }
    if options.every_step {
        command.push_str(" --every-step");
    }
    if options.allow_remote {
        command.push_str(" --allow-remote");
    }
    command
}

fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@%+=".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quote(text) }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
