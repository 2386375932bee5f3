//! A failure: the diagnostic, under it what went over the wire, the target's log, and the command
//! that plays it again.

use edgeproof_runner::event::{CaseResult, Exchange, Failure, Payload, Verdict};

use crate::{
    Level, Outcome,
    human::{
        Page,
        paint::{fit, left, wrap},
    },
    number::short_duration,
    visible::{Marks, payload_lines, visible, visible_line},
};

/// Octets and lines of a message that are worth a screen; the HTML report has more.
const MESSAGE_OCTETS: usize = 4096;
const MESSAGE_LINES: usize = 40;
const LINE_COLUMNS: usize = 400;
/// Failures of one assertion that are shown; the clients of `parallel` mostly fail alike.
const SAME_FAILURES: usize = 4;
/// Requests at the origin that are shown with one exchange.
const ORIGIN_REQUESTS: usize = 4;

impl Page<'_> {
    /// Each failure in full, those that the baseline did not have first. A negative control is expected to fail: a line says enough, and so it does
    /// for what was not played because its target did not start or died.
    pub(super) fn failures(&self) -> Vec<String> {
        let broken =
            |outcome: &&Outcome<'_>| matches!(outcome.verdict(), Verdict::Fail | Verdict::Error);
        let broken =
            self.options.news_first(self.outcomes.iter().filter(broken).cloned().collect());
        let (control, failed): (Vec<_>, Vec<_>) =
            broken.iter().partition(|outcome| self.is_control(outcome));
        let (unplayed, failed): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|outcome| self.is_unplayed(outcome));
        let mut parts: Vec<String> =
            failed.into_iter().map(|outcome| self.failure(outcome)).collect();
        let lines: String =
            unplayed.into_iter().map(|outcome| self.failure_line(outcome)).collect();
        parts.push(self.titled("Not played", lines));
        let lines: String = control.into_iter().map(|outcome| self.failure_line(outcome)).collect();
        parts.push(self.titled("Failures of negative controls (--format html shows all)", lines));
        parts
    }

    /// Was it left out because its target is not there any more?
    fn is_unplayed(&self, outcome: &Outcome<'_>) -> bool {
        let case = outcome.case();
        let mut targets = self.run.targets.iter();
        let target = targets.find(|state| state.info.name == case.target);
        outcome.verdict() == Verdict::Error
            && case.failures.is_empty()
            && case.exchanges.is_empty()
            && target.is_some_and(|state| state.failure.is_some())
    }

    fn is_control(&self, outcome: &Outcome<'_>) -> bool {
        let mut targets = self.run.targets.iter();
        let target = targets.find(|state| state.info.name == outcome.case().target);
        target.is_some_and(|state| state.info.negative_control)
    }

    fn failure_line(&self, outcome: &Outcome<'_>) -> String {
        let case = outcome.case();
        let verdict = self.paint.verdict(outcome.verdict(), left(outcome.verdict().as_str(), 5));
        let reason = visible_line(case.reason.as_deref().unwrap_or("no reason was given"));
        let before = if self.options.failed_before(case) { " (was failing already)" } else { "" };
        let text = format!(
            "{} on {}{before}: {reason}",
            visible_line(&case.id),
            visible_line(&case.target)
        );
        format!("  {verdict} {}\n", fit(&text, self.width() - 8))
    }

    fn failure(&self, outcome: &Outcome<'_>) -> String {
        let case = outcome.case();
        let mut text = self.heading(outcome);
        text.push('\n');
        if case.failures.is_empty() {
            let reason = case.reason.as_deref().unwrap_or("no reason was given");
            let line = wrap(&visible_line(reason), self.width(), 0);
            text.push_str(&self.paint.verdict(outcome.verdict(), line.trim_end()));
            text.push_str("\n\n");
        }
        let assertions = by_assertion(case);
        let shown: Vec<&Failure> =
            assertions.iter().flat_map(|alike| alike.iter().take(SAME_FAILURES).copied()).collect();
        for place in exchanges_of(&shown) {
            for failure in shown.iter().filter(|failure| failure.exchange == place) {
                self.push_rendered(&mut text, &failure.rendered);
            }
            self.push_exchange(&mut text, place.and_then(|place| case.exchanges.get(place)));
        }
        self.push_more_failures(&mut text, &assertions);
        if case.failures.iter().all(|failure| failure.exchange.is_none()) {
            self.push_exchange(&mut text, case.exchanges.last());
        }
        self.push_logs(&mut text, case);
        text.push_str(&format!(
            "  {} {}\n",
            self.paint.bold("again:"),
            visible_line(&case.reproduce)
        ));
        text
    }

    fn heading(&self, outcome: &Outcome<'_>) -> String {
        let case = outcome.case();
        let verdict = outcome.verdict().as_str().to_uppercase();
        let id = format!("{} on {} ", visible_line(&case.id), visible_line(&case.target));
        let rule = self.width().saturating_sub(verdict.len() + id.chars().count() + 5);
        let level = case.level;
        let mut line = format!(
            "── {} {}{}\n",
            self.paint.verdict(outcome.verdict(), verdict),
            self.paint.bold(id),
            "─".repeat(rule)
        );
        let mut facts =
            format!("{level} · {} · {}", visible_line(&case.spec), visible_line(&case.name));
        if self.options.failed_before(case) {
            facts.push_str(" (was failing already)");
        } else if outcome.verdict() == Verdict::Fail && !level.counts_at(self.options.gate) {
            facts.push_str(match level {
                Level::Observe => " (only observed: not counted)",
                _ => " (not counted at this --level)",
            });
        }
        line.push_str(&wrap(&facts, self.width(), 0));
        line
    }

    fn push_rendered(&self, text: &mut String, rendered: &str) {
        for (place, line) in visible(rendered.trim_end()).lines().enumerate() {
            text.push_str(&self.paint.diagnostic(line, place == 0));
            text.push('\n');
        }
        text.push('\n');
    }

    /// How often each assertion failed beyond what is shown of it.
    fn push_more_failures(&self, text: &mut String, assertions: &[Vec<&Failure>]) {
        for alike in assertions.iter().filter(|alike| alike.len() > SAME_FAILURES) {
            let Failure { file, line, column, .. } = alike[0];
            let more = alike.len() - SAME_FAILURES;
            let more =
                format!("… and {more} more failures at {}:{line}:{column}", visible_line(file));
            text.push_str(&format!("  {}\n", self.paint.dim(more)));
        }
    }

    fn push_exchange(&self, text: &mut String, exchange: Option<&Exchange>) {
        let Some(exchange) = exchange else { return };
        let mut title = format!(
            "{} · client {} · {}",
            visible_line(&exchange.step),
            visible_line(&exchange.client),
            short_duration(exchange.duration_us)
        );
        if let Some(note) = &exchange.note {
            title.push_str(&format!(" · {}", visible_line(note)));
        }
        text.push_str(&format!("  {}\n", self.paint.bold(title)));
        self.push_message(text, "request", Some(&exchange.request));
        self.push_message(text, "response", exchange.response.as_ref());
        if exchange.origin.is_empty() {
            text.push_str(&format!("  ├ {}\n", self.paint.dim("the origin saw nothing")));
        }
        for seen in exchange.origin.iter().take(ORIGIN_REQUESTS) {
            self.push_message(text, "the origin saw", Some(&seen.request));
            self.push_message(text, "the origin answered", seen.response.as_ref());
        }
        if exchange.origin.len() > ORIGIN_REQUESTS {
            let more = exchange.origin.len() - ORIGIN_REQUESTS;
            let more = format!("… and {more} more requests that the origin saw");
            text.push_str(&format!("  ├ {}\n", self.paint.dim(more)));
        }
        text.push_str("  ╵\n");
    }

    fn push_message(&self, text: &mut String, title: &str, message: Option<&Payload>) {
        let Some(message) = message else {
            text.push_str(&format!("  ├ {}\n", self.paint.dim(format!("{title}: nothing"))));
            return;
        };
        text.push_str(&format!("  ├ {}\n", self.paint.dim(title)));
        let lines = payload_lines(message, Marks::NONE, MESSAGE_OCTETS);
        for line in lines.iter().take(MESSAGE_LINES) {
            text.push_str(format!("  │ {}", fit(line, LINE_COLUMNS)).trim_end());
            text.push('\n');
        }
        self.push_more_lines(text, lines.len());
    }

    /// That a list of so many lines has been cut, if it has.
    fn push_more_lines(&self, text: &mut String, lines: usize) {
        if lines > MESSAGE_LINES {
            let more = format!("… {} more lines", lines - MESSAGE_LINES);
            text.push_str(&format!("  │ {}\n", self.paint.dim(more)));
        }
    }

    fn push_logs(&self, text: &mut String, case: &CaseResult) {
        for log in case.logs.iter().filter(|log| !log.lines.is_empty()) {
            text.push_str(&format!("  {}\n", self.paint.bold(format!("{} log", log.log))));
            for line in log.lines.iter().take(MESSAGE_LINES) {
                text.push_str(&format!("  │ {}\n", fit(&visible_line(line), LINE_COLUMNS)));
            }
            self.push_more_lines(text, log.lines.len());
            text.push_str("  ╵\n");
        }
    }

    /// Targets that did not start, or died: with the last lines that they wrote.
    pub(super) fn target_failures(&self) -> Vec<String> {
        let failed =
            self.run.targets.iter().filter_map(|state| Some((state, state.failure.as_ref()?)));
        let text = failed.map(|(state, failure)| {
            let what = if failure.died { "died" } else { "did not start" };
            let title = format!("target {} {what}", visible_line(&state.info.name));
            let mut text = format!("── {}\n", self.paint.verdict(Verdict::Error, title));
            // A mistake in a template comes with its lines and a caret under them.
            match failure.reason.contains('\n') {
                true => text.push_str(&format!("{}\n", visible(failure.reason.trim_end()))),
                false => text.push_str(&wrap(&visible_line(&failure.reason), self.width(), 0)),
            }
            for line in visible(failure.log.trim_end()).lines() {
                text.push_str(&format!("  │ {}\n", fit(line, LINE_COLUMNS)));
            }
            text
        });
        text.collect()
    }
}

/// The failures of each assertion, which is known by its place, in their order.
fn by_assertion(case: &CaseResult) -> Vec<Vec<&Failure>> {
    let mut assertions: Vec<Vec<&Failure>> = Vec::new();
    for failure in &case.failures {
        let alike = |other: &Failure| {
            (&other.file, other.line, other.column) == (&failure.file, failure.line, failure.column)
        };
        match assertions.iter_mut().find(|failures| alike(failures[0])) {
            Some(failures) => failures.push(failure),
            None => assertions.push(vec![failure]),
        }
    }
    assertions
}

/// The exchanges that failures are about, each once, in the order of the failures.
fn exchanges_of(failures: &[&Failure]) -> Vec<Option<usize>> {
    let mut places = Vec::new();
    for failure in failures {
        if !places.contains(&failure.exchange) {
            places.push(failure.exchange);
        }
    }
    places
}
