//! Markdown for a CI job's summary.
//!
//! Data stands in `<code>` with every character that Markdown or HTML could take for its own as an
//! entity, or in a fence longer than any run of backticks in it: no payload can leave its place.

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use edgeproof_diagnostics::no_command;
use edgeproof_runner::event::Verdict;

use crate::{
    ExitCode, Level, Options, Outcome, Run, Summary,
    again::{course, found},
    exit_code,
    number::{date, duration, number, percent, plural},
    visible::{sentence, visible, visible_line},
};

/// GitHub takes 1 MiB for a job's summary: as many failures and as much of each as surely fits.
const FAILURES: usize = 50;
const RENDERED: usize = 6000;
const NAMES: usize = 20;

pub(crate) fn render(run: &Run, options: &Options, writer: &mut impl Write) -> io::Result<()> {
    let summary = Summary::of(run, options.baseline.as_deref());
    let outcomes = run.outcomes();
    let mut text = heading(run, &summary, options);
    // Writing to a string cannot fail.
    let _ = counts(&mut text, &summary)
        .and_then(|()| changes(&mut text, run, options))
        .and_then(|()| failures(&mut text, &outcomes, options))
        .and_then(|()| figures(&mut text, &outcomes))
        .and_then(|()| flakes(&mut text, &outcomes))
        .and_then(|()| played_again(&mut text, &outcomes))
        .and_then(|()| lists(&mut text, run, &outcomes));
    writer.write_all(text.as_bytes())
}

fn heading(run: &Run, summary: &Summary, options: &Options) -> String {
    let code = exit_code(summary, options.gate);
    let mark = if code == ExitCode::Good { "✅" } else { "❌" };
    let time = run.duration_ms.map(|ms| format!(" in {}", duration(ms))).unwrap_or_default();
    format!(
        "## {mark} Edgeproof: {}\n\n{}{time} · {} · {} · exit code {}\n",
        summary.headline(options.gate),
        plural(summary.counts.total(), "result"),
        cell(&run.tool),
        cell(&date(&run.started)),
        code.code()
    )
}

fn counts(text: &mut String, summary: &Summary) -> std::fmt::Result {
    if summary.targets.is_empty() {
        return Ok(());
    }
    let used = |level: &Level| {
        let mut targets = summary.targets.iter();
        targets.any(|target| target.levels.iter().any(|entry| entry.level == *level))
    };
    let levels: Vec<Level> = Level::ALL.into_iter().filter(used).collect();
    write!(text, "\n| target |")?;
    for verdict in Verdict::ALL {
        write!(text, " {} |", verdict.as_str())?;
    }
    for level in &levels {
        write!(text, " {level} holds |")?;
    }
    write!(text, "\n|---|{}\n", "---:|".repeat(Verdict::ALL.len() + levels.len()))?;
    for target in &summary.targets {
        write!(text, "| {} |", code(&target.target))?;
        for verdict in Verdict::ALL {
            write!(text, " {} |", target.counts.of(verdict))?;
        }
        for level in &levels {
            let counts = target.levels.iter().find(|entry| entry.level == *level);
            let counts = counts.map(|entry| entry.counts).unwrap_or_default();
            write!(text, " {} of {} |", counts.held(), counts.judged())?;
        }
        text.push('\n');
    }
    Ok(())
}

fn changes(text: &mut String, run: &Run, options: &Options) -> std::fmt::Result {
    let Some(baseline) = options.baseline.as_deref() else { return Ok(()) };
    let difference = baseline.difference(run);
    writeln!(text, "\n### Against the baseline\n")?;
    if let Some(why) = difference.incomparable() {
        writeln!(text, "{}.", cell(&sentence(&why)))?;
    } else if difference.is_empty() {
        writeln!(text, "{}, no change.", plural(difference.shared, "case"))?;
    }
    for (title, changes) in difference.lists().into_iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(text, "- **{title}**: {}", changes.len())?;
        for change in changes.iter().take(NAMES) {
            let word = |verdict: Option<Verdict>| verdict.map_or("–", Verdict::as_str);
            let (id, target) = (code(&change.id), code(&change.target));
            let (was, now) = (word(change.was), word(change.now));
            let reason = change.reason.as_deref().map(|reason| format!(": {}", cell(reason)));
            let reason = reason.unwrap_or_default();
            writeln!(text, "  - {id} on {target} ({}): {was} → {now}{reason}", change.level)?;
        }
        if changes.len() > NAMES {
            writeln!(text, "  - … {} more", changes.len() - NAMES)?;
        }
    }
    Ok(())
}

