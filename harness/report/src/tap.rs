//! The Test Anything Protocol, version 14.
//!
//! What does not fail the run carries a directive: `SKIP` with the reason, or `TODO` for known
//! failures, for known failures that pass, and for failures below the gate or that the baseline has too.
//! What fails the run and is no case's verdict (a run that did not come to its end, a target that is not
//! there) bails out.

use std::io::{self, Write};

use edgeproof_runner::event::{CaseResult, Verdict};

use crate::{
    Options, Outcome, Run,
    again::found,
    trouble::troubles,
    visible::{visible, visible_line},
};

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let outcomes = run.outcomes();
    writeln!(writer, "TAP version 14")?;
    writeln!(
        writer,
        "1..{}{}",
        outcomes.len(),
        if outcomes.is_empty() { " # nothing ran" } else { "" }
    )?;
    for (place, outcome) in outcomes.iter().enumerate() {
        let case = outcome.case();
        let dropped = options.no_longer_played(case);
        let ok = matches!(case.verdict, Verdict::Pass | Verdict::Fixed | Verdict::Skip);
        let ok = ok && dropped.is_none();
        let directive = directive(outcome, options).map(|text| format!(" # {text}"));
        writeln!(
            writer,
            "{} {} - {} on {}{}",
            if ok { "ok" } else { "not ok" },
            place + 1,
            description(&case.id),
            description(&case.target),
            directive.unwrap_or_default()
        )?;
        let again = outcome.played_again().next().is_some();
        let told = case.verdict != Verdict::Pass || outcome.runs() > 1 || !case.figures.is_empty();
        if told || again {
            diagnostics(outcome, dropped.as_deref(), writer)?;
        }
    }
    let troubles: Vec<String> = troubles(run, options).into_iter().map(|it| it.why).collect();
    if !troubles.is_empty() {
        writeln!(writer, "Bail out! {}", visible_line(&troubles.join("; ")))?;
    }
    Ok(())
}

fn directive(outcome: &Outcome<'_>, options: &Options) -> Option<String> {
    let case = outcome.case();
    let reason = description(case.reason.as_deref().unwrap_or_default());
    match case.verdict {
        Verdict::Skip if options.no_longer_played(case).is_some() => None,
        Verdict::Skip => Some(format!("SKIP {reason}")),
        Verdict::KnownFail => Some(format!("TODO known failure: {reason}")),
        Verdict::Fixed => Some("TODO listed as a known failure and passes".to_owned()),
        Verdict::Fail => options.uncounted(case).map(|why| format!("TODO {why}")),
        Verdict::Pass | Verdict::Error => None,
    }
}

/// In a description and a directive `#` and `\` are escaped.
fn description(text: &str) -> String {
    visible_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

/// A YAML block of two spaces, as the protocol has it.
fn diagnostics(
    outcome: &Outcome<'_>,
    dropped: Option<&str>,
    writer: &mut impl Write,
) -> io::Result<()> {
    let case = outcome.case();
    writeln!(writer, "  ---")?;
    let mut pair = |key: &str, value: &str| writeln!(writer, "  {key}: {}", quoted(value));
    pair("requirement", &case.name)?;
    pair("level", case.level.as_str())?;
    pair("spec", &case.spec)?;
    pair("verdict", case.verdict.as_str())?;
    if let Some(reason) = dropped.or(case.reason.as_deref()) {
        pair("reason", reason)?;
    }
    pair("at", &format!("{}:{}", case.file, case.line))?;
    pair("reproduce", &case.reproduce)?;
    writeln!(writer, "  duration_ms: {}", outcome.duration_ms())?;
    if let Some(rate) = outcome.flake_rate() {
        writeln!(writer, "  runs: {}\n  flake_rate: {rate:.4}", outcome.runs())?;
    }
    played_again(outcome, writer)?;
    lists(case, writer)?;
    writeln!(writer, "  ...")
}

/// What was found before, and not believed.
fn played_again(outcome: &Outcome<'_>, writer: &mut impl Write) -> io::Result<()> {
    let mut plays = outcome.played_again().flat_map(|case| &case.earlier).peekable();
    if plays.peek().is_some() {
        writeln!(writer, "  played_again:")?;
    }
    for play in plays {
        writeln!(writer, "    - verdict: {}", quoted(play.verdict.as_str()))?;
        writeln!(writer, "      why: {}", quoted(&play.why))?;
        writeln!(writer, "      found:")?;
        for line in found(play) {
            writeln!(writer, "        - {}", quoted(&line))?;
        }
    }
    Ok(())
}

fn lists(case: &CaseResult, writer: &mut impl Write) -> io::Result<()> {
    if !case.figures.is_empty() {
        writeln!(writer, "  figures:")?;
    }
    for figure in &case.figures {
        writeln!(writer, "    - name: {}", quoted(&figure.name))?;
        writeln!(writer, "      value: {}", figure.value)?;
        writeln!(writer, "      unit: {}", quoted(&figure.unit))?;
    }
    if !case.failures.is_empty() {
        writeln!(writer, "  failures:")?;
    }
    for failure in &case.failures {
        writeln!(
            writer,
            "    - at: {}",
            quoted(&format!("{}:{}:{}", failure.file, failure.line, failure.column))
        )?;
        writeln!(writer, "      path: {}", quoted(&failure.path))?;
        writeln!(writer, "      expected: {}", quoted(&failure.expected))?;
        writeln!(writer, "      found: {}", quoted(&failure.found))?;
        // The indentation is said, as the first line may begin with spaces of its own.
        writeln!(writer, "      diagnostic: |2")?;
        for line in visible(failure.rendered.trim_end()).lines() {
            writeln!(writer, "        {}", line.trim_end())?;
        }
    }
    Ok(())
}

/// A JSON string of visible characters is a YAML 1.2 double-quoted scalar.
fn quoted(text: &str) -> String {
    serde_json::Value::String(visible(text)).to_string()
}
