//! What comes after the table: figures, flakes, what is known, fixed, skipped, changed, and the
//! line that says it all.

use std::collections::BTreeMap;

use edgeproof_runner::event::{Figure, Verdict};

use crate::{
    Change, ExitCode, Outcome,
    again::{course, found},
    exit_code,
    human::{
        Page,
        paint::{left, right, wrap},
    },
    number::{duration, number, percent, plural},
    visible::visible_line,
};

/// As many names as a list shows before it says how many more there are.
const NAMES: usize = 20;

impl Page<'_> {
    fn having(&self, verdict: Verdict) -> impl Iterator<Item = &Outcome<'_>> {
        self.outcomes.iter().filter(move |outcome| outcome.verdict() == verdict)
    }

    pub(super) fn figures(&self) -> String {
        let mut text = String::new();
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.case().figures.is_empty()) {
            text.push_str(&format!("  {}\n", name_of(outcome)));
            for figure in &outcome.case().figures {
                text.push_str(&self.figure(figure));
            }
        }
        self.titled("Figures", text)
    }

    fn figure(&self, figure: &Figure) -> String {
        let name = left(&visible_line(&figure.name), 26);
        let unit = left(&visible_line(&figure.unit), 7);
        let samples: Vec<String> = figure.samples.iter().copied().map(number).collect();
        let samples = self.paint.dim(samples.join("  "));
        let line = format!("    {name} {} {unit} {samples}", right(&number(figure.value), 10));
        format!("{}\n", line.trim_end())
    }

    /// The cases that did not come out the same each time.
    pub(super) fn flakes(&self) -> String {
        let runs = self.outcomes.iter().map(Outcome::runs).max().unwrap_or(0);
        let mut text = String::new();
        for outcome in &self.outcomes {
            let Some(rate) = outcome.flake_rate().filter(|rate| *rate > 0.0) else { continue };
            let rate = self.paint.verdict(Verdict::KnownFail, right(&percent(rate), 7));
            text.push_str(&format!("  {rate}  {}\n", name_of(outcome)));
        }
        if text.is_empty() && runs > 1 {
            return format!(
                "{}\n",
                self.paint.dim(format!("Each case came out the same in {runs} runs."))
            );
        }
        self.titled(&format!("Flakes in {runs} runs"), text)
    }

    /// The cases of which a failure was not believed: what it was, and why.
    pub(super) fn played_again(&self) -> String {
        let cases: Vec<_> = self.outcomes.iter().flat_map(Outcome::played_again).collect();
        let mut text = String::new();
        for case in cases.iter().take(NAMES) {
            let name = format!("{} on {}", visible_line(&case.id), visible_line(&case.target));
            let course = self.paint.verdict(Verdict::KnownFail, course(case));
            text.push_str(&format!("  {name}: {course}\n"));
            for play in &case.earlier {
                for line in found(play) {
                    text.push_str(&wrap(&visible_line(&line), self.width(), 4));
                }
                let why = visible_line(&format!("(not believed: {})", play.why));
                let why = wrap(&why, self.width(), 4);
                text.push_str(&format!("{}\n", self.paint.dim(why.trim_end())));
            }
        }
        if cases.len() > NAMES {
            text.push_str(&format!("  … {} more\n", cases.len() - NAMES));
        }
        self.titled("Played again", text)
    }

    /// Known failures, by reason.
    pub(super) fn known(&self) -> String {
        self.titled("Known failures", self.by_reason(Verdict::KnownFail))
    }

    pub(super) fn skips(&self) -> String {
        self.titled("Skipped", self.by_reason(Verdict::Skip))
    }

    fn by_reason(&self, verdict: Verdict) -> String {
        let mut reasons: BTreeMap<String, (usize, Vec<&str>)> = BTreeMap::new();
        for outcome in self.having(verdict) {
            let case = outcome.case();
            let reason = visible_line(case.reason.as_deref().unwrap_or("no reason was given"));
            let (count, targets) = reasons.entry(reason).or_default();
            *count += 1;
            if !targets.contains(&&*case.target) {
                targets.push(&case.target);
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        let several = self.summary.targets.len() > 1;
        let mut text = String::new();
        for (reason, (count, targets)) in reasons {
            // Most reasons name their target themselves.
            let named = targets.iter().all(|target| names(&reason, target));
            let of = match several && !named {
                true => format!(" ({})", visible_line(&targets.join(", "))),
                false => String::new(),
            };
            let lines = wrap(&format!("{reason}{of}"), self.width(), 8);
            let count = self.paint.verdict(verdict, right(&count.to_string(), 6));
            text.push_str(&format!("{count}  {}", lines.trim_start()));
        }
        text
    }

    /// Known failures that pass: their lists are out of date.
    pub(super) fn fixed(&self) -> String {
        let mut by_target: Vec<(&str, Vec<String>)> = Vec::new();
        for outcome in self.having(Verdict::Fixed) {
            let case = outcome.case();
            match by_target.iter_mut().find(|(target, _)| *target == case.target) {
                Some((_, ids)) => ids.push(visible_line(&case.id)),
                None => by_target.push((&case.target, vec![visible_line(&case.id)])),
            }
        }
        let mut text = String::new();
        for (target, ids) in by_target {
            let target = visible_line(target);
            text.push_str(&format!("  take them out of the target.yaml of {target}:\n"));
            for id in ids {
                text.push_str(&format!("    {}\n", self.paint.verdict(Verdict::Fixed, id)));
            }
        }
        self.titled("Known failures that pass", text)
    }

    pub(super) fn unavailable(&self) -> String {
        let mut text = String::new();
        for target in &self.run.unavailable {
            let required = if target.required { " (required)" } else { "" };
            let line = format!("{}{required}: {}", target.name, target.reason);
            text.push_str(&wrap(&visible_line(&line), self.width(), 2));
        }
        self.titled("Not available here", text)
    }

    /// What is otherwise than in the baseline.
    pub(super) fn changes(&self) -> String {
        let Some(baseline) = self.options.baseline.as_deref() else { return String::new() };
        let difference = baseline.difference(self.run);
        let mut text = String::new();
        for (title, changes) in difference.lists().into_iter().filter(|(_, list)| !list.is_empty())
        {
            text.push_str(&format!("  {title}: {}\n", changes.len()));
            for change in changes.iter().take(NAMES) {
                text.push_str(&self.change(change));
            }
            if changes.len() > NAMES {
                text.push_str(&format!("    … {} more\n", changes.len() - NAMES));
            }
        }
        if let Some(why) = difference.incomparable() {
            text.push_str(&wrap(&visible_line(&why), self.width(), 2));
        } else if text.is_empty() {
            text.push_str(&format!("  {}, no change\n", plural(difference.shared, "case")));
        }
        self.titled("Against the baseline", text)
    }

    fn change(&self, change: &Change) -> String {
        let word = |verdict: Option<Verdict>| verdict.map_or("–", Verdict::as_str);
        let name = format!("{} on {}", visible_line(&change.id), visible_line(&change.target));
        let now =
            change.now.map_or_else(|| "–".to_owned(), |now| self.paint.verdict(now, now.as_str()));
        let line = format!("    {name} ({}): {} → {now}\n", change.level, word(change.was));
        let reason = change.reason.as_deref().map(visible_line);
        line + &reason.map(|reason| wrap(&reason, self.width(), 6)).unwrap_or_default()
    }

    pub(super) fn notes(&self) -> String {
        let mut text = String::new();
        for note in &self.run.notes {
            let about =
                note.target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default();
            text.push_str(&wrap(&visible_line(&format!("{about}{}", note.text)), self.width(), 2));
        }
        self.titled("Notes", text)
    }

    /// The last line.
    pub(super) fn verdict(&self) -> String {
        let code = exit_code(&self.summary, self.options.gate);
        let counts = &self.summary.counts;
        let words = ["passed", "failed", "known to fail", "fixed", "skipped", "broken"];
        let mut line = match code {
            ExitCode::Good if self.summary.old_failures > 0 => self
                .paint
                .verdict(Verdict::Pass, self.summary.headline(self.options.gate).to_uppercase()),
            ExitCode::Good => self.paint.verdict(Verdict::Pass, "PASSED"),
            _ => self
                .paint
                .verdict(Verdict::Fail, self.summary.headline(self.options.gate).to_uppercase()),
        };
        line.push_str(&format!(" {}", self.paint.dim(format!("(exit {})", code.code()))));
        line.push_str(&format!(" · {}", plural(counts.total(), "result")));
        if let Some(ms) = self.run.duration_ms {
            line.push_str(&format!(" in {}", duration(ms)));
        }
        let present =
            Verdict::ALL.into_iter().zip(words).filter(|(verdict, _)| counts.of(*verdict) > 0);
        let parts = present.map(|(verdict, word)| {
            self.paint.verdict(verdict, format!("{} {word}", counts.of(verdict)))
        });
        let mut parts: Vec<String> = parts.collect();
        if self.summary.played_again > 0 {
            let again = format!("{} played again", self.summary.played_again);
            parts.push(self.paint.verdict(Verdict::KnownFail, again));
        }
        match parts.is_empty() {
            true => format!("{line}\n"),
            false => format!("{line}\n{}\n", parts.join(" · ")),
        }
    }

    pub(super) fn titled(&self, title: &str, text: String) -> String {
        match text.is_empty() {
            true => text,
            false => format!("{}\n{text}", self.paint.bold(title)),
        }
    }
}

/// Is the name a word of the text? `nginx` is none of `nginx-container`.
fn names(text: &str, name: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || "-_".contains(character);
    text.match_indices(name).any(|(place, _)| {
        let (before, after) = (&text[..place], &text[place + name.len()..]);
        !before.ends_with(inside) && !after.starts_with(inside)
    })
}

fn name_of(outcome: &Outcome<'_>) -> String {
    format!("{} on {}", visible_line(&outcome.case().id), visible_line(&outcome.case().target))
}