fn failures(text: &mut String, outcomes: &[Outcome<'_>], options: &Options) -> std::fmt::Result {
    let broken =
        |outcome: &&Outcome<'_>| matches!(outcome.verdict(), Verdict::Fail | Verdict::Error);
    let failed = options.news_first(outcomes.iter().filter(broken).cloned().collect());
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n### Failures\n")?;
    for outcome in failed.iter().take(FAILURES) {
        failure(text, outcome, options)?;
    }
    if failed.len() > FAILURES {
        writeln!(text, "… {} more: see the HTML report.", failed.len() - FAILURES)?;
    }
    Ok(())
}

fn failure(text: &mut String, outcome: &Outcome<'_>, options: &Options) -> std::fmt::Result {
    let case = outcome.case();
    let level = case.level;
    let counted = match outcome.verdict() {
        Verdict::Error => "error".to_owned(),
        _ if options.failed_before(case) => format!("{level}, was failing already"),
        _ if level.counts_at(options.gate) => level.to_string(),
        _ => format!("{level}, not counted"),
    };
    let reason = case.reason.as_deref().unwrap_or("no reason was given");
    writeln!(
        text,
        "<details><summary>{} on {} ({counted}): {}</summary>\n",
        code(&case.id),
        code(&case.target),
        code(reason)
    )?;
    writeln!(text, "{} · {}\n", cell(&case.name), cell(&case.spec))?;
    let rendered: Vec<String> =
        case.failures.iter().map(|failure| visible(failure.rendered.trim_end())).collect();
    if !rendered.is_empty() {
        fence(text, "text", &rendered.join("\n\n"))?;
    }
    fence(text, "sh", &visible_line(&case.reproduce))?;
    writeln!(text, "</details>\n")
}

fn figures(text: &mut String, outcomes: &[Outcome<'_>]) -> std::fmt::Result {
    let measured = || outcomes.iter().filter(|outcome| !outcome.case().figures.is_empty());
    if measured().next().is_none() {
        return Ok(());
    }
    writeln!(
        text,
        "\n### Figures\n\n| case | target | figure | value | unit |\n|---|---|---|---:|---|"
    )?;
    for case in measured().map(Outcome::case) {
        for figure in &case.figures {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                code(&case.id),
                code(&case.target),
                code(&figure.name),
                number(figure.value),
                cell(&figure.unit)
            )?;
        }
    }
    Ok(())
}

fn flakes(text: &mut String, outcomes: &[Outcome<'_>]) -> std::fmt::Result {
    let mut flakes = outcomes
        .iter()
        .filter_map(|outcome| Some((outcome, outcome.flake_rate().filter(|rate| *rate > 0.0)?)))
        .peekable();
    if flakes.peek().is_some() {
        writeln!(
            text,
            "\n### Flakes\n\n| case | target | runs | flake rate |\n|---|---|---:|---:|"
        )?;
    }
    for (outcome, rate) in flakes {
        let case = outcome.case();
        let (id, target, runs) = (code(&case.id), code(&case.target), outcome.runs());
        writeln!(text, "| {id} | {target} | {runs} | {} |", percent(rate))?;
    }
    Ok(())
}

/// What was found before, and not believed.
fn played_again(text: &mut String, outcomes: &[Outcome<'_>]) -> std::fmt::Result {
    let cases: Vec<_> = outcomes.iter().flat_map(Outcome::played_again).collect();
    if !cases.is_empty() {
        writeln!(text, "\n### Played again\n")?;
    }
    for case in cases.iter().take(FAILURES) {
        let (id, target) = (code(&case.id), code(&case.target));
        writeln!(text, "- {id} on {target}: {}", course(case))?;
        for play in &case.earlier {
            for line in found(play) {
                writeln!(text, "  - {}: {}", play.verdict.as_str(), code(&line))?;
            }
            writeln!(text, "  - not believed: {}", cell(&play.why))?;
        }
    }
    if cases.len() > FAILURES {
        writeln!(text, "- … {} more", cases.len() - FAILURES)?;
    }
    Ok(())
}

fn lists(text: &mut String, run: &Run, outcomes: &[Outcome<'_>]) -> std::fmt::Result {
    let fixed: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.verdict() == Verdict::Fixed).collect();
    if !fixed.is_empty() {
        writeln!(text, "\n### Known failures that pass: update the lists\n")?;
    }
    for case in fixed.iter().map(|outcome| outcome.case()) {
        let (id, target) = (code(&case.id), code(&case.target));
        writeln!(text, "- {id} in the target.yaml of {target}")?;
    }
    for (title, verdict) in [("Known failures", Verdict::KnownFail), ("Skipped", Verdict::Skip)] {
        reasons(text, title, outcomes.iter().filter(|outcome| outcome.verdict() == verdict))?;
    }
    if !run.unavailable.is_empty() {
        writeln!(text, "\n### Not available here\n")?;
    }
    for target in &run.unavailable {
        let required = if target.required { " (required)" } else { "" };
        writeln!(text, "- {}{required}: {}", code(&target.name), cell(&target.reason))?;
    }
    Ok(())
}

fn reasons<'a>(
    text: &mut String,
    title: &str,
    outcomes: impl Iterator<Item = &'a Outcome<'a>>,
) -> std::fmt::Result {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for case in outcomes.map(Outcome::case) {
        let reason = case.reason.as_deref().unwrap_or("no reason was given");
        let reason = format!("{}: {}", code(&case.target), cell(reason));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let all: usize = reasons.iter().map(|(_, count)| count).sum();
    writeln!(text, "\n<details><summary>{title}: {all}</summary>\n")?;
    for (reason, count) in reasons {
        writeln!(text, "- {count} × {reason}")?;
    }
    writeln!(text, "\n</details>")
}

/// Data in running text or a table's cell. Letters, digits and a few signs stay; all else is an
/// entity, which neither Markdown nor HTML reads as markup.
pub(crate) fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in visible_line(text).chars() {
        let plain = character.is_alphanumeric() || " /-,;()'§·→×µ–…%=".contains(character);
        // `www.` alone would become a link; a full stop elsewhere is harmless.
        let stop = character == '.' && !out.ends_with("www");
        match plain || stop {
            true => out.push(character),
            false => out.push_str(&format!("&#{};", u32::from(character))),
        }
    }
    out
}

pub(crate) fn code(text: &str) -> String {
    format!("<code>{}</code>", cell(text))
}

/// A fenced block whose fence is longer than any run of backticks in the text, and in which no line is a command to a
/// CI service.
fn fence(text: &mut String, language: &str, body: &str) -> std::fmt::Result {
    let body = no_command(body);
    let cut: String = body.chars().take(RENDERED).collect();
    let more = if cut.len() < body.len() { "\n…" } else { "" };
    let mut longest = 2;
    let mut run = 0;
    for character in cut.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    writeln!(text, "{fence}{language}\n{cut}{more}\n{fence}\n")
}
