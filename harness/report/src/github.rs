//! GitHub's workflow commands: each failure as an annotation at its line. GitHub shows few of them,
//! so what the baseline did not have comes first.

use std::io::{self, Write};

use edgeproof_runner::event::{CaseResult, Verdict};

use crate::{
    Level, Options, Outcome, Run,
    again::told,
    trouble::{Trouble, troubles},
    visible::{visible, visible_line},
};

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    for Trouble { why, log, .. } in troubles(run, options) {
        let text = format!("{why}\n{log}");
        writeln!(writer, "::error title=edgeproof::{}", data(text.trim_end()))?;
    }
    for target in run.unavailable.iter().filter(|target| !target.required) {
        let text = format!("{} is not available here: {}", target.name, target.reason);
        writeln!(writer, "::notice title=edgeproof::{}", data(&text))?;
    }
    let outcomes = options.news_first(run.outcomes());
    for outcome in &outcomes {
        annotate(outcome.case(), options, writer)?;
    }
    for case in outcomes.iter().flat_map(Outcome::played_again) {
        let title = property(&format!("{} on {}", case.id, case.target));
        let text = data(&format!("played again: {}\nagain: {}", told(case), case.reproduce));
        let (file, line) = (property(&options.relative(&case.file)), case.line);
        writeln!(writer, "::warning file={file},line={line},title={title}::{text}")?;
    }
    Ok(())
}

fn annotate(case: &CaseResult, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let before = options.failed_before(case);
    let dropped = options.no_longer_played(case);
    let command = match case.verdict {
        Verdict::Skip if dropped.is_some() => "error",
        Verdict::Pass | Verdict::KnownFail | Verdict::Skip => return Ok(()),
        Verdict::Fixed => "notice",
        Verdict::Error => "error",
        Verdict::Fail if before => "notice",
        Verdict::Fail => match case.level {
            level if level.counts_at(options.gate) => "error",
            Level::Must | Level::Should => "warning",
            Level::May | Level::Observe => "notice",
        },
    };
    let title = format!("{} on {}", case.id, case.target);
    let mut line = |file: &str, line: usize, column: Option<usize>, text: &str| {
        let file = property(&options.relative(file));
        let column = column.map(|column| format!(",col={column}")).unwrap_or_default();
        let before = if before { "was failing already: " } else { "" };
        let (title, text) = (property(&title), data(&format!("{before}{text}")));
        writeln!(writer, "::{command} file={file},line={line}{column},title={title}::{text}")
    };
    if case.verdict == Verdict::Fixed {
        let text = format!(
            "listed as a known failure and passes: take it out of the target.yaml of {}",
            case.target
        );
        return line(&case.file, case.line, None, &text);
    }
    if case.failures.is_empty() {
        let reason = dropped.as_deref().or(case.reason.as_deref());
        let reason = reason.unwrap_or("no reason was given");
        return line(&case.file, case.line, None, &format!("{reason}\nagain: {}", case.reproduce));
    }
    for failure in &case.failures {
        let text = format!(
            "{}\n{} ({}, {})\nagain: {}",
            failure.message, case.name, case.level, case.spec, case.reproduce
        );
        line(&failure.file, failure.line, Some(failure.column), &text)?;
    }
    Ok(())
}

/// A command's message: `%`, CR and LF are escaped.
fn data(text: &str) -> String {
    escape(&visible(text))
}

/// A command's property: also `:` and `,`.
fn property(text: &str) -> String {
    escape(&visible_line(text)).replace(':', "%3A").replace(',', "%2C")
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}
